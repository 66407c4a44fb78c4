"""How long a message takes at a moment, from recorded probes or a constant."""

from __future__ import annotations

import math

from numba import int64, types

from polyframe.kernels.compile_nb import kernel

_row = types.Array(int64, 1, "C", readonly=True)
_out = types.Array(int64, 1, "C")


@kernel(int64(_row, _row, int64))
def at(ts, took, now):  # type: ignore[no-untyped-def]
    """The latency at a moment, in a straight line between the probes before and after it.

    Before the first probe and after the last that one holds; a single one is a constant. Rounded
    up: nobody is faster than was measured.

    Shapes: ts and took (probes,), ts ascending, at least one. Units: ns.
    """
    n = ts.shape[0]
    if now <= ts[0]:
        return took[0]
    if now >= ts[n - 1]:
        return took[n - 1]
    low = int64(0)
    high = n - 1
    while high - low > 1:
        middle = (low + high) // 2
        if ts[middle] <= now:
            low = middle
        else:
            high = middle
    span = ts[high] - ts[low]
    # In floats: the product of two spans of a day in ns passes 2^63.
    part = float(now - ts[low]) / float(span) if span > 0 else 0.0
    change = part * float(took[high] - took[low])
    return took[low] + math.ceil(change)


@kernel(int64(_row, _row, _row, int64, _out))
def late(ts, took, rows, before, out):  # type: ignore[no-untyped-def]
    """Writes when each row is seen, and returns when the last one is: none overtakes another.

    ``before`` is when the row before the first is seen.

    Shapes: ts and took (probes,), rows and out (n,). Units: ns.
    """
    for k in range(rows.shape[0]):
        before = max(before, rows[k] + at(ts, took, rows[k]))
        out[k] = before
    return before
