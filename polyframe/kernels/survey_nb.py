"""What a tape of levels shows: the best prices after each row, and how much stood how deep.

Shapes: see ``book_nb``; columns (n,).
Units: steps of the tick, size units, ns.
"""

from __future__ import annotations

from typing import Final

from numba import float64, int64, types

from polyframe.kernels.book_nb import K_ASK, K_BID, K_TS, K_WHOLE, rest, step_of, wipe
from polyframe.kernels.compile_nb import kernel

LEVEL: Final = 4
BEGIN: Final = 5
END: Final = 6
CLEAR: Final = 9
"""as in ``store.tape_rows``; a test compares them"""

GOOD: Final = -1

_row = types.Array(int64, 1, "C")
_read = types.Array(int64, 1, "C", readonly=True)
_grid = types.Array(float64, 2, "C")


@kernel(types.void(_row, _row, _row, int64, _grid))
def _stood(book, bids, asks, span, depth):  # type: ignore[no-untyped-def]
    """Adds what stands at each distance from the best price for as long as it did."""
    bid, ask = book[K_BID], book[K_ASK]
    for away in range(depth.shape[1]):
        if bid - away > 0:
            depth[0, away] += float64(bids[bid - away]) * span
        if ask + away < asks.shape[0]:
            depth[1, away] += float64(asks[ask + away]) * span


@kernel(
    int64(
        _row, _row, _row, _read, _read, _read, _read, _read, int64, int64, _row, _row, _row, _grid
    )
)
def survey(  # type: ignore[no-untyped-def]
    book, bids, asks, ts, kind, side, price, size, low, high, best_bid, best_ask, held, depth
):
    """Runs through the rows of one instrument; returns the first row that no book can hold.

    A row is GOOD unless its price is off the grid, or a moment ends with a crossed book. Depth is
    summed over the time in which the book was whole with both sides, its mid from ``low`` to
    ``high``.

    Shapes: rows (n,); best_bid, best_ask and held (n,): the best steps after each row, 0 and
    ``steps + 1`` for none, and how long they stood, 0 for a book that is not whole; depth (2,
    distances). Units: ``low`` and ``high`` in half steps; size units times ns.
    """
    n = ts.shape[0]
    for i in range(n):
        if kind[i] == BEGIN or kind[i] == CLEAR:
            wipe(book, bids, asks)
        elif kind[i] == END:
            book[K_WHOLE] = 1
        elif kind[i] == LEVEL:
            step = step_of(book, price[i])
            if step < 0:
                return i
            rest(book, bids, asks, side[i], step, size[i])
        book[K_TS] = ts[i]
        bid, ask = book[K_BID], book[K_ASK]
        best_bid[i] = bid
        best_ask[i] = ask
        span = ts[i + 1] - ts[i] if i + 1 < n else int64(0)
        held[i] = span if book[K_WHOLE] == 1 else 0
        if held[i] > 0:
            if bid >= ask:
                return i
            if bid > 0 and ask < asks.shape[0] and low <= bid + ask and bid + ask <= high:
                _stood(book, bids, asks, span, depth)
    return GOOD
