"""Figures of merit: equity, scoring against the market, and intervals over independent events."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyframe.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RESAMPLES = 10_000
_BLOCK = 2_000_000
"""Cells of one block of resamples, so that memory stays flat for many events."""


class EquityMetrics(NamedTuple):
    """Ratios of an equity series; NaN where the series does not define them."""

    sharpe: float
    sortino: float
    max_drawdown: float
    cagr: float
    calmar: float
    ulcer: float
    mean: float
    std: float
    skew: float
    kurtosis_raw: float


def equity_metrics(equity: Sequence[float] | Floats, periods_per_year: float) -> EquityMetrics:
    """Annualised ratios of equity sampled at equal intervals.

    With simple returns r: sharpe = mean / std(ddof=1) x sqrt(ppy), sortino divides by the root mean
    square of negative returns, max_drawdown = min(equity / peak - 1), cagr = (end / start) **
    (ppy / n) - 1, calmar = cagr / |max_drawdown|, ulcer = root mean square drawdown. Kurtosis is
    raw (3 for a normal distribution).

    Shapes: equity (n + 1,), n >= 2. Units: equity in any currency unit, above zero.

    Raises:
        DataError: fewer than three values, or one that is not finite and above zero.
    """
    values = np.asarray(equity, dtype=np.float64)
    if values.size < 3 or not np.all(np.isfinite(values)) or np.any(values <= 0):
        raise DataError(
            f"an equity series of {values.size} values has no ratios",
            expected="at least three finite values above zero",
        )
    returns = values[1:] / values[:-1] - 1.0
    n = returns.size
    mean, std = float(returns.mean()), float(returns.std(ddof=1))
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
    depth = values / np.maximum.accumulate(values) - 1.0
    worst = float(depth.min())
    cagr = float((values[-1] / values[0]) ** (periods_per_year / n) - 1.0)
    spread = float(returns.std())
    centred = returns - mean
    year = math.sqrt(periods_per_year)
    return EquityMetrics(
        sharpe=_ratio(mean, std) * year,
        sortino=_ratio(mean, downside) * year,
        max_drawdown=worst,
        cagr=cagr,
        calmar=_ratio(cagr, abs(worst)),
        ulcer=math.sqrt(float(np.mean(depth**2))),
        mean=mean,
        std=std,
        skew=_ratio(float(np.mean(centred**3)), spread**3),
        kurtosis_raw=_ratio(float(np.mean(centred**4)), spread**4),
    )


def _ratio(a: float, b: float) -> float:
    return a / b if b else math.nan


def brier(probabilities: Floats, outcomes: Floats) -> float:
    """The mean squared error of probabilities: 0 is perfect, 0.25 is always saying one half.

    Shapes: two arrays (n,). Units: probabilities in [0, 1], outcomes 0 or 1.
    """
    return float(np.mean((probabilities - outcomes) ** 2))


def log_loss(probabilities: Floats, outcomes: Floats) -> float:
    """The mean of -ln(probability given to what happened).

    Shapes: two arrays (n,). Units: probabilities in (0, 1), outcomes 0 or 1.
    """
    return float(-np.mean(np.log(np.where(outcomes > 0.5, probabilities, 1.0 - probabilities))))


def brier_skill(model: float, reference: float) -> float:
    """1 - model / reference: the share of the reference's Brier score that the model removes."""
    return 1.0 - _ratio(model, reference)


def calibration_error(probabilities: Floats, outcomes: Floats, bins: int = 10) -> float:
    """The mean gap between forecast and frequency over equal-width bins, weighted by count.

    Bins are closed on the left: [k / bins, (k + 1) / bins), the last one on both sides.

    Shapes: two arrays (n,). Units: probabilities in [0, 1], outcomes 0 or 1.
    """
    which = bin_of(probabilities, bins)
    gap = 0.0
    for k in range(bins):
        inside = which == k
        if inside.any():
            gap += inside.sum() * abs(probabilities[inside].mean() - outcomes[inside].mean())
    return float(gap / probabilities.size)


def bin_of(probabilities: Floats, bins: int = 10) -> NDArray[np.int64]:
    """The left-closed bin of each probability.

    Shapes: (n,) to (n,). Units: probabilities in [0, 1].
    """
    # 0.3 * 10 is 3.0000000000000004 - eps away from 3 for some inputs: edges are compared instead.
    edges = np.arange(1, bins) / bins
    return np.searchsorted(edges, probabilities, side="right").astype(np.int64)


def t_statistic(differences: Floats) -> float:
    """Mean over standard error (ddof=1) of independent differences.

    Shapes: (n,), n >= 2. Units: any.
    """
    return _ratio(
        float(differences.mean()), float(differences.std(ddof=1)) / math.sqrt(differences.size)
    )


def spiegelhalter_z(probabilities: Floats, outcomes: Floats) -> float:
    """Standard normal if the probabilities are calibrated.

    Shapes: two arrays (n,). Units: probabilities in [0, 1], outcomes 0 or 1.

    Source: Spiegelhalter 1986.
    """
    p, tilt = probabilities, 1.0 - 2.0 * probabilities
    spread = math.sqrt(float(np.sum(tilt**2 * p * (1.0 - p))))
    return _ratio(float(np.sum((outcomes - p) * tilt)), spread)


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
    """
    n = int(values.size)
    if n == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
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


class Depth(NamedTuple):
    """The deepest fall of a series and the time below earlier peaks.

    Units: amount as the series (>= 0), ``share`` of the peak, indices into the series, times ns.
    """

    amount: int
    share: float
    peak: int
    trough: int
    under_water: int
    longest: int


def drawdown(ts: NDArray[np.int64], equity: NDArray[np.int64]) -> Depth:
    """The deepest fall of an equity series, where it began and ended, and the time under water.

    A stretch under water runs from the last peak to the first later value that reaches it again.

    Shapes: two arrays (n,), times ascending. Units: ns and money.
    """
    if equity.size == 0:
        return Depth(0, 0.0, 0, 0, 0, 0)
    peaks = np.maximum.accumulate(equity)
    fall = peaks - equity
    trough = int(np.argmax(fall))
    peak = int(np.argmax(equity[: trough + 1] == peaks[trough]))
    share = float(fall[trough] / peaks[trough]) if peaks[trough] > 0 else 0.0
    dry = np.flatnonzero(fall == 0)
    gaps = np.diff(np.append(ts[dry], ts[-1]))
    # Two dry rows next to each other have no water between them.
    wet = np.append(np.diff(dry) > 1, dry[-1] < equity.size - 1)
    stretches = gaps[wet]
    return Depth(
        int(fall[trough]),
        share,
        peak,
        trough,
        int(stretches.sum()) if stretches.size else 0,
        int(stretches.max()) if stretches.size else 0,
    )


def daily(ts: NDArray[np.int64], equity: NDArray[np.int64]) -> NDArray[np.int64]:
    """The last equity of each UTC day, days without a value carried forward.

    Shapes: two arrays (n,), times ascending, to (days,). Units: ns and money.
    """
    if equity.size == 0:
        return equity
    days = ts // 86_400_000_000_000
    wanted = np.arange(days[0], days[-1] + 1)
    return equity[np.searchsorted(days, wanted, side="right") - 1]
