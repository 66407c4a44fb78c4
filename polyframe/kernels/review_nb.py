"""All guards in one call."""

from __future__ import annotations

from typing import Final

from numba import int64, types

from polyframe.kernels import checks_nb, exposure_nb, losses_nb, rates_nb
from polyframe.kernels import guards_nb as g
from polyframe.kernels.compile_nb import kernel

TABLE: Final = types.Array(int64, 2, "C")


@kernel(int64(g.VECTOR, g.VECTOR, g.VECTOR, g.VECTOR), inline=True)
def passes(order, state, limits, applies):  # type: ignore[no-untyped-def] # noqa: PLR0912 - a list
    """1 when every guard permits the whole order: what :func:`rule` finds most, at less cost.

    Shapes: as for :func:`rule`. Units: none.
    """
    size = order[g.O_SIZE]
    kind = order[g.O_KIND]
    if applies[0] & kind != 0 and losses_nb.kill_switch(order, state, limits) < size:
        return 0
    if applies[1] & kind != 0 and losses_nb.drawdown_kill(order, state, limits) < size:
        return 0
    if applies[2] & kind != 0 and exposure_nb.drawdown_heat(order, state, limits) < size:
        return 0
    if applies[3] & kind != 0 and exposure_nb.max_stake(order, state, limits) < size:
        return 0
    if applies[4] & kind != 0 and losses_nb.daily_loss(order, state, limits) < size:
        return 0
    if applies[5] & kind != 0 and losses_nb.weekly_loss(order, state, limits) < size:
        return 0
    if applies[6] & kind != 0 and exposure_nb.open_positions(order, state, limits) < size:
        return 0
    if applies[7] & kind != 0 and checks_nb.min_edge(order, state, limits) < size:
        return 0
    if applies[8] & kind != 0 and checks_nb.liquidity(order, state, limits) < size:
        return 0
    if applies[9] & kind != 0 and checks_nb.spread(order, state, limits) < size:
        return 0
    if applies[10] & kind != 0 and checks_nb.evidence(order, state, limits) < size:
        return 0
    if applies[11] & kind != 0 and checks_nb.confidence(order, state, limits) < size:
        return 0
    if applies[12] & kind != 0 and checks_nb.implied_probability(order, state, limits) < size:
        return 0
    if applies[13] & kind != 0 and checks_nb.edge_direction(order, state, limits) < size:
        return 0
    if applies[14] & kind != 0 and checks_nb.market_type(order, state, limits) < size:
        return 0
    if applies[15] & kind != 0 and exposure_nb.portfolio(order, state, limits) < size:
        return 0
    if applies[16] & kind != 0 and checks_nb.timeline(order, state, limits) < size:
        return 0
    if applies[17] & kind != 0 and exposure_nb.category(order, state, limits) < size:
        return 0
    if applies[18] & kind != 0 and exposure_nb.event(order, state, limits) < size:
        return 0
    if applies[19] & kind != 0 and exposure_nb.correlation(order, state, limits) < size:
        return 0
    if applies[20] & kind != 0 and exposure_nb.symbol(order, state, limits) < size:
        return 0
    if applies[21] & kind != 0 and exposure_nb.order_size(order, state, limits) < size:
        return 0
    if applies[22] & kind != 0 and rates_nb.order_rate(order, state, limits) < size:
        return 0
    if applies[23] & kind != 0 and rates_nb.daily_volume(order, state, limits) < size:
        return 0
    if applies[24] & kind != 0 and rates_nb.cancel_ratio(order, state, limits) < size:
        return 0
    if applies[25] & kind != 0 and losses_nb.stoploss_guard(order, state, limits) < size:
        return 0
    if applies[26] & kind != 0 and losses_nb.cooldown(order, state, limits) < size:
        return 0
    if applies[27] & kind != 0 and losses_nb.low_profit(order, state, limits) < size:
        return 0
    if applies[28] & kind != 0 and losses_nb.max_drawdown(order, state, limits) < size:
        return 0
    if applies[29] & kind != 0 and checks_nb.price_band(order, state, limits) < size:
        return 0
    if applies[30] & kind != 0 and checks_nb.venue_rules(order, state, limits) < size:
        return 0
    if applies[31] & kind != 0 and checks_nb.balance(order, state, limits) < size:
        return 0
    if applies[32] & kind != 0 and checks_nb.trusted_book(order, state, limits) < size:
        return 0
    return 1


