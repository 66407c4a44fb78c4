"""Guards against plain twins: equal everywhere; what is permitted fits; review is their meet."""

from __future__ import annotations

import numpy as np
import pytest
from guard_vectors import (
    DIVISOR,
    GUARD,
    LOT,
    MONEY,
    MOST_SIZE,
    ONE,
    ORDER,
    STATE,
    amount,
    limit_vector,
    limits,
    order_vector,
    orders,
    state_vector,
    states,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from polyframe.domain.units import cost_of, taker_fee
from polyframe.kernels import guards_nb as g
from polyframe.kernels import review_nb

# ---- the obvious way: a size, or the headroom that the cost must fit into ------------------------


class Room(int):
    """Money into which an order's cost must fit."""


def known(*values):
    return g.MISSING not in values


def part_of(amount, millionths):
    return max(amount, 0) * millionths // 10**6


def twin_fitting(size, cost, slack, headroom, lot):
    """The greatest number of lots whose share of the cost fits, exactly."""
    if cost + slack <= headroom:
        return size
    if headroom <= slack or cost <= 0:
        return 0
    return size * (headroom - slack) // cost // lot * lot


def twin_kill_switch(o, s, limit):
    return not s["killed"] and not s["halted"]


def twin_drawdown_kill(o, s, limit):
    peak, equity, part = s["peak_equity"], s["equity"], limit["drawdown_kill"]
    return known(peak, equity, part) and (peak <= equity or peak - equity < part_of(peak, part))


def twin_drawdown_heat(o, s, limit):
    peak, equity = s["peak_equity"], s["equity"]
    if not known(peak, equity, limit["heat_from_1"]):
        return False
    keep = 10**6
    for i in (1, 2, 3):
        if peak > equity and peak - equity >= part_of(peak, limit[f"heat_from_{i}"]):
            keep = limit[f"heat_keep_{i}"]
        elif i == 1:
            return True
    if keep <= 0 or not known(limit["max_stake"], s["market_at_risk"]):
        return False
    return Room(part_of(limit["max_stake"], keep) - max(s["market_at_risk"], 0))


def twin_max_stake(o, s, limit):
    if not known(s["market_at_risk"], limit["max_stake"]):
        return False
    return Room(limit["max_stake"] - max(s["market_at_risk"], 0))


def fallen(start, limit_name):
    def twin(o, s, limit):
        values = s["equity"], s[start], limit[limit_name]
        return known(*values) and s[start] - s["equity"] < limit[limit_name]

    return twin


def twin_open_positions(o, s, limit):
    if not known(s["open_markets"], limit["open_positions"]):
        return False
    return bool(s["market_open"]) or s["open_markets"] < limit["open_positions"]


def twin_price_band(o, s, limit):
    bounds = (limit["price_low"], limit["price_high"], limit["price_away"])
    other = s["ask"] if o["side"] > 0 else s["bid"]
    if not known(*bounds, other):
        return False
    low, high, away = (bound * ONE for bound in bounds)
    price = o["price"] * 1_000_000
    beyond = (price - other * 1_000_000) * o["side"]
    return low <= price <= high and not (other > 0 and beyond > away)


def twin_min_edge(o, s, limit):
    return known(o["edge"], limit["min_edge"]) and o["edge"] >= limit["min_edge"]


def reaches(name):
    def twin(o, s, limit):
        if s[name] == g.EXEMPT:
            return True
        return known(s[name], limit[name]) and s[name] >= limit[name]

    return twin


def twin_spread(o, s, limit):
    if not known(s["bid"], s["ask"], limit["spread"]) or not s["bid"] or not s["ask"]:
        return False
    return (s["ask"] - s["bid"]) / ONE <= limit["spread"] / 10**6


def twin_implied_probability(o, s, limit):
    if not known(limit["implied_probability"]):
        return False
    return o["side"] < 0 or o["price"] / ONE >= limit["implied_probability"] / 10**6


def twin_edge_direction(o, s, limit):
    beliefs = [p for p in (o["probability"], s["forecast"]) if p not in (g.MISSING, g.EXEMPT)]
    stated = known(o["probability"]) or known(o["edge"])
    if not stated or s["forecast"] == g.MISSING or (known(o["edge"]) and o["edge"] <= 0):
        return False
    return all((p * ONE - o["price"] * 10**6) * o["side"] > 0 for p in beliefs)


def twin_timeline(o, s, limit):
    if s["closes"] == g.EXEMPT:
        return True
    if not known(s["closes"], limit["timeline_last"], limit["timeline_first"]) or not s["closes"]:
        return False
    return limit["timeline_last"] <= s["closes"] - o["ts"] <= limit["timeline_first"]


def share(at_risk, limit_name):
    def twin(o, s, limit):
        if not known(s["equity"], s[at_risk], limit[limit_name]):
            return False
        return Room(part_of(s["equity"], limit[limit_name]) - max(s[at_risk], 0))

    return twin


def twin_category(o, s, limit):
    part = s["category_cap"] if known(s["category_cap"]) else limit["category"]
    if not known(s["equity"], s["category_at_risk"], part):
        return False
    return Room(part_of(s["equity"], part) - max(s["category_at_risk"], 0))


def twin_correlation(o, s, limit):
    if not known(s["correlated"], limit["correlated"]):
        return False
    return bool(s["market_open"]) or s["correlated"] < limit["correlated"]


def twin_symbol(o, s, limit):
    caps = (
        share("market_net", "symbol_net"),
        share("market_gross", "symbol_gross"),
        share("total_net", "symbol_total_net"),
    )
    rooms = [twin(o, s, limit) for twin in caps]
    return all(isinstance(room, Room) for room in rooms) and Room(min(rooms))


def twin_order_size(o, s, limit):
    part = limit["quote_size" if o["kind"] == 2 else "order_size"]
    if not known(s["equity"], part):
        return False
    return Room(part_of(s["equity"], part))


def twin_order_rate(o, s, limit):
    second, minute = s["orders_second"], s["orders_minute"]
    if not known(second, minute, limit["orders_second"], limit["orders_minute"]):
        return False
    return second < limit["orders_second"] and minute < limit["orders_minute"]


def twin_daily_volume(o, s, limit):
    start, sent, part = s["day_start_equity"], s["volume_day"], limit["daily_volume"]
    return Room(part_of(start, part) - sent) if known(start, sent, part) else False


def twin_cancel_ratio(o, s, limit):
    cancels, fills = s["cancels_day"], s["fills_day"]
    if not known(cancels, fills, limit["cancel_ratio"], limit["cancels_from"]):
        return False
    return cancels < limit["cancels_from"] or cancels / max(fills, 1) < limit["cancel_ratio"]


def lock(name):
    return lambda o, s, limit: known(s[name]) and o["ts"] >= s[name]


def twin_venue_rules(o, s, limit):
    price, tick = o["price"], o["tick"]
    legal = s["tradable"] and price % tick == 0 and tick <= price <= o["max_price"] - tick
    if o["side"] > 0:
        crosses = s["own_ask"] > 0 and price >= s["own_ask"]
    else:
        crosses = s["own_bid"] > 0 and price <= s["own_bid"]
    size = o["size"] - o["size"] % o["lot"]
    return size if legal and not crosses and size >= o["min_size"] else 0


def twin_balance(o, s, limit):
    if o["side"] > 0:
        return Room(s["cash_free"])
    owned = max(min(o["size"], s["shares_free"]), 0)
    return owned - owned % o["lot"]


TWINS = {
    "kill_switch": twin_kill_switch,
    "drawdown_kill": twin_drawdown_kill,
    "drawdown_heat": twin_drawdown_heat,
    "max_stake": twin_max_stake,
    "daily_loss": fallen("day_start_equity", "daily_loss"),
    "weekly_loss": fallen("week_start_equity", "weekly_loss"),
    "open_positions": twin_open_positions,
    "min_edge": twin_min_edge,
    "liquidity": reaches("liquidity"),
    "spread": twin_spread,
    "evidence": reaches("evidence"),
    "confidence": reaches("confidence"),
    "implied_probability": twin_implied_probability,
    "edge_direction": twin_edge_direction,
    "market_type": lambda o, s, limit: not s["blocked"],
    "portfolio": share("total_at_risk", "portfolio"),
    "timeline": twin_timeline,
    "category": twin_category,
    "event": share("group_at_risk", "event"),
    "correlation": twin_correlation,
    "symbol": twin_symbol,
    "order_size": twin_order_size,
    "order_rate": twin_order_rate,
    "daily_volume": twin_daily_volume,
    "cancel_ratio": twin_cancel_ratio,
    "stoploss_guard": lock("lock_stoploss"),
    "cooldown": lock("lock_cooldown"),
    "low_profit": lock("lock_low_profit"),
    "max_drawdown": lock("lock_drawdown"),
    "price_band": twin_price_band,
    "venue_rules": twin_venue_rules,
    "balance": twin_balance,
    "trusted_book": lambda o, s, limit: s["trusted"] == 1,
}
BOTH_SIDES = {"order_size", "daily_volume"}
"""a sale counts there with what it brings"""


def test_every_column_and_every_guard_is_named_once():
    assert sorted(ORDER.values()) == list(range(g.O_SIZE_OF))
    assert sorted(STATE.values()) == list(range(g.S_SIZE_OF))
    assert len(set(g.LIMITS)) == len(g.LIMITS) == g.L_SIZE_OF
    assert list(TWINS) == list(g.GUARDS)
    assert set(GUARD) == set(g.GUARDS)


@settings(max_examples=500)
@given(orders(), states(), limits())
def test_every_guard_is_its_twin(o, s, limit):
    vectors = order_vector(o), state_vector(s), limit_vector(limit)
    for guard, twin in TWINS.items():
        found, answer = GUARD[guard](*vectors), twin(o, s, limit)
        if isinstance(answer, Room):
            cost = abs(o["cost"]) if guard in BOTH_SIDES else o["cost"]
            ideal = twin_fitting(o["size"], cost, o["slack"], int(answer), o["lot"])
            assert ideal - 2 * o["lot"] <= found <= ideal, guard
            assert found == ideal or found % o["lot"] == 0, guard
        elif isinstance(answer, bool):
            assert found == (o["size"] if answer else 0), guard
        else:
            assert found == answer, guard


# ---- fitting and shares: money to the unit -------------------------------------------------------


@given(amount(10**18), amount(10**9))
def test_a_share_is_rounded_down_exactly(whole, part):
    exact = whole * part // 10**6
    assert g.share_of(whole, part) == (exact if exact <= 4 * 10**18 else 2**62)


@given(st.integers(-(2**62), 0), amount(10**6))
def test_a_share_of_nothing_is_nothing(whole, part):
    assert g.share_of(whole, part) == 0


RATES = st.sampled_from((0, 1, 10_000, 40_000, 72_000, 1_000_000))
EXPONENTS = st.sampled_from((0, 1, 2))


def all_in(price: int, size: int, rate: int, exponent: int) -> int:
    return cost_of(price, size, DIVISOR) + taker_fee(price, size, rate, exponent, ONE, DIVISOR)


@given(
    amount(ONE - 1, 1), amount(MOST_SIZE // LOT, 1), RATES, EXPONENTS,
    st.integers(0, 2 * MONEY), st.sampled_from((1, 100, LOT, 1_000_000)),
)  # fmt: skip
@example(ONE - 1, MOST_SIZE // LOT, 1_000_000, 0, MONEY, 1)
@example(1, MOST_SIZE // LOT, 0, 1, 1, 1)
def test_what_fitting_permits_fits_and_is_hardly_less_than_could_be(
    price, lots, rate, exponent, headroom, lot
):
    size = lots * lot
    slack = 11 if rate else 1
    cost = all_in(price, size, rate, exponent)
    found = g.fitting(size, cost, slack, headroom, lot)
    assert 0 <= found <= size
    assert found % lot == 0
    if found:
        needed = all_in(price, found, rate, exponent)
        assert needed <= headroom
        # The reservation (with its slack) fits too wherever a lot is worth more than the rounding
        # of fee and cost, so on every tick and lot that a venue has.
        if price * lot >= 11 * DIVISOR:
            assert needed + slack <= headroom
    ideal = twin_fitting(size, cost, slack, headroom, lot)
    assert found <= ideal
    assert ideal - found <= 2 * lot


@given(amount(MONEY, 1), amount(20), amount(MOST_SIZE // LOT, 1))
def test_fitting_at_its_limit_and_one_unit_beyond(cost, slack, lots):
    size = lots * LOT
    assert g.fitting(size, cost, slack, cost + slack, LOT) == size
    assert g.fitting(size, cost, slack, cost + slack - 1, LOT) < size


@pytest.mark.parametrize("headroom", [11, 10, 0, -1, -MONEY, -(2**62)])
def test_no_headroom_permits_nothing(headroom):
    assert g.fitting(10**6, 500_000, 11, headroom, LOT) == 0


@given(amount(MOST_SIZE, 1), st.integers(-MONEY, 0), amount(MONEY))
def test_what_costs_nothing_fits_where_the_slack_does(size, cost, headroom):
    assert g.fitting(size, cost, 11, headroom, 1) == (size if cost + 11 <= headroom else 0)


# ---- all of them at once -----------------------------------------------------------------------

N = len(g.GUARDS)


@given(
    orders(), states(), limits(),
    st.lists(st.integers(0, 15), min_size=N, max_size=N),
    st.lists(st.integers(0, 1), min_size=N, max_size=N),
)  # fmt: skip
def test_review_is_the_meet_of_the_guards_that_bind(o, s, limit, applies, risk_scope):
    vectors = (order_vector(o), state_vector(s), limit_vector(limit))
    permitted = np.full(N, 77, dtype=np.int64)
    size = review_nb.review(*vectors, np.array(applies), np.array(risk_scope), permitted)
    expected = o["size"]
    for i, name in enumerate(g.GUARDS):
        if not applies[i] & o["kind"]:
            assert permitted[i] == g.NOT_APPLICABLE
            continue
        answer = GUARD[name](*vectors)
        assert permitted[i] == answer
        if not (o["reduces"] and risk_scope[i]):
            expected = min(expected, answer)
    assert size == expected
    objects = any(0 <= answer < o["size"] for answer in permitted.tolist())
    assert review_nb.passes(*vectors, np.array(applies)) == (0 if objects else 1)


@pytest.mark.parametrize("alone", range(N))
@given(o=orders(), s=states(), limit=limits())
@settings(max_examples=20)
def test_no_guard_is_passed_over(alone, o, s, limit):
    vectors = (order_vector(o), state_vector(s), limit_vector(limit))
    applies = np.zeros(N, np.int64)
    applies[alone] = 15
    size = GUARD[g.GUARDS[alone]](*vectors)
    assert review_nb.passes(*vectors, applies) == (0 if size < o["size"] else 1)


@given(orders(reduces=1), states(), limits())
def test_what_reduces_exposure_is_never_less_for_a_guard_of_risk(o, s, limit):
    vectors = (order_vector(o), state_vector(s), limit_vector(limit))
    everything = np.full(N, 15, dtype=np.int64)
    permitted = np.zeros(N, dtype=np.int64)
    assert review_nb.review(*vectors, everything, np.ones(N, np.int64), permitted) == o["size"]
