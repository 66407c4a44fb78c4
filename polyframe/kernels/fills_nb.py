"""What rows of the tape do to own orders at rest: their place in the queue, and fills.

An own order is filled when a trade reaches its turn at its price, when a trade or a quote of the
other side goes through its price, and never while the book is not to be trusted.

Shapes: see ``l2columns_nb`` and ``addresses_nb``. Units: see ``l2columns_nb``.
Source: the rules of the queue are those documented by hftbacktest 2.4.
"""

from __future__ import annotations

from numba import int64, types

from polyframe.kernels import book_nb as b
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import queue_nb
from polyframe.kernels.addresses_nb import BOOKS, VENUE, books_of, places_of, venue_of
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.slots_nb import span
from polyframe.kernels.venue_nb import UNKNOWN_FRONT, end, fill

_row = types.Array(int64, 1, "C")


@kernel(types.void(int64, int64, int64, int64, int64, BOOKS, VENUE), inline=True)
def on_level(m, side, step, before, after, books, venue):  # type: ignore[no-untyped-def]
    """What rests at a level of a trusted book changed: own orders there may have come forward.

    Shapes: see module. Units: steps, size units.
    """
    orders, front, conf = venue[0], venue[1], venue[5]
    slot = books[0][m, c.D_FIRST]
    while slot != 0:
        order = orders[slot - 1]
        if order[c.V_SIDE] == side and order[c.V_STEP] == step:
            front[slot - 1] = queue_nb.changed(
                conf[c.F_QUEUE], conf[c.F_POWER] / 1e6, front[slot - 1], float(order[c.V_TRADED]),
                float(before), float(after),
            )  # fmt: skip
            order[c.V_TRADED] = 0
        slot = order[c.V_NEXT]


@kernel(types.void(int64, int64, int64, int64, int64, int64))
def on_trade(m, aggressor, price, size, ts, where):  # type: ignore[no-untyped-def]
    """Somebody traded: fills better own orders of the other side, and those whose turn it is.

    Shapes: see module. Units: side of the taker; YES price units, size units; ns.
    """
    books, venue = books_of(where), venue_of(where)
    orders, front, conf = venue[0], venue[1], venue[5]
    own = int64(0)
    slot = books[0][m, c.D_FIRST]
    while slot != 0:
        order = orders[slot - 1]
        following = order[c.V_NEXT]
        if order[c.V_SIDE] == -aggressor:
            better = (order[c.V_PRICE] - price) * order[c.V_SIDE]
            if better > 0:
                fill(slot - 1, order[c.V_PRICE], order[c.V_OPEN], 0, ts, where)
            elif better == 0:
                # What went to own orders that came earlier did not go to strangers.
                left, turn = queue_nb.executed(
                    front[slot - 1], float(size - own), float(order[c.V_OPEN])
                )
                front[slot - 1] = left
                order[c.V_TRADED] += size - own
                if turn > 0.0:
                    # A share of the queue may leave less than one unit of size: that is no fill.
                    got = int64(turn) if conf[c.F_PARTIAL] != 0 else order[c.V_OPEN]
                    if got > 0:
                        own = min(own + got, size)
                        fill(slot - 1, price, got, 0, ts, where)
        slot = following


@kernel(int64(int64, BOOKS, VENUE), inline=True)
def _met(m, books, venue):  # type: ignore[no-untyped-def]
    """The slot of the own order that the other side's best price meets first, -1 for none."""
    desk, levels = books
    orders = venue[0]
    book = desk[m]
    bid, ask = book[b.K_BID], book[b.K_ASK]
    found = int64(-1)
    slot = book[c.D_FIRST]
    while slot != 0:
        order = orders[slot - 1]
        side, step = order[c.V_SIDE], order[c.V_STEP]
        meets_ask = side > 0 and ask < levels.shape[1] and step >= ask
        met = meets_ask or (side < 0 and bid > 0 and step <= bid)
        # Own bids and own offers never cross, so that all that are met are of one side.
        if met and (found < 0 or (step - orders[found, c.V_STEP]) * side > 0):
            found = slot - 1
        slot = order[c.V_NEXT]
    return found


@kernel(types.void(int64, int64, int64))
def on_cross(m, ts, where):  # type: ignore[no-untyped-def]
    """A quote of the other side stands at or through own orders: it would have met them.

    The best own price first, of those the one that came first.

    Shapes: see module. Units: ns.
    """
    at, _ = places_of(where)
    books, venue = books_of(where), venue_of(where)
    desk, levels = books
    orders, conf = venue[0], venue[5]
    book = desk[m]
    while True:
        slot = _met(m, books, venue)
        if slot < 0:
            return
        order = orders[slot]
        side = order[c.V_SIDE]
        if conf[c.F_PARTIAL] == 0:
            fill(slot, order[c.V_PRICE], order[c.V_OPEN], 0, ts, where)
            continue
        step = book[b.K_ASK] if side > 0 else book[b.K_BID]
        rests = levels[2 * m + 1, step] if side > 0 else levels[2 * m, step]
        size = min(rests, order[c.V_OPEN])
        fill(slot, order[c.V_PRICE], size, 0, ts, where)
        b.rest(book[: b.K_SIZE_OF], levels[2 * m], levels[2 * m + 1], -side, step, rests - size)
        at[c.C_DIRTY] = m + 1


