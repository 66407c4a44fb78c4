"""Reservation prices and spreads against the reference and against what they must obey."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.errors import DataError
from polyframe.quant.reservation import (
    avellaneda_stoikov,
    avellaneda_stoikov_logit,
    aversion_for,
    glft,
    greatest_loss,
    local_probability_volatility,
    resolution_quotes,
    resolution_reservation,
)

P = st.floats(0.02, 0.98)


def test_quotes_with_a_horizon_agree_with_the_reference(vectors) -> None:
    group = vectors["avellaneda_stoikov"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        found = avellaneda_stoikov(
            row["s"], row["q"], row["gamma"], row["sigma"], row["tau"], row["k"]
        )
        assert found.reservation == pytest.approx(out["reservation"], abs=group["tolerance"])
        assert 2 * found.half_spread == pytest.approx(out["spread"], abs=group["tolerance"])
        assert (found.bid, found.ask) == pytest.approx(
            (out["bid"], out["ask"]), abs=group["tolerance"]
        )


def test_quotes_without_an_end_agree_with_the_reference(vectors) -> None:
    group = vectors["glft_asymptotic"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        found = glft(
            row["q"], row["gamma"], row["sigma"], row["A"], row["k"],
            size=row["delta_order_size"], exponential=row["xi"] > 0,
        )  # fmt: skip
        assert (found.half_spread, found.skew, found.bid, found.ask) == pytest.approx(
            (out["half_spread"], out["skew_per_unit"], out["bid_depth"], out["ask_depth"]),
            abs=group["tolerance"],
        )


def test_holding_to_resolution_agrees_with_the_reference(vectors) -> None:
    group = vectors["cara_resolution_reservation"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        p, g, q = row["p"], row["gamma"], row["q"]
        wanted = (out["marginal_reservation"], out["lot_bid"], out["lot_ask"])
        found = (resolution_reservation(p, q, g), *resolution_quotes(p, q, g, row["lot"]))
        assert found == pytest.approx(wanted, abs=group["tolerance"])
        assert greatest_loss(p, g) == pytest.approx(out["max_loss_from_flat"], abs=1e-6)
        assert aversion_for(p, greatest_loss(p, g)) == pytest.approx(g)


def test_local_volatility_agrees_with_the_reference(vectors) -> None:
    group = vectors["as_local_probability_vol"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        sigma = local_probability_volatility(row["p"], row["sigma_belief_logit"])
        found = avellaneda_stoikov(row["p"], row["q"], row["gamma"], sigma, row["tau"], row["k"])
        assert (sigma, *found) == pytest.approx(
            (out["sigma_p"], out["reservation"], out["half_spread"], out["bid"], out["ask"]),
            abs=group["tolerance"],
        )


def test_quotes_in_log_odds_agree_with_the_reference(vectors) -> None:
    group = vectors["as_logit"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        found = avellaneda_stoikov_logit(
            row["p"], row["q"], row["gamma"], row["sigma_b"], row["tau"], row["k_logit"]
        )
        assert found == pytest.approx(
            (out["reservation_price"], out["half_spread_logit"], out["bid"], out["ask"]),
            abs=group["tolerance"],
        )


@given(p=P, q=st.floats(-2000, 2000), g=st.floats(1e-4, 0.05), lot=st.floats(1, 500))
def test_a_lot_is_bought_below_and_sold_above_what_one_share_is_worth(p, q, g, lot) -> None:
    bid, ask = resolution_quotes(p, q, g, lot)
    worth = resolution_reservation(p, q, g)
    assert bid <= worth + 1e-9
    assert worth <= ask + 1e-9
    assert bid >= -1e-9
    assert ask <= 1 + 1e-9


@given(p=P, g=st.floats(1e-3, 0.05), lots=st.lists(st.sampled_from([-50, 50]), max_size=40))
def test_whatever_is_taken_from_a_maker_it_never_loses_more_than_stated(p, g, lots) -> None:
    cash = shares = 0.0
    for lot in lots:
        bid, ask = resolution_quotes(p, shares, g, 50)
        cash += -50 * bid if lot > 0 else 50 * ask
        shares += lot
    assert min(cash + shares, cash) >= -greatest_loss(p, g) - 1e-6


@given(p=P, q=st.floats(-500, 500), g=st.floats(1e-3, 0.1), k=st.floats(1, 100))
def test_quotes_in_log_odds_stay_prices(p, q, g, k) -> None:
    found = avellaneda_stoikov_logit(p, q, g, 0.8, 0.02, k)
    assert 0 < found.bid < found.reservation < found.ask < 1


@given(q=st.floats(-50, 50), size=st.floats(0.5, 5))
def test_inventory_moves_both_depths_alike(q, size) -> None:
    found = glft(q, 0.05, 1.2, 1.0, 0.3, size=size)
    assert found.bid + found.ask == pytest.approx(2 * found.half_spread)
    assert found.bid - found.ask == pytest.approx(2 * found.skew * q)


@pytest.mark.parametrize("p", [0.0, 1.0, math.nan, -0.1])
def test_a_certain_outcome_has_no_reservation(p) -> None:
    with pytest.raises(DataError, match="outside"):
        resolution_reservation(p, 0, 0.01)


def test_a_negative_aversion_is_refused() -> None:
    with pytest.raises(DataError, match="risk aversion"):
        avellaneda_stoikov(0.5, 0, -0.1, 0.1, 1, 10)
