"""What the price did after fills: the cost of having been traded with."""

from __future__ import annotations

from typing import Final

from numba import int64, types

from polyframe.kernels.compile_nb import kernel

MISSING: Final = -(2**63)

_read = types.Array(int64, 1, "C", readonly=True)
_out = types.Array(int64, 1, "C")


@kernel(types.void(_read, _read, _read, _read, _read, int64, int64, _out))
def markouts(ts, side, price, mid_ts, mid, horizon, stale, out):  # type: ignore[no-untyped-def]
    """How far the mid moved in a fill's favour by a horizon after it, against the fill's own price.

    MISSING where no mid is known at that moment: none yet, none after it any more, or the last one
    older than ``stale``.

    Shapes: ts, side, price and out (fills,), ts ascending; mid_ts and mid (mids,), mid_ts
    ascending. Units: ns; side +1 bought, -1 sold; price units, ``mid`` and ``out`` twice that.
    """
    at = int64(0)
    for n in range(ts.shape[0]):
        moment = ts[n] + horizon
        while at < mid_ts.shape[0] and mid_ts[at] <= moment:
            at += 1
        known = at - 1
        last = at == mid_ts.shape[0] and (at == 0 or mid_ts[at - 1] < moment)
        if known < 0 or last or moment - mid_ts[known] > stale:
            out[n] = MISSING
        else:
            out[n] = side[n] * (mid[known] - 2 * price[n])
