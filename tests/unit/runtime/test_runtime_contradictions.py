"""Limits of different guards that contradict each other are refused with both named."""

from __future__ import annotations

import pytest

from polyframe.errors import ConfigError
from polyframe.runtime.config import validated
from polyframe.runtime.contradictions import check_limits
from polyframe.runtime.plugins import Registry
from polyframe.runtime.uses import guard_settings

REGISTRY = Registry.load(None, entry_points=False, safe=True)


def checked(*uses, **sections):
    config = validated({"protections": list(uses), **sections})
    return check_limits(config, guard_settings(config, REGISTRY))


def use(name, **config):
    return {"use": name, "config": config}


def test_the_defaults_agree():
    assert checked() == []


@pytest.mark.parametrize(
    ("uses", "low", "high"),
    [
        (
            [use("WeeklyLoss", loss=300)],
            "DailyLoss.loss 500 (the default)", "WeeklyLoss.loss 300 (protections[0])",
        ),
        (
            [use("DailyLoss", loss="20.5"), use("WeeklyLoss", loss=20)],
            "DailyLoss.loss 20.5 (protections[0])", "WeeklyLoss.loss 20 (protections[1])",
        ),
        (
            [use("EventExposure", share=0.61)],
            "EventExposure.share 0.61 (protections[0])",
            "PortfolioExposure.share 0.6 (the default)",
        ),
        (
            [use("CategoryExposure", share=0.7)],
            "CategoryExposure.share 0.7", "PortfolioExposure.share 0.6",
        ),
        (
            [use("CategoryExposure", categories={"macro": 0.9})],
            "CategoryExposure.categories 0.9", "PortfolioExposure.share 0.6",
        ),
        (
            [use("OrderSize", share=0.26)],
            "OrderSize.share 0.26", "EventExposure.share 0.25",
        ),
        (
            [use("OrderSize", quotes=0.26)],
            "OrderSize.quotes 0.26", "EventExposure.share 0.25",
        ),
        (
            [use("DrawdownKill", drawdown=0.15)],
            "DrawdownHeat.steps 0.2", "DrawdownKill.drawdown 0.15",
        ),
        (
            [use("PriceBand", low=0.01, high=0.04)],
            "ImpliedProbability.probability 0.05", "PriceBand.high 0.04",
        ),
    ],
)  # fmt: skip
def test_a_limit_above_the_one_that_holds_it_is_refused(uses, low, high):
    with pytest.raises(ConfigError) as caught:
        checked(*uses)
    assert low in caught.value.message
    assert high in caught.value.message
    assert "in protections" in caught.value.hint


def test_limits_that_are_equal_agree():
    uses = [
        use("WeeklyLoss", loss=500), use("EventExposure", share=0.6),
        use("OrderSize", share=0.6, quotes=0.6), use("DrawdownKill", drawdown=0.2),
    ]  # fmt: skip
    assert checked(*uses) == []


def test_a_guard_that_is_left_out_contradicts_nobody():
    assert checked({"use": "DailyLoss", "enabled": False}, use("WeeklyLoss", loss=1)) == []


def test_a_strategys_own_limits_must_agree_with_the_general_ones():
    own = {"use": "WeeklyLoss", "for": ["A"], "config": {"loss": 400}}
    with pytest.raises(ConfigError, match=r"WeeklyLoss.loss 400 .* for strategy A"):
        checked(own, strategies=[{"use": "A"}, {"use": "B"}])


def test_heat_without_a_stake_to_keep_a_part_of_is_refused():
    with pytest.raises(ConfigError, match=r"DrawdownHeat .* MaxStake is left out"):
        checked({"use": "MaxStake", "enabled": False})
    both = [{"use": name, "enabled": False} for name in ("MaxStake", "DrawdownHeat")]
    assert checked(*both) == []


def test_more_than_there_is_is_a_note_and_no_error():
    notes = checked(use("MaxStake", stake=600), account={"cash": 550})
    assert [note.split(":")[0] for note in notes] == [
        "MaxStake 600 is more than the account's cash 550",
        "WeeklyLoss 1000 is more than the account's cash 550",
    ]
