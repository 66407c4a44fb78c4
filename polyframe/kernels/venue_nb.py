"""Own orders at the venue: how they arrive, rest, take, end, and what is answered.

The tape shows the market as it was without them. An order that takes eats what stands in the array
book until the tape says anew what stands there.

Shapes: see ``l2columns_nb`` and ``addresses_nb``; ``where`` is the address of all tables.
Units: see ``l2columns_nb``.
"""

from __future__ import annotations

from typing import Final

from numba import int64, types

from polyframe.kernels import acts_nb, latency_nb
from polyframe.kernels import barmatch_nb as bm
from polyframe.kernels import book_nb as b
from polyframe.kernels import booking_nb as bk
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels.addresses_nb import BOOKS, VENUE, books_of, places_of, venue_of
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.rewards_nb import credit, sample
from polyframe.kernels.slots_nb import finish, link

FEE_UNTOLD: Final = -1
"""stands for a fee that whoever takes the answer computes: the market's rate is below 0"""
UNKNOWN_FRONT: Final = 1.0e18
"""nobody knows what stands before an order that arrived while the book was not to be trusted"""

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")


@kernel(int64(_table, _row, int64, int64), inline=True)
def latency(probes, conf, leg, now):  # type: ignore[no-untyped-def]
    """How long a message of a leg (``ENTRY``, ``CANCELLING``, ``RESPONSE``) takes at a moment.

    Shapes: probes (2 x legs, most probes): the times of a leg's probes and what each took; conf
    (F_SIZE_OF,). Units: ns.
    """
    n = conf[c.F_PROBES + leg]
    if n == 1:
        return probes[2 * leg + 1, 0]
    return latency_nb.at(probes[2 * leg, :n], probes[2 * leg + 1, :n], now)


@kernel(int64(BOOKS, int64), inline=True)
def mid(books, m):  # type: ignore[no-untyped-def]
    """Bid + ask of a market, 0 when a side is empty or the book is not to be trusted.

    Shapes: see module. Units: price units, twice the mid.
    """
    desk, levels = books
    bid, ask = desk[m, b.K_BID], desk[m, b.K_ASK]
    if desk[m, b.K_WHOLE] == 0 or bid <= 0 or ask >= levels.shape[1] or bid >= ask:
        return 0
    return (bid + ask) * desk[m, b.K_TICK] + 2 * desk[m, b.K_BASE]


@kernel(
    types.void(int64, int64, int64, int64, int64, int64, int64, _row, BOOKS, VENUE), inline=True
)
def answer(slot, what, why, ts, price, size, fee, at, books, venue):  # type: ignore[no-untyped-def]
    """Says what became of an order; known one response latency later, never out of turn.

    Shapes: see module. Units: see module.
    """
    orders, answers, conf, probes = venue[0], venue[3], venue[5], venue[6]
    known = max(ts + latency(probes, conf, c.RESPONSE, ts), at[c.C_LAST_KNOWN])
    at[c.C_LAST_KNOWN] = known
    said = answers[at[c.C_HEAD] & (answers.shape[0] - 1)]
    at[c.C_HEAD] += 1
    order = orders[slot]
    said[c.X_KNOWN] = known
    said[c.X_WHAT] = what
    said[c.X_SLOT] = slot
    said[c.X_NUMBER] = order[c.V_NUMBER]
    said[c.X_TS] = ts
    said[c.X_PRICE] = price
    said[c.X_SIZE] = size
    said[c.X_FEE] = fee
    said[c.X_MAKER] = 1 if order[c.V_STATE] == c.RESTS else 0
    said[c.X_WHY] = why
    said[c.X_OPEN] = order[c.V_OPEN]
    said[c.X_ROW] = at[c.C_ROW]
    said[c.X_MID] = mid(books, order[c.V_PLACE])
    said[c.X_TRADE] = order[c.V_FILLS]
    said[c.X_MARKET] = order[c.V_MARKET]
    said[c.X_SIDE] = order[c.V_SIDE]
    said[c.X_FILLED] = order[c.V_SIZE] - order[c.V_OPEN]


