"""How many orders went out lately: rings of their times, a row a ledger and the account's last.

Shapes: pace (rows, ring) int64: the times of the last orders sent.
Units: ns.
"""

from __future__ import annotations

from numba import int64, types

from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.tables_nb import A_ORDERS, A_ORDERS_DAY, A_VOLUME_DAY

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")


@kernel(types.void(_table, _table, int64, int64, int64), inline=True)
def sent(account, pace, ledger, now, notional):  # type: ignore[no-untyped-def]
    """Counts an order that went to the venue.

    Shapes: account (A_SIZE_OF, rows), pace (rows, ring). Units: ns, money.
    """
    for row in (ledger, account.shape[1] - 1):
        n = account[A_ORDERS, row]
        pace[row, n % pace.shape[1]] = now
        account[A_ORDERS, row] = n + 1
        account[A_ORDERS_DAY, row] += 1
        account[A_VOLUME_DAY, row] += notional


@kernel(int64(_table, int64, int64, int64), inline=True)
def _ago(pace, row, newest, orders):  # type: ignore[no-untyped-def]
    """When the order was sent that lies so many before the newest."""
    slot = newest - orders
    return pace[row, slot if slot >= 0 else slot + pace.shape[1]]


@kernel(int64(_table, int64, int64, int64))
def since(pace, row, count, ts):  # type: ignore[no-untyped-def]
    """How many of the ``count`` orders sent so far went out after ``ts``; at most the ring's size.

    Shapes: pace (rows, ring). Units: ns.
    """
    ring = pace.shape[1]
    newest = (count - 1) % ring
    # The times ascend, and mostly few are later: strides grow from the newest, then are halved.
    most = min(count, ring)
    found = int64(0)
    stride = int64(1)
    while found + stride <= most and _ago(pace, row, newest, found + stride - 1) > ts:
        found += stride
        stride *= 2
    while stride > 1:
        stride //= 2
        if found + stride <= most and _ago(pace, row, newest, found + stride - 1) > ts:
            found += stride
    return found


@kernel(int64(_table, int64, int64, int64, _row, int64), inline=True)
def lately(pace, row, count, ts, asked, place):  # type: ignore[no-untyped-def]
    """The same as :func:`since`, from where it ended when it was last asked.

    ``asked`` keeps that in a column. Who asks goes forward in time, mostly by few orders; wherever
    it does not, or asks about another row, all is looked for.

    Shapes: pace (rows, ring), asked (Q_SIZE_OF,). Units: ns.
    """
    ring = pace.shape[1]
    oldest = max(count - ring, int64(0))
    first = max(asked[place], oldest)
    if first > count or (first > oldest and pace[row, (first - 1) % ring] > ts):
        first = count - since(pace, row, count, ts)
    while first < count and pace[row, first % ring] <= ts:
        first += 1
    asked[place] = first
    return count - first
