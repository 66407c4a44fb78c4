"""The same stake every time, never more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sizer_views import desk_view

from polyframe import Intent, Side
from polyframe.sizers.fixed import FixedSizer

BUY = Intent(token="A.yes", side=Side.BUY)


def sizer(**settings) -> FixedSizer:
    return FixedSizer(FixedSizer.Config(**settings))


@given(st.integers(1, 10_000), st.integers(1, 10**10))
def test_the_shares_cost_the_stake_and_not_a_unit_more(price, cents):
    size = sizer(stake=f"{cents / 100:.2f}").size(BUY, price, desk_view())
    assert size * price <= cents * 10**8 < (size + 1) * price


@pytest.mark.parametrize("price", [0, -1])
def test_no_price_no_shares(price):
    assert sizer().size(BUY, price, desk_view()) == 0


def test_the_default_stakes_ten():
    assert FixedSizer().size(BUY, 5_000, desk_view()) == 20_000_000


@pytest.mark.parametrize(("max_open", "shares"), [(1, 100), (4, 25), (25, 4)])
def test_unlimited_is_an_equal_part_of_equity(max_open, shares):
    view = desk_view(cash="40")
    found = sizer(stake="unlimited", max_open=max_open).size(BUY, 4_000, view)
    assert found == shares * 1_000_000


def test_unlimited_counts_what_is_held_and_spends_no_more_than_is_free():
    held = desk_view(cash="40", bought=(("0.40", "50"),))
    assert sizer(stake="unlimited", max_open=4).size(BUY, 4_000, held) == 25_000_000
    assert sizer(stake="unlimited", max_open=1).size(BUY, 4_000, held) == 50_000_000
    gone = desk_view(cash="40", bought=(("0.40", "100"),))
    assert sizer(stake="unlimited").size(BUY, 4_000, gone) == 0


@pytest.mark.parametrize("max_open", [0, -1, 2.5])
def test_room_for_no_market_is_refused(max_open):
    with pytest.raises(ValidationError, match="max_open"):
        sizer(stake="unlimited", max_open=max_open)


def test_a_sale_is_of_all_that_is_free():
    view = desk_view(bought=(("0.50", "60"),))
    assert sizer().size(Intent(token="A.yes", side=Side.SELL), 4_000, view) == 60_000_000


@pytest.mark.parametrize("stake", ["0", "-1", "nan", "inf", None, "ten", "Unlimited"])
def test_a_stake_that_is_none_is_refused(stake):
    with pytest.raises(ValidationError, match="stake"):
        sizer(stake=stake)
