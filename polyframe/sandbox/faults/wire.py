"""One socket as faults see it: what is on its way to it, and in which order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any

from polyframe.sandbox.sockets.line import Line


class Wire:
    """A line with a delay. Its ``number`` is no other socket's: each has chances of its own."""

    __slots__ = ("_lane", "_timer", "channel", "key", "line", "memo", "number")

    def __init__(self, line: Line, channel: str) -> None:
        self.line = line
        self.number = 2 * line.number + (channel == "user")
        self.channel = channel
        self.key = ""
        self.memo: dict[Hashable, Any] = {}
        self._lane: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def busy(self) -> bool:
        """Something is on its way that must not be overtaken."""
        return bool(self._lane)

    def queue(self, event: bytes, ms: int = 0) -> None:
        """Sends an event after so many ms, and not before those that are on their way."""
        loop = asyncio.get_running_loop()
        due = loop.time() + ms / 1000
        if self._lane:
            due = max(due, self._lane[-1][0])
        self._lane.append((due, event))
        if self._timer is None:
            self._timer = loop.call_at(due, self._arrive)

    def later(self, event: bytes, ms: int) -> None:
        """Sends an event after so many ms; others may overtake it."""
        asyncio.get_running_loop().call_later(ms / 1000, self.line.send_on, event)

    def after(self, ms: int, action: Callable[[], None]) -> asyncio.TimerHandle:
        """Does something after so many ms."""
        return asyncio.get_running_loop().call_later(ms / 1000, action)

    def _arrive(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._lane and self._lane[0][0] <= loop.time() + 0.0005:
            self.line.send_on(self._lane.popleft()[1])
        if self._lane:
            self._timer = loop.call_at(self._lane[0][0], self._arrive)

    def flush(self) -> None:
        """Sends all that is on its way at once."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._lane:
            self.line.send_on(self._lane.popleft()[1])
