"""The guards that cap what is at risk: in a market, an event, a category, and in all.

Caps that are a part of equity shrink an order to what still fits; counts allow or deny.

Shapes, units: see ``guards_nb``.
"""

from __future__ import annotations

from numba import int64

from polyframe.kernels import guards_nb as g
from polyframe.kernels.compile_nb import kernel


@kernel(int64(g.VECTOR, int64, int64), inline=True)
def under(order, at_risk, cap):  # type: ignore[no-untyped-def]
    """What of an order fits under a cap, given what is at risk already.

    Shapes: order see ``guards_nb``. Units: money in, size out.
    """
    if at_risk == g.MISSING:
        return 0
    return g.fitting(
        order[g.O_SIZE],
        order[g.O_COST],
        order[g.O_SLACK],
        cap - max(at_risk, 0),
        order[g.O_LOT],
    )


@kernel(int64(g.VECTOR, g.VECTOR, int64, int64), inline=True)
def under_share(order, state, at_risk, part):  # type: ignore[no-untyped-def]
    """The same for a cap that is a part of equity.

    Shapes: see ``guards_nb``. Units: at_risk in money, part in millionths, size out.
    """
    if state[g.S_EQUITY] == g.MISSING or part == g.MISSING:
        return 0
    return under(order, at_risk, g.share_of(state[g.S_EQUITY], part))


@kernel(g.GUARD, inline=True)
def drawdown_heat(order, state, limits):  # type: ignore[no-untyped-def]
    """In drawdown only a part of the stake of ``max_stake``, by steps.

    Shapes: see module. Units: size.
    """
    equity = state[g.S_EQUITY]
    peak = state[g.S_PEAK_EQUITY]
    if equity == g.MISSING or peak == g.MISSING or limits[g.L_HEAT_FROM_1] == g.MISSING:
        return 0
    lost = peak - equity
    if lost <= 0 or lost < g.share_of(peak, limits[g.L_HEAT_FROM_1]):
        return order[g.O_SIZE]
    keep = limits[g.L_HEAT_KEEP_1]
    if lost >= g.share_of(peak, limits[g.L_HEAT_FROM_2]):
        keep = limits[g.L_HEAT_KEEP_2]
    if lost >= g.share_of(peak, limits[g.L_HEAT_FROM_3]):
        keep = limits[g.L_HEAT_KEEP_3]
    if keep <= 0 or limits[g.L_MAX_STAKE] == g.MISSING:
        return 0
    return under(order, state[g.S_MARKET_AT_RISK], g.share_of(limits[g.L_MAX_STAKE], keep))


@kernel(g.GUARD, inline=True)
def max_stake(order, state, limits):  # type: ignore[no-untyped-def]
    """At most so much money at risk in one market, open orders included.

    Shapes: see module. Units: size.
    """
    if limits[g.L_MAX_STAKE] == g.MISSING:
        return 0
    return under(order, state[g.S_MARKET_AT_RISK], limits[g.L_MAX_STAKE])


@kernel(g.GUARD, inline=True)
def open_positions(order, state, limits):  # type: ignore[no-untyped-def]
    """No further market once so many have a position or an open entry.

    Shapes: see module. Units: size.
    """
    if limits[g.L_OPEN_POSITIONS] == g.MISSING or state[g.S_OPEN_MARKETS] == g.MISSING:
        return 0
    if state[g.S_MARKET_OPEN] != 0 or state[g.S_OPEN_MARKETS] < limits[g.L_OPEN_POSITIONS]:
        return order[g.O_SIZE]
    return 0


@kernel(g.GUARD, inline=True)
def portfolio(order, state, limits):  # type: ignore[no-untyped-def]
    """At most such a part of equity at risk over all events together.

    Shapes: see module. Units: size.
    """
    return under_share(order, state, state[g.S_TOTAL_AT_RISK], limits[g.L_PORTFOLIO])


@kernel(g.GUARD, inline=True)
def category(order, state, limits):  # type: ignore[no-untyped-def]
    """At most such a part of equity at risk in the market's category, by its own cap if it has one.

    Shapes: see module. Units: size.
    """
    part = state[g.S_CATEGORY_CAP]
    if part == g.MISSING:
        part = limits[g.L_CATEGORY]
    return under_share(order, state, state[g.S_CATEGORY_AT_RISK], part)


@kernel(g.GUARD, inline=True)
def event(order, state, limits):  # type: ignore[no-untyped-def]
    """At most such a part of equity at risk in the market's event.

    Shapes: see module. Units: size.
    """
    return under_share(order, state, state[g.S_GROUP_AT_RISK], limits[g.L_EVENT])


@kernel(g.GUARD, inline=True)
def correlation(order, state, limits):  # type: ignore[no-untyped-def]
    """No further market beside so many that move with it, itself counted.

    Shapes: see module. Units: size.
    """
    if limits[g.L_CORRELATED] == g.MISSING or state[g.S_CORRELATED] == g.MISSING:
        return 0
    if state[g.S_MARKET_OPEN] != 0 or state[g.S_CORRELATED] < limits[g.L_CORRELATED]:
        return order[g.O_SIZE]
    return 0


@kernel(g.GUARD, inline=True)
def symbol(order, state, limits):  # type: ignore[no-untyped-def]
    """At most such parts of equity in one market, net and gross, and net over all markets.

    Shapes: see module. Units: size.
    """
    net = under_share(order, state, state[g.S_MARKET_NET], limits[g.L_SYMBOL_NET])
    gross = under_share(order, state, state[g.S_MARKET_GROSS], limits[g.L_SYMBOL_GROSS])
    total = under_share(order, state, state[g.S_TOTAL_NET], limits[g.L_SYMBOL_TOTAL_NET])
    return min(net, gross, total)


@kernel(g.GUARD, inline=True)
def order_size(order, state, limits):  # type: ignore[no-untyped-def]
    """No order for more than such a part of equity; quotes have a limit of their own.

    Shapes: see module. Units: size.
    """
    part = limits[g.L_QUOTE_SIZE] if order[g.O_KIND] == g.QUOTE else limits[g.L_ORDER_SIZE]
    if state[g.S_EQUITY] == g.MISSING or part == g.MISSING:
        return 0
    cap = g.share_of(state[g.S_EQUITY], part)
    return g.fitting(order[g.O_SIZE], abs(order[g.O_COST]), order[g.O_SLACK], cap, order[g.O_LOT])
