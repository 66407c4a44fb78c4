"""What is on its way to the venue, earliest first: a binary heap in a table.

Shapes: acts (capacity, A_SIZE_OF) int64: when it is done there, its rank among what is done at one
moment (``CLOSE`` to ``CANCEL``), a sequence number, the slot or market concerned and, as slots are
used again, the number of the order that is meant.
Units: ns.
"""

from __future__ import annotations

from typing import Final

from numba import boolean, int64, types

from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.l2columns_nb import C_ACTS, C_SEQUENCE

A_TS: Final = 0
A_WHAT: Final = 1
A_SEQUENCE: Final = 2
A_ABOUT: Final = 3
A_NUMBER: Final = 4
A_SIZE_OF: Final = 5

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")


@kernel(boolean(_table, int64, int64), inline=True)
def _before(acts, a, b):  # type: ignore[no-untyped-def]
    for k in range(3):
        if acts[a, k] != acts[b, k]:
            return acts[a, k] < acts[b, k]
    return False


@kernel(types.void(_table, int64, int64), inline=True)
def _swap(acts, a, b):  # type: ignore[no-untyped-def]
    for k in range(A_SIZE_OF):
        kept = acts[a, k]
        acts[a, k] = acts[b, k]
        acts[b, k] = kept


@kernel(types.void(_table, _row, int64, int64, int64, int64), inline=True)
def push(acts, at, ts, what, about, number):  # type: ignore[no-untyped-def]
    """Adds what will be done at a moment.

    Shapes: see module; at (C_SIZE_OF,). Units: ns.
    """
    k = at[C_ACTS]
    at[C_ACTS] = k + 1
    at[C_SEQUENCE] += 1
    acts[k, A_TS] = ts
    acts[k, A_WHAT] = what
    acts[k, A_SEQUENCE] = at[C_SEQUENCE]
    acts[k, A_ABOUT] = about
    acts[k, A_NUMBER] = number
    while k > 0:
        parent = (k - 1) // 2
        if not _before(acts, k, parent):
            break
        _swap(acts, k, parent)
        k = parent


@kernel(types.void(_table, _row), inline=True)
def drop(acts, at):  # type: ignore[no-untyped-def]
    """Removes the earliest.

    Shapes: see module. Units: none.
    """
    n = at[C_ACTS] - 1
    at[C_ACTS] = n
    _swap(acts, 0, n)
    k = 0
    while True:
        child = 2 * k + 1
        if child >= n:
            break
        if child + 1 < n and _before(acts, child + 1, child):
            child += 1
        if not _before(acts, child, k):
            break
        _swap(acts, k, child)
        k = child
