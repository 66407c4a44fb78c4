"""Locks after closed trips, against a twin that looks at every trip there was."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.domain.units import HOUR, MINUTE
from polyframe.kernels import guards_nb as g
from polyframe.kernels import locks_nb as nb
from polyframe.kernels import tables_nb as t

RING = 64
MARKETS = 3
EQUITY = 1_000
LIMITS = {
    g.L_STOPLOSS_TRADES: 3, g.L_STOPLOSS_LOOKBACK: HOUR, g.L_STOPLOSS_STOP: 30 * MINUTE,
    g.L_STOPLOSS_PER_MARKET: 0, g.L_COOLDOWN_STOP: 5 * MINUTE, g.L_LOW_PROFIT_TRADES: 2,
    g.L_LOW_PROFIT_LOOKBACK: 6 * HOUR, g.L_LOW_PROFIT_REQUIRED: 0, g.L_LOW_PROFIT_STOP: HOUR,
    g.L_MAX_DRAWDOWN_TRADES: 4, g.L_MAX_DRAWDOWN_LOOKBACK: 8 * HOUR,
    g.L_MAX_DRAWDOWN_ALLOWED: 150_000, g.L_MAX_DRAWDOWN_STOP: 12 * HOUR,
}  # fmt: skip


@dataclass(frozen=True)
class Trip:
    ts: int
    ledger: int
    market: int
    profit: int
    stop: bool


@dataclass
class Twin:
    """The rules as one would say them, over the whole history of one row."""

    limits: dict[int, int]
    trips: list[Trip] = field(default_factory=list)
    stops: dict[int, int] = field(default_factory=dict)
    stop_all: int = 0
    cooldown: dict[int, int] = field(default_factory=dict)
    low: dict[int, int] = field(default_factory=dict)
    drawdown: int = 0

    def close(self, trip: Trip) -> None:
        self.trips = [*self.trips, trip][-RING:]
        lim, m, now = self.limits, trip.market, trip.ts
        here = [x for x in self.trips if x.market == m]
        if trip.stop:
            counted = here if lim[g.L_STOPLOSS_PER_MARKET] else self.trips
            late = [x for x in counted if x.stop and x.ts > now - lim[g.L_STOPLOSS_LOOKBACK]]
            if len(late) >= lim[g.L_STOPLOSS_TRADES]:
                until = now + lim[g.L_STOPLOSS_STOP]
                if lim[g.L_STOPLOSS_PER_MARKET]:
                    self.stops[m] = until
                else:
                    self.stop_all = until
        self.cooldown[m] = now + lim[g.L_COOLDOWN_STOP]
        late = [x for x in here if x.ts > now - lim[g.L_LOW_PROFIT_LOOKBACK]]
        earned = sum(x.profit for x in late)
        if len(late) >= lim[g.L_LOW_PROFIT_TRADES] and earned < lim[g.L_LOW_PROFIT_REQUIRED]:
            self.low[m] = now + lim[g.L_LOW_PROFIT_STOP]
        late = [x for x in self.trips if x.ts > now - lim[g.L_MAX_DRAWDOWN_LOOKBACK]]
        total = peak = fall = 0
        for x in late:
            total += x.profit
            peak = max(peak, total)
            fall = max(fall, peak - total)
        allowed = EQUITY * lim[g.L_MAX_DRAWDOWN_ALLOWED] // 1_000_000
        if len(late) >= lim[g.L_MAX_DRAWDOWN_TRADES] and fall > allowed:
            self.drawdown = now + lim[g.L_MAX_DRAWDOWN_STOP]


class Kernel:
    def __init__(self, limits: dict[int, int]):
        rows = 3
        self.account = np.zeros((t.A_SIZE_OF, rows), dtype=np.int64)
        self.markets = np.zeros((t.M_SIZE_OF, rows, MARKETS), dtype=np.int64)
        self.trips = np.zeros((rows, RING, nb.C_SIZE_OF), dtype=np.int64)
        self.tree = np.zeros((rows, 2 * RING, 4), dtype=np.int64)
        self.limits = np.full((rows, g.L_SIZE_OF), g.MISSING, dtype=np.int64)
        for at, value in limits.items():
            self.limits[:, at] = value
        self.equity = np.full((rows, 2), EQUITY, dtype=np.int64)
        self.work = np.zeros((3, 4), dtype=np.int64)

    def close(self, trip: Trip) -> None:
        nb.close(
            self.account, self.markets, self.trips, self.tree, self.limits, self.equity,
            self.work, trip.ledger, trip.market, trip.ts, trip.profit, int(trip.stop),
        )  # fmt: skip

    def agrees(self, row: int, twin: Twin) -> None:
        assert self.account[t.A_LOCK_STOPLOSS, row] == twin.stop_all
        assert self.account[t.A_LOCK_DRAWDOWN, row] == twin.drawdown
        for column, found in (
            (t.M_LOCK_STOPLOSS, twin.stops),
            (t.M_LOCK_COOLDOWN, twin.cooldown),
            (t.M_LOCK_LOW_PROFIT, twin.low),
        ):
            assert self.markets[column, row].tolist() == [found.get(m, 0) for m in range(MARKETS)]


TRIPS = st.lists(
    st.tuples(
        st.integers(0, 3 * HOUR // MINUTE).map(lambda n: n * MINUTE), st.integers(0, 1),
        st.integers(0, MARKETS - 1), st.integers(-90, 60), st.booleans(),
    ),
    max_size=150,
)  # fmt: skip


@given(TRIPS, st.booleans())
def test_locks_are_those_of_the_twin(moves, per_market):
    limits = LIMITS | {g.L_STOPLOSS_PER_MARKET: int(per_market)}
    kernel, twins = Kernel(limits), [Twin(limits) for _ in range(3)]
    now = 10 * HOUR
    for wait, *rest in moves:
        now += wait
        trip = Trip(now, *rest)
        kernel.close(trip)
        for row in (trip.ledger, 2):
            twins[row].close(trip)
    for row, twin in enumerate(twins):
        kernel.agrees(row, twin)


@given(TRIPS)
def test_the_trees_built_anew_are_those_that_grew(moves):
    kernel, now = Kernel(LIMITS), 10 * HOUR
    for wait, *rest in moves:
        now += wait
        kernel.close(Trip(now, *rest))
    again = np.zeros_like(kernel.tree)
    nb.regrow(kernel.account, kernel.trips, again)
    assert (again == kernel.tree).all()


@pytest.mark.parametrize(
    ("limit", "column"),
    [
        (g.L_STOPLOSS_TRADES, g.L_STOPLOSS_LOOKBACK),
        (g.L_LOW_PROFIT_TRADES, g.L_LOW_PROFIT_LOOKBACK),
    ],
)
def test_a_trip_just_outside_the_lookback_does_not_count(limit, column):
    """The first of the trips that are needed closed one lookback ago: one ns decides."""
    for early, locked in ((LIMITS[column], False), (LIMITS[column] - 1, True)):
        kernel = Kernel({**LIMITS, g.L_MAX_DRAWDOWN_TRADES: 99})
        need, start = LIMITS[limit], 100 * HOUR
        kernel.close(Trip(start, 0, 0, -1, True))
        for _ in range(need - 1):
            kernel.close(Trip(start + early, 0, 0, -1, True))
        at = t.M_LOCK_LOW_PROFIT if limit == g.L_LOW_PROFIT_TRADES else None
        found = kernel.account[t.A_LOCK_STOPLOSS, 2] if at is None else kernel.markets[at, 2, 0]
        assert (found > 0) == locked
