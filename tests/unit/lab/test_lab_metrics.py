"""Figures of merit against reference vectors, slow twins and what they mean."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.domain.units import DAY, HOUR
from polyframe.errors import DataError
from polyframe.lab import metrics

SCORES = {
    "brier_model": lambda y, p, m: metrics.brier(p, y),
    "brier_market": lambda y, p, m: metrics.brier(m, y),
    "brier_skill_vs_market": lambda y, p, m: metrics.brier_skill(
        metrics.brier(p, y), metrics.brier(m, y)
    ),
    "log_loss_model": lambda y, p, m: metrics.log_loss(p, y),
    "log_loss_market": lambda y, p, m: metrics.log_loss(m, y),
    "ece10_equal_width_model": lambda y, p, m: metrics.calibration_error(p, y),
    "ece10_equal_width_market": lambda y, p, m: metrics.calibration_error(m, y),
    "mean_delta_brier": lambda y, p, m: float(np.mean((m - y) ** 2 - (p - y) ** 2)),
    "t_delta_brier": lambda y, p, m: metrics.t_statistic((m - y) ** 2 - (p - y) ** 2),
    "spiegelhalter_z_model": lambda y, p, m: metrics.spiegelhalter_z(p, y),
    "spiegelhalter_z_market": lambda y, p, m: metrics.spiegelhalter_z(m, y),
}


def test_equity_metrics_reproduce_the_reference(vectors) -> None:
    group = vectors["equity_metrics"]
    for case in group["cases"]:
        given_, wanted = case["in"], case["out"]
        found = metrics.equity_metrics(given_["equity"], given_["periods_per_year"])
        assert set(wanted) == set(found._fields)
        for name, value in wanted.items():
            assert getattr(found, name) == pytest.approx(value, rel=group["tolerance"]), name


@pytest.mark.parametrize("name", list(SCORES))
def test_scores_reproduce_the_reference(vectors, name) -> None:
    group = vectors["scoring"]
    for case in group["cases"]:
        y, p, m = (np.array(case["in"][k], dtype=float) for k in ("y", "p_model", "p_market"))
        assert SCORES[name](y, p, m) == pytest.approx(case["out"][name], rel=group["tolerance"])


@pytest.mark.parametrize("equity", [[], [1, 2], [1, 0, 2], [1, math.nan, 2], [1, -1, 2]])
def test_series_without_ratios_are_refused(equity) -> None:
    with pytest.raises(DataError, match="no ratios"):
        metrics.equity_metrics(equity, 365)


def test_ratios_of_a_flat_series_are_unknown_not_infinite() -> None:
    found = metrics.equity_metrics([5.0, 5.0, 5.0], 365)
    assert math.isnan(found.sharpe)
    assert math.isnan(found.calmar)
    assert found.max_drawdown == 0.0


@given(st.lists(st.integers(1, 1_000), min_size=1, max_size=60))
def test_drawdown_agrees_with_looking_at_every_pair(values) -> None:
    ts = np.arange(len(values), dtype=np.int64) * HOUR
    found = metrics.drawdown(ts, np.array(values, dtype=np.int64))
    assert found.amount == max(max(values[: n + 1]) - v for n, v in enumerate(values))
    assert values[found.peak] - values[found.trough] == found.amount
    assert found.peak <= found.trough
    # Water: from a peak to the first value that reaches it again, or to the end.
    wet, longest, n = 0, 0, 0
    while n < len(values) - 1:
        if values[n + 1] >= values[n]:
            n += 1
            continue
        back = next((k for k in range(n + 1, len(values)) if values[k] >= values[n]), None)
        end = len(values) - 1 if back is None else back
        wet, longest, n = wet + end - n, max(longest, end - n), end
    assert (found.under_water, found.longest) == (wet * HOUR, longest * HOUR)


def test_daily_values_carry_quiet_days_forward() -> None:
    ts = np.array([HOUR, 2 * HOUR, 3 * DAY + HOUR], dtype=np.int64)
    assert metrics.daily(ts, np.array([10, 11, 12])).tolist() == [11, 11, 11, 12]


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.Generator(np.random.PCG64(5))
    runs, hits = 400, 0
    for n in range(runs):
        values = rng.exponential(1.0, size=60) - 1.0  # true mean 0, skewed like bets
        found = metrics.bootstrap_mean(values, seed=n, resamples=1_000)
        hits += found.low <= 0.0 <= found.high
    # 95 % stated; BCa at n = 60 of a skewed law covers a little less.
    assert 0.91 <= hits / runs <= 0.98


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=40), st.integers(0, 99))
def test_the_interval_holds_its_mean_and_repeats(values, seed) -> None:
    array = np.array(values)
    found = metrics.bootstrap_mean(array, seed=seed, resamples=500)
    assert found == metrics.bootstrap_mean(array, seed=seed, resamples=500)
    assert array.min() - 1e-9 <= found.low <= found.high <= array.max() + 1e-9
    assert found.n == len(values)


def test_one_event_has_no_interval_and_none_no_mean() -> None:
    one = metrics.bootstrap_mean(np.array([3.0]), seed=1)
    assert (one.mean, one.n) == (3.0, 1)
    assert math.isnan(one.low)
    assert math.isnan(metrics.bootstrap_mean(np.empty(0), seed=1).mean)


@given(st.integers(0, 100))
def test_bins_are_closed_on_the_left(hundredth) -> None:
    p = hundredth / 100
    assert metrics.bin_of(np.array([p]))[0] == min(hundredth // 10, 9)
