"""Binance streams as rows of a tape."""

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
from recording_cases import ERA_NS, SECOND, aside, converted, rebuilt, told

from polyframe.errors import DataError
from polyframe.store import tape_binance
from polyframe.store.tape_rows import TapeKind
from polyframe.store.tape_symbols import Symbol

MARKET = Symbol("0.5", "0.001", 1, 6).market("BTCUSDT")


def depth(recv: int, id: int, *levels: tuple[int, float, float], snapshot: int = 0, **ids: int):
    """The rows of one message: sides, prices and sizes. Known 1 s after it happened."""
    return [
        {
            "recv_ns": ERA_NS + recv * SECOND,
            "exch_ns": ERA_NS + (recv - 1) * SECOND,
            "update_id": id,
            "side": side,
            "price": price,
            "qty": qty,
            "is_snapshot": snapshot,
            **ids,
        }
        for side, price, qty in levels
    ]


def trade(recv: int, id: int, price: float = 100.0, qty: float = 1.0, aggressor: int = 1):
    return {
        "recv_ns": ERA_NS + recv * SECOND,
        "exch_ns": ERA_NS + recv * SECOND,
        "trade_id": id,
        "price": price,
        "qty": qty,
        "aggressor": aggressor,
    }


def ticker(recv: int, id: int, bid: float, ask: float):
    return {
        "recv_ns": ERA_NS + recv * SECOND,
        "exch_ns": ERA_NS + recv * SECOND,
        "update_id": id,
        "bid": bid,
        "bid_qty": 1.0,
        "ask": ask,
        "ask_qty": 2.0,
    }


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.table({name: [r[name] for r in rows] for name in rows[0]}), path)
    return path


def read(tmp_path: Path, *messages: list[dict[str, Any]], **kw: Any):
    rows = [row for message in messages for row in message]
    files = [write(tmp_path / "d.parquet", rows)]
    return converted(tape_binance, files, [], MARKET, **kw)


SNAP = depth(10, 100, (1, 99.5, 3.0), (-1, 100.0, 2.0), snapshot=1)
OPENED = ["SNAPSHOT_BEGIN 2+", "LEVEL bid 995 3+", "LEVEL ask 1000 2+", "SNAPSHOT_END 2"]


def test_a_snapshot_and_its_updates(tmp_path: Path) -> None:
    columns, recording = read(
        tmp_path,
        SNAP,
        depth(11, 101, (1, 99.5, 0.0), (1, 99.0, 4.0)),
        depth(12, 103, (-1, 101.0, 1.0)),
    )
    assert told(columns, recording) == [
        *OPENED,
        "LEVEL bid 995 0+",
        "LEVEL bid 990 4",
        "LEVEL ask 1010 1",
    ]
    assert columns["ts_venue"].tolist()[-1] == ERA_NS + 11 * SECOND
    assert recording.notes[tape_binance.UNPROVED] == 2


def test_updates_older_than_the_snapshot_are_dropped_and_newer_ones_told_again(tmp_path) -> None:
    columns, recording = read(
        tmp_path,
        depth(8, 99, (1, 98.0, 9.0)),
        depth(9, 101, (1, 98.5, 1.0)),
        SNAP,
        depth(11, 100, (1, 98.0, 8.0)),
        depth(12, 102, (1, 99.0, 4.0)),
    )
    assert told(columns, recording) == [
        "LEVEL bid 980 9",
        "LEVEL bid 985 1",
        *OPENED[:-1],
        "SNAPSHOT_END 2+",
        "LEVEL bid 985 1",
        "LEVEL bid 990 4",
    ]
    assert recording.notes[tape_binance.STALE] == 1
    last = list(rebuilt(columns))[-1]
    assert last.trusted
    assert last.bids == {995: 3_000_000, 985: 1_000_000, 990: 4_000_000}


@pytest.mark.parametrize(
    ("ids", "breaks"),
    [
        (({"prev_update_id": 100}, {"prev_update_id": 101}), []),
        (({"prev_update_id": 90}, {"prev_update_id": 101}), []),
        (({"prev_update_id": 100}, {"prev_update_id": 102}), [12]),
        (({"prev_update_id": 101}, {"prev_update_id": 101}), [11]),
        (({"first_update_id": 101}, {"first_update_id": 102}), []),
        (({"first_update_id": 95}, {"first_update_id": 102}), []),
        (({"first_update_id": 101}, {"first_update_id": 103}), [12]),
        (({"first_update_id": 102}, {"first_update_id": 102}), [11]),
    ],
)
def test_the_sequence_is_proved_where_it_is_recorded(tmp_path: Path, ids, breaks) -> None:
    name = next(iter(ids[0]))
    snap = [row | {name: 0} for row in SNAP]
    columns, recording = read(
        tmp_path,
        snap,
        depth(11, 101, (1, 99.0, 1.0), **ids[0]),
        depth(12, 103, (1, 98.0, 1.0), **ids[1]),
    )
    clears = (columns["ts"][columns["kind"] == 9] - ERA_NS) // SECOND
    assert clears.tolist() == breaks
    assert recording.clears.get("sequence break", 0) == len(breaks)
    assert [b.trusted for b in rebuilt(columns)][-1] is not bool(breaks)


