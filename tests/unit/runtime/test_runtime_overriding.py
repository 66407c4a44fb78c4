"""Options that replace settings in lists and in a plugin's own part."""

from __future__ import annotations

import pytest

from polyframe.errors import UserError
from polyframe.runtime.config import validated
from polyframe.runtime.overriding import with_max_open, with_own, with_stake

TWO = {
    "strategies": [
        {"use": "A", "sizer": {"use": "KellySizer", "config": {"fraction": 0.5}}},
        {"use": "B", "config": {"x": 1}},
    ]
}


def test_a_stake_replaces_every_sizer():
    made = with_stake(validated(TWO), "12.50")
    assert made.sizer.use == "FixedSizer"
    assert made.sizer.config == {"stake": "12.50"}
    assert [s.sizer for s in made.strategies] == [None, None]


def test_unlimited_divides_by_the_room_there_is():
    plain = with_stake(validated(TWO), " Unlimited ")
    assert plain.sizer.config == {"stake": "unlimited"}
    made = with_stake(with_max_open(validated(TWO), 4), "unlimited")
    assert made.sizer.config == {"stake": "unlimited", "max_open": 4}


@pytest.mark.parametrize("stake", ["-5", "0", "nan", "inf", "ten", "1e40", "0.0000001", "unlimitd"])
def test_a_stake_that_is_none_is_refused_with_the_next_command(stake):
    with pytest.raises(UserError) as caught:
        with_stake(validated(TWO), stake)
    assert stake in caught.value.message
    assert caught.value.hint == "polyframe backtest --stake 10"


@pytest.mark.parametrize(
    "there",
    [
        [],
        [{"use": "OpenPositions", "config": {"markets": 9}}],
        [{"use": "OpenPositions", "for": ["A"], "config": {"markets": 9}}, {"use": "MinEdge"}],
    ],
)
def test_most_open_replaces_what_is_configured_for_whomever(there):
    made = with_max_open(validated({**TWO, "protections": there}), 3)
    limits = [(u.ledgers, u.config) for u in made.protections if u.use == "OpenPositions"]
    assert limits == [(("*",), {"markets": 3})]
    assert ("MinEdge" in [u.use for u in made.protections]) == (len(there) > 1)


@pytest.mark.parametrize("markets", [0, -1])
def test_no_room_at_all_is_refused(markets):
    with pytest.raises(UserError, match=f"at most {markets} open markets") as caught:
        with_max_open(validated(TWO), markets)
    assert "--max-open 5" in str(caught.value.hint)


def test_own_settings_stand_on_top_of_the_configured_ones():
    made = with_own(validated(TWO), {"x": 2, "y": 3})
    assert [s.config for s in made.strategies] == [{"x": 2, "y": 3}] * 2
