"""What a ledger has in a market, and what a share costs there: what a sizer begins with."""

from __future__ import annotations

import math
from typing import NamedTuple

from polyframe.api.view import View
from polyframe.domain.market import Market, Token
from polyframe.domain.orders import Side
from polyframe.domain.units import MONEY_ONE, Price
from polyframe.quant.event_kelly import Held
from polyframe.quant.pooling import clamp
from polyframe.quant.sizing import buy_cost


class Stake(NamedTuple):
    """What a ledger has of a binary market, its open purchases taken as filled at their limits.

    Units: money of 1. ``tied`` is the part of its equity that is in there, ``risk`` what it cost.
    """

    held: Held
    tied: float
    risk: float


def stake_in(view: View, market: Market) -> Stake:
    """What the ledger that looks has in a market."""
    unit, one = 10**market.size_decimals, market.price_one
    shares, prices, tied, risk = [0.0, 0.0], [0.0, 0.0], 0.0, 0.0
    for k, token in enumerate(market.tokens[:2]):
        position, bid = view.position(token.id), view.book(token.id).bid
        shares[k] = max(0, position.shares) / unit
        prices[k] = bid / one if bid > 0 else _last(view, market, k)
        tied += shares[k] * prices[k]
        risk += position.cost / MONEY_ONE
        for order in view.orders(token.id):
            # What a child orders is in its parent already.
            if order.order.side == Side.BUY and not order.order.parent:
                coming = order.remaining / unit
                spent = coming * all_in(market, order.order.price)
                shares[k] += coming
                tied, risk = tied + spent, risk + spent
    return Stake(Held(shares[0], shares[1], prices[0], prices[1]), tied, risk)


def _last(view: View, market: Market, outcome: int) -> float:
    """What a share was last seen at: equity counts nothing for one that was never quoted."""
    seen = view.history(market.tokens[outcome].id, 1)
    return float(seen[0]) if len(seen) else 0.0


def all_in(market: Market, price: Price) -> float:
    """What a taker pays for a share, fee included, as a fraction of 1."""
    fee = market.fee
    rate, exponent = (fee.rate / 1e6, fee.exponent) if fee is not None else (0.0, 1)
    return buy_cost(price / market.price_one, rate, exponent)


def asks_within(
    view: View, market: Market, token: Token, limit: Price | None = None
) -> list[tuple[float, float]]:
    """The all-in costs and shares of the asks known within a limit, cheapest first.

    One level of infinite shares at the limit where an ask stands and nobody said how large.
    """
    unit = 10**market.size_decimals
    asks = [ask for ask in view.depth(token.id).asks if limit is None or ask.price <= limit]
    if asks and not any(ask.size for ask in asks):
        return [(all_in(market, asks[-1].price if limit is None else limit), math.inf)]
    return [(all_in(market, ask.price), ask.size / unit) for ask in asks if ask.size > 0]


def depth_near(view: View, market: Market, token: Token, reach: float) -> float | None:
    """The shares offered within ``reach`` of the best ask; None where nobody says how many."""
    asks = view.depth(token.id).asks
    furthest = asks[0].price + reach * market.price_one if asks else 0
    shares = sum(ask.size for ask in asks if ask.price <= furthest)
    return shares / 10**market.size_decimals if shares else None


def mid_of(view: View, market: Market) -> float | None:
    """The price of YES between bid and ask, or else the last one seen, as a fraction of 1.

    Kept a thousandth away from 0 and 1.
    """
    mid = view.book(market.yes.id).mid
    if mid is not None:
        return clamp(mid / market.price_one, 0.001, 0.999)
    seen = view.history(market.yes.id, 1)
    return clamp(float(seen[0]), 0.001, 0.999) if len(seen) else None
