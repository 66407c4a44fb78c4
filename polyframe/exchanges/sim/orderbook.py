"""A book of single orders, price first and then time, in YES price."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from polyframe.errors import InvariantError
from polyframe.kernels import limit_nb as nb

NO_BUDGET = -1


class Fill(NamedTuple):
    """What one resting order gives. Units: YES price, millionths of a share, money of the taker."""

    slot: int
    price: int
    size: int
    money: int


class OrderBook:
    """Orders of one condition; what is resting is known by its slot, a small positive number."""

    __slots__ = ("_book", "_fills", "_levels", "_marks", "_orders", "_points")

    def __init__(self) -> None:
        self._book = np.zeros(nb.B_SIZE_OF, np.int64)
        # Zeros cost no memory until somebody rests there.
        self._levels = np.zeros((nb.ONE + 1, nb.L_SIZE_OF), np.int64)
        self._marks = np.zeros(nb.MARKS, np.uint64)
        self._orders = np.zeros((32, nb.V_SIZE_OF), np.int64)
        self._fills = np.zeros((32, nb.F_SIZE_OF), np.int64)
        self._points = np.zeros((0, 3), np.float64)
        nb.clear(self._book)

    @property
    def bid(self) -> int:
        """The best bid; 0 for none."""
        return self._book.item(nb.B_BID)

    @property
    def ask(self) -> int:
        """The best offer; 10000 for none."""
        return self._book.item(nb.B_ASK)

    @property
    def count(self) -> int:
        """How many orders rest."""
        return self._book.item(nb.B_COUNT)

    def crosses(self, side: int, limit: int) -> bool:
        """Whether an order would match anything now."""
        return (
            self._book.item(nb.B_ASK) <= limit if side > 0 else self._book.item(nb.B_BID) >= limit
        )

    def place(self, side: int, price: int, size: int, *, at: int = 0) -> int:
        """The slot of an order that rests from now on, last in its line.

        Raises:
            InvariantError: it would cross, or price or size is out of range.
        """
        if not 0 < price < nb.ONE or size <= 0 or self.crosses(side, price):
            raise InvariantError(f"an order of {size} at {price} (side {side}) cannot rest here")
        tables = self._book, self._levels, self._marks
        slot: int = nb.place(side, price, size, at, *tables, self._orders)
        if slot == nb.FULL:
            self._orders = np.concatenate((self._orders, np.zeros_like(self._orders)))
            slot = nb.place(side, price, size, at, *tables, self._orders)
        return slot

    def match(
        self, side: int, limit: int, size: int, *, budget: int = NO_BUDGET, unit: int = 1
    ) -> list[Fill]:
        """What an order would match, best price first; nothing is changed.

        ``unit`` +1: its money is counted in YES price, -1: in NO price. With ``budget`` it takes
        as much as the money buys, at most ``size``.
        """
        if not self.crosses(side, limit):
            return []
        while True:
            count: int = nb.plan(
                side,
                limit,
                size,
                budget,
                unit,
                self._book,
                self._levels,
                self._marks,
                self._orders,
                self._fills,
            )
            if count != nb.FULL:
                return [Fill(*row) for row in self._fills[:count].tolist()]
            self._fills = np.zeros((2 * len(self._fills), nb.F_SIZE_OF), np.int64)

    def take(self, fills: list[Fill]) -> None:
        """Takes what ``match`` found. The book must not have changed since."""
        rows = np.array(fills, np.int64).reshape(len(fills), nb.F_SIZE_OF)
        nb.take(len(fills), rows, self._book, self._levels, self._marks, self._orders)

    def cancel(self, slot: int) -> int:
        """Takes an order out of the book; how much of it was left."""
        left = self.open(slot)
        nb.reduce(slot, left, self._book, self._levels, self._marks, self._orders)
        return left

    def reduce(self, slot: int, size: int) -> int:
        """Makes an order smaller, which keeps its place; what is left of it."""
        left: int = nb.reduce(slot, size, self._book, self._levels, self._marks, self._orders)
        return left

    def open(self, slot: int) -> int:
        """What is left of an order.

        Raises:
            InvariantError: nothing rests in this slot.
        """
        if not 0 < slot < len(self._orders) or not self._orders.item(slot, nb.V_SIDE):
            raise InvariantError(f"no order rests in slot {slot}")
        return self._orders.item(slot, nb.V_OPEN)

    def size_at(self, side: int, price: int) -> int:
        """What rests at a price of a side; nothing where the other side stands."""
        if price > self.bid if side > 0 else price < self.ask:
            return 0
        return self._levels.item(price, nb.L_SIZE)

    def levels(self, side: int, most: int = nb.ONE) -> list[tuple[int, int]]:
        """(price, size) of a side, best first."""
        out = np.zeros((min(most, self.count), 2), np.int64)
        found: int = nb.depth(side, self._book, self._levels, self._marks, out)
        return [(price, size) for price, size in out[:found].tolist()]

    def scores(self, spread: int, least: int, before: int) -> list[tuple[int, float, int]]:
        """(slot, points, side) of all orders that earn liquidity rewards now.

        ``before``: orders younger than this score nothing. See ``limit_nb.score``.
        """
        if len(self._points) < self.count:
            self._points = np.zeros((2 * self.count, 3), np.float64)
        found: int = nb.score(
            spread,
            least,
            before,
            self._book,
            self._levels,
            self._marks,
            self._orders,
            self._points,
        )
        return [(int(s), p, int(side)) for s, p, side in self._points[:found].tolist()]

    def middle(self, least: int) -> int:
        """Best bid + best ask of orders that are large enough, the mid twice; 0 for no mid."""
        tables = self._book, self._levels, self._marks, self._orders
        bid, ask = nb.best_large(1, least, *tables), nb.best_large(-1, least, *tables)
        return int(bid + ask) if bid and ask else 0
