"""The sandbox on a real port: uvicorn inside the caller's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from polyframe.errors import UserError

App = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]

HOST = "127.0.0.1"
# Seconds that what is written may take to be read when the server ends.
LEAVE_WITHIN = 0.5


# The other side of a connection that is closed like this reads an error, not an end.
# Source: socket(7), SO_LINGER with a time of 0.
_AT_ONCE = struct.pack("ii", 1, 0)


class _Http(HttpToolsProtocol):
    """uvicorn's connection with one door more: an application may end it without an answer."""

    def on_message_begin(self) -> None:
        """Offers the cut to the application that is about to be called."""
        super().on_message_begin()
        scope: Any = self.scope
        scope["extensions"] = {"polyframe.cut": self._cut}

    def _cut(self, reset: bool) -> None:
        if reset:
            place: socket.socket | None = self.transport.get_extra_info("socket")
            if place is not None:
                place.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()


class _Socket(WebSocketsSansIOProtocol):
    """uvicorn's socket with two doors more: an application may cut a connection, or let it hang.

    A close waits until the peer has read all that was written, which one that never reads does not.
    One that hangs stays open, but nothing that the peer sends is read, its pings neither.
    """

    def handle_connect(self, event: Request) -> None:
        """Offers both to the application that is about to be called."""
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)
        if scope is not None:
            scope["extensions"]["polyframe.abort"] = self.transport.abort
            scope["extensions"]["polyframe.hang"] = self._hang

    async def send(self, message: Any) -> None:
        """Sends what the application says; a handshake that it refuses is over then."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True

    def _hang(self) -> None:
        self.stop_keepalive()
        self.transport.pause_reading()
        self.read_paused = False  # or taking what has been read would read on

    def shutdown(self) -> None:
        """Ends a connection with the server; one whose peer does not read is cut in the end."""
        super().shutdown()
        self.loop.call_later(LEAVE_WITHIN, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """A peer that answers no ping is gone."""
        super().keepalive_timeout()
        self.transport.abort()


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process belongs to whoever runs the loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the process's signals alone."""
        yield


def bound(port: int) -> socket.socket:
    """A place on the loopback that listens; port 0 is any free one.

    Who calls before it is served waits. A port that nobody listens on yet could be taken twice.

    Raises:
        UserError: somebody else has the port.
    """
    # By its protocol asyncio knows that it may turn Nagle's algorithm off, without which an answer
    # of two writes waits 40 ms for the client's acknowledgement.
    place = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((HOST, port))
        place.listen()
    except (OSError, OverflowError) as error:
        place.close()
        raise UserError(
            f"port {port} cannot be used: {error}",
            expected="a free port from 1024 to 65535, or 0 for any",
            hint="polyframe sandbox --port 0",
        ) from error
    place.setblocking(False)
    return place


@contextlib.asynccontextmanager
async def served(app: App, place: socket.socket) -> AsyncIterator[None]:
    """Serves an application until the block ends; it takes requests when the block begins."""
    config = uvicorn.Config(
        app,
        http=_Http,
        ws=_Socket,
        ws_max_size=1 << 20,
        ws_per_message_deflate=False,
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=65,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[place]))
    while not server.started and not task.done():
        await asyncio.sleep(0.001)
    try:
        yield
    finally:
        server.should_exit = True
        await task
