"""Messages of Polymarket's market channel as they are written."""

from __future__ import annotations

import hashlib
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

import msgspec

from polyframe.domain.units import Ns
from polyframe.store.tape_times import moment

Amount: TypeAlias = str | int | float


USED = ("book", "price_change", "last_trade_price", "tick_size_change")


class Level(msgspec.Struct, gc=False):
    """What rests at one price of a token, as the venue writes it."""

    price: Amount
    size: Amount


class HashForm(msgspec.Struct, gc=False):
    """What a book's hash is the SHA-1 of, as compact JSON.

    Source: the venue's clients, proved on a recorded answer of its book endpoint.
    """

    market: str
    asset_id: str
    timestamp: Amount
    hash: str
    bids: list[Level]
    asks: list[Level]
    min_order_size: Amount
    tick_size: Amount
    neg_risk: bool
    last_trade_price: Amount

    def digest(self) -> str:
        """The hash in hex."""
        return hashlib.sha1(msgspec.json.encode(self), usedforsecurity=False).hexdigest()


class Change(msgspec.Struct, gc=False):
    """One level of a ``price_change``; the old form leaves the token to the message."""

    price: Amount
    size: Amount
    side: str
    asset_id: str = ""
    hash: str = ""
    best_bid: Amount = ""
    best_ask: Amount = ""


class Message(msgspec.Struct):
    """The fields of all messages that are used, and those of a recorder's wrapper."""

    event_type: str = ""
    market: str = ""
    asset_id: str = ""
    timestamp: Amount = ""
    hash: str = ""
    bids: list[Level] | None = None
    asks: list[Level] | None = None
    price_changes: list[Change] | None = None
    changes: list[Change] | None = None
    price: Amount = ""
    size: Amount = ""
    side: str = ""
    best_bid: Amount = ""
    best_ask: Amount = ""
    transaction_hash: str = ""
    min_order_size: Amount | None = None
    tick_size: Amount | None = None
    neg_risk: bool | None = None
    last_trade_price: Amount | None = None
    new_tick_size: Amount = ""
    msg: msgspec.Raw = msgspec.Raw()
    recv: Decimal | None = None
    recv_ms: Decimal | None = None
    recv_ns: Decimal | None = None

    @property
    def used(self) -> bool:
        """Whether rows of a tape are made of it."""
        return self.event_type in USED or (not self.event_type and self.bids is not None)

    @property
    def venue(self) -> Ns:
        """When the venue says that it happened, 0 where it does not.

        Raises:
            DataError: it is no time of these decades.
        """
        stated = self.timestamp
        try:
            whole = int(stated) if isinstance(stated, str) else Decimal(repr(stated))
        except ValueError:
            try:
                whole = Decimal(stated)
            except InvalidOperation:
                return 0
        return moment("timestamp", whole, "ms") if whole else 0

    @property
    def known(self) -> Ns:
        """When the recorder had it, 0 where it does not say.

        Raises:
            DataError: it is no time of these decades.
        """
        if self.recv_ns:
            return moment("recv_ns", self.recv_ns, "ns")
        if self.recv_ms:
            return moment("recv_ms", self.recv_ms, "ms")
        if not self.recv:
            return 0
        # A bare time is told by its size: of today, ns have 19 digits, us 16, ms 13 and s 10.
        return moment("recv", self.recv, _UNIT.get(self.recv.adjusted(), "s"))


_UNIT = {9: "s", 12: "ms", 15: "us", 18: "ns"}
"""The unit of a time whose first digit has this place."""
