"""A small session for tests: the real engine and guards, and a venue whose answers one chooses."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from polyframe.api.execution import ExecutionStyle
from polyframe.api.protection import Protection
from polyframe.api.sizer import Sizer
from polyframe.api.strategy import Strategy
from polyframe.api.view import View
from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.effects import Effect
from polyframe.domain.events import Event, precedence
from polyframe.domain.market import Group, Market
from polyframe.domain.orders import Order, Seal, TimeInForce
from polyframe.domain.portfolio import Fill
from polyframe.domain.units import HOUR, MILLISECOND, Ns, money
from polyframe.engine.engine import Engine
from polyframe.engine.risk import Guarded
from polyframe.engine.setup import Player, Setup
from polyframe.runtime.calls import PluginCalls
from polyframe.runtime.plugins import Registry
from polyframe.testing.builders import START, build_forecast, build_market
from polyframe.testing.shown_books import ShownBooks

ALWAYS = ("Balance", "VenueRules", "TrustedBook")
"""The guards that every session has."""
LATENCY = 50 * MILLISECOND
RESTS = HOUR
"""How long a post-only order rests before it executes: a quote that is met at once, and quoted anew
at once, would be met without end."""

Answers = Literal["fill", "random", "silent"]
"""What the venue does with orders: fill them, anything that can happen, or never answer."""


class _Nothing(Strategy):
    """Wants nothing."""


def built_in(kind: str, name: str) -> type[Any]:
    """A built-in plugin's class."""
    return Registry.load(safe=True).get(kind, name)


