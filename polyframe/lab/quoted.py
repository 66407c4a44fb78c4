"""Own quotes and inventory over time, for shares of time and for pictures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.units import MINUTE, Ns
from polyframe.lab import making_form as form
from polyframe.lab.fills_seen import Seen
from polyframe.lab.record import BookRun, Merged, RunRecord
from polyframe.runtime.own_orders import OwnOrders

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

POINTS = 400
SHOWN_FILLS = 300
PICTURES = 3
"""So many markets, those with the most fills, are drawn."""
CLOSER = 20
"""A closer look is at one part in so many of the time, the one with the most fills."""
LEAST: Ns = MINUTE


def ends_of(own: OwnOrders, last: int) -> Ints:
    """When each order stood no more, as we knew; those that still stand at the end of the run.

    Shapes: (orders,). Units: ns.
    """
    return np.where(own.ended > 0, own.ended, last)


def uptime(own: OwnOrders, market: int, first: int, last: int) -> tuple[float, float]:
    """The shares of time in which orders of both sides, and of one side only, stood."""
    span = last - first
    if span <= 0:
        return 0.0, 0.0
    mine = (own.market == market) & (own.accepted > 0)
    end = ends_of(own, last)
    times, steps, sides = [], [], []
    for way in (1, -1):
        rows = np.flatnonzero(mine & (own.side == way))
        times += [own.accepted[rows], end[rows]]
        steps += [np.ones(len(rows), np.int64), -np.ones(len(rows), np.int64)]
        sides += [np.full(2 * len(rows), way)]
    at = np.concatenate(times)
    if not len(at):
        return 0.0, 0.0
    step, side = np.concatenate(steps), np.concatenate(sides)
    order = np.argsort(at, kind="stable")
    at, step, side = np.clip(at[order], first, last), step[order], side[order]
    bids = np.cumsum(np.where(side > 0, step, 0)) > 0
    offers = np.cumsum(np.where(side < 0, step, 0)) > 0
    held = np.diff(at, append=last)
    both, either = int(held[bids & offers].sum()), int(held[bids | offers].sum())
    return both / span, (either - both) / span


class Inventory(NamedTuple):
    """What was held net of a market after each change: first outcome less the second.

    Shapes: (changes,) each. Units: ns, size units.
    """

    ts: Ints
    held: Ints

    def at(self, moments: Ints) -> Ints:
        """What was held at these moments. Shapes: (n,) to (n,). Units: ns; size units."""
        place = np.searchsorted(self.ts, moments, side="right")
        return np.concatenate([np.zeros(1, np.int64), self.held])[place]

    @property
    def extremes(self) -> tuple[int, int, int]:
        """The greatest, the least (0 where it never was), and the last."""
        if not len(self.held):
            return 0, 0, 0
        return max(int(self.held.max()), 0), min(int(self.held.min()), 0), int(self.held[-1])


def inventory_of(record: RunRecord, seen: Seen, market: int) -> Inventory:
    """The inventory of a market; a resolution ends it, and pairs that merge leave it as it is."""
    own = np.flatnonzero(seen.market == market)
    ts, change = seen.ts[own], (seen.side * seen.size)[own]
    id = record.markets[market].id
    ended = [
        row.ts for row in record.settlements if row.market == id and not isinstance(row, Merged)
    ]
    held = np.cumsum(change)
    if ended:
        end = min(ended)
        place = int(np.searchsorted(ts, end, side="right"))
        ts, held = np.insert(ts, place, end), np.insert(held, place, 0)
        held[place:] = 0
    return Inventory(ts, held)


def best_own(own: OwnOrders, market: int, side: int, grid: Ints, last: int) -> Ints:
    """The best own price of a side at each moment of a grid, 0 for none.

    Shapes: grid (n,) to (n,). Units: ns; price units.
    """
    rows = np.flatnonzero((own.market == market) & (own.side == side) & (own.accepted > 0))
    begin = np.searchsorted(grid, own.accepted[rows], side="left")
    until = np.searchsorted(grid, ends_of(own, last)[rows], side="left")
    count = np.maximum(until - begin, 0)
    spread = np.repeat(np.arange(len(rows)), count)
    offset = np.arange(len(spread)) - np.repeat(np.cumsum(count) - count, count)
    at, price = begin[spread] + offset, own.price[rows][spread]
    if side > 0:
        best = np.zeros(len(grid), np.int64)
        np.maximum.at(best, at, price)
        return best
    best = np.full(len(grid), np.iinfo(np.int64).max)
    np.minimum.at(best, at, price)
    return np.where(best == np.iinfo(np.int64).max, 0, best)


def pictures(record: RunRecord, run: BookRun, seen: Seen) -> list[form.Quoted]:
    """The markets with the most fills over time."""
    return [_picture(record, run, seen, m, *span_of(run, m)) for m in _busy(record, seen)]


def closer(record: RunRecord, run: BookRun, seen: Seen) -> list[form.Quoted]:
    """The same markets at the time of most fills, short enough to see each quote."""
    looks = []
    for m in _busy(record, seen):
        opened, ended = span_of(run, m)
        lasts = max((ended - opened) // CLOSER, LEAST)
        ts = seen.ts[seen.market == m]
        ends = np.searchsorted(ts, ts + lasts, side="right")
        begin = int(ts[np.argmax(ends - np.arange(len(ts)))])
        first = max(min(begin, ended - lasts), opened)
        looks.append(_picture(record, run, seen, m, first, min(first + lasts, ended)))
    return looks


def _busy(record: RunRecord, seen: Seen) -> list[int]:
    counts = np.bincount(seen.market, minlength=len(record.markets))
    return [m for m in np.argsort(-counts, kind="stable").tolist() if counts[m]][:PICTURES]


def _picture(
    record: RunRecord, run: BookRun, seen: Seen, m: int, first: Ns, last: Ns
) -> form.Quoted:
    market, mids = record.markets[m], run.mids
    one, share = float(market.price_one), 10.0**market.size_decimals
    grid = np.unique(np.linspace(first, last, POINTS).astype(np.int64))
    columns = (
        mids.at(m, grid) / (2 * one), best_own(run.own, m, 1, grid, mids.last) / one,
        best_own(run.own, m, -1, grid, mids.last) / one,
        inventory_of(record, seen, m).at(grid) / share,
    )  # fmt: skip
    own = np.flatnonzero((seen.market == m) & (seen.ts >= first) & (seen.ts <= last))
    # Evenly over the fills, so that what is drawn is as dense as they were.
    shown = own[np.unique(np.linspace(0, len(own) - 1, min(len(own), SHOWN_FILLS)).astype(int))]
    values = (round_all(column) for column in columns)
    return form.Quoted(
        market.id, market.question, market.tick / one,
        list(zip(grid.tolist(), *values, strict=True)),
        list(
            zip(
                seen.ts[shown].tolist(), round_all(seen.price[shown] / one),
                seen.side[shown].tolist(), round_all(seen.size[shown] / share), strict=True,
            )
        ),
        len(own),
    )  # fmt: skip


def span_of(run: BookRun, m: int) -> tuple[Ns, Ns]:
    """From the first mid of a market to its last change, or to the last word of an own order."""
    mids, own = run.mids, run.own
    known = np.flatnonzero(mids.twice[m])
    if not len(known):
        return mids.first, mids.last
    rows = own.market == m
    said = np.concatenate([mids.ts[m][-1:], own.accepted[rows], own.ended[rows]])
    first = max(int(mids.ts[m][known[0]]), mids.first)
    return first, max(min(int(said.max()), mids.last), first)


def round_all(values: Floats) -> list[float]:
    """To eight decimals: a price, not the last bits of a division."""
    found: list[float] = np.round(values, 8).tolist()
    return found
