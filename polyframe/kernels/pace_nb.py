"""How many orders went out lately: rings of their times, a row a ledger and the account's last.

Shapes: pace (rows, ring) int64: the times of the last orders sent.
Units: ns.
"""

from __future__ import annotations

from numba import int64, njit, types

from polyframe.kernels.tables_nb import A_ORDERS, A_ORDERS_DAY, A_VOLUME_DAY

_table = types.Array(int64, 2, "C")


@njit(types.void(_table, _table, int64, int64, int64), cache=True)
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


@njit(int64(_table, int64, int64, int64), cache=True)
def since(pace, row, count, ts):  # type: ignore[no-untyped-def]
    """How many of the ``count`` orders sent so far went out after ``ts``; at most the ring's size.

    Shapes: pace (rows, ring). Units: ns.
    """
    ring = pace.shape[1]
    low = max(count - ring, 0)
    high = count
    # The times ascend: the first that is later than ts.
    while low < high:
        middle = (low + high) // 2
        if pace[row, middle % ring] > ts:
            high = middle
        else:
            low = middle + 1
    return count - low
