"""A sandbox that runs: `async with Sandbox(venue) as sandbox` gives it a port and the time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from socket import socket
from types import TracebackType
from typing import Self

from polyframe.sandbox.about import Describe, nothing_known
from polyframe.sandbox.chain import Chain
from polyframe.sandbox.clients import Urls
from polyframe.sandbox.clob.room import clob_room
from polyframe.sandbox.desk import Desk
from polyframe.sandbox.door import Room
from polyframe.sandbox.faults.engine import Faults
from polyframe.sandbox.faults.routes import FaultRoutes
from polyframe.sandbox.faults.stage import Stage
from polyframe.sandbox.keys import Keys
from polyframe.sandbox.pace import Pace
from polyframe.sandbox.relayer import Relayer
from polyframe.sandbox.server import App, Server
from polyframe.sandbox.sockets.market import MarketChannel
from polyframe.sandbox.sockets.user import UserChannel
from polyframe.sandbox.venue.venue import Venue


class Sandbox:
    """A venue with everything that stands around it.

    ``desk`` is what the rooms work with, ``pace`` the venue's clock, ``faults`` what goes wrong on
    command. Outside a block nothing answers and no time passes, and rooms can still be asked by
    hand. ``port`` may be a place that listens already, which is closed with the block. ``rooms``
    and ``apps`` are further doors by their prefix; more can be added to ``server`` before the block
    begins.
    """

    def __init__(
        self,
        venue: Venue | None = None,
        *,
        port: int | socket = 0,
        speed: float = 1.0,
        paused: bool = False,
        seed: int = 0,
        about: Describe = nothing_known,
        rooms: Mapping[str, Room] | None = None,
        apps: Mapping[str, App] | None = None,
    ) -> None:
        self.venue = Venue(now=time.time_ns()) if venue is None else venue
        self.pace = Pace(self.venue, speed=speed, paused=paused)
        self.desk = Desk(
            self.venue, Keys(seed), about=about, wall=time.time_ns, wait=self.pace.wait
        )
        self.market_channel = MarketChannel(self.desk)
        self.user_channel = UserChannel(self.desk)
        self.desk.listeners += [self.market_channel.hear, self.user_channel.hear]
        chain, relayer, rpc, debug = Chain(self.desk), Room(), Room(), Room()
        Relayer(self.desk, chain).enter(relayer)
        chain.enter(rpc)
        self.server = Server(
            self.desk,
            self.pace,
            rooms={
                "clob": clob_room(self.desk),
                "relayer": relayer,
                "rpc": rpc,
                "debug": debug,
                **(rooms or {}),
            },
            channels={"/ws/market": self.market_channel, "/ws/user": self.user_channel},
            apps=apps,
        )
        stage = Stage(self.desk, self.pace, self.market_channel, self.user_channel)
        self.faults = Faults(stage, self.server)
        FaultRoutes(self.faults).enter(self.server.rooms["debug"])
        self._wanted = port
        self._port: int | None = None
        self._stack = AsyncExitStack()
        self._driver: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port it listens on; 0 while it does not."""
        return self._port or 0

    @property
    def urls(self) -> Urls:
        """Where its doors are."""
        return Urls(f"http://127.0.0.1:{self.port}")

    async def __aenter__(self) -> Self:
        """Listens, and lets the venue's time pass.

        Raises:
            UserError: the port is taken.
        """
        from polyframe.sandbox.wires import bound, served  # noqa: PLC0415 - uvicorn is an option

        place = bound(self._wanted) if isinstance(self._wanted, int) else self._wanted
        async with AsyncExitStack() as stack:
            stack.callback(place.close)
            self._port = int(place.getsockname()[1])
            if not self.pace.paused:
                self.pace.resume()
            await stack.enter_async_context(served(self.server, place))
            self._driver = asyncio.create_task(self._drive())
            stack.push_async_callback(self._stop, self._driver)
            stack.push_async_callback(self._leave)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes every socket and gives the port back."""
        await self._stack.aclose()
        self._port = None

    async def forever(self) -> None:
        """Waits while the venue's time passes; it ends with whatever went wrong there."""
        if self._driver is not None:
            await asyncio.shield(self._driver)

    def step(self, by: int) -> None:
        """Moves the venue's time by some ns and passes on what happened, paused or not."""
        self.pace.step(by)
        self.desk.hear()

    def settle(self) -> None:
        """Passes on what was done to the venue directly."""
        self.desk.hear()

    async def _leave(self) -> None:
        self.faults.close()
        await asyncio.gather(self.market_channel.leave(), self.user_channel.leave())

    async def _drive(self) -> None:
        """Time, as it passes outside."""
        while True:
            self.server.settle()
            await asyncio.sleep(self.pace.pause_between())

    async def _stop(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
