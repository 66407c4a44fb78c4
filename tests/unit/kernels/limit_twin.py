"""The book of single orders again, slowly: lists of orders, sorted and searched."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

ONE = 10_000


@dataclass
class Resting:
    name: int
    side: int
    price: int
    left: int
    at: int


class SlowBook:
    """Every order in one list, oldest first."""

    def __init__(self) -> None:
        self.orders: list[Resting] = []

    def place(self, name: int, side: int, price: int, size: int, at: int = 0) -> None:
        self.orders.append(Resting(name, side, price, size, at))

    def of(self, side: int) -> list[Resting]:
        """A side, best price first, then oldest first (sorting keeps the order of equals)."""
        return sorted(
            (o for o in self.orders if o.side == side), key=lambda order: -side * order.price
        )

    def best(self, side: int) -> int:
        mine = self.of(side)
        return mine[0].price if mine else (0 if side > 0 else ONE)

    def match(
        self, side: int, limit: int, size: int, budget: int | None, unit: int
    ) -> list[tuple[int, int, int, int]]:
        """(name, price, size, money) of what an order would match."""
        found = []
        left, purse = size, budget
        for order in self.of(-side):
            if (limit - order.price) * side < 0 or left == 0 or purse == 0:
                break
            each = Fraction(order.price if unit > 0 else ONE - order.price, ONE)
            taken = min(order.left, left)
            if purse is not None:
                taken = min(taken, floor(purse / each))
            if taken == 0:
                break
            money = ceil(taken * each) if unit == side else floor(taken * each)
            found.append((order.name, order.price, taken, money))
            left -= taken
            if purse is not None:
                purse -= money
        return found

    def take(self, fills: list[tuple[int, int, int, int]]) -> None:
        for name, _, size, _ in fills:
            self.reduce(name, size)

    def reduce(self, name: int, size: int) -> None:
        (order,) = [o for o in self.orders if o.name == name]
        order.left -= min(size, order.left)
        self.orders = [o for o in self.orders if o.left > 0]

    def levels(self, side: int) -> list[tuple[int, int]]:
        sizes: dict[int, int] = {}
        for order in self.of(side):
            sizes[order.price] = sizes.get(order.price, 0) + order.left
        return list(sizes.items())

    def scores(self, spread: int, least: int, before: int) -> list[tuple[int, Fraction, int]]:
        """(name, points, side) of what scores."""
        large = {s: [o for o in self.of(s) if o.left >= least] for s in (1, -1)}
        if not large[1] or not large[-1]:
            return []
        mid = Fraction(large[1][0].price + large[-1][0].price, 2)
        found = []
        for side, orders in large.items():
            for order in orders:
                away = side * (mid - order.price)
                if away < spread and order.at <= before:
                    points = (Fraction(spread - away) / spread) ** 2 * order.left
                    found.append((order.name, points, side))
        return found
