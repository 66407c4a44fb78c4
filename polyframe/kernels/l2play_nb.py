"""A quoting strategy over a tape in one compiled loop: rows, wakes, quotes, orders, answers.

It stops where something happens that only the engine knows how to do, and goes on after it.

Shapes: see ``l2columns_nb`` and ``addresses_nb``; ``where`` is the address of all tables; listens
    (markets,) int64: 1 where the strategy quotes.
Units: ns, price and size units, money.
"""

from __future__ import annotations

from typing import Final

from numba import int64, types

from polyframe.kernels import barmatch_nb as bm
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import l2logs_nb as lg
from polyframe.kernels import l2rows_nb as rw
from polyframe.kernels import l2run_nb as l2
from polyframe.kernels import seen_nb
from polyframe.kernels import tables_nb as t
from polyframe.kernels.addresses_nb import (
    LOGS,
    QUOTING,
    VENUE,
    books_of,
    logs_of,
    places_of,
    quoting_of,
    seen_of,
    tables_of,
    tape_of,
    venue_of,
)
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.l2desk_nb import W_COUNT, W_DECIDED, W_LEFT, W_MARKET, W_WAITS, want
from polyframe.kernels.l2hear_nb import take
from polyframe.kernels.quotecall_nb import quote_at
from polyframe.kernels.seencolumns_nb import LEAVE
from polyframe.kernels.venue_nb import last_moment

STOP_LOG: Final = 9
"""a table of what happened is nearly full"""
STOP_ASK: Final = 10
"""the strategy is to be asked, see ``N_FROM``"""
STOP_HELD: Final = 11
"""what was decided is carried out, and more is to come at this moment"""
ENDED: Final = (nb.STOP_MOVED, rw.STOP_TRADED, rw.STOP_TICK, nb.STOP_LIMIT, nb.STOP_EXIT)
"""why the rows stop where an update has ended"""
LEFT: Final = -1
"""in the counts of a token: what rests on it is left as it is"""

_row = types.Array(int64, 1, "C")


@kernel(types.void(int64, int64, int64))
def ask(m, now, where):  # type: ignore[no-untyped-def]
    """Asks the strategy what it wants in a market; its answer stands in the wishes.

    Shapes: see module. Units: ns.
    """
    books, venue, seen = books_of(where), venue_of(where), seen_of(where)
    tables = tables_of(where)
    plan = logs_of(where)[0]
    out, own, parameters, wanted, terms, wishes, counts, _ = quoting_of(where)
    book, rules = seen[0], venue[4]
    seen_nb.see(
        out, m, 0, now, book, books[0], books[1], rules, tables[0], tables[1], seen[1], tables[3],
        terms, plan[lg.N_DEPTH],
    )  # fmt: skip
    plan[lg.N_WAKES] += 1
    plan[lg.N_ASKED] = m
    # An intrinsic: numba hands it the typing context.
    quote = quote_at(plan[lg.N_WRAPPER], plan[lg.N_CODE])  # type: ignore[call-arg, var-annotated]
    n = quote(out, own[m], parameters, wanted)
    first = book[m, nb.B_TOKEN]
    seen_nb.check(wanted, n, book[m, nb.B_TOKENS])
    for outcome in range(min(book[m, nb.B_TOKENS], 2)):
        token = first + outcome
        if n <= LEAVE:
            counts[token, W_LEFT] = LEFT
            continue
        counts[token, W_LEFT] = 0
        counts[token, W_COUNT] = seen_nb.read(
            wanted, n, outcome, rules[m, bm.R_ONE], rules[m, bm.R_SIZE_ONE], wishes[token]
        )


@kernel(int64(int64, LOGS, VENUE, QUOTING, _row), inline=True)
def _full(markets, logs, venue, quoting, at):  # type: ignore[no-untyped-def]
    """1 when a table may not have room for all that one moment can bring.

    That is a quote wanted in each row for it, a cancel of each order whose last answer was not
    heard, and the end of each market.
    """
    plan, reviews, told, pulled, cases = logs
    used, each = at[c.C_USED], quoting[5].shape[1]
    quotes = quoting[5].shape[0] * each
    most = 2 * quotes + used
    if (
        plan[lg.N_REVIEWS] + most > reviews.shape[0]
        or plan[lg.N_TOLD] + most > told.shape[0]
        or plan[lg.N_PULLED] + most > pulled.shape[0]
        or plan[lg.N_CASES] + most > cases.shape[0]
        or used + quotes > venue[0].shape[0]
        or at[c.C_ACTS] + quotes + used + markets + 8 > venue[2].shape[0]
        or used + each > quoting[7].shape[1] // 2
    ):
        return 1
    return 0


@kernel(int64(int64, int64))
def heard(row, where):  # type: ignore[no-untyped-def]
    """The first trade from a row on that is over the notional asked for; ``C_ROW`` when none is.

    Shapes: see module. Units: none.
    """
    at, _ = places_of(where)
    _, price, size, _, instrument, kind, _, _, market_of = tape_of(where)
    seen = seen_of(where)
    book, prints = seen[0], seen[5]
    while row < at[c.C_ROW]:
        m = int64(market_of[instrument[row]])
        if kind[row] == rw.TRADE and m >= 0:
            over = prints[0, m]
            if 0 < over <= price[row] * size[row] // book[m, nb.B_DIVISOR]:
                return row
        row += 1
    return at[c.C_ROW]


