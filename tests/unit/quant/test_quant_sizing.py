from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.errors import DataError
from polyframe.quant.sizing import buy_cost, edge_after_fee, kelly_fraction, sell_net

P = st.floats(0.001, 0.999)
RATE = st.floats(0, 0.1)


def growth(f: float, q: float, c: float) -> float:
    """Expected log growth of staking a share f of wealth."""
    return q * math.log(1 - f + f / c) + (1 - q) * math.log(1 - f)


def test_prices_after_fee_agree_with_the_reference(vectors: dict) -> None:
    table = vectors["effective_price"]
    for case in table["cases"]:
        price, rate, out = case["in"]["price"], case["in"]["rate"], case["out"]
        close = lambda value: pytest.approx(value, abs=table["tolerance"])  # noqa: E731
        assert buy_cost(price, rate) == close(out["buy_cost_per_share_usdc_fee"])
        assert sell_net(price, rate) == close(out["sell_net_per_share"])
        lost = buy_cost(price, rate) - sell_net(price, rate)
        assert lost == close(out["round_trip_fee_same_price"])


def test_kelly_agrees_with_the_reference(vectors: dict) -> None:
    table = vectors["kelly_fixed_price"]
    for case in table["cases"]:
        given_, out = case["in"], case["out"]
        yes = given_["side"] == "YES"
        q = given_["q_yes"] if yes else 1 - given_["q_yes"]
        price = given_["ask"] if yes else given_["ask_no"]
        cost = buy_cost(price, given_["fee_rate"])
        close = lambda value: pytest.approx(value, abs=table["tolerance"])  # noqa: E731
        assert cost == close(out["cost"])
        assert edge_after_fee(q, price, given_["fee_rate"]) == close(out["edge_per_share"])
        full = kelly_fraction(q, cost)
        assert full == close(out["full_kelly_fraction"])
        assert full * given_["fraction"] == close(out["stake_fraction"])
        assert growth(full * given_["fraction"], q, cost) == close(out["log_growth_at_stake"])


@given(q=P, c=P, other=st.floats(0, 0.999))
def test_no_other_stake_grows_faster(q: float, c: float, other: float) -> None:
    assert growth(kelly_fraction(q, c), q, c) >= growth(other, q, c) - 1e-12


@given(q=P, c=P)
def test_nothing_is_staked_without_an_edge(q: float, c: float) -> None:
    f = kelly_fraction(q, c)
    assert 0 <= f <= 1
    assert (f > 0) == (q > c)


@given(q=P, c=P, more=st.floats(0, 0.5))
def test_a_dearer_share_never_gets_a_greater_stake(q: float, c: float, more: float) -> None:
    assert kelly_fraction(q, c + more) <= kelly_fraction(q, c) + 1e-12


@given(price=P, rate=RATE, exponent=st.integers(1, 3))
def test_a_fee_costs_a_buyer_what_it_costs_a_seller(
    price: float, rate: float, exponent: int
) -> None:
    fee = buy_cost(price, rate, exponent) - price
    assert fee >= 0
    assert price - sell_net(price, rate, exponent) == pytest.approx(fee, abs=1e-15)


@given(q=P, price=P, rate=RATE)
def test_edge_is_probability_less_everything_paid(q: float, price: float, rate: float) -> None:
    assert edge_after_fee(q, price, rate) == q - buy_cost(price, rate) <= q - price


def test_a_share_that_costs_all_it_can_pay_is_not_bought() -> None:
    assert kelly_fraction(1.0, 1.0) == kelly_fraction(1.0, 1.2) == 0.0
    assert kelly_fraction(1.0, 0.5) == 1.0


@pytest.mark.parametrize(
    ("q", "c"),
    [(-0.1, 0.5), (1.1, 0.5), (math.nan, 0.5), (0.5, 0.0), (0.5, -1.0), (0.5, math.nan)],
)
def test_what_is_no_probability_or_no_cost_is_refused(q: float, c: float) -> None:
    with pytest.raises(DataError):
        kelly_fraction(q, c)
