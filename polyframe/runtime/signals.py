"""What a strategy's features ask for: all bars of a market at once, or bar by bar as they close."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polyframe.api.strategy import Strategy
from polyframe.domain.events import BarClosed, BarSignalled
from polyframe.domain.market import Market
from polyframe.errors import PluginError
from polyframe.kernels.signals_nb import ENTER, EXIT, WAKE
from polyframe.quant.bars import COLUMNS
from polyframe.quant.split import by_code
from polyframe.runtime.calls import PluginCalls
from polyframe.store.bar_columns import BarColumns

if TYPE_CHECKING:
    from pandas import DataFrame, DatetimeIndex, Index, Series

BITS = {"enter": ENTER, "exit": EXIT, "wake": WAKE}
"""The reserved columns that ask for something."""
STATED = ("probability", "edge")
"""The reserved columns that say what an entry is believed to be worth."""
SECONDS = 60.0
"""How long the features of one market may take."""
WINDOW = 500
"""Bars that features get when bars come one by one, if ``startup_bars`` asks for fewer."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Signals:
    """What the features of a strategy ask for, bar by bar.

    Shapes: all (n,), in the order of the bars; None where no market states it. ``probability`` and
    ``edge`` are NaN where they say nothing.
    """

    bits: NDArray[np.uint8]
    probability: Floats | None = None
    edge: Floats | None = None


def frame_of(bars: BarColumns, market: Market) -> DataFrame:
    """One market's bars as ``features`` gets them: prices as fractions of 1, volume in shares."""
    return _frame(_index(bars.start + bars.interval - 1), _values(bars, market))


def _values(bars: BarColumns, market: Market) -> Floats:
    one, share = float(market.price_one), float(10**market.size_decimals)
    prices = (column / one for column in (bars.open, bars.high, bars.low, bars.close))
    return np.stack([*prices, bars.volume / share])


def _index(last: NDArray[np.int64]) -> DatetimeIndex:
    import pandas as pd  # noqa: PLC0415 - heavy

    return pd.DatetimeIndex(last.view("M8[ns]"), name="ts").tz_localize("UTC")


def _frame(index: DatetimeIndex, values: Floats) -> DataFrame:
    """Shapes: values (5, n), the columns of bars; they are copied."""
    import pandas as pd  # noqa: PLC0415 - heavy

    return pd.DataFrame(values.T.copy(order="F"), index=index, columns=_names(), copy=False)


@cache
def _names() -> Index[Any]:
    """The columns of bars. An index of plain objects grows faster than one of arrow strings."""
    import pandas as pd  # noqa: PLC0415 - heavy

    return pd.Index(COLUMNS, dtype=object)


