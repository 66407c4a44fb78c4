"""Combining probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median
from typing import NamedTuple

from polyframe.errors import DataError
from polyframe.quant.roots import checked_amount, checked_probability

TRIM = 0.2
"""Of five models, one is left out at each end."""


def logit(p: float) -> float:
    """ln(p / (1 - p)).

    Shapes: scalar. Units: probability in (0, 1) to log-odds.

    Raises:
        DataError: p is not strictly between 0 and 1.
    """
    if not 0.0 < p < 1.0:
        raise DataError(f"probability {p!r} has no log-odds", expected="strictly between 0 and 1")
    return math.log(p / (1.0 - p))


def sigmoid(x: float) -> float:
    """The inverse of :func:`logit`, without overflow.

    Shapes: scalar. Units: log-odds to probability.
    """
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def log_odds_pool(
    probabilities: Sequence[float], weights: Sequence[float], bias: float = 0.0
) -> float:
    """sigmoid(bias + sum of weight x log-odds). The weights need not sum to 1.

    Shapes: two sequences of one length. Units: probabilities in (0, 1).

    Source: the logarithmic opinion pool, Genest and Zidek 1986.
    """
    if len(probabilities) != len(weights):
        raise DataError(f"{len(probabilities)} probabilities but {len(weights)} weights")
    return sigmoid(bias + sum(w * logit(p) for p, w in zip(probabilities, weights, strict=True)))


def clamp(p: float, least: float = 0.01, most: float = 0.99) -> float:
    """The probability within bounds that keep one forecast from deciding a pool alone.

    Shapes: scalar. Units: probabilities.

    Raises:
        DataError: it is no probability.
    """
    return min(most, max(least, checked_probability("probability", p)))


def mean_probability(probabilities: Sequence[float]) -> float:
    """The arithmetic mean.

    Shapes: (n,). Units: probabilities in [0, 1].

    Raises:
        DataError: there are none, or one is no probability.
    """
    return fmean(_checked(probabilities))


def median_probability(probabilities: Sequence[float]) -> float:
    """The median; the middle of the two central values for an even number.

    Shapes: (n,). Units: probabilities in [0, 1].

    Raises:
        DataError: there are none, or one is no probability.
    """
    return median(_checked(probabilities))


def trimmed_mean(probabilities: Sequence[float], proportion: float = TRIM) -> float:
    """The mean without the floor(n x proportion) least and as many greatest.

    Shapes: (n,). Units: probabilities in [0, 1]; proportion in [0, 0.5).

    Raises:
        DataError: there are none, one is no probability, or the proportion leaves none.
    """
    return fmean(_trimmed(_checked(probabilities), proportion))


def geometric_odds(probabilities: Sequence[float]) -> float:
    """The geometric mean of odds, sigmoid(mean log-odds).

    Shapes: (n,). Units: probabilities in (0, 1).

    Raises:
        DataError: there are none, or one has no log-odds.
    """
    return extremise(probabilities, 1.0)


def extremise(probabilities: Sequence[float], factor: float, base_rate: float = 0.5) -> float:
    """The mean log-odds moved away from a base rate's by a factor; 1 is the geometric mean.

    A factor above 1 holds for forecasters who know different things. Runs of one model do not:
    there, fit it (:mod:`polyframe.quant.calibration`).

    Shapes: (n,). Units: probabilities in (0, 1).

    Source: Neyman and Roughgarden 2021; Satopaa et al. 2014.

    Raises:
        DataError: there are none, one has no log-odds, or the factor is negative.
    """
    checked_amount("factor", factor)
    anchor = logit(base_rate)
    mean = fmean(logit(p) for p in _checked(probabilities))
    return sigmoid(anchor + factor * (mean - anchor))


def neyman_roughgarden_factor(n: int) -> float:
    """How far to move n forecasters with independent knowledge: 1 for one, to the root of 3.

    Shapes: scalar. Units: a count to a factor of log-odds.

    Source: Neyman and Roughgarden 2021: n (sqrt(3 n^2 - 3 n + 1) - 2) / (n^2 - n - 1).

    Raises:
        DataError: fewer than one.
    """
    if n < 1:
        raise DataError(f"{n} forecasters", expected="one or more")
    return n * (math.sqrt(3 * n * n - 3 * n + 1) - 2) / (n * n - n - 1)


def trimmed_logit_mean(models: Sequence[Sequence[float]], proportion: float = TRIM) -> float:
    """The default aggregate: each model's median, then their trimmed mean in log-odds.

    Runs of one model are not independent, so each model has one vote. With fewer models than
    1 / proportion nothing is trimmed.

    Shapes: one sequence of probabilities a model. Units: probabilities in (0, 1).

    Source: medians and trimming as in Jose and Winkler 2008.

    Raises:
        DataError: no models, one without a forecast, or a probability without log-odds.
    """
    if not models:
        raise DataError("no models to aggregate", expected="one or more")
    votes = [logit(median_probability(runs)) for runs in models]
    return sigmoid(fmean(_trimmed(votes, proportion)))


class Shrunk(NamedTuple):
    """A probability between trials and a prior; see :func:`logit_shrinkage`.

    Units: ``weight`` is that of the trials, ``deviation`` in log-odds.
    """

    probability: float
    weight: float
    deviation: float


def logit_shrinkage(
    probabilities: Sequence[float], prior_logit: float, trial_variance: float, prior_variance: float
) -> Shrunk:
    """The posterior of repeated trials around a prior, both normal in log-odds.

    Shapes: (trials,). Units: probabilities in (0, 1); log-odds and their squares.

    Source: the normal model with known variances, Gelman et al. 2013, 2.5.

    Raises:
        DataError: no trials, one without log-odds, or a variance not above 0.
    """
    trials = len(_checked(probabilities)) / checked_amount(
        "trial variance", trial_variance, above=0.0
    )
    prior = 1.0 / checked_amount("prior variance", prior_variance, above=0.0)
    weight = trials / (trials + prior)
    mean = fmean(logit(p) for p in probabilities)
    x = weight * mean + (1.0 - weight) * prior_logit
    return Shrunk(sigmoid(x), weight, math.sqrt(1.0 / (trials + prior)))


def _checked(probabilities: Sequence[float]) -> Sequence[float]:
    if not len(probabilities):
        raise DataError("no probabilities to combine", expected="one or more")
    for p in probabilities:
        checked_probability("probability", p)
    return probabilities


def _trimmed(values: Sequence[float], proportion: float) -> list[float]:
    if not 0.0 <= proportion < 0.5:
        raise DataError(f"trimmed proportion {proportion!r} is outside [0, 0.5)")
    # 0.29 x 100 is 28.999999999999996: the product may fall just below what was meant.
    drop = math.floor(len(values) * proportion + 1e-9)
    return sorted(values)[drop : len(values) - drop]
