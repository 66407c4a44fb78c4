"""Order flow of a market that shows its best bid and offer only: a mid and trades around it.

The mid is geometric Brownian motion. Takers of each side come at a fixed rate, each willing to go
an exponential distance from the mid, and every one is printed at the price up to which it would
have gone: whoever quotes at a distance d, alone and unseen, is reached base exp(-d / reach) times
a second. What stands at the touch is refilled at once.

Shapes: touch (Q_SIZE_OF,) float64; place (P_SIZE_OF,) int64; rows and clock as in ``moment_nb``;
    mids (most,) float64, one a row.
Units: prices and distances in steps of the tick, sizes in size units, a second.
"""

from __future__ import annotations

import math
from typing import Final

from numba import float64, int64, types, uint64

from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.moment_nb import (
    C_ARRIVALS,
    C_END,
    C_LOT,
    C_NOW,
    C_ROWS,
    LEVEL,
    TRADE,
    complete,
    put,
)
from polyframe.kernels.paths_nb import gbm_step
from polyframe.kernels.random_nb import exponential, lots, uniform

Q_MID: Final = 0
Q_VOLATILITY: Final = 1
"""of ln price, in sqrt of a second"""
Q_MOVES: Final = 2
"""how often the mid is looked at, a second"""
Q_BASE: Final = 3
"""takers of each side, a second"""
Q_REACH: Final = 4
"""how far from the mid they go, in the mean"""
Q_RESTS: Final = 5
"""ln of the median size at the touch"""
Q_RESTS_SPREAD: Final = 6
Q_TAKEN: Final = 7
"""ln of the median size of a trade"""
Q_TAKEN_SPREAD: Final = 8
Q_SIZE_OF: Final = 9

P_MID: Final = 0
"""the mid to the nearest step, around which quotes stand; 0 before the first"""
P_MOVED: Final = 1
"""when the mid was last looked at"""
P_HALF: Final = 2
"""steps from it to each of the two best prices"""
P_SIZE_OF: Final = 3

_NS: Final = 1e9

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")
_flat = types.Array(float64, 1, "C")
_stream = types.Array(uint64, 1, "C")


@kernel(types.void(_flat, _row, _stream, _table, _row, int64))
def _requote(touch, place, stream, rows, clock, mid):  # type: ignore[no-untyped-def]
    """Both best prices stand anew: of each side the new before the old goes.

    The side that is moved away from goes first, so that none ever meets the other, and a book that
    follows row by row has a best price at all times and never searches for one.
    """
    half, old = place[P_HALF], place[P_MID]
    first = -1 if mid > old else 1
    for side in (first, -first):
        size = lots(stream, touch[Q_RESTS], touch[Q_RESTS_SPREAD], clock[C_LOT])
        put(rows, clock, LEVEL, side, mid - side * half, size)
        if old > 0:
            put(rows, clock, LEVEL, side, old - side * half, 0)
    place[P_MID] = mid


@kernel(int64(_flat, _row, _stream, _table, _row, _flat))
def run_touch(touch, place, stream, rows, clock, mids):  # type: ignore[no-untyped-def]
    """Fills the rows with what happens next; 1 when the end is reached, 0 for no room.

    Shapes: see module. Units: see module.
    """
    total = touch[Q_MOVES] + 2.0 * touch[Q_BASE]
    if place[P_MID] == 0:
        _requote(touch, place, stream, rows, clock, int64(touch[Q_MID] + 0.5))
        complete(rows, clock, mids, 0, touch[Q_MID])
    while clock[C_ROWS] < rows.shape[1] - 4:
        first = clock[C_ROWS]
        gap = max(int64(1), int64(exponential(stream) / total * _NS))
        if clock[C_NOW] + gap >= clock[C_END]:
            clock[C_NOW] = clock[C_END]
            return 1
        clock[C_NOW] += gap
        pick = uniform(stream) * total
        if pick < touch[Q_MOVES]:
            passed = (clock[C_NOW] - place[P_MOVED]) / _NS
            spread = touch[Q_VOLATILITY] * math.sqrt(passed)
            touch[Q_MID] = gbm_step(stream, touch[Q_MID], spread)
            place[P_MOVED] = clock[C_NOW]
            mid = max(int64(touch[Q_MID] + 0.5), place[P_HALF] + 1)
            if mid != place[P_MID]:
                _requote(touch, place, stream, rows, clock, mid)
        else:
            clock[C_ARRIVALS] += 1
            side = 1 if pick < touch[Q_MOVES] + touch[Q_BASE] else -1
            away = int64(touch[Q_REACH] * exponential(stream))
            step = max(place[P_MID] + side * away, 1)
            size = lots(stream, touch[Q_TAKEN], touch[Q_TAKEN_SPREAD], clock[C_LOT])
            put(rows, clock, TRADE, side, step, size)
        complete(rows, clock, mids, first, touch[Q_MID])
    return 0
