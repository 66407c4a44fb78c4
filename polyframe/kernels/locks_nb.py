"""Closed trips and the locks that follow from them, for each ledger and the whole account.

A trip is a position from its first share to its last; what it earned is after fees, whatever the
number of parts in which it was bought and sold. A condition can only begin to hold when a trip
closes, so that is when locks are set.

Shapes:
    trips  (rows, ring, C_SIZE_OF) int64: the last trips closed, see ``C_``
    tree   (rows, 2 * ring, 4) int64: sums over runs of trips, the leaves from ``ring`` on
    others: see ``tables_nb``

Units: money 1e-6, times ns, shares of equity in millionths.
"""

from __future__ import annotations

from typing import Final

from numba import int64, types

from polyframe.kernels import guards_nb as g
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.tables_nb import (
    A_LAST_STOP,
    A_LOCK_DRAWDOWN,
    A_LOCK_STOPLOSS,
    A_TRIPS,
    A_TRIPS_FROM,
    M_LAST_TRIP,
    M_LOCK_COOLDOWN,
    M_LOCK_LOW_PROFIT,
    M_LOCK_STOPLOSS,
)

C_TS: Final = 0
C_PROFIT: Final = 1
C_STOP: Final = 2
"""1 when it ended by a stop"""
C_BEFORE: Final = 3
"""number of the market's trip before, counted from 1; 0: none"""
C_STOP_BEFORE: Final = 4
"""number of the row's stop before"""
C_SIZE_OF: Final = 5

_SUM, _HIGH, _LOW, _FALL = 0, 1, 2, 3
"""what a run of trips adds up to: its sum, its best and its worst sum from the start, its greatest
fall from one sum to a later one"""

_table = types.Array(int64, 2, "C")
_cube = types.Array(int64, 3, "C")


@kernel(types.void(_table, int64, _table, int64, _table, int64))
def _join(out, at, a, i, b, j):  # type: ignore[no-untyped-def]
    """One run after the other as one run; out may be either of them."""
    total = a[i, _SUM] + b[j, _SUM]
    high = max(a[i, _HIGH], a[i, _SUM] + b[j, _HIGH])
    low = min(a[i, _LOW], a[i, _SUM] + b[j, _LOW])
    fall = max(a[i, _FALL], b[j, _FALL], a[i, _HIGH] - a[i, _SUM] - b[j, _LOW])
    out[at, _SUM] = total
    out[at, _HIGH] = high
    out[at, _LOW] = low
    out[at, _FALL] = fall


@kernel(types.void(_table, int64, int64))
def put(tree, slot, profit):  # type: ignore[no-untyped-def]
    """Sets one trip's gain in a row's tree; 0 takes it out.

    Shapes: tree (2 * ring, 4). Units: money.
    """
    at = tree.shape[0] // 2 + slot
    tree[at, _SUM] = profit
    tree[at, _HIGH] = max(profit, 0)
    tree[at, _LOW] = min(profit, 0)
    tree[at, _FALL] = max(-profit, 0)
    at //= 2
    while at >= 1:
        _join(tree, at, tree, 2 * at, tree, 2 * at + 1)
        at //= 2


@kernel(int64(_table, int64, _table))
def fall(tree, start, work):  # type: ignore[no-untyped-def]
    """The greatest fall of the summed gains, the trips taken from slot ``start`` round the ring.

    Shapes: tree (2 * ring, 4), work (3, 4). Units: money.
    """
    ring = tree.shape[0] // 2
    work[:] = 0
    for begin, end in ((start, ring), (int64(0), start)):
        # work[1] grows to the right, work[2] to the left.
        work[1:] = 0
        left = begin + ring
        right = end + ring
        while left < right:
            if left % 2 == 1:
                _join(work, 1, work, 1, tree, left)
                left += 1
            if right % 2 == 1:
                right -= 1
                _join(work, 2, tree, right, work, 2)
            left //= 2
            right //= 2
        _join(work, 0, work, 0, work, 1)
        _join(work, 0, work, 0, work, 2)
    return work[0, _FALL]


@kernel(types.void(_table, _cube, _cube, _table, int64, int64, int64, int64, int64, _table))
def _record(account, markets, trips, tree, row, m, ts, profit, stop, work):  # type: ignore[no-untyped-def]
    """Writes a trip into its row's ring."""
    ring = trips.shape[1]
    n = account[A_TRIPS, row]
    slot = n % ring
    trips[row, slot, C_TS] = ts
    trips[row, slot, C_PROFIT] = profit
    trips[row, slot, C_STOP] = stop
    trips[row, slot, C_BEFORE] = markets[M_LAST_TRIP, row, m]
    trips[row, slot, C_STOP_BEFORE] = account[A_LAST_STOP, row]
    markets[M_LAST_TRIP, row, m] = n + 1
    if stop == 1:
        account[A_LAST_STOP, row] = n + 1
    account[A_TRIPS, row] = n + 1
    account[A_TRIPS_FROM, row] = max(account[A_TRIPS_FROM, row], n + 1 - ring)
    put(tree, slot, profit)


@kernel(int64(_cube, int64, int64, int64, int64, int64, int64))
def _stops(trips, row, number, column, oldest, after, enough):  # type: ignore[no-untyped-def]
    """How many stops in a chain of trips closed after a moment, counted up to ``enough``."""
    found = int64(0)
    ring = trips.shape[1]
    while number > oldest and found < enough:
        slot = (number - 1) % ring
        if trips[row, slot, C_TS] <= after:
            break
        found += trips[row, slot, C_STOP]
        number = trips[row, slot, column]
    return found


