"""What is kept of a position while it grows, shrinks and ends.

Shapes, units: see ``exit_tables_nb``.
"""

from __future__ import annotations

from typing import Final

from numba import int64, types

from polyframe.kernels import exit_tables_nb as c
from polyframe.kernels.booking_nb import LARGEST, MOST_FACTOR, rounded_ratio
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.guards_nb import MISSING

MOST_RATIO: Final = 1 << 48

_row = types.Array(int64, 1, "C")


@kernel(int64(int64, int64, int64))
def average_of(cost, shares, divisor):  # type: ignore[no-untyped-def]
    """The average cost a share, to the nearest millionth of a price unit.

    Costs beyond what any price explains (a rest that carries the cost of what was converted) and
    prices of very many decimals are taken roughly.

    Shapes: scalars. Units: money; size units; a fine price.
    """
    if shares <= 0 or cost <= 0:
        return 0
    while shares >= MOST_RATIO:
        shares >>= 1
        cost >>= 1
    scale = divisor * c.MILLION
    if scale >= MOST_FACTOR or cost // shares >= LARGEST // scale:
        return int(min(float(cost) / float(shares) * float(scale), float(LARGEST)))
    return cost // shares * scale + rounded_ratio(cost % shares, scale, shares)


@kernel(types.void(_row, int64, int64, int64, int64, int64, int64, int64, int64))
def booked(x, before, shares, cost, lot, divisor, now, bid, stale):  # type: ignore[no-untyped-def]
    """Takes a change of a position: its age, its average cost and the shares that came.

    An addition keeps the age and the highest bid; a position that comes back from zero is new.
    ``stale`` is 1 when the bid was known before the purchase was executed.

    Shapes: x (X_SIZE_OF,). Units: size units; money; ns; the bid in price units.
    """
    if shares <= 0:
        x[:] = 0
        x[c.X_WORTH] = MISSING
        return
    if before <= 0:
        x[:] = 0
        x[c.X_WORTH] = MISSING
        x[c.X_OPENED] = now
        x[c.X_BOUGHT] = shares
        x[c.X_HIGH] = max(bid, 0) if stale == 0 else 0
        x[c.X_LAST] = bid
    elif shares > before:
        x[c.X_BOUGHT] += shares - before
    if shares > before:
        x[c.X_STALE] = stale
    x[c.X_HELD] = shares // lot * lot
    x[c.X_AVERAGE] = average_of(cost, shares, divisor)
    x[c.X_PAUSE] = 0


@kernel(int64(int64, int64))
def part_of(bought, part):  # type: ignore[no-untyped-def]
    """A part of a size, to the nearest unit.

    Shapes: scalars. Units: size units; millionths.
    """
    if bought >= MOST_RATIO:
        return bought // c.MILLION * part
    return rounded_ratio(bought, part, c.MILLION)


@kernel(int64(_row, int64, int64, int64))
def due(rules, at, step, bought):  # type: ignore[no-untyped-def]
    """What is sold of a position when so many steps of a ladder are done.

    Shapes: rules (R_SIZE_OF,). Units: ``at`` the ladder's first column; size units.
    """
    return part_of(bought, rules[at + 2 * step - 1]) if step > 0 else 0


@kernel(types.void(_row, _row, int64, int64, int64))
def sold(x, rules, code, size, lot):  # type: ignore[no-untyped-def]
    """Counts a sale towards the steps of the ladder it was made for.

    Shapes: x (X_SIZE_OF,), rules (R_SIZE_OF,). Units: size units.
    """
    if code == c.TAKE:
        done, part, at, steps = c.X_TAKEN, c.X_TAKEN_PART, c.R_TAKE, rules[c.R_TAKES]
    elif code == c.HOLDING:
        done, part, at, steps = c.X_REDUCED, c.X_REDUCED_PART, c.R_HOLD, rules[c.R_HOLDS]
    else:
        return
    x[part] += size
    while x[done] < steps:
        wanted = due(rules, at, x[done] + 1, x[c.X_BOUGHT]) - due(rules, at, x[done], x[c.X_BOUGHT])
        if x[part] + lot <= wanted:
            return
        x[part] = max(x[part] - wanted, 0)
        x[done] += 1
    x[part] = 0