@kernel(types.void(int64, int64))
def before_snapshot(m, where):  # type: ignore[no-untyped-def]
    """Remembers what rested around own orders, and empties the book for what follows.

    Shapes: see module. Units: size units.
    """
    books, venue = books_of(where), venue_of(where)
    desk, levels = books
    orders = venue[0]
    known = desk[m, b.K_WHOLE] != 0
    slot = desk[m, c.D_FIRST]
    while slot != 0:
        order = orders[slot - 1]
        step = order[c.V_STEP]
        rested = levels[2 * m, step] if order[c.V_SIDE] > 0 else levels[2 * m + 1, step]
        order[c.V_BEFORE] = rested if known else -1
        slot = order[c.V_NEXT]
    b.wipe(desk[m, : b.K_SIZE_OF], levels[2 * m], levels[2 * m + 1])
    desk[m, c.D_INSIDE] = 1


@kernel(types.void(int64, int64))
def after_snapshot(m, where):  # type: ignore[no-untyped-def]
    """The book is whole: own orders find their places in it.

    A snapshot whose begin is not on the tape, or that was cleared since, makes no book whole.

    Shapes: see module. Units: size units.
    """
    books, venue = books_of(where), venue_of(where)
    desk, levels = books
    orders, front, conf = venue[0], venue[1], venue[5]
    if desk[m, c.D_INSIDE] == 0:
        return
    desk[m, c.D_INSIDE] = 0
    desk[m, b.K_WHOLE] = b.WHOLE
    slot = desk[m, c.D_FIRST]
    while slot != 0:
        order = orders[slot - 1]
        step = order[c.V_STEP]
        if step <= 0 or step >= levels.shape[1] - 1:
            # Outside the book's window: nobody says what rests there.
            slot = order[c.V_NEXT]
            continue
        after = levels[2 * m, step] if order[c.V_SIDE] > 0 else levels[2 * m + 1, step]
        if order[c.V_BEFORE] >= 0 and front[slot - 1] < UNKNOWN_FRONT:
            front[slot - 1] = queue_nb.changed(
                conf[c.F_QUEUE], conf[c.F_POWER] / 1e6, front[slot - 1], float(order[c.V_TRADED]),
                float(order[c.V_BEFORE]), float(after),
            )  # fmt: skip
        else:
            # What happened while nobody saw it brings nobody forward.
            front[slot - 1] = min(front[slot - 1], float(after))
        order[c.V_TRADED] = 0
        slot = order[c.V_NEXT]


@kernel(types.void(int64, int64, int64, int64))
def on_tick(m, tick, ts, where):  # type: ignore[no-untyped-def]
    """The tick changed: own orders that have no step on the new grid are cancelled by the venue.

    Shapes: see module. Units: price units; ns.
    """
    books, venue = books_of(where), venue_of(where)
    desk, levels = books
    orders = venue[0]
    book = desk[m]
    if b.retick(book[: b.K_SIZE_OF], levels[2 * m], levels[2 * m + 1], tick) == 0:
        book[c.D_INSIDE] = 0
    slot = book[c.D_FIRST]
    while slot != 0:
        order = orders[slot - 1]
        following = order[c.V_NEXT]
        if (order[c.V_PRICE] - book[b.K_BASE]) % tick != 0:
            end(slot - 1, c.CANCELLED, c.TICK_CHANGED, ts, where)
        else:
            order[c.V_STEP] = b.held_at(book[: b.K_SIZE_OF], order[c.V_PRICE], levels.shape[1])
        slot = following
    span(book, orders)


@kernel(types.void(int64, int64, int64, int64, int64))
def on_best(m, side, step, size, where):  # type: ignore[no-untyped-def]
    """A best price is told: nothing better stands on its side.

    In a book that a snapshot made, what stands behind it stays; else nothing else is known. Own
    orders at that price stand behind what rests there, better ones behind nobody. While a snapshot
    is told, that says it all.

    Shapes: see module. Units: side +1 bid, -1 ask; steps (0 for none), size units.
    """
    books, venue = books_of(where), venue_of(where)
    desk, levels = books
    orders, front = venue[0], venue[1]
    book = desk[m, : b.K_SIZE_OF]
    if desk[m, c.D_INSIDE] != 0:
        return
    there = size > 0 and step > 0
    deep = book[b.K_WHOLE] == b.WHOLE
    line = levels[2 * m] if side > 0 else levels[2 * m + 1]
    before = line[step] if there else int64(0)
    best = book[b.K_BID] if side > 0 else book[b.K_ASK]
    while 0 < best < levels.shape[1] and not (deep and there and (best - step) * side <= 0):
        b.rest(book, levels[2 * m], levels[2 * m + 1], side, best, 0)
        best = book[b.K_BID] if side > 0 else book[b.K_ASK]
    if there:
        b.rest(book, levels[2 * m], levels[2 * m + 1], side, step, size)
    if not deep:
        book[b.K_WHOLE] = b.BEST_ONLY
    slot = desk[m, c.D_FIRST]
    if slot == 0:
        return
    if there:
        on_level(m, side, step, before, size, books, venue)
    while slot != 0:
        order = orders[slot - 1]
        if order[c.V_SIDE] == side and (not there or (order[c.V_STEP] - step) * side > 0):
            front[slot - 1] = 0.0
            order[c.V_TRADED] = 0
        slot = order[c.V_NEXT]
