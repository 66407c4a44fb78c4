"""What a fault acts on while it is installed, how it draws its chances, and the record of both."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from polyframe.domain.units import MILLISECOND, SECOND
from polyframe.sandbox.desk import Desk
from polyframe.sandbox.faults.wire import Wire
from polyframe.sandbox.pace import Pace
from polyframe.sandbox.sockets.channel import Channel
from polyframe.sandbox.sockets.line import MOST_FRAME, Line
from polyframe.sandbox.sockets.market import MarketChannel
from polyframe.sandbox.sockets.user import UserChannel
from polyframe.sandbox.venue.records import Refused

KEPT: Final = 1_000
"""injections that are remembered one by one"""
ENDLESS: Final = 1 << 40


class Injection(NamedTuple):
    """Something that a fault did: when, by the venue's time, which one, and to what."""

    at: int
    fault: str
    what: str


@dataclass(frozen=True, slots=True)
class Picks:
    """Whom a fault concerns, by what the venue calls them; all empty: everybody."""

    tokens: frozenset[str] = frozenset()
    conditions: frozenset[str] = frozenset()
    wallets: frozenset[str] = frozenset()
    """in small letters"""
    keys: frozenset[str] = frozenset()


class Halts:
    """What the venue answers to new orders while several faults have a say: the first one's."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._all: dict[str, Refused] = {}
        self._posts: dict[str, Refused] = {}

    def stop(self, run: str, answer: Refused | None) -> None:
        """Answers every new order so, or no longer."""
        _set(self._all, run, answer)
        self._desk.venue.halt(next(iter(self._all.values()), None))

    def post_only(self, run: str, answer: Refused | None) -> None:
        """Answers every order so that is not post-only, or no longer."""
        _set(self._posts, run, answer)
        self._desk.venue.post_only(next(iter(self._posts.values()), None))


def _set(answers: dict[str, Refused], run: str, answer: Refused | None) -> None:
    if answer is None:
        answers.pop(run, None)
    else:
        answers[run] = answer


class Stage:
    """The sandbox as faults see it."""

    def __init__(
        self, desk: Desk, pace: Pace, market_channel: MarketChannel, user_channel: UserChannel
    ) -> None:
        self.desk = desk
        self.pace = pace
        self.channels: dict[str, Channel] = {"market": market_channel, "user": user_channel}
        self.halts = Halts(desk)
        self.shut_until = 0
        """until then no socket is let in"""
        self.log: deque[Injection] = deque(maxlen=KEPT)
        self._wires: dict[Line, Wire] = {}
        self._long: set[str] = set()
        self._over: asyncio.Event | None = None

    @property
    def now(self) -> int:
        """The venue's time."""
        return self.desk.venue.now

    def wire(self, channel: str, line: Line) -> Wire:
        """A socket as faults see it."""
        wire = self._wires.get(line)
        if wire is None:
            for gone in [one for one in self._wires if one.closed]:
                del self._wires[gone]
            wire = self._wires[line] = Wire(line, channel)
        return wire

    def wires(self) -> list[Wire]:
        """All open sockets, in the order in which they came to their channel."""
        return [
            self.wire(name, line)
            for name, channel in self.channels.items()
            for line in list(channel.lines)
            if not line.closed
        ]

    def flush(self) -> None:
        """Sends all that is on its way to any socket."""
        for wire in self._wires.values():
            wire.flush()

    def long_frames(self, run: str, *, on: bool) -> None:
        """Lets frames be as long as they come while anybody wants that."""
        (self._long.add if on else self._long.discard)(run)
        limit = ENDLESS if self._long else MOST_FRAME
        for channel in self.channels.values():
            channel.frame_limit = limit
            for line in channel.lines:
                line.frame_limit = limit

    def shut(self, seconds: float) -> None:
        """Lets no socket in for so many seconds of the venue."""
        self.shut_until = max(self.shut_until, self.now + ns(seconds))

    def admit(self) -> int:
        """With which HTTP status a socket is refused now; 0 for none."""
        return 503 if self.now < self.shut_until else 0

    async def sleep(self, ms: int) -> None:
        """Waits so many ms outside, or until the sandbox is closed."""
        if self._over is None:
            self._over = asyncio.Event()
        try:
            async with asyncio.timeout(ms / 1000):
                await self._over.wait()
        except TimeoutError:
            pass

    def wake(self) -> None:
        """Lets everybody who sleeps go on."""
        if self._over is not None:
            self._over.set()
            self._over = None

    def outside(self, until: int) -> int:
        """Whole seconds outside until a moment of the venue, rounded up; one at least."""
        left = max(0, until - self.now)
        return max(1, -int(-left // int(self.pace.speed * SECOND)))


@dataclass(slots=True)
class Run:
    """A fault while it is installed: its chances, and what it has done so far.

    Every stream of chances depends on the seed and its own number alone, so that what happens to
    one socket does not depend on what the others hear.
    """

    id: str
    stage: Stage
    seed: int
    probability: float = 1.0
    times: int | None = None
    picks: Picks = Picks()
    open: bool = False
    """its window is open"""
    windows: int = 0
    """how often it was opened"""
    injected: int = 0
    gone: bool = False
    memo: dict[Hashable, Any] = field(default_factory=dict)
    """what a fault must remember of this run"""
    _streams: dict[int, np.random.Generator] = field(default_factory=dict)

    def draw(self, stream: int = 0) -> float:
        """The next number of a stream, from 0 to below 1."""
        chance = self._streams.get(stream)
        if chance is None:
            chance = self._streams[stream] = np.random.default_rng([self.seed, stream])
        return float(chance.random())

    def upto(self, most: int, stream: int = 0) -> int:
        """The next whole number of a stream, from 0 to ``most``."""
        return int(self.draw(stream) * (most + 1))

    def strikes(self, stream: int = 0) -> bool:
        """Whether it strikes this time."""
        if not self.open or (self.times is not None and self.injected >= self.times):
            return False
        return self.probability >= 1 or self.draw(stream) < self.probability

    def rolls(self) -> bool:
        """Whether its next window opens."""
        if self.times is not None and self.windows >= self.times:
            return False
        return self.probability >= 1 or self.draw() < self.probability

    def note(self, what: str) -> None:
        """Enters into the record that it has struck."""
        self.injected += 1
        self.stage.log.append(Injection(self.stage.now, self.id, what))


def seed_of(seed: int, number: int, kind: str) -> int:
    """A fault's own seed from its plan's: its place and its kind make the difference."""
    digest = hashlib.sha256(f"{seed}/{number}/{kind}".encode()).digest()
    return int.from_bytes(digest[:8])


def ns(seconds: float) -> int:
    """Seconds of a plan as the venue counts them, to the millisecond."""
    return round(seconds * 1000) * MILLISECOND
