"""A book without bounds is kept in a window of prices, which follows the best ones.

It moves when something is told outside of it and the best prices lie a quarter of it or more from
its middle; they stand in the middle then. So what was told within a quarter of the window from the
best prices is always known; what lies outside the window is not, until it is told again.

Shapes: see ``l2columns_nb`` and ``venue_nb``.
Units: price units, steps of the tick.
"""

from __future__ import annotations

from numba import int64, types

from polyframe.kernels import book_nb as b
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.slots_nb import span

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")


@kernel(int64(_row, int64, int64), inline=True)
def middle_of(book, levels, price):  # type: ignore[no-untyped-def]
    """The price around which a book stands: its mid, its one best price, or else ``price``.

    Shapes: book (D_SIZE_OF,). Units: price units; ``levels`` their number.
    """
    bid, ask = book[b.K_BID], book[b.K_ASK]
    if bid > 0 and ask < levels:
        return (bid + ask) // 2 * book[b.K_TICK] + book[b.K_BASE]
    if bid > 0:
        return bid * book[b.K_TICK] + book[b.K_BASE]
    if ask < levels:
        return ask * book[b.K_TICK] + book[b.K_BASE]
    return price


@kernel(types.void(_row, int64), inline=True)
def slide(line, by):  # type: ignore[no-untyped-def]
    """Moves what rests down by so many steps, up if ``by`` is negative; what falls out is gone.

    Shapes: line (levels,). Units: steps.
    """
    n = line.shape[0]
    if by > 0:
        for step in range(1, n):
            line[step] = line[step + by] if step + by < n else 0
    else:
        for step in range(n - 1, 0, -1):
            line[step] = line[step + by] if step + by > 0 else 0


@kernel(int64(int64, int64, _table, _table, _table))
def follow(m, price, desk, levels, orders):  # type: ignore[no-untyped-def]
    """Moves a market's window if that is due; 1 when the price lies in it now.

    Shapes: see module. Units: price units.
    """
    book = desk[m]
    tick, base, width = book[b.K_TICK], book[b.K_BASE], book[b.K_ONE]
    if book[b.K_MOVES] == 0 or price <= 0 or price % tick != 0 or 0 < price - base < width:
        return 0
    n = levels.shape[1]
    middle = middle_of(book[: b.K_SIZE_OF], n, price)
    to = max(middle - width // 2, int64(0)) // tick * tick
    by = (to - base) // tick
    # A window whose middle lies at a price too low for it begins at 0 and stays there.
    due = 4 * abs(by) * tick >= width or (to == 0 and base > 0)
    if not due or not 0 < price - to < width:
        return 0
    slide(levels[2 * m], by)
    slide(levels[2 * m + 1], by)
    # Above the window's last step there may be room left for a finer tick: it stays empty.
    for step in range(width // tick, n):
        levels[2 * m, step] = 0
        levels[2 * m + 1, step] = 0
    book[b.K_BASE] = to
    book[b.K_BID] = max(book[b.K_BID] - by, int64(0)) if book[b.K_BID] > 0 else int64(0)
    while book[b.K_BID] > 0 and levels[2 * m, min(book[b.K_BID], n - 1)] == 0:
        book[b.K_BID] -= 1
    if book[b.K_ASK] < n:
        book[b.K_ASK] = max(book[b.K_ASK] - by, int64(1))
        while book[b.K_ASK] < n and levels[2 * m + 1, book[b.K_ASK]] == 0:
            book[b.K_ASK] += 1
        book[b.K_ASK] = min(book[b.K_ASK], n)
    slot = book[c.D_FIRST]
    while slot != 0:
        order = orders[slot - 1]
        order[c.V_STEP] = b.held_at(book[: b.K_SIZE_OF], order[c.V_PRICE], n)
        slot = order[c.V_NEXT]
    span(book, orders)
    return 1
