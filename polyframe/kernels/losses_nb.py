"""The guards that stop new exposure: on command, after losses, and while a lock holds.

Shapes, units: see ``guards_nb``.
"""

from __future__ import annotations

from polyframe.kernels import guards_nb as g
from polyframe.kernels.compile_nb import kernel


@kernel(g.GUARD, inline=True)
def kill_switch(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing while the kill switch is latched or trading is halted here.

    Shapes: see module. Units: size.
    """
    if state[g.S_KILLED] != 0 or state[g.S_HALTED] != 0:
        return 0
    return order[g.O_SIZE]


@kernel(g.GUARD, inline=True)
def drawdown_kill(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing once equity has fallen from its peak by the limit.

    Shapes: see module. Units: size.
    """
    equity = state[g.S_EQUITY]
    peak = state[g.S_PEAK_EQUITY]
    part = limits[g.L_DRAWDOWN_KILL]
    if equity == g.MISSING or peak == g.MISSING or part == g.MISSING:
        return 0
    if peak - equity >= g.share_of(peak, part) and peak > equity:
        return 0
    return order[g.O_SIZE]


@kernel(g.GUARD, inline=True)
def daily_loss(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing once equity has fallen by the limit since the day (UTC) began.

    Shapes: see module. Units: size.
    """
    equity = state[g.S_EQUITY]
    start = state[g.S_DAY_START_EQUITY]
    if equity == g.MISSING or start == g.MISSING or limits[g.L_DAILY_LOSS] == g.MISSING:
        return 0
    if start - equity >= limits[g.L_DAILY_LOSS]:
        return 0
    return order[g.O_SIZE]


@kernel(g.GUARD, inline=True)
def weekly_loss(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing once equity has fallen by the limit since the week (Monday 00:00 UTC) began.

    Shapes: see module. Units: size.
    """
    equity = state[g.S_EQUITY]
    start = state[g.S_WEEK_START_EQUITY]
    if equity == g.MISSING or start == g.MISSING or limits[g.L_WEEKLY_LOSS] == g.MISSING:
        return 0
    if start - equity >= limits[g.L_WEEKLY_LOSS]:
        return 0
    return order[g.O_SIZE]


@kernel(g.GUARD, inline=True)
def stoploss_guard(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing while too many stop-losses of late lock the market or everything.

    Shapes: see module. Units: size.
    """
    until = state[g.S_LOCK_STOPLOSS]
    return order[g.O_SIZE] if until != g.MISSING and until <= order[g.O_TS] else 0


@kernel(g.GUARD, inline=True)
def cooldown(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing for a while after a position in the market was closed.

    Shapes: see module. Units: size.
    """
    until = state[g.S_LOCK_COOLDOWN]
    return order[g.O_SIZE] if until != g.MISSING and until <= order[g.O_TS] else 0


@kernel(g.GUARD, inline=True)
def low_profit(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing while the market is locked because its trades of late earned too little.

    Shapes: see module. Units: size.
    """
    until = state[g.S_LOCK_LOW_PROFIT]
    return order[g.O_SIZE] if until != g.MISSING and until <= order[g.O_TS] else 0


@kernel(g.GUARD, inline=True)
def max_drawdown(order, state, limits):  # type: ignore[no-untyped-def]
    """Nothing while everything is locked because the trades of late drew down too far.

    Shapes: see module. Units: size.
    """
    until = state[g.S_LOCK_DRAWDOWN]
    return order[g.O_SIZE] if until != g.MISSING and until <= order[g.O_TS] else 0
