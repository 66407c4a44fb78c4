"""The guards of the core: one function each, ``(order, state, limits) -> permitted size``.

The Python path and the compiled path call these very functions; the meet of their answers is the
minimum. A guard that lacks an input answers 0: it fails closed.

Shapes:
    order   (O_SIZE_OF,) int64: the proposal, see the ``O_`` columns
    state   (S_SIZE_OF,) int64: the ledger's (or the account's) numbers, see ``S_``
    limits  (L_SIZE_OF,) int64: see ``L_``

Units: money 1e-6, prices and sizes the market's integers, edges and price limits 1e-6 of 1.0,
times ns.
"""

from __future__ import annotations

from typing import Final

from numba import int64, njit, types

MISSING: Final = -(2**63)
"""A value that is not known. Guards that need it deny."""

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
O_SIZE_OF: Final = 14

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
S_SIZE_OF: Final = 17

# ---- limit columns -------------------------------------------------------------------------
LIMITS: Final = (
    "max_stake",
    "daily_loss",
    "open_positions",
    "price_low",
    "price_high",
    "price_away",
    "min_edge",
)
"""Names of the limit columns, in order."""
L_MAX_STAKE: Final = 0
L_DAILY_LOSS: Final = 1
L_OPEN_POSITIONS: Final = 2
L_PRICE_LOW: Final = 3
L_PRICE_HIGH: Final = 4
L_PRICE_AWAY: Final = 5
L_MIN_EDGE: Final = 6
L_SIZE_OF: Final = len(LIMITS)

NOT_APPLICABLE: Final = -1

_vector = types.Array(int64, 1, "C")
_guard = int64(_vector, _vector, _vector)


@njit(int64(int64, int64, int64, int64, int64), cache=True)
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


