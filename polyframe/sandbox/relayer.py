"""The relayer, as far as a client asks it before it trades: which wallets are deployed."""

from __future__ import annotations

from typing import Final

from polyframe.errors import WireError
from polyframe.exchanges.polymarket.curve import address_bytes
from polyframe.sandbox.desk import Desk
from polyframe.sandbox.door import Asked, Room, Turned
from polyframe.sandbox.rows import Row

# Source: models/clob/relayer.py of polymarket-client 0.14.0.
KINDS: Final = {"", "WALLET", "PROXY", "SAFE"}


class Relayer:
    """The relayer's routes."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        room.add("GET", "/deployed", self._deployed)

    def _deployed(self, asked: Asked) -> Row:
        """Whether a wallet is on the chain: it was funded, or is a caller's own new deposit wallet.

        A client without a wallet of its own asks about the older kind of deposit wallet first and
        takes the newer one when that was never used. Where the venue would have the newer one
        deployed, for which a client needs a builder's key, it stands here as soon as its owner has
        an API key.
        """
        address, kind = asked.one("address").lower(), asked.one("type")
        try:
            address_bytes(address)
        except WireError as error:
            raise Turned(400, "invalid address") from error
        if kind not in KINDS:
            raise Turned(400, "invalid type")
        return {"deployed": address in self._desk.venue.accounts.wallets or self._own(address)}

    def _own(self, address: str) -> bool:
        """True for the newer deposit wallet of somebody who has an API key."""
        desk = self._desk
        return any(desk.wallets(key).deposit.lower() == address for key in desk.keys)
