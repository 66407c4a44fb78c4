"""Takers without a view: they buy and sell what they fancy, and some leave an order behind."""

from __future__ import annotations

from typing import Final

import numpy as np

from polyframe.domain.units import MINUTE, MONEY_ONE, SECOND
from polyframe.sandbox.agents.people import Person
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import BUY, PRICE_ONE, SELL, SHARE_ONE
from polyframe.sandbox.venue.venue import Venue

CENT: Final = MONEY_ONE // 100
SELLING: Final = 0.4
"""part of the orders of somebody who holds something that sells of it"""
RESTING: Final = 0.15
SPLITTING: Final = 0.03
"""part that makes pairs and sells one half of them"""
REACH: Final = 2
"""ticks beyond the best price that a market order goes"""
SPREAD: Final = 1.1
"""of the logarithm of an order's size"""
POOR: Final = 60 * MONEY_ONE
MORE: Final = 1_000 * MONEY_ONE
"""what somebody brings who has nothing left"""


def trade(venue: Venue, person: Person, market: Market, rng: np.random.Generator) -> None:
    """Somebody's order in a market, of whatever kind."""
    wallet = venue.wallet(person.address)
    outcome = int(rng.integers(2))
    token = market.listing.tokens[outcome]
    size = person.stake * float(rng.lognormal(0.0, SPREAD))
    kind = rng.random()
    has = wallet.free_shares(token)
    if has >= 5 * SHARE_ONE and kind < SELLING:
        part = has if rng.random() < 0.5 else has // 2
        sell(venue, person, market, outcome, part)
        return
    if wallet.free() < POOR:
        venue.fund(person.address, MORE)
    if kind < SPLITTING:
        pairs = max(int(size), 5) * SHARE_ONE
        if venue.split(person.address, market.condition_id, pairs) is None:
            sell(venue, person, market, outcome, pairs)
    elif kind > 1.0 - RESTING:
        _rest(venue, person, market, outcome, size, rng)
    else:
        buy(venue, person, market, outcome, min(size, wallet.free() / MONEY_ONE / 2))


def buy(
    venue: Venue,
    person: Person,
    market: Market,
    outcome: int,
    dollars: float,
    *,
    reach: int = REACH,
) -> bool:
    """Buys for so much money what there is up to some ticks beyond the best price."""
    ask = _ask(market, outcome)
    budget = int(dollars * 100) * CENT
    if ask >= PRICE_ONE or budget < MONEY_ONE:
        return False
    limit = min(ask + reach * market.tick, PRICE_ONE - market.tick)
    token = market.listing.tokens[outcome]
    placed = venue.submit(person.address, token, BUY, limit, 0, order_type="FAK", budget=budget)
    return not hasattr(placed, "text")


def sell(
    venue: Venue, person: Person, market: Market, outcome: int, size: int, *, reach: int = REACH
) -> bool:
    """Sells so many shares to what there is down to some ticks below the best price."""
    bid = PRICE_ONE - _ask(market, 1 - outcome)
    size = size // (SHARE_ONE // 100) * (SHARE_ONE // 100)
    if bid <= 0 or size <= 0:
        return False
    limit = max(bid - reach * market.tick, market.tick)
    token = market.listing.tokens[outcome]
    placed = venue.submit(person.address, token, SELL, limit, size, order_type="FAK")
    return not hasattr(placed, "text")


def _rest(
    venue: Venue,
    person: Person,
    market: Market,
    outcome: int,
    dollars: float,
    rng: np.random.Generator,
) -> None:
    """A bid near the best one, for some minutes."""
    best = PRICE_ONE - _ask(market, 1 - outcome)
    price = best - int(rng.integers(0, 3)) * market.tick
    if price < market.tick:
        return
    size = max(int(dollars * PRICE_ONE / price), market.listing.min_size // SHARE_ONE) * SHARE_ONE
    until = venue.now + int(rng.integers(5 * MINUTE, 90 * MINUTE))
    venue.submit(
        person.address,
        market.listing.tokens[outcome],
        BUY,
        price,
        size,
        order_type="GTD",
        expiration=until // SECOND,
    )


def _ask(market: Market, outcome: int) -> int:
    """The best offer of an outcome, in its own price."""
    return PRICE_ONE - market.bid if outcome else market.ask
