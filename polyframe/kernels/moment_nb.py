"""Rows of one moment, as a generator of order flow writes them.

Shapes: rows (R_SIZE_OF, most) int64; clock (C_SIZE_OF,) int64; truth (most,) float64, one a row.
Units: prices and sizes in the market's integers, times ns.
"""

from __future__ import annotations

from typing import Final

from numba import float64, int64, types

from polyframe.kernels.compile_nb import kernel

R_TS: Final = 0
R_PRICE: Final = 1
R_SIZE: Final = 2
R_KIND: Final = 3
R_SIDE: Final = 4
R_MORE: Final = 5
"""1 where the next row belongs to the same moment"""
R_SIZE_OF: Final = 6

LEVEL: Final = 4
TRADE: Final = 7
"""as in ``store.tape_rows``; a test compares them"""

C_NOW: Final = 0
C_END: Final = 1
C_ROWS: Final = 2
C_TICK: Final = 3
C_LOT: Final = 4
C_ORDERS: Final = 5
C_ARRIVALS: Final = 6
C_INFORMED: Final = 7
"""arrivals that knew the truth"""
C_ABSTAINED: Final = 8
"""arrivals that traded nothing: nothing stood within their limit"""
C_JUMPS: Final = 9
C_SWEEPS: Final = 10
C_SIZE_OF: Final = 11

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")
_flat = types.Array(float64, 1, "C")


@kernel(types.void(_table, _row, int64, int64, int64, int64))
def put(rows, clock, kind, side, step, size):  # type: ignore[no-untyped-def]
    """Writes one row of the moment.

    Shapes: see module. Units: ``step`` in ticks.
    """
    n = clock[C_ROWS]
    rows[R_TS, n] = clock[C_NOW]
    rows[R_PRICE, n] = step * clock[C_TICK]
    rows[R_SIZE, n] = size
    rows[R_KIND, n] = kind
    rows[R_SIDE, n] = side
    rows[R_MORE, n] = 1
    clock[C_ROWS] = n + 1


@kernel(types.void(_table, _row, _flat, int64, float64))
def complete(rows, clock, truth, first, value):  # type: ignore[no-untyped-def]
    """Ends the moment whose first row is given, and notes what was true in it.

    Shapes: see module. Units: those of the value.
    """
    last = clock[C_ROWS]
    for n in range(first, last):
        truth[n] = value
    if last > first:
        rows[R_MORE, last - 1] = 0