@njit(_guard, cache=True)
def kill_switch(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing while the kill switch is latched or trading is halted here.

    Shapes: see module. Units: size.
    """
    if state[S_KILLED] != 0 or state[S_HALTED] != 0:
        return 0
    return order[O_SIZE]


@njit(_guard, cache=True)
def max_stake(order, state, limits):  # type: ignore[no-untyped-def]
    """At most so much money at risk in one market, open orders included.

    Shapes: see module. Units: size.
    """
    at_risk = state[S_MARKET_AT_RISK]
    if at_risk == MISSING or limits[L_MAX_STAKE] == MISSING:
        return 0
    at_risk = max(at_risk, 0)
    return fitting(
        order[O_SIZE],
        order[O_COST],
        order[O_SLACK],
        limits[L_MAX_STAKE] - at_risk,
        order[O_LOT],
    )


@njit(_guard, cache=True)
def daily_loss(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing once equity has fallen by the limit since the day (UTC) began.

    Shapes: see module. Units: size.
    """
    equity = state[S_EQUITY]
    start = state[S_DAY_START_EQUITY]
    if equity == MISSING or start == MISSING or limits[L_DAILY_LOSS] == MISSING:
        return 0
    if start - equity >= limits[L_DAILY_LOSS]:
        return 0
    return order[O_SIZE]


@njit(_guard, cache=True)
def open_positions(order, state, limits):  # type: ignore[no-untyped-def]
    """No further market once so many have a position or an open entry.

    Shapes: see module. Units: size.
    """
    if limits[L_OPEN_POSITIONS] == MISSING or state[S_OPEN_MARKETS] == MISSING:
        return 0
    if state[S_MARKET_OPEN] != 0 or state[S_OPEN_MARKETS] < limits[L_OPEN_POSITIONS]:
        return order[O_SIZE]
    return 0


@njit(_guard, cache=True)
def price_band(order, state, limits):  # type: ignore[no-untyped-def]
    """Only prices between two bounds, and not further than ``away`` beyond the other side.

    Shapes: see module. Units: size.
    """
    one = order[O_ONE]
    price = order[O_PRICE] * 1_000_000
    if limits[L_PRICE_LOW] == MISSING or limits[L_PRICE_HIGH] == MISSING:
        return 0
    if price < limits[L_PRICE_LOW] * one or price > limits[L_PRICE_HIGH] * one:
        return 0
    other = state[S_ASK] if order[O_SIDE] > 0 else state[S_BID]
    if other == MISSING or limits[L_PRICE_AWAY] == MISSING:
        return 0
    # A side without an order sets no distance.
    beyond = (price - other * 1_000_000) * order[O_SIDE]
    if other > 0 and beyond > limits[L_PRICE_AWAY] * one:
        return 0
    return order[O_SIZE]


@njit(_guard, cache=True)
def min_edge(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing below so much expected gain a share after costs; an unstated edge is too little.

    Shapes: see module. Units: size.
    """
    edge = order[O_EDGE]
    if edge == MISSING or limits[L_MIN_EDGE] == MISSING or edge < limits[L_MIN_EDGE]:
        return 0
    return order[O_SIZE]


@njit(_guard, cache=True)
def venue_rules(order, state, limits):  # type: ignore[no-untyped-def]
    """The venue's tick, price range, lot and minimum size; no trade against an own order.

    Shapes: see module. Units: size.
    """
    price = order[O_PRICE]
    tick = order[O_TICK]
    if state[S_TRADABLE] == 0 or price % tick != 0:
        return 0
    if price < tick or price > order[O_MAX_PRICE] - tick:
        return 0
    own = state[S_OWN_ASK] if order[O_SIDE] > 0 else state[S_OWN_BID]
    if own > 0 and (order[O_SIDE] > 0) == (price >= own):
        return 0
    if own > 0 and price == own:
        return 0
    size = (order[O_SIZE] // order[O_LOT]) * order[O_LOT]
    return size if size >= order[O_MIN_SIZE] else 0


@njit(_guard, cache=True)
def balance(order, state, limits):  # type: ignore[no-untyped-def]
    """Cash for a purchase, own unreserved shares for a sale.

    Shapes: see module. Units: size.
    """
    if order[O_SIDE] > 0:
        return fitting(
            order[O_SIZE], order[O_COST], order[O_SLACK], state[S_CASH_FREE], order[O_LOT]
        )
    size = min(order[O_SIZE], state[S_SHARES_FREE])
    return (size // order[O_LOT]) * order[O_LOT] if size > 0 else 0


@njit(_guard, cache=True)
def trusted_book(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing on a book that is stale, crossed or a placeholder.

    Shapes: see module. Units: size.
    """
    return order[O_SIZE] if state[S_TRUSTED] == 1 else 0


GUARDS: Final = (
    "kill_switch",
    "max_stake",
    "daily_loss",
    "open_positions",
    "price_band",
    "min_edge",
    "venue_rules",
    "balance",
    "trusted_book",
)
"""Names of the guards, in the order of ``review``'s answers."""


@njit(
    int64(_vector, _vector, _vector, _vector, _vector, _vector),
    cache=True,
)
def review(order, state, limits, applies, risk_scope, permitted):  # type: ignore[no-untyped-def]
    """All guards at once: fills ``permitted`` and returns the meet of those that bind.

    ``applies`` holds each guard's bits of intent kinds (0: not installed); ``risk_scope`` is 1
    where a guard does not bind on orders that reduce exposure.

    Shapes: applies, risk_scope, permitted (len(GUARDS),) int64. Units: sizes; NOT_APPLICABLE = -1.
    """
    size = order[O_SIZE]
    permitted[0] = kill_switch(order, state, limits)
    permitted[1] = max_stake(order, state, limits)
    permitted[2] = daily_loss(order, state, limits)
    permitted[3] = open_positions(order, state, limits)
    permitted[4] = price_band(order, state, limits)
    permitted[5] = min_edge(order, state, limits)
    permitted[6] = venue_rules(order, state, limits)
    permitted[7] = balance(order, state, limits)
    permitted[8] = trusted_book(order, state, limits)
    for i in range(permitted.shape[0]):
        if applies[i] & order[O_KIND] == 0:
            permitted[i] = NOT_APPLICABLE
            continue
        if order[O_REDUCES] != 0 and risk_scope[i] != 0:
            continue
        size = min(size, permitted[i])
    return size
