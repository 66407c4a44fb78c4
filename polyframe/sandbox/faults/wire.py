"""One socket as faults see it: what is on its way to it, and in which order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any

from polyframe.sandbox.sockets.line import MOST_WAITING, Line


class Wire:
    """A line with a delay. Its ``number`` is no other socket's: each has chances of its own.

    A line is cut when more is on its way to it than may wait for a reader that is too slow.
    """

    __slots__ = ("_flying", "_lane", "_timer", "channel", "key", "line", "memo", "number")

    def __init__(self, line: Line, channel: str) -> None:
        self.line = line
        self.number = 2 * line.number + (channel == "user")
        self.channel = channel
        self.key = ""
        self.memo: dict[Hashable, Any] = {}
        self._lane: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._flying = 0

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
        self._departed(event)
        if self._timer is None:
            self._timer = loop.call_at(due, self._arrive)

    def later(self, event: bytes, ms: int) -> None:
        """Sends an event after so many ms; others may overtake it."""
        self._departed(event)
        self.after(ms, lambda: self._arrived(event))

    def after(self, ms: int, action: Callable[[], None]) -> asyncio.TimerHandle:
        """Does something after so many ms."""
        return asyncio.get_running_loop().call_later(ms / 1000, action)

    def _arrive(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._lane and self._lane[0][0] <= loop.time() + 0.0005:
            self._arrived(self._lane.popleft()[1])
        if self._lane:
            self._timer = loop.call_at(self._lane[0][0], self._arrive)

    def flush(self) -> None:
        """Sends all that is on its way at once."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._lane:
            self._arrived(self._lane.popleft()[1])

    def _departed(self, event: bytes) -> None:
        self._flying += len(event)
        if self._flying > MOST_WAITING and not self.line.closed:
            self.line.drop()
            self._lane.clear()

    def _arrived(self, event: bytes) -> None:
        self._flying -= len(event)
        self.line.send_on(event)
