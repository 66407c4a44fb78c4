"""One socket: what waits to be sent, how it is put into frames, and when its reader is too slow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from typing import Any, Final

# Clients close a socket that sends them a greater frame. Source: websockets, its default max_size.
MOST_FRAME: Final = 1 << 20
# What may wait for one reader before it is dropped.
MOST_WAITING: Final = 16 << 20
# Source: RFC 6455, 7.4.1, for a server that goes down.
GOING_AWAY: Final = 1001

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Around = Callable[["Line", bytes], Iterable[bytes]]


class Whole(bytes):
    """A frame that is sent as it is, beside events that are put together."""

    __slots__ = ()


class Line:
    """A socket's outgoing side.

    Events are put in from anywhere and never wait; a task of its own sends them. What came together
    goes in one frame: one event by itself, several as an array. An event is encoded once, however
    many lines carry it.
    """

    __slots__ = (
        "_abort",
        "_hang",
        "_leaving",
        "_limit",
        "_size",
        "_waiting",
        "_wake",
        "around",
        "closed",
        "ended",
        "frame_limit",
        "hung",
        "number",
        "send",
    )

    def __init__(
        self,
        send: Send,
        abort: Callable[[], None],
        *,
        hang: Callable[[], None] | None = None,
        most_waiting: int = MOST_WAITING,
        frame_limit: int = MOST_FRAME,
        number: int = 0,
    ) -> None:
        self.send = send
        self.number = number
        """its place among all that its channel ever had"""
        self.closed = False
        self.hung = False
        """it is open and nothing passes in either direction"""
        self.ended = asyncio.Event()
        """nobody serves it any more"""
        self.around: Around | None = None
        """what an event becomes on its way out: itself, nothing, several; faults stand there"""
        self.frame_limit = frame_limit
        self._limit = most_waiting
        self._abort = abort
        self._hang = hang
        self._leaving = False
        self._waiting: list[bytes] = []
        self._size = 0
        self._wake = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Bytes that wait to be sent."""
        return self._size

    def put(self, event: bytes) -> None:
        """Sends an event, or what ``around`` makes of it."""
        if self.around is None:
            self.send_on(event)
            return
        for each in self.around(self, event):
            self.send_on(each)

    def send_on(self, event: bytes) -> None:
        """Sends an event as it is; drops the line when its reader has fallen too far behind."""
        if self.closed or self.hung:
            return
        self._waiting.append(event)
        self._size += len(event)
        self._wake.set()
        if self._size > self._limit:
            self.drop()

    def drop(self) -> None:
        """Cuts the connection without a word: a reader that does not read hears nothing anyway."""
        self.closed = True
        self._waiting.clear()
        self._wake.set()
        self._abort()

    def leave(self) -> None:
        """Closes the connection behind what waits to be sent, as a server does that goes down."""
        if self.hung:
            self.drop()
        self._leaving = True
        self._wake.set()

    def hang(self) -> None:
        """Leaves the connection open, and neither sends nor reads any more."""
        self.hung = True
        self._waiting.clear()
        self._size = 0
        if self._hang is not None:
            self._hang()

    async def run(self) -> None:
        """Sends what is put in, until the line is closed."""
        while not self.closed:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting and not self.closed:
                taken, self._waiting = self._waiting, []
                for frame, size in framed(taken, self.frame_limit):
                    await self.send({"type": "websocket.send", "text": frame.decode()})
                    self._size -= size
            if self._leaving and not self.closed:
                self.closed = True
                await self.send({"type": "websocket.close", "code": GOING_AWAY})


def framed(events: list[bytes], limit: int) -> Iterator[tuple[bytes, int]]:
    """Frames of events, each shorter than the limit, and how many bytes of events are in each."""
    group: list[bytes] = []
    size = 0
    for event in events:
        if isinstance(event, Whole):
            if group:
                yield _joined(group), size
                group, size = [], 0
            yield event, len(event)
            continue
        # Commas and brackets count as well.
        if group and size + len(group) + len(event) + 2 >= limit:
            yield _joined(group), size
            group, size = [], 0
        group.append(event)
        size += len(event)
    if group:
        yield _joined(group), size


def _joined(group: list[bytes]) -> bytes:
    return group[0] if len(group) == 1 else b"[" + b",".join(group) + b"]"


def array(events: list[bytes], limit: int = MOST_FRAME) -> Iterator[Whole]:
    """Arrays of events for what is always sent as one, such as the books after subscribing."""
    group: list[bytes] = []
    size = 0
    for event in events:
        if group and size + len(group) + len(event) + 2 >= limit:
            yield Whole(b"[" + b",".join(group) + b"]")
            group, size = [], 0
        group.append(event)
        size += len(event)
    yield Whole(b"[" + b",".join(group) + b"]")
