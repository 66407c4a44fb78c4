"""The bars of a replay: which strategies get, what they ask for, what orders execute on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from polyframe.api.exchange import Exchange
from polyframe.api.strategy import Strategy
from polyframe.domain.events import CommandReceived
from polyframe.domain.market import Market, Resolution
from polyframe.domain.units import Ns
from polyframe.errors import DataError, PluginError
from polyframe.kernels.signals_nb import ENTER, EXIT
from polyframe.quant.bars import timeframe_ns, timeframe_text
from polyframe.quant.split import last_rows
from polyframe.runtime.barfeed import BarRows, Heard
from polyframe.runtime.barfills import closes_of, closings, executed_on, last_prices, only
from polyframe.runtime.calls import PluginCalls
from polyframe.runtime.feed import QuoteRows
from polyframe.runtime.signals import signals_of
from polyframe.store.bar_columns import (
    BarColumns,
    empty_bars,
    from_prices,
    joined,
    resampled,
)
from polyframe.store.timeline import PriceColumns


def frame_length(strategy: Strategy) -> Ns:
    """The length of a strategy's bars, 0 when it wants none.

    Raises:
        PluginError: it wants bars and says not of which length, or none there are.
    """
    cls = type(strategy)
    wanting = [
        name for name in ("features", "on_bar") if getattr(cls, name) is not getattr(Strategy, name)
    ]
    if not cls.timeframe:
        if wanting:
            raise PluginError(
                f"strategy {cls.__name__} has {' and '.join(wanting)} and no timeframe",
                expected="the length of the bars it wants",
                hint=f'write in class {cls.__name__}: timeframe = "1h"',
            )
        return 0
    try:
        return timeframe_ns(cls.timeframe)
    except DataError as error:
        raise PluginError(
            f"strategy {cls.__name__}: {error.message}", expected=error.expected or ""
        ) from None


def base_length(lengths: Mapping[str, Ns], recorded: BarColumns | None) -> Ns:
    """The length of the bars that all are made of: the recorded one, else what fits all wanted.

    Raises:
        DataError: a wanted length is no multiple of it.
    """
    wanted = [length for length in lengths.values() if length]
    if recorded is None or not len(recorded):
        return math.gcd(*wanted)
    for ledger, length in lengths.items():
        if length % recorded.interval:
            have = timeframe_text(recorded.interval)
            raise DataError(
                f"strategy {ledger} wants bars of {timeframe_text(length)}, recorded are {have}",
                expected=f"a multiple of {have}",
                hint="import shorter bars, or change the strategy's timeframe",
            )
    return recorded.interval


def base_bars(
    prices: PriceColumns, recorded: BarColumns | None, length: Ns, markets: int
) -> BarColumns:
    """The shortest bars of every market: recorded ones, or made from its prices where none are."""
    if recorded is None or not len(recorded):
        return _of_prices(prices, length)
    without = np.ones(markets, np.bool_)
    without[np.unique(recorded.market)] = False
    rest = _of_prices(only(prices, without), length)
    return joined([recorded, rest]) if len(rest) else recorded


def _of_prices(prices: PriceColumns, length: Ns) -> BarColumns:
    # What had not ended when the recording did is no bar.
    return (
        from_prices(prices, length).until(int(prices.ts[-1])) if len(prices) else empty_bars(length)
    )


def bar_rows(
    exchange: Exchange,
    markets: Sequence[Market],
    base: BarColumns,
    strategies: Mapping[str, Strategy],
    lengths: Mapping[str, Ns],
    calls: PluginCalls,
) -> BarRows:
    """The rows of the feed, with what every strategy's features ask for.

    Raises:
        PluginError: a strategy's features failed.
    """
    frames = {n: resampled(base, n) for n in sorted({n for n in lengths.values() if n})}
    ts, market = base.ts, base.market
    close = exchange.quotes(closes_of(base), markets)  # type: ignore[attr-defined]
    bid, ask = close.bid, close.ask
    extra = [frame for n, frame in frames.items() if n != base.interval]
    if extra:
        # A longer bar may end in an interval that has no shorter one: it is heard of all the same.
        ts, market, source = _united(base, extra)
        bid, ask = (np.where(source < 0, 0, side[np.maximum(source, 0)]) for side in (bid, ask))
    signals = np.zeros((len(strategies), len(ts)), np.uint8)
    heard: list[Heard | None] = []
    for k, (ledger, strategy) in enumerate(strategies.items()):
        if not lengths[ledger]:
            heard.append(None)
            continue
        bars = frames[lengths[ledger]]
        found = signals_of(calls, ledger, strategy, bars, markets)
        if not extra:
            signals[k] = found.bits
            heard.append(Heard(ledger, bars, found, None))
            continue
        at = _places(ts, market, bars)
        there = at >= 0
        signals[k, there] = found.bits[at[there]]
        heard.append(Heard(ledger, bars, found, at))
    return BarRows(
        _frozen(ts), _frozen(market), _frozen(bid), _frozen(ask),
        _frozen(np.zeros(len(ts), np.uint8)), close.untrusted, signals, heard,
    )  # fmt: skip


def _frozen(column: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(column)


def _united(
    base: BarColumns, longer: Sequence[BarColumns]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """All moments at which a bar of a market was known, and the base bar standing at each."""
    ts = np.concatenate([base.ts, *(bars.ts for bars in longer)])
    market = np.concatenate([base.market, *(bars.market for bars in longer)])
    row = np.concatenate([np.arange(len(base)), np.full(len(ts) - len(base), -1)])
    # By market and time, the base bar first: what repeats a moment says nothing new.
    order = np.lexsort((row < 0, ts, market))
    ts, market, row = ts[order], market[order], row[order]
    new = np.ones(len(ts), np.bool_)
    new[1:] = (np.diff(ts) != 0) | (np.diff(market) != 0)
    ts, market, row = ts[new], market[new], row[new]
    place = np.maximum.accumulate(np.where(row >= 0, np.arange(len(row)), -1))
    standing = np.where(place >= 0, row[np.maximum(place, 0)], -1)
    # A market's first row is one of its base bars: no longer bar is known before its first part.
    order = np.lexsort((market, ts))
    return ts[order], market[order], standing[order]


def _places(
    ts: NDArray[np.int64], market: NDArray[np.int32], bars: BarColumns
) -> NDArray[np.int64]:
    """For each row the bar that was known at it, -1 for none. Both are sorted by time, market."""
    moments = np.unique(ts)
    markets = int(market.max(initial=0)) + 1
    keys = np.searchsorted(moments, ts) * markets + market
    at = np.full(len(ts), -1, np.int64)
    found = np.searchsorted(keys, np.searchsorted(moments, bars.ts) * markets + bars.market)
    at[found] = np.arange(len(bars))
    return at


@dataclass(frozen=True)
class Playable:
    """What a replay walks over, what its orders execute on, and what it sells at the end."""

    rows: QuoteRows
    executed: Any
    closings: Sequence[CommandReceived]

    @property
    def start(self) -> Ns:
        """The moment of the first row."""
        return int(self.rows.ts[0])


class Source(Protocol):
    """Recorded data."""

    @property
    def prices(self) -> PriceColumns:
        """Prices of all markets."""

    @property
    def bars(self) -> BarColumns | None:
        """Bars of some of them."""

    @property
    def resolutions(self) -> Mapping[str, Resolution]:
        """How markets ended."""


def playable(
    exchange: Exchange,
    markets: Sequence[Market],
    data: Source,
    strategies: Mapping[str, Strategy],
    calls: PluginCalls,
    *,
    close_at_end: bool = False,
) -> Playable:
    """The rows of a replay: bars where a strategy wants them, else prices.

    Raises:
        PluginError: a strategy's timeframe is none, or its features failed.
        DataError: the recorded bars are too long for a strategy.
    """
    lengths = {ledger: frame_length(strategy) for ledger, strategy in strategies.items()}
    rows: QuoteRows
    if any(lengths.values()):
        base = bars_for(data, lengths, len(markets))
        if not len(base):
            raise DataError(
                f"no bar of {timeframe_text(base.interval)} ended within the recorded prices",
                expected="a longer recording, or a shorter timeframe",
            )
        rows = bar_rows(exchange, markets, base, strategies, lengths, calls)
        rows = without_last(rows, len(markets)) if close_at_end else rows
        shown: PriceColumns | BarColumns = base
        recorded = data.bars
    else:
        shown, recorded = data.prices, None
        rows = exchange.quotes(shown, markets)  # type: ignore[attr-defined]
        if not close_at_end:
            return Playable(rows, rows, ())
    last = last_prices(shown, len(markets)) if close_at_end else None
    resting = not all(only_signals(strategy) for strategy in strategies.values())
    executed = executed_on(exchange, markets, data.prices, recorded, last, resting=resting)
    sold = closings(markets, last, data.resolutions) if last is not None else ()
    return Playable(rows, executed, sold)


def only_signals(strategy: Strategy) -> bool:
    """True when nothing but the columns of its features makes a strategy trade."""
    cls = type(strategy)
    return not any(
        name.startswith("on_") and getattr(cls, name) is not getattr(Strategy, name)
        for name in dir(Strategy)
    )


def bars_for(data: Source, lengths: Mapping[str, Ns], markets: int) -> BarColumns:
    """The shortest bars of every market that strategies with these timeframes are given.

    Raises:
        DataError: the recorded bars are too long for a strategy.
    """
    length = base_length(lengths, data.bars)
    return base_bars(data.prices, data.bars, length, markets)


def strategy_bars(data: Source, strategy: Strategy, markets: int) -> BarColumns:
    """The bars of its timeframe that a strategy's features get.

    Raises:
        PluginError: the strategy has no timeframe.
        DataError: the recorded bars are too long for it.
    """
    name, length = type(strategy).__name__, frame_length(strategy)
    if not length:
        raise PluginError(
            f"strategy {name} has no timeframe",
            expected="the length of the bars it wants",
            hint=f'write in class {name}: timeframe = "1h"',
        )
    return resampled(bars_for(data, {name: length}, markets), length)


def without_last(rows: BarRows, markets: int) -> BarRows:
    """The rows without the signals of each market's last one: it is sold there anyway."""
    signals = rows.signals.copy()
    signals[:, last_rows(rows.market, markets)] &= ~np.uint8(ENTER | EXIT)
    return replace(rows, signals=signals)
