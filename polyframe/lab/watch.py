"""What a person should look at after a run of quotes."""

from __future__ import annotations

import numpy as np

from polyframe.domain.units import MINUTE, MONEY_ONE
from polyframe.lab import making_form as form
from polyframe.lab.fills_seen import Seen

LEAST_ORDERS = 20
"""From fewer orders a ratio says nothing."""
LEAST_FILLED = 0.05
MOST_CANCELS = 50.0
"""cancelled orders for one with a fill"""
MOST_SLIPPAGE = 3.0
"""ticks"""
ONE_SIDED = 5 * MINUTE


def alarms_of(orders: form.OrderCounts, seen: Seen) -> list[form.Alarm]:
    """Fill rate, cancels, a side that loses, slippage: each with its limit and what was found."""
    return [_fill_rate(orders), _cancels(orders), _one_sided(seen), _slippage(seen)]


def _fill_rate(orders: form.OrderCounts) -> form.Alarm:
    limit = f"at least {LEAST_FILLED:.0%} of the orders filled"
    if orders.fill_ratio is None or orders.accepted < LEAST_ORDERS:
        return form.Alarm("fill rate", False, f"{orders.accepted} orders say nothing", limit)
    raised = orders.fill_ratio < LEAST_FILLED
    return form.Alarm("fill rate", raised, f"{orders.fill_ratio:.1%}", limit)


def _cancels(orders: form.OrderCounts) -> form.Alarm:
    limit = f"at most {MOST_CANCELS:.0f} cancels for an order that filled"
    if orders.cancelled < LEAST_ORDERS:
        return form.Alarm("cancel ratio", False, f"{orders.cancelled} cancels", limit)
    if orders.cancels_per_fill is None:
        found = f"{orders.cancelled:,} cancels, nothing filled"
        return form.Alarm("cancel ratio", orders.cancelled > MOST_CANCELS, found, limit)
    raised = orders.cancels_per_fill > MOST_CANCELS
    return form.Alarm("cancel ratio", raised, f"{orders.cancels_per_fill:.1f} : 1", limit)


def _one_sided(seen: Seen) -> form.Alarm:
    """Whoever only trades with one side because it knows more leaves the other side's gain behind.

    A side's fills are valued at the mid five minutes later.
    """
    limit = "no side loses more than the other earns, 5 min after its fills"
    later = seen.money_later(ONE_SIDED)
    bids, offers = (int(later[seen.side == way].sum()) for way in (1, -1))
    found = f"bids {bids / MONEY_ONE:+z,.2f}, offers {offers / MONEY_ONE:+z,.2f}"
    raised = min(bids, offers) < 0 and bids + offers < 0
    return form.Alarm("one-sided loss", raised, found, limit)


def _slippage(seen: Seen) -> form.Alarm:
    limit = f"takers' fills within {MOST_SLIPPAGE:.0f} ticks of the mid when decided"
    took = ~seen.maker & (seen.decided > 0)
    if not took.any():
        return form.Alarm("slippage", False, "no taker's fill", limit)
    paid = (seen.side * (2 * seen.price - seen.decided))[took] / (2.0 * seen.ticks[took])
    beyond = int((paid > MOST_SLIPPAGE).sum())
    found = f"{beyond:,} of {int(took.sum()):,} beyond it, the worst {float(np.max(paid)):.1f}"
    return form.Alarm("slippage", beyond > 0, found, limit)
