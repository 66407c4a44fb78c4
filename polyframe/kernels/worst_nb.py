"""The least that a set of positions and open orders in one event can be worth."""

from __future__ import annotations

from typing import Final

from numba import int64, types

from polyframe.kernels.compile_nb import kernel

INDEPENDENT: Final = 0
EXCLUSIVE: Final = 1
LADDER: Final = 2

_row = types.Array(int64, 1, "C")
_members = types.Array(int64, 1, "C", readonly=True)


@kernel(int64(_row, _row, _members, int64), inline=True)
def worst(if_yes, if_no, members, kind):  # type: ignore[no-untyped-def]
    """The minimum over the event's outcomes, "none of them" included.

    ``if_yes[m]`` is what all positions and the losing side of all open orders in market m are worth
    when it resolves YES. 50-50 never is the worst: a sum of minima is concave in the payout, so its
    minimum stands at an end.

    Shapes: if_yes, if_no (markets,); members (n,) market indices, ascending strike for ladders.
    Units: money.
    """
    total = int64(0)
    if kind == INDEPENDENT:
        for m in members:
            total += min(if_yes[m], if_no[m])
        return total
    for m in members:
        total += if_no[m]
    least = total
    if kind == EXCLUSIVE:
        for m in members:
            least = min(least, total - if_no[m] + if_yes[m])
        return least
    for m in members:
        # On a ladder the markets up to some strike are YES, the others NO.
        total += if_yes[m] - if_no[m]
        least = min(least, total)
    return least
