"""Bars in a catalogue: imported, checked, read, made from prices and from shorter bars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from catalogue_cases import START, market, overwrite, price, write_map, write_rows
from hypothesis import given
from hypothesis import strategies as st

from polyframe.domain.quality import Flag
from polyframe.domain.units import HOUR, MINUTE
from polyframe.errors import DataError
from polyframe.store.bar_columns import BarColumns, from_prices, intervals_of, resampled
from polyframe.store.catalogue import Catalogue
from polyframe.store.checking import check_catalogue
from polyframe.store.importing import import_files
from polyframe.store.listing import describe, list_catalogue
from polyframe.store.timeline import PriceColumns

COLUMNS: dict[str, Any] = {
    "market_id": "market",
    "ts": {"from": "at", "unit": "ns"},
    "interval": {"constant": 60, "unit": "s"},
    "open": "o",
    "high": "h",
    "low": "l",
    "close": "c",
    "volume": "v",
}


def bar(minute: int, o: float, h: float, l: float, c: float, **changed: Any) -> dict[str, Any]:  # noqa: E741
    at = START + minute * MINUTE
    return {"market": "m1", "at": at, "o": o, "h": h, "l": l, "c": c, "v": 5.0, **changed}


def imported(tmp_path: Path, rows: list[dict[str, Any]], columns: dict[str, Any] = COLUMNS) -> Any:
    import_files("markets", [write_rows(tmp_path / "m.parquet", [market()])], tmp_path / "cat")
    mapping = write_map(tmp_path / "map.json", "bars", columns)
    file = write_rows(tmp_path / "b.parquet", rows)
    report = import_files("bars", [file], tmp_path / "cat", mapping=mapping)
    return report, Catalogue.open(tmp_path / "cat")


def test_bars_are_imported_by_market_and_known_at_their_last_nanosecond(tmp_path: Path) -> None:
    rows = [bar(1, 0.61, 0.65, 0.6, 0.64), bar(0, 0.6, 0.62, 0.58, 0.61)]
    report, catalogue = imported(tmp_path, rows)
    assert report.files[0].added == 2
    bars = catalogue.bars(catalogue.markets(), MINUTE)
    assert bars.start.tolist() == [START, START + MINUTE]
    assert bars.ts.tolist() == [START + MINUTE - 1, START + 2 * MINUTE - 1]
    assert bars.open.tolist() == [6000, 6100]
    assert bars.close.tolist() == [6100, 6400]
    assert bars.high.tolist() == [6200, 6500]
    assert bars.low.tolist() == [5800, 6000]
    assert bars.volume.tolist() == [5_000_000, 5_000_000]
    assert intervals_of(catalogue.files("bars"), catalogue.markets()) == {MINUTE: 2}
    assert intervals_of(catalogue.files("bars"), []) == {}
    assert len(catalogue.bars(catalogue.markets(), HOUR)) == 0
    assert [h.kind for h in list_catalogue(catalogue)] == ["markets", "bars"]
    assert describe(catalogue, "m1").bars[0].rows == 2


def test_a_mapping_may_state_the_end_of_a_bar_in_place_of_its_begin(tmp_path: Path) -> None:
    columns = {**COLUMNS, "end": COLUMNS["ts"]}
    del columns["ts"]
    _, catalogue = imported(tmp_path, [bar(1, 0.6, 0.6, 0.6, 0.6)], columns)
    assert catalogue.bars(catalogue.markets(), MINUTE).start.tolist() == [START]


def test_bars_of_no_are_turned_and_yes_decides_where_both_are_known(tmp_path: Path) -> None:
    columns = {**COLUMNS, "token": "token"}
    del columns["market_id"]
    rows = [
        bar(0, 0.3, 0.4, 0.2, 0.25, token="n1"),
        bar(1, 0.3, 0.4, 0.2, 0.25, token="n1"),
        bar(1, 0.7, 0.8, 0.6, 0.71, token="y1"),
    ]
    _, catalogue = imported(tmp_path, rows, columns)
    bars = catalogue.bars(catalogue.markets(), MINUTE)
    assert bars.open.tolist() == [7000, 7000]
    assert bars.close.tolist() == [7500, 7100]
    assert bars.high.tolist() == [8000, 8000]
    assert bars.low.tolist() == [6000, 6000]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"h": 0.59}, "high below another price"),
        ({"l": 0.605}, "low above another price"),
        ({"at": START + 1}, "bar does not begin at a multiple of its length"),
        ({"v": -1.0}, "volume below zero"),
        ({"market": "m9"}, "unknown market; import markets first"),
        ({"c": 1.2}, "close outside [0, 1]"),
        ({"o": float("nan")}, "missing open"),
    ],
)
def test_impossible_bars_are_set_aside_with_the_reason(
    tmp_path: Path, changed: dict[str, Any], reason: str
) -> None:
    rows = [bar(0, 0.6, 0.62, 0.58, 0.61), {**bar(1, 0.6, 0.62, 0.58, 0.61), **changed}]
    report, _ = imported(tmp_path, rows)
    assert report.files[0].set_aside == {reason: 1}


def test_a_second_value_for_a_bar_is_no_bar(tmp_path: Path) -> None:
    rows = [bar(0, 0.6, 0.6, 0.6, 0.6), bar(0, 0.7, 0.7, 0.7, 0.7)]
    report, catalogue = imported(tmp_path, rows)
    assert report.files[0].set_aside == {"duplicate key with another value": 1}
    assert catalogue.bars(catalogue.markets(), MINUTE).open.tolist() == [6000]


def stored(minute: int, **changed: Any) -> dict[str, Any]:
    at = START + minute * MINUTE
    row = {"market_id": "m1", "token": "y1", "interval": MINUTE, "ts": at, "open": 6000}
    row |= {"high": 6100, "low": 5900, "close": 6050, "volume": 0, "source": "test"}
    return {**row, "known_at": at + MINUTE - 1, **changed}


@pytest.mark.parametrize(
    ("rows", "finding"),
    [
        ([stored(0), stored(2)], "gap"),
        ([stored(0), stored(0)], "duplicate bar"),
        ([stored(1), stored(0)], "unsorted times"),
        ([stored(0, high=6000)], "impossible bar"),
        ([stored(0, low=-1)], "price out of range"),
        ([stored(0, ts=START + 1, known_at=START + MINUTE)], "bar off its grid"),
        ([stored(0, known_at=START)], "known too early"),
        ([stored(0, close=None)], "missing value"),
        ([stored(0, market_id="m7")], "unknown market"),
        ([stored(60 * 24 * 11)], "bar after close"),
    ],
)
def test_a_check_finds_what_is_wrong(
    tmp_path: Path, rows: list[dict[str, Any]], finding: str
) -> None:
    _, catalogue = imported(tmp_path, [bar(0, 0.6, 0.6, 0.6, 0.6)])
    overwrite(catalogue.files("bars")[0], "bars", rows)
    checks = {f.check for f in check_catalogue(catalogue).findings}
    assert finding in checks


def test_impossible_bars_are_refused_when_read(tmp_path: Path) -> None:
    _, catalogue = imported(tmp_path, [bar(0, 0.6, 0.6, 0.6, 0.6)])
    overwrite(catalogue.files("bars")[0], "bars", [stored(0, high=6000)])
    with pytest.raises(DataError, match="1 bars with impossible prices"):
        catalogue.bars(catalogue.markets(), MINUTE)


def test_bars_change_the_digest_and_their_absence_does_not(tmp_path: Path) -> None:
    import_files("markets", [write_rows(tmp_path / "m.parquet", [market()])], tmp_path / "a")
    import_files("prices", [write_rows(tmp_path / "p.parquet", [price()])], tmp_path / "a")
    before = Catalogue.open(tmp_path / "a").digest()
    mapping = write_map(tmp_path / "map.json", "bars", COLUMNS)
    file = write_rows(tmp_path / "b.parquet", [bar(0, 0.6, 0.6, 0.6, 0.6)])
    import_files("bars", [file], tmp_path / "a", mapping=mapping)
    assert Catalogue.open(tmp_path / "a").digest() != before
    assert Catalogue.open(tmp_path / "a").digest([]) != before


# ---- bars made from prices and from shorter bars -------------------------------------------------


def prices(rows: list[tuple[int, int, int, int]]) -> PriceColumns:
    rows = sorted(rows)
    ts, market_, price_, flag = (np.array([row[i] for row in rows]) for i in range(4))
    return PriceColumns(
        START + ts.astype(np.int64) * MINUTE, market_.astype(np.int32), price_.astype(np.int64),
        flag.astype(np.uint8),
    )  # fmt: skip


def test_unquoted_rows_are_no_prices_and_an_interval_without_one_has_no_bar() -> None:
    dead = int(Flag.FLAT)
    made = from_prices(
        prices([(0, 0, 6000, 0), (20, 0, 9000, dead), (50, 0, 6200, 0), (70, 0, 5000, dead),
                (130, 0, 6100, 0)]), HOUR,
    )  # fmt: skip
    assert made.start.tolist() == [START, START + 2 * HOUR]
    assert made.high.tolist() == [6200, 6100]
    assert made.close.tolist() == [6200, 6100]
    assert made.ts.tolist() == [START + HOUR - 1, START + 3 * HOUR - 1]


rows_of = st.lists(
    st.tuples(
        st.integers(0, 400), st.integers(0, 2), st.integers(1, 9999), st.sampled_from([0, 0, 2])
    ),
    min_size=1, max_size=60, unique_by=lambda row: row[:2],
)  # fmt: skip


def plain(p: PriceColumns, interval: int) -> list[tuple[int, ...]]:
    """The bars one by one."""
    found: dict[tuple[int, int], list[int]] = {}
    for ts, m, value, flag in zip(p.ts, p.market, p.price, p.flag, strict=True):
        if not flag:
            found.setdefault((int(ts) // interval, int(m)), []).append(int(value))
    return sorted(
        ((k + 1) * interval - 1, m, v[0], max(v), min(v), v[-1]) for (k, m), v in found.items()
    )


def shown(bars: BarColumns) -> list[tuple[int, ...]]:
    columns = (bars.ts, bars.market, bars.open, bars.high, bars.low, bars.close)
    return [tuple(int(v) for v in row) for row in zip(*columns, strict=True)]


@given(rows_of)
def test_bars_of_prices_are_those_a_person_would_make(
    rows: list[tuple[int, int, int, int]],
) -> None:
    p = prices(rows)
    assert shown(from_prices(p, HOUR)) == plain(p, HOUR)
    minutes = from_prices(p, 5 * MINUTE)
    assert shown(resampled(minutes, HOUR, last=2**62)) == plain(p, HOUR)


@given(rows_of, st.integers(0, 400))
def test_no_longer_bar_changes_when_later_bars_are_taken_away(
    rows: list[tuple[int, int, int, int]], minute: int
) -> None:
    bars = from_prices(prices(rows), 5 * MINUTE)
    moment = START + minute * MINUTE
    whole = resampled(bars, HOUR).until(moment)
    cut = resampled(bars.until(moment), HOUR, last=moment)
    known = whole.take(whole.ts <= (bars.ts[-1] if len(bars) else 0))
    assert shown(cut.take(cut.ts <= (bars.ts[-1] if len(bars) else 0))) == shown(known)


def test_bars_sum_their_volume() -> None:
    frame = pd.DataFrame({"v": [1, 2, 3, 4]})
    n = len(frame)
    ts = START + np.arange(n, dtype=np.int64) * 30 * MINUTE
    price_ = np.full(n, 5000, np.int32)
    bars = BarColumns(
        ts + 30 * MINUTE - 1, ts, np.zeros(n, np.int32), price_, price_, price_, price_,
        frame["v"].to_numpy(np.int64), 30 * MINUTE,
    )  # fmt: skip
    assert resampled(bars, HOUR).volume.tolist() == [3, 7]
    with pytest.raises(DataError, match="cannot be made into"):
        resampled(bars, 45 * MINUTE)
