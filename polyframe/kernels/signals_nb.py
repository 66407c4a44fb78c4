"""Finds the next bar whose signals can matter, so that nothing else is woken for."""

from __future__ import annotations

from typing import Final

from numba import int32, int64, types, uint8

from polyframe.kernels.bars_nb import B_TOKEN
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.tables_nb import T_SHARES

ENTER: Final = 1
EXIT: Final = 2
WAKE: Final = 4

_ts = types.Array(int64, 1, "C", readonly=True)
_market = types.Array(int32, 1, "C", readonly=True)
_signals = types.Array(uint8, 2, "C", readonly=True)
_table = types.Array(int64, 2, "C")
_cube = types.Array(int64, 3, "C")


@kernel(int64(int64, int64))
def matters(signals: int, shares: int) -> int:
    """1 when signals ask for something: to buy when flat, to sell what is held, to be woken.

    Shapes: scalars. Units: bits; size.
    """
    if signals & WAKE != 0:
        return 1
    if shares > 0:
        return 1 if signals & EXIT != 0 else 0
    return 1 if signals & ENTER != 0 else 0


@kernel(int64(_ts, _market, _signals, int64, int64, int64, _table, _cube))
def next_row(ts, market, signals, cursor, stop, until, book, tokens):  # type: ignore[no-untyped-def]
    """The first row in [cursor, stop) up to ``until`` with signals that matter; ``stop`` for none.

    What is held must not change between here and the row found.

    Shapes: ts, market (rows,); signals (strategies, rows); book (markets, B_SIZE_OF); tokens
    (T_SIZE_OF, ledgers + 1, tokens). Units: ns.
    """
    for row in range(cursor, stop):
        if ts[row] > until:
            return stop
        for k in range(signals.shape[0]):
            if signals[k, row] != 0:
                token = book[int64(market[row]), B_TOKEN]
                if matters(int64(signals[k, row]), tokens[T_SHARES, k, token]) != 0:
                    return row
    return stop
