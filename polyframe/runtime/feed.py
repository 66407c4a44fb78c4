"""Recorded quotes as a feed: rows go straight into the engine's books, only wakes become events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.effects import Effect
from polyframe.domain.events import Event, WakeReason, Woken
from polyframe.domain.units import DAY, HOUR, Ns
from polyframe.engine.engine import Engine
from polyframe.kernels import bars_nb as nb
from polyframe.store.journal import JournalWriter

if TYPE_CHECKING:
    from polyframe.runtime.logged import Filled, Reviewed

NEVER: Ns = 2**62

_REASONS = {
    nb.STOP_MOVED: WakeReason.MOVED,
    nb.STOP_LIMIT: WakeReason.LIMIT,
    nb.STOP_EXIT: WakeReason.EXIT,
}


class Told(NamedTuple):
    """One step that a compiled loop carried out. At one moment reviews come before answers."""

    ts: Ns
    rank: int
    number: int
    event: Event
    effects: tuple[Effect, ...]


class QuoteRows(Protocol):
    """Columns of executable quotes in YES space, ascending in time."""

    @property
    def ts(self) -> NDArray[np.int64]:
        """When each row was known."""

    @property
    def market(self) -> NDArray[np.int32]:
        """Index of its market in the session."""

    @property
    def bid(self) -> NDArray[np.int64]:
        """Best bid, 0 for none."""

    @property
    def ask(self) -> NDArray[np.int64]:
        """Best ask, 0 for none."""

    @property
    def flag(self) -> NDArray[np.uint8]:
        """Findings about the row."""

    @property
    def untrusted(self) -> int:
        """Findings that make a row no price to decide on."""


class QuoteFeed:
    """Walks rows with the engine; marks equity on every row and keeps a sample an hour."""

    answers_first = False
    """at the moment up to which it plays, what the venue says comes before what its driver has"""
    timers_until: Ns | None = None
    """where that is a timer: when it was set; a wake that was not set later comes before it"""
    tells = True
    """somebody takes what ``played`` tells"""

    def __init__(self, engine: Engine, rows: QuoteRows, sample: Ns = HOUR) -> None:
        self.engine = engine
        self.rows = rows
        self.cursor = 0
        span = int(rows.ts[-1] - rows.ts[0]) if len(rows.ts) else 0
        room = span // sample + 2
        self._out_ts = np.zeros(room, dtype=np.int64)
        self._out_equity = np.zeros(room, dtype=np.int64)
        engine.state.marks[-1, nb.E_STEP] = sample

    def __len__(self) -> int:
        return len(self.rows.ts)

    @property
    def first(self) -> Ns:
        """Time of the first row."""
        return int(self.rows.ts[0])

    @property
    def last(self) -> Ns:
        """Time of the last row."""
        return int(self.rows.ts[-1])

    @property
    def done(self) -> bool:
        """True when no row is left."""
        return self.cursor >= len(self.rows.ts)

    def stretches(self) -> Iterator[Ns]:
        """The moments at which a long run pauses, to let go of the rows it has played."""
        yield NEVER

    def forget(self) -> None:
        """Lets go of the memory of rows that were played."""

    def advance(self, until: Ns, stop_row: int | None = None) -> Event | None:
        """Applies rows up to ``until``; the wake that stopped it earlier, None when none did."""
        end = len(self.rows.ts) if stop_row is None else stop_row
        why, m, woken = self._walk(until, end)
        # The first row of a day finds the day begun, as an event would.
        while why == nb.STOP_TIME and self.cursor < end and self.rows.ts[self.cursor] <= until:
            self.engine.turn(int(self.rows.ts[self.cursor]))
            why, m, woken = self._walk(until, end)
        reason = _REASONS.get(why)
        if reason is None:
            return None
        row = self.cursor - 1
        token = self.engine.context.universe.markets[m].yes.id
        return Woken(int(self.rows.ts[row]), reason, token, 0, row, self.engine.named_by(woken))

    def played(self) -> Iterable[Told]:
        """Steps that were carried out on the way, for the journal: none here."""
        return ()

    def record(self, journal: JournalWriter) -> int | None:
        """Writes these steps to a journal; how many they were, None: they have to be told."""
        return None

    def unstepped(self) -> tuple[Filled, Reviewed] | tuple[None, None]:
        """Fills and reviews of which no step told; None: steps tell all."""
        return None, None

    def account(self) -> None:
        """Has the broker's figures count what no step told."""

    def refused(self) -> Mapping[str, int]:
        """How often what was refused of which no step told."""
        return {}

    def _walk(self, until: Ns, end: int) -> tuple[int, int, int]:
        """Rows of the present day."""
        engine, rows = self.engine, self.rows
        books, tables = engine.context.books, engine.state.tables
        day = engine.parts.day
        stop = until if day < 0 else min(until, (day + 1) * DAY - 1)
        self.cursor, why, m, woken = nb.advance(
            rows.ts[:end], rows.market[:end], rows.bid[:end], rows.ask[:end], rows.flag[:end],
            rows.untrusted, self.cursor, stop, books.rows, books.history, books.grid, books.wakes,
            tables.tokens, tables.value, tables.marks, engine.state.exits.tables, self._out_ts,
            self._out_equity,
        )  # fmt: skip
        return why, m, woken

    def seek(self, event: Event) -> None:
        """Puts the books where they stood when an event was stepped with.

        A wake stands at its row, anything else after all rows of its moment.
        """
        if isinstance(event, Woken):
            while self.cursor <= event.row:
                self.advance(NEVER, event.row + 1)
            return
        while self.advance(event.ts) is not None:
            pass

    def equity(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Times and values of the equity samples, the present as the last."""
        marks = self.engine.state.marks[-1]
        n = int(marks[nb.E_COUNT])
        now = max(int(marks[nb.E_TS]), self.engine.context.now)
        ts = np.append(self._out_ts[:n], now)
        return ts, np.append(self._out_equity[:n], marks[nb.E_NOW])
