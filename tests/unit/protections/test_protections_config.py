"""Settings of the built-in protections: good ones become exact limits, wrong ones are named."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from polyframe import Kind
from polyframe.kernels import guards_nb as g
from polyframe.protections.balance import Balance
from polyframe.protections.daily_loss import DailyLoss
from polyframe.protections.kill_switch import KillSwitch
from polyframe.protections.max_stake import MaxStake
from polyframe.protections.min_edge import MinEdge
from polyframe.protections.open_positions import OpenPositions
from polyframe.protections.price_band import PriceBand
from polyframe.protections.trusted_book import TrustedBook
from polyframe.protections.venue_rules import VenueRules

BUILT_IN = [
    Balance, DailyLoss, KillSwitch, MaxStake, MinEdge, OpenPositions, PriceBand, TrustedBook,
    VenueRules,
]  # fmt: skip


def made(cls, **settings):
    return cls(cls.Config(**settings))


@pytest.mark.parametrize("cls", BUILT_IN)
def test_each_names_its_guard_and_only_limits_that_exist(cls):
    protection = cls()
    assert protection.kernel in g.GUARDS
    assert set(protection.limits()) <= set(g.LIMITS)
    assert all(type(limit) is int for limit in protection.limits().values())


def test_every_guard_and_every_limit_has_its_protection():
    assert {cls.kernel for cls in BUILT_IN} <= set(g.GUARDS)
    assert {n for cls in BUILT_IN for n in cls().limits()} <= set(g.LIMITS)


@pytest.mark.parametrize("cls", BUILT_IN)
def test_risk_never_rules_on_exits_and_the_venue_on_everything(cls):
    if cls.scope == "venue":
        assert cls.applies_to == frozenset(Kind)
    elif cls is not KillSwitch:
        assert Kind.EXIT not in cls.applies_to
        assert Kind.DIRECTIONAL in cls.applies_to


@pytest.mark.parametrize(
    ("cls", "settings", "limits"),
    [
        (MaxStake, {"stake": "12.345678"}, {"max_stake": 12_345_678}),
        (MaxStake, {"stake": 0.1}, {"max_stake": 100_000}),
        (DailyLoss, {"loss": 250}, {"daily_loss": 250_000_000}),
        (OpenPositions, {"markets": 3}, {"open_positions": 3}),
        (MinEdge, {"edge": 0.04}, {"min_edge": 40_000}),
        (MinEdge, {"edge": 0}, {"min_edge": 0}),
        (
            PriceBand, {"low": 0.03, "high": 0.97, "away": 0.05},
            {"price_low": 30_000, "price_high": 970_000, "price_away": 50_000},
        ),
    ],
)  # fmt: skip
def test_settings_become_exact_limits(cls, settings, limits):
    assert made(cls, **settings).limits() == limits


NEVER = ["-1", "nan", "inf", "-inf", None, "much", [], True]
WRONG = [
    *((MaxStake, "stake", value) for value in ("0", *NEVER[:-1])),
    *((DailyLoss, "loss", value) for value in ("0", *NEVER[:-1])),
    *((OpenPositions, "markets", value) for value in (0, 1.5, *NEVER[:-1])),
    *((MinEdge, "edge", value) for value in (1, 1.5, *NEVER[:-1])),
    *(
        (PriceBand, name, value)
        for name in ("low", "high", "away")
        for value in (1.01, *NEVER[:-1])
    ),
]


@pytest.mark.parametrize(("cls", "name", "value"), WRONG)
def test_a_wrong_limit_is_refused_by_its_name(cls, name, value):
    with pytest.raises(ValidationError) as caught:
        made(cls, **{name: value})
    assert {error["loc"][0] for error in caught.value.errors()} == {name}


@pytest.mark.parametrize(("low", "high"), [(0.9, 0.1), (0.5, 0.5), (1.0, 0.0)])
def test_a_band_that_contradicts_itself_is_refused(low, high):
    with pytest.raises(ValidationError, match=f"low {low} is not below high {high}"):
        made(PriceBand, low=low, high=high)


@pytest.mark.parametrize("cls", BUILT_IN)
def test_unknown_settings_are_refused_and_known_ones_stay(cls):
    with pytest.raises(ValidationError, match="Extra inputs"):
        made(cls, stakes=1)
    protection = cls()
    for name in type(protection.config).model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(protection.config, name, 1)


def test_a_stake_finer_than_money_is_refused_when_it_is_read():
    from polyframe import DataError

    with pytest.raises(DataError, match="more than 6 decimals"):
        made(MaxStake, stake=Decimal("0.0000001")).limits()
