"""Somebody with a key who signs and sends by hand, and sees everything that comes back."""

from __future__ import annotations

import itertools
import time
from typing import Any

import httpx
from sandbox_stall import key_of, wallets

from polyframe.exchanges.polymarket.auth import Credentials, call_headers
from polyframe.exchanges.polymarket.contracts import AMOY
from polyframe.exchanges.polymarket.curve import address_bytes
from polyframe.exchanges.polymarket.signing import OrderFields, domain_of, order_id, sign_order
from polyframe.sandbox.door import encode
from polyframe.sandbox.running import Sandbox

_salts = itertools.count(1)


class Trader:
    """A key's owner, trading from its own wallet."""

    def __init__(self, sandbox: Sandbox, number: int, http: httpx.AsyncClient) -> None:
        self.number, self.http, self.sandbox = number, http, sandbox
        self.address = wallets(number).owner
        keys = sandbox.desk.keys
        made = keys.create(self.address, 0, sandbox.venue.now) or keys.derive(self.address, 0)
        assert made is not None
        self.key = made.key
        self.credentials = Credentials(made.key, made.secret, made.passphrase)

    async def call(
        self,
        method: str,
        path: str,
        said: Any = None,
        *,
        skew: int = 0,
        headers: dict[str, Any] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """A private call; ``said`` goes as JSON, bytes go as they are."""
        body = said if isinstance(said, bytes) else b"" if said is None else encode(said)
        at = int(time.time()) + skew
        signed = path.partition("?")[0]
        own: dict[str, Any] = {
            **call_headers(self.credentials, self.address, at, method, signed, body)
        }
        if body:
            own["Content-Type"] = "application/json"
        own |= headers or {}
        return await self.http.request(method, "/clob" + path, content=body, headers=own, **more)

    def order(
        self, token: str, side: str, cents: int, size: int, kind: str = "GTC", *, post: bool = False
    ) -> tuple[str, dict[str, Any]]:
        """A signed order and its id."""
        maker, salt = address_bytes(self.address), next(_salts)
        money, shares = cents * size * 10_000, size * 10**6
        amounts = (money, shares) if side == "BUY" else (shares, money)
        fields = OrderFields(
            salt, maker, maker, int(token), *amounts, side == "SELL", 0, 1_790_000_000_000
        )
        market, _ = self.sandbox.venue.tokens[token]
        domain = domain_of(AMOY, int(token), neg_risk=market.listing.neg_risk)
        sent = {
            "salt": salt,
            "maker": self.address,
            "signer": self.address,
            "tokenId": token,
            "makerAmount": str(amounts[0]),
            "takerAmount": str(amounts[1]),
            "side": side,
            "expiration": "0",
            "signatureType": 0,
            "timestamp": "1790000000000",
            "metadata": "0x" + "0" * 64,
            "builder": "0x" + "0" * 64,
            "signature": sign_order(fields, domain, key_of(self.number)),
        }
        posted = {"order": sent, "owner": self.key, "orderType": kind, "postOnly": post}
        return order_id(fields, domain), posted

    async def place(
        self, token: str, side: str, cents: int, size: int, kind: str = "GTC", **more: Any
    ) -> httpx.Response:
        """The answer to an order."""
        return await self.call(
            "POST", "/order", self.order(token, side, cents, size, kind, **more)[1]
        )
