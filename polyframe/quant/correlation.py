"""How binary outcomes move together: bounds, effective numbers and joint tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyframe.errors import DataError
from polyframe.quant.roots import checked_amount, checked_probability, falling_root

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_CLUSTERED = 7
"""2^7 = 128 joint outcomes; the next power passes what the scenario bet takes."""

_NODES = 48
"""Quadrature points of the common factor."""


class CorrelationBounds(NamedTuple):
    """The least and the greatest correlation that two binary outcomes can have."""

    low: float
    high: float


def binary_correlation_bounds(first: float, second: float) -> CorrelationBounds:
    """What correlations two outcomes of these probabilities allow.

    Shapes: scalars. Units: probabilities in (0, 1) to Pearson correlations.

    Source: Frechet 1951: the joint probability lies in [max(0, p + q - 1), min(p, q)].

    Raises:
        DataError: a probability is not strictly between 0 and 1.
    """
    for p in (first, second):
        if not 0.0 < p < 1.0:
            raise DataError(f"an outcome of probability {p!r} has no correlation")
    spread = math.sqrt(first * (1.0 - first) * second * (1.0 - second))
    least = max(0.0, first + second - 1.0) - first * second
    most = min(first, second) - first * second
    return CorrelationBounds(max(-1.0, least / spread), min(1.0, most / spread))


def effective_bets(bets: float, correlation: float) -> float:
    """How many independent bets so many equally correlated ones are worth.

    Shapes: scalars. Units: counts; Pearson correlation.

    Source: N / (1 + (N - 1) rho), the variance of a mean.

    Raises:
        DataError: no bets, or a correlation that so many cannot have.
    """
    n = checked_amount("number of bets", bets, above=0.0)
    inflation = 1.0 + (n - 1.0) * correlation
    if not (-1.0 <= correlation <= 1.0 and inflation > 0.0):
        raise DataError(f"{n:g} bets cannot all have the correlation {correlation!r}")
    return n / inflation


class Scenarios(NamedTuple):
    """What each of several bets pays in each scenario, and how likely the scenario is.

    Shapes: weights (scenarios,), payouts (scenarios, bets). Units: probabilities that sum to 1,
    payout a share.
    """

    weights: Floats
    payouts: Floats


def pair_scenarios(first: float, second: float, correlation: float) -> Scenarios:
    """The joint table of two outcomes, the correlation clipped to what they allow.

    Shapes: scalars to (4,) and (4, 2). Units: probabilities; Pearson correlation.

    Source: p11 = p q + rho sqrt(p (1 - p) q (1 - q)).

    Raises:
        DataError: a probability is not strictly between 0 and 1, the correlation is no number.
    """
    low, high = binary_correlation_bounds(first, second)
    if math.isnan(correlation):
        raise DataError("the correlation is nan", expected="a number from -1 to 1")
    rho = min(max(correlation, low), high)
    both = first * second + rho * math.sqrt(first * (1.0 - first) * second * (1.0 - second))
    table = np.array([both, first - both, second - both, 1.0 - first - second + both])
    table = np.maximum(table, 0.0)
    payouts = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    return Scenarios(table / table.sum(), payouts)


def cluster_scenarios(probabilities: Sequence[float], correlation: float) -> Scenarios:
    """All joint outcomes of a few markets that share one cause.

    The correlation is that of the hidden causes, not of the outcomes: every outcome happens when a
    normal variable, part common and part its own, is low enough. Probabilities are kept exactly.

    Shapes: (bets,), at most 7, to (2 ** bets,) and (2 ** bets, bets). Units: probabilities in
    (0, 1); latent correlation in [0, 1).

    Source: the one-factor Gaussian copula, Vasicek 1987, by Gauss-Hermite quadrature.

    Raises:
        DataError: too many or no bets, or an argument out of range.
    """
    if not 1 <= len(probabilities) <= MOST_CLUSTERED:
        raise DataError(
            f"a cluster of {len(probabilities)} bets",
            expected=f"1 to {MOST_CLUSTERED}; take the largest, or size by effective_bets",
        )
    if not 0.0 <= correlation < 1.0:
        raise DataError(f"latent correlation {correlation!r} is outside [0, 1)")
    nodes, mass = np.polynomial.hermite_e.hermegauss(_NODES)
    mass = mass / mass.sum()
    normal = NormalDist()
    common, own = math.sqrt(correlation), math.sqrt(1.0 - correlation)
    given = np.empty((len(probabilities), _NODES))
    for k, p in enumerate(probabilities):
        if not 0.0 < checked_probability("probability", p) < 1.0:
            raise DataError(f"probability {p!r} is outside (0, 1)")

        def missing(bound: float, wanted: float = p) -> float:
            reached = [normal.cdf((bound - common * z) / own) for z in nodes]
            return wanted - float(np.dot(mass, reached))

        # Not the normal quantile itself: quadrature of a steep step would miss the probability.
        bound = falling_root(missing, -60.0, 60.0)
        given[k] = [normal.cdf((bound - common * z) / own) for z in nodes]
    payouts = np.array(list(product((1.0, 0.0), repeat=len(probabilities))))
    chance = np.where(payouts[:, :, None] > 0.5, given[None], 1.0 - given[None]).prod(axis=1)
    weights = chance @ mass
    return Scenarios(weights / weights.sum(), payouts)
