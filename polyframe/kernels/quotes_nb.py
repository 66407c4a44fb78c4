"""The difference between quotes that rest and quotes that are wanted."""

from __future__ import annotations

from numba import int64, types

from polyframe.kernels.compile_nb import kernel

_read = types.Array(int64, 1, "C", readonly=True)
_mask = types.Array(int64, 1, "C")


@kernel(int64(_read, _read, _read, _read, _read, _read, _mask, _mask), inline=True)
def diff(rest_side, rest_price, rest_size, want_side, want_price, want_size, keep, new):  # type: ignore[no-untyped-def]
    """Marks resting orders to keep and wanted ones to place; returns how many are kept.

    An order is kept when a wanted quote has its side and price and no more than its open size
    would have to be placed anew: the same size, so that its place in the queue survives. Each
    resting order answers one wanted quote.

    Shapes: rest_* and keep (r,), want_* and new (w,). Units: side +1/-1, the market's integers.
    """
    kept = 0
    for i in range(keep.shape[0]):
        keep[i] = 0
    for j in range(new.shape[0]):
        new[j] = 1
        for i in range(keep.shape[0]):
            if (
                keep[i] == 0
                and rest_side[i] == want_side[j]
                and rest_price[i] == want_price[j]
                and rest_size[i] == want_size[j]
            ):
                keep[i] = 1
                new[j] = 0
                kept += 1
                break
    return kept
