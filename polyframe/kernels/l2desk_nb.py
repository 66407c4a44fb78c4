"""Quotes of a compiled run over a tape: what is wanted is compared, ruled on, reserved and sent.

It calls the very functions the engine calls: the difference of quotes, the numbers, the guards, the
reservations and bookings.

Shapes: see ``l2columns_nb`` and ``addresses_nb``; ``where`` is the address of all tables.
Units: ns, price and size units, money.
"""

from __future__ import annotations

from typing import Final

from numba import int64, types

from polyframe.kernels import acts_nb, ledgers_nb, numbers_nb, outlay_nb, pace_nb, quotes_nb
from polyframe.kernels import bardesk_nb as bd
from polyframe.kernels import barmatch_nb as bm
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import booking_nb as bk
from polyframe.kernels import guards_nb as g
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import l2logs_nb as lg
from polyframe.kernels import tables_nb as t
from polyframe.kernels.addresses_nb import (
    books_of,
    door_of,
    logs_of,
    places_of,
    quoting_of,
    seen_of,
    tables_of,
    venue_of,
)
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.l2open_nb import hold, needs, opened, own_touch
from polyframe.kernels.slots_nb import reserve_slot
from polyframe.kernels.venue_nb import latency

QUOTE_BIT: Final = 2
"""an order's kind in the guards' bits: the same as ``domain.orders.KIND_BIT``"""

# ---- what goes with the quotes last wanted on a token --------------------------------------------
W_COUNT: Final = 0
W_WAITS: Final = 1
"""1 while some of them wait for room"""
W_LEFT: Final = 2
"""LEFT while the strategy leaves what rests as it is"""
W_MARKET: Final = 3
W_DECIDED: Final = 4
"""of row k: the token that comes k-th when quotes are carried out"""
W_TTL: Final = 5
W_POST: Final = 6
W_REASON: Final = 7
W_SIZE_OF: Final = 8

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")


@kernel(types.void(int64, int64, int64, int64, int64, _row, _table), inline=True)
def _note(m, token, side, now, why, plan, reviews):  # type: ignore[no-untyped-def]
    """Writes down that a quote was not even considered."""
    said = reviews[plan[lg.N_REVIEWS]]
    plan[lg.N_REVIEWS] += 1
    said[:] = 0
    said[lg.L_TS] = now
    said[lg.L_MARKET] = m
    said[lg.L_TOKEN] = token
    said[lg.L_SIDE] = side
    said[lg.L_REFUSED] = why
    said[lg.L_STEP] = plan[lg.N_STEP]
    said[lg.L_WAKE] = plan[lg.N_WAKE]


# ---- one quote -----------------------------------------------------------------------------------


@kernel(types.void(_row, int64, int64, int64, int64, int64))
def _send(said, outcome, cash, yes, no, where):  # type: ignore[no-untyped-def]
    """Reserves for a permitted quote what it needs and hands it to the venue."""
    at, _ = places_of(where)
    books, venue = books_of(where), venue_of(where)
    account, pace = tables_of(where)[0], door_of(where)[7]
    plan = logs_of(where)[0]
    orders, acts, rules, conf, probes = venue[0], venue[2], venue[4], venue[5], venue[6]
    now, m, side, price = said[lg.L_TS], said[lg.L_MARKET], said[lg.L_SIDE], said[lg.L_PRICE]
    rule = rules[m]
    plan[lg.N_SENT] += 1
    number = plan[lg.N_FIRST] + plan[lg.N_SENT]
    said[lg.L_NUMBER] = number
    slot = reserve_slot(at, orders)
    o = orders[slot]
    size = said[lg.L_PERMITTED]
    o[c.V_NUMBER] = number
    o[c.V_MARKET] = m
    o[c.V_PLACE] = m + conf[c.F_LATE]
    o[c.V_SIDE] = side if outcome == 0 else -side
    o[c.V_PRICE] = price if outcome == 0 else rule[bm.R_ONE] - price
    o[c.V_OPEN] = size
    o[c.V_SIZE] = size
    o[c.V_FILLED] = 0
    o[c.V_TIF] = c.GTD if plan[lg.N_TTL] > 0 else c.GTC
    o[c.V_POST] = plan[lg.N_POST]
    o[c.V_EXPIRES] = said[lg.L_EXPIRES]
    o[c.V_DIRECT] = 1 - outcome
    o[c.V_LEDGER] = 0
    o[c.V_TOKEN] = said[lg.L_TOKEN]
    o[c.V_CASH] = 0
    o[c.V_SHARES] = 0
    o[c.V_IF_YES] = 0
    o[c.V_IF_NO] = 0
    o[c.V_WANTED] = said[lg.L_ASKED]
    o[c.V_LOG] = plan[lg.N_REVIEWS] - 1
    opened(slot, books, orders)
    bought = side > 0
    hold(slot, cash, int64(0) if bought else size, yes, no, 1 if bought else 0, where)
    said[lg.L_RESERVED] = cash
    pace_nb.sent(account, pace, 0, now, bk.cost_of(price, size, rule[bm.R_DIVISOR]))
    o[c.V_ARRIVES] = now + latency(probes, conf, c.ENTRY, now)
    acts_nb.push(acts, at, o[c.V_ARRIVES], c.ARRIVE, slot, number)


