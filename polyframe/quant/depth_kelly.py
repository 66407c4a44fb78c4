"""Kelly bets whose price rises with their size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from polyframe.errors import DataError
from polyframe.quant.roots import checked_amount, checked_probability, falling_root
from polyframe.quant.sizing import buy_cost


class DepthBet(NamedTuple):
    """Shares to buy, what they cost with the fee, their average and the last all-in price paid.

    Units: shares, currency, fractions of 1 a share; the prices are 0 when nothing is bought.
    """

    shares: float
    cost: float
    average: float
    marginal: float


NOTHING = DepthBet(0.0, 0.0, 0.0, 0.0)


def kelly_order_book(
    probability: float,
    cash: float,
    asks: Sequence[tuple[float, float]],
    rate: float = 0.0,
    *,
    held: float = 0.0,
    held_other: float = 0.0,
    fraction: float = 1.0,
    exponent: int = 1,
) -> DepthBet:
    """The purchase that maximises expected log wealth, level by level of the asks.

    A level is taken whole while the next share still raises expected log wealth, and the walk ends
    in the first one it does not take whole. ``held`` and ``held_other`` are shares already owned of
    this outcome and of its complement; a fraction below 1 scales the cash that is put at risk, not
    the shares. Never more than the cash is spent.

    Shapes: asks (levels, 2) as (price, shares), cheapest first. Units: fractions of 1 a share;
    cash in the currency of the payout.

    Source: the first-order condition of log utility at each level's all-in price.

    Raises:
        DataError: an argument is out of range or the asks are not sorted.
    """
    q = checked_probability("probability", probability)
    checked_amount("fee rate", rate)
    purse = checked_amount("cash", cash)
    base = checked_amount("fraction of Kelly", fraction, above=0.0) * purse
    lose = base + checked_amount("shares held of the other outcome", held_other)
    win = base + checked_amount("shares held", held)
    shares = cost = last = before = 0.0
    for price, size in asks:
        checked_amount("size of an ask", size)
        if not before <= price <= 1.0:
            raise DataError(
                f"ask {price!r} stands after {before!r}",
                expected="prices from 0 to 1, cheapest first",
            )
        before = price
        paid = buy_cost(price, rate, exponent)
        wanted = _more(q, paid, lose - cost, win - cost + shares)
        taken = min(wanted, size, max(0.0, purse - cost) / paid if paid > 0.0 else size)
        if taken > 0.0:
            shares, cost, last = shares + taken, cost + taken * paid, paid
        if taken < size:
            break
    return DepthBet(shares, cost, cost / shares, last) if shares > 0.0 else NOTHING


def _more(q: float, paid: float, lose: float, win: float) -> float:
    """Shares that maximise q ln(win + (1 - paid) x) + (1 - q) ln(lose - paid x)."""
    if paid <= 0.0:
        return float("inf")
    if paid >= 1.0 or lose <= 0.0:
        return 0.0
    return max(0.0, (q * (1.0 - paid) * lose - (1.0 - q) * paid * win) / (paid * (1.0 - paid)))


def kelly_linear_impact(probability: float, wealth: float, price: float, impact: float) -> DepthBet:
    """The Kelly purchase when each further share costs ``impact`` more than the one before.

    Shapes: scalar. Units: wealth in the currency of the payout; fractions of 1 a share, all-in;
    ``impact`` the same a share.

    Source: the root of q (1 - m) / G = (1 - q) m / L at the marginal price m = price + impact x.

    Raises:
        DataError: an argument is out of range.
    """
    q = checked_probability("probability", probability)
    w = checked_amount("wealth", wealth)
    start = checked_probability("price", price)
    steep = checked_amount("price impact", impact)
    if w == 0.0 or q <= start:
        return NOTHING
    if start == steep == 0.0:
        raise DataError("shares that cost nothing have no best number", expected="a price above 0")

    def slope(x: float) -> float:
        marginal, spent = start + steep * x, start * x + 0.5 * steep * x * x
        return q * (1.0 - marginal) * (w - spent) - (1.0 - q) * marginal * (w - spent + x)

    # Nobody pays more than his belief for a share, nor more than he has.
    limits = [(q - start) / steep] if steep else []
    limits.append(w / start if start else limits[0])
    x = falling_root(slope, 0.0, min(limits))
    spent = min(w, start * x + 0.5 * steep * x * x)
    return DepthBet(x, spent, spent / x, start + steep * x) if x > 0.0 else NOTHING
