"""The session's numbers as int64 arrays: what the engine and every compiled loop work on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from polyframe.engine.universe import Universe
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import guards_nb as g
from polyframe.kernels import ledgers_nb, locks_nb
from polyframe.kernels import tables_nb as t

Ints = NDArray[np.int64]
SAVED = ("account", "tokens", "markets", "value", "traits", "marks", "pace")
"""The tables of a checkpoint, in order."""
MOST_PACE = 65_536
"""Times kept of the last orders of each row, at most."""
TRIPS = 4096
"""Closed trips kept of each row: locks look back no further."""
SAMPLING = [nb.E_STEP, nb.E_TS, nb.E_COUNT]


class Tables:
    """All tables of a session; ``kernels.tables_nb`` names their columns.

    A row a ledger, the last one is the whole account.
    """

    def __init__(self, universe: Universe, rows: int) -> None:
        self.universe = universe
        self.rows = rows
        self.account: Ints = np.zeros((t.A_SIZE_OF, rows), dtype=np.int64)
        self.tokens: Ints = np.zeros((t.T_SIZE_OF, rows, 0), dtype=np.int64)
        self.markets: Ints = np.zeros((t.M_SIZE_OF, rows, 0), dtype=np.int64)
        self.value: Ints = np.zeros((rows, 0), dtype=np.int64)
        self.traits: Ints = np.zeros((0, t.K_SIZE_OF), dtype=np.int64)
        self.marks: Ints = np.zeros((rows, nb.E_SIZE_OF), dtype=np.int64)
        self.marks[:, nb.E_FLOOR] = self.marks[:, nb.E_FIXED] = nb.NO_FLOOR
        self.pace: Ints = np.zeros((rows, 1), dtype=np.int64)
        self.trips: Ints = np.zeros((rows, TRIPS, locks_nb.C_SIZE_OF), dtype=np.int64)
        self.tree: Ints = np.zeros((rows, 2 * TRIPS, 4), dtype=np.int64)
        self.grow()

    def keep_pace(self, most: int) -> None:
        """Makes room for the times of so many orders, before any was sent.

        A limit beyond ``MOST_PACE`` a minute never binds.
        """
        self.pace = np.zeros((self.rows, min(max(most, 1), MOST_PACE)), dtype=np.int64)

    def scalar(self, column: int) -> memoryview:
        """One number of every row; reads give plain ints."""
        row: memoryview = self.account[column].data
        return row

    def grow(self) -> None:
        """Makes room for markets listed since."""
        have = len(self.traits)
        rows, markets = self.rows, len(self.universe.markets)
        tokens = len(self.universe.token_market)
        self.tokens = _wider(self.tokens, (t.T_SIZE_OF, rows, tokens))
        self.markets = _wider(self.markets, (t.M_SIZE_OF, rows, markets))
        self.value = _wider(self.value, (rows, tokens))
        self.markets[t.M_CATEGORY_CAP, :, have:] = g.MISSING
        traits = np.zeros((markets, t.K_SIZE_OF), dtype=np.int64)
        traits[:have] = self.traits
        for m in range(have, markets):
            traits[m, t.K_CLOSES] = self.universe.markets[m].closes
            traits[m, [t.K_LIQUIDITY, t.K_FORECAST, t.K_CONFIDENCE, t.K_EVIDENCE]] = g.MISSING
        self.traits = traits
        self.regroup()

    def save(self) -> list[bytes]:
        """Everything that does not follow from the rest."""
        used = self.trips[:, : self._trips_used()]
        return [*(getattr(self, name).tobytes() for name in SAVED), used.tobytes()]

    def _trips_used(self) -> int:
        return min(int(self.account[t.A_TRIPS].max()), TRIPS)

    def restore(self, saved: list[bytes]) -> None:
        """Takes the place of saved tables."""
        self.grow()
        sampled = self.marks[:, SAMPLING].copy()
        for name, data in zip(SAVED, saved, strict=False):
            table = getattr(self, name)
            if name == "pace":
                self._repace(np.frombuffer(data, dtype=np.int64).reshape(self.rows, -1))
                continue
            table[:] = np.frombuffer(data, dtype=np.int64).reshape(table.shape)
        used = self.trips[:, : self._trips_used()]
        used[:] = np.frombuffer(saved[-1], dtype=np.int64).reshape(used.shape)
        locks_nb.regrow(self.account, self.trips, self.tree)
        # Which samples of the equity exist is the data loop's matter, not the session's.
        self.marks[:, SAMPLING] = sampled
        self.regroup()

    def _repace(self, saved: Ints) -> None:
        """Takes over times of a ring that may have been longer or shorter: limits may change."""
        here, there = self.pace.shape[1], saved.shape[1]
        for row in range(self.rows):
            sent = int(self.account[t.A_ORDERS, row])
            for n in range(max(sent - min(here, there), 0), sent):
                self.pace[row, n % here] = saved[row, n % there]

    def regroup(self) -> None:
        """Takes the events as they are now and computes what is at risk in them."""
        universe = self.universe
        self.traits[:, t.K_EVENT] = universe.event_of
        self.traits[:, t.K_CATEGORY] = universe.category_of
        self.groups, self.members = _flat(universe)
        self.events: Ints = np.zeros((self.rows, len(self.groups)), dtype=np.int64)
        self.kinds: Ints = np.zeros((self.rows, len(universe.categories)), dtype=np.int64)
        self.arrays = (
            self.account, self.tokens, self.markets, self.traits, self.events, self.kinds,
            self.groups, self.members,
        )  # fmt: skip
        ledgers_nb.regroup(
            self.account, self.markets, self.traits, self.events, self.kinds, self.groups,
            self.members,
        )  # fmt: skip


def _wider(table: Ints, shape: tuple[int, ...]) -> Ints:
    wider = np.zeros(shape, dtype=np.int64)
    wider[..., : table.shape[-1]] = table
    return wider


def _flat(universe: Universe) -> tuple[Ints, Ints]:
    """The events' table and their members and categories, one after the other."""
    groups = np.zeros((len(universe.groups), t.G_SIZE_OF), dtype=np.int64)
    flat: list[int] = []

    def put(numbers: Iterable[int]) -> tuple[int, int]:
        first = len(flat)
        flat.extend(numbers)
        return first, len(flat) - first

    for event, id in enumerate(universe.groups):
        members, kind = universe.members(id)
        own = [int(m) for m in members]
        categories = sorted({universe.category_of[m] for m in own})
        groups[event] = (*put(own), kind, *put(categories))
    return groups, np.array(flat, dtype=np.int64)
