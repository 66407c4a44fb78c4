"""When events take place: spread around the present, or as they were recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from polyframe.domain.market import Market
from polyframe.domain.units import DAY, HOUR, MINUTE, Ns
from polyframe.sandbox.worlds.naming import stream
from polyframe.sandbox.worlds.plots import Plot

QUARTER: Final = 15 * MINUTE
OVER: Final = 0.22
"""of the events, those that ended in the days before the present"""
SOON: Final = 0.12
"""those that end within hours"""
DISPUTED_SINCE: Final = 5 * HOUR
PROPOSED_SINCE: Final = HOUR
JUST_OVER: Final = 8 * HOUR
"""what ended before that has its answer"""


class Placed(NamedTuple):
    """Events at their times, and the keys of two that are over: what the oracle does about them."""

    plots: list[Plot]
    disputed: str = ""
    undisputed: str = ""


def spread(plots: Sequence[Plot], now: Ns, days: int, seed: int) -> Placed:
    """Synthetic events, each moved so that the present finds some in every part of their life.

    Two with a single question are just over: the present finds the answer of one disputed, and that
    of the other proposed.
    """
    rng = stream(seed, "timetable")
    order = [plots[int(n)] for n in rng.permutation(len(plots))]
    alone = [p for p in order if len(p.asks) == 1 and not p.game and p.answered >= p.life]
    special = alone[:2] if len(plots) > 4 else []
    rest = [plot for plot in order if plot not in special]
    over, soon = round(len(rest) * OVER), round(len(rest) * SOON)
    found = [
        _ending(plot, now - since)
        for plot, since in zip(special, (DISPUTED_SINCE, PROPOSED_SINCE), strict=False)
    ]
    longest = max(days * DAY * 3 // 4, JUST_OVER + HOUR)
    for number, plot in enumerate(rest):
        if number < over:
            closes = now - int(rng.integers(JUST_OVER, longest))
        elif number < over + soon:
            closes = now + int(rng.integers(HOUR // 2, 12 * HOUR))
        else:
            closes = now + int(rng.uniform(0.15, 0.95) * plot.life)
        found.append(_ending(plot, closes))
    keys = [plot.key for plot in special]
    return Placed(sorted(found, key=lambda plot: (plot.opened, plot.key)), *keys)


def _ending(plot: Plot, closes: Ns) -> Plot:
    return plot.moved(closes // QUARTER * QUARTER - plot.life)


def chosen(events: Sequence[list[Market]], count: int, seed: int) -> list[list[Market]]:
    """Whole events with so many markets together, by chance; the last may bring some too many."""
    rng = stream(seed, "chosen")
    found: list[list[Market]] = []
    for number in rng.permutation(len(events)).tolist():
        if sum(map(len, found)) >= count:
            break
        found.append(events[number])
    return found


def pivot(events: Sequence[list[Market]]) -> Ns:
    """The moment of a recording that becomes the present: when most of its life has passed."""
    late = sorted(
        event[0].closes - (event[0].closes - event[0].opened) * 3 // 10
        if event[0].opened
        else event[0].closes - DAY
        for event in events
    )
    return late[len(late) // 2]


def alive(
    events: Sequence[list[Market]], at: Ns, days: int, count: int, seed: int
) -> list[list[Market]]:
    """Whole events of a recording around a moment: a fifth of them over not long ago."""
    ends = [max(market.closes for market in event) for event in events]
    running = [
        event for event, end in zip(events, ends, strict=True) if end > at and event[0].opened <= at
    ]
    over = [
        event
        for event, end in zip(events, ends, strict=True)
        if at - days * DAY < end <= at - JUST_OVER
    ]
    coming = sorted(
        (event for event in events if event[0].opened > at), key=lambda event: event[0].opened
    )
    some = chosen(over, max(count // 5, 1), seed) if over else []
    left = count - sum(map(len, some))
    some += chosen(running, left, seed) if running and left > 0 else []
    for event in coming:
        if sum(map(len, some)) >= count:
            break
        some.append(event)
    return some