@kernel(int64(int64, int64, int64, int64, int64, int64, int64))
def place(  # type: ignore[no-untyped-def] # noqa: PLR0915 - one order's vector is one thing
    token, outcome, wish_side, price, asked_size, wait, where
):
    """Puts one quote to the guards and sends what they permit; 0 when it has to wait for room.

    ``price`` is on the tick and ``asked_size`` in lots already; ``wait`` is 1 while a cancel on its
    side is under way.

    Shapes: see module. Units: of the token; see module.
    """
    at, _ = places_of(where)
    books, venue, seen = books_of(where), venue_of(where), seen_of(where)
    tables, logs = tables_of(where), logs_of(where)
    door = door_of(where)
    order, asked, _, numbers, _, _, permitted_by, _ = door
    plan, reviews, _, _, cases = logs
    tokens, markets, traits, groups, members = (
        tables[1], tables[2], tables[3], tables[6], tables[7],
    )  # fmt: skip
    book, rules = seen[0], venue[4]
    m = asked[numbers_nb.Q_MARKET]
    now = asked[numbers_nb.Q_NOW]
    rule = rules[m]
    side, size = wish_side, asked_size
    said = reviews[plan[lg.N_REVIEWS]]
    plan[lg.N_REVIEWS] += 1
    said[:] = 0
    said[lg.L_TS] = now
    said[lg.L_MARKET] = m
    said[lg.L_TOKEN] = token
    said[lg.L_SIDE] = side
    said[lg.L_PRICE] = price
    said[lg.L_ASKED] = size
    said[lg.L_ROW] = at[c.C_ROW]
    said[lg.L_STEP] = plan[lg.N_STEP]
    said[lg.L_WAKE] = plan[lg.N_WAKE]
    said[lg.L_POST] = plan[lg.N_POST]
    said[lg.L_REASON] = plan[lg.N_REASON]
    said[lg.L_EXPIRES] = now + plan[lg.N_TTL] if plan[lg.N_TTL] > 0 else 0
    two = book[m, nb.B_BID] > 0 and book[m, nb.B_ASK] > 0 and book[m, nb.B_TRUSTED] != 0
    said[lg.L_MID] = book[m, nb.B_BID] + book[m, nb.B_ASK] if two else 0
    if price < 0 or price > rule[bm.R_MAX_PRICE] or size > rule[bm.R_MAX_SIZE]:
        if wait != 0:
            plan[lg.N_REVIEWS] -= 1
            return 0
        said[lg.L_REFUSED] = lg.OUT_OF_RANGE
        return 1
    judged = size
    if side <= 0:
        free = tokens[t.T_SHARES, 0, token] - tokens[t.T_RESERVED, 0, token]
        judged = min(size, max(free, int64(0)))
    cash, yes, no = needs(rule, book[m, nb.B_TOKENS], outcome, side, price, judged)
    if side > 0:
        cost = cash - rule[bm.R_SLACK] if size > 0 else int64(0)
    else:
        fee = outlay_nb.fee_of(rule, price, size)
        cost = -(bk.proceeds_of(price, size, rule[bm.R_DIVISOR]) - fee)
    reduces = ledgers_nb.reduces(markets, groups, members, 0, traits[m, t.K_EVENT], m, yes, no)
    order[g.O_SIDE] = side
    order[g.O_PRICE] = price
    order[g.O_SIZE] = size
    order[g.O_LOT] = rule[bm.R_LOT]
    order[g.O_MIN_SIZE] = rule[bm.R_MIN_SIZE]
    order[g.O_TICK] = rule[bm.R_TICK]
    order[g.O_MAX_PRICE] = rule[bm.R_MAX_PRICE]
    order[g.O_KIND] = QUOTE_BIT
    order[g.O_REDUCES] = reduces
    order[g.O_COST] = cost
    order[g.O_SLACK] = rule[bm.R_SLACK]
    order[g.O_EDGE] = g.MISSING
    order[g.O_TS] = now
    order[g.O_ONE] = rule[bm.R_ONE]
    order[g.O_PROBABILITY] = g.MISSING
    asked[numbers_nb.Q_TOKEN] = token
    asked[numbers_nb.Q_OUTCOME] = outcome
    own_touch(m, outcome, rule[bm.R_ONE], asked, books, venue)
    seen_by_guards = (book, seen[1], door[7], seen[3])
    full = (plan, order, asked, door[2], numbers, door[4], door[5], permitted_by)
    permitted, against = bd.review(rule, tables, seen_by_guards, full)
    if wait != 0 and permitted < size:
        plan[lg.N_REVIEWS] -= 1
        return 0
    said[lg.L_PERMITTED] = permitted
    said[lg.L_REDUCES] = reduces
    if against != 0:
        case = cases[plan[lg.N_CASES]]
        plan[lg.N_CASES] += 1
        said[lg.L_CASE] = plan[lg.N_CASES]
        for i in range(g.O_SIZE_OF):
            case[i] = order[i]
        for i in range(2):
            for j in range(g.S_SIZE_OF):
                case[g.O_SIZE_OF + i * g.S_SIZE_OF + j] = numbers[i, j]
    if permitted > 0:
        if permitted != judged:
            cash, yes, no = needs(rule, book[m, nb.B_TOKENS], outcome, side, price, permitted)
        _send(said, outcome, cash, yes, no, where)
    return 1


