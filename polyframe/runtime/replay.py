"""The replay driver: a plain loop over recorded data, the simulated venue and timers, by time.

At equal times: feed, own acks and fills, forecasts, timers, commands, then the order of arrival.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from polyframe.api.exchange import Broker, Clocked
from polyframe.domain import effects as fx
from polyframe.domain.effects import Effect
from polyframe.domain.events import (
    Event,
    SessionEnded,
    SessionStarted,
    TimerFired,
    precedence,
)
from polyframe.domain.units import SECOND, Ns
from polyframe.engine.engine import Engine
from polyframe.errors import PluginError
from polyframe.runtime.asking import ReplayForecasts
from polyframe.runtime.carrying import to_broker
from polyframe.runtime.feed import NEVER, QuoteFeed
from polyframe.store.journal import JournalWriter

MOST_STEPS = 100_000
"""So many steps within one second of the session's time: somebody goes round in circles."""

BROKER = 1
"""Where a broker's answers stand among the events of one moment."""


class SimulatedBroker(Broker, Clocked, Protocol):
    """A broker with its own clock."""


Watcher = Callable[[Event, Sequence[Effect]], None]


class Replay:
    """One backtest, from the first event to the last."""

    def __init__(
        self,
        engine: Engine,
        feed: QuoteFeed,
        broker: SimulatedBroker,
        forecasts: ReplayForecasts,
        journal: JournalWriter,
        *,
        events: Iterable[Event] = (),
        watch: Watcher | None = None,
        told: Watcher | None = None,
        unheard: bool = False,
    ) -> None:
        self.engine = engine
        self.feed = feed
        self.broker = broker
        self.forecasts = forecasts
        self.journal = journal
        self.steps = 0
        self._ended = False
        self._paced: tuple[int, Ns] = (0, 0)
        self._watch = watch
        self._told = told
        feed.tells = told is not None
        self._unheard = unheard
        """what ``told`` is told goes to the journal and to nobody else"""
        self._progress: Callable[[int, int], None] | None = None
        self._queue: list[tuple[Ns, int, int, Event, Ns]] = []
        """the last is when it was put there"""
        self._pushed = 0
        self._last: Ns = feed.last
        for event in events:
            self._last = max(self._last, event.ts)
            self._push(event)
        self._carry = to_broker(broker, lambda: self.now)
        self._carry[fx.RequestForecast] = self._ask
        self._carry[fx.SetTimer] = lambda e: self._push(TimerFired(e.at, e.ledger, e.key))

    def progress_to(self, progress: Callable[[int, int], None]) -> None:
        """Calls ``progress(rows done, rows in all)`` after each step."""
        self._progress = progress

    @property
    def now(self) -> Ns:
        """The session's time."""
        return self.engine.context.now

    def run(self) -> None:
        """Plays everything, from SessionStarted to SessionEnded."""
        try:
            self.begin()
            for until in self.feed.stretches():
                more = self.play(until)
                self.feed.forget()
                if not more:
                    break
            self.end()
        finally:
            self.let_go()

    def begin(self) -> None:
        """Starts the session."""
        self._step(SessionStarted(self.feed.first, self.engine.context.session))

    def play(self, until: Ns = NEVER) -> bool:
        """Plays what happens up to a moment; False when nothing is left to play."""
        while self._turn(until):
            pass
        return not self._ended

    def end(self) -> None:
        """Ends the session."""
        self._step(SessionEnded(max(self._last, self.now), "end of data"))
        self.journal.close()

    def let_go(self) -> None:
        """Lets go of what holds this replay, and with it all its rows, in a circle."""
        self._carry.clear()

    def _turn(self, limit: Ns) -> bool:
        """Plays up to what comes next; False when that is later than a moment, or nothing is."""
        queued = self._queue[0][0] if self._queue else NEVER
        answered = self.broker.due()
        answered = NEVER if answered is None else answered
        until = min(queued, answered)
        if until >= NEVER and self.feed.done:
            self._ended = True
            return False
        until = min(until, limit)
        head = self._queue[0] if self._queue and queued == until else None
        # Where the broker has something then, the venue's answers come before it, too.
        self.feed.answers_first = answered == until if head is None else head[1] >= BROKER
        timer = head is not None and isinstance(head[3], TimerFired) and answered > until
        self.feed.timers_until = head[4] if head is not None and timer else None
        woken = self.feed.advance(until)
        self._tell()
        if woken is not None:
            self._step(woken)
            return True
        # Rows may have met own orders: what the venue says about it may be known before that.
        answered = self.broker.due()
        answered = NEVER if answered is None else answered
        if min(queued, answered) >= NEVER or min(queued, answered) > until:
            return until < limit or limit >= NEVER
        feed_first = queued == answered and self._queue[0][1] < BROKER
        if queued < answered or feed_first:
            event = heapq.heappop(self._queue)[3]
            if self._stale(event):
                return True
            self._step(event)
        else:
            for event in self.broker.take(answered):
                self._step(event)
        return True

    def _tell(self) -> None:
        """Passes on the steps that the feed carried out on the way."""
        if self._told is None:
            return
        recorded = self.feed.record(self.journal) if self._unheard else None
        if recorded is not None:
            self.steps += recorded
            return
        for told in self.feed.played():
            self.steps += 1
            self._told(told.event, told.effects)

    def _stale(self, event: Event) -> bool:
        """A timer that was replaced, or one after the last price: nobody can trade any more."""
        if not isinstance(event, TimerFired):
            return False
        armed = self.engine.timers.get((event.ledger, event.key))
        return armed != event.ts or event.ts > self.feed.last

    def _step(self, event: Event) -> None:
        effects = self.engine.step(event)
        self.steps += 1
        if self.steps - self._paced[0] == MOST_STEPS:
            self._check_pace(event)
        for effect in effects:
            carry = self._carry.get(type(effect))
            if carry is not None:
                carry(effect)
        self.journal.step(event, effects)
        if self._watch is not None:
            self._watch(event, effects)
        if self._progress is not None:
            self._progress(self.feed.cursor, len(self.feed))

    def _check_pace(self, event: Event) -> None:
        """Stops a session whose time stands still; no single call of it runs too long."""
        if self.now - self._paced[1] < SECOND:
            by = getattr(event, "ledger", "") or getattr(event, "forecaster", "")
            raise PluginError(
                f"{MOST_STEPS:,} steps within a second of the session's time, the last a "
                f"{type(event).__name__}" + (f" for {by}" if by else ""),
                expected="wishes that let time pass",
                hint="wake later: yield WakeAt(view.now + SECOND)",
            )
        self._paced = (self.steps, self.now)

    def _push(self, event: Event) -> None:
        self._pushed += 1
        item = (event.ts, precedence(event), self._pushed, event, self.now)
        heapq.heappush(self._queue, item)

    def _ask(self, effect: fx.RequestForecast) -> None:
        self._push(self.forecasts.answer(self.engine, effect))
