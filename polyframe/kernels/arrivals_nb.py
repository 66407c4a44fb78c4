"""Arrivals that excite each other, drawn by thinning.

Shapes: arrivals (A_SIZE_OF,) float64.
Units: a second; seconds.
"""

from __future__ import annotations

from typing import Final

from numba import float64, int64, types, uint64

from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.random_nb import exp, exponential, uniform

A_BASE: Final = 0
A_JUMP: Final = 1
A_FADE: Final = 2
A_EXCITED: Final = 3
"""what past arrivals add to the intensity now"""
A_SIZE_OF: Final = 4

_flat = types.Array(float64, 1, "C")
_stream = types.Array(uint64, 1, "C")


@kernel(float64(_flat))
def intensity(arrivals):  # type: ignore[no-untyped-def]
    """Arrivals a second now. Until the next one it does not rise.

    Shapes: see module. Units: a second.
    """
    return arrivals[A_BASE] + arrivals[A_EXCITED]


@kernel(types.void(_flat, float64))
def fade(arrivals, seconds):  # type: ignore[no-untyped-def]
    """Lets time pass without an arrival.

    Shapes: see module. Units: seconds.
    """
    if arrivals[A_EXCITED] > 0.0:
        arrivals[A_EXCITED] *= exp(-arrivals[A_FADE] * seconds)


@kernel(types.void(_flat))
def excite(arrivals):  # type: ignore[no-untyped-def]
    """An arrival.

    Shapes: see module. Units: none.
    """
    arrivals[A_EXCITED] += arrivals[A_JUMP]


@kernel(int64(_flat, _stream, float64, _flat))
def arrival_times(arrivals, stream, seconds, out):  # type: ignore[no-untyped-def]
    """The moments of all arrivals within some seconds; returns their number, -1 for no room.

    Shapes: out (most,). Units: seconds.

    Source: Ogata 1981, "On Lewis' simulation method for point processes".
    """
    now = 0.0
    n = int64(0)
    while True:
        bound = intensity(arrivals)
        if bound <= 0.0:
            return n
        gap = exponential(stream) / bound
        now += gap
        if now > seconds:
            return n
        fade(arrivals, gap)
        if uniform(stream) * bound < intensity(arrivals):
            if n == out.shape[0]:
                return -1
            out[n] = now
            n += 1
            excite(arrivals)
