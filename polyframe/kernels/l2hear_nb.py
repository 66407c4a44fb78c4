"""What the venue says in a compiled run over a tape: fills are booked, ended orders let go.

Shapes: see ``l2columns_nb`` and ``addresses_nb``; ``where`` is the address of all tables.
Units: ns, price and size units, money.
"""

from __future__ import annotations

from numba import int64, types

from polyframe.kernels import bardesk_nb as bd
from polyframe.kernels import barmatch_nb as bm
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import booking_nb as bk
from polyframe.kernels import exit_rows_nb, ledgers_nb, locks_nb
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import l2logs_nb as lg
from polyframe.kernels import tables_nb as t
from polyframe.kernels.addresses_nb import (
    SEEN,
    VENUE,
    books_of,
    door_of,
    locks_of,
    logs_of,
    places_of,
    quoting_of,
    seen_of,
    tables_of,
    venue_of,
)
from polyframe.kernels.bardesk_nb import TABLES
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.l2desk_nb import W_WAITS
from polyframe.kernels.l2open_nb import closed, reserve
from polyframe.kernels.l2rows_nb import STOP_ANSWER, STOP_HEARD, STOP_LATE
from polyframe.kernels.slots_nb import release_slot

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")


@kernel(types.void(_row, int64, int64, int64, int64, TABLES, VENUE, SEEN), inline=True)
def _kept(x, m, token, outcome, before, tables, venue, seen):  # type: ignore[no-untyped-def]
    """What a view tells of a position beside its holding: its age, the highest bid."""
    tokens, rule, book = tables[1], venue[4][m], seen[0]
    bid, ask, one = book[m, nb.B_BID], book[m, nb.B_ASK], rule[bm.R_ONE]
    if outcome != 0:
        bid = one - ask if ask > 0 else int64(0)
    if book[m, nb.B_TRUSTED] == 0:
        bid = int64(0)
    stale = 1 if book[m, nb.B_TS] < x[c.X_TS] else 0
    exit_rows_nb.booked(
        seen[9][0][0, token], before, tokens[t.T_SHARES, 0, token], tokens[t.T_COST, 0, token],
        rule[bm.R_LOT], rule[bm.R_DIVISOR], x[c.X_KNOWN], bid, stale,
    )  # fmt: skip


@kernel(int64(_row, int64, int64))
def _book(x, slot, where):  # type: ignore[no-untyped-def]
    """Books a fill: reservation, holding, cash, worth, counts, the trip that it ended; its gain."""
    venue, seen = venue_of(where), seen_of(where)
    trips, tree, work = locks_of(where)
    limits = door_of(where)[4]
    account, tokens, markets, traits, events, kinds, groups, members = tables_of(where)
    orders, rules, book, marks, value = venue[0], venue[4], seen[0], seen[1], seen[8]
    o = orders[slot]
    m, token = o[c.V_MARKET], o[c.V_TOKEN]
    rule = rules[m]
    outcome = 1 - o[c.V_DIRECT]
    size, fee = x[c.X_SIZE], x[c.X_FEE]
    side = o[c.V_SIDE] if outcome == 0 else -o[c.V_SIDE]
    price = x[c.X_PRICE] if outcome == 0 else rule[bm.R_ONE] - x[c.X_PRICE]
    worth = bd.MILLION * size // rule[bm.R_SIZE_ONE] if book[m, nb.B_TOKENS] > 1 else int64(0)
    if side > 0:
        cost = bk.cost_of(price, size, rule[bm.R_DIVISOR])
        cash = -cost - fee
        realised = int64(0)
    else:
        cost = -bk.cost_share(tokens[t.T_SHARES, 0, token], tokens[t.T_COST, 0, token], size)
        received = bk.proceeds_of(price, size, rule[bm.R_DIVISOR])
        cash = received - fee
        realised = received + cost
    # Free first, then book: the purchase must not count twice at any moment.
    o[c.V_FILLED] += size
    reserve(slot, o[c.V_FILLED], 0, 0, where)
    held = tokens[t.T_SHARES, 0, token]
    ledgers_nb.book(
        account, tokens, markets, traits, events, kinds, groups, members, 0, token, m, outcome,
        side * size, cost, realised, fee, cash, side * worth,
    )  # fmt: skip
    for row in (0, account.shape[1] - 1):
        marks[row, nb.E_NOW] += cash
    nb.revalue_all(book, m, tokens, value, marks)
    if held != 0 and tokens[t.T_SHARES, 0, token] == 0:
        profit = tokens[t.T_REALISED, 0, token] - tokens[t.T_FEES, 0, token]
        profit -= tokens[t.T_TRIP, 0, token]
        locks_nb.close(
            account, markets, trips, tree, limits, marks, work, 0, m, x[c.X_KNOWN], profit, 0
        )
    for row in (0, account.shape[1] - 1):
        account[t.A_FILLS_DAY, row] += 1
    nb.own_fill(book, m, o[c.V_SIDE], x[c.X_PRICE], size)
    return realised


