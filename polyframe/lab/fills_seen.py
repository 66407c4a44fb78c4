"""The fills of a run over recorded books against the mids of its tape."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.units import MINUTE, SECOND, Ns
from polyframe.kernels import markout_nb
from polyframe.lab.columns import Columns
from polyframe.quant.markouts import Bunched, bunched_mean
from polyframe.runtime.tape_mids import Mids

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

HORIZONS: tuple[Ns, ...] = (10 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE)
FOREVER = 1 << 62
LOOKS = 2_000
"""At so many moments of a market it is looked where the mid went, whoever traded."""


class After(NamedTuple):
    """What the mid did some time after fills.

    ``known`` picks the fills with a mid before them and then; the others are of these alone.

    Shapes: known (fills,); the others (known fills,). Units: ticks; ``weight`` shares.
    """

    known: NDArray[np.bool_]
    edge: Floats
    markout: Floats
    weight: Floats


class Seen:
    """Fills in YES space, each with the mid just before it.

    Attributes:
        market, side, price, size, ts: as columns, by time.
        before: bid + ask just before each, 0 for none.
    """

    def __init__(self, columns: Columns, mids: Mids) -> None:
        f = columns.fills
        self.columns, self.mids = columns, mids
        self.order: Ints = np.argsort(f.ts, kind="stable")
        rows = self.order
        one = columns.one[f.market]
        side = np.where(f.buy, 1, -1)
        self.market: Ints = f.market[rows]
        self.side: Ints = np.where(f.first, side, -side)[rows]
        self.price: Ints = np.where(f.first, f.price, one - f.price)[rows]
        self.size: Ints = f.size[rows]
        self.fee: Ints = f.fee[rows]
        self.ts: Ints = f.ts[rows]
        self.maker: NDArray[np.bool_] = f.maker[rows]
        decided = f.mid[rows]
        self.decided: Ints = np.where(decided >= 0, 2 * decided, 0)
        self.before: Ints = np.zeros(len(rows), np.int64)
        for m in self.traded:
            own = np.flatnonzero(self.market == m)
            self.before[own] = mids.before(m, self.ts[own])

    def __len__(self) -> int:
        return len(self.ts)

    @cached_property
    def traded(self) -> list[int]:
        """The markets with fills."""
        return [int(m) for m in np.unique(self.market)]

    @cached_property
    def ticks(self) -> Floats:
        """The tick of each fill's market. Units: price units."""
        own = [market.tick for market in self.columns.markets]
        return np.array(own, np.float64)[self.market]

    @cached_property
    def shares(self) -> Floats:
        """What each fill was of, in shares."""
        return self.size / self.columns.unit[self.market]

    @cached_property
    def notional(self) -> Ints:
        """What was traded, in YES space at the price paid. Units: money."""
        found: Ints = self.price * self.size // self.columns.divisor[self.market]
        return found

    @cached_property
    def spread(self) -> Ints:
        """What each fill earned against the mid before it, rounded down; 0 where there is none.

        Units: money.
        """
        won = self.side * (self.before - 2 * self.price)
        return self._money(np.where(self.before > 0, won, 0))

    def _money(self, twice: Ints) -> Ints:
        found: Ints = twice * self.size // (2 * self.columns.divisor[self.market])
        return found

    def twice_markout(self, horizon: Ns) -> Ints:
        """The mid some time after each fill against its price; MISSING where none is known.

        Units: twice price units.
        """
        out = np.full(len(self), markout_nb.MISSING, np.int64)
        for m in self.traded:
            if not len(self.mids.ts[m]):
                continue  # its book never had two sides
            own = np.flatnonzero(self.market == m)
            found = np.full(len(own), markout_nb.MISSING, np.int64)
            # The last mid stands to the end of what was recorded.
            ts = np.append(self.mids.ts[m], max(self.mids.last, int(self.mids.ts[m][-1])))
            twice = np.append(self.mids.twice[m], self.mids.twice[m][-1])
            read = [
                _read(column)
                for column in (self.ts[own], self.side[own], self.price[own], ts, twice)
            ]
            markout_nb.markouts(*read, horizon, FOREVER, found)
            there = self.mids.at(m, self.ts[own] + horizon) > 0
            out[own] = np.where(there, found, markout_nb.MISSING)
        return out

    def after(self, horizon: Ns) -> After:
        """What the mid did after each fill, in ticks."""
        twice = self.twice_markout(horizon)
        known = (twice != markout_nb.MISSING) & (self.before > 0)
        double = 2.0 * self.ticks[known]
        won = self.side * (self.before - 2 * self.price)
        return After(known, won[known] / double, twice[known] / double, self.shares[known])

    def money_later(self, horizon: Ns) -> Ints:
        """What each fill is worth some time later against its price, 0 where that is not known.

        Units: money.
        """
        twice = self.twice_markout(horizon)
        return self._money(np.where(twice != markout_nb.MISSING, twice, 0))

    def markout(self, horizon: Ns, after: After) -> Bunched | None:
        """The mean markout, fills of one market and stretch of time as one."""
        stretch = self.ts[after.known] // max(horizon, MINUTE)
        many = len(self.columns.markets)
        return bunched_mean(after.markout, after.weight, stretch * many + self.market[after.known])

    def drift(self, horizon: Ns, after: After) -> float | None:
        """What the mid moves in as long from any moment, for the sides of these fills."""
        total = float(after.weight.sum())
        if not total:
            return None
        moved, market, side = 0.0, self.market[after.known], self.side[after.known]
        first, last = self.mids.first, self.mids.last - horizon
        if last <= first:
            return None
        grid = np.linspace(first, last, LOOKS).astype(np.int64)
        for m in self.traded:
            a, b = self.mids.at(m, grid), self.mids.at(m, grid + horizon)
            both = (a > 0) & (b > 0)
            if both.any():
                tick = 2.0 * self.columns.markets[m].tick
                mean = float((b - a)[both].mean()) / tick
                own = market == m
                moved += mean * float(side[own] @ after.weight[own])
        return moved / total


def _read(column: Ints) -> Ints:
    view = np.ascontiguousarray(column)
    view = view.view()
    view.flags.writeable = False
    return view