@kernel(types.void(_table, _cube, _cube, _table, int64, int64, int64))
def _lock_stops(account, markets, trips, limits, row, m, ts):  # type: ignore[no-untyped-def]
    """After so many stops within the lookback: nothing new for a while."""
    enough = limits[row, g.L_STOPLOSS_TRADES]
    oldest = account[A_TRIPS, row] - trips.shape[1]
    after = ts - limits[row, g.L_STOPLOSS_LOOKBACK]
    until = ts + limits[row, g.L_STOPLOSS_STOP]
    if limits[row, g.L_STOPLOSS_PER_MARKET] == 1:
        last = markets[M_LAST_TRIP, row, m]
        if _stops(trips, row, last, C_BEFORE, oldest, after, enough) >= enough:
            markets[M_LOCK_STOPLOSS, row, m] = max(markets[M_LOCK_STOPLOSS, row, m], until)
    else:
        last = account[A_LAST_STOP, row]
        if _stops(trips, row, last, C_STOP_BEFORE, oldest, after, enough) >= enough:
            account[A_LOCK_STOPLOSS, row] = max(account[A_LOCK_STOPLOSS, row], until)


@kernel(types.void(_table, _cube, _cube, _table, int64, int64, int64))
def _lock_low_profit(account, markets, trips, limits, row, m, ts):  # type: ignore[no-untyped-def]
    """A market whose trips within the lookback earned too little rests for a while."""
    ring = trips.shape[1]
    oldest = account[A_TRIPS, row] - ring
    after = ts - limits[row, g.L_LOW_PROFIT_LOOKBACK]
    number = markets[M_LAST_TRIP, row, m]
    count = int64(0)
    earned = int64(0)
    while number > oldest and number > 0:
        slot = (number - 1) % ring
        if trips[row, slot, C_TS] <= after:
            break
        count += 1
        earned += trips[row, slot, C_PROFIT]
        number = trips[row, slot, C_BEFORE]
    if (
        count >= limits[row, g.L_LOW_PROFIT_TRADES]
        and earned < limits[row, g.L_LOW_PROFIT_REQUIRED]
    ):
        until = ts + limits[row, g.L_LOW_PROFIT_STOP]
        markets[M_LOCK_LOW_PROFIT, row, m] = max(markets[M_LOCK_LOW_PROFIT, row, m], until)


@kernel(types.void(_table, _cube, _table, _table, int64, int64, int64, _table))
def _lock_drawdown(account, trips, tree, limits, row, ts, equity, work):  # type: ignore[no-untyped-def]
    """After trips whose summed gains fell too far: nothing new anywhere for a while."""
    ring = trips.shape[1]
    after = ts - limits[row, g.L_MAX_DRAWDOWN_LOOKBACK]
    first = account[A_TRIPS_FROM, row]
    n = account[A_TRIPS, row]
    while first < n and trips[row, first % ring, C_TS] <= after:
        put(tree, first % ring, 0)
        first += 1
    account[A_TRIPS_FROM, row] = first
    if n - first < limits[row, g.L_MAX_DRAWDOWN_TRADES]:
        return
    if fall(tree, first % ring, work) > g.share_of(equity, limits[row, g.L_MAX_DRAWDOWN_ALLOWED]):
        until = ts + limits[row, g.L_MAX_DRAWDOWN_STOP]
        account[A_LOCK_DRAWDOWN, row] = max(account[A_LOCK_DRAWDOWN, row], until)


@kernel(
    types.void(
        _table, _cube, _cube, _cube, _table, _table, _table, int64, int64, int64, int64, int64
    ))  # fmt: skip
def close(  # type: ignore[no-untyped-def]
    account, markets, trips, tree, limits, equity, work, ledger, m, ts, profit, stop,
):  # fmt: skip
    """A trip closed: records it and sets the locks that begin with it.

    A limit that is MISSING is not installed. ``stop`` is 1 when it ended by a stop.

    Shapes: limits (rows, L_SIZE_OF), equity (rows, 1 or more) with what a row owns in its first
    column, work (3, 4) scratch. Units: see module.
    """
    for row in (ledger, account.shape[1] - 1):
        _record(account, markets, trips, tree[row], row, m, ts, profit, stop, work)
        if stop == 1 and limits[row, g.L_STOPLOSS_TRADES] != g.MISSING:
            _lock_stops(account, markets, trips, limits, row, m, ts)
        if limits[row, g.L_COOLDOWN_STOP] != g.MISSING:
            until = ts + limits[row, g.L_COOLDOWN_STOP]
            markets[M_LOCK_COOLDOWN, row, m] = max(markets[M_LOCK_COOLDOWN, row, m], until)
        if limits[row, g.L_LOW_PROFIT_TRADES] != g.MISSING:
            _lock_low_profit(account, markets, trips, limits, row, m, ts)
        if limits[row, g.L_MAX_DRAWDOWN_TRADES] != g.MISSING:
            _lock_drawdown(account, trips, tree[row], limits, row, ts, equity[row, 0], work)


@kernel(types.void(_table, _cube, _cube))
def regrow(account, trips, tree):  # type: ignore[no-untyped-def]
    """Builds the trees anew from the trips that still count.

    Shapes: see module. Units: money.
    """
    tree[:] = 0
    ring = trips.shape[1]
    for row in range(trips.shape[0]):
        for number in range(account[A_TRIPS_FROM, row], account[A_TRIPS, row]):
            put(tree[row], number % ring, trips[row, number % ring, C_PROFIT])
