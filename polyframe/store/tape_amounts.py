"""Recorded floats as the whole units that were meant."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST = 2**62
"""Units of this many or more are refused: sums of them must fit 64 bits."""

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def exact_units(values: NDArray[Any], decimals: int) -> tuple[Ints, Mask]:
    """The whole number of units behind each float, and which floats are none.

    A float of 32 bits stands for the shortest decimal that it is the nearest float to: that is what
    a recorder was told before it dropped the rest. What carries more decimals than the unit, is
    negative, NaN or too large is marked; its units are 0.

    Shapes: values, both results (n,). Units: 10**-decimals.
    """
    if values.dtype == np.float32:
        return _shortest(values, decimals)
    plain = np.asarray(values, np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        units = plain * 10.0**decimals
        whole = np.rint(units)
        bad = ~np.isfinite(plain) | (plain < 0) | (whole > MOST)
        # Floats of recordings carry some 15 digits; what is further off has more decimals.
        bad |= np.abs(units - whole) > np.maximum(1e-6, 4e-16 * whole)
    return np.where(bad, 0, whole).astype(np.int64), bad


class Amounts(NamedTuple):
    """Prices and sizes in whole units. Shapes: all (n,)."""

    price: Ints
    size: Ints
    wrong: Mask
    """one of the two is negative, NaN or too large"""
    fine: Mask
    """both are amounts, but one has more decimals than the unit"""


def amounts(
    price: NDArray[Any], size: NDArray[Any], price_decimals: int = 4, size_decimals: int = 6
) -> Amounts:
    """The whole units behind recorded prices and sizes, and which are none.

    Shapes: price, size (n,). Units: as their decimals say.
    """
    wrong, fine = np.zeros(len(price), np.bool_), np.zeros(len(price), np.bool_)
    found = []
    for values, decimals in ((price, price_decimals), (size, size_decimals)):
        units, bad = exact_units(values, decimals)
        plain = values.astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            finer = bad & (plain >= 0) & (plain * 10.0**decimals <= MOST)
        wrong |= bad & ~finer
        fine |= finer
        found.append(units)
    return Amounts(found[0], found[1], wrong, fine & ~wrong)


def _shortest(values: NDArray[np.float32], decimals: int) -> tuple[Ints, Mask]:
    with np.errstate(invalid="ignore", over="ignore"):
        exact = values.astype(np.float64)
        bad = ~np.isfinite(exact) | (exact < 0) | (exact * 10.0**decimals > MOST)
        units = np.zeros(len(values), np.int64)
        left = ~bad
        for digits in range(decimals + 1):
            tried = np.rint(exact * 10.0**digits)
            same = left & ((tried / 10.0**digits).astype(np.float32) == values)
            units[same] = tried[same].astype(np.int64) * 10 ** (decimals - digits)
            left &= ~same
    return units, bad | left
