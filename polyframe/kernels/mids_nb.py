"""Every change of the mids of recorded books, for measuring fills against them.

Shapes: see ``l2columns_nb`` and ``addresses_nb``; last (markets,): the mid written last;
    out (., 3): time, market and bid + ask, 0 from when no mid is known.
Units: ns, price units.
"""

from __future__ import annotations

from numba import int64, types

from polyframe.kernels import book_nb as b
from polyframe.kernels import fills_nb as f
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import l2rows_nb as rw
from polyframe.kernels.addresses_nb import (
    BOOKS,
    TAPE,
    VENUE,
    books_of,
    places_of,
    tape_of,
    venue_of,
)
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.venue_nb import mid
from polyframe.kernels.window_nb import follow

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")


@kernel(int64(int64, int64, int64, BOOKS, _row, _table), inline=True)
def _written(m, now, n, books, last, out):  # type: ignore[no-untyped-def]
    """Writes a market's mid if it is another one; returns how many rows are written then."""
    found = mid(books, m)
    if found == last[m]:
        return n
    last[m] = found
    out[n, 0] = now
    out[n, 1] = m
    out[n, 2] = found
    return n + 1


@kernel(types.void(int64, int64, TAPE, BOOKS, VENUE, int64), inline=True)
def _other(m, row, tape, books, venue, where):  # type: ignore[no-untyped-def]
    """A row that is no level of a standing book: as ``l2rows_nb.other`` without own orders."""
    desk, levels = books
    own, kind = desk[m], tape[5][row]
    if kind == rw.SNAPSHOT_BEGIN:
        f.before_snapshot(m, where)
    elif kind == rw.SNAPSHOT_END:
        f.after_snapshot(m, where)
    elif kind == rw.TICK:
        if tape[1][row] > 0 and tape[1][row] != own[b.K_TICK]:
            f.on_tick(m, tape[1][row], tape[0][row], where)
    elif kind == rw.CLEAR:
        b.wipe(own[: b.K_SIZE_OF], levels[2 * m], levels[2 * m + 1])
        own[c.D_INSIDE] = 0
    elif kind in (rw.QUOTE_BID, rw.QUOTE_ASK):
        step = int64(0)
        if tape[1][row] > 0:
            step = b.step_of(own[: b.K_SIZE_OF], tape[1][row])
        if step == b.OFF_GRID and follow(m, tape[1][row], desk, levels, venue[0]) != 0:
            step = b.step_of(own[: b.K_SIZE_OF], tape[1][row])
        if step != b.OFF_GRID:
            side = 1 if kind == rw.QUOTE_BID else -1
            f.on_best(m, side, step, tape[2][row], where)


@kernel(int64(int64, _row, _table))
def mids(where, last, out):  # type: ignore[no-untyped-def]
    """Plays rows from ``C_ROW`` on and writes every change of a mid; returns how many there were.

    It stops before the end where ``out`` is nearly full; ``C_ROW`` is the next row then.

    Shapes: see module; ``where`` is the address of the tape, the books and the venue. Units: see
    module.
    """
    at, _ = places_of(where)
    tape = tape_of(where)
    books, venue = books_of(where), venue_of(where)
    ts, price, size, _, instrument, kind, side, flag, market_of = tape
    desk, levels = books
    dirty = at[c.C_DIRTY]
    n = int64(0)
    row = at[c.C_ROW]
    while row < ts.shape[0] and n + 2 < out.shape[0]:
        m = int64(market_of[instrument[row]])
        if m >= 0:
            if dirty != 0 and dirty != m + 1:
                n = _written(dirty - 1, ts[row], n, books, last, out)
            dirty = m + 1
            if kind[row] == rw.LEVEL:
                own = desk[m, : b.K_SIZE_OF]
                step = b.step_of(own, price[row])
                if (
                    step == b.OFF_GRID
                    and size[row] > 0
                    and follow(m, price[row], desk, levels, venue[0]) != 0
                ):
                    step = b.step_of(own, price[row])
                if step != b.OFF_GRID:
                    b.rest(own, levels[2 * m], levels[2 * m + 1], side[row], step, size[row])
            else:
                _other(m, row, tape, books, venue, where)
        if dirty != 0 and int64(flag[row]) & rw.MORE == 0:
            n = _written(dirty - 1, ts[row], n, books, last, out)
            dirty = int64(0)
        row += 1
    at[c.C_ROW] = row
    at[c.C_DIRTY] = dirty
    return n
