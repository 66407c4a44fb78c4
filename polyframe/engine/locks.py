"""Closed trips, and what is locked after them."""

from __future__ import annotations

import numpy as np

from polyframe.domain.units import Money, Ns
from polyframe.engine.risk import RiskDoor
from polyframe.engine.state import State
from polyframe.kernels import locks_nb

ALWAYS_STOPS = frozenset({"stop_loss"})
STOPS_AT_A_LOSS = frozenset({"trailing", "portfolio_trailing"})
"""Reasons of exits that count as a stop only when the trip lost."""


class Locks:
    """Hands closed trips to the kernel that sets the locks."""

    def __init__(self, state: State, door: RiskDoor) -> None:
        self.state = state
        self.door = door
        self._work = np.zeros((3, 4), dtype=np.int64)

    def closed(self, ledger: int, m: int, ts: Ns, profit: Money, reason: str) -> None:
        """A ledger's position in a token is back at zero, having earned ``profit`` after fees."""
        stop = reason in ALWAYS_STOPS or (reason in STOPS_AT_A_LOSS and profit < 0)
        tables = self.state.tables
        locks_nb.close(
            tables.account, tables.markets, tables.trips, tables.tree, self.door.limits,
            tables.marks, self._work, ledger, m, ts, profit, 1 if stop else 0,
        )  # fmt: skip
