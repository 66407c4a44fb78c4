"""Recorded bars as a feed: closes go into the books, only signals that matter become events."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.events import BarClosed, BarSignalled, Event, Woken
from polyframe.domain.units import HOUR, Ns
from polyframe.engine.engine import Engine
from polyframe.engine.universe import Universe
from polyframe.kernels import signals_nb
from polyframe.kernels import tables_nb as t
from polyframe.runtime.feed import NEVER, QuoteFeed
from polyframe.runtime.signals import Signals, signalled
from polyframe.store.bar_columns import BarColumns


@dataclass(frozen=True)
class Heard:
    """The bars of one strategy and what its features ask for; ``at`` is the bar of each row.

    Shapes: at (rows,), -1 where no bar of this strategy ended; None: the rows are its bars.
    """

    ledger: str
    bars: BarColumns
    signals: Signals
    at: NDArray[np.int64] | None


@dataclass(frozen=True)
class BarRows:
    """The closes of bars as executable quotes in YES space, ascending in time, then market.

    Shapes: columns (rows,); signals (strategies, rows), bits of ``kernels.signals_nb``.
    Units: ts ns, the moment a bar was known; bid and ask price units, 0 where nobody quotes.
    """

    ts: NDArray[np.int64]
    market: NDArray[np.int32]
    bid: NDArray[np.int64]
    ask: NDArray[np.int64]
    flag: NDArray[np.uint8]
    untrusted: int
    signals: NDArray[np.uint8]
    heard: Sequence[Heard | None]
    """of each strategy; None for one without a timeframe"""


class BarFeed(QuoteFeed):
    """Walks the closes with the engine; equity is marked on every row.

    A row's events come in the order of the design: a limit that equity crossed, a price that moved,
    then the signals of each strategy that can matter.
    """

    rows: BarRows

    def __init__(self, engine: Engine, rows: BarRows, sample: Ns = HOUR) -> None:
        super().__init__(engine, rows, sample)
        self._waiting: deque[BarSignalled] = deque()

    @property
    def done(self) -> bool:
        """True when no row and no signal is left."""
        return not self._waiting and super().done

    def advance(self, until: Ns, stop_row: int | None = None) -> Event | None:
        """Applies rows up to ``until`` or to the next one that somebody must hear of."""
        if self._waiting:
            return self._waiting.popleft()
        rows, engine = self.rows, self.engine
        end = len(rows.ts) if stop_row is None else stop_row
        found = signals_nb.next_row(
            rows.ts, rows.market, rows.signals, self.cursor, end, until,
            engine.context.books.rows, engine.state.tables.tokens,
        )  # fmt: skip
        woken = super().advance(until, min(found + 1, end))
        if found < end and self.cursor == found + 1:
            self._waiting.extend(self._signals(found))
            if woken is None:
                return self._waiting.popleft()
        return woken

    def seek(self, event: Event) -> None:
        """Puts the books where they stood when an event was stepped with."""
        self._waiting.clear()
        row = event.row if isinstance(event, Woken | BarSignalled) else -1
        if row >= 0:
            while self.cursor <= row:
                super().advance(NEVER, row + 1)
            return
        while super().advance(event.ts) is not None:
            pass

    def _signals(self, row: int) -> list[BarSignalled]:
        """The events of a row's signals, for the strategies to which they matter."""
        context, tokens = self.engine.context, self.engine.state.tables.tokens
        m = int(self.rows.market[row])
        index = context.universe.offset[m]
        events = []
        for k, heard in enumerate(self.rows.heard):
            bits = int(self.rows.signals[k, row])
            if heard is None or not bits:
                continue
            if not signals_nb.matters(bits, int(tokens[t.T_SHARES, k, index])):
                continue
            events.append(signal_at(context.universe, self.rows, heard, bits, row))
        return events


def signal_at(universe: Universe, rows: BarRows, heard: Heard, bits: int, row: int) -> BarSignalled:
    """The event of a row's signals for one strategy."""
    token = universe.markets[int(rows.market[row])].yes.id
    at = row if heard.at is None else int(heard.at[row])
    bar = _bar(heard.bars, at, token, int(rows.ts[row]))
    return signalled(heard.ledger, bar, bits, heard.signals, at, row)


def _bar(bars: BarColumns, at: int, token: str, ts: Ns) -> BarClosed:
    return BarClosed(
        ts, token, int(bars.open[at]), int(bars.high[at]), int(bars.low[at]), int(bars.close[at]),
        int(bars.volume[at]), bars.interval,
    )  # fmt: skip
