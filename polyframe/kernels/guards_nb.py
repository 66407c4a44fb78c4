"""What the guards read: the columns of their vectors, and two sums that several of them need.

A guard is one function, ``(order, state, limits) -> permitted size``; they stand in ``losses_nb``,
``exposure_nb``, ``rates_nb`` and ``checks_nb``. The Python path and the compiled path call these
very functions through ``review_nb.review``; the meet of their answers is the minimum. A guard that
lacks an input answers 0: it fails closed.

Shapes:
    order   (O_SIZE_OF,) int64: the proposal, see the ``O_`` columns
    state   (S_SIZE_OF,) int64: the ledger's (or the account's) numbers, see ``S_``
    limits  (L_SIZE_OF,) int64: see ``L_``

Units: money 1e-6, prices and sizes the market's integers, edges, probabilities and parts of equity
1e-6 of 1.0, times ns.
"""

from __future__ import annotations

from typing import Final

from numba import int64, types

from polyframe.kernels.compile_nb import kernel

MISSING: Final = -(2**63)
"""A value that is not known. Guards that need it deny."""
EXEMPT: Final = 2**63 - 1
"""A value that is not asked for here. Guards that need it let the order pass."""

# ---- order columns -------------------------------------------------------------------------
O_SIDE: Final = 0
O_PRICE: Final = 1
O_SIZE: Final = 2
O_LOT: Final = 3
O_MIN_SIZE: Final = 4
O_TICK: Final = 5
O_MAX_PRICE: Final = 6
O_KIND: Final = 7
O_REDUCES: Final = 8
O_COST: Final = 9
"""cash a purchase needs, fee included; proceeds after fee, negative, for a sale"""
O_SLACK: Final = 10
"""what rounding of partial fills may add to the cost"""
O_EDGE: Final = 11
O_TS: Final = 12
O_ONE: Final = 13
"""the integer price of 1.0"""
O_PROBABILITY: Final = 14
"""stated probability of the order's token, MISSING when unstated"""
O_SIZE_OF: Final = 15

# ---- state columns -------------------------------------------------------------------------
S_KILLED: Final = 0
S_HALTED: Final = 1
S_CASH_FREE: Final = 2
S_SHARES_FREE: Final = 3
S_EQUITY: Final = 4
S_DAY_START_EQUITY: Final = 5
S_PEAK_EQUITY: Final = 6
S_OPEN_MARKETS: Final = 7
S_MARKET_OPEN: Final = 8
S_MARKET_AT_RISK: Final = 9
S_GROUP_AT_RISK: Final = 10
S_BID: Final = 11
S_ASK: Final = 12
S_TRUSTED: Final = 13
S_TRADABLE: Final = 14
S_OWN_BID: Final = 15
"""best own resting bid against which a sale would trade, 0 when none"""
S_OWN_ASK: Final = 16
"""best own resting ask against which a purchase would trade, 0 when none"""
S_WEEK_START_EQUITY: Final = 17
S_TOTAL_AT_RISK: Final = 18
"""sum over events of what is at risk in each"""
S_CATEGORY_AT_RISK: Final = 19
"""the same over the events of this market's category"""
S_CATEGORY_CAP: Final = 20
"""part of equity allowed in this market's category, MISSING when it has none of its own"""
S_CORRELATED: Final = 21
"""other markets in play that are correlated with this one above the limit"""
S_MARKET_NET: Final = 22
"""absolute difference between the costs of YES and of NO in this market, open entries included"""
S_MARKET_GROSS: Final = 23
"""their sum"""
S_TOTAL_NET: Final = 24
"""sum of the absolute differences over all markets"""
S_LIQUIDITY: Final = 25
S_CONFIDENCE: Final = 26
"""0 low, 1 medium, 2 high: of the newest forecast of this market"""
S_EVIDENCE: Final = 27
"""evidence quality of that forecast"""
S_FORECAST: Final = 28
"""that forecast's probability of the order's token"""
S_BLOCKED: Final = 29
S_CLOSES: Final = 30
"""0 when unknown"""
S_ORDERS_SECOND: Final = 31
S_ORDERS_MINUTE: Final = 32
S_VOLUME_DAY: Final = 33
S_ORDERS_DAY: Final = 34
S_CANCELS_DAY: Final = 35
S_FILLS_DAY: Final = 36
S_LOCK_STOPLOSS: Final = 37
"""locked until, 0 when not; so the next three"""
S_LOCK_COOLDOWN: Final = 38
S_LOCK_LOW_PROFIT: Final = 39
S_LOCK_DRAWDOWN: Final = 40
S_SIZE_OF: Final = 41

