"""The slots of own orders, and the list of those that stand in one market.

Shapes: see ``l2columns_nb``; desk (markets, D_SIZE_OF), orders (slots, V_SIZE_OF).
Units: steps of the tick.
"""

from __future__ import annotations

from numba import int64, types

from polyframe.kernels import l2columns_nb as c
from polyframe.kernels.compile_nb import kernel

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")


@kernel(types.void(_row, _table))
def span(desk, orders):  # type: ignore[no-untyped-def]
    """Computes between which steps own orders of a market rest.

    Shapes: desk (D_SIZE_OF,), one market's. Units: steps.
    """
    desk[c.D_BUY_LOW] = c.NO_STEP
    desk[c.D_BUY_HIGH] = -1
    desk[c.D_SELL_LOW] = c.NO_STEP
    desk[c.D_SELL_HIGH] = -1
    slot = desk[c.D_FIRST]
    while slot != 0:
        order = orders[slot - 1]
        step = order[c.V_STEP]
        if order[c.V_SIDE] > 0:
            desk[c.D_BUY_LOW] = min(desk[c.D_BUY_LOW], step)
            desk[c.D_BUY_HIGH] = max(desk[c.D_BUY_HIGH], step)
        else:
            desk[c.D_SELL_LOW] = min(desk[c.D_SELL_LOW], step)
            desk[c.D_SELL_HIGH] = max(desk[c.D_SELL_HIGH], step)
        slot = order[c.V_NEXT]


@kernel(types.void(int64, _table, _table), inline=True)
def link(slot, desk, orders):  # type: ignore[no-untyped-def]
    """Puts an order at the end of its market's list.

    Shapes: see module. Units: none.
    """
    order = orders[slot]
    order[c.V_STATE] = c.RESTS
    order[c.V_NEXT] = 0
    book = desk[order[c.V_PLACE]]
    if book[c.D_FIRST] == 0:
        book[c.D_FIRST] = slot + 1
    else:
        orders[book[c.D_LAST] - 1, c.V_NEXT] = slot + 1
    book[c.D_LAST] = slot + 1
    step = order[c.V_STEP]
    if order[c.V_SIDE] > 0:
        book[c.D_BUY_LOW] = min(book[c.D_BUY_LOW], step)
        book[c.D_BUY_HIGH] = max(book[c.D_BUY_HIGH], step)
    else:
        book[c.D_SELL_LOW] = min(book[c.D_SELL_LOW], step)
        book[c.D_SELL_HIGH] = max(book[c.D_SELL_HIGH], step)


@kernel(types.void(int64, _table, _table))
def unlink(slot, desk, orders):  # type: ignore[no-untyped-def]
    """Takes an order out of its market's list.

    Shapes: see module. Units: none.
    """
    order = orders[slot]
    book = desk[order[c.V_PLACE]]
    before = int64(0)
    found = book[c.D_FIRST]
    while found != slot + 1:
        before = found
        found = orders[found - 1, c.V_NEXT]
    if before == 0:
        book[c.D_FIRST] = order[c.V_NEXT]
    else:
        orders[before - 1, c.V_NEXT] = order[c.V_NEXT]
    if book[c.D_LAST] == slot + 1:
        book[c.D_LAST] = before
    span(book, orders)


@kernel(types.void(int64, _row, _table, _table), inline=True)
def finish(slot, at, desk, orders):  # type: ignore[no-untyped-def]
    """An order stands no more; its slot is kept until its last answer was taken.

    Shapes: see module. Units: none.
    """
    if orders[slot, c.V_STATE] == c.RESTS:
        unlink(slot, desk, orders)
    orders[slot, c.V_STATE] = c.ENDED
    at[c.C_STANDING] -= 1


@kernel(int64(_row, _table), inline=True)
def reserve_slot(at, orders):  # type: ignore[no-untyped-def]
    """A free slot for a new order, -1 when there is none.

    Shapes: see module. Units: none.
    """
    slot = at[c.C_FREE] - 1
    if slot >= 0:
        at[c.C_FREE] = orders[slot, c.V_NEXT]
        at[c.C_STANDING] += 1
        at[c.C_USED] += 1
        orders[slot, c.V_STATE] = c.SENT
        orders[slot, c.V_NEXT] = 0
        orders[slot, c.V_TRADED] = 0
        orders[slot, c.V_FILLS] = 0
        orders[slot, c.V_PULLED] = 0
    return slot


@kernel(types.void(int64, _row, _table), inline=True)
def release_slot(slot, at, orders):  # type: ignore[no-untyped-def]
    """Gives the slot of an ended order free.

    Shapes: see module. Units: none.
    """
    at[c.C_USED] -= 1
    orders[slot, c.V_STATE] = c.FREE
    orders[slot, c.V_NUMBER] = 0
    orders[slot, c.V_NEXT] = at[c.C_FREE]
    at[c.C_FREE] = slot + 1
