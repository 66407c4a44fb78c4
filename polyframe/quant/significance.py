"""Whether a difference is more than luck: intervals, tests and how many questions they need."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from polyframe.errors import DataError
from polyframe.quant.logistic import ridge_logistic
from polyframe.quant.roots import checked_amount
from polyframe.quant.rows import column, event_numbers, log_odds, outcomes, probabilities

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

RESAMPLES = 10_000
_BLOCK = 2_000_000
"""Cells of one block of resamples, so that memory stays flat for many events."""


def t_statistic(differences: Floats) -> float:
    """Mean over standard error (ddof=1) of independent differences.

    Shapes: (n,), n >= 2. Units: any.
    """
    error = float(differences.std(ddof=1)) / math.sqrt(differences.size)
    return float(differences.mean()) / error if error else math.nan


class Interval(NamedTuple):
    """A mean with the ends of its interval; the ends are NaN when they cannot be known."""

    mean: float
    low: float
    high: float
    n: int


def bootstrap_mean(
    values: Floats, *, seed: int, level: float = 0.95, resamples: int = RESAMPLES
) -> Interval:
    """The mean of independent values with its bias-corrected and accelerated bootstrap interval.

    The values must be independent: one per event, never one per trade. With fewer than two values
    there is no interval.

    Shapes: (n,). Units: those of the values.

    Source: Efron 1987, "Better bootstrap confidence intervals".

    Raises:
        DataError: a value is not finite.
    """
    n = int(values.size)
    if n == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    column("value", values)
    mean = float(values.mean())
    if n < 2:
        return Interval(mean, math.nan, math.nan, n)
    if float(np.ptp(values)) == 0.0:
        return Interval(mean, mean, mean, n)
    means = _resampled_means(values, seed, resamples)
    normal = NormalDist()
    below = (np.sum(means < mean) + 0.5 * np.sum(means == mean)) / resamples
    bias = normal.inv_cdf(min(max(float(below), 1.0 / resamples), 1.0 - 1.0 / resamples))
    centred = mean - (values.sum() - values) / (n - 1)  # jackknife means around their mean
    centred = centred / float(
        np.abs(centred).max() or 1.0
    )  # the skew has no scale, cubes may vanish
    power = float(np.sum(centred**2)) ** 1.5
    skew = float(np.sum(centred**3)) / (6.0 * power) if power else 0.0
    tail = (1.0 - level) / 2.0
    ends = []
    for z in (normal.inv_cdf(tail), normal.inv_cdf(1.0 - tail)):
        shifted = bias + (bias + z) / (1.0 - skew * (bias + z))
        ends.append(normal.cdf(shifted))
    low, high = np.quantile(means, ends)
    return Interval(mean, float(low), float(high), n)


def _resampled_means(values: Floats, seed: int, resamples: int) -> Floats:
    rng = np.random.Generator(np.random.PCG64(seed))
    n = values.size
    step = max(1, _BLOCK // n)
    means = np.empty(resamples)
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        means[start:stop] = values[rng.integers(0, n, size=(stop - start, n))].mean(axis=1)
    return means


def wilson_interval(rate: float, n: int, *, level: float = 0.95) -> Interval:
    """A frequency over n independent events with its interval, also for 0 and 1 and for few.

    Shapes: scalars. Units: the rate in [0, 1], a mean over events.

    Source: Wilson 1927.

    Raises:
        DataError: no events, or a rate outside [0, 1].
    """
    if n < 1 or not 0.0 <= rate <= 1.0:
        raise DataError(f"rate {rate!r} of {n} events", expected="0 to 1 of one event or more")
    z = NormalDist().inv_cdf(0.5 + level / 2.0)
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return Interval(rate, max(0.0, middle - half), min(1.0, middle + half), n)


def event_means(values: ArrayLike, events: Sequence[Any] | NDArray[Any]) -> Floats:
    """The mean of each event's rows, events in the order of their names.

    Rows of one event, such as several rounds of one question, are one observation.

    Shapes: two columns (n,) to (events,). Units: those of the values.

    Raises:
        DataError: lengths differ, no rows, or a NaN.
    """
    rows = column("value", values)
    which = event_numbers(events, rows.size)
    return np.bincount(which, weights=rows) / np.bincount(which)


def paired_difference(
    losses: ArrayLike,
    reference: ArrayLike,
    events: Sequence[Any] | NDArray[Any],
    *,
    seed: int,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """How much lower losses are than a reference's on the same rows, by event, with its interval.

    Above 0 is better than the reference. Each event has one vote, and events are resampled.

    Shapes: columns (n,). Units: those of the losses (squared errors, nats).

    Source: the bootstrap over clusters, Field and Welsh 2007, with BCa ends.

    Raises:
        DataError: lengths differ, no rows, or a NaN.
    """
    own = column("loss", losses)
    other = column("loss of the reference", reference, own.size)
    return bootstrap_mean(
        event_means(other - own, events), seed=seed, level=level, resamples=resamples
    )


class Encompassing(NamedTuple):
    """What a forecast knows beyond the market; see :func:`encompassing`.

    ``slope`` is also the weight that the forecast deserves in a pool with the market.
    """

    slope: float
    error: float
    score_z: float
    events: int


def encompassing(
    forecast: ArrayLike,
    market: ArrayLike,
    happened: ArrayLike,
    events: Sequence[Any] | NDArray[Any] | None = None,
) -> Encompassing:
    """The slope b of logit P = logit m + b (logit f - logit m): 0 when the market knows it all.

    ``score_z`` tests b = 0 without the fit and is standard normal then. With events, rows of one
    event may depend on one another in any way: both errors are the clustered ones.

    Shapes: columns (n,). Units: probabilities in (0, 1), outcomes 0 or 1; log-odds.

    Source: forecast encompassing, Chong and Hendry 1986; sandwich errors, Liang and Zeger 1986.

    Raises:
        DataError: lengths differ, one class, a NaN, a probability of 0 or 1; the forecast is the
            market; fewer than two events; rows that do not determine the slope.
    """
    f = probabilities("forecast", forecast)
    m = probabilities("market", market, f.size)
    y = outcomes(happened, f.size, both=True)
    base = log_odds(m)
    gap = log_odds(f) - base
    if not np.any(gap):
        raise DataError("the forecasts are the market's prices", expected="forecasts of their own")
    fit = ridge_logistic(gap[:, None], y, np.ones(f.size), offset=base)
    slope, spread = float(fit.coefficients[0]), float(fit.covariance[0, 0])
    score = gap * (y - m)
    if events is None:
        information = float(np.sum(gap**2 * m * (1.0 - m)))
        return Encompassing(
            slope, math.sqrt(spread), float(score.sum()) / math.sqrt(information), f.size
        )
    which = event_numbers(events, f.size)
    count = int(which.max()) + 1
    if count < 2:
        raise DataError("all rows belong to one event", expected="two or more")
    few = count / (count - 1.0)
    fitted = 1.0 / (1.0 + np.exp(-(base + slope * gap)))
    meat = few * float(np.sum(np.bincount(which, weights=gap * (y - fitted)) ** 2))
    null = few * float(np.sum(np.bincount(which, weights=score) ** 2))
    z = float(score.sum()) / math.sqrt(null) if null else math.nan
    return Encompassing(slope, spread * math.sqrt(meat), z, count)


def e_process(forecast: ArrayLike, market: ArrayLike, happened: ArrayLike) -> Floats:
    """The wealth, after each row, of one unit that bets the forecast fully against the market.

    If the market is right, the chance that it ever reaches 20 is at most 1 in 20, whenever one
    looks. Rows must come in the order in which they were resolved, one an event.

    Shapes: columns (n,) to (n,). Units: probabilities in (0, 1), outcomes 0 or 1; multiples of 1.

    Source: test martingales and Ville's inequality, Shafer et al. 2011.

    Raises:
        DataError: lengths differ, a NaN, or a probability of 0 or 1.
    """
    f = probabilities("forecast", forecast)
    m = probabilities("market", market, f.size)
    y = outcomes(happened, f.size)
    steps = np.where(y > 0.5, np.log(f) - np.log(m), np.log1p(-f) - np.log1p(-m))
    # e^709 is the greatest power that a float holds.
    found: Floats = np.exp(np.minimum(np.cumsum(steps), 709.0))
    return found


def e_value(forecast: ArrayLike, market: ArrayLike, happened: ArrayLike) -> float:
    """The evidence against the market being right: the last value of :func:`e_process`.

    Shapes: columns (n,). Units: probabilities in (0, 1), outcomes 0 or 1; 20 and more rejects.

    Source: Shafer et al. 2011.

    Raises:
        DataError: lengths differ, a NaN, or a probability of 0 or 1.
    """
    return float(e_process(forecast, market, happened)[-1])


def realised_edge_z(costs: ArrayLike, happened: ArrayLike) -> float:
    """Standard normal if shares bought at these costs were fairly priced.

    The side must have been chosen before; costs include fees. One row an event.

    Shapes: columns (n,). Units: all-in costs in (0, 1) a share, outcomes 1 if the share paid.

    Source: sum of (y - c) over the root of sum of c (1 - c).

    Raises:
        DataError: lengths differ, a NaN, or a cost of 0 or 1.
    """
    c = probabilities("cost", costs)
    y = outcomes(happened, c.size)
    return float(np.sum(y - c)) / math.sqrt(float(np.sum(c * (1.0 - c))))


class Questions(NamedTuple):
    """How many resolved questions three tests need; see :func:`power_questions`."""

    realised_edge: float
    brier_difference: float
    e_value: float


def power_questions(
    edge: float,
    variance: float = 0.2,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    per_event: float = 1.0,
    correlation: float = 0.0,
) -> Questions:
    """Questions that must be resolved before an edge over the market shows.

    For a one-sided test of realised edge, one of the difference in Brier scores (of a forecast that
    is exactly right) and, on average, an e-value of 1 / alpha. Questions that share an event with
    others count for less.

    Shapes: scalars. Units: edge and variance p (1 - p) of probabilities; ``per_event`` questions,
    correlated by ``correlation`` within it.

    Source: normal approximation (z_alpha + z_power)^2 v / e^2; the Brier difference has four times
    the variance; the e-value grows by e^2 / (2 v) nats; the design effect of Kish 1965.

    Raises:
        DataError: an argument is out of range.
    """
    checked_amount("edge", edge, above=0.0)
    if not 0.0 < variance <= 0.25:
        raise DataError(f"variance {variance!r} is outside (0, 0.25]")
    if not (0.0 < alpha < 1.0 and 0.0 < power < 1.0):
        raise DataError(f"level {alpha!r} and power {power!r}", expected="inside (0, 1)")
    if not (per_event >= 1.0 and 0.0 <= correlation <= 1.0):
        raise DataError(f"{per_event!r} questions an event, correlated by {correlation!r}")
    normal = NormalDist()
    z = normal.inv_cdf(1.0 - alpha) + normal.inv_cdf(power)
    design = 1.0 + (per_event - 1.0) * correlation
    needed = z * z * variance / edge**2
    growth = edge**2 / (2.0 * variance)
    return Questions(needed * design, 4.0 * needed * design, -math.log(alpha) / growth * design)


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """The least false discovery rate at which each hypothesis is rejected, in the order given.

    Shapes: (n,) to (n,). Units: p-values in [0, 1] to q-values.

    Source: Benjamini and Hochberg 1995.

    Raises:
        DataError: none, a NaN, or one outside [0, 1].
    """
    p = column("p-value", p_values)
    if p.min() < 0.0 or p.max() > 1.0:
        raise DataError(f"p-values from {p.min()} to {p.max()}", expected="from 0 to 1")
    order = np.argsort(p, kind="stable")
    scaled = p[order] * p.size / np.arange(1, p.size + 1)
    found = np.empty(p.size)
    found[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return found