# ---- limit columns -------------------------------------------------------------------------
LIMITS: Final = (
    "max_stake",
    "daily_loss",
    "open_positions",
    "price_low",
    "price_high",
    "price_away",
    "min_edge",
    "drawdown_kill",
    "heat_from_1",
    "heat_from_2",
    "heat_from_3",
    "heat_keep_1",
    "heat_keep_2",
    "heat_keep_3",
    "weekly_loss",
    "liquidity",
    "spread",
    "evidence",
    "confidence",
    "implied_probability",
    "blocked",
    "portfolio",
    "timeline_last",
    "timeline_first",
    "category",
    "event",
    "correlated",
    "correlated_above",
    "correlated_samples",
    "correlated_window",
    "symbol_net",
    "symbol_gross",
    "symbol_total_net",
    "order_size",
    "quote_size",
    "orders_second",
    "orders_minute",
    "daily_volume",
    "cancel_ratio",
    "cancels_from",
    "stoploss_trades",
    "stoploss_lookback",
    "stoploss_stop",
    "stoploss_per_market",
    "cooldown_stop",
    "low_profit_trades",
    "low_profit_lookback",
    "low_profit_required",
    "low_profit_stop",
    "max_drawdown_trades",
    "max_drawdown_lookback",
    "max_drawdown_allowed",
    "max_drawdown_stop",
    "drawdown_flatten",
)
"""Names of the limit columns, in order."""
L_MAX_STAKE: Final = 0
L_DAILY_LOSS: Final = 1
L_OPEN_POSITIONS: Final = 2
L_PRICE_LOW: Final = 3
L_PRICE_HIGH: Final = 4
L_PRICE_AWAY: Final = 5
L_MIN_EDGE: Final = 6
L_DRAWDOWN_KILL: Final = 7
L_HEAT_FROM_1: Final = 8
L_HEAT_FROM_2: Final = 9
L_HEAT_FROM_3: Final = 10
L_HEAT_KEEP_1: Final = 11
L_HEAT_KEEP_2: Final = 12
L_HEAT_KEEP_3: Final = 13
L_WEEKLY_LOSS: Final = 14
L_LIQUIDITY: Final = 15
L_SPREAD: Final = 16
L_EVIDENCE: Final = 17
L_CONFIDENCE: Final = 18
L_IMPLIED_PROBABILITY: Final = 19
L_BLOCKED: Final = 20
L_PORTFOLIO: Final = 21
L_TIMELINE_LAST: Final = 22
L_TIMELINE_FIRST: Final = 23
L_CATEGORY: Final = 24
L_EVENT: Final = 25
L_CORRELATED: Final = 26
L_CORRELATED_ABOVE: Final = 27
L_CORRELATED_SAMPLES: Final = 28
L_CORRELATED_WINDOW: Final = 29
L_SYMBOL_NET: Final = 30
L_SYMBOL_GROSS: Final = 31
L_SYMBOL_TOTAL_NET: Final = 32
L_ORDER_SIZE: Final = 33
L_QUOTE_SIZE: Final = 34
L_ORDERS_SECOND: Final = 35
L_ORDERS_MINUTE: Final = 36
L_DAILY_VOLUME: Final = 37
L_CANCEL_RATIO: Final = 38
L_CANCELS_FROM: Final = 39
L_STOPLOSS_TRADES: Final = 40
L_STOPLOSS_LOOKBACK: Final = 41
L_STOPLOSS_STOP: Final = 42
L_STOPLOSS_PER_MARKET: Final = 43
L_COOLDOWN_STOP: Final = 44
L_LOW_PROFIT_TRADES: Final = 45
L_LOW_PROFIT_LOOKBACK: Final = 46
L_LOW_PROFIT_REQUIRED: Final = 47
L_LOW_PROFIT_STOP: Final = 48
L_MAX_DRAWDOWN_TRADES: Final = 49
L_MAX_DRAWDOWN_LOOKBACK: Final = 50
L_MAX_DRAWDOWN_ALLOWED: Final = 51
L_MAX_DRAWDOWN_STOP: Final = 52
L_DRAWDOWN_FLATTEN: Final = 53
"""1 when the fall that stops trading also sells what is held"""
L_SIZE_OF: Final = len(LIMITS)

QUOTE: Final = 2
"""the bit of orders that quote"""

NOT_APPLICABLE: Final = -1

GUARDS: Final = (
    "kill_switch",
    "drawdown_kill",
    "drawdown_heat",
    "max_stake",
    "daily_loss",
    "weekly_loss",
    "open_positions",
    "min_edge",
    "liquidity",
    "spread",
    "evidence",
    "confidence",
    "implied_probability",
    "edge_direction",
    "market_type",
    "portfolio",
    "timeline",
    "category",
    "event",
    "correlation",
    "symbol",
    "order_size",
    "order_rate",
    "daily_volume",
    "cancel_ratio",
    "stoploss_guard",
    "cooldown",
    "low_profit",
    "max_drawdown",
    "price_band",
    "venue_rules",
    "balance",
    "trusted_book",
)
"""Names of the guards, in the order of ``review``'s answers."""

VECTOR: Final = types.Array(int64, 1, "C")
GUARD: Final = int64(VECTOR, VECTOR, VECTOR)
"""The signature of a guard."""


@kernel(int64(int64, int64, int64, int64, int64), inline=True)
def fitting(size: int, cost: int, slack: int, headroom: int, lot: int) -> int:
    """The greatest whole number of lots whose share of the cost fits into the headroom.

    Shapes: scalars. Units: size and lot in size units; cost, slack and headroom in money.
    """
    if cost + slack <= headroom:
        return size
    if headroom <= slack or cost <= 0:
        return 0
    # The product of a size and an amount can pass 2^63, a double cannot; one lot less makes up
    # for its rounding.
    part = int(float(size) * (float(headroom - slack) / float(cost)))
    part = (part // lot) * lot - lot
    return part if part > 0 else 0


@kernel(int64(int64, int64), inline=True)
def share_of(amount: int, part: int) -> int:
    """A part of an amount, rounded down; of less than nothing it is nothing.

    Shapes: scalars. Units: amount in money, part in millionths.
    """
    if amount <= 0:
        return 0
    if float(amount) * float(part) > 4.0e24:
        return 2**62
    return amount // 1_000_000 * part + amount % 1_000_000 * part // 1_000_000
