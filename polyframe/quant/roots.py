"""Roots and checks of plain numbers that several formulas share."""

from __future__ import annotations

import math
from collections.abc import Callable

from polyframe.errors import DataError

_HALVINGS = 200
"""More than a float's exponent and mantissa can tell apart."""


def falling_root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a falling function crosses zero in [low, high]; the nearer end when it does not.

    Shapes: scalar to scalar. Units: those of the function's argument.

    Source: bisection, until the interval cannot be halved.
    """
    if function(low) <= 0.0:
        return low
    if function(high) >= 0.0:
        return high
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if middle in {low, high}:
            break
        if function(middle) > 0.0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def checked_probability(name: str, value: float) -> float:
    """The value, when it is a probability.

    Shapes: scalar. Units: probability in [0, 1].

    Raises:
        DataError: it is not a number from 0 to 1.
    """
    if not 0.0 <= value <= 1.0:
        raise DataError(f"{name} {value!r} is outside [0, 1]")
    return value


def checked_amount(name: str, value: float, *, above: float | None = None) -> float:
    """The value, when it is finite and not negative, or greater than ``above``.

    Shapes: scalar. Units: any.

    Raises:
        DataError: it is not.
    """
    fits = value >= 0.0 if above is None else value > above
    if not (math.isfinite(value) and fits):
        wanted = "a finite number of 0 or more" if above is None else f"a number above {above:g}"
        raise DataError(f"{name} is {value!r}", expected=wanted)
    return value
