"""Guards against plain twins: equal everywhere, exact at their limits, closed without inputs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from polyframe.domain.units import cost_of, money_divisor, taker_fee
from polyframe.kernels import guards_nb as g

ONE = 10_000
LOT = 10_000
DIVISOR = money_divisor(4, 6)
MONEY = 10**12
MOST_SIZE = 10**13


# ---- the obvious way ---------------------------------------------------------------------------


def twin_fitting(size, cost, slack, headroom, lot):
    """The greatest number of lots whose share of the cost fits, exactly."""
    if cost + slack <= headroom:
        return size
    if headroom <= slack or cost <= 0:
        return 0
    return size * (headroom - slack) // cost // lot * lot


def twin_kill_switch(o, s, limits):
    return o["size"] if not s["killed"] and not s["halted"] else 0


def twin_daily_loss(o, s, limits):
    known = g.MISSING not in (s["equity"], s["day_start"], limits["daily_loss"])
    return o["size"] if known and s["day_start"] - s["equity"] < limits["daily_loss"] else 0


def twin_open_positions(o, s, limits):
    if g.MISSING in (s["open_markets"], limits["open_positions"]):
        return 0
    room = s["open_markets"] < limits["open_positions"]
    return o["size"] if s["market_open"] or room else 0


def twin_price_band(o, s, limits):
    bounds = (limits["price_low"], limits["price_high"], limits["price_away"])
    other = s["ask"] if o["side"] > 0 else s["bid"]
    if g.MISSING in (*bounds, other):
        return 0
    low, high, away = (bound * ONE for bound in bounds)
    price = o["price"] * 1_000_000
    if not low <= price <= high:
        return 0
    beyond = (price - other * 1_000_000) * o["side"]
    return 0 if other > 0 and beyond > away else o["size"]


def twin_min_edge(o, s, limits):
    known = g.MISSING not in (o["edge"], limits["min_edge"])
    return o["size"] if known and o["edge"] >= limits["min_edge"] else 0


def twin_venue_rules(o, s, limits):
    price, tick = o["price"], o["tick"]
    legal = s["tradable"] and price % tick == 0 and tick <= price <= o["max_price"] - tick
    if o["side"] > 0:
        crosses = s["own_ask"] > 0 and price >= s["own_ask"]
    else:
        crosses = s["own_bid"] > 0 and price <= s["own_bid"]
    size = o["size"] - o["size"] % o["lot"]
    return size if legal and not crosses and size >= o["min_size"] else 0


def twin_trusted_book(o, s, limits):
    return o["size"] if s["trusted"] == 1 else 0


TWINS = {
    "kill_switch": twin_kill_switch,
    "daily_loss": twin_daily_loss,
    "open_positions": twin_open_positions,
    "price_band": twin_price_band,
    "min_edge": twin_min_edge,
    "venue_rules": twin_venue_rules,
    "trusted_book": twin_trusted_book,
}

ORDER = {
    "side": g.O_SIDE, "price": g.O_PRICE, "size": g.O_SIZE, "lot": g.O_LOT,
    "min_size": g.O_MIN_SIZE, "tick": g.O_TICK, "max_price": g.O_MAX_PRICE, "kind": g.O_KIND,
    "reduces": g.O_REDUCES, "cost": g.O_COST, "slack": g.O_SLACK, "edge": g.O_EDGE, "ts": g.O_TS,
    "one": g.O_ONE,
}  # fmt: skip
STATE = {
    "killed": g.S_KILLED, "halted": g.S_HALTED, "cash_free": g.S_CASH_FREE,
    "shares_free": g.S_SHARES_FREE, "equity": g.S_EQUITY, "day_start": g.S_DAY_START_EQUITY,
    "peak": g.S_PEAK_EQUITY, "open_markets": g.S_OPEN_MARKETS, "market_open": g.S_MARKET_OPEN,
    "market_at_risk": g.S_MARKET_AT_RISK, "group_at_risk": g.S_GROUP_AT_RISK, "bid": g.S_BID,
    "ask": g.S_ASK, "trusted": g.S_TRUSTED, "tradable": g.S_TRADABLE, "own_bid": g.S_OWN_BID,
    "own_ask": g.S_OWN_ASK,
}  # fmt: skip


def vector(columns: dict[str, int], values: dict[str, int]) -> np.ndarray:
    made = np.zeros(len(columns), dtype=np.int64)
    for name, at in columns.items():
        made[at] = values[name]
    return made


def limit_vector(values: dict[str, int]) -> np.ndarray:
    return np.array([values[name] for name in g.LIMITS], dtype=np.int64)


def test_every_column_is_named_once():
    assert sorted(ORDER.values()) == list(range(g.O_SIZE_OF))
    assert sorted(STATE.values()) == list(range(g.S_SIZE_OF))
    assert len(g.LIMITS) == g.L_SIZE_OF


def amount(most: int, least: int = 0):
    return st.one_of(st.integers(least, most), st.sampled_from([least, most]))


def or_missing(values):
    return st.one_of(values, st.just(g.MISSING))


@st.composite
def orders(draw, **fixed):
    price = draw(amount(ONE))
    size = draw(amount(MOST_SIZE, 1))
    side = draw(st.sampled_from((1, -1)))
    cost = cost_of(price, size, DIVISOR) + taker_fee(price, size, 40_000, 1, ONE, DIVISOR)
    values = {
        "side": side, "price": price, "size": size,
        "lot": draw(st.sampled_from((1, LOT, 1_000_000))),
        "min_size": draw(amount(5_000_000)), "tick": draw(st.sampled_from((1, 10, 100))),
        "max_price": ONE, "kind": draw(st.sampled_from((1, 2, 4, 8))),
        "reduces": draw(st.integers(0, 1)), "cost": side * cost, "slack": 11,
        "edge": draw(or_missing(st.integers(-(10**6), 10**6))), "ts": draw(amount(2**61)),
        "one": ONE,
    }  # fmt: skip
    return values | fixed


@st.composite
def states(draw):
    bit = st.integers(0, 1)
    money = st.integers(-MONEY, MONEY)
    price = amount(ONE)
    return {
        "killed": draw(bit), "halted": draw(bit), "cash_free": draw(money),
        "shares_free": draw(st.integers(-MOST_SIZE, MOST_SIZE)),
        "equity": draw(or_missing(money)), "day_start": draw(or_missing(money)),
        "peak": draw(money), "open_markets": draw(or_missing(st.integers(0, 9))),
        "market_open": draw(bit), "market_at_risk": draw(or_missing(money)),
        "group_at_risk": draw(money), "bid": draw(or_missing(price)),
        "ask": draw(or_missing(price)), "trusted": draw(bit), "tradable": draw(bit),
        "own_bid": draw(price), "own_ask": draw(price),
    }  # fmt: skip


@st.composite
def limits(draw):
    part = or_missing(amount(1_000_000))
    return {
        "max_stake": draw(or_missing(amount(MONEY))), "daily_loss": draw(or_missing(amount(MONEY))),
        "open_positions": draw(or_missing(st.integers(0, 9))), "price_low": draw(part),
        "price_high": draw(part), "price_away": draw(part), "min_edge": draw(part),
    }  # fmt: skip


@pytest.mark.parametrize("guard", TWINS)
@given(orders(), states(), limits())
def test_a_guard_is_its_twin(guard, o, s, limit):
    found = getattr(g, guard)(vector(ORDER, o), vector(STATE, s), limit_vector(limit))
    assert found == TWINS[guard](o, s, limit)


# ---- fitting: money to the unit ----------------------------------------------------------------

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


@given(orders(), states(), limits())
def test_max_stake_is_fitting_into_what_is_left(o, s, limit):
    found = g.max_stake(vector(ORDER, o), vector(STATE, s), limit_vector(limit))
    if g.MISSING in (s["market_at_risk"], limit["max_stake"]):
        assert found == 0
        return
    left = limit["max_stake"] - max(s["market_at_risk"], 0)
    ideal = twin_fitting(o["size"], o["cost"], o["slack"], left, o["lot"])
    assert ideal - 2 * o["lot"] <= found <= ideal
    assert found == ideal or found % o["lot"] == 0


@given(orders(), states(), limits())
def test_balance_is_cash_for_a_purchase_and_own_shares_for_a_sale(o, s, limit):
    found = g.balance(vector(ORDER, o), vector(STATE, s), limit_vector(limit))
    if o["side"] > 0:
        ideal = twin_fitting(o["size"], o["cost"], o["slack"], s["cash_free"], o["lot"])
        assert ideal - 2 * o["lot"] <= found <= ideal
    else:
        owned = max(min(o["size"], s["shares_free"]), 0)
        assert found == owned - owned % o["lot"]


# ---- each guard at its limit and one unit beyond -----------------------------------------------

BUY = {
    "side": 1, "price": 5_000, "size": 10_000_000, "lot": 1_000_000, "min_size": 5_000_000,
    "tick": 100, "max_price": ONE, "kind": 1, "reduces": 0, "cost": 5_000_000, "slack": 1,
    "edge": 40_000, "ts": 1, "one": ONE,
}  # fmt: skip
SELL = BUY | {"side": -1, "cost": -5_000_000}
CALM = {
    "killed": 0, "halted": 0, "cash_free": 10**9, "shares_free": 10**9, "equity": 10**9,
    "day_start": 10**9, "peak": 10**9, "open_markets": 0, "market_open": 0, "market_at_risk": 0,
    "group_at_risk": 0, "bid": 4_900, "ask": 5_000, "trusted": 1, "tradable": 1, "own_bid": 0,
    "own_ask": 0,
}  # fmt: skip
ROOM = {
    "max_stake": 10**9, "daily_loss": 10**8, "open_positions": 5, "price_low": 30_000,
    "price_high": 970_000, "price_away": 50_000, "min_edge": 40_000,
}  # fmt: skip
FULL = BUY["size"]

EDGES = [
    ("kill_switch", BUY, {}, {}, FULL),
    ("kill_switch", BUY, {"killed": 1}, {}, 0),
    ("kill_switch", BUY, {"halted": 1}, {}, 0),
    ("max_stake", BUY, {"market_at_risk": 10**9 - 5_000_001}, {}, FULL),
    ("max_stake", BUY, {"market_at_risk": 10**9 - 5_000_000}, {}, 8_000_000),
    ("max_stake", BUY, {"market_at_risk": 10**9}, {}, 0),
    ("max_stake", BUY, {"market_at_risk": -(10**12)}, {"max_stake": 5_000_001}, FULL),
    ("daily_loss", BUY, {"equity": 9 * 10**8 + 1}, {}, FULL),
    ("daily_loss", BUY, {"equity": 9 * 10**8}, {}, 0),
    ("daily_loss", BUY, {"equity": 10**12}, {}, FULL),
    ("open_positions", BUY, {"open_markets": 4}, {}, FULL),
    ("open_positions", BUY, {"open_markets": 5}, {}, 0),
    ("open_positions", BUY, {"open_markets": 5, "market_open": 1}, {}, FULL),
    ("price_band", BUY | {"price": 300}, {}, {}, FULL),
    ("price_band", BUY | {"price": 299}, {}, {}, 0),
    ("price_band", BUY | {"price": 9_700}, {"ask": 9_600}, {}, FULL),
    ("price_band", BUY | {"price": 9_701}, {"ask": 9_700}, {}, 0),
    ("price_band", BUY | {"price": 5_500}, {}, {}, FULL),
    ("price_band", BUY | {"price": 5_501}, {}, {}, 0),
    ("price_band", SELL | {"price": 4_400}, {}, {}, FULL),
    ("price_band", SELL | {"price": 4_399}, {}, {}, 0),
    ("price_band", BUY | {"price": 9_000}, {"ask": 0}, {}, FULL),
    ("min_edge", BUY, {}, {}, FULL),
    ("min_edge", BUY | {"edge": 39_999}, {}, {}, 0),
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
    ("balance", BUY, {"cash_free": 5_000_001}, {}, FULL),
    ("balance", BUY, {"cash_free": 5_000_000}, {}, 8_000_000),
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
    found = getattr(g, guard)(
        vector(ORDER, order), vector(STATE, CALM | state), limit_vector(ROOM | limit)
    )
    assert found == permitted


NEEDS = {
    "max_stake": ([], ["market_at_risk"], ["max_stake"]),
    "daily_loss": ([], ["equity", "day_start"], ["daily_loss"]),
    "open_positions": ([], ["open_markets"], ["open_positions"]),
    "price_band": ([], ["ask"], ["price_low", "price_high", "price_away"]),
    "min_edge": (["edge"], [], ["min_edge"]),
}
GONE = [
    (guard, which, name)
    for guard, needs in NEEDS.items()
    for which, names in enumerate(needs)
    for name in names
]


@pytest.mark.parametrize(("guard", "which", "name"), GONE)
def test_without_an_input_a_guard_denies(guard, which, name):
    values = [dict(BUY), dict(CALM), dict(ROOM)]
    call = getattr(g, guard)
    make = (lambda v: vector(ORDER, v), lambda v: vector(STATE, v), limit_vector)
    assert call(*(f(v) for f, v in zip(make, values, strict=True))) == FULL
    values[which][name] = g.MISSING
    assert call(*(f(v) for f, v in zip(make, values, strict=True))) == 0


def test_a_sale_needs_the_bid():
    state = vector(STATE, CALM | {"bid": g.MISSING})
    assert g.price_band(vector(ORDER, SELL), state, limit_vector(ROOM)) == 0


# ---- all of them at once -----------------------------------------------------------------------


@given(
    orders(), states(), limits(),
    st.lists(st.integers(0, 15), min_size=9, max_size=9),
    st.lists(st.integers(0, 1), min_size=9, max_size=9),
)  # fmt: skip
def test_review_is_the_meet_of_the_guards_that_bind(o, s, limit, applies, risk_scope):
    vectors = (vector(ORDER, o), vector(STATE, s), limit_vector(limit))
    permitted = np.full(len(g.GUARDS), 77, dtype=np.int64)
    size = g.review(*vectors, np.array(applies), np.array(risk_scope), permitted)
    expected = o["size"]
    for i, name in enumerate(g.GUARDS):
        if not applies[i] & o["kind"]:
            assert permitted[i] == g.NOT_APPLICABLE
            continue
        answer = getattr(g, name)(*vectors)
        assert permitted[i] == answer
        if not (o["reduces"] and risk_scope[i]):
            expected = min(expected, answer)
    assert size == expected
