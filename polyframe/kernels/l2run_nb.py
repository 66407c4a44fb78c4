"""Plays a tape: books, own orders at the venue, marks, up to the next moment somebody decides at.

At one moment the tape comes first, then what reaches the venue, then what the venue says. Nobody is
woken, and nothing is marked, within an update whose rows say that more of it follows.

Shapes: see ``l2columns_nb`` and ``venue_nb``.
    TAPE  (ts, price, size, aux, instrument, kind, side, flag, market_of): columns (rows,) and the
          market of each instrument, -1 for none
    SEEN  (book, marks, history, grid, wakes, prints, wallets, tokens, value, exits, out_ts,
          out_equity): see ``bars_nb``; prints (strategies, markets) int64: the notional of a trade
          that wakes, 0 for none; wallets (names,) int64: the strategies that follow each
Units: ns, price and size units, money.
"""

from __future__ import annotations

from typing import Final

from numba import int8, int32, int64, types, uint8

from polyframe.kernels import acts_nb, exit_tables_nb, exits_nb
from polyframe.kernels import barmatch_nb as bm
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import book_nb as b
from polyframe.kernels import fills_nb as f
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels.barmatch_nb import NEVER
from polyframe.kernels.barrun_nb import sample
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.venue_nb import BOOKS, VENUE, act, last_moment

# ---- kinds and flags of rows, as ``store.tape_rows`` has them ------------------------------------
QUOTE_BID: Final = 2
QUOTE_ASK: Final = 3
LEVEL: Final = 4
SNAPSHOT_BEGIN: Final = 5
SNAPSHOT_END: Final = 6
TRADE: Final = 7
TICK: Final = 8
CLEAR: Final = 9
WALLET: Final = 10
MORE: Final = 128

# ---- why the loop stopped, beside those of ``bars_nb`` -------------------------------------------
STOP_ANSWER: Final = 5
STOP_TRADED: Final = 6
STOP_TICK: Final = 7
STOP_ROOM: Final = 8
"""the ring of answers is nearly full"""

_ints = types.Array(int64, 1, "C", readonly=True)
_index = types.Array(int32, 1, "C", readonly=True)
_kinds = types.Array(uint8, 1, "C", readonly=True)
_sides = types.Array(int8, 1, "C", readonly=True)
_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")
_cube = types.Array(int64, 3, "C")
_ring = types.Array(int32, 2, "C")
TAPE = types.Tuple((_ints, _ints, _ints, _ints, _index, _kinds, _sides, _kinds, _index))
SEEN = types.Tuple(
    (
        _table, _table, _ring, _ring, _cube, _table, _row, _cube, _table, exits_nb.TABLES, _row,
        _row,
    )
)  # fmt: skip


@kernel(int64(int64, int64, _row, BOOKS, SEEN), inline=True)
def show(m, now, at, books, seen):  # type: ignore[no-untyped-def]
    """Tells the engine's tables a market's best prices; 1 when a limit of equity is crossed.

    Shapes: see module. Units: ns.
    """
    desk, levels = books
    book, marks, history, grid, wakes, _, _, tokens, value, exits, _, _ = seen
    own = desk[m]
    bid_step, ask_step = own[b.K_BID], own[b.K_ASK]
    there = ask_step < levels.shape[1]
    bid = bid_step * own[b.K_TICK] + own[b.K_BASE] if bid_step > 0 else int64(0)
    ask = ask_step * own[b.K_TICK] + own[b.K_BASE] if there else int64(0)
    sound = own[b.K_WHOLE] != 0 and own[c.D_INSIDE] == 0 and bid_step < ask_step
    trusted = 1 if sound and bid + ask > 0 else 0
    book[m, nb.B_BID_SIZE] = levels[2 * m, bid_step] if bid_step > 0 else 0
    book[m, nb.B_ASK_SIZE] = levels[2 * m + 1, ask_step] if there else 0
    if trusted == 0:
        nb.set_quote(book, history, grid, m, now, 0, 0, 0)
        return 0
    nb.set_quote(book, history, grid, m, now, bid, ask, 1)
    nb.revalue_all(book, m, tokens, value, marks)
    woken = nb.moved(book, wakes, m)
    if woken != 0:
        book[m, nb.B_WOKEN] |= woken
        first = at[c.C_WOKEN] == 0
        at[c.C_WOKEN] |= woken
        if at[c.C_WHY] != nb.STOP_LIMIT:
            at[c.C_WHY] = nb.STOP_MOVED
        at[c.C_WHERE] = m if first else min(at[c.C_WHERE], m)
        at[c.C_WHERE_TO] = m + 1 if first else max(at[c.C_WHERE_TO], m + 1)
    if exits[3][m, exit_tables_nb.Y_WATCHED] > 0:
        leaves = exits_nb.watch(exits, history[m], book[m, nb.B_SEEN], m, now, bid, ask, marks)
        if leaves != 0 and at[c.C_WHY] == 0:
            at[c.C_WHY] = nb.STOP_EXIT
            at[c.C_WHERE] = m
    crossed = nb.settle(marks)
    if crossed != 0:
        at[c.C_WHERE] = m
    return crossed


