"""One market's book while its WebSocket messages are read: in YES space, with its proofs."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

from polyframe.domain.market import Market
from polyframe.domain.units import Ns, to_units
from polyframe.errors import DataError
from polyframe.store.tape_amounts import MOST
from polyframe.store.tape_recording import AMOUNT, FINE
from polyframe.store.tape_snapshots import TICKS
from polyframe.store.tape_ws_messages import Amount, HashForm, Level

Sides: TypeAlias = tuple[dict[int, int], dict[int, int]]
"""Sizes by price: bids, asks."""


@lru_cache(maxsize=1 << 16)
def units(text: Amount, decimals: int) -> int:
    """The whole units of an amount; -1 where it is none or negative, -2 where it is too fine."""
    try:
        found = to_units(text, decimals)
    except DataError:
        return TOO_FINE if _amount(text) else NONE
    return found if 0 <= found < MOST else NONE


NONE, TOO_FINE = -1, -2


def _amount(text: Amount) -> bool:
    try:
        return 0 <= float(text) < MOST
    except ValueError:
        return False


def fault(price: int, size: int) -> str:
    """Why a price and a size of ``units`` are no amounts, empty where they are."""
    if NONE in (price, size):
        return AMOUNT
    return FINE if TOO_FINE in (price, size) else ""


class WsBook:
    """A market's levels and what is known of them."""

    def __init__(self, market: Market, instrument: int) -> None:
        self.market = market
        self.instrument = instrument
        self.one = market.price_one
        self.tick = market.tick
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self.trusted = False
        self.from_yes = False
        """a book of YES itself was seen: those of NO only prove it"""
        self.venue: Ns = 0
        """latest venue time of a change or book"""
        self.whole_at: Ns = 0
        """venue time of the last whole book"""
        self.last_trade: tuple[object, ...] = ()
        self.heads: dict[str, tuple[Amount, str]] = {}
        """by token: timestamp and hash of its last book"""
        self.proof: HashForm | None = None
        """the last book of YES whose hash was proved"""
        self.changes_prove = False
        """hashes of changes since that book were proved as well"""
        self.traded: Amount = ""

    def turned(self, no: bool, side: int, price: int) -> tuple[int, int]:
        """A side and price of a token in YES space."""
        return (-side, self.one - price) if no else (side, price)

    def forget(self) -> None:
        """Nothing is known any more until the next whole book."""
        self.trusted = False
        self.proof = None
        self.bids, self.asks = {}, {}

    def fill(self, sides: Sides, venue: Ns) -> None:
        """Takes a whole book over."""
        self.bids, self.asks = sides
        self.venue = self.whole_at = venue or self.venue
        self.trusted = True

    def rest(self, side: int, price: int, size: int) -> bool:
        """Writes what rests at a price now; False when that is what rested there."""
        levels = self.bids if side > 0 else self.asks
        if levels.get(price, 0) == size:
            return False
        if size:
            levels[price] = size
        else:
            del levels[price]
        return True

    @property
    def best(self) -> tuple[int, int]:
        """Best bid, 0 for none, and best ask, one for none."""
        return max(self.bids, default=0), min(self.asks, default=self.one)

    def retick(self, tick: int) -> bool:
        """Takes a new tick over; False when levels lose their place with it."""
        fits = self.tick % tick == 0
        self.tick = tick
        return fits

    def seen_tick(self, prices: list[int]) -> int:
        """The tick of a whole book with these prices; 0 when one price alone is off its tick."""
        off = [price for price in prices if price % self.tick]
        if not off:
            return self.tick
        if len(off) < 2:
            return 0
        fitting = (t for t in TICKS if self.tick % t == 0 and not any(p % t for p in off))
        return next(fitting, 0)

    def proved(self, asset: str, timestamp: Amount, hash: str) -> bool | None:
        """Whether a change's hash is that of this book; None when it cannot be computed.

        The tail of the hashed form is that of the last proved book. Nobody states whether its last
        trade is brought up to date, so both are tried, and only a book whose changes were proved
        before can fail.
        """
        proof = self.proof
        if proof is None or not hash:
            return None
        lists = [
            [Level(self.market.show_price(price), self.market.show_size(size))
             for price, size in sorted(levels.items(), reverse=down)]
            for levels, down in ((self.bids, False), (self.asks, True))
        ]  # fmt: skip
        for traded in (proof.last_trade_price, self.traded or proof.last_trade_price):
            form = HashForm(
                proof.market, asset, timestamp, "", lists[0], lists[1], proof.min_order_size,
                proof.tick_size, proof.neg_risk, traded,
            )  # fmt: skip
            if form.digest() == hash:
                self.changes_prove = True
                return True
        return False if self.changes_prove else None
