"""What orders execute on: the opens of bars, recorded prices, a market's last one at the end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyframe.api.exchange import Exchange
from polyframe.domain.events import Command, CommandKind, CommandReceived
from polyframe.domain.market import Market
from polyframe.domain.units import Ns
from polyframe.quant.split import last_rows
from polyframe.store.bar_columns import BarColumns
from polyframe.store.timeline import PriceColumns

END = "end of data"
"""Why a position was sold when the data ended."""


def executed_on(
    exchange: Exchange,
    markets: Sequence[Market],
    prices: PriceColumns,
    recorded: BarColumns | None,
    last: PriceColumns | None = None,
    *,
    resting: bool = True,
) -> Any:
    """What the venue executes on: the opens of recorded bars, the prices of other markets.

    An open is taken to stand until an order sent at the close before it has arrived. ``last`` are
    prices to stand once more for what is sold at the end. Without ``resting`` orders nobody asks
    how far a bar went.
    """
    entry: Ns = exchange.config.entry
    columns = prices
    recorded = in_order(recorded) if recorded is not None else None
    if recorded is not None:
        rest = _unbarred(prices, recorded, len(markets))
        columns = _opens(recorded, entry)
        columns = merged([rest, columns]) if len(rest) else columns
    if last is not None:
        # Just when an order that is sent at the last price arrives.
        after = PriceColumns(last.ts + 1 + entry, last.market, last.price, last.flag)
        columns = inserted(columns, after)
    quotes = exchange.quotes(columns, markets)  # type: ignore[attr-defined]
    if recorded is None or not resting:
        return quotes
    return replace(quotes, **_ranges(quotes, recorded, markets, entry))


def in_order(bars: BarColumns) -> BarColumns:
    """The bars by their first moment, then market: as they are known, unless some came late."""
    if bool((np.diff(bars.start) >= 0).all()) and bool(
        (bars.ts == bars.start + bars.interval - 1).all()
    ):
        return bars
    return bars.take(np.lexsort((bars.market, bars.start)))


def _unbarred(prices: PriceColumns, recorded: BarColumns, markets: int) -> PriceColumns:
    without = np.ones(markets, np.bool_)
    without[np.unique(recorded.market)] = False
    return only(prices, without)


def _opens(bars: BarColumns, entry: Ns) -> PriceColumns:
    return PriceColumns(
        _standing(bars, entry),
        bars.market,
        bars.open.astype(np.int64),
        np.zeros(len(bars), np.uint8),
    )


def _standing(bars: BarColumns, entry: Ns) -> NDArray[np.int64]:
    """The moment at which a bar's open is executed on."""
    return bars.start + min(entry, bars.interval - 1)


def _ranges(
    quotes: Any, bars: BarColumns, markets: Sequence[Market], entry: Ns
) -> dict[str, NDArray[np.int64]]:
    """How far each bar went, for orders that rest: known when the bar is.

    Half the spread of the open is taken off: what traded at the bar's lowest price sold to a bid.
    """
    low_ask, high_bid, done = quotes.ask.copy(), quotes.bid.copy(), quotes.ts.copy()
    rows: Any = slice(None)
    if len(quotes.ts) > len(bars):
        rows = _rows_of(quotes, _standing(bars, entry), bars.market)
    one = np.array([market.price_one for market in markets], np.int64)[bars.market]
    tick = np.array([market.tick for market in markets], np.int64)[bars.market]
    ask, bid = quotes.ask[rows], quotes.bid[rows]
    low_ask[rows] = np.where(ask > 0, np.clip(ask + bars.low - bars.open, tick, one - tick), 0)
    high_bid[rows] = np.where(bid > 0, np.clip(bid + bars.high - bars.open, tick, one - tick), 0)
    done[rows] = bars.ts
    return {"low_ask": low_ask, "high_bid": high_bid, "done": done}


def _rows_of(quotes: Any, ts: NDArray[np.int64], market: NDArray[np.int32]) -> NDArray[np.int64]:
    """The rows of these moments and markets; they are there."""
    moments = np.unique(quotes.ts)
    markets = int(quotes.market.max(initial=0)) + 1
    keys = np.searchsorted(moments, quotes.ts) * markets + quotes.market
    found: NDArray[np.int64] = np.searchsorted(
        keys, np.searchsorted(moments, ts) * markets + market
    )
    return found


def last_prices(shown: PriceColumns | BarColumns, markets: int) -> PriceColumns:
    """The last price of each market, in the order of time."""
    rows = last_rows(shown.market, markets)
    if isinstance(shown, BarColumns):
        return closes_of(shown.take(rows))
    return PriceColumns(shown.ts[rows], shown.market[rows], shown.price[rows], shown.flag[rows])


def closings(
    markets: Sequence[Market], last: PriceColumns, settled: Collection[str]
) -> list[CommandReceived]:
    """Sells what is held of each market at its last price, unless its outcome is on record."""
    return [
        CommandReceived(
            int(ts),
            Command(
                CommandKind.CLOSE, "backtest", market=markets[m].id, price=markets[m].tick,
                reason=END,
            ),
        )
        for ts, m in zip(last.ts, last.market, strict=True)
        if markets[m].id not in settled
    ]  # fmt: skip


def only(prices: PriceColumns, wanted: NDArray[np.bool_]) -> PriceColumns:
    """The prices of some markets."""
    keep = wanted[prices.market]
    return PriceColumns(prices.ts[keep], prices.market[keep], prices.price[keep], prices.flag[keep])


def merged(parts: Sequence[PriceColumns]) -> PriceColumns:
    """Several prices in one timeline, by time, then market; each is in that order."""
    parts = [part for part in parts if len(part)] or parts[:1]
    if len(parts) == 1:
        return parts[0]
    columns = [
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("ts", "market", "price", "flag")
    ]
    order = np.lexsort((columns[1], columns[0]))
    ts, market, price, flag = (column[order] for column in columns)
    return PriceColumns(ts, market, price, flag)


def inserted(many: PriceColumns, few: PriceColumns) -> PriceColumns:
    """A few prices among many, by time; at equal times after those that are there."""
    few = merged([few])
    at = np.searchsorted(many.ts, few.ts, side="right")
    columns = (
        np.insert(getattr(many, name), at, getattr(few, name))
        for name in ("ts", "market", "price", "flag")
    )
    return PriceColumns(*columns)


def closes_of(bars: BarColumns) -> PriceColumns:
    """The closes as prices, at the moment each was known."""
    return PriceColumns(
        bars.ts, bars.market, bars.close.astype(np.int64), np.zeros(len(bars), np.uint8)
    )
