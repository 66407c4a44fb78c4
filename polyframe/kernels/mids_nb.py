"""Every change of the mids of recorded books, for measuring fills against them.

Shapes: see ``l2columns_nb``, ``venue_nb`` and ``l2rows_nb``; last (markets,): the mid written last;
    out (., 3): time, market and bid + ask, 0 from when no mid is known.
Units: ns, price units.
"""

from __future__ import annotations

from numba import int64, types

from polyframe.kernels import book_nb as b
from polyframe.kernels import fills_nb as f
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import l2rows_nb as rw
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.l2rows_nb import TAPE
from polyframe.kernels.venue_nb import BOOKS, VENUE, mid
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


@kernel(types.void(int64, int64, TAPE, _row, BOOKS, VENUE), inline=True)
def _other(m, row, tape, at, books, venue):  # type: ignore[no-untyped-def]
    """A row that is no level of a standing book: as ``l2rows_nb.other`` without own orders."""
    desk, levels = books
    own, kind = desk[m], tape[5][row]
    if kind == rw.SNAPSHOT_BEGIN:
        f.before_snapshot(m, books, venue)
    elif kind == rw.SNAPSHOT_END:
        f.after_snapshot(m, books, venue)
    elif kind == rw.TICK:
        if tape[1][row] > 0 and tape[1][row] != own[b.K_TICK]:
            f.on_tick(m, tape[1][row], tape[0][row], at, books, venue)
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
            f.on_best(m, side, step, tape[2][row], books, venue)


@kernel(int64(_row, TAPE, BOOKS, VENUE, _row, _table))
def mids(at, tape, books, venue, last, out):  # type: ignore[no-untyped-def]
    """Plays rows from ``C_ROW`` on and writes every change of a mid; returns how many there were.

    It stops before the end where ``out`` is nearly full; ``C_ROW`` is the next row then.

    Shapes: see module. Units: see module.
    """
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
                _other(m, row, tape, at, books, venue)
        if dirty != 0 and int64(flag[row]) & rw.MORE == 0:
            n = _written(dirty - 1, ts[row], n, books, last, out)
            dirty = int64(0)
        row += 1
    at[c.C_ROW] = row
    at[c.C_DIRTY] = dirty
    return n
