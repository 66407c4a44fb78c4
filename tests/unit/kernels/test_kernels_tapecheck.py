"""The look through a tape against one row at a time with dictionaries."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from polyframe.kernels import tapecheck_nb as nb
from polyframe.store.tape_rows import COLUMNS, TapeKind
from polyframe.store.tape_scan import scan_rows

KINDS = [
    TapeKind.LEVEL, TapeKind.LEVEL, TapeKind.LEVEL, TapeKind.TRADE, TapeKind.QUOTE_BID,
    TapeKind.QUOTE_ASK, TapeKind.SNAPSHOT_BEGIN, TapeKind.SNAPSHOT_END, TapeKind.CLEAR,
    TapeKind.TICK,
]  # fmt: skip
ROW = st.tuples(
    st.integers(0, 5),  # ts after the row before
    st.integers(-3, 3),  # venue time from ts; 3 says nothing
    st.sampled_from(KINDS),
    st.sampled_from([1, -1]),
    st.sampled_from([0, 10, 20, 25, 30, 50, 100]),
    st.sampled_from([0, 0, 5, 7]),
    st.sampled_from([0, 0, 0, 128]),
    st.integers(0, 3),
)


def columns_of(rows: list[tuple[int, ...]]) -> dict[str, np.ndarray]:
    ts = 1_000
    made: dict[str, list[int]] = {name: [] for name in COLUMNS}
    for step, venue, kind, side, price, size, flag, aux in rows:
        ts += step
        at = max(price, 10) if kind == TapeKind.TICK else price
        happened = 0 if venue == 3 else ts + venue
        values = (ts, happened, at, size, aux, 0, int(kind), side, flag)
        for name, value in zip(COLUMNS, values, strict=True):
            made[name].append(value)
    return {name: np.array(made[name], dtype) for name, dtype in COLUMNS.items()}


WHOLE = [
    (0, 3, TapeKind.SNAPSHOT_BEGIN, 1, 0, 0, 0, 0),
    (0, 3, TapeKind.SNAPSHOT_END, 1, 0, 0, 0, 0),
]
"""An empty book that is whole."""


class Slow:
    """The same questions, asked of dictionaries."""

    def __init__(self, tick: int) -> None:
        self.tick = tick
        self.levels: dict[int, dict[int, int]] = {1: {}, -1: {}}
        self.whole = self.inside = self.was_crossed = False
        self.promised = self.found = 0
        self.clock: dict[str, int] = {}
        self.bid = 0
        self.last: int | None = None
        self.tally = dict.fromkeys(
            ("crossed", "negative", "back", "ahead", "untrusted", "snapshots", "broken", "clears",
             "trades", "empty", "levels"), 0,
        )  # fmt: skip
        self.marks: list[int] = []

    def forget(self) -> None:
        self.levels = {1: {}, -1: {}}
        self.whole = False

    def row(self, at: int, row: dict[str, int]) -> None:
        kind, tally = row["kind"], self.tally
        if self.last is not None and not self.whole:
            tally["untrusted"] += row["ts"] - self.last
        self.last = row["ts"]
        self.times(row)
        if kind == TapeKind.LEVEL:
            tally["levels"] += 1
            self.found += 1
            self.levels[row["side"]].pop(row["price"], None)
            if row["size"]:
                self.levels[row["side"]][row["price"]] = row["size"]
        elif kind == TapeKind.SNAPSHOT_BEGIN:
            tally["broken"] += self.inside
            self.forget()
            self.inside, self.found, self.promised = True, 0, row["aux"]
        elif kind == TapeKind.SNAPSHOT_END:
            if self.inside and self.found == self.promised == row["aux"]:
                self.whole, self.was_crossed = True, False
                tally["snapshots"] += 1
                tally["empty"] += not (self.levels[1] or self.levels[-1])
            else:
                tally["broken"] += 1
            self.inside = False
            self.clock.pop("book", None)
        elif kind == TapeKind.CLEAR or (kind == TapeKind.TICK and self.tick % row["price"]):
            tally["clears"] += 1
            self.forget()
            self.inside = False
        elif kind == TapeKind.TRADE:
            tally["trades"] += 1
        elif kind == TapeKind.QUOTE_BID:
            self.bid = row["price"]
        elif kind == TapeKind.QUOTE_ASK and 0 < row["price"] < self.bid:
            tally["negative"] += 1
        if kind == TapeKind.TICK:
            self.tick = row["price"]
        if not row["flag"] & 128:
            bid, ask = max(self.levels[1], default=None), min(self.levels[-1], default=None)
            crossed = self.whole and bid is not None and ask is not None and bid >= ask
            tally["crossed"] += crossed
            if crossed and not self.was_crossed:
                self.marks.append(at)
            self.was_crossed |= crossed

    def times(self, row: dict[str, int]) -> None:
        venue = row["ts_venue"]
        if not venue:
            return
        self.tally["ahead"] += venue > row["ts"]
        names = {TapeKind.LEVEL: "book", TapeKind.TRADE: "trade", TapeKind.QUOTE_BID: "quote",
                 TapeKind.QUOTE_ASK: "quote"}  # fmt: skip
        name = names.get(TapeKind(row["kind"]))
        if name is None or self.inside:
            return
        before = self.clock.get(name, 0)
        self.tally["back"] += venue < before
        self.clock[name] = max(before, venue)


PLACES = {
    "crossed": nb.T_CROSSED, "negative": nb.T_NEGATIVE, "back": nb.T_BACK, "ahead": nb.T_AHEAD,
    "untrusted": nb.T_UNTRUSTED, "snapshots": nb.T_SNAPSHOTS, "broken": nb.T_BROKEN,
    "clears": nb.T_CLEARS, "trades": nb.T_TRADES, "empty": nb.T_EMPTY, "levels": nb.T_LEVELS,
}  # fmt: skip


@settings(max_examples=400)
@given(rows=st.lists(ROW, min_size=1, max_size=60), begun=st.booleans())
def test_a_tape_is_judged_as_by_hand(rows, begun) -> None:
    rows = [*WHOLE, *rows] if begun else rows
    # A level has a price: the rows' rules are the writer's affair.
    rows = [
        (*row[:4], max(row[4], 10), *row[5:]) if row[2] == TapeKind.LEVEL else row for row in rows
    ]
    columns = columns_of(rows)
    slow = Slow(100)
    for at in range(len(rows)):
        slow.row(at, {name: int(values[at]) for name, values in columns.items()})
    fast = scan_rows(columns, None, 100)
    assert {name: int(fast.tally[place]) for name, place in PLACES.items()} == slow.tally
    assert fast.crossed.tolist() == slow.marks
    assert fast.whole == slow.whole


def test_calls_follow_one_another(monkeypatch) -> None:
    rng = np.random.default_rng(3)
    kinds = [k for k in KINDS[:9] if k != TapeKind.CLEAR]
    rows = [
        (int(rng.integers(0, 4)), int(rng.integers(-3, 3)), kinds[int(rng.integers(0, 8))],
         int(rng.choice([1, -1])), int(rng.integers(1, 90)), int(rng.integers(0, 3)),
         int(rng.choice([0, 128])), int(rng.integers(0, 2)))
        for _ in range(898)
    ]  # fmt: skip
    columns = columns_of([*WHOLE, *rows])
    whole = scan_rows(columns, None, 1)
    monkeypatch.setattr("polyframe.store.tape_scan.CHUNK", 7)
    parts = scan_rows(columns, None, 1)
    assert parts.tally.tolist() == whole.tally.tolist()
    assert parts.crossed.tolist() == whole.crossed.tolist()
    assert whole.tally[nb.T_CROSSED] > 10
    mixed = scan_rows(columns, np.arange(0, 900, 2), 1)
    alone = scan_rows({n: v[::2] for n, v in columns.items()}, None, 1)
    assert mixed.tally.tolist() == alone.tally.tolist()
    assert (mixed.crossed // 2).tolist() == alone.crossed.tolist()