@kernel(types.void(int64, int64, int64, int64, int64))
def end(slot, what, why, ts, where):  # type: ignore[no-untyped-def]
    """Ends an order with an answer that says so.

    Shapes: see module. Units: ns.
    """
    at, _ = places_of(where)
    books, venue = books_of(where), venue_of(where)
    orders = venue[0]
    answer(slot, what, why, ts, 0, 0, 0, at, books, venue)
    finish(slot, at, books[0], orders)


@kernel(types.void(int64, int64, int64, int64, int64, int64))
def fill(slot, price, size, fee, ts, where):  # type: ignore[no-untyped-def]
    """Executes a part of an order; one of which nothing is left stands no more.

    Shapes: see module. Units: YES price units, size units, money, ns.
    """
    at, _ = places_of(where)
    books, venue = books_of(where), venue_of(where)
    orders = venue[0]
    order = orders[slot]
    order[c.V_OPEN] -= size
    order[c.V_FILLS] += 1
    rule = venue[4][order[c.V_PLACE]]
    if order[c.V_STATE] == c.RESTS:
        if rule[c.U_REBATE] != 0 and rule[bm.R_RATE] > 0:
            credit(price, size, ts, order, rule, books[0][order[c.V_PLACE]])
        if rule[c.U_MAKER] > 0:
            fee = bk.notional_fee(price, size, rule[c.U_MAKER], rule[bm.R_DIVISOR])
        elif rule[c.U_MAKER] < 0:
            fee = int64(FEE_UNTOLD)
    answer(slot, c.FILLED, c.NO_REASON, ts, price, size, fee, at, books, venue)
    if order[c.V_OPEN] == 0:
        finish(slot, at, books[0], orders)


@kernel(int64(_row), inline=True)
def last_moment(at):  # type: ignore[no-untyped-def]
    """The last moment at which something happens by itself.

    Shapes: at (C_SIZE_OF,). Units: ns.
    """
    return at[c.C_END] if at[c.C_END] > 0 else bm.NEVER - 1


# ---- an order arrives ----------------------------------------------------------------------------


@kernel(int64(_row, _row, _row, int64, int64), inline=True)
def unsound(order, book, rules, least_buy, ts):  # type: ignore[no-untyped-def]
    """Why the venue refuses an order whatever the book shows, 0 when it does not.

    Shapes: order (V_SIZE_OF,), book (D_SIZE_OF,), rules (R_SIZE_OF,). Units: see module; money.
    """
    resting = order[c.V_TIF] == c.GTC or order[c.V_TIF] == c.GTD
    if ts >= rules[bm.R_ENDS]:
        return c.MARKET_CLOSED
    if order[c.V_TIF] == c.GTD and order[c.V_EXPIRES] <= ts:
        return c.BAD_EXPIRY
    if order[c.V_POST] != 0 and not resting:
        return c.BAD_POST_ONLY
    if b.on_grid(book[: b.K_SIZE_OF], order[c.V_PRICE]) == 0:
        return c.BAD_PRICE
    buys = order[c.V_SIDE] == (1 if order[c.V_DIRECT] != 0 else -1)
    size = order[c.V_OPEN]
    if size <= 0 or (size < rules[bm.R_MIN_SIZE] and (resting or buys)):
        return c.BAD_SIZE
    if buys and not resting:
        price = order[c.V_PRICE] if order[c.V_DIRECT] != 0 else rules[bm.R_ONE] - order[c.V_PRICE]
        if bk.cost_of(price, size, rules[bm.R_DIVISOR]) < least_buy:
            return c.TOO_CHEAP
    return c.NO_REASON


@kernel(int64(int64, int64, int64, BOOKS), inline=True)
def crosses(m, side, step, books):  # type: ignore[no-untyped-def]
    """1 when an order at a step would take what stands on the other side.

    Shapes: see module. Units: steps.
    """
    desk, levels = books
    if side > 0:
        return 1 if desk[m, b.K_ASK] < levels.shape[1] and step >= desk[m, b.K_ASK] else 0
    return 1 if desk[m, b.K_BID] > 0 and step <= desk[m, b.K_BID] else 0


