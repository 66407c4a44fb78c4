"""A declarative strategy over bars in one compiled loop: prices, signals, orders, answers, equity.

It stops where something happens that only the engine knows how to do, and goes on after it.

Shapes: see ``bardesk_nb`` and ``bars_nb``; bars are columns in the order of time, then market.
Units: ns, price and size units, money 1e-6, shares of 1 in millionths.
"""

from __future__ import annotations

import math

from numba import float64, int32, int64, types, uint8

from polyframe.kernels import barcolumns_nb as c
from polyframe.kernels import barmatch_nb as bm
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import tables_nb as t
from polyframe.kernels.bardesk_nb import (
    DOOR,
    LOCKS,
    LOGS,
    SEEN,
    TABLES,
    VENUE,
    answer,
    decide,
    refuse,
)
from polyframe.kernels.compile_nb import kernel

_ts = types.Array(int64, 1, "C", readonly=True)
_market = types.Array(int32, 1, "C", readonly=True)
_signal = types.Array(uint8, 1, "C", readonly=True)
_stated = types.Array(float64, 1, "C", readonly=True)
_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")
_ring = types.Array(int32, 2, "C")
BARS = types.Tuple((_ts, _market, _ts, _ts, _signal, _stated, _stated))
"""ts, market, bid, ask, signals, probability, edge; the last two may be empty"""
MARKED = types.Tuple((_ring, _table, _row, _row))
"""history, value, sampled times, sampled equity"""


@kernel(types.void(int64, _table, _row, _row))
def sample(now, marks, out_ts, out_equity):  # type: ignore[no-untyped-def]
    """Keeps the account's equity when a step of its E_STEP ends before ``now``.

    Shapes: marks (rows, E_SIZE_OF); out_* (capacity,). Units: ns, money.
    """
    last = marks.shape[0] - 1
    step = marks[last, nb.E_STEP]
    before = marks[last, nb.E_TS]
    if step > 0 and before > 0 and now // step != before // step:
        n = marks[last, nb.E_COUNT]
        if n < out_ts.shape[0]:
            out_ts[n] = before
            out_equity[n] = marks[last, nb.E_NOW]
            marks[last, nb.E_COUNT] = n + 1
    marks[last, nb.E_TS] = now


@kernel(float64(_stated, int64))
def said(column, row):  # type: ignore[no-untyped-def]
    """What a row states, NaN when nothing.

    Shapes: column (rows,) or empty. Units: fraction of 1.
    """
    return column[row] if column.shape[0] > 0 else math.nan


@kernel(types.void(int64, int64, int64, int64, _row, BARS, TABLES, SEEN, DOOR, VENUE, LOGS))
def signalled(  # type: ignore[no-untyped-def]
    row, now, m, signals, at, bars, tables, seen, door, venue, logs
):
    """Carries out a row's signals: sells what is held, buys where nothing is.

    Shapes: see module. Units: see module.
    """
    if venue[1][m, c.W_ORDER] != 0:
        return
    plan = door[0]
    held = tables[1][t.T_SHARES, 0, seen[0][m, nb.B_TOKEN]]
    if held > 0 and signals & c.EXIT != 0:
        decide(m, -1, c.EXITS, now, row, math.nan, math.nan, at, tables, seen, door, venue, logs)
    elif held == 0 and signals & c.ENTER != 0:
        if plan[c.P_MAX_OPEN] > 0 and tables[0][t.A_OPEN_MARKETS, 0] >= plan[c.P_MAX_OPEN]:
            refuse(m, 1, now, row, c.REFUSED_OPEN, at, logs)
            return
        decide(
            m, 1, c.DIRECTIONAL, now, row, said(bars[5], row), said(bars[6], row), at, tables,
            seen, door, venue, logs,
        )  # fmt: skip


@kernel(int64(int64, int64, _row, TABLES, SEEN, LOCKS, _table, _table, VENUE, LOGS))
def answered(until, inclusive, at, tables, seen, locks, limits, value, venue, logs):  # type: ignore[no-untyped-def]
    """Books the answers known before a time (and at it, if inclusive); 1 when a limit is crossed.

    Shapes: see module. Units: ns.
    """
    marks = seen[1]
    heap = venue[2]
    while at[c.C_WAITING] > 0 and (heap[0, 0] < until or (inclusive != 0 and heap[0, 0] == until)):
        at[c.C_NOW] = max(at[c.C_NOW], heap[0, 0])
        answer(at, tables, seen, locks, limits, value, venue, logs)
        if nb.settle(marks) != 0:
            return 1
    return 0


@kernel(int64(int64, int64, _row, BARS, TABLES, SEEN, LOCKS, MARKED, DOOR, VENUE, LOGS))
def run(  # type: ignore[no-untyped-def]
    stop_ts, inclusive, at, bars, tables, seen, locks, marked, door, venue, logs
):
    """Plays rows and answers up to ``stop_ts``, or to the first limit that equity crosses.

    Returns why it stopped (``bars_nb.STOP_``). At equal times a row comes before an answer.

    Shapes: see module. Units: ns.
    """
    ts, market, bid, ask, signal, _, _ = bars
    history, value, out_ts, out_equity = marked
    book, marks, _, grid = seen
    rules, waiting, heap, opens = venue[0], venue[1], venue[2], venue[3]
    tokens = tables[1]
    rows = ts.shape[0]
    while at[c.C_ROW] < rows:
        row = at[c.C_ROW]
        now = ts[row]
        if now > stop_ts:
            break
        m = int64(market[row])
        if at[c.C_MARKED] == 0:
            # The comparison stands here, too: a call for every row would cost more than the row.
            if (
                at[c.C_WAITING] > 0
                and heap[0, 0] < now
                and answered(now, 0, at, tables, seen, locks, door[5], value, venue, logs) != 0
            ):
                return nb.STOP_LIMIT
            at[c.C_NOW] = now
            sample(now, marks, out_ts, out_equity)
            trusted = 1 if bid[row] + ask[row] > 0 else 0
            nb.set_quote(book, history, grid, m, now, bid[row], ask[row], trusted)
            at[c.C_MARKED] = 1
            # Not every row has an open of its own: a longer bar may end where no shorter one does.
            coming = waiting[m, c.W_NEXT]
            if coming < rules[m, bm.R_STOP] and opens[coming] < now:
                waiting[m, c.W_NEXT] = coming + 1
            if trusted == 1:
                nb.revalue_all(book, m, tokens, value, marks)
                if nb.settle(marks) != 0:
                    return nb.STOP_LIMIT
        at[c.C_MARKED] = 0
        at[c.C_ROW] = row + 1
        if signal[row] != 0:
            signalled(row, now, m, int64(signal[row]), at, bars, tables, seen, door, venue, logs)
    if answered(stop_ts, inclusive, at, tables, seen, locks, door[5], value, venue, logs):
        return nb.STOP_LIMIT
    return nb.STOP_TIME if at[c.C_ROW] < rows else nb.STOP_END
