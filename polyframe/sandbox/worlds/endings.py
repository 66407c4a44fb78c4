"""How events end that nobody has answered yet, and what is believed of them until then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import GroupKind, Resolution, ResolutionKind
from polyframe.domain.units import HOUR, Ns
from polyframe.sandbox.worlds.plots import Floats, bounded

ROWS: Final = 240
"""of what is believed after the last recorded price, at the most"""
NEARLY: Final = 0.03
"""prices of an event's outcomes that sum to one within this leave no other outcome"""
VOLATILITY: Final = 1.0
EVEN: Final = -1


class Ending(NamedTuple):
    """The rows of an event to its end, and the answers to its questions."""

    at: NDArray[np.int64]
    paths: list[Floats]
    winners: list[int]
    kind: GroupKind
    complete: bool


def ended(
    kind: GroupKind,
    at: NDArray[np.int64],
    paths: Sequence[Floats],
    life: Ns,
    endings: Sequence[Resolution | None],
    rng: np.random.Generator,
) -> Ending:
    """An event's rows and answers; what was recorded stays as it is.

    An exclusive event whose recorded answers exclude nothing, or that was annulled, is one of
    independent questions.
    """
    stated = [None if ending is None else _winner(ending) for ending in endings]
    drawn = _drawn(kind, [float(path[-1]) for path in paths], rng)
    winners = [drawn[n] if known is None else known for n, known in enumerate(stated)]
    won = winners.count(0)
    if kind is GroupKind.EXCLUSIVE and (won > 1 or EVEN in winners or len(paths) < 2):
        kind = GroupKind.INDEPENDENT
    total = np.mean(np.sum(np.vstack(paths), axis=0))
    complete = kind is GroupKind.EXCLUSIVE and won == 1 and abs(float(total) - 1.0) < NEARLY
    rows, added = at, [path.copy() for path in paths]
    if None in stated and int(at[-1]) + HOUR < life:
        more = np.linspace(int(at[-1]), life, ROWS + 1)[1:-1].astype(np.int64)
        rows = np.concatenate((at, more))
        added = [
            np.concatenate((path, _onwards(float(path[-1]), winner, rng)))
            for path, winner in zip(paths, winners, strict=True)
        ]
    return Ending(rows, added, winners, kind, complete)


def _winner(ending: Resolution) -> int:
    if ending.kind is not ResolutionKind.WINNER:
        return EVEN
    return 0 if ending.payouts[0] else 1


def _drawn(kind: GroupKind, chances: list[float], rng: np.random.Generator) -> list[int]:
    """Answers with the chances that the last prices state."""
    if kind is GroupKind.EXCLUSIVE:
        edges = np.cumsum(chances) / max(sum(chances), 1.0)
        chosen = int(np.searchsorted(edges, rng.random(), side="right"))
        return [0 if n == chosen else 1 for n in range(len(chances))]
    if kind is GroupKind.LADDER:
        level = rng.random()
        return [0 if level < chance else 1 for chance in chances]
    return [0 if rng.random() < chance else 1 for chance in chances]


def _onwards(chance: float, winner: int, rng: np.random.Generator) -> Floats:
    """What is believed from a last price to an answer drawn with its chance: a martingale.

    Source: as polyframe.lab.beliefs, Brody, Hughston and Macrina 2008.
    """
    share = np.arange(1, ROWS) / ROWS
    gathered = np.diff(VOLATILITY**2 * share / (1.0 - share), prepend=0.0)
    start = bounded(np.array([chance]))[0]
    sign = 0.0 if winner == EVEN else 1.0 if winner == 0 else -1.0
    moves = sign * 0.5 * gathered + np.sqrt(gathered) * rng.standard_normal(len(gathered))
    odds = np.log(start / (1.0 - start)) + np.cumsum(moves)
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -30.0, 30.0))))
