"""Faults of traders: banned, or allowed to close positions only."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from typing import ClassVar, Final, Literal

from polyframe.errors import WireError
from polyframe.exchanges.polymarket.wallet import wallets_of
from polyframe.sandbox.door import Asked, Reply
from polyframe.sandbox.faults.fault import Fault, where
from polyframe.sandbox.faults.stage import Run
from polyframe.sandbox.faults.target import People
from polyframe.sandbox.server import Go
from polyframe.sandbox.venue.accounts import Wallet


class Barred(Fault):
    """Some traders may not trade as they like. Without a target it is all who have a key."""

    serves: ClassVar[bool] = True
    rolls: ClassVar[bool] = True
    flag: ClassVar[str]
    text: ClassVar[str]

    target: People = People()

    def begin(self, run: Run) -> None:
        """Marks the wallets of those who are known; the others when they come."""
        run.memo["marked"] = {}
        for key in run.stage.desk.keys:
            self._mark(run, key.key, key.address)

    def end(self, run: Run) -> None:
        """Takes the marks away."""
        for wallet in run.memo.pop("marked", {}).values():
            setattr(wallet, self.flag, False)

    def meant(self, run: Run, prefix: str, asked: Asked) -> bool:
        """Whether it has a part in a request."""
        return prefix == "clob" and bool(asked.header("POLY_ADDRESS"))

    async def serve(self, run: Run, prefix: str, asked: Asked, go: Go) -> Reply:
        """Marks whoever asks, and enters refusals into the record."""
        self._mark(run, asked.header("POLY_API_KEY"), asked.header("POLY_ADDRESS"))
        reply = await go()
        if self.text.encode() in reply.body:
            run.note(f"{where(prefix, asked)} {self.text}")
        return reply

    def _mark(self, run: Run, key: str, address: str) -> None:
        """Marks the wallets that are named, and all of an owner who is."""
        picks, chain = run.picks, run.stage.desk.venue.chain_id
        wanted = set(picks.wallets)
        if (not picks.keys and not wanted) or key in picks.keys or address.lower() in wanted:
            # Of what is no address the venue itself will say so.
            with suppress(WireError):
                owned = wallets_of(address, chain)
                wanted.update(each.lower() for each in dataclasses.astuple(owned))
        known = run.stage.desk.venue.accounts.wallets
        marked: dict[str, Wallet] = run.memo["marked"]
        for each in wanted - marked.keys():
            wallet = known.get(each)
            if wallet is not None and not getattr(wallet, self.flag):
                setattr(wallet, self.flag, True)
                marked[each] = wallet


class ClosedOnly(Barred):
    """Traders may close positions and open none."""

    flag: ClassVar[str] = "closed_only"
    text: ClassVar[str] = "address in closed only mode"
    fault: Literal["closed_only"] = "closed_only"


class Banned(Barred):
    """Traders may not trade at all."""

    flag: ClassVar[str] = "banned"
    text: ClassVar[str] = "address banned"
    fault: Literal["banned"] = "banned"


KINDS: Final = (ClosedOnly, Banned)
