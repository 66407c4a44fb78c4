"""Fills and settlements folded into round trips, and what a step function pays in many draws."""

from __future__ import annotations

from numba import float64, int64, types

from polyframe.kernels.booking_nb import H_COST, H_SHARES, H_SIZE_OF, book_fill, cost_share
from polyframe.kernels.compile_nb import kernel

_ints = types.Array(int64, 1, "C", readonly=True)
_out = types.Array(int64, 1, "C")
_holdings = types.Array(int64, 2, "C")
_reals = types.Array(float64, 1, "C", readonly=True)
_total = types.Array(float64, 1, "C")
_matrix = types.Array(float64, 2, "C", readonly=True)
_bytes = types.Array(types.uint8, 2, "C", readonly=True)
_orders = types.Array(types.int32, 2, "C", readonly=True)


@kernel(int64(_ints, _ints, _ints, _ints, _ints, _ints, _holdings, _out, _out, _out, _out, _out))
def fold(  # type: ignore[no-untyped-def]
    key, side, price, size, money, divisor, held, running, moved, trip, shares, cost
):
    """Books entries in order; the first that takes more than is held, -1 when none does.

    ``side`` is +1 for a purchase, -1 for a sale, 0 for a settlement; ``money`` the fee of a fill,
    the amount received of a settlement. ``held`` and ``running`` (the open round trip, -1: none)
    have a row a key. ``moved``, ``trip``, ``shares`` and ``cost`` are filled in: the cash that an
    entry moved, its round trip counted from 0, and what its key held after it.

    Shapes: entries (n,); held (keys, H_SIZE_OF), running (keys,). Units: price, size units, money.
    """
    count = int64(0)
    for n in range(len(key)):
        k = key[n]
        row = held[k]
        if side[n] <= 0 and size[n] > row[H_SHARES]:
            return n
        if running[k] < 0:
            running[k] = count
            count += 1
        if side[n] == 0:
            taken = cost_share(row[H_SHARES], row[H_COST], size[n]) if size[n] > 0 else int64(0)
            row[H_SHARES] -= size[n]
            row[H_COST] -= taken
            moved[n] = money[n]
        else:
            moved[n] = book_fill(row, side[n], price[n], size[n], money[n], divisor[n])
        trip[n] = running[k]
        shares[n] = row[H_SHARES]
        cost[n] = row[H_COST]
        if row[H_SHARES] == 0:
            running[k] = -1
    return -1


@kernel(types.void(_orders, _reals, _reals, _reals, _reals, _total))
def falls(orders, total, low, high, own, found):  # type: ignore[no-untyped-def]
    """The deepest fall from an earlier peak when units come in each of several orders.

    A unit is a block of neighbouring results: its sum, lowest and highest point, own deepest fall.

    Shapes: orders (draws, units); units (units,); found (draws,). Units: currency.
    """
    for draw in range(orders.shape[0]):
        level = 0.0
        peak = 0.0
        deepest = 0.0
        for n in range(orders.shape[1]):
            k = orders[draw, n]
            deepest = max(deepest, own[k], max(peak, level) - (level + low[k]))
            peak = max(peak, level + high[k])
            level += total[k]
        found[draw] = deepest


@kernel(types.void(_reals, _reals, _reals, _total))
def add_steps(points, values, at, total):  # type: ignore[no-untyped-def]
    """Adds the value of a step function at each of ``at`` to ``total``.

    ``values[k]`` holds from ``points[k - 1]`` on, ``values[0]`` before the first point.

    Shapes: points (k,) ascending, values (k + 1,), at and total (draws,). Units: any.
    """
    for n in range(len(at)):
        low = 0
        high = len(points)
        while low < high:
            middle = (low + high) >> 1
            if points[middle] <= at[n]:
                low = middle + 1
            else:
                high = middle
        total[n] += values[low]


@kernel(types.void(_matrix, _bytes, _total))
def add_picked(table, picks, total):  # type: ignore[no-untyped-def]
    """Adds, for each row of ``picks``, the entry of each table that it names to ``total``.

    Shapes: table (tables, 256), picks (rows, tables), total (rows,). Units: any.
    """
    tables = table.shape[0]
    start = 0
    while start < tables:  # a few tables at a time, so that they stay near the processor
        stop = min(start + 16, tables)
        for row in range(picks.shape[0]):
            found = 0.0
            for k in range(start, stop):
                found += table[k, picks[row, k]]
            total[row] += found
        start = stop


__all__ = ["H_SIZE_OF", "add_picked", "add_steps", "falls", "fold"]
