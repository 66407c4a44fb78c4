"""The dated fee table."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sim_transcript import market

from polyframe.domain.market import FeeSchedule
from polyframe.domain.units import SECOND, to_units
from polyframe.errors import UserError
from polyframe.exchanges.sim.exchange import SimExchange
from polyframe.exchanges.sim.fees import CATEGORIES, EPOCHS, canonical, fee_category

VECTORS = Path(__file__).parents[4].parent / "shared" / "reference" / "vectors.json"


def day(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def listed(category, opened, **more):
    return market(
        category=category, opened=day(opened) * SECOND, fee=None, closes=day("2026-12-31"), **more
    )


@pytest.mark.parametrize(
    ("category", "opened", "rate", "exponent"),
    [
        ("crypto", "2026-01-04", 0, 1),
        ("stocks", "2026-02-20", 0, 1),
        ("crypto", "2026-03-05", 0, 1),
        ("crypto", "2026-03-06", 250_000, 2),
        ("politics", "2026-03-29", 0, 1),
        ("crypto", "2026-03-30", 72_000, 1),
        ("sports", "2026-03-30", 30_000, 1),
        ("politics", "2026-03-30", 40_000, 1),
        ("Tech", "2026-04-01", 40_000, 1),
        ("stocks", "2026-04-01", 40_000, 1),
        ("weather", "2026-06-01", 50_000, 1),
        ("no such thing", "2026-06-01", 50_000, 1),
        ("geopolitics", "2026-06-01", 0, 1),
        ("sports", "2026-07-09", 30_000, 1),
        ("sports", "2026-07-10", 50_000, 1),
        ("crypto", "2026-10-01", 70_000, 1),
    ],
)
def test_rate_on_the_listing_date(category, opened, rate, exponent):
    fee = SimExchange().rules(listed(category, opened)).fee
    assert (fee.rate, fee.exponent) == (rate, exponent)


@pytest.mark.parametrize(
    "name", [{"slug": "btc-updown-15m-1771633800"}, {"tags": ("up-or-down", "15M")}]
)
def test_fast_crypto_paid_first(name):
    fee = SimExchange().rules(listed("crypto", "2026-01-05", **name)).fee
    assert (fee.rate, fee.exponent) == (250_000, 2)
    # 100 shares at one half: 1.56 dollars.
    ruled = SimExchange().rules(listed("crypto", "2026-02-01", **name))
    assert ruled.taker_fee(5_000, 100_000_000) == 1_562_500
    assert SimExchange().rules(listed("crypto", "2026-01-04", **name)).fee.rate == 0


def test_a_market_without_an_opening_time_pays_as_of_its_end_and_without_both_as_today():
    closing = market(category="sports", fee=None, closes=day("2026-05-01"))
    assert SimExchange().rules(closing).fee.rate == 30_000
    assert SimExchange().rules(market(category="sports", fee=None)).fee.rate == 50_000


def test_what_a_market_states_itself_wins_over_the_table_unless_todays_rates_are_asked_for():
    stated = market(category="politics", fee=12_345, opened=1)
    assert SimExchange().rules(stated).fee.rate == 12_345
    assert run(fees="current").rules(stated).fee.rate == 40_000
    assert run(fees="none").rules(stated).fee == FeeSchedule()
    assert run(fees="none", fee_overrides={"politics": 0.01}).rules(stated).fee.rate == 10_000


def run(**settings):
    return SimExchange(SimExchange.Config(**settings))


def test_stress_is_applied_once_however_often_the_rules_are():
    exchange = run(cost_multiplier=1.5)
    once = exchange.rules(listed("politics", "2026-06-01"))
    assert once.fee.rate == 60_000
    assert exchange.rules(once) == once
    assert (
        run(cost_multiplier=20.0, fees="current").rules(listed("crypto", "2026-06-01")).fee.rate
        == 1_000_000
    )


def test_rules_at_another_date():
    exchange, only = SimExchange(), listed("politics", "2026-01-01")
    assert exchange.rules_at(only, day("2026-08-01") * SECOND).fee.rate == 40_000
    assert exchange.rules(only).fee.rate == 0


def test_epochs_ascend_and_name_only_known_categories():
    dates = [epoch.since for epoch in EPOCHS]
    assert dates == sorted(set(dates))
    assert dates[0] == 0
    assert all(set(epoch.schedules) <= CATEGORIES for epoch in EPOCHS)
    assert set(EPOCHS[-1].schedules) == CATEGORIES


def test_no_alias_leads_to_the_free_category():
    assert canonical("world") is None
    assert fee_category(market(category="Pop Culture")) == "culture"
    assert fee_category(market(category="")) == "other"


def test_wrong_settings_name_the_setting():
    with pytest.raises(ValueError, match="unknown category 'sprots'"):
        run(fee_overrides={"sprots": 0.1})
    with pytest.raises(ValueError, match="must lie in"):
        run(fee_overrides={"sports": 5.0})


def test_nothing_is_listed_or_published_here():
    with pytest.raises(UserError, match="no markets of its own"):
        SimExchange().markets()
    with pytest.raises(UserError, match="no markets of its own"):
        SimExchange().feed(None)


@pytest.mark.skipif(not VECTORS.exists(), reason="reference vectors are not beside this checkout")
def test_the_reference_cases():
    cases = json.loads(VECTORS.read_text())["fee_curve"]["cases"]
    assert cases
    for case in cases:
        given = case["in"]
        category = "politics"
        exchange = run(fee_overrides={category: given["rate"]})
        ruled = exchange.rules(market(category=category, fee=None))
        fee = ruled.taker_fee(to_units(given["price"], 4), to_units(given["shares"], 6))
        assert fee == to_units(case["out"]["fee_usdc"], 6)