@kernel(types.void(int64, int64, _row, BOOKS, SEEN))
def turn(now, before, at, books, seen):  # type: ignore[no-untyped-def]
    """A step of the equity's samples ended: keeps one, and every market's mid of a new hour.

    Shapes: see module. Units: ns.
    """
    book, marks, history, grid, _, _, _, _, _, _, out_ts, out_equity = seen
    last = marks.shape[0] - 1
    if before > 0:
        marks[last, nb.E_TS] = before
    sample(now, marks, out_ts, out_equity)
    step = marks[last, nb.E_STEP]
    at[c.C_HOUR] = (now // step + 1) * step if step > 0 else NEVER
    hour = now // nb.GRID_STEP
    for m in range(book.shape[0]):
        if book[m, nb.B_TRUSTED] == 1 and book[m, nb.B_HOUR] < hour:
            bid, ask = book[m, nb.B_BID], book[m, nb.B_ASK]
            if bid > 0 and ask > 0:
                nb.set_quote(book, history, grid, m, now, bid, ask, 1)


@kernel(types.void(int64, int64, int64, _row, SEEN), inline=True)
def heard(m, wallet, notional, at, seen):  # type: ignore[no-untyped-def]
    """Notes who wants to hear of a trade: for its size, or for who traded (counted from 1).

    Shapes: see module. Units: money.
    """
    prints, wallets = seen[5], seen[6]
    woken = int64(0)
    for k in range(prints.shape[0]):
        if 0 < prints[k, m] <= notional:
            woken |= int64(1) << k
    if 0 < wallet <= wallets.shape[0]:
        woken |= wallets[wallet - 1]
    if woken != 0:
        at[c.C_HEARD] |= woken
        if at[c.C_PRINT] == 0:
            at[c.C_PRINT] = at[c.C_ROW] + 1
            if at[c.C_WHY] == 0:
                at[c.C_WHY] = STOP_TRADED
                at[c.C_WHERE] = m


@kernel(types.void(int64, int64, TAPE, int64, _row, BOOKS, VENUE, SEEN), inline=True)
def traded(m, row, tape, divisor, at, books, venue, seen):  # type: ignore[no-untyped-def]
    """A public trade: counts it, and fills own orders whose turn it is.

    Shapes: see module. Units: see module.
    """
    desk, levels = books
    now, price, size, side = tape[0][row], tape[1][row], tape[2][row], int64(tape[6][row])
    own = desk[m]
    bid, ask = own[b.K_BID], own[b.K_ASK]
    tick, base = own[b.K_TICK], own[b.K_BASE]
    if side == 0:
        # Nobody says who took: the side of the book at which it happened does.
        if bid > 0 and price <= bid * tick + base:
            side = -1
        elif ask < levels.shape[1] and price >= ask * tick + base:
            side = 1
    own[c.D_TRADE_PRICE] = price
    own[c.D_TRADES] += 1
    if side > 0:
        own[c.D_BOUGHT] += size
    elif side < 0:
        own[c.D_SOLD] += size
    trusted = own[b.K_WHOLE] != 0 and own[c.D_INSIDE] == 0 and bid < ask
    if trusted and own[c.D_FIRST] != 0:
        if side < 0:
            reached = own[c.D_BUY_HIGH] * tick + base >= price
        else:
            reached = side > 0 and own[c.D_SELL_LOW] * tick + base <= price
        if reached:
            f.on_trade(m, side, price, size, now, at, books, venue)
    if at[c.C_LISTENED] != 0:
        heard(m, tape[3][row], price * size // divisor, at, seen)


@kernel(types.void(int64, int64, int64, _row, BOOKS, VENUE), inline=True)
def ticked(m, tick, now, at, books, venue):  # type: ignore[no-untyped-def]
    """A row says a market's tick: somebody hears of one that is new.

    Shapes: see module. Units: price units; ns.
    """
    if tick > 0 and tick != books[0][m, b.K_TICK]:
        f.on_tick(m, tick, now, at, books, venue)
        venue[4][m, bm.R_TICK] = tick
        at[c.C_TICK] = m + 1
        if at[c.C_WHY] == 0:
            at[c.C_WHY] = STOP_TICK


@kernel(int64(int64, int64, TAPE, _row, BOOKS, VENUE, SEEN), inline=True)
def other(m, row, tape, at, books, venue, seen):  # type: ignore[no-untyped-def]
    """A row that is no level of a standing book; 1 when the best prices may have changed.

    Shapes: see module. Units: see module.
    """
    desk, levels = books
    now, kind = tape[0][row], tape[5][row]
    own = desk[m]
    if kind == TRADE:
        traded(m, row, tape, seen[0][m, nb.B_DIVISOR], at, books, venue, seen)
        return 0
    if kind == SNAPSHOT_BEGIN:
        f.before_snapshot(m, books, venue)
    elif kind == SNAPSHOT_END:
        f.after_snapshot(m, books, venue)
    elif kind == TICK:
        ticked(m, tape[1][row], now, at, books, venue)
    elif kind == CLEAR:
        b.wipe(own[: b.K_SIZE_OF], levels[2 * m], levels[2 * m + 1])
        own[c.D_INSIDE] = 0
    elif kind == WALLET:
        heard(m, tape[3][row], 0, at, seen)
        return 0
    elif kind in (QUOTE_BID, QUOTE_ASK):
        step = int64(0)
        if tape[1][row] > 0:
            step = b.step_of(own[: b.K_SIZE_OF], tape[1][row])
        if step == b.OFF_GRID:
            at[c.C_OFF_GRID] += 1
            return 0
        f.on_best(m, 1 if kind == QUOTE_BID else -1, step, tape[2][row], books, venue)
    else:
        return 0
    trusted = own[b.K_WHOLE] != 0 and own[c.D_INSIDE] == 0 and own[b.K_BID] < own[b.K_ASK]
    if own[c.D_FIRST] != 0 and trusted:
        f.on_cross(m, now, at, books, venue)
    return 1


@kernel(types.void(int64, int64, int64, int64, int64, _row, BOOKS, VENUE), inline=True)
def touched(m, side, step, before, now, at, books, venue):  # type: ignore[no-untyped-def]
    """A level changed at or beyond own orders, or a best price went: their queue, and who met whom.

    Shapes: see module. Units: see module.
    """
    desk, levels = books
    own = desk[m]
    if own[b.K_WHOLE] == 0:
        return
    after = levels[2 * m, step] if side > 0 else levels[2 * m + 1, step]
    f.on_level(m, side, step, before, after, books, venue)
    if own[b.K_BID] < own[b.K_ASK]:
        f.on_cross(m, now, at, books, venue)


@kernel(int64(int64, int64, _row, VENUE), inline=True)
def next_due(until, hour, at, venue):  # type: ignore[no-untyped-def]
    """The first moment at which something comes before the tape's next row.

    Shapes: see module. Units: ns.
    """
    due = min(until, hour - 1)
    if at[c.C_ACTS] > 0:
        due = min(due, venue[2][0, acts_nb.A_TS])
    if at[c.C_HEAD] > at[c.C_TAKEN]:
        due = min(due, venue[3][at[c.C_TAKEN] % venue[3].shape[0], c.X_KNOWN])
    return due


@kernel(int64(_row, BOOKS, VENUE), inline=True)
def full(at, books, venue):  # type: ignore[no-untyped-def]
    """1 when the ring may not hold what one thing more makes the venue say.

    That is at most an end for each own order and a fill for each level.

    Shapes: see module. Units: none.
    """
    waiting = at[c.C_HEAD] - at[c.C_TAKEN]
    return 1 if waiting + at[c.C_STANDING] + books[1].shape[1] + 8 > venue[3].shape[0] else 0


@kernel(int64(int64, int64, int64, _row, BOOKS, VENUE, SEEN), inline=True)
def meanwhile(until, now, before, at, books, venue, seen):  # type: ignore[no-untyped-def]
    """Does what comes before a row at ``now``; why the loop must stop, -1 when it need not.

    Shapes: see module. Units: ns.
    """
    acts, answers = venue[2], venue[3]
    while True:
        at_venue = acts[0, acts_nb.A_TS] if at[c.C_ACTS] > 0 else NEVER
        known = NEVER
        if at[c.C_HEAD] > at[c.C_TAKEN]:
            known = answers[at[c.C_TAKEN] % answers.shape[0], c.X_KNOWN]
        first = min(at_venue, known, until)
        if at[c.C_HOUR] <= min(now, first, last_moment(at)):
            turn(at[c.C_HOUR], before, at, books, seen)
        elif first >= now:
            return -1
        elif known == first:
            return STOP_ANSWER
        elif at_venue == first:
            if full(at, books, venue) != 0:
                return STOP_ROOM
            what, about = acts[0, acts_nb.A_WHAT], acts[0, acts_nb.A_ABOUT]
            number = acts[0, acts_nb.A_NUMBER]
            acts_nb.drop(acts, at)
            act(what, about, number, first, at, books, venue)
            if at[c.C_DIRTY] != 0:
                m = at[c.C_DIRTY] - 1
                at[c.C_DIRTY] = 0
                crossed = show(m, first, at, books, seen)
                if crossed != 0 or at[c.C_WHY] != 0:
                    at[c.C_NOW] = max(at[c.C_NOW], first)
                    return nb.STOP_LIMIT if crossed != 0 else at[c.C_WHY]
        else:
            return nb.STOP_TIME


@kernel(int64(int64, int64, _row, TAPE, BOOKS, VENUE, SEEN), inline=True)
def advance(  # type: ignore[no-untyped-def] # noqa: PLR0912, PLR0915 - a call costs more than a row
    until, stop_row, at, tape, books, venue, seen
):
    """Plays rows and the venue up to a moment or a row, or to the first thing somebody must hear.

    Returns why it stopped; ``at`` says where. At ``until`` all that happens then has happened. An
    update may go on in the rows that follow these (``C_FOLLOWS``).

    Shapes: see module. Units: ns.
    """
    ts, price, size, _, instrument, kind, side, flag, market_of = tape
    desk, levels = books
    rows = min(ts.shape[0], stop_row)
    follows = at[c.C_FOLLOWS] if rows == ts.shape[0] else NEVER
    row = at[c.C_ROW]
    last = int32(-1)
    m = int64(-1)
    if full(at, books, venue) != 0:
        return STOP_ROOM
    dirty = at[c.C_DIRTY]
    at[c.C_DIRTY] = 0
    look = 1
    due = next_due(until, at[c.C_HOUR], at, venue)
    while True:
        now = ts[row] if row < rows else follows
        if now > due:
            at[c.C_ROW] = row
            why = meanwhile(until, now, ts[row - 1] if row > 0 else 0, at, books, venue, seen)
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
        if m >= 0:
            if dirty != 0 and dirty != m + 1:
                # The update goes on in another market; who is to hear of it waits for its end.
                if show(dirty - 1, now, at, books, seen) != 0:
                    at[c.C_WHY] = nb.STOP_LIMIT
                dirty = int64(0)
                look = 1
            if kind[row] == LEVEL:
                # Both sides in one piece of code: which one comes next is what nobody can predict.
                s = (1 - int64(side[row])) >> 1
                sign = 1 - 2 * s
                own = desk[m]
                tick = own[b.K_TICK]
                above = price[row] - own[b.K_BASE]
                step = above // tick
                rests = size[row]
                if step <= 0 or above >= own[b.K_ONE] or step * tick != above:
                    at[c.C_OFF_GRID] += 1
                else:
                    line = levels[2 * m + s]
                    before = line[step]
                    line[step] = rests
                    best = own[b.K_BID + s]
                    uncrossed = False
                    better = (step - best) * sign
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
                    # Other sides' own orders that this one meets, or own orders at this very level.
                    met = own[c.D_SELL_LOW] if s == 0 else own[c.D_BUY_HIGH]
                    if (
                        (step - met) * sign >= 0
                        or own[c.D_BUY_LOW + 2 * s] <= step <= own[c.D_BUY_HIGH + 2 * s]
                        or uncrossed
                    ):
                        if own[c.D_INSIDE] == 0:
                            at[c.C_ROW] = row
                            touched(m, sign, step, before, now, at, books, venue)
                            look = 1
            else:
                at[c.C_ROW] = row
                if other(m, row, tape, at, books, venue, seen) != 0:
                    dirty = m + 1
                look = 1
            if look != 0:
                due = next_due(until, at[c.C_HOUR], at, venue)
                if at[c.C_DIRTY] != 0:
                    dirty = at[c.C_DIRTY]
                    at[c.C_DIRTY] = 0
        row += 1
        if look != 0 and full(at, books, venue) != 0 and int64(flag[row - 1]) & MORE != 0:
            at[c.C_ROW] = row
            at[c.C_DIRTY] = dirty
            return STOP_ROOM
        if (look != 0 or dirty != 0) and int64(flag[row - 1]) & MORE == 0:
            if dirty != 0:
                crossed = show(dirty - 1, now, at, books, seen)
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
                return STOP_ROOM