class Session:
    """One strategy in a real engine, stepped by hand.

    ``answers`` says how the venue answers; forecasts are answered with numbers drawn from the same
    seed. Everything that came out stands in ``effects``.
    """

    def __init__(
        self,
        strategy: Strategy | None = None,
        *,
        markets: Sequence[Market] = (),
        groups: Sequence[Group] = (),
        cash: object = "1000",
        protections: Sequence[Protection] = (),
        sizer: Sizer | None = None,
        answers: Answers = "fill",
        seed: int = 0,
        name: str = "tested",
        styles: Mapping[str, ExecutionStyle] | None = None,
    ) -> None:
        self.markets = list(markets) or [build_market()]
        self.name = name
        self.calls = PluginCalls()
        registry = Registry.load(safe=True)
        always = [registry.get("protection", guard)() for guard in ALWAYS]
        guarded = [Guarded(protection, None) for protection in (*always, *protections)]
        chosen = sizer or registry.get("sizer", "KellySizer")()
        self.engine = Engine(
            Setup(
                session="test",
                seed=seed,
                markets=self.markets,
                groups=groups,
                players=[Player(name, strategy or _Nothing(), chosen, money(cash))],
                guarded=guarded,
                styles=styles or {},
                calls=self.calls,
                seal=Seal(),
                start=START,
            )
        )
        self.books: ShownBooks | None = None
        if strategy is not None and strategy.books:
            self.books = self.engine.context.books.deep = ShownBooks(self.markets)
        self.closed: set[str] = set()
        self.pulled: set[str] = set()
        self.answers = answers
        self.effects: list[Effect] = []
        self.now: Ns = START
        self.pending: list[tuple[Ns, int, int, Event]] = []
        self._rng = random.Random(f"venue {seed}")  # noqa: S311 - a test's venue, no secret
        self._sent = 0

    @property
    def view(self) -> View:
        """What the strategy sees."""
        return self.engine.parts.bound[0].view

    def start(self) -> list[Effect]:
        """Begins the session."""
        return self.send(ev.SessionStarted(self.now, "test"))

    def send(self, event: Event) -> list[Effect]:
        """Steps the engine with what is due before this event, then with it.

        Returns the effects of this event's own step.
        """
        self.settle(event.ts)
        return self._step(event)

    def run(self, events: Iterable[Event]) -> list[Effect]:
        """Sends many and lets everything still pending happen. Returns all effects so far."""
        for event in events:
            self.send(event)
        return self.effects

    def settle(self, until: Ns) -> None:
        """Lets answers, forecasts and timers up to a moment happen."""
        while self.pending and self.pending[0][0] <= until:
            self._step(heapq.heappop(self.pending)[3])

    def take_over(self, other: Session) -> None:
        """Puts this session's venue where another one's is: the same answers come."""
        self.now = other.now
        self.pending = list(other.pending)
        self.closed, self.pulled = set(other.closed), set(other.pulled)
        self._sent = other._sent
        if self.books is not None and other.books is not None:
            self.books.take(other.books)
        self._rng.setstate(other._rng.getstate())

    def of(self, kind: type[Any]) -> list[Any]:
        """All effects of one type so far."""
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def _step(self, event: Event) -> list[Effect]:
        self.now = max(self.now, event.ts)
        if isinstance(event, ev.MarketClosed):
            self.closed.add(event.market)
        if isinstance(event, ev.OrderFilled) and event.fill.market in self.closed:
            # What reaches a market after its end executes no more.
            event = ev.OrderCancelled(event.ts, event.fill.order, "the market is closed")
        if isinstance(event, ev.OrderFilled) and event.fill.order in self.pulled:
            return []
        if self.books is not None and isinstance(event, ev.BookUpdated):
            self.books.show(event.quote)
        effects = self.engine.step(event)
        self.effects += effects
        for effect in effects:
            for answer in self._answer(effect):
                self._sent += 1
                heapq.heappush(self.pending, (answer.ts, precedence(answer), self._sent, answer))
        return effects

    def _answer(self, effect: Effect) -> Iterable[Event]:
        later = self.now + LATENCY
        if isinstance(effect, fx.SetTimer):
            yield ev.TimerFired(max(effect.at, self.now + 1), effect.ledger, effect.key)
        elif isinstance(effect, fx.RequestForecast):
            yield self._forecast(effect, later)
        elif self.answers == "silent":
            return
        elif isinstance(effect, fx.SubmitOrder):
            yield from self._order(effect.order, later)
        elif isinstance(effect, fx.RequestCancel) and not effect.parent:
            self.pulled.add(effect.order)
            yield ev.OrderCancelled(later, effect.order, effect.reason)
        elif isinstance(effect, fx.MergePositions):
            yield ev.PositionMerged(later, effect.ledger, effect.market, effect.size)
        elif isinstance(effect, fx.RedeemPosition):
            paid = self.engine.parts.life.resolutions[effect.market]
            market = self.view.market(effect.market)
            index = [token.id for token in market.tokens].index(effect.token)
            yield ev.PositionRedeemed(
                later, effect.ledger, effect.market, effect.token, effect.size, paid.payouts[index]
            )

    def _forecast(self, asked: fx.RequestForecast, later: Ns) -> Event:
        if self._rng.random() < 0.2:
            return ev.ForecastFailed(
                later, asked.request, asked.market, asked.forecaster, "no answer", missing=True
            )
        made = build_forecast(
            asked.market, round(self._rng.uniform(0.05, 0.95), 3), as_of=asked.as_of
        )
        return ev.ForecastMade(later, asked.request, asked.forecaster, made)

    def _order(self, order: Order, later: Ns) -> Iterable[Event]:
        chance = self._rng.random() if self.answers == "random" else 1.0
        if chance < 0.15:
            yield ev.OrderRejected(later, order.id, "refused by chance")
            return
        yield ev.OrderAccepted(later, order.id)
        if self.answers == "fill" and order.post_only:
            later += RESTS
        if chance < 0.3 and order.tif in (TimeInForce.GTC, TimeInForce.GTD):
            return  # it rests
        market = self.view.market(order.token)
        size = order.size
        if chance < 0.5:
            size = max(order.size // 2 // market.lot * market.lot, market.lot)
        fill = Fill(
            trade=f"{order.id}-1", order=order.id, ledger=order.ledger, market=order.market,
            token=order.token, side=order.side, price=order.price, size=min(size, order.size),
            fee=market.taker_fee(order.price, min(size, order.size)), ts=later,
        )  # fmt: skip
        yield ev.OrderFilled(later, fill)
        if size < order.size:
            yield ev.OrderCancelled(later + 1, order.id, "the rest was killed")
