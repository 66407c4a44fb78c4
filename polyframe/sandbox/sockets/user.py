"""The user channel: what becomes of a key's orders and trades.

Source: docs.polymarket.com/developers/CLOB/websocket/user-channel and messages recorded by
nautilus_trader's Polymarket adapter.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Any

from polyframe.sandbox.desk import Desk
from polyframe.sandbox.door import encode
from polyframe.sandbox.rows import Row, order_event, trade_event
from polyframe.sandbox.sockets.channel import Channel, texts
from polyframe.sandbox.sockets.line import Line
from polyframe.sandbox.venue.records import OrderTold, Told, TradeTold


@dataclass(slots=True)
class _Watch:
    """What one line has subscribed to: a key, and markets or all of them."""

    key: str
    markets: set[str] = field(default_factory=set)
    all: bool = False
    lost: bool = False
    """whose it is has been forgotten, which only a new connection can say again"""


class UserChannel(Channel):
    """``/ws/user``."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._watches: dict[Line, _Watch] = {}
        self._of_key: dict[str, set[Line]] = {}

    def begin(self, line: Line, said: dict[str, Any]) -> bool:
        """Subscribes a new line, if it has a key's secrets."""
        key = self._key(said.get("auth"))
        markets = texts(said.get("markets") or [])
        if str(said.get("type", "")).lower() != "user" or key is None or markets is None:
            return False
        wanted = {market.lower() for market in markets}
        self._watches[line] = _Watch(key, wanted, all=not wanted)
        self._of_key.setdefault(key, set()).add(line)
        return True

    def change(self, line: Line, said: dict[str, Any]) -> bool:
        """Adds to or takes from the markets that a line has subscribed to."""
        markets = texts(said.get("markets"))
        operation = said.get("operation")
        if markets is None or operation not in {"subscribe", "unsubscribe"}:
            return False
        watch = self._watches[line]
        wanted = {market.lower() for market in markets}
        if operation == "subscribe":
            # UNSURE at the venue: that a line for all markets stays one for all.
            watch.markets |= wanted
        else:
            watch.markets -= wanted
        return True

    def end(self, line: Line) -> None:
        """Forgets a line."""
        watch = self._watches.pop(line, None)
        if watch is not None:
            lines = self._of_key[watch.key]
            lines.discard(line)
            if not lines:
                del self._of_key[watch.key]

    def forget(self, line: Line) -> None:
        """Loses whose line it is."""
        watch = self._watches.get(line)
        if watch is not None:
            watch.lost = True

    def key_of(self, line: Line) -> str:
        """The API key that a line subscribed with; "" before it has."""
        watch = self._watches.get(line)
        return watch.key if watch is not None else ""

    def hear(self, told: Told) -> None:
        """Passes on what happened to the keys that it concerns."""
        if not self._of_key:
            return
        if isinstance(told, OrderTold):
            if told.owner in self._of_key:
                listing = self._desk.venue.markets[told.condition_id].listing
                row = order_event(told, listing.outcomes[told.outcome])
                self._tell(told.owner, told.condition_id, row)
        elif isinstance(told, TradeTold):
            trade = told.trade
            market = self._desk.venue.markets[trade.condition_id]
            owners = dict.fromkeys((trade.owner, *(fill.owner for fill in trade.makers)))
            for owner in owners:
                if owner in self._of_key:
                    row = trade_event(trade, market, told.status, told.at, owner=owner)
                    self._tell(owner, trade.condition_id, row)

    def _tell(self, key: str, condition_id: str, row: Row) -> None:
        event = encode(row)
        for line in list(self._of_key[key]):
            watch = self._watches[line]
            if not watch.lost and (watch.all or condition_id in watch.markets):
                line.put(event)

    def _key(self, auth: object) -> str | None:
        """The key whose name, secret and passphrase were given."""
        if not isinstance(auth, dict):
            return None
        name, secret, passphrase = (auth.get(part) for part in ("apiKey", "secret", "passphrase"))
        if not (isinstance(name, str) and isinstance(secret, str) and isinstance(passphrase, str)):
            return None
        key = self._desk.keys.named(name)
        if key is None:
            return None
        right = hmac.compare_digest(key.secret.encode(), secret.encode())
        right &= hmac.compare_digest(key.passphrase.encode(), passphrase.encode())
        return key.key if right else None
