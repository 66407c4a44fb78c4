"""Bars of several markets in one timeline: read from a catalogue, or made from its prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import Market
from polyframe.domain.quality import UNQUOTED
from polyframe.domain.units import Ns
from polyframe.errors import DataError
from polyframe.store.columns import WHOLE
from polyframe.store.parquet import places_in, plain_array, read_table, text_array
from polyframe.store.schema import BARS
from polyframe.store.timeline import PriceColumns

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BarColumns:
    """Bars of one length, sorted by the time they were known, then market.

    Shapes: all (n,).
    Units: ts and start ns, ts when the bar was known (its last nanosecond at the earliest) and
    start its first moment; market index into the list asked for; prices 1e-4 of YES; volume 1e-6
    shares; interval ns.
    """

    ts: NDArray[np.int64]
    start: NDArray[np.int64]
    market: NDArray[np.int32]
    open: NDArray[np.int32]
    high: NDArray[np.int32]
    low: NDArray[np.int32]
    close: NDArray[np.int32]
    volume: NDArray[np.int64]
    interval: Ns

    def __len__(self) -> int:
        return len(self.ts)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> BarColumns:
        """Some of the bars, in the order given."""
        return BarColumns(
            self.ts[rows], self.start[rows], self.market[rows], self.open[rows], self.high[rows],
            self.low[rows], self.close[rows], self.volume[rows], self.interval,
        )  # fmt: skip

    def until(self, moment: Ns) -> BarColumns:
        """The bars known by a moment."""
        return self.take(slice(0, int(np.searchsorted(self.ts, moment, side="right"))))


def sorted_bars(bars: BarColumns) -> BarColumns:
    """The bars by the time they were known, then market."""
    return bars.take(np.lexsort((bars.market, bars.ts)))


def joined(parts: Sequence[BarColumns]) -> BarColumns:
    """Bars of one length from several sources, in order."""
    names = ("ts", "start", "market", "open", "high", "low", "close", "volume")
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in names]
    return sorted_bars(_made(columns, parts[0].interval))


def _made(columns: Sequence[Any], interval: Ns) -> BarColumns:
    ts, start, market, open_, high, low, close, volume = columns
    return BarColumns(ts, start, market, open_, high, low, close, volume, interval)


def empty_bars(interval: Ns) -> BarColumns:
    """No bars."""
    wide, narrow = np.zeros(0, np.int64), np.zeros(0, np.int32)
    return BarColumns(wide, wide, narrow, narrow, narrow, narrow, narrow, wide, interval)


def bar_columns(
    files: Sequence[Path],
    markets: Sequence[Market],
    interval: Ns,
    start: Ns | None = None,
    end: Ns | None = None,
) -> BarColumns:
    """Bars of YES of one length from several files; where both tokens were recorded, the first's.

    Raises:
        DataError: a file is damaged or holds impossible bars.
    """
    tokens = {
        token.id: (index, side)
        for index, market in enumerate(markets)
        for side, token in enumerate(market.tokens[:2])
    }
    parts = [_read(path, tokens, interval, start, end) for path in files] if tokens else []
    rows: list[Ints] = [
        np.concatenate([part[i] for part in parts] or [np.zeros(0, np.int64)]) for i in range(9)
    ]
    order = np.lexsort((rows[1], rows[0], rows[2]))
    rows = [column[order] for column in rows]
    first = np.ones(len(order), np.bool_)
    first[1:] = (np.diff(rows[2]) != 0) | (np.diff(rows[0]) != 0)
    market, _, begins, open_, high, low, close, volume, known = (column[first] for column in rows)
    small = [column.astype(np.int32) for column in (market, open_, high, low, close)]
    return sorted_bars(_made([known, begins, *small, volume], interval))


def _read(
    path: Path,
    tokens: dict[str, tuple[int, int]],
    interval: Ns,
    start: Ns | None,
    end: Ns | None,
) -> tuple[Ints, ...]:
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy

    names = ("token", "interval", "ts", "open", "high", "low", "close", "volume", "known_at")
    rows = read_table(path, BARS, names)
    for name in names:
        if rows[name].null_count:
            raise _impossible(path, f"{rows[name].null_count} bars without {name}")
    rows = rows.filter(pc.equal(rows["interval"], pa.scalar(interval, pa.int64())))
    at = places_in(rows["token"], list(tokens))
    keep = at >= 0
    begins, known = plain_array(rows["ts"]), plain_array(rows["known_at"])
    if start is not None:
        keep &= begins >= start
    if end is not None:
        keep &= known < end
    place = np.array(list(tokens.values()), np.int64).reshape(-1, 2)
    market, side = place[at[keep], 0], place[at[keep], 1]
    opened, high, low, close = (
        plain_array(rows[name])[keep].astype(np.int64) for name in ("open", "high", "low", "close")
    )
    top, bottom = np.maximum(opened, close), np.minimum(opened, close)
    torn = (high < top) | (low > bottom) | (low < 0) | (high > WHOLE)
    if torn.any():
        raise _impossible(path, f"{int(torn.sum())} bars with impossible prices")
    if (known[keep] < begins[keep] + interval - 1).any():
        raise _impossible(path, "bars known before they ended")
    no = side == 1
    opened, close = np.where(no, WHOLE - opened, opened), np.where(no, WHOLE - close, close)
    high, low = np.where(no, WHOLE - low, high), np.where(no, WHOLE - high, low)
    volume = plain_array(rows["volume"])[keep]
    return market, side, begins[keep], opened, high, low, close, volume, known[keep]


def intervals_of(files: Sequence[Path], markets: Sequence[Market]) -> dict[Ns, int]:
    """The lengths of bars on record of some markets, each with its number of rows."""
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy

    known = text_array([t.id for market in markets for t in market.tokens[:2]])
    found: dict[Ns, int] = {}
    for path in files:
        rows = read_table(path, BARS, ("token", "interval"))
        rows = rows.filter(pc.is_in(rows["token"], value_set=known))
        for entry in pc.value_counts(rows["interval"]).to_pylist():
            found[entry["values"]] = found.get(entry["values"], 0) + entry["counts"]
    return dict(sorted(found.items()))


def from_prices(prices: PriceColumns, interval: Ns) -> BarColumns:
    """Bars of recorded prices: unquoted rows are no prices, an interval without one has no bar.

    A bar is known at its interval's last nanosecond; its volume is not known and 0.
    """
    fair = (prices.flag & np.uint8(UNQUOTED)) == 0
    ts, market, price = prices.ts[fair], prices.market[fair], prices.price[fair]
    return _merged(ts, market, price, price, price, price, np.zeros(len(ts), np.int64), interval)


def resampled(bars: BarColumns, interval: Ns, last: Ns | None = None) -> BarColumns:
    """Longer bars made of shorter ones; an interval that had not ended by ``last`` has none.

    Raises:
        DataError: the longer length is no multiple of the shorter.
    """
    if interval % bars.interval:
        raise DataError(
            f"bars of {bars.interval} ns cannot be made into bars of {interval} ns",
            expected="a multiple of the recorded length",
        )
    if interval == bars.interval:
        return bars
    made = _merged(
        bars.start, bars.market, bars.open, bars.high, bars.low, bars.close, bars.volume, interval,
        known=bars.ts,
    )  # fmt: skip
    if last is None:
        last = int(bars.ts[-1]) if len(bars) else 0
    return made.until(last)


def _merged(
    ts: Ints,
    market: NDArray[np.int32],
    open_: NDArray[np.integer],
    high: NDArray[np.integer],
    low: NDArray[np.integer],
    close: NDArray[np.integer],
    volume: Ints,
    interval: Ns,
    known: Ints | None = None,
) -> BarColumns:
    """Rows put together by market and interval of their time."""
    order = np.lexsort((ts, market))
    ts, market = ts[order], market[order]
    start = ts - ts % interval
    first = np.ones(len(order), np.bool_)
    first[1:] = (np.diff(market) != 0) | (np.diff(start) != 0)
    at = np.flatnonzero(first)
    if not len(at):
        return empty_bars(interval)
    last = np.append(at[1:], len(order)) - 1
    ends = start[at] + interval - 1
    if known is not None:
        ends = np.maximum(ends, np.maximum.reduceat(known[order], at))
    made = BarColumns(
        ends,
        start[at],
        market[at].astype(np.int32),
        open_[order][at].astype(np.int32),
        np.maximum.reduceat(high[order], at).astype(np.int32),
        np.minimum.reduceat(low[order], at).astype(np.int32),
        close[order][last].astype(np.int32),
        np.add.reduceat(volume[order], at),
        interval,
    )
    return sorted_bars(made)


def _impossible(path: Path, found: str) -> DataError:
    return DataError(
        f"{path} has {found}",
        expected=f"prices of 0 to {WHOLE} (1e-4) with low <= open, close <= high in every bar",
        hint=f"polyframe data check '{path.parent.parent}'",
    )
