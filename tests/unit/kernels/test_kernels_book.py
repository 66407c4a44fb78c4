"""Array books against dictionaries of prices."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polyframe.kernels import book_nb as nb

ONE, FINEST = 10_000, 10
LEVELS = ONE // FINEST + 1


@dataclass
class Twin:
    """What rests at each price, by side."""

    tick: int
    sides: dict[int, dict[int, int]] = field(default_factory=lambda: {1: {}, -1: {}})

    def rest(self, side: int, price: int, size: int) -> int:
        before = self.sides[side].pop(price, 0)
        if size:
            self.sides[side][price] = size
        return before

    @property
    def best(self) -> tuple[int, int]:
        return max(self.sides[1], default=0), min(self.sides[-1], default=0)

    def retick(self, tick: int) -> int:
        fits = self.tick % tick == 0
        self.tick = tick
        if not fits:
            self.sides = {1: {}, -1: {}}
        return 1 if fits else 0


class Arrays:
    def __init__(self, tick: int) -> None:
        self.state = np.zeros(nb.K_SIZE_OF, np.int64)
        self.state[[nb.K_TICK, nb.K_ONE]] = tick, ONE
        self.books = np.zeros(LEVELS, np.int64), np.zeros(LEVELS, np.int64)
        nb.wipe(self.state, *self.books)

    def rest(self, side: int, price: int, size: int) -> int:
        step = nb.step_of(self.state, price)
        return int(nb.rest(self.state, *self.books, side, step, size))

    @property
    def best(self) -> tuple[int, int]:
        bid, ask = self.state[nb.K_BID], self.state[nb.K_ASK]
        tick = self.state[nb.K_TICK]
        return int(bid * tick), int(ask * tick) if ask < LEVELS else 0

    @property
    def sides(self) -> dict[int, dict[int, int]]:
        tick = int(self.state[nb.K_TICK])
        return {
            side: {int(k) * tick: int(book[k]) for k in np.flatnonzero(book)}
            for side, book in zip((1, -1), self.books, strict=True)
        }


ROWS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([1, -1]), st.integers(1, 99), st.sampled_from([0, 0, 5, 70])),
        st.sampled_from([10, 50, 100]),
    ),
    max_size=80,
)


@given(rows=ROWS)
def test_books_hold_what_their_rows_say(rows) -> None:
    twin, arrays = Twin(100), Arrays(100)
    for row in rows:
        if isinstance(row, int):
            assert nb.retick(arrays.state, *arrays.books, row) == twin.retick(row)
        else:
            side, cents, size = row
            assert arrays.rest(side, cents * 100, size) == twin.rest(side, cents * 100, size)
        assert arrays.best == twin.best
        assert arrays.sides == twin.sides
        bid, ask = twin.best
        assert nb.crossed(arrays.state) == (1 if ask and bid >= ask else 0)


@given(price=st.integers(-10, ONE + 10), tick=st.sampled_from([10, 50, 100]))
def test_only_prices_on_the_grid_have_a_step(price, tick) -> None:
    step = nb.step_of(Arrays(tick).state, price)
    on_grid = 0 < price < ONE and price % tick == 0
    assert step == (price // tick if on_grid else nb.OFF_GRID)
