"""How a market's price has been moving."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyframe.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEWEST = 32
"""Changes of the price below which nothing is said."""

LAG = 4
QUIET = 0.9
"""Share of unchanged prices from which a market is hardly traded."""
LOUD = 2.0
"""Recent over usual volatility from which it is high."""
_Z = 1.96
_EDGE = 0.001
"""Prices are kept so far from 0 and 1: there the log-odds of a tick are without bound."""


class Regime(NamedTuple):
    """A market's regime and what it was told by; see :func:`market_regime`.

    ``recent`` and ``usual`` are 0 where too little was seen.
    """

    name: str
    recent: float
    usual: float
    variance_ratio: float
    z: float


UNSEEN = Regime("NORMAL", 0.0, 0.0, 1.0, 0.0)


def market_regime(prices: Sequence[float] | Floats) -> Regime:
    """NORMAL, TRENDING, MEAN_REVERTING, HIGH_VOLATILITY or LOW_ACTIVITY, by the last prices.

    The first that holds: nine of ten prices are those before (LOW_ACTIVITY); the last quarter moved
    twice as much as those before (HIGH_VOLATILITY); the variance of four steps is significantly
    more than four times that of one (TRENDING) or less (MEAN_REVERTING). NORMAL otherwise, and
    where fewer than 32 changes were seen.

    Shapes: (n,), oldest first. Units: probabilities; volatilities in log-odds a step.

    Source: variance ratio with the test that allows for changing variance, Lo and MacKinlay 1988.

    Raises:
        DataError: a price is outside [0, 1].
    """
    p = np.asarray(prices, dtype=np.float64)
    if p.size and not bool(np.all((p >= 0.0) & (p <= 1.0))):
        raise DataError(
            f"price {float(p[~((p >= 0.0) & (p <= 1.0))][0])!r} is outside [0, 1]",
            expected="prices as fractions of 1",
        )
    if p.size <= FEWEST:
        return UNSEEN
    p = np.clip(p, _EDGE, 1.0 - _EDGE)
    changes = np.diff(np.log(p / (1.0 - p)))
    last = changes.size - changes.size // 4
    usual = math.sqrt(float(np.mean(changes[:last] ** 2)))
    recent = math.sqrt(float(np.mean(changes[last:] ** 2)))
    ratio, z = variance_ratio(changes)
    name = "NORMAL"
    if float(np.mean(changes == 0.0)) >= QUIET:
        name = "LOW_ACTIVITY"
    elif recent >= LOUD * usual:
        name = "HIGH_VOLATILITY"
    elif abs(z) > _Z:
        name = "TRENDING" if z > 0.0 else "MEAN_REVERTING"
    return Regime(name, recent, usual, ratio, z)


def variance_ratio(changes: Floats, lag: int = LAG) -> tuple[float, float]:
    """The variance of ``lag`` steps over ``lag`` times that of one, and how far from 1 in errors.

    Shapes: (n,). Units: any; a ratio and a standard normal deviate, (1, 0) without variance.

    Source: Lo and MacKinlay 1988, without drift, because a price is a martingale.

    Raises:
        DataError: fewer changes than two lags.
    """
    n = changes.size
    if n < 2 * lag:
        raise DataError(
            f"{n} changes for a variance ratio over {lag}", expected=f"{2 * lag} or more"
        )
    squares = changes**2
    total = float(squares.sum())
    if total <= 0.0:
        return 1.0, 0.0
    sums = np.convolve(changes, np.ones(lag), mode="valid")
    ratio = float(np.mean(sums**2)) / (lag * total / n)
    spread = sum(
        (2.0 * (lag - j) / lag) ** 2 * float(squares[j:] @ squares[:-j]) / total**2
        for j in range(1, lag)
    )
    return ratio, (ratio - 1.0) / math.sqrt(spread) if spread > 0.0 else 0.0
