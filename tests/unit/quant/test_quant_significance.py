"""Tests and intervals: reference vectors, brute force and how often they are right."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.errors import DataError
from polyframe.quant import significance as sig
from polyframe.quant.rows import from_log_odds, log_odds


def columns(case):
    return tuple(np.array(case["in"][k], dtype=float) for k in ("p_model", "p_market", "y"))


def test_comparisons_with_the_market_agree_with_the_reference(vectors) -> None:
    group = vectors["scoring"]
    for case in group["cases"]:
        (p, m, y), out = columns(case), case["out"]
        close = lambda value: pytest.approx(value, rel=group["tolerance"])  # noqa: E731
        found = sig.encompassing(p, m, y)
        assert found.slope == close(out["encompassing_b_offset_market"])
        assert found.error == close(out["encompassing_b_se"])
        assert found.score_z == close(out["encompassing_score_test_z"])
        assert sig.e_value(p, m, y) == close(out["e_value_vs_market"])
        brier = (m - y) ** 2 - (p - y) ** 2
        assert sig.t_statistic(brier) == close(out["t_delta_brier"])
        logs = np.log(np.where(y > 0.5, p, 1 - p)) - np.log(np.where(y > 0.5, m, 1 - m))
        assert sig.t_statistic(logs) == close(out["t_delta_log"])
        paired = sig.paired_difference((p - y) ** 2, (m - y) ** 2, range(y.size), seed=1)
        assert paired.mean == close(out["mean_delta_brier"])
        assert paired.low < paired.mean < paired.high


def test_needed_questions_agree_with_the_reference(vectors) -> None:
    group = vectors["power_questions"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        found = sig.power_questions(
            row["edge"], row["pi(1-pi)"], alpha=row["alpha_one_sided"], power=row["power"]
        )
        wanted = (
            out["n_realised_edge_test"],
            out["n_delta_brier_test_if_model_exact"],
            out["n_e_value_20_expected"],
        )
        assert found == pytest.approx(wanted, rel=group["tolerance"])


def test_discovery_rates_agree_with_the_reference(vectors) -> None:
    group = vectors["benjamini_hochberg"]
    for case in group["cases"]:
        p, q = np.array(case["in"]["p_sorted"]), np.array(case["out"]["q"])
        assert sig.benjamini_hochberg(p) == pytest.approx(q, abs=group["tolerance"])
        assert sig.benjamini_hochberg(p[::-1]) == pytest.approx(q[::-1], abs=group["tolerance"])


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=30), level=st.floats(0.001, 0.5))
def test_what_a_rate_rejects_is_what_the_step_up_rule_rejects(p, level) -> None:
    """The rule itself: the most hypotheses k whose k-th least p-value is at most level k / n."""
    n, ordered = len(p), sorted(p)
    kept = max((k for k in range(1, n + 1) if ordered[k - 1] * n / k <= level), default=0)
    assert int((sig.benjamini_hochberg(p) <= level).sum()) == kept


def test_the_edge_test_has_the_power_that_was_planned() -> None:
    rng = np.random.Generator(np.random.PCG64(3))
    cost, edge = 0.5, 0.1
    n = round(sig.power_questions(edge, cost * (1 - cost)).realised_edge)
    passed = [
        sig.realised_edge_z(np.full(n, cost), (rng.random(n) < cost + edge) * 1.0) > 1.645
        for _ in range(2_000)
    ]
    assert np.mean(passed) == pytest.approx(0.8, abs=0.05)


def test_questions_that_share_events_count_for_less() -> None:
    alone = sig.power_questions(0.05)
    shared = sig.power_questions(0.05, per_event=5, correlation=0.5)
    assert shared == pytest.approx([3 * n for n in alone])


def test_evidence_rarely_passes_its_bound_when_the_market_is_right() -> None:
    rng = np.random.Generator(np.random.PCG64(5))
    crossed = 0
    for _ in range(1_000):
        m = rng.uniform(0.1, 0.9, 200)
        f = from_log_odds(log_odds(m) + rng.normal(0, 0.4, m.size))
        crossed += sig.e_process(f, m, (rng.random(m.size) < m) * 1.0).max() >= 20
    assert crossed / 1_000 <= 0.05


def test_evidence_is_the_wealth_of_a_full_kelly_bettor() -> None:
    from polyframe.quant.sizing import kelly_fraction

    wealth = 1.0
    f, m, y = [0.6, 0.3, 0.9], [0.5, 0.4, 0.8], [1, 0, 0]
    for belief, price, won in zip(f, m, y, strict=True):
        yes, no = kelly_fraction(belief, price), kelly_fraction(1 - belief, 1 - price)
        wealth *= 1 - yes - no + (yes / price if won else no / (1 - price))
    assert sig.e_value(f, m, y) == pytest.approx(wealth)


def test_evidence_beyond_what_a_number_holds_stays_a_number() -> None:
    assert math.isfinite(sig.e_value([0.999] * 200, [0.001] * 200, [1] * 200))


def test_the_slope_is_the_weight_the_forecast_deserves() -> None:
    rng = np.random.Generator(np.random.PCG64(9))
    m = rng.uniform(0.1, 0.9, 20_000)
    f = from_log_odds(log_odds(m) + rng.normal(0, 0.5, m.size))
    y = (rng.random(m.size) < from_log_odds(0.7 * log_odds(m) + 0.3 * log_odds(f))) * 1.0
    found = sig.encompassing(f, m, y)
    assert abs(found.slope - 0.3) < 4 * found.error < 0.2
    assert found.score_z > 5
    clustered = sig.encompassing(f, m, y, np.arange(m.size))
    assert clustered.error == pytest.approx(found.error, rel=0.05)
    assert clustered.slope == found.slope


def test_rows_copied_within_an_event_add_no_evidence() -> None:
    rng = np.random.Generator(np.random.PCG64(10))
    m = rng.uniform(0.1, 0.9, 150)
    f = from_log_odds(log_odds(m) + rng.normal(0, 0.5, m.size))
    y = (rng.random(m.size) < f) * 1.0
    events = np.arange(m.size)
    once = sig.encompassing(f, m, y, events)
    copies = sig.encompassing(*(np.repeat(x, 4) for x in (f, m, y)), np.repeat(events, 4))
    assert copies == pytest.approx(once)
    own, market = (f - y) ** 2, (m - y) ** 2
    single = sig.paired_difference(own, market, events, seed=2)
    fourfold = sig.paired_difference(
        np.repeat(own, 4), np.repeat(market, 4), np.repeat(events, 4), seed=2
    )
    assert fourfold == pytest.approx(single)


def test_the_score_test_is_standard_normal_when_the_market_knows_all() -> None:
    rng = np.random.Generator(np.random.PCG64(12))
    found = []
    for _ in range(500):
        m = rng.uniform(0.1, 0.9, 120)
        f = from_log_odds(log_odds(m) + rng.normal(0, 0.5, m.size))
        found.append(sig.encompassing(f, m, (rng.random(m.size) < m) * 1.0).score_z)
    assert np.mean(found) == pytest.approx(0, abs=0.15)
    assert np.std(found) == pytest.approx(1, abs=0.1)


@given(rows=st.lists(st.tuples(st.sampled_from("abcd"), st.floats(-5, 5)), min_size=1, max_size=20))
def test_each_event_has_one_mean(rows) -> None:
    events, values = zip(*rows, strict=True)
    slow = [
        sum(v for e, v in rows if e == name) / sum(e == name for e in events)
        for name in sorted(set(events))
    ]
    assert sig.event_means(values, events) == pytest.approx(np.array(slow), abs=1e-12)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.Generator(np.random.PCG64(5))
    runs, hits = 400, 0
    for n in range(runs):
        values = rng.exponential(1.0, size=60) - 1.0  # true mean 0, skewed like bets
        found = sig.bootstrap_mean(values, seed=n, resamples=1_000)
        hits += found.low <= 0.0 <= found.high
    # 95 % stated; BCa at n = 60 of a skewed law covers a little less.
    assert 0.91 <= hits / runs <= 0.98


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=40), st.integers(0, 99))
def test_the_interval_holds_its_mean_and_repeats(values, seed) -> None:
    array = np.array(values)
    found = sig.bootstrap_mean(array, seed=seed, resamples=500)
    assert found == sig.bootstrap_mean(array, seed=seed, resamples=500)
    assert array.min() - 1e-9 <= found.low <= found.high <= array.max() + 1e-9
    assert found.n == len(values)


def test_one_event_has_no_interval_and_none_no_mean() -> None:
    one = sig.bootstrap_mean(np.array([3.0]), seed=1)
    assert (one.mean, one.n) == (3.0, 1)
    assert math.isnan(one.low)
    assert math.isnan(sig.bootstrap_mean(np.empty(0), seed=1).mean)


@pytest.mark.parametrize(
    "call",
    [
        lambda: sig.bootstrap_mean(np.array([1.0, math.nan]), seed=1),
        lambda: sig.event_means([1.0, 2.0], ["a"]),
        lambda: sig.event_means([], []),
        lambda: sig.paired_difference([0.1], [0.1, 0.2], ["a"], seed=1),
        lambda: sig.encompassing([0.3, 0.4], [0.3, 0.4], [0, 1]),
        lambda: sig.encompassing([0.3, 0.4], [0.5, 0.5], [1, 1]),
        lambda: sig.encompassing([0.3, 0.6, 0.4], [0.5] * 3, [0, 1, 1], ["a", "a", "a"]),
        lambda: sig.encompassing([0.3, 0.7], [0.5, 0.5], [0, 1]),
        lambda: sig.e_value([0.3, 1.0], [0.5, 0.5], [0, 1]),
        lambda: sig.realised_edge_z([0.5, 1.0], [0, 1]),
        lambda: sig.power_questions(0.0),
        lambda: sig.power_questions(0.1, 0.3),
        lambda: sig.power_questions(0.1, alpha=1.0),
        lambda: sig.power_questions(0.1, correlation=-0.1),
        lambda: sig.benjamini_hochberg([0.1, 1.1]),
        lambda: sig.benjamini_hochberg([]),
    ],
)
def test_what_cannot_be_tested_is_refused(call) -> None:
    with pytest.raises(DataError):
        call()