def by_market(
    bars: BarColumns, markets: Sequence[Market]
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """The rows of each market that has bars."""
    order, spans = by_code(bars.market, len(markets))
    return ((m, order[span]) for m, span in enumerate(spans) if span.start < span.stop)


def frames_of(bars: BarColumns, markets: Sequence[Market]) -> Mapping[str, DataFrame]:
    """Each market's bars as ``features`` gets them, by market id."""
    found = by_market(bars, markets)
    return {markets[m].id: frame_of(bars.take(rows), markets[m]) for m, rows in found}


def signals_of(
    calls: PluginCalls, owner: str, strategy: Strategy, bars: BarColumns, markets: Sequence[Market]
) -> Signals:
    """The signals of all bars; features are computed once for each market.

    Raises:
        PluginError: features failed, or answered something else than bars with more columns.
    """
    if type(strategy).features is Strategy.features:
        return Signals(_every_bar(strategy, bars, markets))
    bits = np.zeros(len(bars), np.uint8)
    stated: dict[str, Floats] = {}
    with calls.watch(SECONDS):
        begins, index = np.zeros(0, np.int64), None
        for m, rows in by_market(bars, markets):
            mine = bars.take(rows)
            if index is None or not np.array_equal(mine.start, begins):
                # Markets that are recorded together share their times.
                begins, index = mine.start, _index(mine.start + mine.interval - 1)
            values = _values(mine, markets[m])
            found = features_of(calls, owner, strategy, markets[m], index, values)
            bits[rows] = found.bits
            for name in STATED:
                column = getattr(found, name)
                if column is not None:
                    if name not in stated:
                        stated[name] = np.full(len(bars), np.nan)
                    stated[name][rows] = column
    return Signals(bits, stated.get("probability"), stated.get("edge"))


def _every_bar(
    strategy: Strategy, bars: BarColumns, markets: Sequence[Market]
) -> NDArray[np.uint8]:
    bits = np.zeros(len(bars), np.uint8)
    if type(strategy).on_bar is not Strategy.on_bar:
        for _, rows in by_market(bars, markets):
            bits[rows[strategy.startup_bars or 0 :]] = WAKE
    return bits


def features_of(
    calls: PluginCalls,
    owner: str,
    strategy: Strategy,
    market: Market,
    index: DatetimeIndex,
    values: Floats,
    *,
    before: int = 0,
) -> Signals:
    """The signals of one market's bars; ``before`` bars came earlier and are not among them.

    Shapes: index (n,), values (5, n): the columns of bars. Units: fractions of 1, shares.

    Raises:
        PluginError: as :func:`signals_of`.
    """
    cls = type(strategy).__name__
    named = f"market {market.id}" if owner == cls else f"{owner}, market {market.id}"
    answer = calls.call(named, strategy.features, _frame(index, values))
    found = _checked(f"{cls}.features ({named})", answer, index, values)
    bits = np.zeros(len(index), np.uint8)
    for name, bit in BITS.items():
        if name in found:
            bits |= np.where(_yes(f"{cls}.features ({named})", found[name]), bit, 0).astype(
                np.uint8
            )
    if type(strategy).on_bar is Strategy.on_bar:
        bits &= ~np.uint8(WAKE)
    elif not any(name in found for name in (*BITS, *STATED)):
        bits |= np.uint8(WAKE)
    bits[: max((strategy.startup_bars or 0) - before, 0)] = 0
    stated = {
        name: _number(f"{cls}.features ({named})", name, found[name])
        for name in STATED
        if name in found
    }
    return Signals(bits, stated.get("probability"), stated.get("edge"))


def _checked(named: str, answer: Any, index: DatetimeIndex, given: Floats) -> DataFrame:
    """The answer, if it is the bars with more columns."""
    import pandas as pd  # noqa: PLC0415 - heavy

    if not isinstance(answer, pd.DataFrame):
        raise PluginError(
            f"{named} answered {type(answer).__name__}",
            expected="the bars it got, with more columns",
            hint="end the method with: return bars",
        )
    if answer.index is not index and not answer.index.equals(index):
        raise PluginError(
            f"{named} answered {len(answer)} rows for {len(index)} bars"
            + ("" if len(answer) != len(index) else ", indexed otherwise"),
            expected="one row a bar, with the index it got",
            hint="keep rows without a value as they are: no dropna, no reset_index",
        )
    if not answer.columns.is_unique:
        raise PluginError(f"{named} answered two columns of one name", expected="names once each")
    for name, before in zip(COLUMNS, given, strict=True):
        if name not in answer or not np.array_equal(answer[name].to_numpy(), before):
            raise PluginError(
                f"{named} changed the column {name}",
                expected=f"{', '.join(COLUMNS)} as they were",
                hint="put results into columns of other names",
            )
    return answer


def _yes(named: str, column: Series[Any]) -> NDArray[np.bool_]:
    if column.dtype == np.bool_:
        plain: NDArray[np.bool_] = column.to_numpy()
        return plain
    if str(column.dtype) != "boolean" or column.isna().any():
        missing = int(column.isna().sum())
        raise PluginError(
            f"{named}: column {column.name} has type {column.dtype}"
            + (f" and {missing} missing values" if missing else ""),
            expected="True or False in every row",
            hint=f'bars["{column.name}"] = bars["close"] < bars["mean"]',
        )
    return column.to_numpy(np.bool_)


def _number(named: str, name: str, column: Series[Any]) -> Floats:
    try:
        if column.dtype == np.bool_:
            raise TypeError(name)
        values = column.to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise PluginError(
            f"{named}: column {name} has type {column.dtype}",
            expected="numbers, NaN where nothing is stated",
        ) from error
    least, most = (0.0, 1.0) if name == "probability" else (-1.0, 1.0)
    outside = (values < least) | (values > most)
    if outside.any():
        row = int(np.argmax(outside))
        raise PluginError(
            f"{named}: column {name} is {values[row]:g} in row {row}",
            expected=f"numbers from {least:g} to {most:g}, NaN where nothing is stated",
        )
    return values


class Rolling:
    """Signals of bars that come one by one: features are computed on a window that moves along.

    A causal feature that needs no more than the window gives the same as :func:`signals_of`.
    """

    def __init__(
        self,
        calls: PluginCalls,
        owner: str,
        strategy: Strategy,
        markets: Iterable[Market],
        *,
        window: int = 0,
    ) -> None:
        self.calls = calls
        self.owner = owner
        self.strategy = strategy
        self.window = window or max(WINDOW, 2 * (strategy.startup_bars or 0))
        self._markets = {market.yes.id: market for market in markets}
        self._bars: dict[str, deque[tuple[float, ...]]] = {}
        self._seen: dict[str, int] = {}

    def closed(self, bar: BarClosed) -> BarSignalled | None:
        """What one more bar asks for; None when it asks for nothing.

        Raises:
            PluginError: as :func:`signals_of`.
        """
        market = self._markets[bar.token]
        one, share = market.price_one, 10**market.size_decimals
        window = self._bars.setdefault(bar.token, deque(maxlen=self.window))
        window.append(
            (bar.ts, bar.open / one, bar.high / one, bar.low / one, bar.close / one,
             bar.volume / share)
        )  # fmt: skip
        seen = self._seen[bar.token] = self._seen.get(bar.token, 0) + 1
        last, *columns = (np.array(column) for column in zip(*window, strict=True))
        found = features_of(
            self.calls, self.owner, self.strategy, market, _index(last), np.stack(columns),
            before=seen - len(window),
        )  # fmt: skip
        bits = int(found.bits[-1])
        return signalled(self.owner, bar, bits, found, len(window) - 1) if bits else None


def signalled(
    ledger: str, bar: BarClosed, bits: int, found: Signals, at: int, row: int = -1
) -> BarSignalled:
    """The event of one bar's signals; ``at`` is its place among what was found."""
    return BarSignalled(
        bar.ts, ledger, bar, bool(bits & ENTER), bool(bits & EXIT), bool(bits & WAKE),
        _stated(found.probability, at), _stated(found.edge, at), 0, row,
    )  # fmt: skip


def _stated(column: Floats | None, at: int) -> float | None:
    if column is None or np.isnan(column[at]):
        return None
    return float(column[at])
