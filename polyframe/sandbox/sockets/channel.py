"""What both channels share: the handshake, PING and PONG, and the end of a connection."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, Final

import msgspec

from polyframe.sandbox.sockets.line import MOST_FRAME, MOST_WAITING, Around, Line, Send, Whole

# A client that says nothing for this long after connecting is sent away.
# UNSURE at the venue: "within a few seconds".
SUBSCRIBE_WITHIN: Final = 15.0
# How long all together have to take what is still on its way when the sandbox ends.
LEAVE_WITHIN: Final = 0.5
PONG: Final = Whole(b"PONG")
# UNSURE at the venue: that this is its answer to everything it does not understand.
NOT_UNDERSTOOD: Final = Whole(b"INVALID OPERATION")
POLICY: Final = 1008
INVALID: Final = "invalid subscription payload"

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Channel:
    """A kind of socket. A subclass says what a subscription is."""

    def __init__(self) -> None:
        self.lines: dict[Line, None] = {}
        """the open ones, in the order in which they came"""
        self._count = 0
        self.most_waiting = MOST_WAITING
        self.frame_limit = MOST_FRAME
        self.around: Around | None = None
        """given to every line that connects from now on"""
        self.admit: Callable[[], int] | None = None
        """the HTTP status with which a handshake is refused; 0 for none"""

    @abstractmethod
    def begin(self, line: Line, said: dict[str, Any]) -> bool:
        """Takes a line's first message; False when it is no subscription."""

    @abstractmethod
    def change(self, line: Line, said: dict[str, Any]) -> bool:
        """Takes a later message; False when it makes no sense."""

    @abstractmethod
    def end(self, line: Line) -> None:
        """Forgets a line."""

    @abstractmethod
    def forget(self, line: Line) -> None:
        """Loses what a line has subscribed to; the line stays and hears nothing."""

    def key_of(self, line: Line) -> str:
        """The API key that a line subscribed with; "" for none."""
        return ""

    async def serve(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """One connection, from its handshake to its end."""
        await receive()
        status = self.admit() if self.admit is not None else 0
        if status:
            await send({"type": "websocket.http.response.start", "status": status, "headers": []})
            await send({"type": "websocket.http.response.body", "body": b""})
            return
        await send({"type": "websocket.accept"})
        doors = scope.get("extensions", {})
        line = Line(
            send,
            doors.get("polyframe.abort", _nothing),
            hang=doors.get("polyframe.hang"),
            most_waiting=self.most_waiting,
            frame_limit=self.frame_limit,
            number=self._count,
        )
        line.around = self.around
        self.lines[line] = None
        self._count += 1
        writer = asyncio.create_task(line.run())
        try:
            await self._listen(line, receive, send)
        finally:
            line.closed = True
            self.lines.pop(line, None)
            self.end(line)
            writer.cancel()
            # The client may be gone in the middle of a frame, which its writer hears first.
            with suppress(asyncio.CancelledError, OSError):
                await writer
            line.ended.set()

    async def _listen(self, line: Line, receive: Receive, send: Send) -> None:
        said = await self._first(receive)
        if said is None:
            return
        if line.closed:
            return
        if not said or not self.begin(line, said):
            await send({"type": "websocket.close", "code": POLICY, "reason": INVALID})
            return
        while not line.closed:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            text = _text(message)
            if text == "PING":
                line.put(PONG)
                continue
            later = _read(text)
            if later is None or not self.change(line, later):
                line.put(NOT_UNDERSTOOD)

    async def _first(self, receive: Receive) -> dict[str, Any] | None:
        """The first message; empty when it is none, None when the client has gone."""
        try:
            async with asyncio.timeout(SUBSCRIBE_WITHIN):
                message = await receive()
        except TimeoutError:
            return {}
        if message["type"] == "websocket.disconnect":
            return None
        return _read(_text(message)) or {}

    async def leave(self) -> None:
        """Closes every connection, and cuts those whose readers do not read."""
        leaving = list(self.lines)
        for line in leaving:
            line.leave()
        try:
            async with asyncio.timeout(LEAVE_WITHIN):
                for line in leaving:
                    await line.ended.wait()
        except TimeoutError:
            for line in leaving:
                line.drop()


def texts(found: object) -> list[str] | None:
    """A list of texts, None for anything else."""
    if isinstance(found, list) and all(isinstance(each, str) for each in found):
        return found
    return None


def _text(message: MutableMapping[str, Any]) -> str:
    text = message.get("text")
    if text is not None:
        return str(text).strip()
    return bytes(message.get("bytes") or b"").decode("utf-8", "replace").strip()


def _read(text: str) -> dict[str, Any] | None:
    try:
        return _decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _nothing() -> None:
    """What cutting a connection comes to where the server cannot: its own close does."""
