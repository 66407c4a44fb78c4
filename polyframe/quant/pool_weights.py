"""How much a forecast counts beside the market."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyframe.errors import DataError
from polyframe.quant.logistic import ridge_logistic
from polyframe.quant.pooling import log_odds_pool, logit
from polyframe.quant.roots import checked_amount
from polyframe.quant.rows import log_odds, outcomes, probabilities, row_weights

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

ZONE = 1.4
"""Log-odds of a price of 0.8: beyond it the market is hard to beat."""


class PoolWeights(NamedTuple):
    """Weights on the log-odds of a forecast and of the market, and what is added.

    They need not sum to 1. The defaults are for a forecaster about which nothing is known yet.
    """

    forecast: float = 0.15
    market: float = 0.85
    bias: float = 0.0

    def pool(self, forecast: float, market: float) -> float:
        """The pooled probability."""
        return log_odds_pool((forecast, market), (self.forecast, self.market), self.bias)


NEARLY_THE_MARKET = PoolWeights(0.1, 1.0)


def horizon_weights(
    weights: PoolWeights,
    days: float,
    market: float,
    *,
    patience: float = 7.0,
    zone: float = ZONE,
    fade: float = 1.0,
) -> PoolWeights:
    """The weights for one market: less for the forecast near the end and at extreme prices.

    The forecast keeps 1 - exp(-days / patience) of its weight, and beyond the zone of prices
    exp(-(distance in log-odds) / fade) of that. The market gets what the forecast loses.

    Shapes: scalars. Units: days to resolution; price in (0, 1); zone and fade in log-odds.

    Source: language models beat prices early and on open questions and lose to them late and on
    settled ones, TimeSeek 2026 (arXiv 2604.04220); the form is this project's.

    Raises:
        DataError: an argument is out of range.
    """
    checked_amount("days to resolution", days)
    late = -math.expm1(-days / checked_amount("patience", patience, above=0.0))
    beyond = max(0.0, abs(logit(market)) - checked_amount("price zone", zone))
    settled = math.exp(-beyond / checked_amount("fade", fade, above=0.0))
    kept = weights.forecast * late * settled
    return weights._replace(forecast=kept, market=weights.market + weights.forecast - kept)


def fit_pool_weights(
    forecast: ArrayLike,
    market: ArrayLike,
    happened: ArrayLike,
    *,
    penalty: float = 10.0,
    towards: PoolWeights = NEARLY_THE_MARKET,
    weights: ArrayLike | None = None,
) -> PoolWeights:
    """Weights learnt from resolved questions, shrunk towards nearly trusting the market alone.

    Pass only rows that were resolved before the moment the weights are used at.

    Shapes: columns (n,). Units: probabilities in (0, 1), outcomes 0 or 1; ``weights`` 1 / k for
    each of k rows of one event.

    Source: ridge logistic regression on log-odds; the weight on the forecast is the slope of an
    encompassing regression.

    Raises:
        DataError: lengths differ, one class, a NaN, or a probability of 0 or 1.
    """
    f = probabilities("forecast", forecast)
    m = probabilities("market", market, f.size)
    y = outcomes(happened, f.size, both=True)
    features = np.column_stack((log_odds(f), log_odds(m), np.ones(f.size)))
    fit = ridge_logistic(features, y, row_weights(weights, f.size), penalty=penalty, centre=towards)
    return PoolWeights(*(float(b) for b in fit.coefficients))


def adaptive_weights(
    errors: Sequence[float], counts: Sequence[int], *, minimum: int = 100, strength: float = 100.0
) -> list[float]:
    """Weights of models by their mean squared errors so far; they sum to 1.

    Every model's error is smoothed towards the mean of all by ``strength`` imaginary questions; one
    with fewer than ``minimum`` real ones counts as the mean. The weights go with 1 / error.

    Shapes: two sequences (models,). Units: mean squared errors of resolved questions (above 0),
    counts of these.

    Source: inverse-error weights, Bates and Granger 1969, with a conjugate prior.

    Raises:
        DataError: lengths differ, no models, or an error not above 0.
    """
    if len(errors) != len(counts) or not errors:
        raise DataError(f"{len(errors)} errors and {len(counts)} counts of models")
    for error, count in zip(errors, counts, strict=True):
        checked_amount("mean squared error", error, above=0.0)
        checked_amount("number of resolved questions", count)
    checked_amount("strength", strength, above=0.0)
    proven = [(e, n) for e, n in zip(errors, counts, strict=True) if n >= minimum and n > 0]
    if not proven:
        return [1.0 / len(errors)] * len(errors)
    mean = sum(e * n for e, n in proven) / sum(n for _, n in proven)
    smooth = [
        (e * n + mean * strength) / (n + strength) if (e, n) in proven else mean
        for e, n in zip(errors, counts, strict=True)
    ]
    total = sum(1.0 / error for error in smooth)
    return [1.0 / error / total for error in smooth]
