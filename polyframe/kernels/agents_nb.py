"""A book of makers, each with one bid and one offer, and takers who lift what stands.

A maker that acts takes both of its orders away and quotes anew around what it believes: the
probability at that moment with an error of its own. Until it acts again its quotes grow stale.
Every change of a level becomes a row. Levels and makers agree at all times: what stands at a step
is the sum of what its makers have left there, the first to come the first to be traded.

Shapes:
    traits  (T_SIZE_OF,) float64
    makers  (M_SIZE_OF, makers) int64
    book    (K_SIZE_OF,), bids and asks (steps + 1,) int64, as in ``book_nb``
    rows    and clock as in ``moment_nb``
Units: distances in steps of the tick, sizes in size units, times ns.
"""

from __future__ import annotations

import math
from typing import Final

from numba import float64, int64, types, uint64

from polyframe.kernels.book_nb import K_ASK, K_BID, rest
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.moment_nb import C_LOT, C_ORDERS, LEVEL, TRADE, put
from polyframe.kernels.random_nb import lots, normal, uniform

T_NOISE: Final = 0
"""standard deviation of a maker's error"""
T_HALF: Final = 1
"""what a maker keeps to each side of its belief at the least"""
T_DEPTH: Final = 2
"""offers are spread evenly over so much more"""
T_QUOTED: Final = 3
"""ln of the median size of an order"""
T_QUOTED_SPREAD: Final = 4
T_SIZE_OF: Final = 5

M_BID: Final = 0
"""step of the bid, 0 for none"""
M_BID_LEFT: Final = 1
M_BID_SINCE: Final = 2
M_ASK: Final = 3
M_ASK_LEFT: Final = 4
M_ASK_SINCE: Final = 5
M_SIZE_OF: Final = 6

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")
_flat = types.Array(float64, 1, "C")
_stream = types.Array(uint64, 1, "C")


@kernel(types.void(_row, _row, _row, _table, _row, int64, int64, int64))
def _level(book, bids, asks, rows, clock, side, step, size):  # type: ignore[no-untyped-def]
    """A level and the row that says so."""
    rest(book, bids, asks, side, step, size)
    put(rows, clock, LEVEL, side, step, size)


@kernel(types.void(_row, _row, _row, _table, _table, _row, int64, int64, int64, int64))
def _move(book, bids, asks, makers, rows, clock, n, side, step, size):  # type: ignore[no-untyped-def]
    """Replaces a maker's order on one side; step 0 leaves it without one."""
    at = M_BID if side > 0 else M_ASK
    levels = bids if side > 0 else asks
    old, left = makers[at, n], makers[at + 1, n]
    if old == step and left > 0:
        if left != size:
            _level(book, bids, asks, rows, clock, side, step, levels[step] - left + size)
    else:
        if left > 0:
            _level(book, bids, asks, rows, clock, side, old, levels[old] - left)
        if step > 0:
            _level(book, bids, asks, rows, clock, side, step, levels[step] + size)
    makers[at, n] = step
    makers[at + 1, n] = size if step > 0 else 0
    makers[at + 2, n] = clock[C_ORDERS]
    clock[C_ORDERS] += 1


@kernel(types.void(_flat, _stream, _row, _row, _row, _table, _table, _row, int64, float64))
def quote(traits, stream, book, bids, asks, makers, rows, clock, n, fair):  # type: ignore[no-untyped-def]
    """A maker quotes anew around its view of ``fair``; no quote of it ever trades at once.

    A quote that would meet the other side is set one step before it, as post-only orders are
    by whoever sends them; one beyond the ends of the grid is left out.

    Shapes: see module. Units: ``fair`` in steps.
    """
    steps = bids.shape[0] - 1
    view = fair + traits[T_NOISE] * normal(stream)
    below = traits[T_HALF] + traits[T_DEPTH] * uniform(stream)
    above = traits[T_HALF] + traits[T_DEPTH] * uniform(stream)
    bid_size = lots(stream, traits[T_QUOTED], traits[T_QUOTED_SPREAD], clock[C_LOT])
    ask_size = lots(stream, traits[T_QUOTED], traits[T_QUOTED_SPREAD], clock[C_LOT])
    bid = int64(math.floor(view - below))
    ask = int64(math.ceil(view + above))
    # Its own old offer is about to go: it must not hold the new bid back.
    if makers[M_ASK_LEFT, n] > 0 and makers[M_ASK, n] <= bid:
        _move(book, bids, asks, makers, rows, clock, n, -1, 0, 0)
    bid = min(bid, book[K_ASK] - 1, steps - 1)
    _move(book, bids, asks, makers, rows, clock, n, 1, max(bid, 0), bid_size)
    ask = max(ask, book[K_BID] + 1, 1)
    _move(book, bids, asks, makers, rows, clock, n, -1, ask if ask < steps else 0, ask_size)


@kernel(types.void(_table, int64, int64, int64))
def _serve(makers, at, step, size):  # type: ignore[no-untyped-def]
    """Takes a traded size from the orders of a step, the oldest first."""
    while size > 0:
        first = int64(-1)
        for n in range(makers.shape[1]):
            if makers[at, n] == step and makers[at + 1, n] > 0:
                if first < 0 or makers[at + 2, n] < makers[at + 2, first]:
                    first = int64(n)
        filled = min(size, makers[at + 1, first])
        makers[at + 1, first] -= filled
        size -= filled


@kernel(int64(_row, _row, _row, _table, _table, _row, int64, int64, int64))
def take(book, bids, asks, makers, rows, clock, side, limit, size):  # type: ignore[no-untyped-def]
    """A taker trades level by level up to a limit; returns the size that it got.

    Shapes: see module. Units: side +1 buys, -1 sells; ``limit`` in steps.
    """
    got = int64(0)
    while size > 0:
        step = book[K_ASK] if side > 0 else book[K_BID]
        if step < 1 or step >= bids.shape[0] or side * (step - limit) > 0:
            break
        stands = asks[step] if side > 0 else bids[step]
        filled = min(size, stands)
        put(rows, clock, TRADE, side, step, filled)
        _serve(makers, M_ASK if side > 0 else M_BID, step, filled)
        _level(book, bids, asks, rows, clock, -side, step, stands - filled)
        got += filled
        size -= filled
    return got
