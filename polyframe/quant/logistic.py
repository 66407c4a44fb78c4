"""Logistic regression for a handful of coefficients, shrunk towards what is believed before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyframe.errors import DataError
from polyframe.quant.rows import from_log_odds

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

_STEPS = 40
"""Newton's method settles in about ten. Of separable rows it would make one more e each step."""


class LogisticFit(NamedTuple):
    """Coefficients with their covariance, and the log likelihood (without the penalty).

    Shapes: (k,), (k, k). ``curvature`` (k, k) is that of the log likelihood alone.
    """

    coefficients: Floats
    covariance: Floats
    curvature: Floats
    log_likelihood: float


def ridge_logistic(
    features: Floats,
    targets: Floats,
    weights: Floats,
    *,
    penalty: float = 0.0,
    centre: ArrayLike = 0.0,
    offset: ArrayLike = 0.0,
) -> LogisticFit:
    """Coefficients b that maximise log likelihood - penalty / 2 x |b - centre|^2.

    The chance of row i is sigmoid(offset_i + features_i . b). Targets may lie between 0 and 1.

    Shapes: features (n, k), targets (n,), weights (n,), centre (k,), offset (n,). Units: log-odds.

    Source: Newton-Raphson with halving, Hastie, Tibshirani and Friedman 2009, 4.4.

    Raises:
        DataError: the penalty is negative; without one, the rows decide nothing or too much.
    """
    if not penalty >= 0.0:
        raise DataError(f"penalty {penalty!r} is negative")
    towards = np.broadcast_to(np.asarray(centre, dtype=np.float64), features.shape[1:])
    base = np.broadcast_to(np.asarray(offset, dtype=np.float64), targets.shape)
    found = towards.copy()
    total = float(weights.sum())
    worth = _worth(features, targets, weights, penalty, towards, base, found)
    for _ in range(_STEPS):
        p = from_log_odds(base + features @ found)
        slope = features.T @ (weights * (targets - p)) - penalty * (found - towards)
        curvature = features.T @ (features * (weights * p * (1.0 - p))[:, None])
        bend = curvature + penalty * np.eye(found.size)
        move = _solve(bend, slope)
        gain = float(slope @ move)
        if gain <= 1e-20 * total:
            likelihood = worth + 0.5 * penalty * float(np.sum((found - towards) ** 2))
            spread = np.asarray(np.linalg.inv(bend), dtype=np.float64)
            return LogisticFit(found, spread, curvature, likelihood)
        size = 1.0
        while True:
            tried = found + size * move
            reached = _worth(features, targets, weights, penalty, towards, base, tried)
            # Near the top the values no longer differ, and the full step is the better point.
            if reached >= worth - 1e-12 * total or size < 1e-6:
                break
            size *= 0.5
        found, worth = tried, reached
    raise _undecided()


def _worth(
    features: Floats,
    targets: Floats,
    weights: Floats,
    penalty: float,
    towards: Floats,
    base: Floats,
    found: Floats,
) -> float:
    x = base + features @ found
    likelihood = float(weights @ (targets * x - np.logaddexp(0.0, x)))
    return likelihood - 0.5 * penalty * float(np.sum((found - towards) ** 2))


def _solve(bend: Floats, slope: Floats) -> Floats:
    try:
        move = np.asarray(np.linalg.solve(bend, slope), dtype=np.float64)
    except np.linalg.LinAlgError as error:
        raise _undecided() from error
    if not np.all(np.isfinite(move)):
        raise _undecided()
    return move


def _undecided() -> DataError:
    return DataError(
        "the rows do not determine the fit: a line parts the outcomes, or a column adds nothing",
        expected="more rows, or a penalty above 0",
    )
