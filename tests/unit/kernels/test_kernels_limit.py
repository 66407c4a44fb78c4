"""The book of single orders against its slow twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limit_twin import ONE, SlowBook

from polyframe.errors import InvariantError
from polyframe.exchanges.sim.orderbook import OrderBook
from polyframe.kernels import limit_nb as nb
from polyframe.quant.rewards import reward_points

SHARE = 1_000_000
PRICES = st.one_of(
    st.integers(1, ONE - 1), st.sampled_from((1, 63, 64, 65, 127, 128, 4999, 5000, 5001, 9999))
)
NEAR = st.integers(4_990, 5_010)
SIZES = st.integers(1, 40 * SHARE)
SIDES = st.sampled_from((1, -1))
ACTS = st.lists(
    st.one_of(
        st.tuples(
            st.just("order"),
            SIDES,
            NEAR | PRICES,
            SIZES,
            st.one_of(st.none(), st.integers(1, 30 * SHARE)),
            SIDES,
        ),
        st.tuples(st.just("cancel"), st.integers(0, 60)),
        st.tuples(st.just("reduce"), st.integers(0, 60), SIZES),
    ),
    max_size=50,
)


class Both:
    """The book and its twin, which get the same orders."""

    def __init__(self) -> None:
        self.fast, self.slow = OrderBook(), SlowBook()
        self.slots: dict[int, int] = {}
        self.made = 0

    def order(self, side: int, price: int, size: int, budget: int | None, unit: int) -> None:
        """Matches an order and rests what is left, unless it was to spend money."""
        fills = self.fast.match(
            side, price, size, budget=-1 if budget is None else budget, unit=unit
        )
        names = {slot: name for name, slot in self.slots.items()}
        told = [(names[f.slot], f.price, f.size, f.money) for f in fills]
        assert told == self.slow.match(side, price, size, budget, unit)
        self.fast.take(fills)
        self.slow.take(told)
        self._forget()
        left = size - sum(f.size for f in fills)
        if left and budget is None:
            self.made += 1
            self.slots[self.made] = self.fast.place(side, price, left, at=self.made)
            self.slow.place(self.made, side, price, left, self.made)

    def cancel(self, index: int) -> None:
        if self.slots:
            name = sorted(self.slots)[index % len(self.slots)]
            (order,) = [o for o in self.slow.orders if o.name == name]
            assert self.fast.cancel(self.slots[name]) == order.left
            self.slow.reduce(name, order.left)
            self._forget()

    def reduce(self, index: int, size: int) -> None:
        if self.slots:
            name = sorted(self.slots)[index % len(self.slots)]
            self.slow.reduce(name, size)
            left = self.fast.reduce(self.slots[name], size)
            assert left == sum(o.left for o in self.slow.orders if o.name == name)
            self._forget()

    def _forget(self) -> None:
        open_ = {order.name for order in self.slow.orders}
        self.slots = {name: slot for name, slot in self.slots.items() if name in open_}

    def compare(self) -> None:
        fast, slow = self.fast, self.slow
        assert (fast.bid, fast.ask) == (slow.best(1), slow.best(-1))
        assert fast.count == len(slow.orders)
        for side in (1, -1):
            assert fast.levels(side) == slow.levels(side)
            assert fast.levels(side, 2) == slow.levels(side)[:2]
        for order in slow.orders:
            assert fast.open(self.slots[order.name]) == order.left
            assert (
                fast.size_at(order.side, order.price) == dict(slow.levels(order.side))[order.price]
            )
            assert fast.size_at(-order.side, order.price) == 0


@given(ACTS)
def test_any_sequence_leaves_the_same_book_and_the_same_fills(acts) -> None:
    both = Both()
    for name, *rest in acts:
        getattr(both, name)(*rest)
        both.compare()


@given(ACTS, st.integers(1, 300), st.integers(1, 10 * SHARE), st.integers(0, 20))
def test_orders_score_as_in_the_twin_and_in_the_venue_s_formula(acts, spread, least, before):
    both = Both()
    for name, *rest in acts:
        getattr(both, name)(*rest)
    names = {slot: name for name, slot in both.slots.items()}
    found = {names[slot]: (p, side) for slot, p, side in both.fast.scores(spread, least, before)}
    want = {name: (float(p), s) for name, p, s in both.slow.scores(spread, least, before)}
    assert found.keys() == want.keys()
    for name, (points, side) in want.items():
        assert found[name][0] == pytest.approx(points, rel=1e-12)
        assert found[name][1] == side
    if before >= both.made and found:
        middle = both.fast.middle(least)
        sides = [
            [(o.price / ONE, o.left / SHARE) for o in both.slow.of(side) if o.left >= least]
            for side in (1, -1)
        ]
        want_points = reward_points(middle / 2 / ONE, spread / ONE, least / SHARE, *sides)
        got = [sum(p for p, s in found.values() if s == side) / SHARE for side in (1, -1)]
        assert got == pytest.approx([want_points.one, want_points.two], abs=1e-9)


@given(st.sets(st.integers(1, ONE - 1), max_size=12), st.integers(0, ONE), SIDES)
def test_the_next_marked_price_is_the_nearest(prices, start, step) -> None:
    marks = np.zeros(nb.MARKS, np.uint64)
    for price in prices:
        marks[price >> 6] |= np.uint64(1) << np.uint64(price & 63)
    beyond = [p for p in prices if (p - start) * step > 0]
    want = (min(beyond) if step > 0 else max(beyond)) if beyond else (ONE if step > 0 else 0)
    assert nb.next_marked(start, step, marks) == want


def test_the_older_order_at_a_price_comes_first_and_keeps_its_place_when_reduced() -> None:
    book = OrderBook()
    first, second = book.place(-1, 5_000, 10), book.place(-1, 5_000, 10)
    book.reduce(first, 4)
    assert [(f.slot, f.size) for f in book.match(1, 5_000, 8)] == [(first, 6), (second, 2)]


def test_a_budget_is_spent_to_the_last_unit_where_the_book_is_deep_enough() -> None:
    book = OrderBook()
    book.place(-1, 9_800, 100 * SHARE)
    (fill,) = book.match(1, 9_900, 10**12, budget=4_950_000)
    assert (fill.size, fill.money) == (5_051_020, 4_950_000)  # more shares than at 0.99


def test_tables_grow_with_the_book() -> None:
    book = OrderBook()
    slots = [book.place(-1, 1 + index % 9_999, SHARE) for index in range(500)]
    assert sorted(slots) == list(range(1, 501))
    assert len(book.match(1, 9_999, 500 * SHARE)) == 500
    assert len(book.levels(-1)) == 500


def test_freed_slots_are_used_again() -> None:
    book = OrderBook()
    for _ in range(100):
        book.cancel(book.place(1, 5_000, SHARE))
    assert book.place(1, 5_000, SHARE) == 1


@pytest.mark.parametrize(
    ("side", "price", "size"), [(1, 0, 1), (1, 10_000, 1), (-1, 5_000, 0), (1, 6_000, 1)]
)
def test_what_cannot_rest_is_refused(side: int, price: int, size: int) -> None:
    book = OrderBook()
    book.place(-1, 6_000, 1)
    with pytest.raises(InvariantError, match="cannot rest"):
        book.place(side, price, size)


@pytest.mark.parametrize("slot", [-1, 0, 1, 2, 1_000_000])
def test_an_empty_slot_is_no_order(slot: int) -> None:
    book = OrderBook()
    book.cancel(book.place(1, 5_000, 1))
    with pytest.raises(InvariantError, match="no order"):
        book.cancel(slot)
