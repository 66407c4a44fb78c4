"""What the simulated venue does with a marketable order that waits for a market's next open.

Shapes: opens are flat columns, one market's rows follow each other in time.
Units: ns, YES price units, size units, money 1e-6.
"""

from __future__ import annotations

from typing import Final

from numba import int64, types

from polyframe.kernels.booking_nb import cost_of, taker_fee
from polyframe.kernels.compile_nb import kernel

# ---- columns of a market's rules -----------------------------------------------------------------
R_TICK: Final = 0
R_LOT: Final = 1
R_MIN_SIZE: Final = 2
R_MAX_PRICE: Final = 3
R_MAX_SIZE: Final = 4
R_ONE: Final = 5
R_DIVISOR: Final = 6
R_RATE: Final = 7
"""of the taker fee, millionths"""
R_SLACK: Final = 8
R_SIZE_ONE: Final = 9
"""size units of one share"""
R_LEVEL: Final = 10
"""size of one level of the book behind the best price"""
R_STEP: Final = 11
R_LEVELS: Final = 12
R_FIRST: Final = 13
"""the market's first open"""
R_STOP: Final = 14
"""one past its last open before the market ends"""
R_ENDS: Final = 15
"""when trading ends, NEVER when that is not known"""
R_EXPONENT: Final = 16
"""of the taker fee, 1 or 2"""
R_SIZE_OF: Final = 17

NEVER: Final = 1 << 62

# ---- what became of an order -----------------------------------------------------------------
F_AT: Final = 0
"""when the venue decided"""
F_SIZE: Final = 1
F_PRICE: Final = 2
F_FEE: Final = 3
F_ROW: Final = 4
"""the open it executed on, -1 when on none"""
F_WHY: Final = 5
F_SIZE_OF: Final = 6

FILLED: Final = 0
CLOSED: Final = 1
"""the market had ended, or no open is recorded later"""
STALE: Final = 2
"""no open close enough to the order's arrival"""
NOBODY: Final = 3
"""no quote on that open"""
LIMIT: Final = 4
"""the limit was not reached; a part may have filled"""
DEPTH: Final = 5
"""nothing more within reach; a part may have filled"""
SMALL: Final = 6
"""a marketable purchase worth less than the venue takes"""

PULLED: Final = 7
"""cancelled before it could execute"""

LEAST_BUY: Final = 1_000_000
"""a marketable purchase is worth at least one dollar"""

_ints = types.Array(int64, 1, "C", readonly=True)
_row = types.Array(int64, 1, "C")


@kernel(int64(_ints, int64, int64, int64))
def first_at(ts, start, stop, moment):  # type: ignore[no-untyped-def]
    """The first row in [start, stop) at or after a moment; ``stop`` when there is none.

    Looked for from ``start`` on, because it is one of the next.

    Shapes: ts (n,). Units: ns.
    """
    row = start
    while row < stop and ts[row] < moment:
        row += 1
    return row


@kernel(types.Tuple((int64, int64, int64))(int64, int64, int64, int64, _row))
def walk(side, best, limit, size, rules):  # type: ignore[no-untyped-def]
    """Takes up to ``size`` from equal levels behind the best price, within the limit.

    Returns what was had, its average price rounded against the taker, and why it stopped.

    Shapes: rules (R_SIZE_OF,). Units: see module.
    """
    left = size
    total = int64(0)
    why = DEPTH
    for k in range(rules[R_LEVELS]):
        price = best + side * k * rules[R_STEP]
        if side * (limit - price) < 0:
            why = LIMIT
            break
        if price <= 0 or price >= rules[R_ONE]:
            break
        taken = min(rules[R_LEVEL], left)
        left -= taken
        total += taken * price
        if left == 0:
            why = FILLED
            break
    filled = size - left
    if filled == 0:
        return int64(0), int64(0), why
    if side > 0:
        return filled, -((-total) // filled), why
    return filled, total // filled, why


@kernel(
    types.void(
        _ints, _ints, _ints, _row, int64, int64, int64, int64, int64, int64, int64, int64, _row,
    ))  # fmt: skip
def execute(  # type: ignore[no-untyped-def]
    open_ts, open_bid, open_ask, rules, after, side, limit, size, now, entry, max_age, give_up, out
):
    """Writes what becomes of a marketable order on a market's first open at or after its arrival.

    ``after`` is an open not later than that. ``give_up`` is when a cancel reaches the venue, NEVER
    when none was asked for.

    Shapes: open_* (n,); rules (R_SIZE_OF,); out (F_SIZE_OF,). Units: see module.
    """
    arrives = now + entry
    out[:] = 0
    out[F_ROW] = -1
    out[F_AT] = arrives
    row = first_at(open_ts, after, rules[R_STOP], arrives)
    if arrives >= rules[R_ENDS] or row >= rules[R_STOP]:
        out[F_WHY] = CLOSED
        return
    if side > 0 and cost_of(limit, size, rules[R_DIVISOR]) < LEAST_BUY:
        out[F_WHY] = SMALL
        return
    at = open_ts[row]
    # A cancel that overtakes its order finds nothing to cancel.
    last = give_up if give_up >= arrives else NEVER
    if at - arrives > max_age and arrives + max_age <= last:
        out[F_AT] = arrives + max_age
        out[F_WHY] = STALE
        return
    if last < at:
        out[F_AT] = last
        out[F_WHY] = PULLED
        return
    out[F_AT] = at
    out[F_ROW] = row
    best = open_ask[row] if side > 0 else open_bid[row]
    if best == 0:
        out[F_WHY] = NOBODY
        return
    filled, average, why = walk(side, best, limit, size, rules)
    out[F_SIZE] = filled
    out[F_PRICE] = average
    out[F_WHY] = why
    if filled > 0:
        out[F_FEE] = taker_fee(
            average, filled, rules[R_RATE], rules[R_EXPONENT], rules[R_ONE], rules[R_DIVISOR]
        )