@kernel(int64(int64, int64, int64, int64, BOOKS))
def reachable(m, side, step, size, books):  # type: ignore[no-untyped-def]
    """How much of a size stands within a limit on the other side.

    Shapes: see module. Units: steps, size units.
    """
    desk, levels = books
    found = int64(0)
    if side > 0:
        at = desk[m, b.K_ASK]
        while found < size and at <= step and at < levels.shape[1]:
            found += levels[2 * m + 1, at]
            at += 1
    else:
        at = desk[m, b.K_BID]
        while found < size and at >= step and at > 0:
            found += levels[2 * m, at]
            at -= 1
    return min(found, size)


@kernel(types.void(int64, int64, int64))
def _take(slot, ts, where):  # type: ignore[no-untyped-def]
    """Executes an order level by level against what stands within its limit."""
    at, _ = places_of(where)
    books, venue = books_of(where), venue_of(where)
    desk, levels = books
    orders, rules = venue[0], venue[4]
    order = orders[slot]
    m, side, limit = order[c.V_PLACE], order[c.V_SIDE], order[c.V_STEP]
    book, rule = desk[m], rules[m]
    while order[c.V_OPEN] > 0 and crosses(m, side, limit, books) != 0:
        step = book[b.K_ASK] if side > 0 else book[b.K_BID]
        stands = levels[2 * m + 1, step] if side > 0 else levels[2 * m, step]
        size = min(stands, order[c.V_OPEN])
        price = step * book[b.K_TICK] + book[b.K_BASE]
        fee = int64(FEE_UNTOLD)
        if rule[bm.R_RATE] >= 0:
            fee = bk.taker_fee(
                price, size, rule[bm.R_RATE], rule[bm.R_EXPONENT], rule[bm.R_ONE],
                rule[bm.R_DIVISOR],
            )  # fmt: skip
        # The answer tells the mid at which it executed, not what it left.
        fill(slot, price, size, fee, ts, where)
        b.rest(book[: b.K_SIZE_OF], levels[2 * m], levels[2 * m + 1], -side, step, stands - size)
        at[c.C_DIRTY] = m + 1


@kernel(types.void(int64, int64, _row, BOOKS, VENUE), inline=True)
def _stand(slot, ts, at, books, venue):  # type: ignore[no-untyped-def]
    """An order takes its place behind what rests at its level."""
    desk, levels = books
    orders, front = venue[0], venue[1]
    order = orders[slot]
    m, step = order[c.V_PLACE], order[c.V_STEP]
    known = desk[m, b.K_WHOLE] != 0 and desk[m, c.D_INSIDE] == 0
    stands = levels[2 * m, step] if order[c.V_SIDE] > 0 else levels[2 * m + 1, step]
    if desk[m, b.K_WHOLE] == b.BEST_ONLY and stands == 0:
        # Nobody says what rests behind a best price; before it nothing does.
        buys = order[c.V_SIDE] > 0
        known = known and (step > desk[m, b.K_BID] if buys else step < desk[m, b.K_ASK])
    known = known and 0 < step < levels.shape[1] - 1
    front[slot] = float(stands) if known else UNKNOWN_FRONT
    order[c.V_TRADED] = 0
    order[c.V_BEFORE] = stands if known else -1
    link(slot, desk, orders)
    if order[c.V_TIF] == c.GTD and order[c.V_EXPIRES] <= last_moment(at):
        acts_nb.push(venue[2], at, order[c.V_EXPIRES], c.EXPIRE, slot, order[c.V_NUMBER])


@kernel(int64(int64, BOOKS, VENUE), inline=True)
def _hindered(slot, books, venue):  # type: ignore[no-untyped-def]
    """Why an order of sound terms is refused by what stands in the book, 0 when it is not."""
    desk = books[0]
    order = venue[0][slot]
    m, side, step = order[c.V_PLACE], order[c.V_SIDE], order[c.V_STEP]
    crossing = crosses(m, side, step, books)
    trusted = desk[m, b.K_WHOLE] != 0 and desk[m, c.D_INSIDE] == 0
    if trusted and order[c.V_POST] != 0 and crossing != 0:
        return c.CROSSES
    own = desk[m, c.D_SELL_LOW] if side > 0 else desk[m, c.D_BUY_HIGH]
    if (side > 0 and step >= own) or (side < 0 and own >= 0 and step <= own):
        return c.SELF_TRADE
    return c.NO_REASON