@kernel(int64(int64, int64), alone=True)
def play(until, where):  # type: ignore[no-untyped-def] # noqa: PLR0912, PLR0915 - one list of cases
    """Plays the tape up to a moment, or to the first thing that the engine must do.

    At ``until`` the rows of that moment have been played; timers and answers of that very moment
    wait, as what the driver has for it comes first, unless ``N_TAKES`` says otherwise.

    Shapes: see module. Units: ns.
    """
    at, listens = places_of(where)
    tape = tape_of(where)
    venue, seen = venue_of(where), seen_of(where)
    tables, logs = tables_of(where), logs_of(where)
    quoting = quoting_of(where)
    plan, book = logs[0], seen[0]
    traits, counts = tables[3], quoting[6]
    markets = listens.shape[0]
    plan[lg.N_UNTIL] = until
    while True:
        now = at[c.C_NOW]
        first = int64(0)
        stop = int64(0)
        only = int64(-1)
        if _full(markets, logs, venue, quoting, at) != 0:
            return STOP_LOG
        decided = plan[lg.N_DECIDED]
        plan[lg.N_DECIDED] = 0
        if decided != 0:
            pass
        elif plan[lg.N_ASK] != 0:
            first = plan[lg.N_ASK] - 1
            stop = first + 1
            plan[lg.N_ASK] = 0
        elif plan[lg.N_REVISE] != 0:
            only = plan[lg.N_REVISE] - 1
            plan[lg.N_REVISE] = 0
            if counts[only, W_WAITS] == 0:
                continue
            counts[only, W_WAITS] = 0
            first = counts[only, W_MARKET]
            stop = first + 1
        elif at[c.C_HEARD] != 0 and at[c.C_MIDST] == 0:
            # Trades of one update, one after the other, before what moved in it.
            row = heard(at[c.C_PRINT] - 1, where)
            if row >= at[c.C_ROW]:
                at[c.C_HEARD] = 0
                at[c.C_PRINT] = 0
                at[c.C_WHY] = nb.STOP_MOVED if at[c.C_WOKEN] != 0 else 0
                continue
            at[c.C_PRINT] = row + 2
            first = int64(tape[8][tape[4][row]])
            stop = first + 1
            plan[lg.N_STEP] += 1
            plan[lg.N_WAKE] = lg.BY_TRADE + lg.BY_SIZE * first
        elif at[c.C_WOKEN] != 0 and at[c.C_MIDST] == 0:
            # Markets whose best prices moved in one update, one after the other.
            first = at[c.C_WHERE]
            while first < at[c.C_WHERE_TO] and book[first, nb.B_WOKEN] == 0:
                first += 1
            if first >= at[c.C_WHERE_TO]:
                at[c.C_WOKEN] = 0
                at[c.C_WHY] = 0
                continue
            book[first, nb.B_WOKEN] = 0
            stop = first + 1
            plan[lg.N_STEP] += 1
            plan[lg.N_WAKE] = lg.BY_MOVE + lg.BY_SIZE * first
        else:
            coming = plan[lg.N_NEXT] if plan[lg.N_EVERY] > 0 else bm.NEVER
            why = l2.advance(min(until, coming), 1 << 60, where)
            at[c.C_MIDST] = 0 if why in ENDED else 1
            if why == rw.STOP_ANSWER:
                known = venue[3][at[c.C_TAKEN] & (venue[3].shape[0] - 1), c.X_KNOWN]
                why = take(known, where)
                if why == rw.STOP_ANSWER:
                    if plan[lg.N_TOLD] + 1 >= logs[2].shape[0]:
                        return STOP_LOG
                    return nb.STOP_TIME
                if why in (nb.STOP_LIMIT, rw.STOP_LATE):
                    return why
                continue
            if why == rw.STOP_HEARD:
                continue
            if why in (nb.STOP_MOVED, rw.STOP_TRADED):
                if at[c.C_TICK] != 0:
                    return rw.STOP_TICK
                continue
            if why != nb.STOP_TIME or coming > until:
                return why
            if coming == until and plan[lg.N_TAKES] != lg.TIMERS:
                return why
            if coming > last_moment(at):
                return nb.STOP_END
            plan[lg.N_NEXT] = coming + plan[lg.N_EVERY]
            plan[lg.N_STEP] += 1
            plan[lg.N_WAKE] = lg.BY_TIMER
            now = max(now, coming)
            at[c.C_NOW] = now
            stop = markets
        if only < 0 and decided == 0:
            if plan[lg.N_HOSTED] != 0:
                plan[lg.N_FROM] = first
                plan[lg.N_TO] = stop
                return STOP_ASK
            for m in range(first, stop):
                if listens[m] != 0 and traits[m, t.K_TRADABLE] != 0:
                    ask(m, now, where)
        # As the engine does with a list of wishes: all are asked for, then all are carried out.
        k = int64(0)
        last = decided
        if only >= 0:
            last = int64(1)
        elif decided == 0:
            k = book[first, nb.B_TOKEN]
            last = book[stop - 1, nb.B_TOKEN] + book[stop - 1, nb.B_TOKENS]
        while k < last:
            token = only if only >= 0 else (counts[k, W_DECIDED] if decided != 0 else k)
            m = counts[token, W_MARKET]
            asked = listens[m] != 0 and traits[m, t.K_TRADABLE] != 0
            if only >= 0 or decided != 0 or (asked and counts[token, W_LEFT] != LEFT):
                outcome = token - book[m, nb.B_TOKEN]
                want(m, outcome, now, where)
            k += 1
        if decided != 0 and plan[lg.N_HOLD] != 0:
            return STOP_HELD
