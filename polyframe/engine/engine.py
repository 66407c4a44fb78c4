"""``Engine.step(event) -> effects``: the whole of polyframe's decisions, as a pure state machine.

A step has two halves. The first applies what happened: money, shares, orders, books, halts. The
second reacts: protections observe, strategies are called, their wishes pass the door. Recovery
folds recorded events through the first half, then recorded effects, and calls nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from polyframe.api.exits import declared
from polyframe.api.protection import Halt
from polyframe.api.strategy import Strategy
from polyframe.api.view import View
from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.effects import Effect
from polyframe.domain.events import Command, CommandKind, Event
from polyframe.domain.orders import OrderState
from polyframe.domain.units import DAY, Ns
from polyframe.engine import checkpoint, exit_timers
from polyframe.engine.books import Books
from polyframe.engine.conduct import Conduct
from polyframe.engine.context import Bound, Calls, Context
from polyframe.engine.execution import Execution
from polyframe.engine.forecasting import ForecastDesk
from polyframe.engine.orders import OrderDesk
from polyframe.engine.reactions import Reactions
from polyframe.engine.risk import RiskDoor
from polyframe.engine.setup import ACCOUNT, Parts, Setup
from polyframe.engine.state import OpenOrder, State
from polyframe.engine.streams import Streams
from polyframe.engine.universe import Universe
from polyframe.engine.views import make_view
from polyframe.errors import DataError
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import tables_nb as t


class Engine:
    """A session's decisions. One event in, effects out; never any waiting."""

    def __init__(self, setup: Setup) -> None:
        universe = Universe(setup.markets, setup.groups)
        if len(setup.players) > nb.MOST_STRATEGIES:
            raise DataError(
                f"{len(setup.players)} strategies in one session",
                expected=f"at most {nb.MOST_STRATEGIES}",
            )
        books = Books(universe, strategies=len(setup.players))
        books.estimated = setup.estimated_quotes
        names = [player.name for player in setup.players]
        if len(set(names)) != len(names):
            raise DataError(f"two strategies share a name: {', '.join(names)}")
        state = State(books, names, [player.cash for player in setup.players])
        at_once = {m for m, market in enumerate(universe.markets) if market.opened <= setup.start}
        state.listed |= at_once
        for m in at_once:
            state.set_tradable(m, True)
        views: dict[int, View] = {}
        door = RiskDoor(state, setup.seal, setup.guarded, views, setup.calls)
        door.expect(setup.inputs)
        context = Context(setup.session, state, door)
        calls: Calls = setup.calls
        desk = OrderDesk(context, calls)
        forecasts = ForecastDesk(context, setup.default_forecaster)
        execution = Execution(
            context, desk, calls, setup.styles, [player.styles for player in setup.players]
        )
        streams = Streams(setup.seed)
        for row, name in enumerate([*names, ACCOUNT]):
            views[row] = make_view(
                state, row, name, lambda: context.now, forecasts.by_forecaster, forecasts.newest,
                lambda plugin: streams.at(context.step, plugin),
            )  # fmt: skip
        bound = [
            Bound(player.name, row, player.strategy, player.sizer, views[row])
            for row, player in enumerate(setup.players)
        ]
        for row, player in enumerate(setup.players):
            player.strategy.state = type(player.strategy).State()
            own = type(player.strategy).custom_exit is not Strategy.custom_exit
            exits = player.exits or declared(player.strategy)
            state.exits.declare(row, exits, followed=own)
        self.setup = setup
        self.context = context
        self.state = state
        self.parts = Parts(setup, context, desk, forecasts, execution, bound)
        self.conduct = Conduct(self.parts, calls)
        self.reactions = Reactions(self.parts, self.conduct, calls, views[state.account])
        self._apply_table = self._handlers()
        self._crossed: list[tuple[str, Halt]] = []

    @property
    def timers(self) -> dict[tuple[str, str], Ns]:
        """Timers that are set, by ledger and key."""
        return self.parts.timers

    # ---- the two halves ----------------------------------------------------------------------

    def step(self, event: Event) -> list[Effect]:
        """Applies an event, lets everybody react, returns what must happen now."""
        context = self.context
        out: list[Effect] = []
        context.out = out
        context.step += 1
        note = self._apply(event)
        for name, halt in self._crossed:
            self.conduct.halt(name, halt)
            if self.parts.floors.flattens(name, halt.ledger):
                self.reactions.exits.flatten(halt.ledger)
        self.reactions.react(event, note)
        if self.parts.door.failure is not None:
            self._guard_failed()
        return out

    def _guard_failed(self) -> None:
        """A protection failed in this step: its orders were denied, and a backtest stops.

        Raises:
            PluginError: what it raised, with file and line.
        """
        failure, self.parts.door.failure = self.parts.door.failure, None
        if failure is not None and self.setup.stop_on_guard_error:
            raise failure

    def fold(self, event: Event, effects: Sequence[Effect]) -> None:
        """Takes over a recorded step: the event's changes and the effects' commitments."""
        self.context.out = []
        self.context.step += 1
        self._apply(event)
        for effect in effects:
            self._commit(effect)
        self.context.out = []
        self.state.exits.opened_now.clear()

    def _apply(self, event: Event) -> object:
        context = self.context
        context.now = max(context.now, event.ts)
        self.turn(context.now)
        self.state.exits.now = context.now
        handler = self._apply_table.get(type(event))
        note = handler(event) if handler is not None else None
        self._crossed = self.parts.floors.cross(context.now)
        for name, halt in self._crossed:
            if self.parts.floors.flattens(name, halt.ledger):
                self._flatten(halt.ledger)
        return note

    def _flatten(self, ledger: str) -> None:
        for row, name in enumerate(self.state.ledgers):
            if ledger in ("", name):
                self.state.exits.flatten(row)

    def turn(self, ts: Ns) -> None:
        """Begins the UTC day of a moment, before anything that happens in it."""
        day = ts // DAY
        if day != self.parts.day:
            self.parts.floors.turn(self.parts.day, day)
            self.parts.day = day

    def _handlers(self) -> dict[type, Callable[[Any], object]]:
        parts = self.parts
        desk, life, forecasts = parts.desk, parts.life, parts.forecasts
        return {
            ev.BookUpdated: self._book,
            ev.BookReset: self._reset,
            ev.StatsReported: life.reported,
            ev.FeedLost: life.feed_lost,
            ev.ForecastMade: forecasts.made,
            ev.ForecastFailed: forecasts.failed,
            ev.OrderAccepted: desk.accepted,
            ev.OrderTimedOut: desk.timed_out,
            ev.OrderFilled: self._filled,
            ev.FillConfirmed: desk.confirmed,
            ev.FillFailed: desk.failed,
            ev.OrderRejected: lambda e: desk.ended(e.order, OrderState.REJECTED, e.reason),
            ev.OrderCancelled: lambda e: desk.ended(e.order, OrderState.CANCELLED, e.reason),
            ev.OrderExpired: lambda e: desk.ended(e.order, OrderState.EXPIRED, ""),
            ev.CancelRejected: self._cancel_rejected,
            ev.PositionSplit: life.split,
            ev.PositionMerged: life.merged,
            ev.OperationFailed: life.failed,
            ev.PositionRedeemed: life.redeemed,
            ev.PositionConverted: life.converted,
            ev.RewardPaid: life.cash_moved,
            ev.CashMoved: self._cash_moved,
            ev.MarketListed: life.listed,
            ev.GroupListed: life.grouped,
            ev.TickSizeChanged: life.tick_changed,
            ev.FeesChanged: life.fees_changed,
            ev.MarketClosed: life.closed,
            ev.MarketDisputed: life.closed,
            ev.MarketResolved: life.resolved,
            ev.TimerFired: self._timer,
            ev.SessionStarted: self._started,
            ev.CommandReceived: lambda e: self._told(e.command),
        }

    def named_by(self, bits: int) -> tuple[str, ...]:
        """The ledgers whose bits are set."""
        if not bits:
            return ()
        return tuple(name for i, name in enumerate(self.state.ledgers) if bits >> i & 1)

    def _book(self, event: ev.BookUpdated) -> tuple[str, ...]:
        token = self.context.universe.token(event.quote.token)
        self.context.books.put(token, event.quote)
        return self._quoted(token)

    def _reset(self, event: ev.BookReset) -> tuple[str, ...]:
        token = self.context.universe.token(event.book.token)
        self.context.books.reset(token, event.book)
        return self._quoted(token)

    def _quoted(self, token: int) -> tuple[str, ...]:
        """Values the market anew; the ledgers whose wake condition holds now."""
        m = self.context.universe.token_market[token]
        self.state.revalue(m)
        self.state.exits.watch(m, self.state.marks)
        return self.named_by(self.context.books.moved(m))

    def _filled(self, event: ev.OrderFilled) -> fx.FillBooked | None:
        note = self.parts.desk.filled(event)
        if note is not None:
            self.parts.life.filled_late(note.fill)
        return note

    def _told(self, command: Command) -> None:
        if command.kind is CommandKind.RESET:
            self.state.exits.calm()
        elif command.kind is CommandKind.KILL and command.flatten:
            self._flatten(command.ledger)

    def _cancel_rejected(self, event: ev.CancelRejected) -> None:
        found = self.state.orders.get(event.order)
        if found is not None:
            # It may still fill; a later wish may try again.
            found.cancelling = False

    def _cash_moved(self, event: ev.CashMoved) -> None:
        self.parts.life.cash_moved(event)
        self.parts.floors.moved(self.state.ledger_index[event.ledger], event.amount)

    def _timer(self, event: ev.TimerFired) -> None:
        key = (event.ledger, event.key)
        if self.parts.timers.get(key, event.ts) <= event.ts:
            self.parts.timers.pop(key, None)

    def _started(self, event: ev.SessionStarted) -> None:
        if event.resumed:
            # Answers to questions of the former process never come.
            self.parts.forecasts.inflight.clear()
            self.parts.forecasts.waiting.clear()

    # ---- commitments of effects, shared by step and fold --------------------------------------

    def _commit(self, effect: Effect) -> None:
        """What an effect means for the state, besides being carried out by the driver."""
        if isinstance(effect, fx.SubmitOrder | fx.ParentApproved):
            self._adopt(effect)
        elif isinstance(effect, fx.RequestCancel):
            self._cancelling(effect)
        elif isinstance(effect, fx.OrderChanged):
            found = self.state.orders.get(effect.order)
            if found is not None and found.order.style and not effect.state.open:
                self.state.close(found)  # a parent ends by decision, not by the venue's word
        elif isinstance(effect, fx.RequestForecast):
            self.context.requests_made += 1
            self.parts.forecasts.commit(effect.request, (effect.market, effect.forecaster))
        elif isinstance(effect, fx.ForecastAwaited):
            self.parts.forecasts.relied(effect)
        elif isinstance(effect, fx.SetTimer):
            self.parts.timers[(effect.ledger, effect.key)] = effect.at
            exit_timers.take(self.state, effect)
        elif isinstance(effect, fx.MergePositions):
            self.parts.life.merge(effect)
        elif isinstance(effect, fx.TradingHalted | fx.TradingResumed):
            self.conduct.commit(effect)
        elif isinstance(effect, fx.StrategyDisabled):
            self.parts.bound[self.state.ledger_index[effect.ledger]].disabled = True
        elif isinstance(effect, fx.StateSaved):
            self._recall(effect)

    def _cancelling(self, effect: fx.RequestCancel) -> None:
        found = self.state.orders.get(effect.order)
        if found is None:
            return
        found.cancelling = True
        if not effect.parent:
            self.state.count(t.A_CANCELS_DAY, found.ledger)

    def _recall(self, effect: fx.StateSaved) -> None:
        parent = self.state.orders.get(effect.parent)
        if parent is not None:
            parent.memory = effect.state
        if effect.parent:
            return
        bound = self.parts.bound[self.state.ledger_index[effect.ledger]]
        kind = type(bound.strategy).State
        bound.strategy.state = msgspec.msgpack.decode(effect.state, type=kind)
        bound.saved = effect.state

    def _adopt(self, effect: fx.SubmitOrder | fx.ParentApproved) -> None:
        order, state = effect.order, self.state
        token = self.context.universe.token(order.token)
        adopted = OpenOrder(
            order, state.ledger_index[order.ledger], self.context.universe.token_market[token],
            token,
        )  # fmt: skip
        adopted.rests = adopted.rests and not order.style
        self.context.orders_made = max(self.context.orders_made, int(order.id.rsplit("-", 1)[1]))
        parent = state.orders.get(order.parent)
        if parent is not None:
            parent.working += order.size
            state.reserve(parent)
        state.open(adopted)
        if isinstance(effect, fx.SubmitOrder):
            market = self.context.universe.markets[adopted.market]
            state.count_sent(adopted.ledger, order, market.divisor)

    # ---- saving ------------------------------------------------------------------------------

    def checkpoint(self) -> bytes:
        """Everything that decides the next step, strategies' declared state included."""
        return checkpoint.save(self.parts)

    def restore(self, state: bytes) -> None:
        """Goes on where :meth:`checkpoint` left off."""
        checkpoint.load(self.parts, state)
