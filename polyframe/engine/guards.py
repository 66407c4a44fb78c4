"""The guards in force: which protection installed each, for whom, and with which limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from polyframe.api.protection import Protection
from polyframe.domain.orders import KIND_BIT
from polyframe.engine.state import State
from polyframe.errors import PluginError
from polyframe.kernels import guards_nb as g
from polyframe.kernels import tables_nb as t

GUARD_INDEX = {name: i for i, name in enumerate(g.GUARDS)}
LIMIT_INDEX = {name: i for i, name in enumerate(g.LIMITS)}
PACES = ("orders_second", "orders_minute")
"""Limits that need the times of so many orders."""
MARKET_COLUMNS = {"category": t.M_CATEGORY_CAP, "blocked": t.M_BLOCKED}
"""Limits that a category of markets may have of its own, and where they stand."""


class Guarded(NamedTuple):
    """A protection and the ledgers it guards; ``ledgers`` None means all and the account."""

    protection: Protection
    ledgers: tuple[str, ...] | None


class Guards:
    """What protections installed, as the compiled review reads it.

    A row a ledger, the account's last.
    """

    def __init__(self, state: State, guarded: Sequence[Guarded]) -> None:
        self.state = state
        rows = len(state.ledgers) + 1
        self.limits = np.full((rows, g.L_SIZE_OF), g.MISSING, dtype=np.int64)
        self.applies = np.zeros((rows, len(g.GUARDS)), dtype=np.int64)
        self.risk_scope = np.ones(len(g.GUARDS), dtype=np.int64)
        self.names = list(g.GUARDS)
        self.owned: list[Guarded] = []
        """protections with code of their own instead of a compiled guard"""
        self._by_category: dict[tuple[int, str], dict[str, int]] = {}
        for item in guarded:
            self._install(item)
        self.apply_categories()
        self.in_force = [self._in_force(row) for row in range(rows - 1)]
        """of each ledger's orders: number, name and whether of scope risk"""
        state.tables.keep_pace(max(self._greatest(name) for name in PACES))

    @property
    def twin(self) -> bool:
        """True when the account is one ledger and has its limits: both are ruled on alike."""
        if len(self.limits) != 2:
            return False
        own, whole = (
            {key: value for (row, key), value in self._by_category.items() if row == r}
            for r in (0, 1)
        )
        same = np.array_equal(self.limits[0], self.limits[1])
        return same and np.array_equal(self.applies[0], self.applies[1]) and own == whole

    def _greatest(self, name: str) -> int:
        """The greatest value of a limit in any row, 0 where none sets it."""
        return max(self.limit(name, row) or 0 for row in range(len(self.limits)))

    def _install(self, item: Guarded) -> None:
        protection = item.protection
        name = type(protection).__name__
        if not protection.kernel:
            if protection.scope == "venue":
                raise PluginError(
                    f"protection {name} has scope 'venue' but no compiled guard",
                    expected="scope = 'risk'",
                )
            self.owned.append(item)
            return
        index = GUARD_INDEX.get(protection.kernel)
        if index is None:
            raise PluginError(
                f"protection {name} names guard {protection.kernel!r}, which does not exist",
                expected=f"one of {', '.join(g.GUARDS)}",
            )
        self.names[index] = name
        self.risk_scope[index] = 0 if protection.scope == "venue" else 1
        bits = sum(KIND_BIT[kind] for kind in protection.applies_to)
        limits = dict(protection.limits())
        for row in self._rows(item):
            # A setting for one strategy replaces the general one; the account keeps its own.
            self.applies[row, index] = bits
            for key, value in limits.items():
                if key not in LIMIT_INDEX:
                    raise PluginError(
                        f"protection {name} sets limit {key!r}, which does not exist",
                        expected=f"one of {', '.join(g.LIMITS)}",
                    )
                self.limits[row, LIMIT_INDEX[key]] = value
            for key, by_category in protection.limits_by_category().items():
                if key not in MARKET_COLUMNS:
                    raise PluginError(
                        f"protection {name} sets limit {key!r} by category",
                        expected=f"one of {', '.join(MARKET_COLUMNS)}",
                    )
                self._by_category[row, key] = dict(by_category)

    def _in_force(self, row: int) -> list[tuple[int, str, bool]]:
        applies = self.applies[row] | self.applies[-1]
        return [
            (index, name, bool(self.risk_scope[index]))
            for index, name in enumerate(self.names)
            if applies[index]
        ]

    def apply_categories(self) -> None:
        """Writes the limits of single categories into the markets' table; again after a listing."""
        universe, markets = self.state.universe, self.state.tables.markets
        for (row, key), by_category in self._by_category.items():
            unset = g.MISSING if key == "category" else 0
            column = markets[MARKET_COLUMNS[key], row]
            for m, market in enumerate(universe.markets):
                column[m] = by_category.get(market.category.lower(), unset)

    def _rows(self, item: Guarded) -> list[int]:
        if item.ledgers is None:
            return list(range(len(self.state.ledgers) + 1))
        return [self.state.ledger_index[name] for name in item.ledgers]

    def name_of(self, kernel: str) -> str:
        """The protection that installed a guard."""
        return self.names[GUARD_INDEX[kernel]]

    def limit(self, name: str, row: int) -> int | None:
        """A limit in force for a row, None when unset."""
        value = int(self.limits[row, LIMIT_INDEX[name]])
        return None if value == g.MISSING else value
