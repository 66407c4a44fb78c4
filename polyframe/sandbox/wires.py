"""The sandbox on a real port: uvicorn inside the caller's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import uvicorn
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


class _Socket(WebSocketsSansIOProtocol):
    """uvicorn's socket with one door more: an application may cut a connection.

    A close waits until the peer has read all that was written, which one that never reads does not.
    """

    def handle_connect(self, event: Request) -> None:
        """Offers the cut to the application that is about to be called."""
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)
        if scope is not None:
            scope["extensions"]["polyframe.abort"] = self.transport.abort

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
    """A listening place on the loopback; port 0 is any free one.

    Raises:
        UserError: somebody else has the port.
    """
    # By its protocol asyncio knows that it may turn Nagle's algorithm off, without which an answer
    # of two writes waits 40 ms for the client's acknowledgement.
    place = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((HOST, port))
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
