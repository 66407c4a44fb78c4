"""Random numbers that are the same on every machine.

A counter goes through a mixing function, so a stream is one number and any two streams with other
starts are apart. Logarithm and exponential are made of the four operations alone, which every
machine rounds alike; those of a system's library differ in their last digit.

Shapes: a stream is (1,) uint64.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import float64, int64, types, uint64

from polyframe.kernels.compile_nb import kernel

_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_LN2_HIGH: Final = 6.93147180369123816490e-01
_LN2_LOW: Final = 1.90821492927058770002e-10
"""ln 2 in two parts, the first of which has room for a factor of 2,000 without rounding"""
_HALF: Final = 0.70710678118654752440
_LN: Final = tuple(1.0 / n for n in range(23, 0, -2))
_EXP: Final = tuple(1.0 / math.factorial(n) for n in range(14, -1, -1))
"""coefficients of the series, the highest power first"""
_MOST: Final = 709.0

_stream = types.Array(uint64, 1, "C")


@kernel(float64(_stream))
def uniform(stream):  # type: ignore[no-untyped-def]
    """A number within (0, 1), never an end of it, in steps of 2**-52.

    Shapes: stream (1,). Units: none.

    Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".
    """
    stream[0] += _STEP
    z = stream[0]
    z = (z ^ (z >> uint64(30))) * _FIRST
    z = (z ^ (z >> uint64(27))) * _SECOND
    z ^= z >> uint64(31)
    return (float64(int64(z >> uint64(12))) + 0.5) * 2.220446049250313e-16


@kernel(float64(float64))
def ln(x):  # type: ignore[no-untyped-def]
    """The natural logarithm of a normal number above 0, to some 1e-15.

    Shapes: scalar. Units: none.

    Source: ln m = 2 (s + s^3 / 3 + s^5 / 5 + ...) with s = (m - 1) / (m + 1).
    """
    m, e = math.frexp(x)
    if m < _HALF:
        m *= 2.0
        e -= 1
    s = (m - 1.0) / (m + 1.0)
    q = s * s
    total = 0.0
    for c in _LN:
        total = total * q + c
    return e * _LN2_HIGH + (2.0 * s * total + e * _LN2_LOW)


@kernel(float64(float64))
def exp(x):  # type: ignore[no-untyped-def]
    """Euler's number to the power of x, to 1e-15 of itself; beyond 709 as at 709, below -709 0.

    Shapes: scalar. Units: none.

    Source: the series after the powers of two are taken out.
    """
    if x < -_MOST:
        return 0.0
    x = min(x, _MOST)
    e = math.floor(x / _LN2_HIGH + 0.5)
    r = (x - e * _LN2_HIGH) - e * _LN2_LOW
    total = 0.0
    for c in _EXP:
        total = total * r + c
    return math.ldexp(total, int64(e))


@kernel(float64(float64))
def sigmoid(x):  # type: ignore[no-untyped-def]
    """1 / (1 + exp(-x)).

    Shapes: scalar. Units: log-odds to probability.
    """
    return 1.0 / (1.0 + exp(-x))


@kernel(float64(_stream))
def exponential(stream):  # type: ignore[no-untyped-def]
    """A waiting time of mean 1.

    Shapes: stream (1,). Units: none.
    """
    return -ln(uniform(stream))


@kernel(float64(_stream))
def normal(stream):  # type: ignore[no-untyped-def]
    """A standard normal number.

    Shapes: stream (1,). Units: none.

    Source: Marsaglia and Bray 1964, the polar method. Its second number is not kept.
    """
    while True:
        x = 2.0 * uniform(stream) - 1.0
        y = 2.0 * uniform(stream) - 1.0
        r = x * x + y * y
        if r < 1.0:
            return x * math.sqrt(-2.0 * ln(r) / r)


@kernel(int64(_stream, float64, float64, int64))
def lots(stream, middle, spread, lot):  # type: ignore[no-untyped-def]
    """A lognormal size in whole lots, one at least.

    Shapes: stream (1,). Units: ``middle`` is ln of the median in size units, ``spread`` the
    standard deviation of ln; lot and the result in size units.
    """
    size = exp(min(middle + spread * normal(stream), 41.0))
    return max(int64(1), int64(size / lot + 0.5)) * lot
