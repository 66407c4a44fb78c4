"""Books of five levels a second as rows of a tape."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recording_cases import ERA, ERA_NS, NO, SECOND, YES, aside, converted, market, rebuilt, told

from polyframe.errors import DataError
from polyframe.store import tape_top5
from polyframe.store.tape_amounts import exact_units

Sides = dict[str, list[tuple[float, float]]]


def row(ts: int, bids: list[tuple[float, float]], asks: list[tuple[float, float]], **given: Any):
    """A row of the recording; the NO token is the mirror of YES where it is not given."""
    up: Sides = {"bid": bids, "ask": asks}
    down: Sides = given.pop("down", None) or {
        "bid": [(round(1 - p, 4), s) for p, s in asks],
        "ask": [(round(1 - p, 4), s) for p, s in bids],
    }
    made: dict[str, Any] = {"ts_ms": ERA + ts, "token_id_up": YES, "token_id_down": NO}
    for token, sides in (("up", up), ("down", down)):
        for side, levels in sides.items():
            for n in range(5):
                price, size = levels[n] if n < len(levels) else (math.nan, math.nan)
                made[f"{side}_px_{token}_{n + 1}"] = np.float32(price)
                made[f"{side}_sz_{token}_{n + 1}"] = np.float32(size)
        made |= {
            f"last_trade_px_{token}": np.float32(math.nan),
            f"last_trade_sz_{token}": np.float32(math.nan),
            f"last_trade_side_{token}": "",
        }
    return made | given


def write(path: Path, *rows: dict[str, Any]) -> list[Path]:
    pq.write_table(pa.table({name: [r[name] for r in rows] for name in rows[0]}), path)
    return [path]


def traded(token: str, price: float, size: float, side: str) -> dict[str, Any]:
    return {
        f"last_trade_px_{token}": np.float32(price),
        f"last_trade_sz_{token}": np.float32(size),
        f"last_trade_side_{token}": side,
    }


BIDS, ASKS = [(0.4, 10.0), (0.39, 5.0)], [(0.5, 7.0)]
OPENED = [
    "SNAPSHOT_BEGIN 3+",
    "LEVEL ask 5000 7+",
    "LEVEL bid 3900 5+",
    "LEVEL bid 4000 10+",
    "SNAPSHOT_END 3",
]


def read(tmp_path: Path, *rows: dict[str, Any], **kw: Any):
    return converted(tape_top5, write(tmp_path / "r.parquet", *rows), [market()], **kw)


def test_a_whole_book_and_then_what_changes(tmp_path: Path) -> None:
    columns, recording = read(
        tmp_path,
        row(1_000, BIDS, ASKS),
        row(2_000, BIDS, ASKS),
        row(3_000, [(0.41, 1.0), (0.4, 10.0)], [(0.5, 8.0)]),
    )
    assert told(columns, recording) == [
        *OPENED,
        "LEVEL ask 5000 8+",
        "LEVEL bid 4100 1+",
        "LEVEL bid 3900 0",
    ]
    assert set(columns["ts_venue"].tolist()) == {0}
    assert columns["ts"].tolist()[-1] == ERA_NS + 3_000_000_000


def test_gaps_and_bad_books_end_the_trust_until_the_next_whole_book(tmp_path: Path) -> None:
    columns, recording = read(
        tmp_path,
        row(1_000, BIDS, ASKS),
        row(9_000, BIDS, ASKS),
        row(9_500, [(0.6, 1.0)], ASKS),
        row(10_000, [(0.6, 1.0)], ASKS),
        row(10_500, [(0.3, -1.0)], ASKS),
        row(11_000, [(math.nan, 1.0)], [(0.5, math.nan)]),
        row(11_500, [(0.3, 1.0), (0.3, 2.0)], ASKS),
        row(12_000, [(0.315, 1.0)], ASKS),
        row(13_000, BIDS, ASKS),
    )
    assert told(columns, recording) == [
        *OPENED,
        "CLEAR gap",
        *OPENED,
        "CLEAR crossed book",
        *OPENED,
    ]
    assert columns["ts"][5] == ERA_NS + 6_000_000_000
    assert aside(recording) == [
        ("r.parquet", 5, "book: impossible amount"),
        ("r.parquet", 6, "book: impossible amount"),
        ("r.parquet", 7, "book: a price twice in one book"),
        ("r.parquet", 8, "book: price off the tick"),
        ("r.parquet", 3, "book: crossed book"),
        ("r.parquet", 4, "book: crossed book"),
    ]


def test_a_finer_tick_is_seen_when_it_stays(tmp_path: Path) -> None:
    fine = [(0.405, 1.0)]
    columns, recording = read(
        tmp_path,
        row(1_000, BIDS, ASKS),
        row(2_000, fine, ASKS),
        row(3_000, fine, ASKS),
        row(4_000, BIDS, ASKS),
        row(5_000, fine, ASKS),
    )
    kinds = told(columns, recording)
    assert kinds[5] == "TICK 50+"
    assert sum(text.startswith("TICK") for text in kinds) == 1
    assert not recording.aside


def test_trades_are_the_last_ones_and_no_counts_from_yes(tmp_path: Path) -> None:
    columns, recording = read(
        tmp_path,
        row(1_000, BIDS, ASKS, **traded("up", 0.41, 5, "BUY")),
        row(2_000, BIDS, ASKS, **traded("up", 0.41, 5, "BUY"), **traded("down", 0.52, 3, "BUY")),
        row(3_000, BIDS, ASKS, **traded("up", 0.41, 5, "SELL"), **traded("down", 0.52, 3, "BUY")),
        row(4_000, BIDS, ASKS, **traded("up", 0.41, 0, "SELL"), **traded("down", 1.0, 3, "BUY")),
    )
    assert told(columns, recording)[5:] == ["TRADE sell 4800 3", "TRADE sell 4100 5"]
    assert [why for *_, why in aside(recording)] == [
        "trade: impossible amount",
        "trade: price off the tick",
    ]
    assert [values for *_, values in recording.aside] == [["SELL 0.0 at 0.41"], ["BUY 3.0 at 1.0"]]


def test_the_other_token_proves_or_replaces(tmp_path: Path) -> None:
    other = {"bid": [(0.5, 7.0)], "ask": [(0.6, 9.0), (0.61, 5.0)]}
    columns, recording = read(tmp_path, row(1_000, BIDS, ASKS, down=other))
    assert told(columns, recording) == OPENED
    assert recording.notes[tape_top5.MIRROR] == 1
    only = {"bid": [(0.5, 7.0)], "ask": [(0.6, 10.0), (0.61, 5.0)]}
    columns, recording = read(tmp_path, row(1_000, [], [], down=only))
    assert told(columns, recording) == OPENED
    assert tape_top5.MIRROR not in recording.notes


def test_an_empty_book_is_a_book(tmp_path: Path) -> None:
    columns, recording = read(tmp_path, row(1_000, [], []), row(2_000, BIDS, []))
    assert told(columns, recording) == [
        "SNAPSHOT_BEGIN 0+",
        "SNAPSHOT_END 0",
        "LEVEL bid 3900 5+",
        "LEVEL bid 4000 10",
    ]
    assert recording.notes["empty books"] == 1


def test_where_the_clock_goes_back_nobody_knows_whether_a_book_is_old(tmp_path: Path) -> None:
    other = {"token_id_up": "y2", "token_id_down": "n2"}
    files = write(
        tmp_path / "r.parquet",
        row(2_000, BIDS, ASKS),
        row(1_000, [(0.3, 1.0)], ASKS, **traded("up", 0.41, 5, "BUY")),
        row(1_000, BIDS, ASKS) | other,
        row(1_900, [(0.2, 1.0)], ASKS),
        row(2_000, BIDS, [(0.5, 8.0)]),
    )
    columns, recording = converted(tape_top5, files, [market(), market("m2", "y2", "n2")])
    assert told(columns, recording) == [*OPENED, *OPENED, "LEVEL ask 5000 8"]
    assert aside(recording) == [
        ("r.parquet", 2, "book: recorder's clock went back"),
        ("r.parquet", 4, "book: recorder's clock went back"),
    ]
    assert recording.aside[0][3] == [str(ERA + 1_000), str(ERA + 1_900)]


def test_a_market_that_falls_silent_while_the_recording_goes_on(tmp_path: Path) -> None:
    other = {"token_id_up": "y2", "token_id_down": "n2"}
    rows = [row(ts, BIDS, ASKS) | other for ts in range(1_000, 21_000, 1_000)]
    known = [market(), market("m2", "y2", "n2")]
    for markets in (known, known[:1]):  # the recording goes on whether or not the other is wanted
        files = write(tmp_path / "r.parquet", row(1_000, BIDS, ASKS), row(3_000, BIDS, ASKS), *rows)
        columns, recording = converted(tape_top5, files, markets)
        assert recording.clears == {"gap": 1}
        assert told(columns, recording)[-1] == "CLEAR gap"
        assert columns["ts"][-1] == ERA_NS + 8 * SECOND
        assert recording.markets[columns["instrument"][-1]].id == "m1"
    # As long as the silence itself is no gap.
    files = write(tmp_path / "r.parquet", row(15_000, BIDS, ASKS), *rows)
    assert not converted(tape_top5, files, known)[1].clears
    # A book that is not trusted anyway cannot lose it.
    files = write(tmp_path / "r.parquet", row(1_000, [(0.6, 1.0)], ASKS), *rows)
    assert converted(tape_top5, files, known)[1].clears == {"crossed book": 1}
    files = write(tmp_path / "r.parquet", row(1_000, BIDS, ASKS), *rows)
    assert not converted(tape_top5, files, known, silence=0)[1].clears


def test_tokens_that_are_not_the_markets_own_pair(tmp_path: Path) -> None:
    columns, recording = read(
        tmp_path,
        row(1_000, BIDS, ASKS),
        row(2_000, BIDS, ASKS) | {"token_id_up": NO, "token_id_down": YES},
        row(3_000, BIDS, ASKS) | {"token_id_down": "other"},
    )
    assert told(columns, recording) == OPENED
    assert aside(recording) == [
        ("r.parquet", at, "the tokens are not the market's first and second") for at in (2, 3)
    ]
    assert not recording.unknown


def test_rows_without_a_time_and_times_in_another_unit(tmp_path: Path) -> None:
    good = [row(1_000, BIDS, ASKS), row(2_000, BIDS, ASKS), row(3_000, [], ASKS)]
    for none in (None, math.nan):
        rows = [good[0], good[1] | {"ts_ms": none}, good[2]]
        columns, recording = read(tmp_path, *rows)
        assert told(columns, recording) == [*OPENED, "LEVEL bid 3900 0+", "LEVEL bid 4000 0"]
        assert aside(recording) == [("r.parquet", 2, "no time")]
    for value, said, fits in (
        (ERA // 1_000, "as seconds 2026-07-25 17:20:00", "seconds"),
        (ERA * 1_000, "as microseconds 2026-07-25 17:20:00", "microseconds"),
        (float(ERA * 10**6), "as nanoseconds 2026-07-25 17:20:00", "nanoseconds"),
        (-5, "as seconds 1969-12-31 23:59:55", ""),
        (math.inf, "as seconds no date", ""),
        (2**64 - 1, "as nanoseconds 2554-07-21", ""),
    ):
        kind = pa.float64() if isinstance(value, float) else pa.uint64() if value > 0 else None
        (file,) = write(tmp_path / "r.parquet", *good[:2])
        table = pq.read_table(file)
        ts = pa.array([type(value)(ERA), value], kind)
        pq.write_table(table.set_column(0, "ts_ms", ts), file)
        with pytest.raises(DataError) as refused:
            converted(tape_top5, [file], [market()])
        assert "r.parquet: ts_ms of row 2 is " in refused.value.message
        assert said in refused.value.message
        assert refused.value.expected == "milliseconds since 1970-01-01 UTC, from 2010 to 2100"
        assert (refused.value.hint or "").startswith(
            f"it looks like {fits}:" if fits else "correct"
        )


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("ts_ms", ["2026-07-25"], "column ts_ms holds string"),
        ("ts_ms", [[1]], "column ts_ms holds list"),
        ("bid_px_up_1", ["dear"], "column bid_px_up_1 holds string"),
        ("bid_px_up_1", [[0.4]], "column bid_px_up_1 holds list"),
        ("bid_sz_up_1", [True], "column bid_sz_up_1 holds bool"),
        ("token_id_up", [[1]], "column token_id_up holds list"),
        ("token_id_up", [0.5], "column token_id_up holds double"),
        ("last_trade_side_up", [True], "column last_trade_side_up holds bool"),
    ],
)
def test_columns_that_hold_something_else_are_refused_by_name(
    tmp_path: Path, column: str, values: list[Any], said: str
) -> None:
    with pytest.raises(DataError) as refused:
        read(tmp_path, row(1_000, BIDS, ASKS) | {column: values[0]})
    assert f"r.parquet: {said}" in refused.value.message
    assert refused.value.expected
    assert refused.value.hint


def test_types_that_mean_the_same_are_read(tmp_path: Path) -> None:
    rows = [row(1_000, BIDS, ASKS), row(2_000, BIDS, [])]
    table = pa.table({name: [r[name] for r in rows] for name in rows[0]})
    for name, kind in (
        ("ts_ms", pa.float64()),
        ("bid_px_up_1", pa.string()),
        ("token_id_up", pa.dictionary(pa.int32(), pa.string())),
        ("last_trade_side_up", pa.null()),
    ):
        place = table.schema.get_field_index(name)
        values = table[name].to_pylist()
        if kind == pa.string():
            values = [f"{v:.2f}" for v in values]
        cast = pa.nulls(2) if kind == pa.null() else pa.array(values, kind)
        table = table.set_column(place, name, cast)
    pq.write_table(table, tmp_path / "r.parquet")
    columns, recording = converted(tape_top5, [tmp_path / "r.parquet"], [market()])
    assert told(columns, recording) == [*OPENED, "LEVEL ask 5000 0"]
    # A second file may have kept its floats in 64 bits.
    pq.write_table(
        pa.table(
            {n: [float(str(v)) if isinstance(v, np.float32) else v] for n, v in rows[0].items()}
        ),
        tmp_path / "s.parquet",
    )
    files = [tmp_path / "r.parquet", tmp_path / "s.parquet"]
    assert not converted(tape_top5, files[::-1], [market()])[1].notes


def test_no_rows_are_no_defect(tmp_path: Path) -> None:
    pq.write_table(pa.table({n: [v] for n, v in row(1_000, BIDS, ASKS).items()}).slice(0, 0),
                   tmp_path / "r.parquet")  # fmt: skip
    columns, recording = converted(tape_top5, [tmp_path / "r.parquet"], [market()])
    assert not len(columns["ts"])
    assert recording.rows == {"r.parquet": 0}


def test_other_markets_and_other_files(tmp_path: Path) -> None:
    stranger = row(1_000, BIDS, ASKS) | {"token_id_up": "stranger"}
    columns, recording = read(tmp_path, stranger, row(1_000, BIDS, ASKS))
    assert recording.unknown == {"stranger": 1}
    assert len(columns["ts"]) == 5
    pq.write_table(pa.table({"ts_ms": [1]}), tmp_path / "x.parquet")
    with pytest.raises(DataError, match="has no column token_id_up"):
        converted(tape_top5, [tmp_path / "x.parquet"], [market()])


SIZES = st.sampled_from([1.0, 2.5, 203.99])
PRICES = st.integers(1, 99)
BOOK = st.dictionaries(PRICES, SIZES, max_size=5)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([1_000, 1_000, 9_000]), BOOK, BOOK), min_size=1, max_size=12)
)
def test_the_tape_holds_each_recorded_book(tmp_path_factory, books) -> None:
    rows, expected, ts = [], [], 0
    for step, bids, asks in books:
        ts += step
        sides = [sorted(((p / 100, s) for p, s in side.items())) for side in (bids, asks)]
        rows.append(row(ts, sides[0], sides[1]))
        crossed = bool(bids and asks) and max(bids) >= min(asks)
        expected.append(
            None
            if crossed
            else tuple({p * 100: round(s * 1e6) for p, s in side.items()} for side in (bids, asks))
        )
    path = tmp_path_factory.mktemp("top5") / "r.parquet"
    columns, _ = converted(tape_top5, write(path, *rows), [market()])
    seen = list(rebuilt(columns))
    for given_row, want in zip(rows, expected, strict=True):
        last = [b for b in seen if b.ts <= given_row["ts_ms"] * 1_000_000]
        if want is None:
            assert not last or not last[-1].trusted
        else:
            assert last[-1].trusted
            assert (last[-1].bids, last[-1].asks) == want


@given(st.lists(st.integers(0, 10**8), min_size=1, max_size=30), st.integers(0, 6))
def test_floats_become_the_units_that_were_meant(units, decimals) -> None:
    wanted = np.array(units)
    found, bad = exact_units(wanted / 10.0**decimals, decimals)
    assert not bad.any()
    assert found.tolist() == units
    short = (wanted % 10**6) / 10.0**decimals
    found, bad = exact_units(short.astype(np.float32), decimals)
    assert not bad.any()
    assert found.tolist() == (wanted % 10**6).tolist()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_floats_that_are_no_amounts(kind) -> None:
    values = np.array([math.nan, math.inf, -1.0, 1e30, 0.12345, 0.25], kind)
    found, bad = exact_units(values, 4)
    assert bad.tolist() == [True] * 5 + [False]
    assert found.tolist() == [0] * 5 + [2_500]