# ---- all quotes of a token -----------------------------------------------------------------------


@kernel(types.void(int64, int64, int64))
def _pull(slot, now, where):  # type: ignore[no-untyped-def]
    """Asks the venue to cancel an order."""
    at, _ = places_of(where)
    account, venue = tables_of(where)[0], venue_of(where)
    logs = logs_of(where)
    plan, pulled = logs[0], logs[3]
    orders, acts, conf, probes = venue[0], venue[2], venue[5], venue[6]
    o = orders[slot]
    o[c.V_PULLED] = 1
    for row in (0, account.shape[1] - 1):
        account[t.A_CANCELS_DAY, row] += 1
    if plan[lg.N_TELLS] != 0:
        note = pulled[plan[lg.N_PULLED]]
        plan[lg.N_PULLED] += 1
        note[lg.P_TS] = now
        note[lg.P_NUMBER] = o[c.V_NUMBER]
        note[lg.P_STEP] = plan[lg.N_STEP]
        note[lg.P_WAKE] = plan[lg.N_WAKE]
        note[lg.P_REVIEWS] = plan[lg.N_REVIEWS]
        note[lg.P_REASON] = plan[lg.N_REASON]
        note[lg.P_ROW] = at[c.C_ROW]
    arrives = max(now + latency(probes, conf, c.CANCELLING, now), o[c.V_ARRIVES])
    acts_nb.push(acts, at, arrives, c.CANCEL, slot, o[c.V_NUMBER])


