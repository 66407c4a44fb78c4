"""The venue's time and what falls due in it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

from polyframe.errors import UserError

Due = tuple[int, int, Callable[..., None], tuple[Any, ...]]


class Clock:
    """Moves only when told to; equal moments keep the order in which they were asked for."""

    __slots__ = ("_due", "_made", "now")

    def __init__(self, now: int) -> None:
        self.now = now
        self._due: list[Due] = []
        self._made = 0

    def at(self, when: int, action: Callable[..., None], *args: Any) -> None:
        """Calls ``action(*args)`` when it is ``when``; at the next move for what is past."""
        self._made += 1
        heapq.heappush(self._due, (when, self._made, action, args))

    def next_at(self) -> int | None:
        """When something falls due next."""
        return self._due[0][0] if self._due else None

    def advance(self, until: int) -> None:
        """Lets time pass.

        Raises:
            UserError: ``until`` is past.
        """
        if until < self.now:
            raise UserError(
                f"the venue's time is {self.now}, it cannot go back to {until}",
                expected="a moment that is not past",
            )
        due = self._due
        while due and due[0][0] <= until:
            when, _, action, args = heapq.heappop(due)
            self.now = max(self.now, when)
            action(*args)
        self.now = until
