"""Bets with time, doubt and void in them: reference vectors and brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from polyframe.errors import DataError
from polyframe.quant.carry import (
    dutch_book_no,
    dutch_book_pair,
    dutch_book_yes,
    hold_vs_exit,
    settlement_yield,
)
from polyframe.quant.sizing import (
    binary_bet_moments,
    buy_cost,
    buy_cost_in_shares,
    kelly_drawdown_prob,
    kelly_fraction,
    kelly_growth,
    kelly_reservation,
    kelly_time_value,
    kelly_uncertainty_shrink,
    kelly_void_risk,
)

P = st.floats(0.01, 0.99)


def cases(vectors, name):
    for case in vectors[name]["cases"]:
        yield case["in"], case["out"], vectors[name]["tolerance"]


def test_growth_at_the_kelly_fraction_is_the_divergence(vectors) -> None:
    for row, out, tolerance in cases(vectors, "kelly_fixed_price"):
        if row["side"] == "NO":
            continue
        q, cost = row["q_yes"], buy_cost(row["ask"], row["fee_rate"])
        full = kelly_fraction(q, cost)
        assert kelly_growth(q, cost, full) == pytest.approx(out["max_log_growth_KL"], abs=tolerance)
        assert kelly_growth(q, cost, full * row["fraction"]) == pytest.approx(
            out["log_growth_at_stake"], abs=tolerance
        )


def test_a_fraction_of_kelly_is_full_kelly_on_a_pooled_belief(vectors) -> None:
    for row, out, tolerance in cases(vectors, "kelly_fraction_is_linear_pool"):
        blended = row["lambda"] * row["q"] + (1 - row["lambda"]) * row["c"]
        assert blended == pytest.approx(out["blended_q"], abs=tolerance)
        for stake in (
            kelly_fraction(blended, row["c"]),
            row["lambda"] * kelly_fraction(row["q"], row["c"]),
        ):
            assert stake == pytest.approx(out["stake_fraction"], abs=tolerance)


def test_a_fee_taken_in_shares_agrees_with_the_reference(vectors) -> None:
    for row, out, tolerance in cases(vectors, "effective_price"):
        assert buy_cost_in_shares(row["price"], row["rate"]) == pytest.approx(
            out["buy_cost_per_net_share_if_fee_taken_in_shares"], abs=tolerance
        )


def test_drawdown_chances_agree_with_the_reference(vectors) -> None:
    for row, out, tolerance in cases(vectors, "kelly_drawdown_prob"):
        assert kelly_drawdown_prob(row["lambda"], row["x"]) == pytest.approx(
            out["prob_ever_fall_to_x"], abs=tolerance
        )


def test_doubt_shrinks_as_in_the_reference(vectors) -> None:
    for row, out, tolerance in cases(vectors, "kelly_uncertainty_shrink"):
        k = kelly_uncertainty_shrink(row["q"], row["c"], row["sd_q"])
        assert k == pytest.approx(out["shrink_k"], abs=tolerance)
        assert k * kelly_fraction(row["q"], row["c"]) == pytest.approx(
            out["stake_fraction"], abs=tolerance
        )


def test_time_costs_what_the_reference_says(vectors) -> None:
    for row, out, tolerance in cases(vectors, "kelly_time_value"):
        found = kelly_time_value(row["q"], row["cost"], row["net_annual_rate"], row["days"])
        wanted = (out["carry_cost"], out["full_kelly_fraction"], out["pv_edge_per_share"])
        assert found == pytest.approx(wanted, abs=tolerance)


def test_void_risk_agrees_with_the_reference(vectors) -> None:
    for row, out, tolerance in cases(vectors, "kelly_void_risk"):
        found = kelly_void_risk(row["q"], row["cost"], row["void_prob"], row["void_payout"])
        wanted = (out["full_kelly_fraction"], out["edge_per_share"])
        assert found == pytest.approx(wanted, abs=tolerance)


def test_reservation_prices_agree_with_the_reference(vectors) -> None:
    for row, out, tolerance in cases(vectors, "kelly_reservation"):
        found = kelly_reservation(row["q"], row["lose_wealth"], row["win_wealth"])
        assert found == pytest.approx(out["indifference_price"], abs=tolerance)


def test_moments_of_a_bet_agree_with_the_reference(vectors) -> None:
    for row, out, tolerance in cases(vectors, "binary_bet_moments"):
        found = binary_bet_moments(row["q"], row["c"])
        wanted = [
            out[name]
            for name in (
                "mean_return",
                "sd_return",
                "per_bet_sharpe",
                "skew",
                "kurtosis_raw",
                "bets_for_PSR95",
            )
        ]
        assert list(found) == pytest.approx(wanted, rel=tolerance)


def test_holding_and_selling_agree_with_the_reference(vectors) -> None:
    for row, out, tolerance in cases(vectors, "hold_vs_exit"):
        found = hold_vs_exit(row["q"], row["bid"], row["fee_rate"], row["days"], row["annual_rate"])
        assert found.hold_value == pytest.approx(out["hold_pv"], abs=tolerance)
        assert found.exit_net == pytest.approx(out["exit_net"], abs=tolerance)
        assert found.sell is out["exit"]


def test_settlement_yields_agree_with_the_reference(vectors) -> None:
    for row, out, tolerance in cases(vectors, "settlement_yield"):
        found = settlement_yield(row["price"], row["days"])
        assert found == pytest.approx((out["simple_return"], out["annualised"]), abs=tolerance)


def test_dutch_books_agree_with_the_reference(vectors) -> None:
    for row, out, tolerance in cases(vectors, "dutch_book"):
        if row["type"] == "binary_pair":
            found = dutch_book_pair(row["yes_ask"], row["no_ask"], row["rate"])
            assert found.profit == pytest.approx(out["profit_per_pair"], abs=tolerance)
            continue
        if row["type"] == "buy_all_yes":
            found = dutch_book_yes(row["asks"], row["rate"])
            assert found.cost == pytest.approx(out["cost"], abs=tolerance)
        else:
            found = dutch_book_no(row["no_asks"], row["rate"])
            assert found.payout == out["payout"]
        assert found.profit == pytest.approx(out["profit_per_set"], abs=tolerance)


@given(q=P, c=P, d=st.floats(0, 0.5), v=st.floats(0, 1), other=st.floats(0, 0.999))
def test_no_stake_on_a_voidable_market_grows_faster(q, c, d, v, other) -> None:
    def growth(f: float) -> float:
        table = (((1 - d) * q, 1 / c), ((1 - d) * (1 - q), 0.0), (d, v / c))
        if any(w > 0 and 1 - f + f * pays <= 0 for w, pays in table):
            return -math.inf
        return sum(w * math.log(1 - f + f * pays) for w, pays in table if w > 0)

    found = kelly_void_risk(q, c, d, v).fraction
    assert growth(found) >= growth(other) - 1e-12


@given(q=P, c=P)
def test_without_a_void_the_bet_is_the_plain_one(q, c) -> None:
    assert kelly_void_risk(q, c, 0.0).fraction == pytest.approx(kelly_fraction(q, c), abs=1e-12)


@given(q=P, c=P, sd=st.floats(0, 0.5))
def test_doubt_never_raises_a_bet(q, c, sd) -> None:
    k = kelly_uncertainty_shrink(q, c, sd)
    assert 0 <= k <= 1
    assert k <= kelly_uncertainty_shrink(q, c, sd / 2) + 1e-12


@given(q=P, c=P, rate=st.floats(0, 0.2), days=st.floats(0, 1000))
def test_waiting_never_raises_a_bet(q, c, rate, days) -> None:
    found = kelly_time_value(q, c, rate, days)
    assert found.fraction <= kelly_fraction(q, c)
    assert (found.fraction > 0) == (q > found.carry_cost)


@given(q=P, lose=st.floats(1, 1e6), shares=st.floats(0, 1e6))
def test_a_holder_is_indifferent_at_the_reservation_price(q, lose, shares) -> None:
    """A small trade either way at that price lowers log wealth, but only in second order."""
    win = lose + shares
    m = kelly_reservation(q, lose, win)
    h = 1e-4 * lose
    at = q * math.log(win) + (1 - q) * math.log(lose)
    for x in (h, -h):
        moved = q * math.log(win + (1 - m) * x) + (1 - q) * math.log(lose - m * x)
        assert -1e-6 <= moved - at <= 1e-12


@given(q=P, c=P)
def test_moments_are_those_of_the_two_returns(q, c) -> None:
    values, chance = np.array([1 / c - 1, -1.0]), np.array([q, 1 - q])
    mean = float(chance @ values)
    sd = math.sqrt(float(chance @ (values - mean) ** 2))
    found = binary_bet_moments(q, c)
    assert found.mean == pytest.approx(mean, abs=1e-9)
    assert found.deviation == pytest.approx(sd, rel=1e-9)
    assert found.skew == pytest.approx(float(chance @ ((values - mean) / sd) ** 3), abs=1e-6)
    assert found.kurtosis_raw == pytest.approx(float(chance @ ((values - mean) / sd) ** 4))
    assert math.isinf(found.bets_for_psr95) == (found.mean <= 0)


@given(fraction=st.floats(0.05, 1), level=st.floats(0.05, 1))
def test_a_smaller_fraction_falls_less_often(fraction, level) -> None:
    full, half = kelly_drawdown_prob(fraction, level), kelly_drawdown_prob(fraction / 2, level)
    assert 0 <= half <= full <= 1


def test_the_chance_of_halving_is_about_what_bets_do() -> None:
    """Full Kelly on many small even bets: one path in two halves at some time."""
    rng = np.random.Generator(np.random.PCG64(11))
    q, f = 0.52, kelly_fraction(0.52, 0.5)
    wins = rng.random((2_000, 6_000)) < q
    wealth = np.cumsum(np.where(wins, math.log1p(f), math.log1p(-f)), axis=1)
    fell = float((wealth.min(axis=1) <= math.log(0.5)).mean())
    assert fell == pytest.approx(kelly_drawdown_prob(1.0, 0.5), abs=0.04)


@given(price=st.floats(0.02, 1), days=st.floats(0.5, 2_000))
def test_the_annual_yield_compounds_to_the_payout(price, days) -> None:
    found = settlement_yield(price, days)
    assume(found.annualised < 1e100)
    assert price * (1 + found.annualised) ** (days / 365) == pytest.approx(1, rel=1e-9)


def test_a_yield_too_great_for_a_number_is_infinite() -> None:
    assert settlement_yield(0.5, 0.1).annualised == math.inf
    assert settlement_yield(1.0, 0.1) == (0.0, 0.0)


@given(asks=st.lists(P, min_size=2, max_size=6), rate=st.floats(0, 0.1))
def test_a_set_pays_the_same_whatever_happens(asks, rate) -> None:
    """Brute force over the winners: the set of YES pays 1, that of NO pays n - 1."""
    n = len(asks)
    yes, no = dutch_book_yes(asks, rate), dutch_book_no(asks, rate)
    for winner in range(n):
        assert sum(k == winner for k in range(n)) == yes.payout
        assert sum(k != winner for k in range(n)) == no.payout
    assert yes.cost == no.cost
    assert no.profit - yes.profit == pytest.approx(n - 2)


@pytest.mark.parametrize(
    "call",
    [
        lambda: kelly_growth(1.5, 0.5, 0.1),
        lambda: kelly_growth(0.5, 0.0, 0.1),
        lambda: kelly_growth(0.5, 0.5, 1.1),
        lambda: kelly_uncertainty_shrink(math.nan, 0.5, 0.1),
        lambda: kelly_uncertainty_shrink(0.5, 0.5, -0.1),
        lambda: kelly_time_value(0.5, 0.5, 0.05, -1),
        lambda: kelly_void_risk(0.5, 0.0, 0.1),
        lambda: kelly_void_risk(0.5, 0.5, 1.1),
        lambda: kelly_drawdown_prob(0.0, 0.5),
        lambda: kelly_drawdown_prob(0.5, 0.0),
        lambda: kelly_reservation(0.5, 0.0, 1.0),
        lambda: binary_bet_moments(1.0, 0.5),
        lambda: hold_vs_exit(0.5, 1.5, 0.0, 1),
        lambda: hold_vs_exit(0.5, 0.5, 0.0, math.inf),
        lambda: settlement_yield(0.0, 10),
        lambda: settlement_yield(0.5, 0),
        lambda: dutch_book_yes([0.5], 0.0),
        lambda: dutch_book_no([0.5, math.nan], 0.0),
    ],
)
def test_what_makes_no_sense_is_refused(call) -> None:
    with pytest.raises(DataError):
        call()


def test_certain_and_empty_bets_have_their_limits() -> None:
    assert kelly_growth(0.6, 0.5, 0.0) == 0.0
    assert kelly_growth(1.0, 0.5, 1.0) == pytest.approx(math.log(2))
    assert kelly_growth(0.9, 0.5, 1.0) == -math.inf
    assert kelly_uncertainty_shrink(0.5, 0.5, 0.0) == 0.0
    assert kelly_void_risk(1.0, 0.5, 0.0).fraction == 1.0
