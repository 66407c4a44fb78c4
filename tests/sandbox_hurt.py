"""A sandbox with traders that tests hurt on purpose, and make whole again."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from sandbox_stall import key_of, stall, wallets
from sandbox_trader import Trader

from polyframe.sandbox.clients import environment
from polyframe.sandbox.faults import install, read
from polyframe.sandbox.running import Sandbox

SECOND = 10**9


class Hurt:
    """A sandbox and its faults."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.venue = sandbox, sandbox.venue
        self.markets = list(self.venue.markets.values())
        self.yes, self.no = self.markets[0].listing.tokens

    def hurt(self, *faults: dict[str, Any], seed: int = 0) -> list[str]:
        return install(self.sandbox, read({"seed": seed, "faults": list(faults)}))

    def struck(self) -> list[str]:
        """What the faults did, oldest first."""
        return [each.what for each in reversed(self.sandbox.faults.injections(999))]

    def later(self, seconds: float) -> None:
        self.sandbox.step(int(seconds * SECOND))

    def heal(self) -> None:
        """Nothing is wrong any more, and nothing is remembered of it."""
        self.sandbox.faults.clear()
        self.sandbox.faults.stage.log.clear()


class HurtTown(Hurt):
    """One whose time moves when it is told to, with three traders, and somebody who only looks."""

    def __init__(self, sandbox: Sandbox, http: httpx.AsyncClient) -> None:
        super().__init__(sandbox)
        self.http = http
        self.traders = [Trader(sandbox, number, http) for number in range(3)]
        self.ann, self.bob, self.cem = self.traders

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(path)

    async def trade(self, cents: int = 50, size: int = 10) -> None:
        """Ann sells to Bob."""
        await self.ann.place(self.yes, "SELL", cents, size)
        answer = await self.bob.place(self.yes, "BUY", cents, size)
        assert answer.json()["status"] == "matched", answer.text

    async def client(self) -> Any:
        """A third trader's polymarket-client, where that is installed."""
        polymarket = pytest.importorskip("polymarket", reason="polymarket-client is not installed")
        return await polymarket.AsyncSecureClient.create(
            private_key="0x" + key_of(2).hex(),
            wallet=self.cem.address,
            environment=environment(self.sandbox.urls),
        )

    async def calm(self) -> None:
        """Nothing is wrong any more, nothing rests, and no money is missing."""
        self.heal()
        assert (await self.get("/clob/ok")).json() == "OK"
        for trader in self.traders:
            assert (await trader.call("DELETE", "/cancel-all")).status_code == 200
        self.later(10)
        assert self.venue.audit(full=True).exact


@asynccontextmanager
async def hurt_town(delay: int = 0) -> AsyncIterator[HurtTown]:
    """The town; a match takes so many ns from each step of its settlement to the next."""
    venue, markets = stall(
        now=time.time_ns(), mined_after=delay, confirmed_after=delay, retry_after=delay, jitter=0
    )
    async with Sandbox(venue, paused=True) as sandbox:
        for number in range(3):
            venue.fund(wallets(number).owner, 10**10)
            for market in markets:
                venue.split(wallets(number).owner, market.condition_id, 10**9)
        async with httpx.AsyncClient(base_url=sandbox.urls.base, trust_env=False) as http:
            yield HurtTown(sandbox, http)
        assert venue.audit(full=True).exact
