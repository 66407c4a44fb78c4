"""Who else to compare forecasts with: themselves corrected, and the makers they come from.

Whatever is learnt for a row (a line, which maker is best) is learnt on other events.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from polyframe.errors import DataError
from polyframe.lab.scored_rows import Scored
from polyframe.quant.calibration import platt_fit
from polyframe.quant.rows import event_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

BLOCKS = 10
LEAST = 30
"""With fewer events to learn from there is nothing to compare with."""
EDGE = 0.001

MEAN = "plain mean"
BEST = "best single maker"
BEST_CORRECTED = "best single maker, corrected"
CORRECTED = "these, corrected"


def rivals_of(rows: Scored) -> tuple[dict[str, Floats], list[str]]:
    """Probabilities for the same rows by name, and notes on those that cannot be had."""
    event = event_numbers(rows.event, rows.p.size)
    events = int(event.max()) + 1
    if events < 2 * LEAST:
        return {}, []
    block = _blocks(rows, event, events)
    found: dict[str, Floats] = {}
    notes: list[str] = []
    if rows.maker is not None:
        happened = np.bincount(event, weights=rows.y) / np.bincount(event)
        names = np.unique(rows.maker)
        if ((happened > 0.0) & (happened < 1.0)).any():
            notes.append("the rows of one event ended differently: its makers are not compared")
        elif names.size > 1:
            votes = _votes(rows, event, events, names)
            best = _best(votes, happened, block)
            corrected = _corrected(best, happened, np.ones(events), block)
            found[MEAN] = (np.bincount(event, weights=rows.p) / np.bincount(event))[event]
            found[BEST] = best[event]
            if corrected is not None:
                found[BEST_CORRECTED] = corrected[event]
    own = _corrected(rows.p, rows.y, (1.0 / np.bincount(event))[event], block[event])
    if own is not None:
        found[CORRECTED] = own
    return {name: np.clip(p, EDGE, 1.0 - EDGE) for name, p in found.items()}, notes


def _blocks(rows: Scored, event: Ints, events: int) -> Ints:
    """The block of each event, in the order in which the events ended."""
    first = np.full(events, rows.p.size, dtype=np.int64)
    np.minimum.at(first, event, rows.order)
    block = np.empty(events, dtype=np.int64)
    block[np.argsort(first, kind="stable")] = np.arange(events) * BLOCKS // events
    return block


def _parts(block: Ints) -> Iterator[tuple[Bools, Bools]]:
    """What to learn from and what to answer, block by block."""
    for k in range(BLOCKS):
        yield block != k, block == k


def _votes(rows: Scored, event: Ints, events: int, names: NDArray[np.str_]) -> Floats:
    """Each maker's median for each event, NaN where it said nothing. Shapes: (makers, events)."""
    votes = np.full((names.size, events), np.nan)
    assert rows.maker is not None
    for k, name in enumerate(names):
        mine = np.flatnonzero(rows.maker == name)
        for number in np.unique(event[mine]):
            votes[k, number] = np.median(rows.p[mine[event[mine] == number]])
    return votes


def _best(votes: Floats, happened: Floats, block: Ints) -> Floats:
    """The best maker by the events outside a block; where it is silent, the next best one."""
    said = np.empty(block.size)
    for learn, answer in _parts(block):
        known = ~np.isnan(votes[:, learn])
        counts = known.sum(axis=1)
        errors = np.where(known, (np.nan_to_num(votes[:, learn]) - happened[learn]) ** 2, 0.0)
        score = errors.sum(axis=1) / np.maximum(counts, 1)
        order = np.lexsort((score, counts < LEAST))
        here = votes[order][:, answer]
        first = np.argmax(~np.isnan(here), axis=0)
        said[answer] = here[first, np.arange(here.shape[1])]
    return said


def _corrected(p: Floats, y: Floats, weights: Floats, block: Ints) -> Floats | None:
    """Forecasts after a line learnt outside their block; None where none can be learnt."""
    said = np.empty(p.size)
    for learn, answer in _parts(block):
        try:
            line = platt_fit(p[learn], y[learn], weights=weights[learn])
        except DataError:
            return None  # all of one class outside this block
        if answer.any():
            said[answer] = line.apply(p[answer])
    return said
