"""Every guard at its limit and one unit beyond, without its inputs, and where they are exempt."""

from __future__ import annotations

import pytest
from guard_vectors import (
    BUY,
    CALM,
    FULL,
    GUARD,
    NOW,
    ROOM,
    SELL,
    limit_vector,
    order_vector,
    state_vector,
)

from polyframe.domain.units import HOUR
from polyframe.kernels import guards_nb as g

M = g.MISSING
FITS = 5_000_001
"""what the order costs, its slack included"""

EDGES = [
    ("kill_switch", BUY, {}, {}, FULL),
    ("kill_switch", BUY, {"killed": 1}, {}, 0),
    ("kill_switch", BUY, {"halted": 1}, {}, 0),
    ("drawdown_kill", BUY, {"equity": 8 * 10**8 + 1}, {}, FULL),
    ("drawdown_kill", BUY, {"equity": 8 * 10**8}, {}, 0),
    ("drawdown_kill", BUY, {"equity": 10**10}, {}, FULL),
    ("drawdown_kill", BUY, {"equity": -1, "peak_equity": -1}, {}, FULL),
    ("drawdown_kill", BUY, {"equity": -1, "peak_equity": 0}, {}, 0),
    ("drawdown_heat", BUY, {"equity": 9 * 10**8 + 1}, {"max_stake": 1}, FULL),
    ("drawdown_heat", BUY, {"equity": 9 * 10**8}, {"max_stake": 2 * FITS}, FULL),
    ("drawdown_heat", BUY, {"equity": 9 * 10**8}, {"max_stake": 2 * FITS - 1}, 8_000_000),
    ("drawdown_heat", BUY, {"equity": 85 * 10**7 + 1}, {"max_stake": 2 * FITS}, FULL),
    ("drawdown_heat", BUY, {"equity": 85 * 10**7}, {"max_stake": 4 * FITS}, FULL),
    ("drawdown_heat", BUY, {"equity": 85 * 10**7}, {"max_stake": 4 * FITS - 1}, 8_000_000),
    ("drawdown_heat", BUY, {"equity": 8 * 10**8 + 1}, {"max_stake": 4 * FITS}, FULL),
    ("drawdown_heat", BUY, {"equity": 8 * 10**8}, {"max_stake": 10**12}, 0),
    ("drawdown_heat", BUY, {"equity": 9 * 10**8}, {"max_stake": M}, 0),
    ("drawdown_heat", BUY, {}, {"max_stake": M}, FULL),
    ("max_stake", BUY, {"market_at_risk": 10**9 - FITS}, {}, FULL),
    ("max_stake", BUY, {"market_at_risk": 10**9 - FITS + 1}, {}, 8_000_000),
    ("max_stake", BUY, {"market_at_risk": 10**9}, {}, 0),
    ("max_stake", BUY, {"market_at_risk": -(10**12)}, {"max_stake": FITS}, FULL),
    ("daily_loss", BUY, {"equity": 9 * 10**8 + 1}, {}, FULL),
    ("daily_loss", BUY, {"equity": 9 * 10**8}, {}, 0),
    ("daily_loss", BUY, {"equity": 10**12}, {}, FULL),
    ("weekly_loss", BUY, {"equity": 8 * 10**8 + 1}, {}, FULL),
    ("weekly_loss", BUY, {"equity": 8 * 10**8}, {}, 0),
    ("open_positions", BUY, {"open_markets": 4}, {}, FULL),
    ("open_positions", BUY, {"open_markets": 5}, {}, 0),
    ("open_positions", BUY, {"open_markets": 5, "market_open": 1}, {}, FULL),
    ("min_edge", BUY, {}, {}, FULL),
    ("min_edge", BUY | {"edge": 39_999}, {}, {}, 0),
    ("liquidity", BUY, {}, {}, FULL),
    ("liquidity", BUY, {"liquidity": 2 * 10**9 - 1}, {}, 0),
    ("spread", BUY, {"bid": 4_400}, {}, FULL),
    ("spread", BUY, {"bid": 4_399}, {}, 0),
    ("spread", BUY, {"bid": 0, "ask": 100}, {}, 0),
    ("spread", BUY, {"bid": 9_900, "ask": 0}, {}, 0),
    ("evidence", BUY, {}, {}, FULL),
    ("evidence", BUY, {"evidence": 549_999}, {}, 0),
    ("confidence", BUY, {}, {}, FULL),
    ("confidence", BUY, {"confidence": 0}, {}, 0),
    ("implied_probability", BUY | {"price": 500}, {}, {}, FULL),
    ("implied_probability", BUY | {"price": 499}, {}, {}, 0),
    ("implied_probability", SELL | {"price": 499}, {}, {}, FULL),
    ("edge_direction", BUY | {"probability": 500_001}, {}, {}, FULL),
    ("edge_direction", BUY | {"probability": 500_000}, {}, {}, 0),
    ("edge_direction", BUY, {"forecast": 500_001}, {}, FULL),
    ("edge_direction", BUY, {"forecast": 500_000}, {}, 0),
    ("edge_direction", BUY | {"probability": M, "edge": 1}, {}, {}, FULL),
    ("edge_direction", BUY | {"probability": M, "edge": 0}, {}, {}, 0),
    ("edge_direction", SELL, {"forecast": 499_999}, {}, FULL),
    ("edge_direction", SELL, {"forecast": 500_000}, {}, 0),
    ("market_type", BUY, {}, {}, FULL),
    ("market_type", BUY, {"blocked": 1}, {}, 0),
    ("portfolio", BUY, {"total_at_risk": 6 * 10**8 - FITS}, {}, FULL),
    ("portfolio", BUY, {"total_at_risk": 6 * 10**8 - FITS + 1}, {}, 8_000_000),
    ("portfolio", BUY, {"total_at_risk": 6 * 10**8}, {}, 0),
    ("timeline", BUY, {"closes": NOW + 2 * HOUR}, {}, FULL),
    ("timeline", BUY, {"closes": NOW + 2 * HOUR - 1}, {}, 0),
    ("timeline", BUY, {"closes": NOW + 2_880 * HOUR}, {}, FULL),
    ("timeline", BUY, {"closes": NOW + 2_880 * HOUR + 1}, {}, 0),
    ("timeline", BUY, {"closes": 0}, {}, 0),
    ("category", BUY, {"category_at_risk": 35 * 10**7 - FITS}, {}, FULL),
    ("category", BUY, {"category_at_risk": 35 * 10**7 - FITS + 1}, {}, 8_000_000),
    ("category", BUY, {"category_at_risk": 35 * 10**7, "category_cap": 400_000}, {}, FULL),
    ("category", BUY, {"category_at_risk": 3 * 10**8, "category_cap": 300_000}, {}, 0),
    ("category", BUY, {"category_cap": 400_000}, {"category": M}, FULL),
    ("event", BUY, {"group_at_risk": 25 * 10**7 - FITS}, {}, FULL),
    ("event", BUY, {"group_at_risk": 25 * 10**7 - FITS + 1}, {}, 8_000_000),
    ("correlation", BUY, {"correlated": 3}, {}, FULL),
    ("correlation", BUY, {"correlated": 4}, {}, 0),
    ("correlation", BUY, {"correlated": 4, "market_open": 1}, {}, FULL),
    ("symbol", BUY, {"market_net": 3 * 10**8 - FITS}, {}, FULL),
    ("symbol", BUY, {"market_net": 3 * 10**8 - FITS + 1}, {}, 8_000_000),
    ("symbol", BUY, {"market_gross": 6 * 10**8 - FITS}, {}, FULL),
    ("symbol", BUY, {"market_gross": 6 * 10**8 - FITS + 1}, {}, 8_000_000),
    ("symbol", BUY, {"total_net": 5 * 10**8 - FITS}, {}, FULL),
    ("symbol", BUY, {"total_net": 5 * 10**8 - FITS + 1}, {}, 8_000_000),
    ("order_size", BUY, {"equity": 20 * FITS}, {}, FULL),
    ("order_size", BUY, {"equity": 20 * FITS - 1}, {}, 8_000_000),
    ("order_size", BUY | {"kind": g.QUOTE}, {"equity": 100 * FITS}, {}, FULL),
    ("order_size", BUY | {"kind": g.QUOTE}, {"equity": 100 * FITS - 1}, {}, 8_000_000),
    ("order_size", SELL, {"equity": 20 * FITS}, {}, FULL),
    ("order_size", SELL, {"equity": 20 * FITS - 1}, {}, 8_000_000),
    ("order_rate", BUY, {"orders_second": 9, "orders_minute": 299}, {}, FULL),
    ("order_rate", BUY, {"orders_second": 10}, {}, 0),
    ("order_rate", BUY, {"orders_minute": 300}, {}, 0),
    ("daily_volume", BUY, {"volume_day": 2 * 10**10 - FITS}, {}, FULL),
    ("daily_volume", BUY, {"volume_day": 2 * 10**10 - FITS + 1}, {}, 8_000_000),
    ("daily_volume", SELL, {"volume_day": 2 * 10**10 - FITS + 1}, {}, 8_000_000),
    ("cancel_ratio", BUY, {"cancels_day": 99}, {}, FULL),
    ("cancel_ratio", BUY, {"cancels_day": 100}, {}, 0),
    ("cancel_ratio", BUY, {"cancels_day": 149, "fills_day": 3}, {}, FULL),
    ("cancel_ratio", BUY, {"cancels_day": 150, "fills_day": 3}, {}, 0),
    ("stoploss_guard", BUY, {"lock_stoploss": NOW}, {}, FULL),
    ("stoploss_guard", BUY, {"lock_stoploss": NOW + 1}, {}, 0),
    ("cooldown", BUY, {"lock_cooldown": NOW}, {}, FULL),
    ("cooldown", BUY, {"lock_cooldown": NOW + 1}, {}, 0),
    ("low_profit", BUY, {"lock_low_profit": NOW}, {}, FULL),
    ("low_profit", BUY, {"lock_low_profit": NOW + 1}, {}, 0),
    ("max_drawdown", BUY, {"lock_drawdown": NOW}, {}, FULL),
    ("max_drawdown", BUY, {"lock_drawdown": NOW + 1}, {}, 0),
    ("price_band", BUY | {"price": 300}, {}, {}, FULL),
    ("price_band", BUY | {"price": 299}, {}, {}, 0),
    ("price_band", BUY | {"price": 9_700}, {"ask": 9_600}, {}, FULL),
    ("price_band", BUY | {"price": 9_701}, {"ask": 9_700}, {}, 0),
    ("price_band", BUY | {"price": 5_500}, {}, {}, FULL),
    ("price_band", BUY | {"price": 5_501}, {}, {}, 0),
    ("price_band", SELL | {"price": 4_400}, {}, {}, FULL),
    ("price_band", SELL | {"price": 4_399}, {}, {}, 0),
    ("price_band", BUY | {"price": 9_000}, {"ask": 0}, {}, FULL),
    ("venue_rules", BUY, {}, {}, FULL),
    ("venue_rules", BUY, {"tradable": 0}, {}, 0),
    ("venue_rules", BUY | {"price": 5_001}, {}, {}, 0),
    ("venue_rules", BUY | {"price": 100}, {}, {}, FULL),
    ("venue_rules", BUY | {"price": 0}, {}, {}, 0),
    ("venue_rules", BUY | {"price": -100}, {}, {}, 0),
    ("venue_rules", BUY | {"price": 9_900}, {}, {}, FULL),
    ("venue_rules", BUY | {"price": 10_000}, {}, {}, 0),
    ("venue_rules", BUY | {"size": 5_999_999}, {}, {}, 5_000_000),
    ("venue_rules", BUY | {"size": 4_999_999}, {}, {}, 0),
    ("venue_rules", BUY, {"own_ask": 5_100}, {}, FULL),
    ("venue_rules", BUY, {"own_ask": 5_000}, {}, 0),
    ("venue_rules", BUY, {"own_bid": 5_000}, {}, FULL),
    ("venue_rules", SELL, {"own_bid": 4_900}, {}, FULL),
    ("venue_rules", SELL, {"own_bid": 5_000}, {}, 0),
    ("venue_rules", SELL, {"own_ask": 5_000}, {}, FULL),
    ("balance", BUY, {"cash_free": FITS}, {}, FULL),
    ("balance", BUY, {"cash_free": FITS - 1}, {}, 8_000_000),
    ("balance", BUY, {"cash_free": 0}, {}, 0),
    ("balance", SELL, {"shares_free": 10_000_000}, {}, FULL),
    ("balance", SELL, {"shares_free": 9_999_999}, {}, 9_000_000),
    ("balance", SELL, {"shares_free": 999_999}, {}, 0),
    ("balance", SELL, {"shares_free": -1}, {}, 0),
    ("trusted_book", BUY, {}, {}, FULL),
    ("trusted_book", BUY, {"trusted": 0}, {}, 0),
    ("trusted_book", BUY, {"trusted": 2}, {}, 0),
]  # fmt: skip


