"""Settings of the built-in protections: good ones become exact limits, wrong ones are named."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from polyframe import DAY, HOUR, MINUTE, DataError, Kind
from polyframe.kernels import guards_nb as g
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import DEFAULT_GUARDS

REGISTRY = Registry.load(None, entry_points=False, safe=True)
BUILT_IN = [found.cls for found in REGISTRY.all("protection")]
NAMED = {cls.__name__: cls for cls in BUILT_IN}


def made(name, **settings):
    cls = NAMED[name]
    return cls(cls.Config(**settings))


def limits_of(protection):
    by_category = protection.limits_by_category()
    return {**protection.limits(), **dict.fromkeys(by_category, 0)}


def test_every_built_in_guard_is_on_by_default():
    assert set(NAMED) == set(DEFAULT_GUARDS)
    assert [NAMED[name].kernel for name in DEFAULT_GUARDS] == list(g.GUARDS)


@pytest.mark.parametrize("cls", BUILT_IN)
def test_each_names_its_guard_and_only_limits_that_exist(cls):
    protection = cls()
    assert protection.kernel in g.GUARDS
    assert set(limits_of(protection)) <= set(g.LIMITS)
    assert all(type(limit) is int for limit in protection.limits().values())
    for values in protection.limits_by_category().values():
        assert all(type(limit) is int for limit in values.values())
        assert all(name == name.lower() for name in values)


def test_every_guard_and_every_limit_has_its_protection():
    assert sorted(cls.kernel for cls in BUILT_IN) == sorted(g.GUARDS)
    assert sorted(n for cls in BUILT_IN for n in limits_of(cls())) == sorted(g.LIMITS)


@pytest.mark.parametrize("cls", BUILT_IN)
def test_risk_never_rules_on_exits_and_the_venue_on_everything(cls):
    if cls.scope == "venue":
        assert cls.applies_to == frozenset(Kind)
    elif cls.__name__ != "KillSwitch":
        assert Kind.EXIT not in cls.applies_to
        assert Kind.DIRECTIONAL in cls.applies_to


DEFAULTS = {
    "DrawdownKill": {"drawdown_kill": 200_000, "drawdown_flatten": 0},
    "DrawdownHeat": {
        "heat_from_1": 100_000, "heat_keep_1": 500_000, "heat_from_2": 150_000,
        "heat_keep_2": 250_000, "heat_from_3": 200_000, "heat_keep_3": 0,
    },
    "MaxStake": {"max_stake": 50_000_000},
    "DailyLoss": {"daily_loss": 500_000_000},
    "WeeklyLoss": {"weekly_loss": 1_000_000_000},
    "OpenPositions": {"open_positions": 25},
    "MinEdge": {"min_edge": 40_000},
    "Liquidity": {"liquidity": 2_000_000_000},
    "Spread": {"spread": 60_000},
    "EvidenceQuality": {"evidence": 550_000},
    "Confidence": {"confidence": 1},
    "ImpliedProbability": {"implied_probability": 50_000},
    "EdgeDirection": {},
    "MarketType": {"blocked": 0},
    "PortfolioExposure": {"portfolio": 600_000},
    "Timeline": {"timeline_last": 2 * HOUR, "timeline_first": 120 * DAY},
    "CategoryExposure": {"category": 350_000},
    "EventExposure": {"event": 250_000},
    "CorrelatedPositions": {
        "correlated": 4, "correlated_above": 700_000, "correlated_samples": 24,
        "correlated_window": 96 * HOUR,
    },
    "SymbolExposure": {
        "symbol_net": 300_000, "symbol_gross": 600_000, "symbol_total_net": 500_000
    },
    "OrderSize": {"order_size": 50_000, "quote_size": 10_000},
    "OrderRate": {"orders_second": 10, "orders_minute": 300},
    "DailyVolume": {"daily_volume": 20_000_000},
    "CancelRatio": {"cancel_ratio": 50, "cancels_from": 100},
    "StoplossGuard": {
        "stoploss_trades": 3, "stoploss_lookback": HOUR, "stoploss_stop": 30 * MINUTE,
        "stoploss_per_market": 0,
    },
    "Cooldown": {"cooldown_stop": 5 * MINUTE},
    "LowProfit": {
        "low_profit_trades": 2, "low_profit_lookback": 6 * HOUR, "low_profit_required": 0,
        "low_profit_stop": HOUR,
    },
    "MaxDrawdown": {
        "max_drawdown_trades": 10, "max_drawdown_lookback": 2 * DAY,
        "max_drawdown_allowed": 150_000, "max_drawdown_stop": DAY // 2,
    },
    "PriceBand": {"price_low": 30_000, "price_high": 970_000, "price_away": 50_000},
    "KillSwitch": {}, "VenueRules": {}, "Balance": {}, "TrustedBook": {},
}  # fmt: skip


@pytest.mark.parametrize("name", DEFAULT_GUARDS)
def test_the_defaults_are_these(name):
    assert made(name).limits() == DEFAULTS[name]


def test_categories_have_limits_of_their_own_whatever_their_case():
    assert made("CategoryExposure").limits_by_category() == {
        "category": {"macro": 400_000, "election": 350_000, "corporate": 300_000}
    }
    own = made("CategoryExposure", categories={"MACRO": 0.5})
    assert own.limits_by_category() == {"category": {"macro": 500_000}}
    assert made("MarketType").limits_by_category() == {"blocked": {"unknown": 1}}
    blocked = made("MarketType", blocked=["Sports", "memes"])
    assert blocked.limits_by_category() == {"blocked": {"sports": 1, "memes": 1}}


@pytest.mark.parametrize(
    ("name", "settings", "limits"),
    [
        ("MaxStake", {"stake": "12.345678"}, {"max_stake": 12_345_678}),
        ("MaxStake", {"stake": 0.1}, {"max_stake": 100_000}),
        ("DailyLoss", {"loss": 250}, {"daily_loss": 250_000_000}),
        ("MinEdge", {"edge": 0}, {"min_edge": 0}),
        ("Confidence", {"level": "HIGH"}, {"confidence": 2}),
        ("LowProfit", {"profit": "-1.5"}, {"low_profit_required": -1_500_000}),
        ("StoplossGuard", {"only_per_market": True}, {"stoploss_per_market": 1}),
        (
            "DrawdownHeat", {"steps": [[0.05, 0.5]]},
            {f"heat_from_{i}": 50_000 for i in (1, 2, 3)}
            | {f"heat_keep_{i}": 500_000 for i in (1, 2, 3)},
        ),
    ],
)  # fmt: skip
def test_settings_become_exact_limits(name, settings, limits):
    assert limits.items() <= made(name, **settings).limits().items()


NEVER = ["-1", "nan", "inf", "-inf", None, "much", []]
NUMBERS = [
    (name, field)
    for name, cls in NAMED.items()
    for field, value in cls().config.model_dump().items()
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
]
ZERO_IS_SOUND = {
    ("MinEdge", "edge"), ("Timeline", "last_hours"), ("LowProfit", "profit"),
    *(("PriceBand", field) for field in ("low", "away")),
    ("PriceBand", "high"),  # refused as a contradiction, below
}  # fmt: skip
WHOLE = {
    (name, field) for name, field in NUMBERS if type(getattr(NAMED[name]().config, field)) is int
}
PARTS = {
    (name, field)
    for name, field in NUMBERS
    if type(getattr(NAMED[name]().config, field)) is float
    and 0 < getattr(NAMED[name]().config, field) < 1
}


@pytest.mark.parametrize(("name", "field"), NUMBERS)
def test_a_wrong_limit_is_refused_by_its_name(name, field):
    wrong = [value for value in NEVER if (name, field) != ("LowProfit", "profit") or value != "-1"]
    wrong += [] if (name, field) in ZERO_IS_SOUND else ["0"]
    wrong += [1.5] if (name, field) in WHOLE else []
    wrong += [2.01] if (name, field) in PARTS else []
    for value in wrong:
        with pytest.raises(ValidationError) as caught:
            made(name, **{field: value})
        assert {error["loc"][0] for error in caught.value.errors()} == {field}, value


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("PriceBand", {"low": 0.9, "high": 0.1}, "low 0.9 is not below high 0.1"),
        ("PriceBand", {"low": 0.5, "high": 0.5}, "low 0.5 is not below high 0.5"),
        ("SymbolExposure", {"net": 0.6, "gross": 0.5}, "net 0.6 is above gross 0.5"),
        ("SymbolExposure", {"net": 0.5, "total_net": 0.4}, "net 0.5 is above total_net 0.4"),
        ("OrderRate", {"second": 20, "minute": 10}, "minute 10 is below second 20"),
        ("Timeline", {"last_hours": 48, "first_days": 2}, "last_hours 48"),
        ("DrawdownHeat", {"steps": [[0.2, 0.5], [0.1, 0.2]]}, "ascending drawdowns"),
        ("DrawdownHeat", {"steps": [[0.1, 0.2], [0.2, 0.5]]}, "descending parts"),
        ("DrawdownHeat", {"steps": [[0, 0.5]]}, "between 0 and 1"),
        ("DrawdownHeat", {"steps": [[0.1, 1]]}, "to below 1"),
        ("DrawdownHeat", {"steps": [[float("nan"), 0.5]]}, "finite"),
        ("DrawdownHeat", {"steps": []}, "at least 1"),
        ("DrawdownHeat", {"steps": [[i / 10, 0.1] for i in range(1, 5)]}, "at most 3"),
        ("CategoryExposure", {"categories": {"macro": 1.5}}, "less than or equal to 1"),
        ("CategoryExposure", {"categories": {"macro": float("nan")}}, "finite"),
        ("MarketType", {"blocked": [""]}, "at least 1 character"),
        ("Confidence", {"level": "certain"}, "'low', 'medium' or 'high'"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(name, settings, words):
    with pytest.raises(ValidationError, match=words):
        made(name, **settings)


@pytest.mark.parametrize("name", DEFAULT_GUARDS)
def test_unknown_settings_are_refused_and_known_ones_stay(name):
    with pytest.raises(ValidationError, match="Extra inputs"):
        made(name, stakes=1)
    protection = made(name)
    for field in type(protection.config).model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(protection.config, field, 1)


def test_a_stake_finer_than_money_is_refused_when_it_is_read():
    with pytest.raises(DataError, match="more than 6 decimals"):
        made("MaxStake", stake=Decimal("0.0000001")).limits()
