"""Plays a tape: books, own orders at the venue, marks, up to the next moment somebody decides at.

At one moment the tape comes first, then what reaches the venue, then what the venue says. Nobody is
woken, and nothing is marked, within an update whose rows say that more of it follows.

Shapes: see ``l2columns_nb`` and ``addresses_nb``; ``where`` is the address of all tables.
Units: ns, price and size units, money.
"""

from __future__ import annotations

from typing import Final

from numba import int32, int64, types

from polyframe.kernels import acts_nb
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import book_nb as b
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import l2rows_nb as rw
from polyframe.kernels.addresses_nb import BOOKS, VENUE, books_of, places_of, tape_of, venue_of
from polyframe.kernels.barmatch_nb import NEVER
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.fills_nb import on_level
from polyframe.kernels.l2hear_nb import take
from polyframe.kernels.l2rows_nb import met, other, show, turn
from polyframe.kernels.venue_nb import act, last_moment
from polyframe.kernels.window_nb import follow

REACH_BITS: Final = 32
REACH: Final = 1 << REACH_BITS

_row = types.Array(int64, 1, "C")


@kernel(int64(int64, int64, _row, VENUE), inline=True)
def next_due(until, hour, at, venue):  # type: ignore[no-untyped-def]
    """The first moment at which something comes before the tape's next row.

    Shapes: see module. Units: ns.
    """
    due = min(until, hour - 1)
    if at[c.C_ACTS] > 0:
        due = min(due, venue[2][0, acts_nb.A_TS])
    if at[c.C_HEAD] > at[c.C_TAKEN]:
        due = min(due, venue[3][at[c.C_TAKEN] & (venue[3].shape[0] - 1), c.X_KNOWN])
    return due


@kernel(int64(_row, BOOKS, VENUE), inline=True)
def full(at, books, venue):  # type: ignore[no-untyped-def]
    """1 when the ring may not hold what one thing more makes the venue say.

    That is at most an end for each own order and a fill for each level.

    Shapes: see module. Units: none.
    """
    waiting = at[c.C_HEAD] - at[c.C_TAKEN]
    return 1 if waiting + at[c.C_STANDING] + books[1].shape[1] + 8 > venue[3].shape[0] else 0


@kernel(int64(int64, int64, int64, int64))
def meanwhile(until, now, before, where):  # type: ignore[no-untyped-def]
    """Does what comes before a row at ``now``; why the loop must stop, -1 when it need not.

    Shapes: see module. Units: ns.
    """
    at, _ = places_of(where)
    books, venue = books_of(where), venue_of(where)
    acts, answers = venue[2], venue[3]
    while True:
        at_venue = acts[0, acts_nb.A_TS] if at[c.C_ACTS] > 0 else NEVER
        known = NEVER
        if at[c.C_HEAD] > at[c.C_TAKEN]:
            known = answers[at[c.C_TAKEN] & (answers.shape[0] - 1), c.X_KNOWN]
        first = min(at_venue, known, until)
        if at[c.C_HOUR] <= min(now, first, last_moment(at)):
            turn(at[c.C_HOUR], before, where)
        elif first >= now:
            return -1
        elif known == first:
            why = take(known, where) if at[c.C_HEARS] != 0 else rw.STOP_ANSWER
            if why >= 0:
                return why
        elif at_venue == first:
            if full(at, books, venue) != 0:
                return rw.STOP_ROOM
            what, about = acts[0, acts_nb.A_WHAT], acts[0, acts_nb.A_ABOUT]
            number = acts[0, acts_nb.A_NUMBER]
            acts_nb.drop(acts, at)
            act(what, about, number, first, where)
            if at[c.C_DIRTY] != 0:
                m = at[c.C_DIRTY] - 1
                at[c.C_DIRTY] = 0
                crossed = show(m, first, where)
                if crossed != 0 or at[c.C_WHY] != 0:
                    at[c.C_NOW] = max(at[c.C_NOW], first)
                    return nb.STOP_LIMIT if crossed != 0 else at[c.C_WHY]
        else:
            return nb.STOP_TIME


