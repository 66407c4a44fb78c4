"""Events from the generator, without end, and series of short ones that follow each other.

What is believed of them is the posterior of an answer drawn beforehand, see
:mod:`polyframe.lab.beliefs`: nobody can beat it without knowing more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from math import erf, sqrt
from typing import Final

import numpy as np

from polyframe.domain.market import GroupKind
from polyframe.domain.units import HOUR, MINUTE, SECOND, Ns
from polyframe.lab.lives import Event, SynthConfig, exclusive, ladder, lone
from polyframe.sandbox.worlds.endings import EVEN, NEARLY
from polyframe.sandbox.worlds.naming import stream
from polyframe.sandbox.worlds.plots import Ask, Plot, bounded

SOURCE: Final = "generator"
FIRST: Final = 100
"""numbers below it are those of the catalogue shipped with the package"""
KINDS: Final = (lone, exclusive, ladder)
SHARES: Final = (0.64, 0.19, 0.17)
BEFORE_THE_END: Final = 2 * HOUR
"""a match begins so long before its question closes"""


def made(seed: int, number: int) -> Plot:
    """The event of a number. The same seed and number give the same event."""
    rng = stream(seed, "made", number)
    config = SynthConfig(seed=seed & 0x7FFF_FFFF)
    kind = int(rng.choice(len(KINDS), p=SHARES))
    if kind == 0:
        annulled = rng.random() < (config.splits + config.voids) / config.lone
        event = lone(config, FIRST + number, "split" if annulled else "winner")
    else:
        event = (exclusive if kind == 1 else ladder)(config, FIRST + number)
    return _plot(event)


def _plot(event: Event) -> Plot:
    scenery = event.scenery
    opened = int(event.ts[0])
    many = len(scenery.markets) > 1
    asks = tuple(
        Ask(
            market.id,
            market.question,
            market.id,
            bounded(event.beliefs[:, column]),
            EVEN if event.resolution != "winner" else 0 if event.payouts[column] == 1.0 else 1,
            title=_title(market.question, market.strike) if many else "",
            threshold=market.strike or 0.0,
        )
        for column, market in enumerate(scenery.markets)
    )
    won = sum(ask.winner == 0 for ask in asks)
    total = float(np.mean(event.beliefs.sum(axis=1)))
    exclusive_ = scenery.kind is GroupKind.EXCLUSIVE
    first = asks[0]
    return Plot(
        key=scenery.group or first.key,
        title=first.question.replace(f" {first.title}", " ...", 1) if many else first.question,
        slug=scenery.group or first.slug,
        category=scenery.category,
        kind=scenery.kind,
        asks=asks,
        at=(event.ts - opened).astype(np.int64),
        life=event.closes - opened,
        answered=event.resolved_at - opened,
        opened=opened,
        complete=exclusive_ and won == 1 and abs(total - 1.0) < NEARLY,
        source=SOURCE,
        game=event.closes - opened - BEFORE_THE_END if scenery.category == "sports" else 0,
        tags=("synthetic",),
    )


def _title(question: str, strike: float | None) -> str:
    """A threshold, or the name that a question asks about."""
    if strike is not None:
        return f"{strike:g}"
    return question.partition("Will ")[2].partition(" win ")[0]


@dataclass(frozen=True, slots=True)
class Updown:
    """A series of questions whether a price ends an interval above its beginning.

    One can be traded before its interval begins, for as long as the interval is.
    """

    slug: str
    name: str
    interval: Ns
    recurrence: str

    def starts(self, since: Ns) -> Ns:
        """When the first interval begins that does not begin before a moment."""
        return -(-since // self.interval) * self.interval

    def plot(self, seed: int, start: Ns) -> Plot:
        """The event whose interval begins at a moment."""
        rng = stream(seed, self.slug, start)
        rows = 60
        moves = rng.standard_normal(rows) / sqrt(rows)
        level = np.concatenate(([0.0], np.cumsum(moves)))
        left = 1.0 - np.arange(rows) / rows
        path = [0.5 * (1.0 + erf(x / sqrt(2.0 * t))) for x, t in zip(level, left, strict=False)]
        at = np.concatenate(([0], self.interval + np.arange(rows) * self.interval // rows))
        begins, ends = _clock(start), _clock(start + self.interval)
        title = f"[synthetic] {self.name} Up or Down - {_day(start)}, {begins}-{ends} UTC"
        slug = f"{self.slug}-{start // SECOND}"
        ask = Ask(
            slug,
            title,
            slug,
            bounded(np.array([0.5, *path])),
            0 if level[-1] >= 0.0 else 1,
            ("Up", "Down"),
        )
        return Plot(
            key=slug,
            title=title,
            slug=slug,
            category="crypto",
            kind=GroupKind.INDEPENDENT,
            asks=(ask,),
            at=at.astype(np.int64),
            life=2 * self.interval,
            answered=2 * self.interval + MINUTE,
            opened=start - self.interval,
            series=self.slug,
            native=True,
            source=SOURCE,
            tags=("synthetic", "up-or-down"),
        )


SERIES: Final = (
    Updown("coin-a-updown-15m", "Coin A", 15 * MINUTE, "daily"),
    Updown("coin-b-updown-1h", "Coin B", HOUR, "daily"),
)


def _day(at: Ns) -> str:
    return f"{datetime.fromtimestamp(at // SECOND, tz=UTC):%Y-%m-%d}"


def _clock(at: Ns) -> str:
    return f"{datetime.fromtimestamp(at // SECOND, tz=UTC):%H:%M}"