@kernel(types.void(int64, int64, int64))
def arrive(slot, ts, where):  # type: ignore[no-untyped-def]
    """An order reaches the venue: refused, executed, or resting from now on.

    Shapes: see module. Units: ns.
    """
    at, _ = places_of(where)
    books, venue = books_of(where), venue_of(where)
    desk = books[0]
    orders, rules = venue[0], venue[4]
    order = orders[slot]
    m = order[c.V_PLACE]
    book = desk[m]
    why = unsound(order, book, rules[m], venue[5][c.F_LEAST_BUY], ts)
    if why == c.NO_REASON:
        levels = books[1].shape[1]
        order[c.V_STEP] = b.held_at(book[: b.K_SIZE_OF], order[c.V_PRICE], levels)
        why = _hindered(slot, books, venue)
    if why != c.NO_REASON:
        end(slot, c.REJECTED, why, ts, where)
        return
    answer(slot, c.ACCEPTED, c.NO_REASON, ts, 0, 0, 0, at, books, venue)
    if rules[m, bm.R_ENDS] <= last_moment(at) and book[c.D_CLOSING] == 0:
        book[c.D_CLOSING] = 1
        acts_nb.push(venue[2], at, rules[m, bm.R_ENDS], c.CLOSE, m, 0)
    tif = order[c.V_TIF]
    patient = tif == c.GTC or tif == c.GTD
    trusted = book[b.K_WHOLE] != 0 and book[c.D_INSIDE] == 0 and book[b.K_BID] < book[b.K_ASK]
    if not trusted and not patient:
        end(slot, c.CANCELLED, c.UNTRUSTED, ts, where)
        return
    if tif == c.FOK:
        size = order[c.V_OPEN]
        if reachable(m, order[c.V_SIDE], order[c.V_STEP], size, books) < size:
            end(slot, c.CANCELLED, c.NOT_FILLED_WHOLE, ts, where)
            return
    if trusted and order[c.V_POST] == 0:
        _take(slot, ts, where)
        if order[c.V_STATE] == c.ENDED:
            return
    if patient:
        _stand(slot, ts, at, books, venue)
        return
    side = order[c.V_SIDE]
    empty = book[b.K_ASK] >= books[1].shape[1] if side > 0 else book[b.K_BID] <= 0
    end(slot, c.CANCELLED, c.EMPTY_BOOK if empty else c.OUT_OF_LIMIT, ts, where)


@kernel(types.void(int64, int64, int64, int64, int64))
def act(what, about, number, ts, where):  # type: ignore[no-untyped-def]
    """Does at the venue what was under way to it.

    ``number`` is the order that was meant: its slot may have another one by now.

    Shapes: see module. Units: ns.
    """
    at, _ = places_of(where)
    books, venue = books_of(where), venue_of(where)
    desk, orders = books[0], venue[0]
    if what == c.CLOSE:
        while desk[about, c.D_FIRST] != 0:
            slot = desk[about, c.D_FIRST] - 1
            end(slot, c.CANCELLED, c.MARKET_CLOSED, ts, where)
        return
    if what == c.SAMPLE:
        sample(ts, about, at, orders, venue[2], venue[4], desk, books[1])
        return
    order = orders[about]
    stands = order[c.V_NUMBER] == number and order[c.V_STATE] == c.RESTS
    if what == c.ARRIVE:
        arrive(about, ts, where)
    elif what == c.EXPIRE and stands:
        end(about, c.EXPIRED, c.NO_REASON, ts, where)
    elif what == c.CANCEL and stands:
        end(about, c.CANCELLED, c.BY_REQUEST, ts, where)
    elif what == c.CANCEL:
        answer(about, c.NOT_CANCELLED, c.UNKNOWN_ORDER, ts, 0, 0, 0, at, books, venue)
        if order[c.V_NUMBER] != number:
            # Its end was told already, and the slot may be another order's.
            said = venue[3][(at[c.C_HEAD] - 1) & (venue[3].shape[0] - 1)]
            said[c.X_NUMBER] = number
            said[c.X_SLOT] = -1
            said[c.X_MAKER] = 0
            said[c.X_OPEN] = 0
            said[c.X_FILLED] = 0
            said[c.X_TRADE] = 0