@pytest.mark.parametrize(("guard", "order", "state", "limit", "permitted"), EDGES)
def test_a_guard_at_its_limit(guard, order, state, limit, permitted):
    found = GUARD[guard](
        order_vector(order), state_vector(CALM | state), limit_vector(ROOM | limit)
    )
    assert found == permitted


def test_every_guard_stands_in_the_table_on_both_sides_of_its_limit():
    passing = {guard for guard, *_, permitted in EDGES if permitted == FULL}
    binding = {guard for guard, *_, permitted in EDGES if permitted < FULL}
    assert passing == binding == set(g.GUARDS)


NEEDS = {
    "drawdown_kill": ([], ["equity", "peak_equity"], ["drawdown_kill"]),
    "drawdown_heat": ([], ["equity", "peak_equity"], ["heat_from_1"]),
    "max_stake": ([], ["market_at_risk"], ["max_stake"]),
    "daily_loss": ([], ["equity", "day_start_equity"], ["daily_loss"]),
    "weekly_loss": ([], ["equity", "week_start_equity"], ["weekly_loss"]),
    "open_positions": ([], ["open_markets"], ["open_positions"]),
    "min_edge": (["edge"], [], ["min_edge"]),
    "liquidity": ([], ["liquidity"], ["liquidity"]),
    "spread": ([], ["bid", "ask"], ["spread"]),
    "evidence": ([], ["evidence"], ["evidence"]),
    "confidence": ([], ["confidence"], ["confidence"]),
    "implied_probability": ([], [], ["implied_probability"]),
    "edge_direction": ([], ["forecast"], []),
    "market_type": ([], ["blocked"], []),
    "portfolio": ([], ["equity", "total_at_risk"], ["portfolio"]),
    "timeline": ([], ["closes"], ["timeline_last", "timeline_first"]),
    "category": ([], ["equity", "category_at_risk"], ["category"]),
    "event": ([], ["equity", "group_at_risk"], ["event"]),
    "correlation": ([], ["correlated"], ["correlated"]),
    "symbol": (
        [], ["equity", "market_net", "market_gross", "total_net"],
        ["symbol_net", "symbol_gross", "symbol_total_net"],
    ),
    "order_size": ([], ["equity"], ["order_size"]),
    "order_rate": ([], ["orders_second", "orders_minute"], ["orders_second", "orders_minute"]),
    "daily_volume": ([], ["day_start_equity", "volume_day"], ["daily_volume"]),
    "cancel_ratio": ([], ["cancels_day", "fills_day"], ["cancel_ratio", "cancels_from"]),
    "stoploss_guard": ([], ["lock_stoploss"], []),
    "cooldown": ([], ["lock_cooldown"], []),
    "low_profit": ([], ["lock_low_profit"], []),
    "max_drawdown": ([], ["lock_drawdown"], []),
    "price_band": ([], ["ask"], ["price_low", "price_high", "price_away"]),
}  # fmt: skip
NEEDLESS = {"kill_switch", "venue_rules", "balance", "trusted_book"}
"""guards whose inputs are never missing"""
GONE = [
    (guard, which, name)
    for guard, needs in NEEDS.items()
    for which, names in enumerate(needs)
    for name in names
]