@kernel(types.Tuple((int64, int64))(g.VECTOR, g.VECTOR, g.VECTOR, g.VECTOR, g.VECTOR, g.VECTOR))
def rule(order, state, limits, applies, risk_scope, permitted):  # type: ignore[no-untyped-def] # noqa: PLR0912, PLR0915 - a list
    """All guards at once: fills ``permitted``; the meet of those that bind, and 1 if one objects.

    ``applies`` holds each guard's bits of intent kinds (0: not installed); ``risk_scope`` is 1
    where a guard does not bind on orders that reduce exposure.

    Shapes: applies, risk_scope, permitted (len(GUARDS),) int64. Units: sizes; NOT_APPLICABLE = -1.
    """
    size = order[g.O_SIZE]
    kind = order[g.O_KIND]
    if applies[0] & kind != 0:
        permitted[0] = losses_nb.kill_switch(order, state, limits)
    if applies[1] & kind != 0:
        permitted[1] = losses_nb.drawdown_kill(order, state, limits)
    if applies[2] & kind != 0:
        permitted[2] = exposure_nb.drawdown_heat(order, state, limits)
    if applies[3] & kind != 0:
        permitted[3] = exposure_nb.max_stake(order, state, limits)
    if applies[4] & kind != 0:
        permitted[4] = losses_nb.daily_loss(order, state, limits)
    if applies[5] & kind != 0:
        permitted[5] = losses_nb.weekly_loss(order, state, limits)
    if applies[6] & kind != 0:
        permitted[6] = exposure_nb.open_positions(order, state, limits)
    if applies[7] & kind != 0:
        permitted[7] = checks_nb.min_edge(order, state, limits)
    if applies[8] & kind != 0:
        permitted[8] = checks_nb.liquidity(order, state, limits)
    if applies[9] & kind != 0:
        permitted[9] = checks_nb.spread(order, state, limits)
    if applies[10] & kind != 0:
        permitted[10] = checks_nb.evidence(order, state, limits)
    if applies[11] & kind != 0:
        permitted[11] = checks_nb.confidence(order, state, limits)
    if applies[12] & kind != 0:
        permitted[12] = checks_nb.implied_probability(order, state, limits)
    if applies[13] & kind != 0:
        permitted[13] = checks_nb.edge_direction(order, state, limits)
    if applies[14] & kind != 0:
        permitted[14] = checks_nb.market_type(order, state, limits)
    if applies[15] & kind != 0:
        permitted[15] = exposure_nb.portfolio(order, state, limits)
    if applies[16] & kind != 0:
        permitted[16] = checks_nb.timeline(order, state, limits)
    if applies[17] & kind != 0:
        permitted[17] = exposure_nb.category(order, state, limits)
    if applies[18] & kind != 0:
        permitted[18] = exposure_nb.event(order, state, limits)
    if applies[19] & kind != 0:
        permitted[19] = exposure_nb.correlation(order, state, limits)
    if applies[20] & kind != 0:
        permitted[20] = exposure_nb.symbol(order, state, limits)
    if applies[21] & kind != 0:
        permitted[21] = exposure_nb.order_size(order, state, limits)
    if applies[22] & kind != 0:
        permitted[22] = rates_nb.order_rate(order, state, limits)
    if applies[23] & kind != 0:
        permitted[23] = rates_nb.daily_volume(order, state, limits)
    if applies[24] & kind != 0:
        permitted[24] = rates_nb.cancel_ratio(order, state, limits)
    if applies[25] & kind != 0:
        permitted[25] = losses_nb.stoploss_guard(order, state, limits)
    if applies[26] & kind != 0:
        permitted[26] = losses_nb.cooldown(order, state, limits)
    if applies[27] & kind != 0:
        permitted[27] = losses_nb.low_profit(order, state, limits)
    if applies[28] & kind != 0:
        permitted[28] = losses_nb.max_drawdown(order, state, limits)
    if applies[29] & kind != 0:
        permitted[29] = checks_nb.price_band(order, state, limits)
    if applies[30] & kind != 0:
        permitted[30] = checks_nb.venue_rules(order, state, limits)
    if applies[31] & kind != 0:
        permitted[31] = checks_nb.balance(order, state, limits)
    if applies[32] & kind != 0:
        permitted[32] = checks_nb.trusted_book(order, state, limits)
    reduces = order[g.O_REDUCES] != 0
    least = size
    against = int64(0)
    for i in range(permitted.shape[0]):
        if applies[i] & kind == 0:
            permitted[i] = g.NOT_APPLICABLE
        elif permitted[i] < size:
            against = int64(1)
            if not reduces or risk_scope[i] == 0:
                least = min(least, permitted[i])
    return least, against


@kernel(int64(g.VECTOR, g.VECTOR, g.VECTOR, g.VECTOR, g.VECTOR, g.VECTOR))
def review(order, state, limits, applies, risk_scope, permitted):  # type: ignore[no-untyped-def]
    """The meet alone, see :func:`rule`.

    Shapes: as for :func:`rule`. Units: sizes.
    """
    return rule(order, state, limits, applies, risk_scope, permitted)[0]


@kernel(int64(g.VECTOR, TABLE, TABLE, TABLE, g.VECTOR, TABLE, int64, int64, int64))
def review_both(  # type: ignore[no-untyped-def]
    order, state, limits, applies, risk_scope, permitted, ledger, account, twin
):
    """The meet of the rulings on a ledger and on the account.

    ``twin`` says that numbers and limits of both are the same, and so are the rulings.

    Shapes: state (2, S_SIZE_OF), permitted (2, len(GUARDS)): the ledger's row, then the account's;
    limits (rows, L_SIZE_OF), applies (rows, len(GUARDS)). Units: sizes; NOT_APPLICABLE = -1.
    """
    mine = review(order, state[0], limits[ledger], applies[ledger], risk_scope, permitted[0])
    if twin != 0:
        for k in range(permitted.shape[1]):
            permitted[1, k] = permitted[0, k]
        return mine
    whole = review(order, state[1], limits[account], applies[account], risk_scope, permitted[1])
    return min(mine, whole)


CUBE: Final = types.Array(int64, 3, "C")


@kernel(types.void(TABLE, CUBE, TABLE, TABLE, g.VECTOR, CUBE, int64, int64))
def review_each(  # type: ignore[no-untyped-def]
    orders, states, limits, applies, risk_scope, permitted, ledger, account
):
    """What every guard permits in each of many reviews, on the ledger's row and the account's.

    Shapes: orders (n, O_SIZE_OF), states (n, 2, S_SIZE_OF), permitted (n, 2, len(GUARDS)); limits
    and applies as for :func:`review_both`. Units: sizes; NOT_APPLICABLE = -1.
    """
    for k in range(orders.shape[0]):
        review(
            orders[k], states[k, 0], limits[ledger], applies[ledger], risk_scope, permitted[k, 0]
        )
        review(
            orders[k], states[k, 1], limits[account], applies[account], risk_scope, permitted[k, 1]
        )
