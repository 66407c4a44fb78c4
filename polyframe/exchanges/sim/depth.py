"""One market's executable rows and the uniform book behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import Market, Resolution
from polyframe.domain.orders import Side
from polyframe.domain.units import Ns, Price, Size, ceil_div
from polyframe.exchanges.sim.quotes import QuoteColumns, check_markets, refused_flags
from polyframe.exchanges.sim.settings import SimSettings
from polyframe.exchanges.sim.shape import shape_of
from polyframe.kernels import match_nb
from polyframe.quant.split import by_code


class Walked(NamedTuple):
    """What a taker gets from a book. ``average`` is rounded against the taker.

    Units: size units, YES price units; ``stopped`` says what ended the walk, empty when nothing.
    """

    size: Size
    average: Price
    stopped: str


@dataclass(frozen=True, slots=True)
class Depth:
    """A book of ``levels`` equal levels of ``level`` shares, ``step`` apart, from the best on."""

    level: Size
    step: Price
    levels: int

    @classmethod
    def of(cls, market: Market, settings: SimSettings) -> Depth:
        """The book that the settings give a market; the stress multiplier thins it out."""
        shape = shape_of(market, settings)
        return cls(shape.level, shape.step, shape.levels)

    @property
    def total(self) -> Size:
        """All there is within reach."""
        return self.level * self.levels

    def walk(
        self, side: Side, best: Price, limit: Price, size: Size, used: Size, one: Price
    ) -> Walked:
        """Takes up to ``size`` from the levels that ``used`` shares have left, within the limit."""
        left, total, stopped = size, 0, "depth"
        for k in range(self.levels):
            price = best + side * k * self.step
            if side * (limit - price) < 0:
                stopped = "limit"
                break
            if not 0 < price < one:
                break
            room = self.level - min(max(used - k * self.level, 0), self.level)
            taken = min(room, left)
            left -= taken
            total += taken * price
            if left == 0:
                stopped = ""
                break
        filled = size - left
        if filled == 0:
            return Walked(0, 0, stopped)
        average = ceil_div(total, filled) if side is Side.BUY else total // filled
        return Walked(filled, average, stopped)


class Rows:
    """The rows of one market, oldest first, up to its end of trading.

    Attributes:
        ends: when trading ends: its closing time, or the moment the outcome was known if that came
            first; None when neither is known.
    """

    __slots__ = (
        "ask", "bid", "done", "ends", "flag", "high_bid", "low_ask", "market", "price", "refused",
        "stop", "ts",
    )  # fmt: skip

    def __init__(
        self,
        market: Market,
        resolution: Resolution | None,
        columns: tuple[NDArray[np.int64], ...],
        flag: NDArray[np.uint8],
        refused: int,
    ) -> None:
        self.market = market
        self.ts, self.bid, self.ask, self.price, self.low_ask, self.high_bid, self.done = columns
        self.flag = flag
        self.refused = refused
        bounds = [market.closes] if market.closes else []
        if resolution is not None:
            bounds.append(resolution.known_at)
        self.ends: Ns | None = min(bounds) if bounds else None
        self.stop = self.first_at(self.ends) if self.ends is not None else len(self.ts)

    def first_at(self, ts: Ns) -> int:
        """The first row at or after a moment."""
        return int(np.searchsorted(self.ts, ts, side="left"))

    def standing_at(self, ts: Ns) -> int:
        """The last row at or before a moment, -1 when there is none."""
        return int(np.searchsorted(self.ts, ts, side="right")) - 1

    def flagged(self, row: int) -> bool:
        """True when the row's price is one behind which no quote stood."""
        return bool(int(self.flag[row]) & self.refused)

    def best(self, row: int, side: Side) -> Price:
        """What a taker on this side (YES space) meets: the ask or the bid, 0 for nobody."""
        return int(self.ask[row] if side is Side.BUY else self.bid[row])

    def crosses(self, row: int, side: Side, limit: Price) -> bool:
        """True when an order at the limit would execute at once on this row."""
        best = self.best(row, side)
        return best > 0 and side * (limit - best) >= 0

    def through(self, start: int, side: Side, limit: Price) -> int:
        """The first row from ``start`` on that trades through a resting limit, -1 for none."""
        row = match_nb.first_through(
            self.high_bid, self.low_ask, start, self.stop, int(side), limit
        )
        return int(row)


def split_rows(
    markets: Sequence[Market],
    resolutions: Sequence[Resolution | None],
    quotes: QuoteColumns,
    settings: SimSettings,
) -> list[Rows]:
    """Every market's own rows. A refused row loses its quote whatever the columns say.

    Raises:
        DataError: a row names a market that is not given.
    """
    check_markets(quotes.market, len(markets))
    refused = int(refused_flags(settings))
    closed = (quotes.flag & refused) != 0
    order, spans = by_code(quotes.market, len(markets))
    low_ask, high_bid, done = quotes.ranges
    sides = [_unless(closed, quotes.bid), _unless(closed, quotes.ask), quotes.price]
    # Without a spread these may be one and the same.
    made = {id(side): _taken(side, order) for side in {id(side): side for side in sides}.values()}
    columns = [_taken(quotes.ts, order), *(made[id(side)] for side in sides)]
    if quotes.done is None:
        columns += [columns[2], columns[1], columns[0]]
    else:
        columns += [
            _taken(column, order)
            for column in (_unless(closed, low_ask), _unless(closed, high_bid), done)
        ]
    flag = np.ascontiguousarray(quotes.flag[order], np.uint8)
    rows = []
    for market, resolution, part in zip(markets, resolutions, spans, strict=True):
        own = tuple(column[part] for column in columns)
        rows.append(Rows(market, resolution, own, flag[part], refused))
    return rows


def _taken(column: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.ascontiguousarray(column[order], np.int64)


def _unless(closed: NDArray[np.bool_], column: NDArray[np.int64]) -> NDArray[np.int64]:
    """The column without what stands in closed rows."""
    return np.where(closed, 0, column) if closed.any() else column
