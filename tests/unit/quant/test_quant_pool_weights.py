"""How much a forecast counts beside the market."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.errors import DataError
from polyframe.quant.pool_weights import (
    PoolWeights,
    adaptive_weights,
    fit_pool_weights,
    horizon_weights,
)
from polyframe.quant.rows import from_log_odds, log_odds

P = st.floats(0.01, 0.99)


def world(n, seed, *, model_noise, market_noise):
    """True log-odds, two noisy looks at them, and outcomes."""
    rng = np.random.Generator(np.random.PCG64(seed))
    truth = rng.normal(0, 1.2, n)
    looks = [from_log_odds(truth + rng.normal(0, s, n)) for s in (model_noise, market_noise)]
    return *looks, (rng.random(n) < from_log_odds(truth)).astype(float)


@given(f=P, m=P, days=st.floats(0, 1_000))
def test_what_the_forecast_loses_the_market_gets(f, m, days) -> None:
    base = PoolWeights()
    found = horizon_weights(base, days, m)
    assert found.forecast + found.market == pytest.approx(base.forecast + base.market)
    assert 0 <= found.forecast <= base.forecast
    pooled = found.pool(f, m)
    assert min(f, m) - 1e-9 <= pooled <= max(f, m) + 1e-9


@given(m=P, a=st.floats(0, 1_000), b=st.floats(0, 1_000))
def test_the_forecast_counts_less_as_the_end_comes_near(m, a, b) -> None:
    near, far = sorted((a, b))
    base = PoolWeights()
    near_weight = horizon_weights(base, near, m).forecast
    assert near_weight <= horizon_weights(base, far, m).forecast


def test_the_forecast_counts_less_where_the_market_is_sure() -> None:
    base = PoolWeights()
    weights = [horizon_weights(base, 365, m).forecast for m in (0.5, 0.7, 0.8, 0.9, 0.97, 0.99)]
    assert weights[:2] == pytest.approx([0.15, 0.15])
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] < 0.01
    for m in (0.6, 0.9, 0.98):
        mirrored = horizon_weights(base, 5, 1 - m).forecast
        assert horizon_weights(base, 5, m).forecast == pytest.approx(mirrored)


def test_at_the_end_the_market_alone_counts() -> None:
    found = horizon_weights(PoolWeights(), 0.0, 0.6)
    assert found == (0.0, 1.0, 0.0)
    assert found.pool(0.9, 0.6) == pytest.approx(0.6)


def test_fitted_weights_are_about_those_of_precision() -> None:
    """Two looks at one truth: the weights of a regression on both, by brute force over a grid."""
    f, m, y = world(40_000, 1, model_noise=0.6, market_noise=0.25)
    found = fit_pool_weights(f, m, y, penalty=0.0)

    def loss(w_f, w_m):
        p = from_log_odds(w_f * log_odds(f) + w_m * log_odds(m) + found.bias)
        return -float(np.mean(np.where(y > 0.5, np.log(p), np.log1p(-p))))

    grid = [(a, b) for a in np.arange(-0.1, 0.5, 0.02) for b in np.arange(0.4, 1.2, 0.02)]
    best = min(grid, key=lambda pair: loss(*pair))
    assert loss(found.forecast, found.market) <= loss(*best)
    assert (found.forecast, found.market) == pytest.approx(best, abs=0.02)
    assert found.forecast / (found.forecast + found.market) == pytest.approx(0.148, abs=0.05)


def test_few_rows_leave_the_prior_nearly_where_it_was() -> None:
    f, m, y = world(12, 3, model_noise=0.6, market_noise=0.25)
    found = fit_pool_weights(f, m, y, penalty=1_000.0)
    assert found == pytest.approx((0.1, 1.0, 0.0), abs=0.02)


def test_several_rows_of_one_event_count_once() -> None:
    f, m, y = world(60, 4, model_noise=0.6, market_noise=0.25)
    once = fit_pool_weights(f, m, y)
    thrice = fit_pool_weights(*(np.repeat(x, 3) for x in (f, m, y)), weights=np.full(180, 1 / 3))
    assert thrice == pytest.approx(once, abs=1e-9)


def test_a_forecast_of_noise_gets_no_weight() -> None:
    _, m, y = world(20_000, 5, model_noise=0.6, market_noise=0.05)
    noise = np.random.Generator(np.random.PCG64(6)).uniform(0.05, 0.95, m.size)
    found = fit_pool_weights(noise, m, y)
    assert found.forecast == pytest.approx(0.0, abs=0.04)
    assert found.market == pytest.approx(1.0, abs=0.06)


@given(rows=st.lists(st.tuples(st.floats(0.01, 1), st.integers(0, 1_000)), min_size=1, max_size=8))
def test_adaptive_weights_sum_to_one_and_unproven_models_are_middling(rows) -> None:
    errors, counts = [e for e, _ in rows], [n for _, n in rows]
    found = adaptive_weights(errors, counts)
    assert sum(found) == pytest.approx(1)
    young = {w for w, n in zip(found, counts, strict=True) if n < 100}
    assert max(young, default=0) == pytest.approx(min(young, default=0))
    proven = sorted(
        (e, w) for (e, n), w in zip(rows, found, strict=True) if n == max(counts) >= 100
    )
    assert [w for _, w in proven] == sorted((w for _, w in proven), reverse=True)


def test_a_better_model_gains_weight_as_questions_resolve() -> None:
    shares = [adaptive_weights([0.1, 0.2], [n, n])[0] for n in (10, 100, 1_000, 100_000)]
    assert shares[0] == 0.5
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(2 / 3, abs=0.01)


ONE = np.array([0.2, 0.4, 0.6])


@pytest.mark.parametrize(
    "call",
    [
        lambda: horizon_weights(PoolWeights(), -1, 0.5),
        lambda: horizon_weights(PoolWeights(), 1, 1.0),
        lambda: horizon_weights(PoolWeights(), 1, 0.5, patience=0.0),
        lambda: fit_pool_weights(ONE, ONE, [1, 1, 1]),
        lambda: fit_pool_weights(ONE, ONE, [1, 0]),
        lambda: fit_pool_weights(ONE, [0.2, math.nan, 0.3], [1, 0, 1]),
        lambda: fit_pool_weights(ONE, [0.2, 1.0, 0.3], [1, 0, 1]),
        lambda: fit_pool_weights(ONE, ONE, [1, 0, 1], penalty=0.0),
        lambda: fit_pool_weights(ONE, ONE, [1, 0, 1], weights=[1, 0, 1]),
        lambda: adaptive_weights([], []),
        lambda: adaptive_weights([0.1], [1, 2]),
        lambda: adaptive_weights([0.0], [100]),
        lambda: adaptive_weights([0.1], [-5]),
    ],
)
def test_what_cannot_be_weighed_is_refused(call) -> None:
    with pytest.raises(DataError):
        call()
