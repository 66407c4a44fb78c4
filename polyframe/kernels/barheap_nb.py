"""Answers of the venue that are on their way, earliest first: a binary heap in a table.

Shapes: heap (capacity, 2) int64: when an answer is known, and its order's row; ``at`` counts them.
Units: ns.
"""

from __future__ import annotations

from numba import int64, types

from polyframe.kernels.barcolumns_nb import C_WAITING
from polyframe.kernels.compile_nb import kernel

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")


@kernel(types.void(_table, _row, int64, int64))
def push(heap, at, known, order):  # type: ignore[no-untyped-def]
    """Adds an order whose answer is known at a time.

    Shapes: heap (capacity, 2); at (C_SIZE_OF,). Units: ns.
    """
    k = at[C_WAITING]
    at[C_WAITING] = k + 1
    while k > 0:
        parent = (k - 1) // 2
        if heap[parent, 0] < known or (heap[parent, 0] == known and heap[parent, 1] <= order):
            break
        heap[k, 0] = heap[parent, 0]
        heap[k, 1] = heap[parent, 1]
        k = parent
    heap[k, 0] = known
    heap[k, 1] = order


@kernel(int64(_table, _row))
def pop(heap, at):  # type: ignore[no-untyped-def]
    """Removes the earliest and returns its row in the table of orders; at equal times the first.

    Shapes: heap (capacity, 2); at (C_SIZE_OF,). Units: rows.
    """
    order = heap[0, 1]
    n = at[C_WAITING] - 1
    at[C_WAITING] = n
    known = heap[n, 0]
    last = heap[n, 1]
    k = 0
    while True:
        child = 2 * k + 1
        if child >= n:
            break
        right = child + 1
        if right < n and (
            heap[right, 0] < heap[child, 0]
            or (heap[right, 0] == heap[child, 0] and heap[right, 1] < heap[child, 1])
        ):
            child = right
        if known < heap[child, 0] or (known == heap[child, 0] and last <= heap[child, 1]):
            break
        heap[k, 0] = heap[child, 0]
        heap[k, 1] = heap[child, 1]
        k = child
    heap[k, 0] = known
    heap[k, 1] = last
    return order