@kernel(types.void(_row, _row), inline=True)
def _became(x, said):  # type: ignore[no-untyped-def]
    """Writes what became of an order to the row that says it was sent."""
    what, known = x[c.X_WHAT], x[c.X_KNOWN]
    if (what == c.ACCEPTED or what == c.FILLED) and said[lg.L_ACCEPTED] == 0:
        said[lg.L_ACCEPTED] = known
    if what == c.FILLED:
        said[lg.L_FILLED] += x[c.X_SIZE]
        if x[c.X_OPEN] > 0:
            return
    elif what == c.ACCEPTED or what == c.NOT_CANCELLED:
        return
    said[lg.L_ENDED] = known
    said[lg.L_END] = what


@kernel(types.void(int64))
def hear(where):  # type: ignore[no-untyped-def]
    """Takes the earliest answer of the venue; the plan says what is to be looked at again.

    Shapes: see module. Units: see module.
    """
    at, _ = places_of(where)
    books, venue = books_of(where), venue_of(where)
    logs = logs_of(where)
    plan, told = logs[0], logs[2]
    orders, answers = venue[0], venue[3]
    x = answers[at[c.C_TAKEN] & (answers.shape[0] - 1)]
    at[c.C_TAKEN] += 1
    slot, what = x[c.X_SLOT], x[c.X_WHAT]
    o = orders[max(slot, 0)]
    here = slot >= 0 and o[c.V_NUMBER] == x[c.X_NUMBER]
    plan[lg.N_STEP] += 1
    plan[lg.N_WAKE] = lg.BY_ANSWER
    row = told[plan[lg.N_TOLD]]
    if what == c.FILLED or plan[lg.N_TELLS] != 0:
        plan[lg.N_TOLD] += 1
        for k in range(c.X_SIZE_OF):
            row[k] = x[k]
        row[lg.T_LOG] = o[c.V_LOG] if here else -1
        row[lg.T_REALISED] = 0
        row[lg.T_STEP] = plan[lg.N_STEP]
        row[lg.T_LATE] = 0
    if here:
        _became(x, logs[1][o[c.V_LOG]])
    plan[lg.N_REVISE] = 0
    plan[lg.N_ASK] = 0
    if what == c.ACCEPTED:
        return
    if what == c.NOT_CANCELLED:
        if here:
            # It may still fill; a later wish may try again.
            o[c.V_PULLED] = 0
        return
    # What was refused once would be refused again: only room that others leave is looked at anew.
    plan[lg.N_REVISE] = o[c.V_TOKEN] + 1 if what != c.REJECTED else 0
    if what == c.FILLED:
        plan[lg.N_ASK] = o[c.V_MARKET] + 1 if plan[lg.N_ON_FILL] != 0 else 0
        row[lg.T_REALISED] = _book(x, slot, where)
        bought = (o[c.V_SIDE] > 0) == (o[c.V_DIRECT] != 0)
        if bought and tables_of(where)[3][o[c.V_MARKET], t.K_RESOLVED] != 0:
            row[lg.T_LATE] = 1
            plan[lg.N_LATE] = plan[lg.N_TOLD]
        if plan[lg.N_HOSTED] != 0:
            outcome = 1 - o[c.V_DIRECT]
            change = x[c.X_SIZE] * (o[c.V_SIDE] if outcome == 0 else -o[c.V_SIDE])
            tables, seen = tables_of(where), seen_of(where)
            before = tables[1][t.T_SHARES, 0, o[c.V_TOKEN]] - change
            _kept(x, o[c.V_MARKET], o[c.V_TOKEN], outcome, before, tables, venue, seen)
        if x[c.X_OPEN] > 0:
            return
    reserve(slot, 0, -1, 1, where)
    closed(slot, books, orders)
    release_slot(slot, at, orders)


@kernel(int64(int64, int64))
def take(known, where):  # type: ignore[no-untyped-def]
    """Takes the earliest answer, known at a moment; why the loop has to stop, -1 if it need not.

    Shapes: see module. Units: ns.
    """
    at, _ = places_of(where)
    logs, marks, counts = logs_of(where), seen_of(where)[1], quoting_of(where)[6]
    plan = logs[0]
    until = plan[lg.N_UNTIL]
    waits = known >= until and until < bm.NEVER and plan[lg.N_TAKES] == lg.NOTHING
    if waits or plan[lg.N_TOLD] + 1 >= logs[2].shape[0]:
        return STOP_ANSWER
    at[c.C_NOW] = max(at[c.C_NOW], known)
    hear(where)
    if nb.settle(marks) != 0:
        plan[lg.N_CROSSED] += 1
        return nb.STOP_LIMIT
    token = plan[lg.N_REVISE] - 1
    # What the strategy is asked first may leave quotes waiting.
    if token >= 0 and plan[lg.N_ASK] == 0 and counts[token, W_WAITS] == 0:
        plan[lg.N_REVISE] = 0
    if plan[lg.N_LATE] != 0:
        return STOP_LATE
    return STOP_HEARD if plan[lg.N_REVISE] != 0 or plan[lg.N_ASK] != 0 else -1
