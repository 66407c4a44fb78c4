"""What markets were worth and how much was traded in them."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from itertools import islice

from msgspec import Struct

from polyframe.domain.units import DAY, HOUR
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import PRICE_ONE

WIDE = 1_000
"""beyond this spread the last trade says more than the mid. Source: docs.polymarket.com/trading"""
MOST_POINTS = 50_000


class Point(Struct, frozen=True):
    """A token's price at a moment."""

    at: int
    price: int


def price_now(market: Market) -> int:
    """A market's YES price: its payout, the mid, or the last trade where the spread is wide.

    A mid between two ten-thousandths is rounded down. One half while nothing is known.
    """
    if market.winner is not None:
        return market.payout(0) * PRICE_ONE // 2
    bid, ask = market.bid, market.ask
    if market.booked and bid > 0 and ask < PRICE_ONE and ask - bid <= WIDE:
        return (bid + ask) // 2
    if market.last_price:
        return market.last_price
    return (bid + ask) // 2 if market.booked else PRICE_ONE // 2


class Prices:
    """Prices and volumes of all markets through time."""

    __slots__ = ("_hours", "_markets", "_open", "_points", "_seen")

    def __init__(self, markets: dict[str, Market]) -> None:
        self._markets = markets
        self._points: dict[str, deque[Point]] = {}
        self._hours: dict[str, dict[int, int]] = {}
        self._open: list[Market] = []
        self._seen = 0

    def sample(self, now: int) -> None:
        """Keeps every market's price, where it is another one than before."""
        self._open += islice(self._markets.values(), self._seen, None)
        self._seen = len(self._markets)
        for market in self._open:
            if market.booked or market.winner is not None:
                self.remember(market.condition_id, now, price_now(market))
        # What is resolved has its last price.
        self._open = [market for market in self._open if market.winner is None]

    def remember(self, condition_id: str, at: int, price: int) -> None:
        """Keeps a YES price; moments must not run backwards."""
        points = self._points.get(condition_id)
        if points is None:
            points = self._points[condition_id] = deque(maxlen=MOST_POINTS)
        if not points or points[-1].price != price:
            points.append(Point(at, price))

    def since(self, condition_id: str, at: int) -> int | None:
        """The YES price at a moment; None before the first that is known."""
        points = self._points.get(condition_id, ())
        found = bisect_right(points, at, key=_moment)
        return points[found - 1].price if found else None

    def series(
        self, market: Market, outcome: int, start: int, end: int, bucket: int
    ) -> list[Point]:
        """An outcome's price at the end of each bucket; the last bucket ends at ``end``."""
        points = list(self._points.get(market.condition_id, ()))
        if not points or bucket <= 0:
            return []
        found: list[Point] = []
        first = max(start, points[0].at)
        at = -(-first // bucket) * bucket
        index = bisect_right(points, at, key=_moment)
        while at <= end:
            while index < len(points) and points[index].at <= at:
                index += 1
            if index:
                price = points[index - 1].price
                found.append(Point(at, PRICE_ONE - price if outcome else price))
            at += bucket
        return found

    def traded(self, now: int, condition_id: str, money: int) -> None:
        """Counts money that a taker paid or got."""
        hours = self._hours.setdefault(condition_id, {})
        hours[now // HOUR] = hours.get(now // HOUR, 0) + money
        self._markets[condition_id].volume += money

    def volume(self, condition_id: str, since: int = 0) -> int:
        """Money traded in a market since the hour of a moment."""
        first = since // HOUR
        hours = self._hours.get(condition_id, {})
        return sum(money for hour, money in hours.items() if hour >= first)


def _moment(point: Point) -> int:
    return point.at


def day_of(at: int) -> int:
    """The day of a moment, counted from 1970."""
    return at // DAY
