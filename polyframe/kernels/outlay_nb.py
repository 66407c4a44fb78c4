"""What an order pays in fees, and what it could make worse once its market resolves.

Shapes: rules (R_SIZE_OF,), a market's row: see ``barmatch_nb``.
Units: price and size units; money 1e-6.
"""

from __future__ import annotations

from typing import Final

from numba import int64, types

from polyframe.kernels import barmatch_nb as bm
from polyframe.kernels import booking_nb as bk
from polyframe.kernels.compile_nb import kernel

MILLION: Final = 1_000_000

_row = types.Array(int64, 1, "C")


@kernel(int64(_row, int64, int64), inline=True)
def fee_of(rules, price, size):  # type: ignore[no-untyped-def]
    """The taker fee in a market.

    Shapes: see module. Units: price and size units; money.
    """
    rate, exponent = rules[bm.R_RATE], rules[bm.R_EXPONENT]
    return bk.taker_fee(price, size, rate, exponent, rules[bm.R_ONE], rules[bm.R_DIVISOR])


@kernel(types.Tuple((int64, int64))(_row, int64, int64), inline=True)
def losses_of(rules, shares, cash):  # type: ignore[no-untyped-def]
    """What a change of YES shares and of cash could make worse should its market resolve YES or NO.

    Shapes: see module. Units: size units; money.
    """
    worth = MILLION * abs(shares) // rules[bm.R_SIZE_ONE]
    if shares < 0:
        worth = -worth
    return min(int64(0), worth + cash), min(int64(0), cash)


@kernel(types.Tuple((int64, int64))(_row, int64, int64, int64), inline=True)
def losses(rules, side, price, size):  # type: ignore[no-untyped-def]
    """What an order of YES could make worse should its market resolve YES or NO.

    Shapes: see module. Units: money.
    """
    if size <= 0:
        return int64(0), int64(0)
    fee = fee_of(rules, price, size) + rules[bm.R_SLACK]
    if side > 0:
        paid = bk.cost_of(price, size, rules[bm.R_DIVISOR]) + fee
        return losses_of(rules, size, -paid)
    received = bk.proceeds_of(price, size, rules[bm.R_DIVISOR]) - fee
    return losses_of(rules, -size, received)
