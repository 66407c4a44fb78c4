"""What an execution style begins with: prices on the tick, parts of an order, a book's sides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from polyframe.api.execution import Parent, Step
from polyframe.api.view import View
from polyframe.domain.book import Level
from polyframe.domain.market import LEAST_TAKEN, Market
from polyframe.domain.orders import OrderView, Side, TimeInForce
from polyframe.domain.units import SECOND, Ns, Price, Size, ceil_div, ceil_to, floor_to
from polyframe.domain.wishes import CancelOrder, WakeAt
from polyframe.quant.execution import walk_book
from polyframe.quant.sizing import buy_cost, sell_net
from polyframe.quant.slippage import Slippage, circumstances

NEVER: Ns = 2**62
"""The end of what has none: no timer can be set for it."""


def unit_price(market: Market, side: Side, price: Price, *, maker: bool = False) -> float:
    """What a bought share costs or a sold one brings, after the taker's fee, as a fraction of 1."""
    fee = market.fee
    rate, exponent = (0.0, 1) if maker or fee is None else (fee.rate / 1e6, fee.exponent)
    bare = price / market.price_one
    if side == Side.BUY:
        return buy_cost(bare, rate, exponent)
    return sell_net(bare, rate, exponent)


def edge_at(parent: Parent, market: Market, price: Price, *, maker: bool = False) -> float | None:
    """What a share gains if this part of a parent executes at a price; None where nobody said.

    At the parent's limit and fee that is exactly the edge it was approved with.
    """
    edge = parent.order.edge
    if edge is None:
        return None
    side = parent.order.side
    return edge + side * (parent.basis - unit_price(market, side, price, maker=maker))


def price_within(parent: Parent, market: Market, price: Price) -> Price:
    """A price on the market's tick, towards the passive side, and not beyond the parent's limit.

    0 where the tick leaves no price.
    """
    side, tick = parent.order.side, market.tick
    best = side * min(side * price, side * parent.order.price)
    on_tick = floor_to(best, tick) if side == Side.BUY else ceil_to(best, tick)
    return on_tick if tick <= on_tick <= market.price_one - tick else 0


def least_part(market: Market, side: Side, price: Price, *, taking: bool) -> Size:
    """The smallest order that the venue takes at a price, in whole lots.

    A purchase that takes is also worth at least a dollar; a sale that takes may be any rest.
    """
    if not taking:
        return ceil_to(market.min_size, market.lot)
    if side == Side.SELL:
        return market.lot
    worth = ceil_div(LEAST_TAKEN * market.divisor, max(price, 1))
    return ceil_to(max(market.min_size, worth), market.lot)


def part_of(parent: Parent, market: Market, wanted: Size, price: Price, *, taking: bool) -> Size:
    """What of a parent goes into the next child: about ``wanted``, and what a venue takes.

    At least the venue's minimum; all that is free when the rest would be less than that; 0 when
    what is free is.
    """
    free = floor_to(parent.free, market.lot)
    least = least_part(market, parent.order.side, price, taking=taking)
    if free < least:
        return 0
    part = min(max(floor_to(wanted, market.lot), least), free)
    return free if free - part < least else part


def part_within(parent: Parent, market: Market, most: Size, price: Price, *, taking: bool) -> Size:
    """The largest part that is not more than ``most`` and leaves no rest below the minimum.

    0 where there is none.
    """
    free = floor_to(parent.free, market.lot)
    least = least_part(market, parent.order.side, price, taking=taking)
    size = min(floor_to(most, market.lot), free)
    if 0 < free - size < least:
        size = free - least
    return size if size >= least else 0


def seconds(amount: float) -> Ns:
    """A setting in seconds as a duration."""
    return int(amount * SECOND)


def wind_up(parent: Parent, view: View, why: str, again: Ns) -> Iterator[Step]:
    """Pulls what rests, looks again after ``again``, and ends the parent when nothing is at work.

    A child that only takes ends by itself and says so.
    """
    children = children_of(parent, view)
    resting = [child.order.id for child in children if rests(child)]
    for id in resting:
        yield CancelOrder(id, why)
    if resting:
        yield WakeAt(view.now + again)
    elif not children:
        yield CancelOrder(parent.order.id, why)


def rests(child: OrderView) -> bool:
    """True for a child that may stand in the book."""
    return child.order.tif in (TimeInForce.GTC, TimeInForce.GTD)


def children_of(parent: Parent, view: View) -> list[OrderView]:
    """The open children of a parent, oldest first."""
    return [o for o in view.orders(parent.order.token) if o.order.parent == parent.order.id]


