"""The live driver: asyncio carries events in and effects out, one step at a time.

It holds no opinion about markets or orders. Feed, broker, forecasters and timers put events into
one inbox; the engine is stepped with them in the order in which they arrive. The journal is sealed
before an order leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from polyframe.api.exchange import Announcing, Broker, Feed
from polyframe.api.forecaster import Forecaster
from polyframe.domain import effects as fx
from polyframe.domain.effects import Effect
from polyframe.domain.events import (
    Event,
    FeedLost,
    ForecastFailed,
    ForecastMade,
    MarketResolved,
    SessionEnded,
    SessionStarted,
    TimerFired,
)
from polyframe.domain.units import SECOND, Ns
from polyframe.engine.engine import Engine
from polyframe.errors import InvariantError, PolyframeError
from polyframe.runtime.asking import check_answer, question_of, snapshot_of
from polyframe.runtime.carrying import to_broker
from polyframe.runtime.learning import LiveLearning
from polyframe.store.journal import JournalWriter

FORECAST_LIMIT = 120.0
"""Seconds after which a forecaster's silence counts as no answer."""


class LiveBroker(Broker, Announcing, Protocol):
    """A broker whose answers come when they come."""


class Live:
    """One running session."""

    def __init__(
        self,
        engine: Engine,
        feed: Feed,
        broker: LiveBroker,
        forecasters: Mapping[str, Forecaster],
        journal: JournalWriter,
        clock: Callable[[], Ns],
        *,
        watch: Callable[[Event, Sequence[Effect]], None] | None = None,
        forecast_limit: float = FORECAST_LIMIT,
        learning: LiveLearning | None = None,
    ) -> None:
        self.engine = engine
        self.feed = feed
        self.broker = broker
        self.forecasters = forecasters
        self.journal = journal
        self.clock = clock
        self.failures: list[BaseException] = []
        self._watch = watch
        self._limit = forecast_limit
        self._learning = learning
        self._inbox: asyncio.Queue[Event] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: dict[tuple[str, str], asyncio.TimerHandle] = {}
        self._ended = asyncio.Event()
        broker.listen(self.deliver)
        # What led to an order is on record before the order exists anywhere else.
        self._carry = to_broker(broker, lambda: self.now, journal.seal_block)
        self._carry[fx.RequestForecast] = self._ask
        self._carry[fx.SetTimer] = self._arm

    @property
    def now(self) -> Ns:
        """The session's time."""
        return self.engine.context.now

    def deliver(self, event: Event) -> None:
        """Puts an event into the inbox."""
        self._inbox.put_nowait(event)

    def stop(self, reason: str) -> None:
        """Ends the session after what is in the inbox now."""
        self.deliver(SessionEnded(self.clock(), reason))

    async def run(self, *, resumed: bool = False) -> None:
        """Runs until somebody stops it. A defect of ours flushes the journal and is raised."""
        session = self.engine.context.session
        self.deliver(SessionStarted(self.clock(), session, resumed))
        if resumed:
            for (ledger, key), at in self.engine.timers.items():
                self._arm(fx.SetTimer(ledger, key, at))
        self._start(self._read())
        try:
            while not self._ended.is_set():
                event = await self._inbox.get()
                self._step(event)
                if self._inbox.empty():
                    self.journal.seal_if_due()
        except InvariantError:
            self.journal.seal_block()
            raise
        finally:
            await self._close()

    async def _close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.journal.close()

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _step(self, event: Event) -> None:
        effects = self.engine.step(event)
        self.journal.step(event, effects)
        for effect in effects:
            carry = self._carry.get(type(effect))
            if carry is not None:
                carry(effect)
        if self._learning is not None and isinstance(event, MarketResolved):
            market = self.engine.context.universe.market(event.resolution.market)
            self._learning.resolved(question_of(market), event.resolution, event.ts)
        if self._watch is not None:
            self._watch(event, effects)
        if isinstance(event, SessionEnded):
            self._ended.set()

    async def _read(self) -> None:
        """Passes the feed on; a feed that breaks leaves no book trusted."""
        try:
            async for event in self.feed.events():
                self.deliver(event)
        except Exception as error:  # the session outlives its feed
            self.failures.append(error)
            tokens = tuple(t.id for m in self.engine.setup.markets for t in m.tokens)
            self.deliver(FeedLost(self.clock(), tokens, f"{type(error).__name__}: {error}"))

    def _arm(self, effect: fx.SetTimer) -> None:
        key = (effect.ledger, effect.key)
        old = self._timers.pop(key, None)
        if old is not None:
            old.cancel()
        delay = max(0.0, (effect.at - self.clock()) / SECOND)
        event = TimerFired(effect.at, effect.ledger, effect.key)
        self._timers[key] = asyncio.get_running_loop().call_later(delay, self._fire, key, event)

    def _fire(self, key: tuple[str, str], event: TimerFired) -> None:
        self._timers.pop(key, None)
        self.deliver(event)

    def _ask(self, effect: fx.RequestForecast) -> None:
        self._start(self._forecast(effect))

    async def _forecast(self, effect: fx.RequestForecast) -> None:
        """Waits for a forecaster; whatever goes wrong is an answer to the strategy."""
        name, market = effect.forecaster, self.engine.context.universe.market(effect.market)
        try:
            forecaster = self.forecasters[name]
            if self._learning is not None:
                self._learning.catch_up(effect.as_of)
            snapshot = None if forecaster.blind else snapshot_of(self.engine, market)
            async with asyncio.timeout(self._limit):
                forecast = await forecaster.forecast(
                    question_of(market), None, snapshot, effect.as_of
                )
            ready = self.clock()
            check_answer(forecast, effect, forecast_by=ready)
            self.deliver(ForecastMade(ready, effect.request, name, forecast))
        except Exception as error:  # one forecaster does not end a session
            reason = error.message if isinstance(error, PolyframeError) else repr(error)
            if not isinstance(error, PolyframeError):
                self.failures.append(error)
            self.deliver(ForecastFailed(self.clock(), effect.request, market.id, name, reason))
