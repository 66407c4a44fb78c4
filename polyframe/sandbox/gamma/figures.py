"""Figures of a market as the catalogue counts them: volumes, what rests, prices and their moves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from polyframe.domain.units import DAY, HOUR, MONEY_ONE
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.prices import price_now
from polyframe.sandbox.venue.records import PRICE_ONE
from polyframe.sandbox.venue.venue import Venue

MONTH = 30 * DAY
YEAR = 365 * DAY


@dataclass(frozen=True, slots=True)
class Figures:
    """Money in pUSD, prices in the terms of the first outcome; None for what is not known."""

    volume: float
    day: float
    week: float
    month: float
    year: float
    liquidity: float
    interest: float
    price: float
    bid: float | None
    ask: float | None
    last: float | None
    spread: float
    moves: dict[str, float]

    @property
    def competitive(self) -> float:
        """How near to one half its price is: 1 at one half."""
        return 1.0 / (1.0 + (self.price - 0.5) ** 2)


def figures(venue: Venue, market: Market) -> Figures:
    """A market's figures now."""
    trend, now, cid = venue.history.trend, venue.now, market.condition_id
    spans = (DAY, 7 * DAY, MONTH, YEAR)
    day, week, month, year = (trend.volume(cid, now - span) / MONEY_ONE for span in spans)
    price = price_now(market)
    bid, ask = (market.bid, market.ask) if market.booked else (0, PRICE_ONE)
    return Figures(
        volume=market.volume / MONEY_ONE,
        day=day,
        week=week,
        month=month,
        year=year,
        liquidity=_resting(market) / MONEY_ONE,
        interest=market.collateral / MONEY_ONE,
        price=price / PRICE_ONE,
        bid=bid / PRICE_ONE if bid else None,
        ask=ask / PRICE_ONE,
        last=market.last_price / PRICE_ONE if market.last_price else None,
        spread=(ask - bid) / PRICE_ONE,
        moves=_moves(venue, market, price),
    )


def _resting(market: Market) -> int:
    """What the orders in the book would pay."""
    if not market.booked:
        return 0
    bids, asks = market.book.levels(1), market.book.levels(-1)
    paid = sum(price * size for price, size in bids)
    paid += sum((PRICE_ONE - price) * size for price, size in asks)
    return paid // PRICE_ONE


def _moves(venue: Venue, market: Market, price: int) -> dict[str, float]:
    """How far the price moved over each span in which it was known and did."""
    spans = {"Hour": HOUR, "Day": DAY, "Week": 7 * DAY, "Month": MONTH, "Year": YEAR}
    found: dict[str, float] = {}
    for name, span in spans.items():
        before = venue.history.trend.since(market.condition_id, venue.now - span)
        if before is not None and before != price:
            found[f"one{name}PriceChange"] = (price - before) / PRICE_ONE
    return found


def total(parts: Iterable[float]) -> float:
    """A sum without the dust of binary fractions."""
    return round(sum(parts), 6)