@kernel(int64(int64, int64, int64))
def advance(until, stop_row, where):  # type: ignore[no-untyped-def] # noqa: PLR0912, PLR0915 - a call costs more than a row
    """Plays rows and the venue up to a moment or a row, or to the first thing somebody must hear.

    Returns why it stopped; ``at`` says where. At ``until`` all that happens then has happened. An
    update may go on in the rows that follow these (``C_FOLLOWS``).

    Shapes: see module. Units: ns.
    """
    at, _ = places_of(where)
    books, venue = books_of(where), venue_of(where)
    ts, price, size, _, instrument, kind, side, flag, market_of = tape_of(where)
    desk, levels = books
    rows = min(ts.shape[0], stop_row)
    follows = at[c.C_FOLLOWS] if rows == ts.shape[0] else NEVER
    row = at[c.C_ROW]
    last = int32(-1)
    m = int64(-1)
    inverse = int64(0)
    # What is known of the present market's book, until something changes it.
    stale = int64(1)
    own = desk[0]
    tick, base, one, bid, ask = int64(1), int64(0), int64(0), int64(0), int64(0)
    buy_low, buy_high, sell_low, sell_high = int64(0), int64(0), int64(0), int64(0)
    if full(at, books, venue) != 0:
        return rw.STOP_ROOM
    dirty = at[c.C_DIRTY]
    at[c.C_DIRTY] = 0
    look = 1
    due = next_due(until, at[c.C_HOUR], at, venue)
    while True:
        now = ts[row] if row < rows else follows
        if now > due:
            at[c.C_ROW] = row
            why = meanwhile(until, now, ts[row - 1] if row > 0 else 0, where)
            stale = int64(1)
            if why >= 0:
                at[c.C_DIRTY] = dirty
                return why
            due = next_due(until, at[c.C_HOUR], at, venue)
        if row >= rows:
            at[c.C_ROW] = row
            at[c.C_DIRTY] = dirty
            return nb.STOP_END
        # Looked up only when it changes, so that what follows need not wait for it.
        if instrument[row] != last:
            last = instrument[row]
            m = int64(market_of[last])
            stale = int64(1)
            if m >= 0:
                inverse = REACH // desk[m, b.K_TICK] + 1
        if m >= 0:
            if dirty != 0 and dirty != m + 1:
                # The update goes on in another market; who is to hear of it waits for its end.
                if show(dirty - 1, now, where) != 0:
                    at[c.C_WHY] = nb.STOP_LIMIT
                dirty = int64(0)
                look = 1
            if kind[row] == rw.LEVEL:
                if stale != 0:
                    stale = int64(0)
                    own = desk[m]
                    tick, base, one = own[b.K_TICK], own[b.K_BASE], own[b.K_ONE]
                    bid, ask = own[b.K_BID], own[b.K_ASK]
                    buy_low, buy_high = int64(c.NO_STEP), int64(-1)
                    sell_low, sell_high = int64(c.NO_STEP), int64(-1)
                    if own[c.D_FIRST] != 0 and own[c.D_INSIDE] == 0:
                        buy_low, buy_high = own[c.D_BUY_LOW], own[c.D_BUY_HIGH]
                        sell_low, sell_high = own[c.D_SELL_LOW], own[c.D_SELL_HIGH]
                # Both sides in one piece of code: which one comes next is what nobody can predict.
                s = (1 - int64(side[row])) >> 1
                sign = 1 - 2 * s
                above = price[row] - base
                # The quotient, wherever it is a whole one: a division takes five times as long.
                step = (above * inverse) >> REACH_BITS
                rests = size[row]
                if (step * tick != above) | (step <= 0) | (above >= one):
                    step = above // tick
                    if step <= 0 or above >= one or step * tick != above:
                        if rests > 0 and follow(m, price[row], desk, levels, venue[0]) != 0:
                            stale = int64(1)
                            continue
                        at[c.C_OFF_GRID] += 1
                        step = int64(0)
                best = bid if s == 0 else ask
                better = (step - best) * sign
                low = buy_low if s == 0 else sell_low
                high = buy_high if s == 0 else sell_high
                opposite = sell_low if s == 0 else buy_high
                matters = (
                    (better > 0)
                    | ((better == 0) & (rests == 0))
                    | ((low <= step) & (step <= high))
                    | ((step - opposite) * sign >= 0)
                )
                if step == 0:
                    pass
                elif not matters:
                    levels[2 * m + s, step] = rests
                else:
                    stale = int64(1)
                    line = levels[2 * m + s]
                    before = line[step]
                    line[step] = rests
                    uncrossed = False
                    if better > 0:
                        if rests > 0:
                            own[b.K_BID + s] = step
                            dirty = m + 1
                    elif better == 0 and rests == 0:
                        # Own orders may have stood on a side that only now is to be trusted.
                        uncrossed = (best - own[b.K_ASK - s]) * sign >= 0 and own[c.D_FIRST] != 0
                        while 0 < best < line.shape[0] and line[best] == 0:
                            best -= sign
                        own[b.K_BID + s] = best
                        dirty = m + 1
                    # Own orders at this very level, or those of the other side that it meets.
                    if own[c.D_FIRST] != 0 and own[c.D_INSIDE] == 0:
                        if low <= step <= high and own[b.K_WHOLE] != 0:
                            on_level(m, sign, step, before, rests, books, venue)
                        if (step - opposite) * sign >= 0 or uncrossed:
                            at[c.C_ROW] = row
                            met(m, now, where)
                            look = 1
            else:
                at[c.C_ROW] = row
                if other(m, row, where) != 0:
                    dirty = m + 1
                look = 1
                last = int32(-1)
            if look != 0:
                due = next_due(until, at[c.C_HOUR], at, venue)
                if at[c.C_DIRTY] != 0:
                    dirty = at[c.C_DIRTY]
                    at[c.C_DIRTY] = 0
        row += 1
        if look != 0 and full(at, books, venue) != 0 and int64(flag[row - 1]) & rw.MORE != 0:
            at[c.C_ROW] = row
            at[c.C_DIRTY] = dirty
            return rw.STOP_ROOM
        if (look != 0 or dirty != 0) and int64(flag[row - 1]) & rw.MORE == 0:
            if dirty != 0:
                crossed = show(dirty - 1, now, where)
                dirty = int64(0)
                if crossed != 0:
                    at[c.C_ROW] = row
                    at[c.C_NOW] = max(at[c.C_NOW], now)
                    return nb.STOP_LIMIT
            look = 0
            if at[c.C_WHY] != 0:
                at[c.C_ROW] = row
                at[c.C_NOW] = max(at[c.C_NOW], now)
                return at[c.C_WHY]
            if full(at, books, venue) != 0:
                at[c.C_ROW] = row
                return rw.STOP_ROOM
