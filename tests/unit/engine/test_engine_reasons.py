"""What guards say when they rule against an order: the rule, then what ran into it."""

from __future__ import annotations

import numpy as np
import pytest
from engine_desk import Desk, market
from guard_vectors import (
    BUY,
    CALM,
    FULL,
    GUARD,
    NOW,
    ROOM,
    limit_vector,
    order_vector,
    state_vector,
)

from polyframe.domain import effects as fx
from polyframe.domain.units import HOUR
from polyframe.engine.reasons import REASONS, Found, because, rule_of
from polyframe.kernels import guards_nb as g
from polyframe.protections.max_stake import MaxStake
from polyframe.protections.open_positions import OpenPositions

MARKET = market("A")


def vectors(order, state, limit):
    return order_vector(BUY | order), state_vector(CALM | state), limit_vector(ROOM | limit)


def case(order, state, limit):
    return Found(*vectors(order, state, limit), MARKET, "by a test" if state.get("halted") else "")


WORDS = [
    ("kill_switch", {}, {"killed": 1}, {}, "the kill switch is latched"),
    ("kill_switch", {}, {"halted": 1}, {}, "trading is halted: by a test"),
    (
        "drawdown_kill", {}, {"equity": 790 * 10**6}, {},
        "stop at 20 % below the peak; equity fell by 210.00, 21 % to 790.00",
    ),
    (
        "drawdown_heat", {}, {"equity": 880 * 10**6, "market_at_risk": 24 * 10**6},
        {"max_stake": 50 * 10**6},
        "from 10 % below the peak at most 25.00 at risk in one market; "
        "24.00 now, equity fell by 120.00, 12 % to 880.00",
    ),
    (
        "max_stake", {}, {"market_at_risk": 48_100_000}, {"max_stake": 50 * 10**6},
        "at most 50.00 at risk in one market; 48.10 now",
    ),
    (
        "max_stake", {}, {"market_at_risk": 49_999_999}, {"max_stake": 50 * 10**6},
        "at most 50.00 at risk in one market; 49.999999 now",
    ),
    (
        "daily_loss", {}, {"equity": 480 * 10**6}, {"daily_loss": 500 * 10**6},
        "stop at a loss of 500.00 in a day; equity fell by 520.00, 52 % to 480.00",
    ),
    (
        "weekly_loss", {}, {"equity": g.MISSING}, {"weekly_loss": 10**9},
        "stop at a loss of 1,000.00 in a week; equity is unknown",
    ),
    ("open_positions", {}, {"open_markets": 5}, {}, "at most 5 markets in play; 5 now"),
    ("min_edge", {"edge": 12_000}, {}, {}, "an edge of at least 0.04 a share; stated is 0.012"),
    ("min_edge", {"edge": g.MISSING}, {}, {}, "an edge of at least 0.04 a share; none is stated"),
    (
        "liquidity", {}, {"liquidity": 1_234_500_000}, {},
        "liquidity of at least 2,000.00; it is 1,234.50",
    ),
    (
        "liquidity", {}, {"liquidity": g.MISSING}, {},
        "liquidity of at least 2,000.00; it is unknown",
    ),
    ("spread", {}, {"bid": 4_000}, {}, "bid and ask at most 0.06 apart; 0.4 and 0.5"),
    ("evidence", {}, {"evidence": 300_000}, {}, "evidence of quality 0.55 or better; it is 0.3"),
    (
        "confidence", {}, {"confidence": 0}, {},
        "a forecast of medium confidence or better; it is low",
    ),
    ("implied_probability", {"price": 300}, {}, {}, "a price of at least 0.05; it is 0.03"),
    (
        "edge_direction", {"probability": 450_000}, {}, {},
        "only on the side that is believed; stated is 45 %, the price 0.5",
    ),
    (
        "edge_direction", {}, {"forecast": 450_000}, {},
        "only on the side that is believed; the newest forecast is 45 %, the price 0.5",
    ),
    (
        "edge_direction", {"probability": g.MISSING, "edge": g.MISSING}, {}, {},
        "only on the side that is believed; neither a probability nor an edge is stated",
    ),
    (
        "edge_direction", {"probability": g.MISSING, "edge": -5_000}, {}, {},
        "only on the side that is believed; the stated edge is -0.005",
    ),
    ("market_type", {}, {"blocked": 1}, {}, "no market of category other"),
    (
        "portfolio", {}, {"total_at_risk": 599 * 10**6}, {},
        "at most 60 % of equity at risk over all events; 599.00 of 600.00 now",
    ),
    (
        "timeline", {}, {"closes": NOW + HOUR}, {},
        "no entry in the last 2 h before the close; it closes at 2026-01-01 01:00:00 UTC, "
        "in 60 min",
    ),
    (
        "timeline", {}, {"closes": NOW + 121 * 24 * HOUR}, {},
        "no entry earlier than 120 d before the close; it closes at 2026-05-02 00:00:00 UTC, "
        "in 121 d",
    ),
    ("timeline", {}, {"closes": 0}, {}, "the market's close must be known; it is not"),
    (
        "category", {}, {"category_at_risk": 349 * 10**6}, {},
        "at most 35 % of equity at risk in category other; 349.00 of 350.00 now",
    ),
    (
        "event", {}, {"group_at_risk": 250 * 10**6}, {},
        "at most 25 % of equity at risk in one event; 250.00 of 250.00 now",
    ),
    (
        "correlation", {}, {"correlated": 4}, {},
        "at most 4 markets that move together; 4 others now",
    ),
    (
        "symbol", {}, {"market_net": 10**6, "total_net": 500 * 10**6}, {},
        "at most 50 % of equity net over all markets; 500.00 of 500.00 now",
    ),
    (
        "order_size", {}, {"equity": 50 * 10**6}, {},
        "an order for at most 5 % of equity; this one is for 5.00 of 2.50",
    ),
    (
        "order_size", {"kind": g.QUOTE}, {"equity": 50 * 10**6}, {},
        "a quote for at most 1 % of equity; this one is for 5.00 of 0.50",
    ),
    ("order_rate", {}, {"orders_second": 10}, {}, "at most 10 orders a second; 10 went out"),
    ("order_rate", {}, {"orders_minute": 300}, {}, "at most 300 orders a minute; 300 went out"),
    (
        "daily_volume", {}, {"volume_day": 19_999 * 10**6}, {},
        "orders of a day for at most 20 times the equity at its start; "
        "19,999.00 of 20,000.00 went out",
    ),
    (
        "cancel_ratio", {}, {"cancels_day": 100}, {},
        "fewer than 50 cancels an order filled; 100 cancels, 0 fills today",
    ),
    (
        "stoploss_guard", {}, {"lock_stoploss": NOW + HOUR}, {},
        "no entry after a row of stop-losses; locked until 2026-01-01 01:00:00 UTC",
    ),
    (
        "cooldown", {}, {"lock_cooldown": NOW + HOUR}, {},
        "no entry soon after a position was closed; locked until 2026-01-01 01:00:00 UTC",
    ),
    (
        "low_profit", {}, {"lock_low_profit": NOW + HOUR}, {},
        "no entry in a market that did not pay; locked until 2026-01-01 01:00:00 UTC",
    ),
    (
        "max_drawdown", {}, {"lock_drawdown": NOW + HOUR}, {},
        "no entry after trades drew down too far; locked until 2026-01-01 01:00:00 UTC",
    ),
    ("price_band", {"price": 9_800}, {}, {}, "prices from 0.03 to 0.97; this one is 0.98"),
    (
        "price_band", {"price": 5_600}, {}, {},
        "at most 0.05 beyond the other side's best; 0.56 against 0.5",
    ),
    ("venue_rules", {}, {"tradable": 0}, {}, "the market does not trade"),
    ("venue_rules", {"price": 5_001}, {}, {}, "a price on the tick; 0.5001 with tick 0.01"),
    ("venue_rules", {"price": 10_000}, {}, {}, "a price from 0.01 to 0.99; 1"),
    (
        "venue_rules", {}, {"own_ask": 5_000}, {},
        "no trade with an own order; 0.5 meets one at 0.5",
    ),
    (
        "venue_rules", {"size": 4_000_000}, {}, {},
        "whole lots of 1 shares, at least 5; 4 asked",
    ),
    ("balance", {}, {"cash_free": 3_000_000}, {}, "cash for a purchase; 3.00 is free, 5.00 needed"),
    (
        "balance", {"side": -1, "cost": -5_000_000}, {"shares_free": 2_000_000}, {},
        "own shares for a sale; 2 are free",
    ),
    (
        "trusted_book", {}, {"trusted": 0}, {},
        "a book that can be believed; it is stale, crossed or a gap",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("guard", "order", "state", "limit", "words"), WORDS)
def test_a_guard_says_its_rule_and_what_ran_into_it(guard, order, state, limit, words):
    assert GUARD[guard](*vectors(order, state, limit)) < FULL
    assert because(guard, case(order, state, limit)) == words
    assert rule_of(words) == words.split("; ")[0]


def test_every_guard_has_words():
    assert set(REASONS) == set(g.GUARDS) == {guard for guard, *_ in WORDS}


@pytest.mark.parametrize("guard", g.GUARDS)
def test_words_are_found_for_any_numbers(guard):
    rng = np.random.default_rng(7)
    for _ in range(300):
        made = case({}, {}, {})
        for vector in (made.state, made.limits):
            odd = rng.integers(0, len(vector), 12)
            vector[odd] = rng.choice([g.MISSING, g.EXEMPT, -1, 0, 1, 10**15], 12)
        made.order[g.O_EDGE] = rng.choice([g.MISSING, -(10**6), 10**6])
        text = because(guard, made)
        assert text
        assert "\n" not in text


def test_the_verdict_carries_the_words():
    desk = Desk(protections=[MaxStake(MaxStake.Config(stake=5))])
    desk.book("A", "0.40", "0.50")
    desk.play("alice buy A.yes 0.50 20 | reviewed 8/20 by MaxStake; submit 1 buy A.yes 8 @ 0.5")
    (review,) = [e for e in desk.log[-1][1] if isinstance(e, fx.OrderReviewed)]
    said = {v.protection: v.reason for v in review.verdicts}
    assert said["MaxStake"] == "at most 5.00 at risk in one market; 0.00 now"


def test_the_stricter_of_ledger_and_account_speaks():
    desk = Desk(
        markets=[market("A"), market("B")],
        protections=[OpenPositions(OpenPositions.Config(markets=1))],
    )
    for name in "AB":
        desk.book(name, "0.40", "0.50")
    desk.play("""
        alice buy A.yes 0.50 10 | reviewed 10/10; submit 1 buy A.yes 10 @ 0.5
        bob buy B.yes 0.50 10   | reviewed 0/10 by OpenPositions
    """)
    (review,) = [e for e in desk.log[-1][1] if isinstance(e, fx.OrderReviewed)]
    said = {v.protection: v.reason for v in review.verdicts}
    assert said["OpenPositions"] == "at most 1 market in play; 1 now"
