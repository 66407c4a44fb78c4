"""One order of the compiled run over bars: sized, reviewed, reserved, sent and booked.

It calls the very functions the engine calls: the numbers, the guards, the bookings.

Shapes:
    tables  the session's tables, see ``tables_nb``
    seen    (book, marks, pace, grid): see ``bars_nb`` and ``pace_nb``
    locks   (trips, tree, work): see ``locks_nb``
    door    (plan, order, asked, risk_scope, numbers, limits, applies, permitted_by)
    venue   (rules, waiting, heap, open_ts, open_bid, open_ask): see ``barmatch_nb``
    logs    (orders, answers, cases): (., O_SIZE_OF), (., X_SIZE_OF), (., CASE_SIZE_OF)
    at      (C_SIZE_OF,)
Units: ns, price and size units, money 1e-6, shares of 1 in millionths.
"""

from __future__ import annotations

import math
from typing import Final

from numba import float64, int32, int64, types

from polyframe.kernels import barcolumns_nb as c
from polyframe.kernels import barheap_nb as hp
from polyframe.kernels import barmatch_nb as bm
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import booking_nb as bk
from polyframe.kernels import guards_nb as g
from polyframe.kernels import ledgers_nb, locks_nb, numbers_nb, outlay_nb, pace_nb, review_nb
from polyframe.kernels import tables_nb as t
from polyframe.kernels.compile_nb import kernel

MILLION: Final = 1_000_000
CASE_SIZE_OF: Final = g.O_SIZE_OF + 2 * g.S_SIZE_OF
"""a case is the order's vector, then the ledger's numbers, then the account's"""

_ts = types.Array(int64, 1, "C", readonly=True)
_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")
_cube = types.Array(int64, 3, "C")
_ring = types.Array(int32, 2, "C")
TABLES = types.Tuple((_table, _cube, _cube, _table, _table, _table, _table, _row))
SEEN = types.Tuple((_table, _table, _table, _ring))
LOCKS = types.Tuple((_cube, _cube, _table))
DOOR = types.Tuple((_row, _row, _row, _row, _table, _table, _table, _table))
VENUE = types.Tuple((_table, _table, _table, _ts, _ts, _ts))
LOGS = types.Tuple((_table, _table, _table))


@kernel(float64(int64, int64, _row, float64, float64))
def edge_of(side, price, rules, probability, edge):  # type: ignore[no-untyped-def]
    """The stated edge, but never more than the stated probability is worth at the limit.

    Shapes: rules (R_SIZE_OF,). Units: fractions of 1, NaN where nothing is stated.
    """
    if math.isnan(probability):
        return edge
    p = price / rules[bm.R_ONE]
    fee = rules[bm.R_RATE] / 1e6 * (p * (1.0 - p)) ** float(rules[bm.R_EXPONENT])
    worth = probability - (p + fee) if side > 0 else (p - fee) - probability
    return worth if math.isnan(edge) else min(worth, edge)


@kernel(int64(float64))
def millionths(part):  # type: ignore[no-untyped-def]
    """A stated number as the guards read it, MISSING when it is none.

    Shapes: scalar. Units: fraction of 1; millionths.
    """
    if math.isnan(part):
        return g.MISSING
    return int64(math.floor(min(max(part, -1.0e6), 1.0e6) * 1e6))


