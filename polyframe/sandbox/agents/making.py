"""Makers: ladders of bids for both outcomes around what is believed, leaning against inventory."""

from __future__ import annotations

from math import ceil, floor
from typing import Final

import numpy as np

from polyframe.sandbox.agents.people import Person
from polyframe.sandbox.venue.accounts import Wallet
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import BUY, PRICE_ONE, SHARE_ONE, Placed
from polyframe.sandbox.venue.venue import Venue

LEAN: Final = 6.0
"""ladders of inventory that move a maker's view by one tick"""
MOST_LEAN: Final = 4.0
KEPT: Final = 0.8
"""part of its error that a maker keeps from one look to the next"""
MERGED: Final = 200 * SHARE_ONE
"""pairs that a maker turns back into money"""


class Quoter:
    """One maker in one market. ``error`` of its view, ``half`` of its spread are in ticks."""

    __slots__ = ("_error", "_half", "_market", "_noise", "_orders", "_person", "_quoted", "_size")

    def __init__(self, person: Person, market: Market, rng: np.random.Generator) -> None:
        self._person = person
        self._market = market
        self._half = float(rng.uniform(0.5, 1.8))
        self._noise = float(rng.uniform(0.15, 0.6))
        self._size = float(rng.lognormal(4.9, 0.5))
        self._error = 0.0
        self._quoted = (0, 0)
        self._orders: dict[str, None] = {}

    def refresh(
        self, venue: Venue, fair: float, rng: np.random.Generator, *, levels: int, slack: int = 0
    ) -> None:
        """Quotes again where it would now quote otherwise by more ticks than ``slack``."""
        wallet = venue.wallet(self._person.address)
        self._error = KEPT * self._error + self._noise * float(rng.standard_normal())
        bid, ask = self._best(fair, wallet.shares)
        near, room = self._quoted, slack * self._market.tick
        if (
            abs(bid - near[0]) <= room
            and abs(ask - near[1]) <= room
            and self._whole(wallet, levels)
        ):
            return
        self.withdraw(venue)
        self._merge(venue)
        self._quoted = (bid, ask)
        tick, tokens = self._market.tick, self._market.listing.tokens
        for level in range(levels):
            for token, price in ((tokens[0], bid), (tokens[1], PRICE_ONE - ask)):
                at = price - level * tick
                if at >= tick:
                    # Fewer at the best price than behind it, as recorded books are.
                    shares = self._size * (0.5 + 0.25 * level) * float(rng.uniform(0.6, 1.4))
                    self._place(venue, token, at, shares)

    def _whole(self, wallet: Wallet, levels: int) -> bool:
        """None of its quotes has gone."""
        open = wallet.orders
        return len(self._orders) >= levels and all(id in open for id in self._orders)

    def withdraw(self, venue: Venue) -> None:
        """Takes all its quotes back."""
        if self._orders:
            venue.cancel(venue.wallet(self._person.address).owner, list(self._orders))
            self._orders.clear()

    def _best(self, fair: float, shares: dict[str, int]) -> tuple[int, int]:
        """Its best bid and offer of the first outcome."""
        market = self._market
        tick, tokens = market.tick, market.listing.tokens
        net = (shares.get(tokens[0], 0) - shares.get(tokens[1], 0)) / SHARE_ONE
        lean = min(max(net / (LEAN * self._size), -MOST_LEAN), MOST_LEAN)
        middle = fair * PRICE_ONE / tick + self._error - lean
        bid, ask = floor(middle - self._half), ceil(middle + self._half)
        last = PRICE_ONE // tick - 1
        bid = min(max(bid, 1), last - 1)
        ask = min(max(ask, bid + 1), last)
        return bid * tick, ask * tick

    def _place(self, venue: Venue, token: str, price: int, shares: float) -> None:
        size = max(int(shares), self._market.listing.min_size // SHARE_ONE) * SHARE_ONE
        placed = venue.submit(self._person.address, token, BUY, price, size, post_only=True)
        if isinstance(placed, Placed):
            self._orders[placed.order_id] = None

    def _merge(self, venue: Venue) -> None:
        """Turns pairs back into money, which its bids need."""
        wallet = venue.wallet(self._person.address)
        pairs = min(wallet.free_shares(token) for token in self._market.listing.tokens)
        if pairs >= MERGED:
            venue.merge(
                self._person.address, self._market.condition_id, pairs // SHARE_ONE * SHARE_ONE
            )
