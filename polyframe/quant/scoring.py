"""How good probabilities were, once it is known what happened."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyframe.errors import DataError
from polyframe.quant.logistic import ridge_logistic
from polyframe.quant.rows import column, log_odds, outcomes, probabilities, row_weights

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

BINS = 10


def _scored(forecast: ArrayLike, happened: ArrayLike) -> tuple[Floats, Floats]:
    p = column("forecast", forecast)
    if p.min() < 0.0 or p.max() > 1.0:
        raise DataError(f"forecasts from {p.min()} to {p.max()}", expected="from 0 to 1")
    return p, outcomes(happened, p.size)


def brier(probabilities: ArrayLike, outcomes: ArrayLike) -> float:
    """The mean squared error of probabilities: 0 is perfect, 0.25 is always saying one half.

    Shapes: two arrays (n,). Units: probabilities in [0, 1], outcomes 0 or 1.

    Source: Brier 1950.

    Raises:
        DataError: lengths differ, no rows, a NaN, no probabilities, or outcomes but 0 and 1.
    """
    p, y = _scored(probabilities, outcomes)
    return float(np.mean((p - y) ** 2))


def log_losses(forecast: ArrayLike, happened: ArrayLike) -> Floats:
    """-ln(probability given to what happened) of each row.

    Shapes: two arrays (n,) to (n,). Units: probabilities in (0, 1), outcomes 0 or 1, to nats.

    Raises:
        DataError: lengths differ, no rows, a NaN, a probability of 0 or 1.
    """
    p = probabilities("forecast", forecast)
    y = outcomes(happened, p.size)
    found: Floats = -np.where(y > 0.5, np.log(p), np.log1p(-p))
    return found


def log_loss(probabilities: ArrayLike, outcomes: ArrayLike) -> float:
    """The mean of -ln(probability given to what happened).

    Shapes: two arrays (n,). Units: probabilities in (0, 1), outcomes 0 or 1, to nats.

    Source: Good 1952.

    Raises:
        DataError: lengths differ, no rows, a NaN, a probability of 0 or 1.
    """
    return float(np.mean(log_losses(probabilities, outcomes)))


def brier_skill(model: float, reference: float) -> float:
    """1 - model / reference: the share of the reference's Brier score that the model removes.

    Shapes: scalars. Units: Brier scores. NaN when the reference is perfect.
    """
    return 1.0 - (model / reference if reference else math.nan)


def brier_index(score: float) -> float:
    """The Brier score on a scale from 0 to 100 where more is better.

    Shapes: scalar. Units: Brier score in [0, 1] to points; always saying one half is 50.

    Source: ForecastBench: (1 - sqrt(score)) x 100.

    Raises:
        DataError: the score is negative or no number.
    """
    if not score >= 0.0:
        raise DataError(f"Brier score {score!r}", expected="a number of 0 or more")
    return (1.0 - math.sqrt(score)) * 100.0


def bin_of(probabilities: ArrayLike, bins: int = BINS) -> NDArray[np.int64]:
    """The left-closed bin of each probability.

    Shapes: (n,) to (n,). Units: probabilities in [0, 1].
    """
    # 0.3 * 10 is 3.0000000000000004 - eps away from 3 for some inputs: edges are compared instead.
    edges = np.arange(1, bins) / bins
    return np.searchsorted(edges, np.asarray(probabilities), side="right").astype(np.int64)


def calibration_error(probabilities: ArrayLike, outcomes: ArrayLike, bins: int = BINS) -> float:
    """The mean gap between forecast and frequency over equal-width bins, weighted by count.

    Bins are closed on the left: [k / bins, (k + 1) / bins), the last one on both sides. A perfect
    forecaster does not reach 0: see :func:`calibration_noise`.

    Shapes: two arrays (n,). Units: probabilities in [0, 1], outcomes 0 or 1.

    Source: Naeini, Cooper and Hauskrecht 2015.

    Raises:
        DataError: lengths differ, no rows, a NaN, no probabilities, or outcomes but 0 and 1.
    """
    p, y = _scored(probabilities, outcomes)
    return _gap(bin_of(p, bins), p - y, bins)


def _gap(which: NDArray[np.int64], excess: Floats, bins: int) -> float:
    sums = np.bincount(which, weights=excess, minlength=bins)
    return float(np.abs(sums).sum()) / which.size


class Noise(NamedTuple):
    """What a statistic is on average, and the value it passes in one case of twenty."""

    mean: float
    high: float


def calibration_noise(
    forecast: ArrayLike, *, seed: int, bins: int = BINS, draws: int = 2_000
) -> Noise:
    """The calibration error these forecasts would have if every one of them were right.

    An error below ``high`` is no sign of bad calibration.

    Shapes: (n,). Units: probabilities in [0, 1].

    Source: outcomes drawn from the forecasts; Broecker and Smith 2007.

    Raises:
        DataError: no rows, a NaN or no probabilities.
    """
    p = column("forecast", forecast)
    which = bin_of(_scored(p, np.zeros(p.size))[0], bins)
    rng = np.random.Generator(np.random.PCG64(seed))
    found = [_gap(which, p - (rng.random(p.size) < p), bins) for _ in range(draws)]
    return Noise(float(np.mean(found)), float(np.quantile(found, 0.95)))


class Murphy(NamedTuple):
    """The parts of a Brier score: reliability - resolution + uncertainty."""

    reliability: float
    resolution: float
    uncertainty: float
    base_rate: float


def murphy(forecast: ArrayLike, happened: ArrayLike) -> Murphy:
    """The Brier score split into miscalibration, what was told apart, and how hard it was.

    Rows are grouped by their exact forecast, so that the parts add up; forecasts that are all
    different say nothing about calibration until they are rounded.

    Shapes: two arrays (n,). Units: probabilities in [0, 1], outcomes 0 or 1.

    Source: Murphy 1973.

    Raises:
        DataError: lengths differ, no rows, a NaN, no probabilities, or outcomes but 0 and 1.
    """
    p, y = _scored(forecast, happened)
    values, which = np.unique(p, return_inverse=True)
    counts = np.bincount(which)
    rates = np.bincount(which, weights=y) / counts
    base = float(y.mean())
    share = counts / p.size
    return Murphy(
        float(share @ (values - rates) ** 2),
        float(share @ (rates - base) ** 2),
        base * (1.0 - base),
        base,
    )


def spiegelhalter_z(probabilities: ArrayLike, outcomes: ArrayLike) -> float:
    """Standard normal if the probabilities are calibrated; NaN if all are 0, 1 or one half.

    Shapes: two arrays (n,). Units: probabilities in [0, 1], outcomes 0 or 1.

    Source: Spiegelhalter 1986.

    Raises:
        DataError: lengths differ, no rows, a NaN, no probabilities, or outcomes but 0 and 1.
    """
    p, y = _scored(probabilities, outcomes)
    tilt = 1.0 - 2.0 * p
    spread = math.sqrt(float(np.sum(tilt**2 * p * (1.0 - p))))
    return float(np.sum((y - p) * tilt)) / spread if spread else math.nan


class CalibrationLine(NamedTuple):
    """Slope and intercept of outcomes on log-odds, with standard errors.

    A slope below 1 means forecasts too far from one half, one above 1 too near.
    """

    slope: float
    slope_error: float
    intercept: float
    intercept_error: float


def calibration_line(
    forecast: ArrayLike, happened: ArrayLike, *, weights: ArrayLike | None = None
) -> CalibrationLine:
    """The line of log-odds that would have calibrated the forecasts: 1 and 0 when they are.

    Shapes: columns (n,). Units: probabilities in (0, 1), outcomes 0 or 1; log-odds; ``weights``
    1 / k for each of k rows of one event.

    Source: Cox 1958, by maximum likelihood.

    Raises:
        DataError: lengths differ, one class, a NaN, a probability of 0 or 1, or rows that do not
            determine the line.
    """
    p = probabilities("forecast", forecast)
    y = outcomes(happened, p.size, both=True)
    features = np.column_stack((log_odds(p), np.ones(p.size)))
    fit = ridge_logistic(features, y, row_weights(weights, p.size))
    slope, intercept = (float(x) for x in fit.coefficients)
    errors = np.sqrt(np.diag(fit.covariance))
    return CalibrationLine(slope, float(errors[0]), intercept, float(errors[1]))
