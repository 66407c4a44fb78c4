"""A tape as a feed: kernels play it between wakes, only wakes become events."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.events import (
    Event,
    TickSizeChanged,
    TradePrinted,
    WakeReason,
    WalletTraded,
    Woken,
)
from polyframe.domain.orders import Side
from polyframe.domain.units import DAY, HOUR, MINUTE, SECOND, Ns
from polyframe.engine.engine import Engine
from polyframe.kernels import acts_nb
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import book_nb as b
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import l2rows_nb as rw
from polyframe.kernels import l2run_nb as l2
from polyframe.runtime import tape_addresses as addresses
from polyframe.runtime.feed import NEVER, QuoteFeed
from polyframe.runtime.tape_books import Levels, Tables
from polyframe.runtime.tape_late import LateRows
from polyframe.store.tape import Tape

COLUMNS = ("ts", "price", "size", "aux", "instrument", "kind", "side", "flag")
STEPS = (SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR)
SAMPLES = 2_000
STRETCH = 1 << 19
"""Rows that are played before their memory is let go of: 24 MB."""
"""Samples of the equity that a run keeps, about."""
REASONS = {nb.STOP_LIMIT: WakeReason.LIMIT, nb.STOP_EXIT: WakeReason.EXIT}


def step_of(span: Ns) -> Ns:
    """How far apart the samples of the equity stand over a stretch of time."""
    return next((step for step in STEPS if span // step <= SAMPLES), HOUR)


class TapeFeed(QuoteFeed):
    """Plays a tape from a moment on; what comes before only fills the books."""

    def __init__(
        self, engine: Engine, tape: Tape, tables: Tables, tokens: Mapping[str, int],
        start: Ns, end: Ns,
    ) -> None:  # fmt: skip
        self.engine = engine
        self.tape = tape
        self.tables = tables
        self._tokens = tokens
        self._start, self._end = max(start, tape.segments[0].first_ts), end
        self._last = min(tape.segments[-1].last_ts, end)
        step = step_of(self._last - self._start)
        room = (self._last - self._start) // step + 3
        self._out_ts = np.zeros(room, dtype=np.int64)
        self._out_equity = np.zeros(room, dtype=np.int64)
        self._waiting: deque[Event] = deque()
        self._heard_before: list[Event] = []
        self._late: LateRows | None = None
        if tables.feed_probes is not None:
            markets = len(engine.context.universe.markets)
            self._late = LateRows(tape, tokens, markets, tables.feed_probes)
        self._places = np.zeros(0, np.int64)
        self._names: Sequence[str] = ()
        self._segment = -1
        self._rows = 0
        self._seen: tuple[Any, ...] = ()
        self._listens: NDArray[np.int64] = np.zeros(len(engine.context.universe.markets), np.int64)
        self._addresses = addresses.Addresses()
        self._before = 0
        self._seen_before = -1
        self._day_ends = False
        """True while nothing that the driver has comes at the moment up to which is played"""
        engine.state.marks[-1, nb.E_STEP] = step
        tables.at[c.C_HOUR] = (self._start // step + 1) * step
        tables.begin(self._start, self._last)
        engine.context.books.deep = Levels(tables)
        self._turn_to(0)
        self._listen()
        self._warm()
        self._waiting.extend(self._other_ticks(self._start))

    # ---- what a driver asks ------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.tape)

    @property
    def cursor(self) -> int:  # type: ignore[override]
        """The place on the tape of the next row."""
        row = int(self.tables.at[c.C_ROW])
        return self._before + row if self._late is None else self._last_seen(row) + 1

    @property
    def first(self) -> Ns:
        """When the session begins."""
        return self._start

    @property
    def last(self) -> Ns:
        """Time of the last row."""
        return self._last

    @property
    def done(self) -> bool:
        """True when no row is left."""
        return not self._waiting and self._segment == len(self.tape.segments) - 1 and self._at_end

    def stretches(self) -> Iterator[Ns]:
        """A moment every so many rows, and the end."""
        for segment in self.tape.segments:
            ts = segment["ts"][STRETCH - 1 :: STRETCH]
            yield from ts[(ts > self._start) & (ts < self._last)].tolist()
        yield NEVER

    def forget(self) -> None:
        """Lets go of the memory of rows that were played."""
        self.tape.segments[self._segment].forget()

    @property
    def _at_end(self) -> bool:
        return bool(self.tables.at[c.C_ROW] >= self._rows)

    def advance(self, until: Ns, stop_row: int | None = None) -> Event | None:
        """Plays rows up to ``until``; what somebody must hear of earlier, None when nothing is.

        It also stops, with None, where the venue answered: the broker has the answer.
        """
        if self._waiting:
            return self._waiting.popleft()
        while True:
            why = self._walk_day(until, NEVER if stop_row is None else stop_row)
            if why == rw.STOP_ROOM:
                self.tables.widen(2 * len(self.tables.answers))
            elif why == nb.STOP_END and self._segment < len(self.tape.segments) - 1:
                self._turn_to(self._segment + 1)
            elif why in (nb.STOP_TIME, nb.STOP_END, rw.STOP_ANSWER):
                return None
            else:
                self._waiting.extend(self._told(why))
                if self._waiting:
                    return self._waiting.popleft()

    # ---- playing -----------------------------------------------------------------------------

    def _walk_day(self, until: Ns, stop_row: int) -> int:
        """Rows of the present day; the first of the next finds it begun, as an event would."""
        engine = self.engine
        while True:
            day = engine.parts.day
            stop = until if day < 0 else min(until, (day + 1) * DAY - 1)
            self._day_ends = stop != until
            why = self._play(stop, stop_row)
            self._day_ends = False
            if why != nb.STOP_TIME or stop == until:
                return why
            row = int(self.tables.at[c.C_ROW])
            ts = int(self._tape[0][row] if row < self._rows else self.tables.at[c.C_FOLLOWS])
            ts = min(ts, self._under_way())
            if ts > until or ts >= NEVER:
                return self._play(until, stop_row)
            engine.turn(ts)

    def _under_way(self) -> Ns:
        """When the next thing happens at the venue or is heard from it, NEVER when nothing does."""
        at, tables = self.tables.at, self.tables
        moments = [NEVER]
        if at[c.C_ACTS]:
            moments.append(int(tables.venue[2][0, acts_nb.A_TS]))
        if at[c.C_HEAD] > at[c.C_TAKEN]:
            moments.append(int(tables.answers[at[c.C_TAKEN] % len(tables.answers), c.X_KNOWN]))
        return min(moments)

    def _play(self, stop: Ns, stop_row: int) -> int:
        stop_row = min(self._row_of(stop_row), self._rows)
        self._lay(self._tape)
        return int(l2.advance(stop, stop_row, self._addresses.where))

    def _lay(self, tape: tuple[Any, ...]) -> None:
        """Has compiled code find all tables where they are now."""
        lay = self._addresses.lay
        lay(addresses.PLACES, (self.tables.at, self._listens))
        lay(addresses.TAPE, tape)
        lay(addresses.BOOKS, self.tables.books)
        lay(addresses.VENUE, self.tables.venue)
        lay(addresses.SEEN, self._seen)

    def _row_of(self, place: int) -> int:
        """The row at hand at which a place on the tape comes."""
        if self._late is None:
            return place - self._before
        return int(np.searchsorted(self._places, place, side="left"))

    def _last_seen(self, row: int) -> int:
        """The place on the tape of the last row that was seen before a row at hand."""
        return int(self._places[row - 1]) if row > 0 else self._seen_before

    def _warm(self) -> None:
        """Plays what comes before the session: nobody is woken, no equity is marked."""
        wakes, prints = self._seen[4], self._seen[5]
        quiet = (np.zeros_like(wakes), np.zeros_like(prints), np.zeros_like(self._seen[6]))
        seen, self._seen = self._seen, (*self._seen[:4], *quiet, *self._seen[7:])
        while True:
            why = self._play(self._start - 1, NEVER)
            self._clear()
            if why == nb.STOP_END and self._segment < len(self.tape.segments) - 1:
                self._turn_to(self._segment + 1)
                quiet = (*quiet[:2], np.zeros_like(self._seen[6]))
                seen, self._seen = self._seen, (*self._seen[:4], *quiet, *self._seen[7:])
            elif why in (nb.STOP_TIME, nb.STOP_END):
                break
        self._seen = seen
        self.engine.state.marks[-1, [nb.E_TS, nb.E_COUNT]] = 0

    def _other_ticks(self, ts: Ns) -> list[Event]:
        """Every tick that is another than the engine knows."""
        steps = self.tables.desk[: len(self._markets), b.K_TICK].tolist()
        return [
            TickSizeChanged(ts, market.id, step)
            for market, step in zip(self._markets, steps, strict=True)
            if step != market.tick
        ]

    def _turn_to(self, number: int) -> None:
        """Takes the columns of a segment."""
        segment = self.tape.segments[number]
        at = self.tables.at
        if at[c.C_PRINT]:
            # An update that goes on in the next segment: its trades so far are rows of this one.
            self._heard_before += self._trades(int(at[c.C_PRINT]), self._rows)
            at[c.C_PRINT] = 1
        self._segment = number
        self._before = sum(len(s) for s in self.tape.segments[:number])
        after = [s for s in self.tape.segments[number + 1 : number + 2] if s.first_ts <= self._end]
        self.tables.at[c.C_ROW] = 0
        self.tables.at[c.C_FOLLOWS] = after[0].first_ts if after else NEVER
        if self._late is None:
            place = [self._tokens.get(name, -1) for name in segment.instruments]
            columns = [frozen(segment[name]) for name in COLUMNS]
            self._tape = (*columns, frozen(np.array(place, np.int32)))
            self._names = segment.names
        else:
            self._seen_before = int(self._places[-1]) if len(self._places) else self._seen_before
            follows = int(self.tables.at[c.C_FOLLOWS])
            self._tape, self._places, self._names = self._late.merge(number, follows)
        self._rows = int(np.searchsorted(self._tape[0], self._end, side="right"))
        self._wallets = self._followed()
        self._bind()

    def _followed(self) -> NDArray[np.int64]:
        followed = self.engine.context.books.followed
        bits = [followed.get(name, 0) for name in self._names]
        return np.array(bits or [0], np.int64)

    def _bind(self) -> None:
        engine = self.engine
        books, tables = engine.context.books, engine.state.tables
        self._seen = (
            books.rows, tables.marks, books.history, books.grid, books.wakes, books.prints,
            self._wallets, tables.tokens, tables.value, engine.state.exits.tables, self._out_ts,
            self._out_equity,
        )  # fmt: skip

    def _listen(self) -> None:
        """Hears of subscriptions that change while the session runs."""
        self.engine.context.books.armed = self._rearm

    def _rearm(self) -> None:
        self._wallets = self._followed()
        books = self.engine.context.books
        self.tables.at[c.C_LISTENED] = 1 if books.prints.any() or books.followed else 0
        self._bind()

    # ---- from stops to events ------------------------------------------------------------------

    def _clear(self) -> tuple[int, int, int, list[int], int]:
        """Takes note of what stopped the loop, and lets it go on."""
        at, rows = self.tables.at, self.engine.context.books.rows
        heard, first, tick, where = (
            int(at[k]) for k in (c.C_HEARD, c.C_PRINT, c.C_TICK, c.C_WHERE)
        )
        moved = np.flatnonzero(rows[:, nb.B_WOKEN]).tolist() if at[c.C_WOKEN] else []
        at[[c.C_WHY, c.C_WOKEN, c.C_HEARD, c.C_PRINT, c.C_TICK]] = 0
        return heard, first, tick, moved, where

    def _told(self, why: int) -> list[Event]:
        """What a stop means, in the order in which it is told."""
        heard, first, tick, moved, where = self._clear()
        number, row = self._stands()
        end, markets = int(self.tables.at[c.C_ROW]), self._markets
        # An own order that took may have moved the best price after that row.
        ts = int(self.tables.at[c.C_NOW])
        if end:
            ts = max(ts, int(self._tape[0][end - 1]))
        rows = self.engine.context.books.rows
        told, self._heard_before = self._heard_before, []
        if tick:
            told += self._other_ticks(ts)
        if heard:
            told += self._trades(first, end)
        if why in (nb.STOP_LIMIT, nb.STOP_EXIT):
            told.append(Woken(ts, REASONS[why], markets[where].yes.id, number, row))
        for m in moved:
            names = self.engine.named_by(int(rows[m, nb.B_WOKEN]))
            rows[m, nb.B_WOKEN] = 0
            told.append(Woken(ts, WakeReason.MOVED, markets[m].yes.id, number, row, names))
        return told

    def _stands(self) -> tuple[int, int]:
        """The last row played: its segment's number and its place there."""
        if self._late is not None:
            return self.tape.locate(max(self._last_seen(int(self.tables.at[c.C_ROW])), 0))
        row = int(self.tables.at[c.C_ROW]) - 1
        if row >= 0 or self._segment == 0:
            return self.tape.segments[self._segment].number, max(row, 0)
        before = self.tape.segments[self._segment - 1]
        return before.number, before.rows - 1

    def _trades(self, first: int, end: int) -> list[Event]:
        """What somebody wants to hear of in rows counted from 1, from one to another."""
        return [self._trade(k) for k in range(first - 1, end) if self._heard(k)]

    @property
    def _markets(self) -> Sequence[Any]:
        return self.engine.context.universe.markets

    def _heard(self, row: int) -> bool:
        kind = self._tape[5][row]
        if kind not in (rw.TRADE, rw.WALLET):
            return False
        m = int(self._tape[8][self._tape[4][row]])
        if not 0 <= m < len(self._markets):
            return False
        wallet = int(self._tape[3][row])
        if 0 < wallet <= len(self._wallets) and self._wallets[wallet - 1]:
            return True
        if kind == rw.WALLET:
            return False
        notional = int(self._tape[1][row]) * int(self._tape[2][row]) // self._markets[m].divisor
        over = self.engine.context.books.prints[:, m]
        return bool(((over > 0) & (over <= notional)).any())

    def _trade(self, row: int) -> Event:
        ts, price, size, aux, instrument, kind, side, _, market_of = self._tape
        names = self._names
        market = self._markets[int(market_of[instrument[row]])]
        wallet = names[int(aux[row]) - 1] if aux[row] > 0 else ""
        if kind[row] == rw.WALLET:
            change = int(side[row]) * int(size[row])
            return WalletTraded(int(ts[row]), wallet, market.yes.id, change, int(price[row]))
        taker = Side.SELL if side[row] < 0 else Side.BUY
        return TradePrinted(
            int(ts[row]), market.yes.id, taker, int(price[row]), int(size[row]), wallet
        )

    def seek(self, event: Event) -> None:
        """Puts the books where they stood when an event was stepped with."""
        if self._waiting and self._waiting[0] == event:
            self._waiting.popleft()
            return
        if isinstance(event, Woken):
            place = self.tape.place(event.segment, event.row)
            while self.cursor <= place:
                self.advance(NEVER, place + 1)
            return
        while self.advance(event.ts) is not None:
            pass

    def equity(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Times and values of the equity samples, the present as the last."""
        row = int(self.tables.at[c.C_ROW]) - 1
        if row >= 0:
            marks = self.engine.state.marks
            marks[-1, nb.E_TS] = max(int(marks[-1, nb.E_TS]), int(self._tape[0][row]))
        return super().equity()


def frozen(column: NDArray[Any]) -> NDArray[Any]:
    """A plain read-only array over the same memory, mapped columns included."""
    view = np.asarray(column).view(np.ndarray)
    if view.flags.writeable:
        view = view.view()
        view.flags.writeable = False
    return view
