"""Kelly stakes, against the formula written out."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sizer_views import desk_view

from polyframe import DataError, Intent, Side, kelly_fraction
from polyframe.sizers.kelly import KellySizer

SHARE = 1_000_000
RATE = 40_000


def sizer(**settings) -> KellySizer:
    return KellySizer(KellySizer.Config(**settings))


def buy(probability, **more) -> Intent:
    return Intent(token="A.yes", side=Side.BUY, probability=probability, **more)


def cost(price: int) -> float:
    p = price / 10_000
    return p + 0.04 * p * (1 - p)


@given(
    st.floats(0, 1), st.integers(1, 9_999), st.floats(0.05, 1), st.floats(0.001, 1),
    st.one_of(st.none(), st.integers(1, 2_000)),
)  # fmt: skip
def test_the_stake_is_a_part_of_the_kelly_bet_within_both_caps(p, price, fraction, cap, most):
    view = desk_view(fee=RATE, cash="1000")
    size = sizer(fraction=fraction, cap=cap, most=most).size(buy(p), price, view)
    assert type(size) is int
    c = cost(price)
    bet = max((p - c) / (1 - c), 0.0)
    stake = min(fraction * bet, cap) * 1_000
    if most is not None:
        stake = min(stake, most)
    assert math.isclose(size / SHARE, stake / c, rel_tol=1e-9, abs_tol=2e-6)
    assert size / SHARE * c <= min(cap * 1_000, most or math.inf) + 1e-5


def test_it_is_the_products_own_kelly_fraction():
    view = desk_view(fee=RATE, cash="1000")
    size = sizer(fraction=0.25, cap=1).size(buy(0.7), 5_000, view)
    assert size == int(0.25 * kelly_fraction(0.7, 0.51) * 1_000_000_000 / 0.51 / 1e6 * SHARE)


@pytest.mark.parametrize("probability", [0.0, 0.3, 0.51])
def test_without_an_edge_nothing_is_staked(probability):
    assert sizer().size(buy(probability), 5_000, desk_view(fee=RATE)) == 0


def test_what_is_held_already_counts_against_the_bet():
    first = sizer(cap=0.05).size(buy(0.9), 5_000, desk_view(cash="1000"))
    assert first == 100 * SHARE
    held = desk_view(cash="1000", bought=(("0.50", "60"),))
    # 30 of the 50 are in the position; equity counts it at the bid.
    assert sizer(cap=0.05).size(buy(0.9), 5_000, held) == int((0.05 * 994 - 30) / 0.5 * 1e6)
    full = desk_view(cash="1000", bought=(("0.50", "100"),))
    assert sizer(cap=0.05).size(buy(0.9), 5_000, full) == 0


def test_most_is_in_the_accounts_currency():
    assert sizer(cap=1, fraction=1, most="10").size(buy(0.9), 5_000, desk_view()) == 20 * SHARE


def test_a_sale_is_of_all_that_is_free():
    view = desk_view(cash="1000", bought=(("0.50", "60"),))
    sell = Intent(token="A.yes", side=Side.SELL, probability=0.1)
    assert sizer().size(sell, 4_000, view) == 60 * SHARE


def test_without_a_probability_nothing_can_be_sized():
    with pytest.raises(
        DataError, match=r"intent to buy A\.yes states neither a size nor"
    ) as caught:
        sizer().size(buy(None), 5_000, desk_view())
    assert "probability" in caught.value.expected


@pytest.mark.parametrize("probability", [math.nan, 1.5, -0.1, math.inf])
def test_a_probability_that_is_none_is_an_error(probability):
    with pytest.raises(DataError, match="outside"):
        sizer().size(buy(probability), 5_000, desk_view())


@pytest.mark.parametrize(
    ("name", "value"),
    [("cap", 0), ("cap", 1.1), ("cap", math.nan), ("cap", -1), ("most", 0), ("most", "-5"),
     ("most", "inf"), ("most", "nan")],
)  # fmt: skip
def test_wrong_settings_are_refused(name, value):
    with pytest.raises(ValidationError, match=name):
        sizer(**{name: value})
