"""Figures of merit: equity, scoring against the market, and intervals over independent events."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyframe.errors import DataError
from polyframe.quant.scoring import (
    bin_of,
    brier,
    brier_skill,
    calibration_error,
    log_loss,
    spiegelhalter_z,
)
from polyframe.quant.significance import RESAMPLES, Interval, bootstrap_mean, t_statistic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "RESAMPLES",
    "Depth",
    "EquityMetrics",
    "Interval",
    "bin_of",
    "bootstrap_mean",
    "brier",
    "brier_skill",
    "calibration_error",
    "daily",
    "drawdown",
    "equity_metrics",
    "log_loss",
    "spiegelhalter_z",
    "t_statistic",
]


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
