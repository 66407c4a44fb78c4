"""The guards that limit the pace: orders a second and a minute, volume a day, cancels.

Shapes, units: see ``guards_nb``.
"""

from __future__ import annotations

from polyframe.kernels import guards_nb as g
from polyframe.kernels.compile_nb import kernel


@kernel(g.GUARD, inline=True)
def order_rate(order, state, limits):  # type: ignore[no-untyped-def]
    """No more than so many orders in the last second and in the last minute.

    Shapes: see module. Units: size.
    """
    if limits[g.L_ORDERS_SECOND] == g.MISSING or limits[g.L_ORDERS_MINUTE] == g.MISSING:
        return 0
    if state[g.S_ORDERS_SECOND] == g.MISSING or state[g.S_ORDERS_MINUTE] == g.MISSING:
        return 0
    if state[g.S_ORDERS_SECOND] >= limits[g.L_ORDERS_SECOND]:
        return 0
    if state[g.S_ORDERS_MINUTE] >= limits[g.L_ORDERS_MINUTE]:
        return 0
    return order[g.O_SIZE]


@kernel(g.GUARD, inline=True)
def daily_volume(order, state, limits):  # type: ignore[no-untyped-def]
    """Orders of a day (UTC) for no more than so many times the equity at its start.

    Shapes: see module. Units: size.
    """
    start = state[g.S_DAY_START_EQUITY]
    sent = state[g.S_VOLUME_DAY]
    if start == g.MISSING or sent == g.MISSING or limits[g.L_DAILY_VOLUME] == g.MISSING:
        return 0
    left = g.share_of(start, limits[g.L_DAILY_VOLUME]) - sent
    return g.fitting(order[g.O_SIZE], abs(order[g.O_COST]), order[g.O_SLACK], left, order[g.O_LOT])


@kernel(g.GUARD, inline=True)
def cancel_ratio(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing once so many orders were cancelled for each that was filled today (UTC).

    Shapes: see module. Units: size.
    """
    cancels = state[g.S_CANCELS_DAY]
    fills = state[g.S_FILLS_DAY]
    if limits[g.L_CANCEL_RATIO] == g.MISSING or limits[g.L_CANCELS_FROM] == g.MISSING:
        return 0
    if cancels == g.MISSING or fills == g.MISSING:
        return 0
    if cancels >= limits[g.L_CANCELS_FROM] and cancels >= limits[g.L_CANCEL_RATIO] * max(fills, 1):
        return 0
    return order[g.O_SIZE]
