"""The worst moments of a run over recorded books, chosen with hindsight."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.units import Ns, Price
from polyframe.lab.fills_seen import Seen
from polyframe.lab.quoted import best_own, ends_of, inventory_of
from polyframe.lab.record import BookRun, RunRecord
from polyframe.lab.tape_overlay import Gap
from polyframe.runtime.own_orders import OwnOrders

Ints = NDArray[np.int64]

LOOKS = 500
"""So many moments of a run are looked at."""
GAP_TICKS = 10
"""How far beyond the own best quote a gap goes in a market that resolves."""
GAP_SHARE = 50
"""One part in so many of the price in a market without bounds, where that is more: 2 %."""
ROOM_TICKS = 2
"""A gap leaves so many ticks to the end of the prices there are."""


class Moment(NamedTuple):
    """From when, in which market it is worst, and what rested there then, in shares."""

    ts: Ns
    market: int
    resting: float


def resting_at(own: OwnOrders, market: int, side: int, grid: Ints, last: Ns) -> Ints:
    """What rested of a side at each moment, at the sizes that were sent.

    Shapes: grid (n,) to (n,). Units: ns; size units.
    """
    rows = np.flatnonzero((own.market == market) & (own.side == side) & (own.accepted > 0))
    at = np.concatenate([own.accepted[rows], ends_of(own, last)[rows]])
    step = np.concatenate([own.size[rows], -own.size[rows]])
    order = np.argsort(at, kind="stable")
    total = np.concatenate([np.zeros(1, np.int64), np.cumsum(step[order])])
    found: Ints = total[np.searchsorted(at[order], grid, side="right")]
    return found


def _grid(run: BookRun, until: Ns) -> Ints:
    return np.unique(np.linspace(run.mids.first, until, LOOKS).astype(np.int64))


def moment_of(record: RunRecord, run: BookRun, lasts: Ns) -> Moment | None:
    """When a stretch of time would be worst to be cut off: the price goes furthest through most.

    None when no quote ever rested.
    """
    grid = _grid(run, run.mids.last - lasts)
    found: tuple[float, Moment] | None = None
    for m in np.unique(run.own.market).tolist():
        before, then = run.mids.at(m, grid), run.mids.at(m, grid + lasts)
        moved = np.where((before > 0) & (then > 0), then - before, 0)
        bids, offers = (resting_at(run.own, m, side, grid, run.mids.last) for side in (1, -1))
        hit = np.where(moved < 0, bids, np.where(moved > 0, offers, np.maximum(bids, offers)))
        lost = (np.abs(moved) + 1.0) * hit / record.markets[m].divisor
        k = int(np.argmax(lost))
        if hit[k] and (found is None or lost[k] > found[0]):
            shares = float(hit[k]) / 10 ** record.markets[m].size_decimals
            found = float(lost[k]), Moment(int(grid[k]), m, shares)
    return None if found is None else found[1]


def stake_at(record: RunRecord, run: BookRun, seen: Seen) -> Ns:
    """When most could be lost at once, should every market held end against what was held of it."""
    grid = _grid(run, run.mids.last)
    lost = np.zeros(len(grid))
    for m in seen.traded:
        market, mid = record.markets[m], run.mids.at(m, grid) / 2.0
        held = inventory_of(record, seen, m).at(grid)
        worth = np.where(held > 0, mid, market.price_one - mid)
        lost += np.where(mid > 0, np.abs(held) * worth / market.divisor, 0.0)
    return int(grid[int(np.argmax(lost))])


def gap_at(record: RunRecord, run: BookRun, seen: Seen) -> tuple[Gap, Moment] | None:
    """The gap that costs most: through the quotes of one side while the most of it is at stake.

    None when no quote ever rested.
    """
    grid, last = _grid(run, run.mids.last), run.mids.last
    found: tuple[float, Gap, Moment] | None = None
    for m in np.unique(run.own.market).tolist():
        market, mid = record.markets[m], run.mids.at(m, grid)
        held = inventory_of(record, seen, m).at(grid)
        for side in (1, -1):
            rests = resting_at(run.own, m, side, grid, last)
            stake = np.maximum(rests + side * held, 0)
            by = how_far(mid, best_own(run.own, m, side, grid, last), side, market.tick,
                        market.price_one if market.binary else 0)  # fmt: skip
            lost = np.where((rests > 0) & (mid > 0), stake * by / market.divisor, 0.0)
            k = int(np.argmax(lost))
            if lost[k] > 0 and (found is None or lost[k] > found[0]):
                shares = float(rests[k]) / 10**market.size_decimals
                gap = Gap(m, int(grid[k]) + 1, -side * int(by[k]))
                found = float(lost[k]), gap, Moment(int(grid[k]), m, shares)
    return None if found is None else found[1:]


def how_far(mid: Ints, quote: Ints, side: int, tick: Price, one: Price) -> Ints:
    """How far the price has to go to be well through a quote; ``one`` 0 without bounds.

    Shapes: (n,) each. Units: price units; ``mid`` twice that.
    """
    beyond = np.full(len(mid), GAP_TICKS * tick)
    if not one:
        beyond = np.maximum(beyond, mid // (2 * GAP_SHARE))
    away = np.where(quote > 0, side * (mid - 2 * quote) // 2, 0)
    by = -(-(np.maximum(away, 0) + beyond) // tick) * tick
    if one:
        room = mid // 2 if side > 0 else one - mid // 2
        by = np.minimum(by, np.maximum(room // tick - ROOM_TICKS, 0) * tick)
    found: Ints = by
    return found
