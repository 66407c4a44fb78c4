"""Advancing books over rows, against a twin that applies rows one by one with plain ints."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.kernels import bars_nb as nb
from polyframe.kernels import exit_tables_nb
from polyframe.kernels import tables_nb as t

ONE = 10_000
DIVISOR = 10_000
UNQUOTED = 0b0111
RING = 4
NO_FLOOR = -(2**63)


@dataclass
class Row:
    ts: int
    market: int
    bid: int
    ask: int
    flag: int = 0


@dataclass
class TwinBook:
    bid: int = 0
    ask: int = 0
    ts: int = 0
    trusted: int = 0
    mark_bid: int = 0
    mark_ask: int = 0
    wake: int = 0
    wake_bid: int = 0
    wake_ask: int = 0
    mids: list[int] = field(default_factory=list)


class Twin:
    """The slow obvious way: one row after the other, equity summed anew each time."""

    def __init__(self, shares, cash, floor, step, wakes):
        self.books = [TwinBook(wake=wake) for wake in wakes]
        self.shares, self.cash, self.floor, self.step = shares, cash, floor, step
        self.last = 0
        self.samples: list[tuple[int, int]] = []
        self.equity = cash

    def marked(self) -> int:
        total = self.cash
        for m, book in enumerate(self.books):
            yes, no = self.shares[2 * m], self.shares[2 * m + 1]
            total += yes * book.mark_bid // DIVISOR
            total += no * (ONE - book.mark_ask) // DIVISOR if book.mark_ask else 0
        return total

    def run(self, rows, cursor, stop_ts):
        for at in range(cursor, len(rows)):
            row = rows[at]
            if row.ts > stop_ts:
                return at, nb.STOP_TIME, -1, 0
            if self.step and self.last and row.ts // self.step != self.last // self.step:
                self.samples.append((self.last, self.equity))
            self.last = row.ts
            woken = int(self.apply(row))
            self.equity = self.marked()
            if woken:
                book = self.books[row.market]
                book.wake_bid, book.wake_ask = book.bid, book.ask
            if self.equity <= self.floor:
                return at + 1, nb.STOP_LIMIT, row.market, woken
            if woken:
                return at + 1, nb.STOP_MOVED, row.market, woken
        return len(rows), nb.STOP_END, -1, 0

    def apply(self, row) -> bool:
        """Writes a row into its book; True when it moved so far that somebody is to be woken."""
        book = self.books[row.market]
        book.ts = row.ts
        if row.flag & UNQUOTED or row.bid + row.ask == 0:
            book.bid = book.ask = book.trusted = 0
            return False
        book.bid, book.ask, book.trusted = row.bid, row.ask, 1
        book.mark_bid = row.bid or book.mark_bid
        book.mark_ask = row.ask or book.mark_ask
        if row.bid and row.ask:
            book.mids.append(row.bid + row.ask)
        moved = max(abs(row.bid - book.wake_bid), abs(row.ask - book.wake_ask))
        return book.wake > 0 and moved >= book.wake


class Kernel:
    """The arrays that ``advance`` works on."""

    def __init__(self, rows, shares, cash, floor, step, wakes, room=10_000):
        markets = len(wakes)
        self.columns = (
            np.array([r.ts for r in rows], dtype=np.int64),
            np.array([r.market for r in rows], dtype=np.int32),
            np.array([r.bid for r in rows], dtype=np.int64),
            np.array([r.ask for r in rows], dtype=np.int64),
            np.array([r.flag for r in rows], dtype=np.uint8),
        )
        self.book = np.zeros((markets, nb.B_SIZE_OF), dtype=np.int64)
        for m in range(markets):
            self.book[m, nb.B_TOKEN], self.book[m, nb.B_TOKENS] = 2 * m, 2
            self.book[m, nb.B_ONE], self.book[m, nb.B_DIVISOR] = ONE, DIVISOR
        self.history = np.zeros((markets, RING), dtype=np.int32)
        self.wakes = np.zeros((1, markets, nb.W_SIZE_OF), dtype=np.int64)
        self.wakes[0, :, nb.W_MOVE] = wakes
        self.grid = np.zeros((markets, nb.GRID), dtype=np.int32)
        self.tokens = np.zeros((t.T_SIZE_OF, 2, 2 * markets), dtype=np.int64)
        self.tokens[t.T_SHARES] = shares
        self.value = np.zeros((2, 2 * markets), dtype=np.int64)
        self.marks = np.zeros((2, nb.E_SIZE_OF), dtype=np.int64)
        self.marks[:, nb.E_NOW], self.marks[:, nb.E_FLOOR] = cash, floor
        self.equity = self.marks[1]
        self.equity[nb.E_STEP] = step
        self.exits = (
            np.zeros((1, 2 * markets, exit_tables_nb.X_SIZE_OF), dtype=np.int64),
            np.zeros((1, exit_tables_nb.R_SIZE_OF), dtype=np.int64),
            np.zeros((1, exit_tables_nb.P_SIZE_OF), dtype=np.int64),
            np.zeros((markets, exit_tables_nb.Y_SIZE_OF), dtype=np.int64),
        )
        self.out = np.zeros(room, dtype=np.int64), np.zeros(room, dtype=np.int64)

    def run(self, cursor=0, stop_ts=2**62):
        return nb.advance(
            *self.columns, UNQUOTED, cursor, stop_ts, self.book, self.history, self.grid,
            self.wakes, self.tokens, self.value, self.marks, self.exits, *self.out,
        )  # fmt: skip

    def samples(self):
        n = self.equity[nb.E_COUNT]
        return [(int(t), int(v)) for t, v in zip(self.out[0][:n], self.out[1][:n], strict=True)]


def agree(kernel: Kernel, twin: Twin) -> None:
    assert int(kernel.equity[nb.E_NOW]) == twin.equity
    assert int(kernel.equity[nb.E_TS]) == twin.last
    assert kernel.samples() == twin.samples
    for row, book in zip(kernel.book, twin.books, strict=True):
        names = {
            nb.B_BID: "bid", nb.B_ASK: "ask", nb.B_TS: "ts", nb.B_TRUSTED: "trusted",
            nb.B_MARK_BID: "mark_bid", nb.B_MARK_ASK: "mark_ask",
        }  # fmt: skip
        assert {n: int(row[at]) for at, n in names.items()} == {
            n: getattr(book, n) for n in names.values()
        }
        assert row[nb.B_SEEN] == len(book.mids)
    marks = [(book.wake_bid, book.wake_ask) for book in twin.books]
    assert kernel.wakes[0, :, nb.W_BID :].tolist() == [list(pair) for pair in marks]
    for book, ring in zip(twin.books, kernel.history, strict=True):
        newest = book.mids[-RING:]
        start = len(book.mids) - len(newest)
        assert [int(ring[i % RING]) for i in range(start, len(book.mids))] == newest


PRICE = st.one_of(st.integers(0, ONE), st.sampled_from((0, 1, ONE)))


@st.composite
def worlds(draw):
    markets = draw(st.integers(1, 3))
    times = sorted(draw(st.lists(st.integers(1, 400), min_size=1, max_size=40)))
    rows = [
        Row(
            ts, draw(st.integers(0, markets - 1)), draw(PRICE), draw(PRICE),
            draw(st.sampled_from((0, 0, 0, 1, 4, 8, 255))),
        )
        for ts in times
    ]  # fmt: skip
    size = st.one_of(st.integers(0, 10**9), st.sampled_from((0, 10**13)))
    shares = [draw(size) for _ in range(2 * markets)]
    cash = draw(st.integers(0, 10**12))
    floor = draw(st.one_of(st.just(NO_FLOOR), st.integers(0, 2 * 10**12)))
    step = draw(st.sampled_from((0, 1, 7, 60)))
    wakes = [draw(st.sampled_from((0, 1, 100, 5_000))) for _ in range(markets)]
    return rows, shares, cash, floor, step, wakes


@given(worlds(), st.lists(st.integers(0, 500), max_size=6))
def test_the_kernel_is_its_twin_wherever_it_stops(world, stops):
    rows, *rest = world
    kernel, twin = Kernel(rows, *rest), Twin(*rest)
    cursor = 0
    for stop in [*sorted(stops), 10**9]:
        while True:
            found = kernel.run(cursor, stop)
            assert tuple(found) == twin.run(rows, cursor, stop)
            agree(kernel, twin)
            cursor = found[0]
            if found[1] in (nb.STOP_TIME, nb.STOP_END):
                break
    assert cursor == len(rows)


@given(worlds())
def test_visiting_every_row_gives_the_same_books_and_equity_as_skipping(world):
    rows, shares, cash, _, step, wakes = world
    whole = Kernel(rows, shares, cash, NO_FLOOR, step, [0] * len(wakes))
    whole.run()
    single = Kernel(rows, shares, cash, NO_FLOOR, step, [0] * len(wakes))
    for at in range(len(rows)):
        columns = single.columns
        single.columns = tuple(column[: at + 1] for column in columns)
        assert single.run(at)[0] == at + 1
        single.columns = columns
    assert (whole.book == single.book).all()
    assert (whole.equity == single.equity).all()
    assert whole.samples() == single.samples()


def test_no_shares_are_marked_at_one_minus_the_ask():
    kernel = Kernel([Row(1, 0, 4_000, 4_200)], [0, 10_000_000], 0, NO_FLOOR, 0, [0])
    kernel.run()
    assert kernel.equity[nb.E_NOW] == 5_800_000


@pytest.mark.parametrize(
    ("shares", "outcome", "bid", "ask", "worth"),
    [
        (0, 0, 5_000, 5_100, 0),
        (10, 0, 5_000, 0, 50_000),
        (10, 0, 0, 5_100, 0),
        (10, 1, 0, 5_100, 49_000),
        (10, 1, 5_000, 0, 0),
        (10**13, 0, ONE, 0, 10**17),
    ],
)
def test_a_mark_is_what_the_other_side_pays(shares, outcome, bid, ask, worth):
    assert nb.mark(shares, outcome, bid, ask, ONE) == worth


def test_an_unquoted_row_empties_the_book_but_keeps_the_mark():
    rows = [Row(1, 0, 6_000, 6_200), Row(2, 0, 5_000, 5_000, flag=1), Row(3, 0, 0, 0)]
    kernel = Kernel(rows, [1_000_000, 0], 0, NO_FLOOR, 0, [100])
    assert kernel.run(0, 1) == (1, nb.STOP_MOVED, 0, 1)
    assert kernel.run(1) == (3, nb.STOP_END, -1, 0)
    book = kernel.book[0]
    assert (book[nb.B_BID], book[nb.B_ASK], book[nb.B_TRUSTED]) == (0, 0, 0)
    assert (book[nb.B_MARK_BID], book[nb.B_MARK_ASK]) == (6_000, 6_200)
    assert kernel.equity[nb.E_NOW] == 600_000
    assert book[nb.B_SEEN] == 1
    assert book[nb.B_TS] == 3


def test_movement_is_counted_from_the_last_wake_not_from_the_last_row():
    bids = (5_000, 5_040, 5_080, 5_100, 5_150, 5_000)
    rows = [Row(i + 1, 0, bid, bid + 100) for i, bid in enumerate(bids)]
    kernel = Kernel(rows, [0, 0], 0, NO_FLOOR, 0, [100])
    wakes, cursor, why = [], 0, nb.STOP_MOVED
    while why != nb.STOP_END:
        cursor, why, _, _ = kernel.run(cursor)
        wakes.append(cursor - 1)
    assert wakes[:-1] == [0, 3, 5]


def test_the_floor_wakes_at_the_first_row_on_it():
    rows = [Row(i + 1, 0, bid, bid + 100) for i, bid in enumerate((5_000, 4_001, 4_000, 3_000))]
    for floor, row in ((4_000_000, 2), (3_999_999, 3), (5_000_000, 0)):
        kernel = Kernel(rows, [10_000_000, 0], 0, floor, 0, [0])
        assert kernel.run() == (row + 1, nb.STOP_LIMIT, 0, 0)


def test_a_limit_and_a_movement_on_one_row_are_told_together():
    kernel = Kernel([Row(1, 0, 100, 200)], [10**6, 0], 0, 10**6, 0, [1])
    assert kernel.run() == (1, nb.STOP_LIMIT, 0, 1)


def test_each_strategy_counts_from_its_own_last_wake():
    bids = (5_000, 5_100, 5_200, 5_300, 5_400, 5_500)
    rows = [Row(i + 1, 0, bid, bid + 100) for i, bid in enumerate(bids)]
    kernel = Kernel(rows, [0, 0], 0, NO_FLOOR, 0, [0])
    kernel.wakes = np.zeros((3, 1, nb.W_SIZE_OF), dtype=np.int64)
    kernel.wakes[:, 0, nb.W_MOVE] = (200, 0, 300)
    woken, cursor, why = {}, 0, nb.STOP_MOVED
    while why != nb.STOP_END:
        cursor, why, _, bits = kernel.run(cursor)
        woken[cursor - 1] = bits
    assert woken == {0: 0b101, 2: 0b001, 3: 0b100, 4: 0b001, 5: 0}


def test_equity_is_sampled_at_the_last_row_of_every_step():
    rows = [
        Row(ts, 0, bid, 9_999) for ts, bid in ((5, 1_000), (9, 2_000), (10, 3_000), (31, 4_000))
    ]
    kernel = Kernel(rows, [10_000, 0], 0, NO_FLOOR, 10, [0])
    kernel.run()
    assert kernel.samples() == [(9, 2_000), (10, 3_000)]


def test_no_more_samples_are_kept_than_there_is_room_for():
    rows = [Row(ts, 0, 1, 2) for ts in range(1, 20)]
    kernel = Kernel(rows, [0, 0], 7, NO_FLOOR, 1, [0], room=3)
    kernel.run()
    assert kernel.samples() == [(1, 7), (2, 7), (3, 7)]


@given(
    st.lists(st.tuples(st.integers(0, 10**13), PRICE, PRICE), min_size=1, max_size=4),
    st.lists(st.tuples(PRICE, PRICE), max_size=5),
)
def test_revalue_returns_by_how_much_the_value_changed(holdings, moves):
    shares = np.array([n for held, _, _ in holdings for n in (held, held // 3)], dtype=np.int64)
    value = np.zeros_like(shares)
    book = Kernel([], shares, 0, NO_FLOOR, 0, [0] * len(holdings)).book
    for m, (_, bid, ask) in enumerate(holdings):
        for at, price in ((nb.B_MARK_BID, bid), (nb.B_MARK_ASK, ask)):
            book[m, at] = price
        total = value.sum()
        assert nb.revalue(book, m, shares, value) == value.sum() - total
    for bid, ask in moves:
        book[0, nb.B_MARK_BID], book[0, nb.B_MARK_ASK] = bid, ask
        nb.revalue(book, 0, shares, value)
        held = int(shares[0]), int(shares[1])
        assert value[0] == held[0] * bid // DIVISOR
        assert value[1] == (held[1] * (ONE - ask) // DIVISOR if ask else 0)
    assert nb.revalue(book, 0, shares, value) == 0


@given(PRICE, PRICE, st.booleans(), st.integers(0, 9))
def test_set_quote_keeps_history_and_marks_for_trustworthy_quotes_only(bid, ask, trusted, seen):
    book = np.zeros((1, nb.B_SIZE_OF), dtype=np.int64)
    history = np.zeros((1, RING), dtype=np.int32)
    book[0, nb.B_SEEN] = seen
    book[0, nb.B_MARK_BID] = book[0, nb.B_MARK_ASK] = 77
    grid = np.zeros((1, nb.GRID), dtype=np.int32)
    nb.set_quote(book, history, grid, 0, 5, bid, ask, int(trusted))
    row = [int(n) for n in book[0]]
    assert (row[nb.B_BID], row[nb.B_ASK], row[nb.B_TS]) == (bid, ask, 5)
    assert row[nb.B_MARK_BID] == (bid if trusted and bid else 77)
    assert row[nb.B_MARK_ASK] == (ask if trusted and ask else 77)
    kept = trusted and bid > 0 and ask > 0
    assert row[nb.B_SEEN] == seen + kept
    assert history[0, seen % RING] == (bid + ask if kept else 0)
