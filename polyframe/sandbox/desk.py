"""What every room of the sandbox works with, and how it knows who is asking."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from polyframe.domain.units import SECOND
from polyframe.errors import WireError
from polyframe.exchanges.polymarket.auth import call_signed, wallet_signed
from polyframe.exchanges.polymarket.wallet import Wallets, wallets_of
from polyframe.sandbox.about import Describe, nothing_known
from polyframe.sandbox.door import Asked, Turned
from polyframe.sandbox.faces import Faces
from polyframe.sandbox.keys import Keys
from polyframe.sandbox.notices import Notices
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import ApiKey, SignedOrder, Told
from polyframe.sandbox.venue.venue import Venue

# How far a caller's clock may be from the venue's.
# UNSURE at the venue: it refuses old timestamps, how old is not documented.
CLOCK_TOLERANCE: Final = 60 * SECOND
NO_BOOK: Final = "No orderbook exists for the requested token id"


async def _at_once(at: int) -> None:
    """A wait for a venue that nobody drives: its answers are known when it is asked."""


@dataclass(slots=True)
class Desk:
    """The venue and what stands around it.

    ``wall`` is the time outside, which a caller's clock may show instead of the venue's when the
    venue's runs faster. ``wait`` waits until the venue's time has come.
    """

    venue: Venue
    keys: Keys = field(default_factory=Keys)
    about: Describe = nothing_known
    wall: Callable[[], int] | None = None
    wait: Callable[[int], Awaitable[None]] = _at_once
    builder_fees: dict[str, tuple[int, int]] = field(default_factory=dict)
    """maker's and taker's basis points by builder code"""
    listeners: list[Callable[[Told], None]] = field(default_factory=list)
    skew: int = 0
    """ns by which the clock that judges timestamps is wrong"""
    _used: dict[str, str] = field(default_factory=dict)
    """by a key's address, the deposit wallet that its last order came from"""
    notices: Notices = field(init=False)
    faces: Faces = field(init=False)

    def __post_init__(self) -> None:
        self.faces = Faces(self.venue)
        self.notices = Notices(self.venue, self.about, self.keys)

    def hear(self) -> None:
        """Passes on what happened since the last time, in order: books first, then listeners."""
        told = self.venue.drain()
        for one in told:
            self.faces.hear(one)
            self.notices.hear(one)
            for listen in self.listeners:
                listen(one)

    def timely(self, timestamp: str) -> bool:
        """True for a time in seconds that is near the venue's or the outside's."""
        if not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > 12:
            return False
        at = int(timestamp) * SECOND - self.skew
        if abs(at - self.venue.now) <= CLOCK_TOLERANCE:
            return True
        return self.wall is not None and abs(at - self.wall()) <= CLOCK_TOLERANCE

    def wallet_caller(self, asked: Asked) -> tuple[str, int]:
        """The address and the nonce of a call that a wallet signed (L1).

        Raises:
            Turned: headers are missing, wrong or old.
        """
        address, signature, timestamp, nonce = (
            asked.header(name)
            for name in ("POLY_ADDRESS", "POLY_SIGNATURE", "POLY_TIMESTAMP", "POLY_NONCE")
        )
        number = nonce or "0"
        if number.isascii() and number.isdigit() and len(number) < 80 and self.timely(timestamp):
            try:
                if wallet_signed(
                    address, timestamp, int(number), signature, chain_id=self.venue.chain_id
                ):
                    return address, int(number)
            except WireError:
                pass
        raise Turned(401, "Invalid L1 Request headers")

    def caller(self, asked: Asked, *, reads: bool = False) -> ApiKey:
        """The key of a private call (L2); ``reads`` lets read-only keys through.

        Raises:
            Turned: headers are missing, wrong or old, or the key may not do this.
        """
        address, name, passphrase, timestamp, signature = (
            asked.header(name)
            for name in (
                "POLY_ADDRESS",
                "POLY_API_KEY",
                "POLY_PASSPHRASE",
                "POLY_TIMESTAMP",
                "POLY_SIGNATURE",
            )
        )
        key = self.keys.named(name)
        if (
            key is None
            or key.address.lower() != address.lower()
            or not hmac.compare_digest(key.passphrase.encode(), passphrase.encode())
            or not self.timely(timestamp)
            or (key.readonly and not reads)
            or not call_signed(
                key.secret, timestamp, asked.method, asked.path, asked.body, signature
            )
        ):
            raise Turned(401, "Unauthorized/Invalid api key")
        return key

    def wallets(self, key: ApiKey) -> Wallets:
        """The wallets of the key's owner."""
        return wallets_of(key.address, self.venue.chain_id)

    def placed(self, key: ApiKey, order: SignedOrder) -> None:
        """Remembers from which of its deposit wallets a key's owner sent an order."""
        if order.signature_type == 3 and self.wallets(key).kind(order.maker) is not None:
            self._used[key.address.lower()] = order.maker

    def wallet(self, key: ApiKey, signature_type: int) -> str:
        """The wallet that a key's owner means by a signature type.

        A session key means the wallet that let it in. Of the two deposit wallets it is the one that
        the owner's last order came from, else one that has something, else the newer.
        """
        wallets = self.wallets(key)
        if signature_type == 1:
            return wallets.proxy
        if signature_type == 2:
            return wallets.safe
        if signature_type != 3:
            return wallets.owner
        served = self.keys.served_by(key.address, self.venue.now)
        found = served or self._used.get(key.address.lower())
        if found is not None:
            return found
        for each in (wallets.deposit, wallets.deposit_first):
            known = self.venue.accounts.wallets.get(each.lower())
            if known is not None and (known.money or known.shares):
                return each
        return wallets.deposit

    def meant(self, asked: Asked, key: ApiKey) -> str:
        """The wallet that a call means by its ``signature_type``; the owner's own without one.

        Raises:
            Turned: 400, there is no such type.
        """
        signature_type = asked.number("signature_type", 0)
        if signature_type is None or not 0 <= signature_type <= 3:
            raise Turned(400, "Invalid signature_type")
        return self.wallet(key, signature_type)

    def market(self, condition_id: str) -> Market:
        """A market by its condition.

        Raises:
            Turned: 404, there is none.
        """
        found = self.venue.markets.get(condition_id.lower())
        if found is None:
            raise Turned(404, "market not found")
        return found

    def token(self, token_id: str, *, text: str = NO_BOOK) -> tuple[Market, int]:
        """A token's market and its place in it.

        Raises:
            Turned: 400 for what is no token id, 404 for one that nobody knows.
        """
        if not (token_id.isascii() and token_id.isdigit()) or len(token_id) > 78:
            raise Turned(400, "Invalid token id")
        found = self.venue.tokens.get(token_id)
        if found is None:
            raise Turned(404, text)
        return found
