"""What is believed of a question at any moment: its recorded path, and the way between two rows.

Between two rows the log-odds take a Brownian bridge whose variance is that of the path around
there. Over many rows that is the walk of which the rows are samples, so nothing can be foretold
from the last row, which a straight line would allow.
"""

from __future__ import annotations

from bisect import bisect_right
from math import exp, log
from typing import Final

import numpy as np

from polyframe.domain.units import MINUTE, Ns
from polyframe.sandbox.worlds.naming import stream
from polyframe.sandbox.worlds.plots import LEAST, Ask, Floats, Plot

STEPS: Final = 64
"""between two rows"""
FINE: Final = 2 * MINUTE
"""rows nearer than this have nothing between them"""
AROUND: Final = 12
WALKS: Final = 251
"""ways between two rows that a question has; they come again after so many rows"""
WILDEST: Final = 0.35
"""of the log-odds, in the time between two rows: what moves further has jumped there"""
SHARE: Final = np.arange(STEPS) / STEPS


class Belief:
    """The probability of a question's first outcome, through its life."""

    __slots__ = ("_at", "_between", "_key", "_luck", "_odds", "_opened", "_row", "_seed", "_spread")

    def __init__(self, plot: Plot, ask: Ask, seed: int) -> None:
        self._opened = plot.opened
        self._key = ask.key
        self._seed = seed
        self._at: list[int] = plot.at.tolist()
        path = np.clip(ask.path, LEAST, 1.0 - LEAST)
        odds = np.log(path / (1.0 - path))
        self._odds: list[float] = odds.tolist()
        self._spread = _spread(odds)
        self._row = -1
        self._between: list[float] = []
        self._luck: Floats | None = None

    def at(self, now: Ns) -> float:
        """What is believed at a moment; before its first row as there, after its last one too."""
        since = now - self._opened
        row = bisect_right(self._at, since) - 1
        if row < 0:
            return _chance(self._odds[0])
        if row + 1 >= len(self._at):
            return _chance(self._odds[-1])
        length = self._at[row + 1] - self._at[row]
        if length <= FINE:
            return _chance(self._odds[row])
        if row != self._row:
            self._between = self._walk(row)
            self._row = row
        return _chance(self._between[(since - self._at[row]) * STEPS // length])

    def row(self, now: Ns) -> float:
        """What the last row up to a moment said."""
        row = bisect_right(self._at, now - self._opened) - 1
        return _chance(self._odds[max(row, 0)])

    def _walk(self, row: int) -> list[float]:
        """The log-odds at each step from a row to just before the next."""
        here, there = self._odds[row], self._odds[row + 1]
        if self._luck is None:
            luck = stream(self._seed, "belief", self._key).standard_normal((WALKS, STEPS))
            walks = np.cumsum(luck, axis=1) / np.sqrt(STEPS)
            ends = walks[:, -1:]
            self._luck = np.hstack((np.zeros_like(ends), walks[:, :-1])) - SHARE * ends
        walk = self._luck[row % WALKS] * self._spread[row]
        found: list[float] = (here + SHARE * (there - here) + walk).tolist()
        return found


def _spread(odds: Floats) -> list[float]:
    """How far the log-odds usually move from each row to the next, by the moves around it."""
    moves = np.minimum(np.abs(np.diff(odds)), WILDEST) ** 2
    if not len(moves):
        return [0.0]
    total = np.concatenate(([0.0], np.cumsum(moves)))
    rows = np.arange(len(moves))
    low = np.maximum(rows - AROUND, 0)
    high = np.minimum(rows + AROUND + 1, len(moves))
    found: list[float] = np.sqrt((total[high] - total[low]) / (high - low)).tolist()
    return found


def odds_of(chance: float) -> float:
    """The log-odds of a probability within what markets quote."""
    held = min(max(chance, LEAST), 1.0 - LEAST)
    return log(held / (1.0 - held))


def _chance(odds: float) -> float:
    return 1.0 / (1.0 + exp(-odds))
