"""Books of full depth and trades in columns as rows of a tape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recording_cases import ERA, ERA_NS, SECOND, aside, converted, market, told

from polyframe.domain.market import Market
from polyframe.domain.units import MILLISECOND
from polyframe.errors import DataError
from polyframe.store import tape_fulldepth
from polyframe.store.tape_rows import TapeKind
from polyframe.store.tape_top5 import MIRROR

Levels = list[tuple[float, float]]


def coin(asset: str = "btc") -> Market:
    slug = f"{asset}-updown-15m-1000"
    return market(slug, f"{slug}-up", f"{slug}-down")


def key(ts: int, recv: int, token: str = "up", asset: str = "btc") -> dict[str, Any]:
    return {
        "interval": "15m",
        "asset": asset,
        "window_start_s": 1_000,
        "token": token,
        "ts_ms": ERA + ts,
        "recv_ms": ERA + recv,
    }


def book(ts: int, recv: int, bids: Levels, asks: Levels, token: str = "up", **given: Any):
    found = key(ts, recv, token, given.pop("asset", "btc"))
    for side, levels in (("bid", bids), ("ask", asks)):
        found[f"{side}_px"] = [p for p, _ in levels]
        found[f"{side}_sz"] = [s for _, s in levels]
    return found | given


def trade(ts: int, recv: int, price: float, size: float, side: str, token: str = "up"):
    return key(ts, recv, token) | {"price": price, "size": size, "side": side}


def write(path: Path, *rows: dict[str, Any]) -> Path:
    pq.write_table(pa.table({name: [r[name] for r in rows] for name in rows[0]}), path)
    return path


BIDS, ASKS = [(0.4, 10.0), (0.39, 5.0)], [(0.5, 7.0)]
MIRRORED = ([(0.5, 7.0)], [(0.6, 10.0), (0.61, 5.0)])
OPENED = [
    "SNAPSHOT_BEGIN 3+",
    "LEVEL ask 5000 7+",
    "LEVEL bid 3900 5+",
    "LEVEL bid 4000 10+",
    "SNAPSHOT_END 3",
]


def read(tmp_path: Path, *rows: dict[str, Any], markets: tuple[Market, ...] = (coin(),), **kw: Any):
    return converted(tape_fulldepth, [write(tmp_path / "b.parquet", *rows)], list(markets), **kw)


def test_books_and_trades_with_both_clocks(tmp_path: Path) -> None:
    books = write(
        tmp_path / "b.parquet",
        book(900, 1_000, BIDS, ASKS),
        book(1_900, 2_000, [(0.4, 10.0)], ASKS),
    )
    trades = write(
        tmp_path / "t.parquet",
        trade(1_400, 1_500, 0.41, 2, "buy"),
        trade(1_500, 1_600, 0.55, 3, "buy", "down"),
        trade(1_600, 1_700, 0.4, -3.0, "buy"),
        trade(1_600, 1_700, 1.0, 3, "buy"),
        trade(1_600, 1_700, 0.4, 3, "hold"),
    )
    columns, recording = converted(tape_fulldepth, [books, trades], [coin()])
    assert told(columns, recording) == [
        *OPENED,
        "TRADE buy 4100 2",
        "TRADE sell 4500 3",
        "LEVEL bid 3900 0",
    ]
    assert columns["ts"].tolist()[-1] == ERA_NS + 2_000_000_000
    assert columns["ts_venue"].tolist()[-1] == ERA_NS + 1_900_000_000
    assert sorted(aside(recording)) == [
        ("t.parquet", 3, "trade: impossible amount"),
        ("t.parquet", 4, "trade: price off the tick"),
        ("t.parquet", 5, "trade: unknown side"),
    ]
    values = [value for *_, values in recording.aside for value in values]
    assert values == ["buy -3.0 at 0.4", "hold 3.0 at 0.4", "buy 3.0 at 1.0"]


def test_no_proves_yes_or_stands_in_for_it(tmp_path: Path) -> None:
    columns, recording = read(
        tmp_path, book(900, 1_000, BIDS, ASKS), book(900, 1_001, *MIRRORED, "down")
    )
    assert told(columns, recording) == OPENED
    assert MIRROR not in recording.notes
    columns, recording = read(
        tmp_path, book(900, 1_000, BIDS, ASKS), book(900, 1_001, MIRRORED[0], [(0.6, 1.0)], "down")
    )
    assert told(columns, recording) == OPENED
    assert recording.notes[MIRROR] == 1
    columns, recording = read(tmp_path, book(900, 1_000, *MIRRORED, "down"))
    assert told(columns, recording) == OPENED


def test_bad_books_end_the_trust(tmp_path: Path) -> None:
    uneven = book(1_900, 2_000, BIDS, ASKS) | {"bid_sz": [1.0]}
    columns, recording = read(
        tmp_path,
        book(900, 1_000, BIDS, ASKS),
        uneven,
        book(2_900, 3_000, BIDS, ASKS),
        book(3_900, 4_000, [(0.5, 1.0)], ASKS),
        book(4_900, 5_000, [], []),
        book(39_000, 40_000, [(0.4, float("nan"))], []),
        book(41_000, 41_000, BIDS, ASKS),
        book(42_000, 42_000, BIDS, ASKS) | {"ask_px": None},
        book(43_000, 43_000, BIDS, ASKS) | {"ask_px": None, "ask_sz": None},
    )
    assert told(columns, recording) == [
        *OPENED,
        "CLEAR not as many sizes as prices",
        *OPENED,
        "CLEAR crossed book",
        "SNAPSHOT_BEGIN 0+",
        "SNAPSHOT_END 0",
        "CLEAR gap",
        "CLEAR impossible amount",
        *OPENED,
        "CLEAR not as many sizes as prices",
    ]
    assert sorted(row for _, row, _ in aside(recording)) == [2, 4, 6, 8, 9]
    assert {why for _, row, why in aside(recording) if row in (2, 8, 9)} == {
        "book: not as many sizes as prices"
    }


def test_rows_in_any_order_and_clocks_that_go_back(tmp_path: Path) -> None:
    first, second = coin(), coin("eth")
    columns, recording = read(
        tmp_path,
        book(900, 2_000, BIDS, ASKS),
        book(1_900, 1_000, BIDS, ASKS),
        book(900, 1_500, BIDS, ASKS, asset="eth"),
        book(900, 1_500, BIDS, ASKS, asset="doge"),
        book(900, 1_500, BIDS, ASKS, "sideways"),
        markets=(first, second),
    )
    assert ((columns["ts"] - ERA_NS) // MILLISECOND).tolist() == [1_500] * 5 + [2_000] * 5
    assert [recording.markets[i].id for i in columns["instrument"][[0, 5]]] == [second.id, first.id]
    assert recording.unknown == {"doge-updown-15m-1000": 1}
    assert aside(recording) == [("b.parquet", 5, "token is neither up nor down")]
    assert any("clock" in note for note in recording.notes)


def test_an_older_book_is_not_taken_for_the_newest(tmp_path: Path) -> None:
    newer, old = [(0.41, 1.0), (0.4, 10.0)], [(0.3, 1.0)]
    columns, recording = read(
        tmp_path,
        book(2_000, 2_100, BIDS, ASKS),
        book(1_000, 2_200, old, ASKS),
        book(2_000, 2_300, newer, ASKS),  # of the same moment: the later row counts
        book(1_900, 2_400, *MIRRORED, "down"),  # each token has a clock of its own
        book(1_999, 2_050, old, ASKS),  # both clocks went back
        emptied(1_500),
        book(3_000, 3_100, BIDS, ASKS),
    )
    assert told(columns, recording) == [
        *OPENED,
        "LEVEL bid 4100 1+",
        "LEVEL bid 3900 0",
        "LEVEL bid 3900 5+",
        "LEVEL bid 4100 0",
    ]
    assert aside(recording) == [
        ("b.parquet", 2, "book: venue time went back"),
        ("b.parquet", 5, "book: venue time went back"),
        ("b.parquet", 6, "book: venue time went back"),
    ]
    assert recording.aside[0][3][:1] == [str(ERA + 1_000)]
    assert not recording.clears
    # Of trades none is the newest.
    file = write(
        tmp_path / "t.parquet",
        trade(2_000, 2_100, 0.4, 1.0, "buy"),
        trade(1_000, 2_200, 0.4, 1.0, "buy"),
    )
    columns, recording = converted(tape_fulldepth, [file], [coin()])
    assert told(columns, recording) == ["TRADE buy 4000 1"] * 2


def emptied(ts: int) -> dict[str, Any]:
    """An empty book, as a recorder writes that reconnects."""
    return book(ts, ts + 1_000, [], [])


def test_a_market_that_falls_silent_while_the_recording_goes_on(tmp_path: Path) -> None:
    quiet, lively = coin(), coin("eth")
    books = [book(900, 1_000, BIDS, ASKS)]
    books += [book(ts, ts, BIDS, ASKS, asset="eth") for ts in range(1_000, 90_000, 10_000)]
    b = write(tmp_path / "b.parquet", *books)
    for markets in ([quiet, lively], [quiet]):
        columns, recording = converted(tape_fulldepth, [b], markets)
        assert recording.clears == {"gap": 1}
        (at,) = columns["ts"][columns["kind"] == TapeKind.CLEAR]
        assert at == ERA_NS + 31 * SECOND
    # Trades of the market itself show as well that the recording went on without its books.
    b = write(tmp_path / "b.parquet", books[0])
    t = write(tmp_path / "t.parquet", trade(40_000, 40_000, 0.4, 1.0, "buy"))
    columns, recording = converted(tape_fulldepth, [b, t], [quiet])
    assert told(columns, recording) == [*OPENED, "CLEAR gap", "TRADE buy 4000 1"]
    t = write(tmp_path / "t.parquet", trade(31_000, 31_000, 0.4, 1.0, "buy"))
    assert not converted(tape_fulldepth, [b, t], [quiet])[1].clears


@pytest.mark.parametrize("clock", ["ts_ms", "recv_ms"])
def test_rows_without_a_time_and_times_in_another_unit(tmp_path: Path, clock: str) -> None:
    good = [book(ts, ts, BIDS, ASKS) for ts in (1_000, 2_000)]
    columns, recording = read(tmp_path, good[0], good[1] | {clock: None})
    assert told(columns, recording) == OPENED
    assert aside(recording) == [("b.parquet", 2, "no time")]
    for value in (ERA // 1_000, ERA * 1_000, -1, 10**18, 2**63 - 1):
        with pytest.raises(DataError) as refused:
            read(tmp_path, good[0], good[1] | {clock: value})
        assert f"b.parquet: {clock} of row 2 is {value}: as milliseconds" in refused.value.message
        assert "as seconds" in refused.value.message
        assert "from 2010 to 2100" in str(refused.value.expected)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("bid_px", 0.4, "column bid_px holds double"),
        ("bid_px", ["dear"], "column bid_px holds list<element: string>"),
        ("ask_sz", [[1.0]], "column ask_sz holds list<element: list"),
        ("token", [1], "column token holds list"),
        ("window_start_s", 0.5, "column window_start_s holds double"),
        ("recv_ms", [1], "column recv_ms holds list"),
        ("recv_ms", "late", "column recv_ms holds string"),
    ],
)
def test_columns_that_hold_something_else_are_refused_by_name(
    tmp_path: Path, column: str, value: Any, said: str
) -> None:
    with pytest.raises(DataError) as refused:
        read(tmp_path, book(1_000, 1_000, BIDS, ASKS) | {column: value})
    assert f"b.parquet: {said}" in refused.value.message
    assert refused.value.expected
    assert refused.value.hint


def test_types_that_mean_the_same_are_read(tmp_path: Path) -> None:
    (file,) = [write(tmp_path / "b.parquet", book(1_000, 1_000, BIDS, ASKS))]
    table = pq.read_table(file)
    for name, values in (
        ("window_start_s", pa.array([1_000.0])),
        ("token", pa.array(["up"]).dictionary_encode()),
        ("bid_px", pa.array([[0.4, 0.39]], pa.list_(pa.float32(), 2))),
        ("bid_sz", pa.array([[10, 5]], pa.large_list(pa.int32()))),
        ("recv_ms", pa.array([float(ERA + 1_000)])),
    ):
        table = table.set_column(table.schema.get_field_index(name), name, values)
    pq.write_table(table, file)
    other = write(tmp_path / "c.parquet", book(2_000, 2_000, BIDS, ASKS))
    columns, recording = converted(tape_fulldepth, [file, other], [coin()])
    assert told(columns, recording) == OPENED
    assert not recording.aside


def test_no_rows_are_no_defect(tmp_path: Path) -> None:
    empty = {"b": book(0, 0, BIDS, ASKS), "t": trade(0, 0, 0.4, 1.0, "buy")}
    files = []
    for name, one in empty.items():
        files.append(tmp_path / f"{name}.parquet")
        pq.write_table(pa.table({n: [v] for n, v in one.items()}).slice(0, 0), files[-1])
    for some in (files, files[:1], files[1:]):
        columns, recording = converted(tape_fulldepth, some, [coin()])
        assert not len(columns["ts"])
    assert recording.rows == {"t.parquet": 0}
    # An empty file among others is nothing.
    full = write(tmp_path / "f.parquet", book(1_000, 1_000, BIDS, ASKS))
    columns, recording = converted(tape_fulldepth, [*files, full], [coin()])
    assert told(columns, recording) == OPENED


def test_files_of_another_form_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"ts_ms": [1]}), tmp_path / "x.parquet")
    with pytest.raises(DataError, match="has the columns ts_ms"):
        converted(tape_fulldepth, [tmp_path / "x.parquet"], [coin()])
