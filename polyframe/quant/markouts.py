"""The mean of a weighted quantity whose values come in dependent bunches."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

LEAST = 10
"""From fewer bunches no interval is given."""
_Z = 1.959963984540054


class Bunched(NamedTuple):
    """A weighted mean with its 95 % interval; None where there are too few bunches."""

    mean: float
    low: float | None
    high: float | None


def bunched_mean(values: Floats, weights: Floats, bunch: Ints) -> Bunched | None:
    """The mean of ``values`` by ``weights``; values of one bunch may move together in any way.

    None when there is no weight at all.

    Shapes: (n,) each. Units: any; ``bunch`` numbers.
    Source: the ratio estimator of a cluster sample, Cochran 1977, "Sampling Techniques", 6.3.
    """
    total = float(weights.sum())
    if total <= 0.0:
        return None
    mean = float(values @ weights) / total
    _, place = np.unique(bunch, return_inverse=True)
    left = np.bincount(place, weights=(values - mean) * weights)
    n = len(left)
    if n < LEAST:
        return Bunched(mean, None, None)
    error = float(np.sqrt(n / (n - 1) * float(left @ left))) / total
    return Bunched(mean, mean - _Z * error, mean + _Z * error)