def test_what_every_guard_needs_is_named():
    assert set(NEEDS) | NEEDLESS == set(g.GUARDS)


@pytest.mark.parametrize(("guard", "which", "name"), GONE)
def test_without_an_input_a_guard_denies(guard, which, name):
    values = [dict(BUY), dict(CALM), dict(ROOM)]
    make = (order_vector, state_vector, limit_vector)
    assert GUARD[guard](*(f(v) for f, v in zip(make, values, strict=True))) == FULL
    values[which][name] = M
    assert GUARD[guard](*(f(v) for f, v in zip(make, values, strict=True))) == 0


def test_a_sale_needs_the_bid():
    state = state_vector(CALM | {"bid": M})
    assert GUARD["price_band"](order_vector(SELL), state, limit_vector(ROOM)) == 0


def test_neither_probability_nor_edge_is_no_direction():
    order = order_vector(BUY | {"probability": M, "edge": M})
    assert GUARD["edge_direction"](order, state_vector(CALM), limit_vector(ROOM)) == 0


@pytest.mark.parametrize(
    ("guard", "name"),
    [
        ("liquidity", "liquidity"),
        ("evidence", "evidence"),
        ("confidence", "confidence"),
        ("edge_direction", "forecast"),
        ("timeline", "closes"),
    ],
)
def test_what_is_not_asked_for_here_passes(guard, name):
    state = state_vector(CALM | {name: g.EXEMPT})
    assert GUARD[guard](order_vector(BUY), state, limit_vector(ROOM)) == FULL
    nothing_set = limit_vector(dict.fromkeys(ROOM, M))
    assert GUARD[guard](order_vector(BUY), state, nothing_set) == FULL
