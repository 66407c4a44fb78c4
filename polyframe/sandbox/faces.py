"""Books as clients see them: both tokens of a market, their JSON and their hash.

The venue keeps one book a market, in the price of YES. A bid for YES offers NO at the complement,
so both tokens' books are made of the same levels; each is written once and kept as bytes.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left

from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import (
    BUY,
    PRICE_ONE,
    BookMoved,
    Levels,
    TickChanged,
    Told,
    TradeTold,
)
from polyframe.sandbox.venue.venue import Venue
from polyframe.sandbox.wire import ms, price_text, size_text


class _Side:
    """The levels of one side, worst first, written for both tokens."""

    __slots__ = ("_joined", "_rows", "keys", "sizes")

    def __init__(self) -> None:
        self.keys: list[int] = []
        """ascending: the price of a bid, the complement of an offer's price"""
        self.sizes: dict[int, int] = {}
        self._rows: tuple[list[bytes], list[bytes]] = ([], [])
        self._joined: list[bytes | None] = [None, None]

    def put(self, key: int, size: int, prices: tuple[int, int]) -> None:
        """A level's size now, 0 for none; its price for YES and for NO."""
        keys = self.keys
        at = bisect_left(keys, key)
        known = key in self.sizes
        self._joined = [None, None]
        if not size:
            if known:
                del self.sizes[key], keys[at], self._rows[0][at], self._rows[1][at]
            return
        self.sizes[key] = size
        if not known:
            keys.insert(at, key)
        shown = size_text(size)
        for rows, price in zip(self._rows, prices, strict=True):
            row = f'{{"price":"{price_text(price)}","size":"{shown}"}}'.encode()
            if known:
                rows[at] = row
            else:
                rows.insert(at, row)

    def json(self, outcome: int) -> bytes:
        """The array's inside, in the terms of one token."""
        joined = self._joined[outcome]
        if joined is None:
            joined = self._joined[outcome] = b",".join(self._rows[outcome])
        return joined

    def best(self) -> int:
        """The key of the best level, 0 for none."""
        return self.keys[-1] if self.keys else 0


class Face:
    """A market's book for clients. ``at`` is when it changed last."""

    __slots__ = ("_ask", "_bid", "_hash", "_head", "_tail", "_tail_of", "at", "market")

    def __init__(self, market: Market, levels: Levels, at: int) -> None:
        self.market = market
        self.at = at
        self._bid, self._ask = _Side(), _Side()
        self._hash: list[str | None] = [None, None]
        self._tail: bytes = b""
        self._tail_of: tuple[int, int] = (-1, -1)
        listing = market.listing
        self._head = tuple(
            f'{{"market":"{listing.condition_id}","asset_id":"{token}","timestamp":"'.encode()
            for token in listing.tokens
        )
        for price, size in levels.bids:
            self.put(BUY, price, size)
        for price, size in levels.asks:
            self.put("SELL", price, size)

    def put(self, side: str, price: int, size: int) -> None:
        """What rests at a price of YES now."""
        other = PRICE_ONE - price
        self._hash = [None, None]
        if side == BUY:
            self._bid.put(price, size, (price, other))
        else:
            self._ask.put(other, size, (price, other))

    def moved(self, told: BookMoved) -> None:
        """Takes over a change."""
        self.at = told.at
        for change in told.changes:
            self.put(change.side, change.price, change.size)

    def touched(self, at: int) -> None:
        """Something that the book's JSON carries changed: tick or last trade."""
        self.at = at
        self._hash = [None, None]

    def best(self, outcome: int) -> tuple[int, int]:
        """The best bid and offer of a token; 0 and 10000 for none."""
        bid, ask = self._bid.best(), PRICE_ONE - self._ask.best()
        return (PRICE_ONE - ask, PRICE_ONE - bid) if outcome else (bid, ask)

    def sides(self, outcome: int) -> tuple[bytes, bytes]:
        """Bids ascending and asks descending, without the brackets."""
        if outcome:
            return self._ask.json(1), self._bid.json(1)
        return self._bid.json(0), self._ask.json(0)

    @property
    def last(self) -> str:
        """The last trade's price in the first outcome's terms, for both tokens; "" without one.

        UNSURE at the venue: that it is never in the token's own terms.
        """
        return price_text(self.market.last_price) if self.market.last_price else ""

    def hash(self, outcome: int) -> str:
        """SHA-1 of the book's own JSON with an empty hash.

        Source: order_utils of py-clob-client-v2 1.2.1; it reproduces the hash of a recorded book.
        """
        known = self._hash[outcome]
        if known is None or self._tail_of != (self.market.tick, self.market.last_price):
            known = hashlib.sha1(self._written(outcome, ""), usedforsecurity=False).hexdigest()
            self._hash[outcome] = known
        return known

    def json(self, outcome: int) -> bytes:
        """The book as ``/book`` answers it."""
        return self._written(outcome, self.hash(outcome))

    def event(self, outcome: int, *, first: bool) -> bytes:
        """The book as the market channel sends it; ``first`` for the one after subscribing.

        Source: keys and their presence as recorded by nautilus_trader's Polymarket adapter.
        """
        bids, asks = self.sides(outcome)
        more = ""
        if first:
            tick = price_text(self.market.tick)
            more = f',"tick_size":"{tick}","last_trade_price":"{self.last}"'
        return b"".join(
            (
                self._head[outcome],
                f'{ms(self.at)}","hash":"{self.hash(outcome)}","bids":['.encode(),
                bids,
                b'],"asks":[',
                asks,
                f'],"event_type":"book"{more}}}'.encode(),
            )
        )

    def _written(self, outcome: int, hash: str) -> bytes:
        market = self.market
        if self._tail_of != (market.tick, market.last_price):
            negative = "true" if market.listing.neg_risk else "false"
            self._tail_of = (market.tick, market.last_price)
            self._tail = (
                f'],"min_order_size":"{size_text(market.listing.min_size)}",'
                f'"tick_size":"{price_text(market.tick)}","neg_risk":{negative},'
                f'"last_trade_price":"{self.last}"}}'
            ).encode()
        bids, asks = self.sides(outcome)
        return b"".join(
            (
                self._head[outcome],
                f'{ms(self.at)}","hash":"{hash}","bids":['.encode(),
                bids,
                b'],"asks":[',
                asks,
                self._tail,
            )
        )


class Faces:
    """The books of all markets that anybody asked for."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._faces: dict[str, Face] = {}

    def of(self, market: Market) -> Face:
        """A market's book.

        One that nobody asked for before is read from the venue: what the venue told and nobody
        has heard yet is in it already, and putting it in again changes nothing.
        """
        face = self._faces.get(market.condition_id)
        if face is None:
            levels = self._venue.book(market.listing.tokens[0])
            face = self._faces[market.condition_id] = Face(market, levels, self._venue.now)
        return face

    def hear(self, one: Told) -> None:
        """Takes over something that happened, if it happened to a book that somebody asked for."""
        if isinstance(one, BookMoved):
            face = self._faces.get(one.condition_id)
            if face is not None:
                face.moved(one)
        elif isinstance(one, TickChanged):
            self._touched(one.condition_id, one.at)
        elif isinstance(one, TradeTold) and one.status == "MATCHED":
            self._touched(one.trade.condition_id, one.at)

    def _touched(self, condition_id: str, at: int) -> None:
        face = self._faces.get(condition_id)
        if face is not None:
            face.touched(at)

    def known(self, condition_id: str) -> Face | None:
        """A market's book if somebody asked for it."""
        return self._faces.get(condition_id)
