"""How fast the venue's time passes: real time times a speed, or only when it is told to."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from typing import Final

from polyframe.domain.units import MILLISECOND, SECOND
from polyframe.errors import ConfigError
from polyframe.sandbox.venue.venue import Venue

SLOWEST: Final = 0.001
FASTEST: Final = 1_000.0
# Real time that the venue may take at a stretch while callers wait.
PATIENCE: Final = 50 * MILLISECOND
# Being further behind than this, the venue's clock gives up that time instead of chasing it.
MOST_BEHIND: Final = 1 * SECOND
STEP_TAKES: Final = 2 * SECOND
"""outside, by the crowd's reckoning: what a step of any length takes"""


class Pace:
    """Moves a venue's clock. While it is paused, only `step` does."""

    def __init__(
        self,
        venue: Venue,
        *,
        speed: float = 1.0,
        paused: bool = False,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._venue = venue
        self._clock = clock
        self._speed = checked(speed)
        self._paused = paused
        self._tell()
        self._real, self._base = clock(), venue.now
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0
        self.given_up = 0
        """venue time, in ns, that was skipped because the machine was too slow for the speed"""

    @property
    def speed(self) -> float:
        """Seconds of the venue for a second outside."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        wanted = checked(speed)
        self.catch_up()
        self._speed = wanted
        self._tell()
        self._rebase()

    @property
    def paused(self) -> bool:
        """True while time stands still."""
        return self._paused

    def pause(self) -> None:
        """Stops the clock where it should be now."""
        self.catch_up()
        self._paused = True
        self._tell()

    def resume(self) -> None:
        """Lets the clock run on from where it stands."""
        self._paused = False
        self._tell()
        self._rebase()

    def due(self) -> int:
        """Where the venue's clock should be now."""
        if self._paused:
            return self._venue.now
        return self._base + int((self._clock() - self._real) * self._speed)

    def catch_up(self) -> None:
        """Moves the venue's clock to where it should be, as far as patience goes."""
        if not self._paused:
            self._advance(self.due(), self._clock() + PATIENCE)
            behind = int((self.due() - self._venue.now) / self._speed)
            if behind > MOST_BEHIND:
                self.given_up += self.due() - self._venue.now
                self._rebase()
        self._wake()

    def step(self, by: int) -> None:
        """Moves the venue's clock by some ns, whether it is paused or not.

        A long step the crowd takes with long strides. While time passes, a step is a jump that is
        soon over outside. While it stands still, steps are all the time there is, and heartbeats
        count them in whole.
        """
        self._tell(by / STEP_TAKES)
        try:
            self._venue.advance(self._venue.now + max(0, by))
        finally:
            self._tell()
        self._rebase()
        self._wake()

    async def wait(self, at: int) -> None:
        """Waits until the venue's clock has come to a time."""
        if at <= self._venue.now:
            return
        future = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._waiting, (at, self._count, future))
        await future

    def pause_between(self) -> float:
        """Seconds outside until it is worth looking again."""
        if self._paused:
            return 0.02
        due = self._venue.next_at()
        if due is None:
            return 0.02
        return min(0.02, max(0.001, (due - self._venue.now) / self._speed / SECOND))

    def _tell(self, stride: float = 0.0) -> None:
        pace = max(self._speed, stride)
        self._venue.keep_pace(pace, beats=1.0 if self._paused else pace)

    def _advance(self, until: int, deadline: int) -> None:
        venue = self._venue
        while venue.now < until:
            due = venue.next_at()
            if due is None or due >= until:
                venue.advance(until)
                return
            venue.advance(max(due, venue.now))
            if self._clock() > deadline:
                return

    def _rebase(self) -> None:
        self._real, self._base = self._clock(), self._venue.now

    def _wake(self) -> None:
        waiting, now = self._waiting, self._venue.now
        while waiting and waiting[0][0] <= now:
            future = heapq.heappop(waiting)[2]
            if not future.done():
                future.set_result(None)


def checked(speed: float) -> float:
    """A speed at which time can pass.

    Raises:
        ConfigError: it is out of range.
    """
    if not SLOWEST <= speed <= FASTEST:
        raise ConfigError(
            f"speed {speed} is out of range",
            expected=f"{SLOWEST:g} to {FASTEST:g} seconds of the venue for a second outside",
        )
    return speed
