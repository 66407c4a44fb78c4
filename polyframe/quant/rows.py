"""Columns of forecasts and outcomes, checked before a formula reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from polyframe.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def column(name: str, values: ArrayLike, length: int | None = None) -> Floats:
    """The values as a column of finite floats.

    Shapes: (n,) to (n,), n of ``length`` when given. Units: any.

    Raises:
        DataError: not one-dimensional, empty, of another length, or not all finite numbers.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0:
        raise DataError(f"{name} of shape {array.shape}", expected="a column of at least one row")
    if length is not None and array.size != length:
        raise DataError(f"{name} has {array.size} rows, not {length}")
    finite = np.isfinite(array)
    if not finite.all():
        row = int(np.argmin(finite))
        raise DataError(f"{name} is {array[row]} in row {row}", expected="finite numbers")
    return array


def probabilities(name: str, values: ArrayLike, length: int | None = None) -> Floats:
    """The values as a column of probabilities strictly between 0 and 1.

    Shapes: (n,) to (n,). Units: probabilities.

    Raises:
        DataError: as :func:`column`, or one that has no log-odds.
    """
    array = column(name, values, length)
    inside = (array > 0.0) & (array < 1.0)
    if not inside.all():
        row = int(np.argmin(inside))
        raise DataError(
            f"{name} is {array[row]} in row {row}",
            expected="strictly between 0 and 1",
            hint="leave such rows out, or clamp them where they are read",
        )
    return array


def outcomes(values: ArrayLike, length: int | None = None, *, both: bool = False) -> Floats:
    """The values as a column of 0 and 1.

    Shapes: (n,) to (n,). Units: 1 what happened, 0 what did not. ``both`` asks for either.

    Raises:
        DataError: as :func:`column`, anything but 0 and 1, or one class where both are needed.
    """
    array = column("outcome", values, length)
    known = (array == 0.0) | (array == 1.0)
    if not known.all():
        row = int(np.argmin(known))
        raise DataError(f"outcome is {array[row]} in row {row}", expected="0 or 1")
    if both and array.min() == array.max():
        raise DataError(
            f"all {array.size} outcomes are {array[0]:.0f}",
            expected="rows of both outcomes, or there is nothing to learn from",
        )
    return array


def row_weights(values: ArrayLike | None, length: int) -> Floats:
    """The values as weights of rows; ones when there are none.

    Shapes: (n,) to (n,). Units: counts of observations; 1 / k for each of k rows of one event.

    Raises:
        DataError: as :func:`column`, or a weight that is not above zero.
    """
    if values is None:
        return np.ones(length)
    array = column("weight", values, length)
    if array.min() <= 0.0:
        raise DataError(f"the least weight is {array.min()}", expected="weights above 0")
    return array


def log_odds(values: Floats) -> Floats:
    """ln(p / (1 - p)) of a column of probabilities.

    Shapes: any to the same. Units: probabilities strictly between 0 and 1 to log-odds.
    """
    found: Floats = np.log(values) - np.log1p(-values)
    return found


def from_log_odds(values: Floats) -> Floats:
    """The inverse of :func:`log_odds`, without overflow.

    Shapes: any to the same. Units: log-odds to probabilities.
    """
    e = np.exp(-np.abs(values))
    found: Floats = np.where(values >= 0.0, 1.0, e) / (1.0 + e)
    return found


def event_numbers(events: Sequence[Any] | NDArray[Any], length: int) -> NDArray[np.int64]:
    """A number from 0 on for each row's event.

    Shapes: (n,) to (n,). Units: none.

    Raises:
        DataError: not one name a row.
    """
    names = np.asarray(events)
    if names.shape != (length,):
        raise DataError(f"events of shape {names.shape} for {length} rows")
    return np.unique(names, return_inverse=True)[1].astype(np.int64)
