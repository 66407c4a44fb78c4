"""Which open markets move with another one: the same event, or changes of price that go together.

Prices are compared on a grid of hours, which the book kernel keeps for every market.

Shapes: see ``tables_nb`` and ``bars_nb``.
Units: prices twice the mid in price integers; shares of 1 in millionths; times ns.
"""

from __future__ import annotations

from numba import float64, int32, int64, types

from polyframe.kernels.bars_nb import B_HOUR, GRID, GRID_STEP
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.tables_nb import A_OPEN_MARKETS, K_EVENT, M_OPEN

_table = types.Array(int64, 2, "C")
_cube = types.Array(int64, 3, "C")
_ring = types.Array(int32, 2, "C")


@kernel(float64(_ring, _table, int64, int64, int64, int64, int64))
def correlation(grid, book, a, b, now, window, samples):  # type: ignore[no-untyped-def]
    """Pearson's correlation of two markets' changes of price; 0 with fewer common samples.

    A sample is an hour in which both mids are known; a change is from one sample to the next.

    Shapes: grid (markets, GRID), book (markets, B_SIZE_OF). Units: window in ns.
    """
    last = min(now // GRID_STEP, book[a, B_HOUR], book[b, B_HOUR])
    first = max(now // GRID_STEP - min(window // GRID_STEP, GRID), 0) + 1
    # What a ring held before its own last 96 hours is written over.
    first = max(first, max(book[a, B_HOUR], book[b, B_HOUR]) - GRID + 1)
    n = int64(0)
    xs = int64(0)
    ys = int64(0)
    xx = int64(0)
    yy = int64(0)
    xy = int64(0)
    before_a = int64(0)
    before_b = int64(0)
    for hour in range(first, last + 1):
        now_a = int64(grid[a, hour % GRID])
        now_b = int64(grid[b, hour % GRID])
        if now_a == 0 or now_b == 0:
            continue
        if n > 0:
            x = now_a - before_a
            y = now_b - before_b
            xs += x
            ys += y
            xx += x * x
            yy += y * y
            xy += x * y
        before_a = now_a
        before_b = now_b
        n += 1
    if n < samples or n < 3:
        return 0.0
    k = float(n - 1)
    varied_a = k * float(xx) - float(xs) * float(xs)
    varied_b = k * float(yy) - float(ys) * float(ys)
    if varied_a <= 0.0 or varied_b <= 0.0:
        return 0.0
    together = k * float(xy) - float(xs) * float(ys)
    return together / (varied_a**0.5 * varied_b**0.5)


@kernel(
    int64(
        _ring, _table, _table, _cube, _table, int64, int64, int64, int64, int64, int64, int64
    ))  # fmt: skip
def count(  # type: ignore[no-untyped-def]
    grid, book, account, markets, traits, row, m, now, enough, above, samples, window
):
    """How many other open markets of a row move with a market, counted up to ``enough``.

    Fewer open markets than that are not looked at: they could not be too many.

    Shapes: see module. Units: above in millionths, window in ns.
    """
    n = account[A_OPEN_MARKETS, row]
    if n < enough:
        return 0
    found = int64(0)
    limit = float(above) / 1e6
    for i in range(n):
        other = markets[M_OPEN, row, i]
        if other == m:
            continue
        same = traits[other, K_EVENT] == traits[m, K_EVENT]
        if same or abs(correlation(grid, book, m, other, now, window, samples)) > limit:
            found += 1
        if found >= enough:
            return found
    return found
