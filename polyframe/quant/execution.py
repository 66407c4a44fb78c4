"""What an order costs on a book, and how to cut a large one into parts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from polyframe.errors import DataError
from polyframe.quant.roots import checked_amount, checked_probability


class Walk(NamedTuple):
    """What a walk through a book fills and costs.

    Units: shares; fractions of 1 a share; ``fee`` currency.
    """

    filled: float
    average: float
    slippage: float
    fee: float
    all_in: float


def walk_book(
    asks: Sequence[tuple[float, float]], shares: float, mid: float, rate: float = 0.0
) -> Walk:
    """A purchase taken from the asks, cheapest first, with the fee of each level.

    What the book does not hold stays unfilled. A sale is a purchase of the mirrored book.

    Shapes: asks (levels, 2) as (price, shares). Units: fractions of 1; shares.

    Source: fee a share = rate x p (1 - p).

    Raises:
        DataError: an argument is out of range or the asks are not sorted.
    """
    left = checked_amount("shares", shares)
    checked_amount("fee rate", rate)
    paid = fee = filled = before = 0.0
    for price, size in asks:
        p = checked_probability("ask", price)
        if p < before:
            raise DataError(f"ask {p:g} after {before:g}", expected="the cheapest first")
        before = p
        taken = min(left, checked_amount("size", size))
        paid, fee = paid + taken * p, fee + taken * rate * p * (1.0 - p)
        filled, left = filled + taken, left - taken
        if left <= 0.0:
            break
    if filled <= 0.0:
        return Walk(0.0, 0.0, 0.0, 0.0, 0.0)
    average = paid / filled
    return Walk(filled, average, average - mid, fee, (paid + fee) / filled)


class Schedule(NamedTuple):
    """What is still held at the beginning and after each part, and the parts. Units: shares."""

    holdings: list[float]
    parts: list[float]


def almgren_chriss(shares: float, horizon: float, count: int, urgency: float) -> Schedule:
    """An order cut into parts that fall off the faster, the more waiting costs.

    ``urgency`` is sqrt(aversion x variance / impact); 0 gives equal parts.

    Shapes: scalars to (count + 1,) and (count,). Units: shares; time; per time.

    Source: Almgren and Chriss 2000: x_j = X sinh(k (T - t_j)) / sinh(k T).

    Raises:
        DataError: an argument is out of range.
    """
    whole = checked_amount("shares", shares)
    end = checked_amount("horizon", horizon, above=0.0)
    k = checked_amount("urgency", urgency)
    if count < 1:
        raise DataError(f"{count} parts", expected="1 or more")
    held = [whole * _left(k * end, 1.0 - j / count) for j in range(count + 1)]
    return Schedule(held, [a - b for a, b in itertools.pairwise(held)])


def _left(x: float, part: float) -> float:
    """sinh(x part) / sinh(x), without overflow; ``part`` where x is nothing."""
    if x < 1e-6:
        return part
    return math.exp(x * (part - 1.0)) * math.expm1(-2.0 * x * part) / math.expm1(-2.0 * x)


class Top(NamedTuple):
    """What the best prices and their sizes say. Units: price; imbalance from -1 to 1."""

    mid: float
    microprice: float
    imbalance: float


def microprice(bid: float, bid_size: float, ask: float, ask_size: float) -> Top:
    """The mid weighted by the opposite sizes: where the thinner side is about to give way.

    Shapes: scalars. Units: any price; any size.

    Source: (bid x ask size + ask x bid size) / (bid size + ask size).

    Raises:
        DataError: no size stands on either side, or an argument is out of range.
    """
    b, a = checked_amount("bid size", bid_size), checked_amount("ask size", ask_size)
    if b + a <= 0.0:
        raise DataError("a microprice of a book without sizes")
    return Top(0.5 * (bid + ask), (bid * a + ask * b) / (b + a), (b - a) / (b + a))
