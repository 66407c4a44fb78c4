"""One event's life before it is played: its questions, what is believed of them, how they end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import GroupKind
from polyframe.domain.units import SECOND, Ns

Floats = NDArray[np.float64]
LEAST: Final = 0.001
"""no market believes less, or more than the rest"""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question of an event. ``path`` is the probability of its first outcome at ``Plot.at``."""

    key: str
    question: str
    slug: str
    path: Floats
    winner: int
    """0, 1, or -1 where each outcome pays one half"""
    outcomes: tuple[str, str] = ("Yes", "No")
    title: str = ""
    """what tells it from its event's other questions"""
    tick: int = 100
    threshold: float = 0.0


@dataclass(frozen=True, slots=True)
class Plot:
    """One event. Moments are in ns since it opened, but for ``opened``, which is in its own time.

    ``native`` answers come from a price feed and stand at once; others are proposed, and may be
    disputed. ``complete`` says of an exclusive event that one of its questions will be answered by
    its first outcome.
    """

    key: str
    title: str
    slug: str
    category: str
    kind: GroupKind
    asks: tuple[Ask, ...]
    at: NDArray[np.int64]
    life: Ns
    answered: Ns
    opened: Ns = 0
    complete: bool = False
    series: str = ""
    native: bool = False
    source: str = ""
    game: Ns = 0
    """when a match begins; 0 for what is no match"""
    tags: tuple[str, ...] = ()

    @property
    def closes(self) -> Ns:
        """When it is over, in its own time."""
        return self.opened + self.life

    def renamed(self, suffix: str) -> Plot:
        """The same life under another name: a further season."""
        asks = tuple(
            replace(ask, key=f"{ask.key}-{suffix}", slug=f"{ask.slug}-{suffix}")
            for ask in self.asks
        )
        return replace(self, key=f"{self.key}-{suffix}", slug=f"{self.slug}-{suffix}", asks=asks)

    def moved(self, opened: Ns) -> Plot:
        """The same life at another time; days that its texts name move with it."""
        old, new = day_of(self.closes), day_of(opened + self.life)
        asks = self.asks
        title = self.title
        if old != new:
            asks = tuple(replace(ask, question=ask.question.replace(old, new)) for ask in asks)
            title = title.replace(old, new)
        return replace(self, opened=opened, asks=asks, title=title)


def day_of(at: Ns) -> str:
    """A moment's day, as texts name it."""
    return f"{datetime.fromtimestamp(at // SECOND, tz=UTC):%Y-%m-%d}"


def bounded(path: Floats) -> Floats:
    """Probabilities that a market can quote.

    Shapes: (n,), kept.
    """
    return np.clip(path, LEAST, 1.0 - LEAST)
