"""Executable quotes out of recorded mids: the spread half of the simulated exchange."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import Market
from polyframe.domain.quality import UNQUOTED, Flag
from polyframe.domain.units import HOUR
from polyframe.errors import DataError
from polyframe.exchanges.sim.settings import PPM, SimSettings
from polyframe.kernels import spread_nb


class PriceColumns(Protocol):
    """Recorded mids in YES space, all markets in one time order."""

    @property
    def ts(self) -> NDArray[np.int64]:
        """When each price was known, ns, ascending."""

    @property
    def market(self) -> NDArray[np.int32]:
        """Index of the row's market."""

    @property
    def price(self) -> NDArray[np.int64]:
        """The mid in the market's price units."""

    @property
    def flag(self) -> NDArray[np.uint8]:
        """Bits of :class:`polyframe.domain.quality.Flag`."""


@dataclass(frozen=True, slots=True)
class QuoteColumns:
    """Executable bid and ask of every row, in YES space; 0 where nobody can trade.

    ``price`` is the recorded mid; without it the middle of bid and ask stands in. A row with one of
    the bits of ``untrusted`` in its flag is no price to decide on.

    A row that stands for a bar, executed on at its open, also says how far the bar went: the lowest
    ask and the highest bid of it, which orders that rest meet, and when that was known (``done``).
    """

    ts: NDArray[np.int64]
    market: NDArray[np.int32]
    bid: NDArray[np.int64]
    ask: NDArray[np.int64]
    flag: NDArray[np.uint8]
    price: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    untrusted: int = int(UNQUOTED)
    low_ask: NDArray[np.int64] | None = None
    high_bid: NDArray[np.int64] | None = None
    done: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if self.price.shape[0] == 0:
            object.__setattr__(self, "price", (self.bid + self.ask) // 2)
        _check_rows(self.ts, self.market, self.bid, self.ask, self.flag, self.price, *self.ranges)

    @property
    def ranges(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """How far each row went and when that was known; a price goes nowhere."""
        if self.low_ask is None or self.high_bid is None or self.done is None:
            return self.ask, self.bid, self.ts
        return self.low_ask, self.high_bid, self.done


def _check_rows(ts: NDArray[np.int64], *columns: NDArray[Any]) -> None:
    lengths = {column.shape[0] for column in columns} | {ts.shape[0]}
    if len(lengths) != 1:
        raise DataError(
            f"price columns have lengths {sorted(lengths)}", expected="one length for all columns"
        )
    if ts.shape[0] and bool((np.diff(ts) < 0).any()):
        row = int(np.argmax(np.diff(ts) < 0)) + 1
        raise DataError(
            f"price row {row} is older than the row before it",
            expected="rows in ascending time",
            hint="polyframe data check",
        )


def check_markets(market: NDArray[np.int32], count: int) -> None:
    """Passes when every row belongs to one of ``count`` markets.

    Raises:
        DataError: it does not.
    """
    if market.shape[0] and not 0 <= int(market.min()) <= int(market.max()) < count:
        raise DataError(
            f"price rows name market {int(market.min())} to {int(market.max())}",
            expected=f"an index of one of the {count} markets given",
        )


def executable(
    columns: PriceColumns, markets: Sequence[Market], settings: SimSettings
) -> QuoteColumns:
    """Bid and ask of every row by the stated spread model.

    Raises:
        DataError: columns of different lengths, unsorted rows, unknown markets, a tick that does
            not divide 1.
    """
    _check_rows(columns.ts, columns.market, columns.price, columns.flag)
    check_markets(columns.market, len(markets))
    for market in markets:
        if market.price_one % market.tick:
            raise DataError(
                f"market {market.id}: tick {market.tick} does not divide {market.price_one}",
                expected="a tick such as 1, 10, 25 or 100",
            )
    ts = np.ascontiguousarray(columns.ts, np.int64)
    market_rows = np.ascontiguousarray(columns.market, np.int32)
    price = np.ascontiguousarray(columns.price, np.int64)
    flag = np.ascontiguousarray(columns.flag, np.uint8)
    untrusted = int(Flag.NONE if settings.allow_unquoted else UNQUOTED)
    if settings.spread == "none":
        one = np.array([market.price_one for market in markets], np.int64)
        dead = (flag & int(refused_flags(settings))) != 0
        dead |= (price <= 0) | (price >= one[market_rows])
        bare = np.where(dead, 0, price) if dead.any() else price
        return QuoteColumns(ts, market_rows, bare, bare, flag, price, untrusted)
    bid, ask = np.zeros(price.shape[0], np.int64), np.zeros(price.shape[0], np.int64)
    spread_nb.quote(
        ts,
        market_rows,
        price,
        flag,
        np.array([market.tick for market in markets], np.int64),
        np.array([market.price_one for market in markets], np.int64),
        *_steps(settings.half_spread_floor, PPM),
        *_steps(settings.young_half_spread, HOUR),
        settings.roll_window,
        settings.roll_min_pairs,
        _millionths(settings.jump_share),
        _millionths(-math.expm1(-1 / settings.unquoted_memory)),
        _millionths(settings.unquoted_half_spread),
        math.floor(settings.spread_cap / 2 * PPM),
        settings.stress,
        int(refused_flags(settings)),
        int(Flag.GAP),
        bid,
        ask,
    )
    return QuoteColumns(ts, market_rows, bid, ask, flag, price, untrusted)


def _millionths(fraction: float) -> int:
    """A cost as millionths, rounded up; float noise below a thousandth of one is dropped."""
    return math.ceil(round(fraction * PPM, 3))


def _steps(
    table: tuple[tuple[float, float], ...], unit: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A table of (bound, half spread) as the kernel's two arrays."""
    bounds = np.array([math.floor(round(upto * unit, 3)) for upto, _ in table], np.int64)
    return bounds, np.array([_millionths(half) for _, half in table], np.int64)


def refused_flags(settings: SimSettings) -> Flag:
    """The findings that make a row untradable."""
    if settings.allow_unquoted:
        return Flag.NONE
    return UNQUOTED if settings.allow_near else UNQUOTED | Flag.NEAR
