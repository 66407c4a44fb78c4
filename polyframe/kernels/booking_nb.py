"""Fees, costs and the booking of fills in 64 bits: the compiled twins of the domain's rules.

``domain.units`` and ``domain.portfolio`` are the rules; what is here gives the same integers, or
:func:`fits` says before a run that a market does not fit.
"""

from __future__ import annotations

from typing import Final

from numba import int64, types

from polyframe.kernels.compile_nb import kernel

# ---- columns of a holding ----------------------------------------------------------------------
H_SHARES: Final = 0
H_COST: Final = 1
H_REALISED: Final = 2
H_FEES: Final = 3
H_SIZE_OF: Final = 4

RATE_ONE: Final = 1_000_000
FEE_STEP: Final = 10
CHUNK_BITS: Final = 12
"""a size is taken in so many bits at a time, so that no product passes 64"""
CHUNKS: Final = 4
MOST_SIZE: Final = 1 << (CHUNK_BITS * CHUNKS)
MOST_FACTOR: Final = 1 << 46
MOST_DIVISOR: Final = 1 << 50

LARGEST: Final = 1 << 62

_row = types.Array(int64, 1, "C")


@kernel(int64(int64, int64, int64))
def cost_of(price: int, size: int, divisor: int) -> int:
    """What a buyer pays for size at price, rounded up.

    Shapes: scalars. Units: price and size units; money.
    """
    return -((-price * size) // divisor)


@kernel(int64(int64, int64, int64))
def proceeds_of(price: int, size: int, divisor: int) -> int:
    """What a seller receives for size at price, rounded down.

    Shapes: scalars. Units: price and size units; money.
    """
    return (price * size) // divisor


@kernel(types.Tuple((int64, int64))(int64, int64, int64), inline=True)
def divided(size, factor, divisor):  # type: ignore[no-untyped-def]
    """``size x factor / divisor`` as a whole number and the rest.

    Long division in digits of CHUNK_BITS bits, because the product may pass 64.

    Shapes: scalars, 0 <= size < MOST_SIZE, 0 <= factor and 0 < divisor, both < MOST_DIVISOR.
    Units: any.
    """
    quotient = int64(0)
    rest = int64(0)
    mask = (int64(1) << CHUNK_BITS) - 1
    for k in range(CHUNKS - 1, -1, -1):
        digit = (size >> (k * CHUNK_BITS)) & mask
        rest = (rest << CHUNK_BITS) + digit * factor
        quotient = (quotient << CHUNK_BITS) + rest // divisor
        rest = rest % divisor
    return quotient, rest


@kernel(int64(int64, int64, int64))
def rounded_ratio(size, factor, divisor):  # type: ignore[no-untyped-def]
    """``size x factor / divisor`` to the nearest whole number, half up.

    Shapes: scalars as in :func:`divided`. Units: any.
    """
    quotient, rest = divided(size, factor, divisor)
    return quotient + 1 if 2 * rest >= divisor else quotient


@kernel(int64(int64, int64, int64, int64))
def notional_fee(price, size, rate, divisor):  # type: ignore[no-untyped-def]
    """A share of what is traded, rounded up.

    Shapes: scalars. Units: price, size units; rate in millionths; money.
    """
    whole, rest = divided(size, price * rate, divisor * RATE_ONE)
    return whole + 1 if rest > 0 else whole


@kernel(int64(int64, int64, int64, int64, int64, int64))
def taker_fee(price, size, rate, exponent, one, divisor):  # type: ignore[no-untyped-def]
    """The venue's taker fee: shares x rate x (p x (1 - p))**exponent, half up to 0.00001.

    With exponent 0 it is a share of what is traded.

    Shapes: scalars; exponent 0, 1 or 2. Units: price, size units; rate in millionths; money.
    """
    if rate == 0 or size == 0:
        return 0
    if exponent == 0:
        return notional_fee(price, size, rate, divisor)
    curve = price * (one - price)
    unit = divisor * RATE_ONE * one * FEE_STEP
    if exponent == 1:
        return rounded_ratio(size, rate * curve, unit) * FEE_STEP
    # Divided twice and rounded once: a floor of a floor is the floor of both, and the half that
    # rounding adds is a whole number at the second division.
    whole, rest = divided(size, rate * curve, unit)
    part, _ = divided(curve, rest, unit)
    square = one * one
    return (whole * curve + part + square // 2) // square * FEE_STEP


def fits(
    max_size: int, price_one: int, divisor: int, rate: int, exponent: int, max_price: int = 0
) -> bool:
    """True when every fee of a market can be computed here exactly.

    Shapes: scalars. Units: size and price units; rate in millionths.
    """
    if rate == 0:
        return True
    if exponent == 0:
        unit, factor = divisor * RATE_ONE, max(max_price, price_one) * rate
        return max_size < MOST_SIZE and max(unit, factor) < MOST_DIVISOR
    curve = price_one * price_one // 4 + 1
    unit = divisor * RATE_ONE * price_one * FEE_STEP
    if max_size >= MOST_SIZE or rate * curve >= MOST_FACTOR or unit >= MOST_DIVISOR:
        return False
    if exponent == 2:
        most = (max_size * rate * curve // unit + 1) * curve + price_one * price_one
        return price_one % 2 == 0 and most < LARGEST
    return exponent == 1


@kernel(int64(int64, int64, int64))
def _floor_ratio(size, factor, divisor):  # type: ignore[no-untyped-def]
    """``size x factor // divisor`` for factor < divisor, bit by bit."""
    quotient = int64(0)
    rest = int64(0)
    for k in range(62, -1, -1):
        rest = rest << 1
        quotient = quotient << 1
        if (size >> k) & 1:
            rest += factor
        while rest >= divisor:
            rest -= divisor
            quotient += 1
    return quotient


@kernel(int64(int64, int64, int64))
def cost_share(shares, cost, size):  # type: ignore[no-untyped-def]
    """The part of a holding's cost that leaves with ``size`` of its shares, rounded down.

    Shapes: scalars, 0 < size <= shares. Units: size units; money.
    """
    if size == shares:
        return cost
    if cost < LARGEST // size:
        return cost * size // shares
    # The product would pass 64 bits: whole parts first, then what is left of them.
    whole = cost // shares
    rest = cost % shares
    return whole * size + _floor_ratio(size, rest, shares)


@kernel(int64(_row, int64, int64, int64, int64, int64))
def book_fill(held, side, price, size, fee, divisor):  # type: ignore[no-untyped-def]
    """Books an execution into a holding and returns the cash it moved.

    A sale takes its share of the cost out, rounded down; more than is held must not be sold.

    Shapes: held (H_SIZE_OF,). Units: price and size units; money; side +1 buys, -1 sells.
    """
    if side > 0:
        paid = cost_of(price, size, divisor)
        held[H_SHARES] += size
        held[H_COST] += paid
        held[H_FEES] += fee
        return -paid - fee
    taken = cost_share(held[H_SHARES], held[H_COST], size)
    received = proceeds_of(price, size, divisor)
    held[H_SHARES] -= size
    held[H_COST] -= taken
    held[H_REALISED] += received - taken
    held[H_FEES] += fee
    return received - fee