def test_a_dropped_update_is_a_link_of_the_chain(tmp_path: Path) -> None:
    rows = [
        depth(11, 98, (1, 99.0, 1.0), prev_update_id=97),
        depth(11, 100, (1, 99.0, 1.0), prev_update_id=98),
        depth(12, 101, (1, 98.0, 1.0), prev_update_id=100),
    ]
    columns, recording = read(tmp_path, [row | {"prev_update_id": 0} for row in SNAP], *rows)
    assert not recording.clears
    assert told(columns, recording) == [*OPENED, "LEVEL bid 980 1"]


def test_updates_out_of_order_or_twice(tmp_path: Path) -> None:
    columns, recording = read(
        tmp_path,
        SNAP,
        depth(11, 103, (1, 99.0, 1.0)),
        depth(12, 103, (1, 99.0, 1.0)),
        depth(13, 102, (1, 98.0, 1.0)),
        depth(14, 104, (1, 97.0, 1.0)),
    )
    assert told(columns, recording) == [
        *OPENED,
        "LEVEL bid 990 1",
        "CLEAR sequence break",
        "LEVEL bid 970 1",
    ]
    assert aside(recording) == [
        ("d.parquet", 4, "update a second time"),
        ("d.parquet", 5, "update older than the one before it"),
    ]


@pytest.mark.parametrize(
    ("level", "why"),
    [
        ((1, 99.25, 1.0), "too many decimals"),
        ((1, 99.2, 1.0), "price off the tick"),
        ((1, 99.5, -1.0), "impossible amount"),
        ((1, math.nan, 1.0), "impossible amount"),
        ((1, 0.0, 1.0), "price off the tick"),
        ((0, 99.5, 1.0), "unknown side"),
        ((1, 99.5, 0.0000001), "too many decimals"),
    ],
)
def test_what_cannot_be_is_set_aside_and_ends_the_trust(tmp_path: Path, level, why: str) -> None:
    columns, recording = read(tmp_path, SNAP, depth(11, 101, level, (1, 98.0, 1.0)))
    assert told(columns, recording) == [*OPENED, "LEVEL bid 980 1+", f"CLEAR {why}"]
    assert aside(recording) == [("d.parquet", 3, why)]
    # Behind a snapshot that the bad update is newer than, its level is missing as well.
    columns, recording = read(tmp_path, depth(9, 101, level), SNAP)
    assert told(columns, recording)[-1] == f"CLEAR {why}"
    assert not list(rebuilt(columns))[-1].trusted


def test_crossed_books_gaps_and_no_snapshot(tmp_path: Path) -> None:
    columns, recording = read(
        tmp_path,
        SNAP,
        depth(11, 101, (1, 100.0, 1.0)),
        depth(12, 102, (1, 100.0, 0.0)),
        [row | {"recv_ns": ERA_NS + 20 * SECOND, "update_id": 110} for row in SNAP],
    )
    assert told(columns, recording) == [
        *OPENED,
        "LEVEL bid 1000 1+",
        "CLEAR crossed book",
        "LEVEL bid 1000 0",
        "CLEAR gap",
        *OPENED,
    ]
    assert columns["ts"][7] == ERA_NS + 17 * SECOND
    columns, recording = read(tmp_path, depth(11, 101, (1, 100.0, 1.0)))
    assert recording.notes[tape_binance.NO_SNAPSHOT] == 1
    assert not any(b.trusted for b in rebuilt(columns))


