"""A market's regime on paths that are known to have one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from polyframe.errors import DataError
from polyframe.quant.multipliers import REGIME
from polyframe.quant.regime import UNSEEN, market_regime, variance_ratio


def path(changes) -> np.ndarray:
    return 1 / (1 + np.exp(-np.cumsum(np.concatenate([[0.0], changes]))))


def noise(seed: int, n: int = 200) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.05, n)


def test_pure_chance_is_normal_nearly_always() -> None:
    names = [market_regime(path(noise(seed))).name for seed in range(300)]
    assert names.count("NORMAL") / 300 >= 0.93
    assert set(names) <= set(REGIME)


def test_a_trend_reversion_noise_and_silence_are_told_apart() -> None:
    e = noise(1)
    trending = e.copy()
    reverting = e.copy()
    for k in range(1, len(e)):
        trending[k] += 0.5 * trending[k - 1]
        reverting[k] -= 0.5 * reverting[k - 1]
    assert market_regime(path(trending)).name == "TRENDING"
    assert market_regime(path(reverting)).name == "MEAN_REVERTING"
    still = np.zeros(200)
    still[::20] = 0.1
    assert market_regime(path(still)).name == "LOW_ACTIVITY"
    assert market_regime(np.full(100, 0.5)).name == "LOW_ACTIVITY"


@pytest.mark.parametrize(("louder", "name"), [(1.8, "NORMAL"), (2.2, "HIGH_VOLATILITY")])
def test_a_last_quarter_twice_as_loud_is_high_volatility(louder, name) -> None:
    quiet = np.where(np.arange(180) % 4 < 2, 0.05, -0.05)
    found = market_regime(path(np.concatenate([quiet, louder * quiet[:60]])))
    assert found.recent == pytest.approx(louder * found.usual)
    assert (found.name == "HIGH_VOLATILITY") == (name == "HIGH_VOLATILITY")


@pytest.mark.parametrize("n", [0, 1, 2, 32])
def test_too_little_says_nothing(n) -> None:
    assert market_regime(np.linspace(0.2, 0.8, n)) is UNSEEN


@pytest.mark.parametrize("wrong", [math.nan, -0.1, 1.1, math.inf])
def test_a_price_that_is_none_is_refused(wrong) -> None:
    with pytest.raises(DataError, match="outside"):
        market_regime([0.5] * 40 + [wrong])


def slow_ratio(changes: list[float], lag: int) -> tuple[float, float]:
    n, total = len(changes), sum(c * c for c in changes)
    sums = [sum(changes[k : k + lag]) for k in range(n - lag + 1)]
    ratio = sum(s * s for s in sums) / len(sums) / (lag * total / n)
    spread = 0.0
    for j in range(1, lag):
        moment = sum(changes[t] ** 2 * changes[t - j] ** 2 for t in range(j, n)) / total**2
        spread += (2 * (lag - j) / lag) ** 2 * moment
    return ratio, (ratio - 1) / math.sqrt(spread)


@pytest.mark.parametrize("seed", range(20))
def test_the_ratio_is_the_formula_written_out(seed) -> None:
    changes = noise(seed, 60)
    assert variance_ratio(changes) == pytest.approx(slow_ratio(list(changes), 4))


def test_a_ratio_needs_two_lags() -> None:
    with pytest.raises(DataError, match="7 changes"):
        variance_ratio(np.ones(7))
    assert variance_ratio(np.zeros(50)) == (1.0, 0.0)