@kernel(int64(_row, int64, int64, int64))
def limit_of(rules, side, touch, slip):  # type: ignore[no-untyped-def]
    """The worst price an order takes: an entry a little more than the best, an exit what there is.

    Shapes: rules (R_SIZE_OF,). Units: price units; slip in millionths of 1.
    """
    tick = rules[bm.R_TICK]
    if side < 0:
        return tick
    price = touch + slip * rules[bm.R_ONE] // MILLION
    return min((price // tick) * tick, rules[bm.R_MAX_PRICE] - tick)


@kernel(types.void(int64, int64, int64, int64, int64, _row, TABLES, DOOR, _table))
def _propose(m, side, kind, price, size, rules, tables, door, book):  # type: ignore[no-untyped-def]
    """Writes the order's vector and what is asked about it."""
    plan, order, asked, _, _, _, _, _ = door
    _, tokens, markets, traits, _, _, groups, members = tables
    token = book[m, nb.B_TOKEN]
    fee = outlay_nb.fee_of(rules, price, size)
    if side > 0:
        cost = bk.cost_of(price, size, rules[bm.R_DIVISOR]) + fee
        judged = size
    else:
        cost = -(bk.proceeds_of(price, size, rules[bm.R_DIVISOR]) - fee)
        free = tokens[t.T_SHARES, 0, token] - tokens[t.T_RESERVED, 0, token]
        # The part that is not owned cannot be sold anyway; judge what can.
        judged = min(size, max(free, int64(0)))
    yes, no = outlay_nb.losses(rules, side, price, judged)
    reduces = ledgers_nb.reduces(markets, groups, members, 0, traits[m, t.K_EVENT], m, yes, no)
    order[g.O_SIDE] = side
    order[g.O_PRICE] = price
    order[g.O_SIZE] = size
    order[g.O_LOT] = rules[bm.R_LOT]
    order[g.O_MIN_SIZE] = rules[bm.R_MIN_SIZE] if side > 0 else rules[bm.R_LOT]
    order[g.O_TICK] = rules[bm.R_TICK]
    order[g.O_MAX_PRICE] = rules[bm.R_MAX_PRICE]
    # An entry does not escape the guards by calling itself an exit.
    order[g.O_KIND] = c.DIRECTIONAL if kind == c.EXITS and reduces == 0 else kind
    order[g.O_REDUCES] = reduces
    order[g.O_COST] = cost
    order[g.O_SLACK] = rules[bm.R_SLACK]
    order[g.O_ONE] = rules[bm.R_ONE]
    asked[numbers_nb.Q_LEDGER] = 0
    asked[numbers_nb.Q_OUTCOME] = 0
    asked[numbers_nb.Q_TOKEN] = token
    asked[numbers_nb.Q_MARKET] = m
    asked[numbers_nb.Q_KILLED] = plan[c.P_KILLED]
    asked[numbers_nb.Q_INPUTS] = plan[c.P_INPUTS]
    asked[numbers_nb.Q_HALTED] = 1 if asked[numbers_nb.Q_NOW] < plan[c.P_HALTED] else 0


@kernel(types.Tuple((int64, int64))(_row, TABLES, SEEN, DOOR), inline=True)
def review(rules, tables, seen, door):  # type: ignore[no-untyped-def]
    """What the guards permit of the proposed order, and 1 when one of them ruled against it.

    Shapes: rules (R_SIZE_OF,). Units: size.
    """
    _, order, asked, risk_scope, numbers, limits, applies, permitted_by = door
    account, tokens, markets, traits, events, kinds, _, _ = tables
    book, marks, pace, grid = seen
    size = order[g.O_SIZE]
    last = account.shape[1] - 1
    twin = asked[numbers_nb.Q_TWIN] != 0
    permitted = size
    against = int64(0)
    for i in range(1 if twin else 2):
        row = last if i > 0 else asked[numbers_nb.Q_LEDGER]
        numbers_nb.fill(
            numbers[i], asked, row, account, tokens, markets, traits, events, kinds, book, marks,
            pace, grid, limits,
        )  # fmt: skip
        if review_nb.passes(order, numbers[i], limits[row], applies[row]) != 0:
            continue
        least, objects = review_nb.rule(
            order, numbers[i], limits[row], applies[row], risk_scope, permitted_by[i]
        )
        permitted = min(permitted, least)
        against |= objects
    if twin and against != 0:
        # Whoever explains it reads the account's numbers too.
        for k in range(g.S_SIZE_OF):
            numbers[1, k] = numbers[0, k]
    permitted = (permitted // rules[bm.R_LOT]) * rules[bm.R_LOT]
    if permitted < order[g.O_MIN_SIZE]:
        permitted = int64(0)
    return permitted, against


@kernel(types.void(_row, _row, _table, _row, _table))
def _keep(said, order, numbers, at, cases):  # type: ignore[no-untyped-def]
    """Keeps what the guards saw, for the words that say why."""
    k = at[c.C_CASES]
    at[c.C_CASES] = k + 1
    said[c.O_CASE] = k + 1
    case = cases[k]
    for i in range(g.O_SIZE_OF):
        case[i] = order[i]
    for i in range(2):
        for j in range(g.S_SIZE_OF):
            case[g.O_SIZE_OF + i * g.S_SIZE_OF + j] = numbers[i, j]


@kernel(types.void(int64, int64, _row, TABLES, SEEN, _row, VENUE, _row))
def _send(m, n, at, tables, seen, plan, venue, said):  # type: ignore[no-untyped-def]
    """Reserves for a permitted order and finds out what the venue will answer, and when."""
    account, tokens, markets, traits, events, kinds, groups, members = tables
    book, _, pace, _ = seen
    all_rules, waiting, heap, open_ts, open_bid, open_ask = venue
    rules = all_rules[m]
    wait = waiting[m]
    side, price, size = said[c.O_SIDE], said[c.O_PRICE], said[c.O_PERMITTED]
    yes, no = outlay_nb.losses(rules, side, price, size)
    cash = int64(0)
    shares = int64(0)
    if side > 0:
        fee = outlay_nb.fee_of(rules, price, size) + rules[bm.R_SLACK]
        cash = bk.cost_of(price, size, rules[bm.R_DIVISOR]) + fee
    else:
        shares = size
    ledgers_nb.reserve(
        account, tokens, markets, traits, events, kinds, groups, members,
        0, book[m, nb.B_TOKEN], m, 0, cash, shares, yes, no, 1 if side > 0 else 0,
    )  # fmt: skip
    pace_nb.sent(account, pace, 0, said[c.O_TS], bk.cost_of(price, size, rules[bm.R_DIVISOR]))
    wait[c.W_ORDER] = n + 1
    wait[c.W_CASH] = cash
    wait[c.W_SHARES] = shares
    wait[c.W_IF_YES] = yes
    wait[c.W_IF_NO] = no
    bm.execute(
        open_ts, open_bid, open_ask, rules, wait[c.W_NEXT], side, price, size, said[c.O_TS],
        plan[c.P_ENTRY], plan[c.P_MAX_AGE], bm.NEVER, wait[c.W_RESULT :],
    )  # fmt: skip
    wait[c.W_KNOWN] = wait[c.W_RESULT + bm.F_AT] + plan[c.P_RESPONSE]
    hp.push(heap, at, wait[c.W_KNOWN], n)


@kernel(int64(int64, int64, int64, int64, int64, _row, LOGS))
def refuse(m, side, now, row, why, at, logs):  # type: ignore[no-untyped-def]
    """Logs that a wish could not be considered; returns -1.

    Shapes: see module. Units: ns.
    """
    said = logs[0][at[c.C_ORDERS]]
    at[c.C_ORDERS] += 1
    said[:] = 0
    said[c.O_TS] = now
    said[c.O_MARKET] = m
    said[c.O_SIDE] = side
    said[c.O_ROW] = row
    said[c.O_REFUSED] = why
    return int64(-1)


@kernel(
    int64(
        int64, int64, int64, int64, int64, float64, float64, _row, TABLES, SEEN, DOOR, VENUE, LOGS
    )
)
def decide(  # type: ignore[no-untyped-def]
    m, side, kind, now, row, probability, stated, at, tables, seen, door, venue, logs
):
    """Sizes an order, asks the guards and hands what they permit to the venue.

    Returns the permitted size, -1 when there was nothing to ask about.

    Shapes: see module. Units: see module.
    """
    plan, order, asked, _, numbers, _, _, _ = door
    orders, _, cases = logs
    book = seen[0]
    rules = venue[0][m]
    tokens, traits = tables[1], tables[3]
    token = book[m, nb.B_TOKEN]
    touch = book[m, nb.B_ASK] if side > 0 else book[m, nb.B_BID]
    if traits[m, t.K_TRADABLE] == 0:
        return refuse(m, side, now, row, c.REFUSED_CLOSED, at, logs)
    if touch <= 0:
        return refuse(m, side, now, row, c.REFUSED_QUOTE, at, logs)
    price = limit_of(rules, side, touch, plan[c.P_SLIP])
    if side > 0:
        size = min(plan[c.P_STAKE] * rules[bm.R_DIVISOR] // price, rules[bm.R_MAX_SIZE])
    else:
        size = tokens[t.T_SHARES, 0, token] - tokens[t.T_RESERVED, 0, token]
    size = (size // rules[bm.R_LOT]) * rules[bm.R_LOT]
    if size <= 0:
        return refuse(m, side, now, row, c.REFUSED_SIZE, at, logs)
    edge = edge_of(side, price, rules, probability, stated)
    order[g.O_EDGE] = millionths(edge)
    order[g.O_PROBABILITY] = millionths(probability)
    order[g.O_TS] = now
    asked[numbers_nb.Q_NOW] = now
    _propose(m, side, kind, price, size, rules, tables, door, book)
    n = at[c.C_ORDERS]
    at[c.C_ORDERS] = n + 1
    said = orders[n]
    said[:] = 0
    permitted, against = review(rules, tables, seen, door)
    said[c.O_TS] = now
    said[c.O_MARKET] = m
    said[c.O_SIDE] = side
    said[c.O_KIND] = order[g.O_KIND]
    said[c.O_PRICE] = price
    said[c.O_ASKED] = size
    said[c.O_PERMITTED] = permitted
    said[c.O_REDUCES] = order[g.O_REDUCES]
    said[c.O_ROW] = row
    said[c.O_MID] = (book[m, nb.B_BID] + book[m, nb.B_ASK]) // 2
    if against != 0:
        _keep(said, order, numbers, at, cases)
    if permitted > 0:
        at[c.C_SENT] += 1
        said[c.O_NUMBER] = plan[c.P_FIRST_ORDER] + at[c.C_SENT]
        _send(m, n, at, tables, seen, plan, venue, said)
    return permitted


@kernel(int64(int64, int64, int64, _row, _row, TABLES, _table))
def _book(m, token, side, result, rules, tables, marks):  # type: ignore[no-untyped-def]
    """Books a fill into the ledger and the account; returns what it realised."""
    account, tokens, markets, traits, events, kinds, groups, members = tables
    size = result[bm.F_SIZE]
    price = result[bm.F_PRICE]
    fee = result[bm.F_FEE]
    worth = MILLION * size // rules[bm.R_SIZE_ONE]
    if side > 0:
        cost = bk.cost_of(price, size, rules[bm.R_DIVISOR])
        cash = -cost - fee
        realised = int64(0)
    else:
        cost = -bk.cost_share(tokens[t.T_SHARES, 0, token], tokens[t.T_COST, 0, token], size)
        received = bk.proceeds_of(price, size, rules[bm.R_DIVISOR])
        cash = received - fee
        realised = received + cost
    ledgers_nb.book(
        account, tokens, markets, traits, events, kinds, groups, members, 0, token, m, 0,
        side * size, cost, realised, fee, cash, side * worth,
    )  # fmt: skip
    for row in range(2):
        marks[row, nb.E_NOW] += cash
        account[t.A_FILLS_DAY, row] += 1
    return realised


@kernel(int64(_row, TABLES, SEEN, LOCKS, _table, _table, VENUE, LOGS))
def answer(at, tables, seen, locks, limits, value, venue, logs):  # type: ignore[no-untyped-def]
    """Books the earliest answer: frees the order's reservation, books its fill if there is one.

    Returns the market.

    Shapes: see module. Units: see module.
    """
    account, tokens, markets, traits, events, kinds, groups, members = tables
    book, marks, _, _ = seen
    trips, tree, work = locks
    orders, answers, _ = logs
    n = hp.pop(venue[2], at)
    said = orders[n]
    m = said[c.O_MARKET]
    rules = venue[0][m]
    wait = venue[1][m]
    result = wait[c.W_RESULT :]
    token = book[m, nb.B_TOKEN]
    ledgers_nb.reserve(
        account, tokens, markets, traits, events, kinds, groups, members, 0, token, m, 0,
        -wait[c.W_CASH], -wait[c.W_SHARES], -wait[c.W_IF_YES], -wait[c.W_IF_NO], 0,
    )  # fmt: skip
    realised = int64(0)
    if result[bm.F_SIZE] > 0:
        realised = _book(m, token, said[c.O_SIDE], result, rules, tables, marks)
        nb.revalue_all(book, m, tokens, value, marks)
    told = answers[at[c.C_ANSWERS]]
    at[c.C_ANSWERS] += 1
    told[c.X_ORDER] = n
    told[c.X_TS] = result[bm.F_AT]
    told[c.X_KNOWN] = wait[c.W_KNOWN]
    told[c.X_PRICE] = result[bm.F_PRICE]
    told[c.X_SIZE] = result[bm.F_SIZE]
    told[c.X_FEE] = result[bm.F_FEE]
    told[c.X_REALISED] = realised
    told[c.X_OPEN] = result[bm.F_ROW]
    told[c.X_WHY] = result[bm.F_WHY]
    if said[c.O_SIDE] > 0:
        ledgers_nb.reserve(
            account, tokens, markets, traits, events, kinds, groups, members, 0, token, m, 0,
            0, 0, 0, 0, -1,
        )  # fmt: skip
    wait[c.W_ORDER] = 0
    if result[bm.F_SIZE] > 0 and tokens[t.T_SHARES, 0, token] == 0:
        profit = tokens[t.T_REALISED, 0, token] - tokens[t.T_FEES, 0, token]
        profit -= tokens[t.T_TRIP, 0, token]
        # No exit of a declarative run is a stop: signals are not.
        locks_nb.close(
            account, markets, trips, tree, limits, marks, work, 0, m, wait[c.W_KNOWN], profit, 0
        )
    return m