def test_trades_and_best_prices(tmp_path: Path) -> None:
    trades = write(
        tmp_path / "t.parquet",
        [
            trade(11, 5),
            trade(11, 5),
            trade(12, 8, 99.5, 2.0, -1),
            trade(12, 9, 99.5, 0.0),
            trade(12, 10, -1.0),
            trade(12, 11, aggressor=0),
            trade(12, 12, 0.0),
            trade(12, 13, 99.55),
        ],
    )
    best = write(
        tmp_path / "b.parquet",
        [
            ticker(11, 100, 99.5, 100.0),
            ticker(12, 99, 99.0, 100.0),
            ticker(13, 101, math.nan, 100.0),
        ],
    )
    columns, recording = converted(tape_binance, [trades, best], [], MARKET)
    assert told(columns, recording) == [
        "TRADE buy 1000 1",
        "QUOTE_BID 995 1000000+",
        "QUOTE_ASK 1000 2000000",
        "TRADE sell 995 2",
    ]
    assert recording.notes[tape_binance.MISSING] == 2
    assert sorted(aside(recording)) == [
        ("b.parquet", 2, "best prices: update older than the one before it"),
        ("b.parquet", 3, "best prices: impossible amount"),
        ("t.parquet", 2, "trade id a second time"),
        ("t.parquet", 4, "trade: impossible amount"),
        ("t.parquet", 5, "trade: impossible amount"),
        ("t.parquet", 6, "trade: unknown side"),
        ("t.parquet", 7, "trade: price off the tick"),
        ("t.parquet", 8, "trade: too many decimals"),
    ]


def test_a_clock_that_goes_back_and_other_files(tmp_path: Path) -> None:
    columns, recording = read(tmp_path, SNAP, depth(9, 101, (1, 99.0, 1.0)))
    assert columns["ts"].tolist() == [ERA_NS + 10 * SECOND] * 5
    assert any("clock" in note for note in recording.notes)
    pq.write_table(pa.table({"ts": [1]}), tmp_path / "x.parquet")
    with pytest.raises(DataError, match="has the columns ts"):
        converted(tape_binance, [tmp_path / "x.parquet"], [], MARKET)


def test_depth_that_ends_while_trades_go_on(tmp_path: Path) -> None:
    rows = [*SNAP, *depth(11, 101, (1, 99.0, 1.0))]
    for name, others in (
        ("t.parquet", [trade(second, second) for second in (12, 30)]),
        ("b.parquet", [ticker(second, second, 99.5, 100.0) for second in (12, 30)]),
    ):
        files = [write(tmp_path / "d.parquet", rows), write(tmp_path / name, others)]
        columns, recording = converted(tape_binance, files, [], MARKET)
        (at,) = columns["ts"][columns["kind"] == TapeKind.CLEAR]
        assert at == ERA_NS + 16 * SECOND
        assert recording.clears == {"gap": 1}
        assert not list(rebuilt(columns))[-1].trusted
        assert not converted(tape_binance, files, [], MARKET, silence=19 * SECOND)[1].clears
    columns, recording = converted(tape_binance, files[:1], [], MARKET)
    assert not recording.clears


def test_rows_without_a_time(tmp_path: Path) -> None:
    none = None
    lost = [row | {"recv_ns": none} for row in depth(11, 101, (1, 99.0, 1.0))]
    columns, recording = read(tmp_path, SNAP, lost, depth(12, 102, (1, 98.0, 1.0)))
    assert told(columns, recording) == [*OPENED, "CLEAR no time", "LEVEL bid 980 1"]
    assert columns["ts"][4] == ERA_NS + 10 * SECOND
    assert aside(recording) == [("d.parquet", 3, "no time")]
    columns, recording = read(tmp_path, lost, SNAP)  # nobody knows of which book it was
    assert aside(recording) == [("d.parquet", 1, "no time")]
    columns, recording = read(tmp_path, lost)
    assert not len(columns["ts"])
    both = depth(11, 101, (1, 99.0, 1.0), (1, 98.0, 1.0))
    columns, recording = read(tmp_path, SNAP, [both[0] | {"recv_ns": none}, both[1]])
    assert told(columns, recording) == [*OPENED, "LEVEL bid 980 1+", "CLEAR no time"]
    assert aside(recording) == [("d.parquet", 3, "no time")]
    file = write(tmp_path / "t.parquet", [trade(11, 1), trade(12, 2) | {"recv_ns": none}])
    columns, recording = converted(tape_binance, [file], [], MARKET)
    assert told(columns, recording) == ["TRADE buy 1000 1"]
    assert aside(recording) == [("t.parquet", 2, "trade: no time")]
    # The venue need not tell its time.
    columns, recording = read(tmp_path, [row | {"exch_ns": none} for row in SNAP])
    assert told(columns, recording) == OPENED
    assert not columns["ts_venue"].any()


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("recv_ns", ERA_NS // 1_000_000, "recv_ns of row 3 is 1785000000000: as nanoseconds"),
        ("exch_ns", ERA_NS // 1_000, "exch_ns of row 3 is 1785000000000000: as nanoseconds"),
        ("recv_ns", -1, "recv_ns of row 3 is -1: as nanoseconds"),
    ],
)
def test_times_in_another_unit_are_refused(tmp_path: Path, column, value, said: str) -> None:
    with pytest.raises(DataError) as refused:
        read(tmp_path, SNAP, [row | {column: value} for row in depth(11, 101, (1, 99.0, 1.0))])
    assert f"d.parquet: {said}" in refused.value.message
    assert "from 2010 to 2100" in str(refused.value.expected)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("update_id", None, "column update_id holds nothing in row 2"),
        ("update_id", 1.5, "column update_id holds double"),
        ("update_id", "first", "column update_id holds string"),
        ("side", [1], "column side holds list"),
        ("price", "dear", "column price holds string"),
        ("qty", True, "column qty holds bool"),
        ("is_snapshot", "yes", "column is_snapshot holds string"),
    ],
)
def test_columns_that_hold_something_else_are_refused_by_name(
    tmp_path: Path, column: str, value: Any, said: str
) -> None:
    rows = [row | {column: value} for row in SNAP]
    rows[0] = rows[0] if value is not None else SNAP[0]
    with pytest.raises(DataError) as refused:
        read(tmp_path, rows)
    assert f"d.parquet: {said}" in refused.value.message
    assert refused.value.expected
    assert refused.value.hint


