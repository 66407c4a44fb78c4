"""Bets on several outcomes, against searches that know nothing of the formulas."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyframe.errors import DataError
from polyframe.quant.correlation import (
    Scenarios,
    binary_correlation_bounds,
    cluster_scenarios,
    effective_bets,
    pair_scenarios,
)
from polyframe.quant.group_kelly import (
    kelly_mutually_exclusive,
    kelly_scenarios,
    kelly_two_correlated,
)
from polyframe.quant.sizing import kelly_fraction, kelly_growth

P = st.floats(0.02, 0.98)


def growth(scenarios, costs, stakes, wealth=1.0):
    ends = wealth + scenarios.payouts @ (stakes / costs) - stakes.sum()
    seen = scenarios.weights > 0
    if ends[seen].min() <= 0:
        return -math.inf
    return float(scenarios.weights[seen] @ np.log(ends[seen]))


def searched(scenarios, costs, rounds=60, points=9):
    """The best stakes by a grid that closes in: slow, and free of any formula."""
    n = costs.size
    middle, reach = np.full(n, 0.5), 0.5
    best = -math.inf
    for _ in range(rounds):
        axes = [np.linspace(max(0, m - reach), min(1, m + reach), points) for m in middle]
        for stakes in itertools.product(*axes):
            at = np.array(stakes)
            found = growth(scenarios, costs, at) if at.sum() <= 1 else -math.inf
            if found > best:
                best, middle = found, at
        reach *= 0.7
    return best


def test_exclusive_outcomes_agree_with_the_reference(vectors) -> None:
    group = vectors["kelly_mutually_exclusive"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        found = kelly_mutually_exclusive(row["q"], row["cost"])
        assert found.stakes == pytest.approx(out["stake_fractions"], abs=group["tolerance"])
        assert found.reserve == pytest.approx(out["reserve_rate"], abs=group["tolerance"])
        assert found.growth == pytest.approx(out["log_growth"], abs=group["tolerance"])


def test_two_correlated_bets_agree_with_the_reference(vectors) -> None:
    group = vectors["kelly_two_correlated"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        table = pair_scenarios(*row["q"], row["rho"])
        assert table.weights[0] == pytest.approx(row["p11"], abs=group["tolerance"])
        found = kelly_two_correlated(tuple(row["q"]), tuple(row["cost"]), row["rho"])
        assert found.stakes == pytest.approx(out["stake_fractions"], abs=group["tolerance"])
        single = [kelly_fraction(q, c) for q, c in zip(row["q"], row["cost"], strict=True)]
        assert single == pytest.approx(out["single_bet_kelly"], abs=group["tolerance"])


def test_correlation_bounds_agree_with_the_reference(vectors) -> None:
    group = vectors["binary_correlation_bounds"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        low, high = binary_correlation_bounds(row["p1"], row["p2"])
        clipped = min(max(row["rho"], low), high)
        wanted = (out["rho_min"], out["rho_max"], out["rho_clipped"])
        assert (low, high, clipped) == pytest.approx(wanted, abs=group["tolerance"])


def test_effective_bets_agree_with_the_reference(vectors) -> None:
    group = vectors["effective_bets"]
    for case in group["cases"]:
        found = effective_bets(case["in"]["n"], case["in"]["rho"])
        assert found == pytest.approx(case["out"]["n_eff"], abs=group["tolerance"])


@st.composite
def races(draw):
    parts = draw(st.lists(st.floats(0.05, 1), min_size=2, max_size=5))
    q = np.array(parts) / sum(parts) * draw(st.sampled_from([1.0, 0.9, 0.7]))
    c = [min(0.99, max(0.01, p * draw(st.floats(0.6, 1.6)))) for p in q]
    return q.tolist(), c


def race_scenarios(q):
    table = np.vstack((np.eye(len(q)), np.zeros(len(q))))
    return Scenarios(np.array([*q, max(0.0, 1 - sum(q))]), table)


@given(race=races())
def test_the_closed_form_and_the_program_agree(race) -> None:
    q, c = race
    closed = kelly_mutually_exclusive(q, c)
    program = kelly_scenarios(race_scenarios(q), c)
    assert closed.growth == pytest.approx(program.growth, abs=1e-7)
    assert sum(closed.stakes) <= 1 + 1e-12


@settings(max_examples=10)
@given(
    race=st.tuples(P, P, st.floats(0.03, 0.9), st.floats(0.03, 0.9)).filter(
        lambda r: r[0] + r[1] < 0.95
    )
)
def test_no_stakes_on_exclusive_outcomes_are_better(race) -> None:
    q, c = list(race[:2]), np.array(race[2:])
    closed = kelly_mutually_exclusive(q, c.tolist())
    scenarios = race_scenarios(q)
    assert growth(scenarios, c, np.array(closed.stakes)) == pytest.approx(closed.growth, abs=1e-9)
    assert closed.growth >= searched(scenarios, c) - 1e-9


def test_one_outcome_is_the_plain_bet() -> None:
    assert kelly_mutually_exclusive([0.6], [0.5]).stakes == pytest.approx([0.2])
    assert kelly_mutually_exclusive([0.4], [0.5]).stakes == [0.0]
    assert kelly_mutually_exclusive([], []).growth == 0.0


def test_an_outcome_without_an_edge_may_be_bought_as_a_hedge() -> None:
    found = kelly_mutually_exclusive([0.7, 0.19, 0.1], [0.5, 0.2, 0.3])
    assert found.stakes[1] > 0.0
    assert found.stakes[2] == 0.0


@settings(max_examples=15)
@given(q=st.tuples(P, P), c=st.tuples(P, P), rho=st.floats(-1, 1))
def test_no_stakes_on_two_correlated_bets_are_better(q, c, rho) -> None:
    found = kelly_two_correlated(q, c, rho)
    scenarios, costs = pair_scenarios(*q, rho), np.array(c)
    assert found.growth >= searched(scenarios, costs) - 1e-6
    assert found.gap <= 1e-6


@st.composite
def programs(draw):
    bets, count = draw(st.integers(1, 6)), draw(st.integers(1, 40))
    rng = np.random.Generator(np.random.PCG64(draw(st.integers(0, 10_000))))
    weights = rng.dirichlet(np.full(count, draw(st.sampled_from([0.2, 1.0, 5.0]))))
    payouts = (rng.random((count, bets)) < rng.random(bets)).astype(float)
    if draw(st.booleans()):
        payouts = rng.random((count, bets))  # voids and scalar markets
    costs = np.clip(weights @ payouts + rng.normal(0, 0.1, bets), 0.01, 0.99)
    wealth = rng.uniform(0.3, 2.0, count)
    limits = rng.choice([0.0, 0.02, 0.1, 1.0], bets)
    return Scenarios(weights, payouts), costs, wealth, limits, draw(st.sampled_from([0.05, 0.5, 1]))


@settings(max_examples=60)
@given(program=programs(), seed=st.integers(0, 99))
def test_no_allowed_stakes_pass_the_proven_bound(program, seed) -> None:
    scenarios, costs, wealth, limits, budget = program
    found = kelly_scenarios(scenarios, costs, wealth=wealth, limits=limits, budget=budget)
    assert np.all(found.stakes >= 0)
    assert np.all(found.stakes <= limits + 1e-12)
    assert found.stakes.sum() <= budget + 1e-12
    assert found.gap <= 1e-6
    rng = np.random.Generator(np.random.PCG64(seed))
    for step in (1.0, 0.1, 0.01, 0.001):
        for _ in range(25):
            other = np.clip(found.stakes + rng.normal(0, step, costs.size), 0, limits)
            other *= min(1.0, budget / max(other.sum(), 1e-300))
            rival = growth(scenarios, costs, other, wealth)
            # The program floors rare scenarios, which moves growth by less than this.
            assert rival <= found.growth + found.gap + 1e-6


@given(q=P, c=P)
def test_a_program_of_one_bet_is_the_plain_bet(q, c) -> None:
    found = kelly_scenarios(Scenarios(np.array([q, 1 - q]), np.array([[1.0], [0.0]])), [c])
    assert found.stakes[0] == pytest.approx(kelly_fraction(q, c), abs=1e-5)
    assert found.growth == pytest.approx(kelly_growth(q, c, kelly_fraction(q, c)), abs=1e-9)


def test_shares_already_held_take_the_place_of_a_stake() -> None:
    scenarios = Scenarios(np.array([0.6, 0.4]), np.array([[1.0], [0.0]]))
    # A fifth of wealth at 0.5 is the whole Kelly bet: held already, nothing is added.
    held = kelly_scenarios(scenarios, [0.5], wealth=[1.2, 0.8])
    assert held.stakes[0] == pytest.approx(0, abs=1e-6)
    half = kelly_scenarios(scenarios, [0.5], wealth=[1.1, 0.9])
    assert half.stakes[0] == pytest.approx(0.1, abs=1e-6)


def test_the_same_bet_twice_is_one_bet() -> None:
    twice = Scenarios(np.array([0.6, 0.4]), np.array([[1.0, 1.0], [0.0, 0.0]]))
    assert kelly_scenarios(twice, [0.5, 0.5]).stakes.sum() == pytest.approx(0.2, abs=1e-7)


def test_a_riskless_set_takes_the_whole_budget() -> None:
    found = kelly_scenarios(Scenarios(np.array([0.5, 0.5]), np.eye(2)), [0.4, 0.5], budget=0.3)
    assert found.stakes.sum() == pytest.approx(0.3, abs=1e-9)
    assert found.growth > 0


def test_no_bets_and_no_room_leave_nothing() -> None:
    alone = Scenarios(np.array([1.0]), np.empty((1, 0)))
    assert kelly_scenarios(alone, []).stakes.size == 0
    coin = Scenarios(np.array([0.9, 0.1]), np.array([[1.0], [0.0]]))
    for limits, budget in (([0.0], 1.0), ([1.0], 0.0)):
        found = kelly_scenarios(coin, [0.5], limits=limits, budget=budget)
        assert (found.stakes[0], found.growth, found.gap) == (0.0, 0.0, 0.0)


@given(p=P, q=P, rho=st.floats(-1, 1))
def test_a_joint_table_keeps_its_margins(p, q, rho) -> None:
    table = pair_scenarios(p, q, rho)
    assert table.weights.min() >= 0
    assert table.weights @ table.payouts == pytest.approx([p, q], abs=1e-12)
    low, high = binary_correlation_bounds(p, q)
    spread = math.sqrt(p * (1 - p) * q * (1 - q))
    found = (table.weights[0] - p * q) / spread
    assert found == pytest.approx(min(max(rho, low), high), abs=1e-9)


@settings(max_examples=25)
@given(q=st.lists(P, min_size=1, max_size=5), rho=st.floats(0, 0.95))
def test_a_cluster_keeps_its_margins(q, rho) -> None:
    found = cluster_scenarios(q, rho)
    assert found.weights.sum() == pytest.approx(1)
    assert found.weights @ found.payouts == pytest.approx(q, abs=1e-9)


def test_a_cluster_is_what_drawing_its_causes_gives() -> None:
    from statistics import NormalDist

    q, rho = [0.6, 0.3, 0.8], 0.5
    rng = np.random.Generator(np.random.PCG64(3))
    common = rng.normal(size=(400_000, 1))
    causes = math.sqrt(rho) * common + math.sqrt(1 - rho) * rng.normal(size=(400_000, 3))
    drawn = causes < np.array([NormalDist().inv_cdf(p) for p in q])
    found = cluster_scenarios(q, rho)
    for weight, payout in zip(found.weights, found.payouts, strict=True):
        assert weight == pytest.approx(float(np.all(drawn == payout, axis=1).mean()), abs=0.004)


def test_more_correlation_means_a_smaller_cluster() -> None:
    sums = [
        kelly_scenarios(cluster_scenarios([0.6] * 4, rho), [0.5] * 4).stakes.sum()
        for rho in (0.0, 0.3, 0.6, 0.9)
    ]
    assert sums == sorted(sums, reverse=True)
    assert sums[-1] > 0.2  # one such bet alone


@given(n=st.integers(1, 100), rho=st.floats(0, 1))
def test_bets_are_worth_one_to_all_of_them(n, rho) -> None:
    assert 1 - 1e-9 <= effective_bets(n, rho) <= n


COIN = Scenarios(np.array([0.5, 0.5]), np.array([[1.0], [0.0]]))


@pytest.mark.parametrize(
    "call",
    [
        lambda: kelly_mutually_exclusive([0.6, 0.6], [0.5, 0.5]),
        lambda: kelly_mutually_exclusive([0.6], [0.5, 0.5]),
        lambda: kelly_mutually_exclusive([0.6], [0.0]),
        lambda: kelly_mutually_exclusive([math.nan], [0.5]),
        lambda: kelly_two_correlated((0.5, 0.5), (0.4, 0.4), math.nan),
        lambda: kelly_two_correlated((1.0, 0.5), (0.4, 0.4), 0.0),
        lambda: kelly_scenarios(COIN, [0.5, 0.5]),
        lambda: kelly_scenarios(COIN, [0.0]),
        lambda: kelly_scenarios(COIN, [math.nan]),
        lambda: kelly_scenarios(COIN, [0.5], wealth=[1.0, 0.0]),
        lambda: kelly_scenarios(COIN, [0.5], wealth=[1.0]),
        lambda: kelly_scenarios(COIN, [0.5], limits=[-1.0]),
        lambda: kelly_scenarios(COIN, [0.5], budget=math.nan),
        lambda: kelly_scenarios(COIN._replace(weights=np.array([0.5, 0.6])), [0.5]),
        lambda: kelly_scenarios(COIN._replace(payouts=np.array([[1.0], [-1.0]])), [0.5]),
        lambda: kelly_scenarios(Scenarios(np.full(201, 1 / 201), np.ones((201, 1))), [0.5]),
        lambda: cluster_scenarios([0.5] * 8, 0.1),
        lambda: cluster_scenarios([], 0.1),
        lambda: cluster_scenarios([0.5], 1.0),
        lambda: cluster_scenarios([0.0], 0.1),
        lambda: binary_correlation_bounds(0.0, 0.5),
        lambda: effective_bets(10, -0.5),
        lambda: effective_bets(0, 0.5),
    ],
)
def test_what_makes_no_sense_is_refused(call) -> None:
    with pytest.raises(DataError):
        call()
