"""Finds the row on which a resting order is traded through."""

from __future__ import annotations

from numba import int64, types

from polyframe.kernels.compile_nb import kernel

_ints = types.Array(int64, 1, "C", readonly=True)


@kernel(int64(_ints, _ints, int64, int64, int64, int64))
def first_through(bid, ask, start, stop, side, limit):  # type: ignore[no-untyped-def]
    """The first row in [start, stop) that trades through a resting limit, -1 when there is none.

    A buy needs an ask below its limit, a sale a bid above it: a touch is not enough, because the
    place in the queue is not known. Rows without a quote (0) are passed over.

    Shapes: bid, ask (n,), one market's rows. Units: YES price units; side +1 buys, -1 sells.
    """
    for i in range(start, stop):
        if side > 0:
            if 0 < ask[i] < limit:
                return i
        elif bid[i] > limit:
            return i
    return -1