@kernel(types.void(int64, int64, int64, int64))
def want(m, outcome, now, where):  # type: ignore[no-untyped-def] # noqa: PLR0912, PLR0915 - one list of quotes
    """Carries out the quotes last wanted on a token: cancels, keeps, places.

    Shapes: see module. Units: see module.
    """
    books, venue, seen = books_of(where), venue_of(where), seen_of(where)
    tables, logs = tables_of(where), logs_of(where)
    door, quoting = door_of(where), quoting_of(where)
    asked, plan, reviews = door[1], logs[0], logs[1]
    account, markets, traits = tables[0], tables[2], tables[3]
    wishes, counts, scratch = quoting[5], quoting[6], quoting[7]
    orders, rules, book = venue[0], venue[4], seen[0]
    rule = rules[m]
    token = book[m, nb.B_TOKEN] + outcome
    n = counts[token, W_COUNT]
    if traits[m, t.K_TRADABLE] == 0 and n > 0:
        _note(m, token, 0, now, lg.NOT_OPEN, plan, reviews)
        return
    counts[token, W_WAITS] = 0
    plan[lg.N_TTL] = counts[token, W_TTL]
    plan[lg.N_POST] = counts[token, W_POST]
    plan[lg.N_REASON] = counts[token, W_REASON]
    standing = int64(0)
    busy_buy = False
    busy_sell = False
    slot = books[0][m, c.D_OPEN_FIRST]
    while slot != 0:
        o = orders[slot - 1]
        if o[c.V_TOKEN] == token:
            side = o[c.V_SIDE] if outcome == 0 else -o[c.V_SIDE]
            if o[c.V_PULLED] == 0:
                scratch[0, standing] = side
                one = rule[bm.R_ONE]
                scratch[1, standing] = o[c.V_PRICE] if outcome == 0 else one - o[c.V_PRICE]
                left = o[c.V_SIZE] - o[c.V_FILLED]
                scratch[2, standing] = o[c.V_WANTED] if o[c.V_FILLED] == 0 else left
                scratch[3, standing] = slot - 1
                standing += 1
            elif side > 0:
                busy_buy = True
            else:
                busy_sell = True
        slot = o[c.V_FOLLOWS]
    tick = rule[bm.R_TICK]
    if (
        n == 1
        and standing == 1
        and wishes[token, 0, 0] == scratch[0, 0]
        and wishes[token, 0, 1] == scratch[1, 0]
        and wishes[token, 0, 2] == scratch[2, 0]
        and scratch[1, 0] % tick == 0
        and scratch[2, 0] % rule[bm.R_LOT] == 0
    ):
        # One quote that rests as it is wanted: what happens most.
        return
    for k in range(n):
        # In whole ticks and lots first: what rests is compared with what would be placed.
        side, price = wishes[token, k, 0], wishes[token, k, 1]
        scratch[4, k] = side
        scratch[5, k] = price // tick * tick if side > 0 else -(-price // tick) * tick
        scratch[6, k] = wishes[token, k, 2] // rule[bm.R_LOT] * rule[bm.R_LOT]
    room = scratch.shape[1] // 2
    keep, new = scratch[7, :standing], scratch[7, room : room + n]
    quotes_nb.diff(
        scratch[0, :standing], scratch[1, :standing], scratch[2, :standing], scratch[4, :n],
        scratch[5, :n], scratch[6, :n], keep, new,
    )  # fmt: skip
    for k in range(standing):
        if keep[k] == 0:
            _pull(scratch[3, k], now, where)
            if scratch[0, k] > 0:
                busy_buy = True
            else:
                busy_sell = True
    asked[numbers_nb.Q_LEDGER] = 0
    asked[numbers_nb.Q_MARKET] = m
    asked[numbers_nb.Q_NOW] = now
    asked[numbers_nb.Q_KILLED] = plan[lg.N_KILLED]
    asked[numbers_nb.Q_INPUTS] = plan[lg.N_INPUTS]
    asked[numbers_nb.Q_HALTED] = 1 if now < plan[lg.N_HALTED] else 0
    for k in range(n):
        if new[k] == 0:
            continue
        side, price, size = scratch[4, k], scratch[5, k], scratch[6, k]
        if size <= 0:
            _note(m, token, side, now, lg.NO_LOT, plan, reviews)
            continue
        if (
            side > 0
            and plan[lg.N_MAX_OPEN] > 0
            and markets[t.M_EXPOSED, 0, m] <= 0
            and account[t.A_OPEN_MARKETS, 0] >= plan[lg.N_MAX_OPEN]
        ):
            _note(m, token, side, now, lg.MOST_MARKETS, plan, reviews)
            continue
        wait = 1 if (busy_buy if side > 0 else busy_sell) else 0
        if place(token, outcome, side, price, size, wait, where) == 0:
            counts[token, W_WAITS] = 1
