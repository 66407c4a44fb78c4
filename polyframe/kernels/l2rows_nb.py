"""What one row of a tape does: to books, to own orders at rest, to the marks, to who listens.

Shapes: see ``l2columns_nb`` and ``addresses_nb``; ``where`` is the address of all tables.
Units: ns, price and size units, money.
"""

from __future__ import annotations

from typing import Final

from numba import int64, types

from polyframe.kernels import barmatch_nb as bm
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import book_nb as b
from polyframe.kernels import exit_tables_nb, exits_nb
from polyframe.kernels import fills_nb as f
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels.addresses_nb import SEEN, books_of, places_of, seen_of, tape_of, venue_of
from polyframe.kernels.barmatch_nb import NEVER
from polyframe.kernels.barrun_nb import sample
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.window_nb import follow

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
STOP_HEARD: Final = 12
"""an answer was taken that something is to follow from, see ``N_ASK`` and ``N_REVISE``"""
STOP_LATE: Final = 13
"""an answer was taken that shares are to be collected for, see ``N_LATE``"""

_row = types.Array(int64, 1, "C")


@kernel(types.void(int64, int64, int64, int64, int64))
def _watched(m, now, bid, ask, where):  # type: ignore[no-untyped-def]
    """Looks whether a position in a market is to be left now; the loop stops if one is.

    A function of its own: few runs have exits, and its tables are found where they are needed.
    """
    at, _ = places_of(where)
    book, marks, history, _, _, _, _, _, _, exits, _, _ = seen_of(where)
    leaves = exits_nb.watch(exits, history[m], book[m, nb.B_SEEN], m, now, bid, ask, marks)
    if leaves != 0 and at[c.C_WHY] == 0:
        at[c.C_WHY] = nb.STOP_EXIT
        at[c.C_WHERE] = m


@kernel(int64(int64, int64, int64))
def show(m, now, where):  # type: ignore[no-untyped-def]
    """Tells the engine's tables a market's best prices; 1 when a limit of equity is crossed.

    Shapes: see module. Units: ns.
    """
    at, _ = places_of(where)
    books, seen = books_of(where), seen_of(where)
    desk, levels = books
    book, marks, history, grid, wakes, _, _, tokens, value, exits, _, _ = seen
    if m >= book.shape[0]:
        # The venue's own book, which nobody sees yet.
        return 0
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
        _watched(m, now, bid, ask, where)
    crossed = nb.settle(marks)
    if crossed != 0:
        at[c.C_WHERE] = m
    return crossed


@kernel(types.void(int64, int64, int64))
def turn(now, before, where):  # type: ignore[no-untyped-def]
    """A step of the equity's samples ended: keeps one, and every market's mid of a new hour.

    Shapes: see module. Units: ns.
    """
    at, _ = places_of(where)
    seen = seen_of(where)
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


@kernel(types.void(int64, int64, int64, int64))
def traded(m, row, divisor, where):  # type: ignore[no-untyped-def]
    """A public trade: counts it, and fills own orders whose turn it is.

    Shapes: see module. Units: see module.
    """
    at, _ = places_of(where)
    tape = tape_of(where)
    books, seen = books_of(where), seen_of(where)
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
            f.on_trade(m, side, price, size, now, where)
    if at[c.C_LISTENED] != 0 and m < seen[0].shape[0]:
        heard(m, tape[3][row], price * size // divisor, at, seen)


@kernel(types.void(int64, int64, int64, int64))
def ticked(m, tick, now, where):  # type: ignore[no-untyped-def]
    """A row says a market's tick: somebody hears of one that is new.

    Shapes: see module. Units: price units; ns.
    """
    at, _ = places_of(where)
    seen = seen_of(where)
    books, venue = books_of(where), venue_of(where)
    if tick > 0 and tick != books[0][m, b.K_TICK]:
        f.on_tick(m, tick, now, where)
        venue[4][m, bm.R_TICK] = tick
        if m >= seen[0].shape[0]:
            return
        at[c.C_TICK] = m + 1
        if at[c.C_WHY] == 0:
            at[c.C_WHY] = STOP_TICK


@kernel(int64(int64, int64, int64))
def other(m, row, where):  # type: ignore[no-untyped-def]
    """A row that is no level of a standing book; 1 when the best prices may have changed.

    Shapes: see module. Units: see module.
    """
    at, _ = places_of(where)
    seen = seen_of(where)
    tape = tape_of(where)
    books, venue = books_of(where), venue_of(where)
    desk, levels = books
    now, kind = tape[0][row], tape[5][row]
    own = desk[m]
    if kind == TRADE:
        traded(m, row, venue[4][m, bm.R_DIVISOR], where)
        return 0
    if kind == SNAPSHOT_BEGIN:
        f.before_snapshot(m, where)
    elif kind == SNAPSHOT_END:
        f.after_snapshot(m, where)
    elif kind == TICK:
        ticked(m, tape[1][row], now, where)
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
        if step == b.OFF_GRID and follow(m, tape[1][row], desk, levels, venue[0]) != 0:
            step = b.step_of(own[: b.K_SIZE_OF], tape[1][row])
        if step == b.OFF_GRID:
            at[c.C_OFF_GRID] += 1
            return 0
        f.on_best(m, 1 if kind == QUOTE_BID else -1, step, tape[2][row], where)
    else:
        return 0
    trusted = own[b.K_WHOLE] != 0 and own[c.D_INSIDE] == 0 and own[b.K_BID] < own[b.K_ASK]
    if own[c.D_FIRST] != 0 and trusted:
        f.on_cross(m, now, where)
    return 1


@kernel(types.void(int64, int64, int64))
def met(m, now, where):  # type: ignore[no-untyped-def]
    """A level stands at or beyond own orders of the other side, or a best price went.

    Shapes: see module. Units: ns.
    """
    desk, _ = books_of(where)
    if desk[m, b.K_WHOLE] != 0 and desk[m, b.K_BID] < desk[m, b.K_ASK]:
        f.on_cross(m, now, where)
