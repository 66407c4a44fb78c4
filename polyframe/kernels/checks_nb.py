"""The guards that look at the order, its market and the forecast behind it.

Shapes, units: see ``guards_nb``.
"""

from __future__ import annotations

from numba import int64

from polyframe.kernels import guards_nb as g
from polyframe.kernels.compile_nb import kernel


@kernel(int64(int64, int64, int64))
def at_least(size, value, least):  # type: ignore[no-untyped-def]
    """The size when a value is at least what is asked or exempt, else nothing.

    Shapes: scalars. Units: size in and out.
    """
    if value == g.EXEMPT:
        return size
    if value == g.MISSING or least == g.MISSING or value < least:
        return 0
    return size


@kernel(g.GUARD, inline=True)
def min_edge(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing below so much expected gain a share after costs; an unstated edge is too little.

    Shapes: see module. Units: size.
    """
    edge = order[g.O_EDGE]
    if edge == g.MISSING or limits[g.L_MIN_EDGE] == g.MISSING or edge < limits[g.L_MIN_EDGE]:
        return 0
    return order[g.O_SIZE]


@kernel(g.GUARD, inline=True)
def liquidity(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing in a market that last reported less liquidity.

    Shapes: see module. Units: size.
    """
    return at_least(order[g.O_SIZE], state[g.S_LIQUIDITY], limits[g.L_LIQUIDITY])


@kernel(g.GUARD, inline=True)
def spread(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing where bid and ask are further apart, or one of them is not there.

    Shapes: see module. Units: size.
    """
    bid = state[g.S_BID]
    ask = state[g.S_ASK]
    if bid == g.MISSING or ask == g.MISSING or limits[g.L_SPREAD] == g.MISSING:
        return 0
    if bid <= 0 or ask <= 0 or (ask - bid) * 1_000_000 > limits[g.L_SPREAD] * order[g.O_ONE]:
        return 0
    return order[g.O_SIZE]


@kernel(g.GUARD, inline=True)
def evidence(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing on a forecast whose evidence is of less quality.

    Shapes: see module. Units: size.
    """
    return at_least(order[g.O_SIZE], state[g.S_EVIDENCE], limits[g.L_EVIDENCE])


@kernel(g.GUARD, inline=True)
def confidence(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing on a forecast of less confidence.

    Shapes: see module. Units: size.
    """
    return at_least(order[g.O_SIZE], state[g.S_CONFIDENCE], limits[g.L_CONFIDENCE])


@kernel(g.GUARD, inline=True)
def implied_probability(order, state, limits):  # type: ignore[no-untyped-def]
    """No purchase of a token whose price says that it is less probable.

    Shapes: see module. Units: size.
    """
    least = limits[g.L_IMPLIED_PROBABILITY]
    if least == g.MISSING:
        return 0
    if order[g.O_SIDE] > 0 and order[g.O_PRICE] * 1_000_000 < least * order[g.O_ONE]:
        return 0
    return order[g.O_SIZE]


@kernel(g.GUARD, inline=True)
def edge_direction(order, state, limits):  # type: ignore[no-untyped-def]
    """A purchase only of what is believed worth more than its price, a sale of what is worth less.

    Neither against what is stated nor against the newest forecast of the market. Something must be
    stated: a probability or an edge.

    Shapes: see module. Units: size.
    """
    stated = order[g.O_PROBABILITY]
    edge = order[g.O_EDGE]
    if stated == g.MISSING and edge == g.MISSING:
        return 0
    if edge != g.MISSING and edge <= 0:
        return 0
    price = order[g.O_PRICE] * 1_000_000
    one = order[g.O_ONE]
    side = order[g.O_SIDE]
    if stated != g.MISSING and (stated * one - price) * side <= 0:
        return 0
    newest = state[g.S_FORECAST]
    if newest == g.EXEMPT:
        return order[g.O_SIZE]
    if newest == g.MISSING or (newest * one - price) * side <= 0:
        return 0
    return order[g.O_SIZE]


@kernel(g.GUARD, inline=True)
def market_type(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing in a market of a blocked category.

    Shapes: see module. Units: size.
    """
    return order[g.O_SIZE] if state[g.S_BLOCKED] == 0 else 0


@kernel(g.GUARD, inline=True)
def timeline(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing too soon before the market closes, nor too long; nothing when that is not known.

    Shapes: see module. Units: size.
    """
    closes = state[g.S_CLOSES]
    if closes == g.EXEMPT:
        return order[g.O_SIZE]
    if limits[g.L_TIMELINE_LAST] == g.MISSING or limits[g.L_TIMELINE_FIRST] == g.MISSING:
        return 0
    if closes == g.MISSING or closes <= 0:
        return 0
    left = closes - order[g.O_TS]
    if left < limits[g.L_TIMELINE_LAST] or left > limits[g.L_TIMELINE_FIRST]:
        return 0
    return order[g.O_SIZE]


@kernel(g.GUARD, inline=True)
def price_band(order, state, limits):  # type: ignore[no-untyped-def]
    """Only prices between two bounds, and not further than ``away`` beyond the other side.

    Shapes: see module. Units: size.
    """
    one = order[g.O_ONE]
    price = order[g.O_PRICE] * 1_000_000
    if limits[g.L_PRICE_LOW] == g.MISSING or limits[g.L_PRICE_HIGH] == g.MISSING:
        return 0
    if price < limits[g.L_PRICE_LOW] * one or price > limits[g.L_PRICE_HIGH] * one:
        return 0
    other = state[g.S_ASK] if order[g.O_SIDE] > 0 else state[g.S_BID]
    if other == g.MISSING or limits[g.L_PRICE_AWAY] == g.MISSING:
        return 0
    # A side without an order sets no distance.
    beyond = (price - other * 1_000_000) * order[g.O_SIDE]
    if other > 0 and beyond > limits[g.L_PRICE_AWAY] * one:
        return 0
    return order[g.O_SIZE]


@kernel(g.GUARD, inline=True)
def venue_rules(order, state, limits):  # type: ignore[no-untyped-def]
    """The venue's tick, price range, lot and minimum size; no trade against an own order.

    Shapes: see module. Units: size.
    """
    price = order[g.O_PRICE]
    tick = order[g.O_TICK]
    if state[g.S_TRADABLE] == 0 or price % tick != 0:
        return 0
    if price < tick or price > order[g.O_MAX_PRICE] - tick:
        return 0
    own = state[g.S_OWN_ASK] if order[g.O_SIDE] > 0 else state[g.S_OWN_BID]
    if own > 0 and (order[g.O_SIDE] > 0) == (price >= own):
        return 0
    if own > 0 and price == own:
        return 0
    size = (order[g.O_SIZE] // order[g.O_LOT]) * order[g.O_LOT]
    return size if size >= order[g.O_MIN_SIZE] else 0


@kernel(g.GUARD, inline=True)
def balance(order, state, limits):  # type: ignore[no-untyped-def]
    """Cash for a purchase, own unreserved shares for a sale.

    Shapes: see module. Units: size.
    """
    if order[g.O_SIDE] > 0:
        return g.fitting(
            order[g.O_SIZE], order[g.O_COST], order[g.O_SLACK], state[g.S_CASH_FREE], order[g.O_LOT]
        )
    size = min(order[g.O_SIZE], state[g.S_SHARES_FREE])
    return (size // order[g.O_LOT]) * order[g.O_LOT] if size > 0 else 0


@kernel(g.GUARD, inline=True)
def trusted_book(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing on a book that is stale, crossed or a placeholder.

    Shapes: see module. Units: size.
    """
    return order[g.O_SIZE] if state[g.S_TRUSTED] == 1 else 0
