"""Order flow of one market: makers, takers and what they believe, moment by moment.

Shapes: flow (F_SIZE_OF,) float64; beliefs (most,) float64, one a row; the rest as in
    ``agents_nb``, ``arrivals_nb``, ``moment_nb`` and ``paths_nb``.
Units: see there.
"""

from __future__ import annotations

import math
from typing import Final

from numba import float64, int64, types, uint64

from polyframe.kernels.agents_nb import quote, take
from polyframe.kernels.arrivals_nb import excite, fade, intensity
from polyframe.kernels.book_nb import K_ASK, K_BID
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.moment_nb import (
    C_ABSTAINED,
    C_ARRIVALS,
    C_END,
    C_INFORMED,
    C_JUMPS,
    C_LOT,
    C_NOW,
    C_ROWS,
    C_SWEEPS,
    complete,
)
from polyframe.kernels.paths_nb import B_ODDS, jump, learn
from polyframe.kernels.random_nb import exponential, lots, sigmoid, uniform

F_LIFE: Final = 0
"""ns"""
F_ACTS: Final = 1
"""how often any maker quotes anew, a second"""
F_JUMPS: Final = 2
"""a second"""
F_SWEEP: Final = 3
"""probability that a jump is followed by a sweep"""
F_INFORMED: Final = 4
"""share of the takers who know the belief"""
F_EDGE: Final = 5
"""steps that a taker who knows wants to gain at the least"""
F_REACH: Final = 6
"""steps beyond the best price to which the other takers go"""
F_BUYS: Final = 7
"""share of them that buys"""
F_TAKEN: Final = 8
"""ln of the median size of a taker's order"""
F_TAKEN_SPREAD: Final = 9
F_SIZE_OF: Final = 10

_NS: Final = 1e9
_ALL: Final = 2**62

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")
_flat = types.Array(float64, 1, "C")
_stream = types.Array(uint64, 1, "C")


@kernel(int64(_flat, _row, _row, _row, _table, _table, _row, float64, int64))
def _snipe(flow, book, bids, asks, makers, rows, clock, fair, size):  # type: ignore[no-untyped-def]
    """Takes what stands at a better price than ``fair`` by the edge; returns the size."""
    got = take(
        book, bids, asks, makers, rows, clock, 1, int64(math.floor(fair - flow[F_EDGE])), size
    )
    if got == 0:
        low = int64(math.ceil(fair + flow[F_EDGE]))
        got = take(book, bids, asks, makers, rows, clock, -1, low, size)
    return got


@kernel(types.void(_flat, _stream, _row, _row, _row, _table, _table, _row, float64))
def _arrive(flow, stream, book, bids, asks, makers, rows, clock, fair):  # type: ignore[no-untyped-def]
    """One taker: who knows trades only at a gain, the others for reasons of their own."""
    clock[C_ARRIVALS] += 1
    knows = uniform(stream) < flow[F_INFORMED]
    size = lots(stream, flow[F_TAKEN], flow[F_TAKEN_SPREAD], clock[C_LOT])
    if knows:
        clock[C_INFORMED] += 1
        got = _snipe(flow, book, bids, asks, makers, rows, clock, fair, size)
    elif uniform(stream) < flow[F_BUYS]:
        limit = book[K_ASK] + int64(flow[F_REACH])
        got = take(book, bids, asks, makers, rows, clock, 1, limit, size)
    else:
        limit = book[K_BID] - int64(flow[F_REACH])
        got = take(book, bids, asks, makers, rows, clock, -1, limit, size)
    if got == 0:
        clock[C_ABSTAINED] += 1


@kernel(types.void(_flat, _flat, _stream, _row, _row, _row, _table, _table, _row))
def open_book(traits, belief, stream, book, bids, asks, makers, rows, clock):  # type: ignore[no-untyped-def]
    """Every maker quotes once; the rows of it are written over again, the book is what counts.

    Shapes: see module. Units: see module.
    """
    fair = sigmoid(belief[B_ODDS]) * (bids.shape[0] - 1)
    for n in range(makers.shape[1]):
        quote(traits, stream, book, bids, asks, makers, rows, clock, n, fair)
        clock[C_ROWS] = 0


@kernel(int64(_flat, _flat, _flat, _flat, _stream, _row, _row, _row, _table, _table, _row, _flat))
def run_flow(  # type: ignore[no-untyped-def]
    flow, traits, belief, arrivals, stream, book, bids, asks, makers, rows, clock, beliefs
):
    """Fills the rows with what happens next; 1 when the market's end is reached, 0 for no room.

    The time to the next event of any kind is drawn at once: their intensities add up, and that of
    takers only falls until the next one comes, so the candidates are thinned.

    Shapes: see module. Units: see module.
    """
    steps = bids.shape[0] - 1
    # No event writes more: both sides' levels taken, each with its trade.
    most = rows.shape[1] - 2 * steps - 8
    acts = flow[F_ACTS]
    while clock[C_ROWS] < most:
        first = clock[C_ROWS]
        bound = intensity(arrivals)
        total = acts + flow[F_JUMPS] + bound
        gap = max(int64(1), int64(exponential(stream) / total * _NS))
        if clock[C_NOW] + gap >= clock[C_END]:
            clock[C_NOW] = clock[C_END]
            return 1
        clock[C_NOW] += gap
        fade(arrivals, gap / _NS)
        pick = uniform(stream) * total
        if pick >= acts + flow[F_JUMPS] + intensity(arrivals):
            continue
        p = learn(belief, stream, clock[C_NOW] / flow[F_LIFE])
        if pick < acts:
            n = min(int64(pick / acts * makers.shape[1]), makers.shape[1] - 1)
            quote(traits, stream, book, bids, asks, makers, rows, clock, n, p * steps)
        elif pick < acts + flow[F_JUMPS]:
            clock[C_JUMPS] += 1
            p = jump(belief, stream)
            if uniform(stream) < flow[F_SWEEP]:
                if _snipe(flow, book, bids, asks, makers, rows, clock, p * steps, _ALL) > 0:
                    clock[C_SWEEPS] += 1
        else:
            excite(arrivals)
            _arrive(flow, stream, book, bids, asks, makers, rows, clock, p * steps)
        complete(rows, clock, beliefs, first, p)
    return 0
