"""The second half of a step: who is told of what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from polyframe.api.protection import Halt, Protection
from polyframe.api.subscription import (
    Answered,
    Ended,
    Every,
    Moved,
    Subscription,
    Traded,
    Wallets,
)
from polyframe.api.view import View
from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.events import Event
from polyframe.domain.market import Market
from polyframe.domain.orders import OrderState
from polyframe.domain.units import INT64_SAFE, Ns
from polyframe.engine.commands import Commands
from polyframe.engine.conduct import EVERY, Conduct
from polyframe.engine.context import Bound, Calls
from polyframe.engine.execution import TIMER
from polyframe.engine.exit_timers import OWN
from polyframe.engine.exits import ExitDesk
from polyframe.engine.setup import Parts
from polyframe.engine.signals import Signals
from polyframe.engine.state import OpenOrder
from polyframe.errors import PluginError

MOST_TICKS = 1_000_000


def sound(subscription: object, method: str) -> Subscription:
    """A strategy's subscription, if it is one.

    Raises:
        PluginError: it is something else, or a field holds what it should not.
    """
    try:
        if type(subscription) is not Subscription:
            raise TypeError(f"{type(subscription).__name__} is no Subscription")
        found = msgspec.msgpack.decode(msgspec.msgpack.encode(subscription), type=Subscription)
        for wake in found.wake:
            if isinstance(wake, Every) and not 0 < wake.interval < INT64_SAFE:
                raise ValueError(f"{wake} never passes")
            if isinstance(wake, Moved) and not 0 < wake.ticks <= MOST_TICKS:
                raise ValueError(f"{wake} is no movement")
            if isinstance(wake, Traded) and not 0 <= wake.over < INT64_SAFE:
                raise ValueError(f"{wake} is no notional")
    except (TypeError, ValueError, OverflowError, msgspec.MsgspecError) as error:
        raise PluginError(
            f"{method} answered {subscription!r}: {error}",
            expected="Subscription(tokens=..., data=..., wake=...) with whole numbers above zero",
        ) from error
    return found


class Reactions:
    """Calls protections and strategies in the order of the design."""

    def __init__(self, parts: Parts, conduct: Conduct, calls: Calls, account_view: View) -> None:
        self.parts = parts
        self.context = parts.context
        self.conduct = conduct
        self.calls = calls
        self.exits = ExitDesk(conduct)
        self.commands = Commands(conduct, self.exits)
        self._signals = Signals(conduct)
        self._account_view = account_view
        self.arming = True
        """False where a data loop keeps the strategies' clocks itself"""
        self._observers = [
            p for p in parts.protections if type(p).observe is not Protection.observe
        ]
        self._table: dict[type, Callable[[Any, Any], None]] = {
            ev.SessionStarted: self._started,
            ev.SessionEnded: self._ended,
            ev.MarketListed: lambda e, _: self.subscribe(e.market),
            ev.Woken: self._woken,
            ev.BookUpdated: lambda e, moved: self._quoted(e.ts, e.quote.token, moved),
            ev.BookReset: lambda e, moved: self._quoted(e.ts, e.book.token, moved),
            ev.TradePrinted: lambda e, _: self._traded(e),
            ev.WalletTraded: lambda e, _: self._by_token(e, e.token, "on_wallet"),
            ev.BarClosed: lambda e, _: self._by_token(e, e.token, "on_bar"),
            ev.BarSignalled: lambda e, _: self._signals.carry_out(e),
            ev.ForecastMade: self._told,
            ev.ForecastFailed: self._told,
            ev.OrderAccepted: lambda e, _: self._stands(e),
            ev.CancelRejected: lambda e, _: self._stands(e),
            ev.OrderFilled: self._filled,
            ev.OrderRejected: self._order_ended,
            ev.OrderCancelled: self._order_ended,
            ev.OrderExpired: self._order_ended,
            ev.MarketResolved: self._resolved,
            ev.PositionRedeemed: self._settled,
            ev.TimerFired: self._timer,
            ev.CommandReceived: lambda e, _: self.commands.carry_out(e.command),
        }

    def react(self, event: Event, note: object) -> None:
        """Tells everybody concerned."""
        for protection in self._observers:
            self._observe(protection, event)
        self.exits.before(event, note)
        handler = self._table.get(type(event))
        if handler is not None:
            handler(event, note)
        self.exits.after()

    # ---- protections -------------------------------------------------------------------------

    def _observe(self, protection: Protection, event: Event) -> None:
        name = type(protection).__name__
        try:
            halt = self.calls.call(name, protection.observe, event, self._account_view)
            if halt is not None and type(halt) is not Halt:
                raise PluginError(f"{name}.observe answered {halt!r}", expected="a Halt or None")
        except PluginError as error:
            if not self.parts.setup.disable_on_error:
                raise
            # A guard that fails closes: nothing new until a person has looked.
            halt = Halt(reason=f"{name} failed: {error.message}")
        if halt is not None:
            self.conduct.halt(name, halt)

    # ---- events ------------------------------------------------------------------------------

    def subscribe(self, new: Market | None = None) -> None:
        """Asks every strategy what it listens to and arms the wake conditions.

        After a listing only the new market's are armed: the others stand already.
        """
        universe = self.context.universe
        listed = [universe.markets[m] for m in sorted(self.context.state.listed)]
        for bound in self.parts.bound:
            if bound.disabled:
                continue
            try:
                answer = self.calls.call(bound.name, bound.strategy.subscribe, list(listed))
                bound.listen(sound(answer, f"{type(bound.strategy).__name__}.subscribe"))
            except PluginError as error:
                self.conduct.failed(bound, error)
            self.exits.listen(bound)
            moves = [w for w in bound.subscription.wake if isinstance(w, Moved)]
            if not moves and "on_book" in bound.methods:
                moves = [Moved(1)]  # who wants to hear of books and does not say when: every tick
            for move in moves:
                self._arm_moves(bound, move, listed if new is None else [new])
            self._arm_trades(bound, listed if new is None else [new])

    def _arm_trades(self, bound: Bound, markets: list[Market]) -> None:
        """Asks the data loop for public trades: from a notional on, or all for ``on_trade``."""
        books, wakes = self.context.books, bound.subscription.wake
        for wake in wakes:
            if isinstance(wake, Wallets):
                books.follow(bound.ledger, wake.wallets)
        overs = [wake.over for wake in wakes if isinstance(wake, Traded)]
        listens = any(isinstance(wake, Wallets) for wake in wakes)
        if not overs and not listens and "on_trade" in bound.methods:
            overs = [0]
        for market in markets if overs else ():
            if any(bound.hears(token.id) for token in market.tokens):
                m = self.context.universe.market_index[market.id]
                books.arm_trades(bound.ledger, m, min(overs))

    def _traded(self, event: ev.TradePrinted) -> None:
        """A public trade: those hear of it who asked for its size or for who made it."""
        books, universe = self.context.books, self.context.universe
        m = universe.token_market[universe.token(event.token)]
        notional = event.price * event.size // universe.markets[m].divisor
        followers = books.followed.get(event.wallet, 0) if event.wallet else 0
        for bound in self.parts.bound:
            if not any(bound.hears(token.id) for token in universe.markets[m].tokens):
                continue
            over = int(books.prints[bound.ledger, m])
            follows = bool(followers >> bound.ledger & 1)
            if not follows and not 0 < over <= notional:
                continue
            if "on_trade" in bound.methods:
                self.conduct.tell(bound, "on_trade", event)
            if any(isinstance(wake, Traded | Wallets) for wake in bound.subscription.wake):
                reason = ev.WakeReason.WALLET if follows else ev.WakeReason.TRADED
                woken = ev.Woken(event.ts, reason, event.token, 0, 0, (bound.name,))
                self.conduct.tell(bound, "on_wake", woken)

    def _arm_moves(self, bound: Bound, wake: Moved, markets: list[Market]) -> None:
        for market in markets:
            if any(bound.hears(token.id) for token in market.tokens):
                m = self.context.universe.market_index[market.id]
                self.context.books.arm(bound.ledger, m, wake.ticks * market.tick)

    def _started(self, event: ev.SessionStarted, note: object) -> None:
        self.subscribe()
        for bound in self.parts.bound:
            for i, wake in enumerate(bound.subscription.wake):
                if isinstance(wake, Every) and self.arming and not event.resumed:
                    self.conduct.arm(bound.name, f"{EVERY}{i}", self.context.now + wake.interval)
            if not event.resumed:
                self.conduct.tell(bound, "on_start", event)

    def _woken(self, event: ev.Woken, note: object) -> None:
        if event.reason in (ev.WakeReason.LIMIT, ev.WakeReason.EXIT):
            self._quoted(event.ts, event.token, event.ledgers)
            return
        names = event.ledgers or tuple(
            bound.name for bound in self.parts.bound if bound.hears(event.token)
        )
        self._quoted(event.ts, event.token, names, event)

    def _quoted(
        self, ts: Ns, token: str, ledgers: tuple[str, ...], woken: ev.Woken | None = None
    ) -> None:
        """A market's best prices moved as far as these strategies wanted to hear of."""
        for name in ledgers:
            bound = self.parts.named(name)
            if "on_book" in bound.methods:
                self.conduct.tell(bound, "on_book", ev.BookUpdated(ts, bound.view.book(token)))
            asked = any(isinstance(wake, Moved) for wake in bound.subscription.wake)
            if asked or (woken is not None and not woken.ledgers):
                event = woken or ev.Woken(ts, ev.WakeReason.MOVED, token, 0, 0, ledgers)
                self.conduct.tell(bound, "on_wake", event)

    def _by_token(self, event: Event, token: str, method: str) -> None:
        for bound in self.parts.bound:
            if method in bound.methods and bound.hears(token):
                self.conduct.tell(bound, method, event)

    def _told(self, event: Event, note: Any) -> None:
        for name in note:
            self.conduct.tell(self.parts.named(name), "on_forecast", event)

    def _filled(self, event: ev.OrderFilled, note: fx.FillBooked | None) -> None:
        if note is None:
            return
        bound = self.parts.named(note.fill.ledger)
        self.conduct.tell(bound, "on_fill", note)
        self._answered(bound, event.ts, note.fill.token)
        self.parts.quotes.revise(bound, note.fill.token)
        self._work_parents(bound, note.fill.market)

    def _stands(self, event: ev.OrderAccepted | ev.CancelRejected) -> None:
        """The venue took an order, or could not cancel it."""
        found = self.context.state.orders.get(event.order)
        if found is not None:
            self._answered(self.parts.bound[found.ledger], event.ts, found.order.token)

    def _answered(self, bound: Bound, ts: Ns, token: str) -> None:
        """Wakes a strategy that asked to hear of the venue's answers."""
        if any(isinstance(wake, Answered) for wake in bound.subscription.wake):
            woken = ev.Woken(ts, ev.WakeReason.ANSWERED, token, 0, 0, (bound.name,))
            self.conduct.tell(bound, "on_wake", woken)

    def _ended(self, event: ev.SessionEnded, note: object) -> None:
        """The last moment: those hear of it who asked."""
        for bound in self.parts.bound:
            if any(isinstance(wake, Ended) for wake in bound.subscription.wake):
                woken = ev.Woken(event.ts, ev.WakeReason.END, "", 0, 0, (bound.name,))
                self.conduct.tell(bound, "on_wake", woken)

    def _order_ended(self, event: Any, note: Any) -> None:
        if note is None:
            return
        bound = self.parts.bound[note.ledger]
        self._answered(bound, event.ts, note.order.token)
        if not isinstance(event, ev.OrderRejected):
            # What was refused once would be refused again: others must leave room first.
            self.parts.quotes.revise(bound, note.order.token)
        self._work_parents(bound, note.order.market)

    def _work_parents(self, bound: Bound, market: str) -> None:
        execution, m = self.parts.execution, self.context.universe.market_index[market]
        for o in list(self.context.state.by_market.get(m, {}).values()):
            if not o.order.style or o.ledger != bound.ledger:
                continue
            if o.cancelling and not execution.children(o):
                self.parts.desk.end(o, OrderState.CANCELLED, "cancelled")
            else:
                self._work(o, bound)

    def _work(self, parent: OpenOrder, bound: Bound) -> None:
        try:
            self.parts.execution.work(parent, bound)
        except PluginError as error:
            self.conduct.failed(bound, error)

    def _resolved(self, event: ev.MarketResolved, note: object) -> None:
        market = event.resolution.market
        m = self.context.universe.market_index[market]
        for o in list(self.context.state.by_market.get(m, {}).values()):
            if not o.order.parent:
                self.conduct.cancel_order(o.order.id, "market resolved")
        for effect in self.parts.life.redemptions(market):
            self.context.emit(effect)

    def _settled(self, event: ev.PositionRedeemed, note: fx.PositionSettled) -> None:
        self.conduct.tell(self.parts.named(event.ledger), "on_resolved", note)

    def _timer(self, event: ev.TimerFired, note: object) -> None:
        index = self.context.state.ledger_index.get(event.ledger)
        if index is None:
            return
        bound = self.parts.bound[index]
        if event.key.startswith(OWN):
            return
        if event.key.startswith(TIMER):
            parent = self.context.state.orders.get(event.key.removeprefix(TIMER))
            if parent is not None:
                self._work(parent, bound)
            return
        if event.key.startswith(EVERY):
            n = int(event.key.removeprefix(EVERY))
            wakes = bound.subscription.wake
            wake = wakes[n] if n < len(wakes) else None
            if isinstance(wake, Every):
                self.conduct.arm(bound.name, event.key, event.ts + wake.interval)
        self.conduct.tell(bound, "on_wake", event)
