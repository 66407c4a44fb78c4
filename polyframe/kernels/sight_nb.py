"""What a quote kernel reads out of what it sees and remembers: depth, rivals, own markouts.

Shapes: sight (SEEN_SIZE_OF,) and own (OWN_SIZE_OF,) float64, see ``seencolumns_nb``.
Units: those of the columns; ``unit`` is the price that counts as 1.
"""

from __future__ import annotations

from typing import Final

from numba import float64, int64, types

from polyframe.kernels import seencolumns_nb as s
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.making_nb import points_a_share

_vector = types.Array(float64, 1, "C")

# ---- columns of a memory of own fills, from its place in ``own`` on ---------------------------
BOUGHT: Final = 0
"""what own orders had bought when it was last looked at; sold is next"""
COST_BID: Final = 2
"""sum of size x how far the mid went against bids that filled; their size is next, then offers"""
HEAD: Final = 6
PENDING: Final = 7
ROWS: Final = 8
WIDTH: Final = 4
"""a fill that waits: when it is due, the mid then, side, size"""
RING: Final = 8
FILLS_SIZE_OF: Final = RING + ROWS * WIDTH


@kernel(float64(_vector, int64))
def near_depth(sight, side):  # type: ignore[no-untyped-def]
    """Shares within the visible levels of a side: 0 bids, 1 offers.

    Shapes: see module. Units: shares.
    """
    found = 0.0
    for k in range(s.DEPTH):
        found += sight[s.LEVELS + 4 * k + 2 * side + 1]
    return found


@kernel(float64(_vector, float64))
def rival_points(sight, mid):  # type: ignore[no-untyped-def]
    """Reward points of the thinner side's visible levels: what a reward is shared with.

    Shapes: see module. Units: points.
    """
    bids, asks = 0.0, 0.0
    for k in range(s.DEPTH):
        at = s.LEVELS + 4 * k
        most = sight[s.REWARD_SPREAD]
        if sight[at] > 0.0:
            bids += points_a_share(abs(mid - sight[at]), most) * sight[at + 1]
        if sight[at + 2] > 0.0:
            asks += points_a_share(abs(sight[at + 2] - mid), most) * sight[at + 3]
    return min(bids, asks)


@kernel(types.void(_vector, int64, float64, float64))
def _mark_out(own, at, mid, unit):  # type: ignore[no-untyped-def]
    """Takes the oldest fill out of the ring and adds how far the mid went against it.

    Shapes: see module. Units: price.
    """
    row = at + RING + WIDTH * int64(own[at + HEAD])
    cost = at + COST_BID if own[row + 2] > 0.0 else at + COST_BID + 2
    own[cost] += own[row + 3] * own[row + 2] * (own[row + 1] - mid) / unit
    own[cost + 1] += own[row + 3]
    own[at + HEAD] = (own[at + HEAD] + 1.0) % ROWS
    own[at + PENDING] -= 1.0


@kernel(types.void(_vector, _vector, int64, float64, float64, float64, float64))
def note_fills(sight, own, at, horizon, keep, mid, unit):  # type: ignore[no-untyped-def]
    """Notes own fills since the last look and marks out those older than ``horizon``.

    ``keep`` is what is left of earlier markouts. Of more fills than fit, the oldest are marked out
    before their time.

    Shapes: see module; own[at : at + FILLS_SIZE_OF]. Units: seconds; prices; a part.
    """
    for k in range(COST_BID, HEAD):
        own[at + k] *= keep
    for k in range(2):
        total = sight[s.OWN_BOUGHT] if k == 0 else sight[s.OWN_SOLD]
        filled = total - own[at + BOUGHT + k]
        own[at + BOUGHT + k] = total
        if filled <= 0.0:
            continue
        if own[at + PENDING] >= ROWS:
            _mark_out(own, at, mid, unit)
        free = int64(own[at + HEAD] + own[at + PENDING]) % ROWS
        row = at + RING + WIDTH * free
        own[row] = sight[s.NOW] + horizon
        own[row + 1] = mid
        own[row + 2] = 1.0 - 2.0 * k
        own[row + 3] = filled * unit
        own[at + PENDING] += 1.0
    while own[at + PENDING] > 0.0:
        if own[at + RING + WIDTH * int64(own[at + HEAD])] > sight[s.NOW]:
            break
        _mark_out(own, at, mid, unit)