def deadline(parent: Parent, market: Market, margin: Ns) -> Ns:
    """When a parent must be done: at its own expiry, and ``margin`` before its market closes.

    ``NEVER`` where neither is known.
    """
    ends = [t for t in (parent.order.expires, market.closes - margin) if t > 0]
    return min(ends, default=NEVER)


class Taken(NamedTuple):
    """What taking now is predicted to come to.

    Units: size, ``price`` (of the worst level) and ``average`` in the market's own; ``slippage``
    beyond the mid as a fraction of 1.
    """

    size: Size
    price: Price
    average: float
    slippage: float


class Sides(NamedTuple):
    """A book as an order on one side sees it: those it joins and those it meets, best first.

    Prices are 0 where nobody stands. ``met`` are the levels of the other side within the limit.
    """

    own: Price
    other: Price
    own_size: Size
    other_size: Size
    other_levels: tuple[Level, ...]
    met: tuple[Level, ...]
    tick: Price

    @property
    def spread(self) -> int:
        """Whole ticks between the best prices; 0 where a side is empty."""
        return abs(self.other - self.own) // self.tick if self.own and self.other else 0

    @property
    def known(self) -> bool:
        """True when somebody said how much the levels that are met hold."""
        return any(level.size for level in self.met)

    def within(self, reach: Price) -> Size:
        """What is met no further than ``reach`` from the best price."""
        return sum(level.size for level in self.met if abs(level.price - self.other) <= reach)


def sides_of(parent: Parent, view: View) -> Sides | None:
    """The book of a parent's token as it sees it; None when the book is not to be trusted."""
    order, book = parent.order, view.depth(parent.order.token)
    if not book.trusted:
        return None
    own, other = (book.bids, book.asks) if order.side == Side.BUY else (book.asks, book.bids)
    return Sides(
        own[0].price if own else 0,
        other[0].price if other else 0,
        own[0].size if own else 0,
        other[0].size if other else 0,
        other,
        tuple(level for level in other if order.side * (order.price - level.price) >= 0),
        view.market(order.token).tick,
    )


def post_price(parent: Parent, market: Market, sides: Sides, further: int = 0) -> Price:
    """Where a part rests: with the best of its own side, and ``further`` ticks beyond.

    One tick better in a spread of three ticks or more; never beyond the limit and never where it
    would take. 0 where nobody stands on its own side.
    """
    if not sides.own:
        return 0
    side, tick = parent.order.side, market.tick
    price = sides.own + side * tick * (further + (1 if sides.spread >= 3 else 0))
    if sides.other:
        price = side * min(side * price, side * sides.other - tick)
    return price_within(parent, market, price)


def taking(
    parent: Parent, market: Market, sides: Sides, size: Size, model: Slippage, volume: float = 0.0
) -> Taken | None:
    """What taking so much within the limit would come to; None where nobody says what is there.

    What does not stand within the limit is not taken, and does not count.
    """
    order, one, unit = parent.order, market.price_one, 10**market.size_decimals

    def mirrored(price: float) -> float:
        return price / one if order.side == Side.BUY else 1.0 - price / one

    if not sides.other or not sides.own or not sides.known:
        return None
    levels = [(mirrored(level.price), level.size / unit) for level in sides.other_levels]
    mid = 0.5 * (mirrored(sides.own) + mirrored(sides.other))
    walk = walk_book(levels[: len(sides.met)], size / unit, mid)
    if not walk.filled:
        return None
    left, worst = size, sides.met[0].price
    for level in sides.met:
        if left <= 0:
            break
        left, worst = left - level.size, level.price
    seen = circumstances(levels, mirrored(sides.own), walk.filled, market.tick / one, volume=volume)
    average = walk.average if order.side == Side.BUY else 1.0 - walk.average
    return Taken(size - max(left, 0), worst, average * one, model.predict(seen))


def taking_within(
    parent: Parent, market: Market, sides: Sides, model: Slippage, cap: float, volume: float = 0.0
) -> Taken | None:
    """The most of what is free that can be taken with a predicted slippage within a cap.

    None where nobody says what is there, or not even a lot fits.
    """
    found = taking(parent, market, sides, parent.free, model, volume)
    if found is None or found.slippage <= cap:
        return found
    # More never costs less, so the largest size that fits is found by halving.
    best, low, high = None, 0, found.size // market.lot
    while high - low > 1:
        middle = (low + high) // 2
        tried = taking(parent, market, sides, middle * market.lot, model, volume)
        if tried is not None and tried.slippage <= cap:
            best, low = tried, middle
        else:
            high = middle
    return best