def test_types_that_mean_the_same_are_read(tmp_path: Path) -> None:
    flags = [row | {"is_snapshot": True, "update_id": 100.0, "price": str(row["price"])}
             for row in SNAP]  # fmt: skip
    assert told(*read(tmp_path, flags)) == OPENED
    # A snapshot has no update before it, an update need not say that it is none.
    rows = [[row | {"prev_update_id": None} for row in SNAP]]
    rows += [[row | {"is_snapshot": None, "prev_update_id": 100}
              for row in depth(11, 101, (1, 99.0, 1.0))]]  # fmt: skip
    columns, recording = read(tmp_path, *rows)
    assert told(columns, recording) == [*OPENED, "LEVEL bid 990 1"]
    assert not recording.clears


def test_no_rows_are_no_defect(tmp_path: Path) -> None:
    for rows in (SNAP, [trade(1, 1)], [ticker(1, 1, 1.0, 2.0)]):
        file = write(tmp_path / "x.parquet", rows)
        pq.write_table(pq.read_table(file).slice(0, 0), file)
        columns, _ = converted(tape_binance, [file], [], MARKET)
        assert not len(columns["ts"])


LEVEL = st.tuples(
    st.sampled_from([1, -1]),
    st.integers(1, 12).map(lambda n: n * 0.5),
    st.sampled_from([0.0, 1.0, 2.5]),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 2), st.lists(LEVEL, min_size=1, max_size=4)),
        min_size=1,
        max_size=25,
    )
)
def test_the_tape_is_the_book_that_the_rules_of_the_venue_give(tmp_path_factory, events) -> None:
    """Against a replay by hand: buffer, snapshot, drop what is older, apply the rest."""
    rows, sent, id = [], [], 100
    for at, (snapshot, age, drawn) in enumerate(events):
        levels = list({(side, price): (side, price, size) for side, price, size in drawn}.values())
        id += 1
        # A snapshot may be older than updates that came before it.
        own = id - 1 - age if snapshot else id
        rows += depth(10 + at, own, *levels, snapshot=int(snapshot))
        sent.append((snapshot, own, levels))
    files = [write(tmp_path_factory.mktemp("b") / "d.parquet", rows)]
    columns, _ = converted(tape_binance, files, [], MARKET)
    seen = list(rebuilt(columns))
    books: dict[int, dict[int, int]] = {1: {}, -1: {}}
    whole, updates, last = False, [], 0
    for at, (snapshot, own, levels) in enumerate(sent):
        applied = [levels]
        if snapshot:
            books, whole, last = {1: {}, -1: {}}, True, own
            applied += [told for number, told in updates if number > own]
        else:
            updates.append((own, levels))
            if whole and own <= last:
                applied = []
        for side, price, size in (level for message in applied for level in message):
            books[side].pop(round(price * 10), None)
            if size:
                books[side][round(price * 10)] = round(size * 1e6)
        if books[1] and books[-1] and max(books[1]) >= min(books[-1]) and whole:
            whole = False
        if not whole:
            books = {1: {}, -1: {}}
        now = [b for b in seen if b.ts <= ERA_NS + (10 + at) * SECOND]
        assert bool(now and now[-1].trusted) == whole
        if whole:
            assert (now[-1].bids, now[-1].asks) == (books[1], books[-1])
    assert np.all(np.diff(columns["ts"]) >= 0)
