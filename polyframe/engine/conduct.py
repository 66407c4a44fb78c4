"""Carries out what strategies wish, protections order and people command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from polyframe.api.protection import Halt
from polyframe.domain import effects as fx
from polyframe.domain.orders import Kind, Side
from polyframe.domain.wishes import (
    AskForecast,
    CancelOrder,
    Intent,
    MergePairs,
    Quotes,
    WakeAt,
    Wish,
)
from polyframe.engine.admission import leaves_open, refusal
from polyframe.engine.context import Bound, Calls
from polyframe.engine.execution import TIMER
from polyframe.engine.exit_timers import OWN, take
from polyframe.engine.setup import Parts
from polyframe.errors import PluginError

EVERY = "every:"
RESERVED = (EVERY, TIMER, *OWN)
"""How keys of timers begin that the engine sets for itself."""
KILL = "kill"
RESET = "reset"
WAKES = frozenset({"on_book", "on_wake", "on_bar", "on_trade", "on_wallet", "on_forecast"})
"""Methods before which a strategy is asked about what it holds."""


def only_quotes(bound: Bound, method: str, wishes: Sequence[Wish]) -> None:
    """Holds a strategy that says so to quotes alone.

    Raises:
        PluginError: it wished for something else.
    """
    for wish in wishes:
        if type(wish) is not Quotes:
            name = type(bound.strategy).__name__
            raise PluginError(
                f"{name}.{method} yielded {type(wish).__name__}, and {name} has quotes_only = True",
                expected="Quotes and nothing else",
                hint=f"take quotes_only out of {name}; its tapes are then played step by step",
            )


class Conduct:
    """Wishes, halts and cancels."""

    def __init__(self, parts: Parts, calls: Calls) -> None:
        self.parts = parts
        self.context = parts.context
        self.calls = calls
        self.woken: Callable[[Bound, Any], object] = lambda *_: None
        """called before a strategy hears of a wake"""
        self._wishes: dict[type, Callable[[Bound, Any], None]] = {
            Intent: self._intent,
            Quotes: parts.quotes.want,
            CancelOrder: self._cancel,
            AskForecast: parts.forecasts.ask,
            WakeAt: self._wake_at,
            MergePairs: self._merge,
        }

    def halt(self, by: str, halt: Halt) -> None:
        """Blocks new exposure, pulls entries that rest and tells the strategies."""
        effect = fx.TradingHalted(
            self.context.now, by, halt.reason, halt.ledger, halt.market, halt.until
        )
        self.commit(effect)
        self.context.emit(effect)
        for o in list(self.context.state.orders.values()):
            here = halt.ledger in ("", o.order.ledger) and halt.market in ("", o.order.market)
            if here and o.order.side == Side.BUY:
                self.cancel_order(o.order.id, halt.reason)
        for bound in self.parts.bound:
            if halt.ledger in ("", bound.name):
                self.tell(bound, "on_halt", effect)

    def commit(self, effect: fx.TradingHalted | fx.TradingResumed) -> None:
        """Takes a halt or its end into the state."""
        door = self.parts.door
        if isinstance(effect, fx.TradingHalted):
            if effect.by == KILL:
                door.killed = True
            elif effect.by != door.guards.name_of("drawdown_kill"):
                # A fall from the peak is latched where it was crossed.
                door.halt(
                    Halt(
                        reason=effect.reason, until=effect.until, ledger=effect.ledger,
                        market=effect.market,
                    )
                )  # fmt: skip
            return
        if effect.by == RESET:
            door.killed = False
            self.parts.floors.restart()
        elif effect.ledger:
            door.halts = {k: v for k, v in door.halts.items() if k[0] != effect.ledger}
        else:
            door.halts.clear()

    def cancel_order(self, id: str, reason: str) -> None:
        """Cancels an open order, a parent with its children."""
        found = self.context.state.orders.get(id)
        if found is None:
            return
        if found.order.style:
            self.parts.execution.cancel(found, reason)
        else:
            self.parts.desk.request_cancel(found, reason)

    def tell(self, bound: Bound, method: str, event: object) -> None:
        """Calls one method of a strategy and carries out its wishes."""
        if bound.disabled:
            return
        if method in WAKES:
            self.woken(bound, event)
        callback = bound.methods.get(method)
        if callback is None:
            return
        try:
            wishes = self.calls.invoke(bound.name, callback, event, bound.view)
            if bound.strategy.quotes_only:
                only_quotes(bound, method, wishes)
            self.carry_out(bound, wishes)
            self._save(bound)
        except PluginError as error:
            self.failed(bound, error)

    def failed(self, bound: Bound, error: PluginError) -> None:
        """Takes a strategy that failed out of a live session; a backtest stops.

        Raises:
            PluginError: the session does not go on without it.
        """
        if not self.parts.setup.disable_on_error:
            raise error
        if not bound.disabled:
            self._disable(bound, error.message)

    def _save(self, bound: Bound) -> None:
        if not bound.stateful:
            return
        try:
            changed = bound.changed_state()
        except (TypeError, ValueError, OverflowError, AttributeError, RecursionError) as error:
            raise PluginError(
                f"the state of {bound.name} cannot be saved: {error}",
                expected=f"plain values in {type(bound.strategy).__name__}.State, as declared",
            ) from error
        if changed is not None:
            self.context.emit(fx.StateSaved(bound.name, changed))

    def carry_out(self, bound: Bound, wishes: Iterable[Wish]) -> None:
        """Does what can be done about each wish."""
        for wish in self._with_legs(wishes):
            self._wishes[type(wish)](bound, wish)

    def _with_legs(self, wishes: Iterable[Wish]) -> Iterable[Wish]:
        """The wishes, an arbitrage without a second leg in its event as what it is: a direction.

        Some guards do not ask about arbitrage, and a name is no way around them.
        """
        wishes = list(wishes)
        legs: dict[int, set[str]] = {}
        universe = self.context.universe
        for wish in wishes:
            if isinstance(wish, Intent) and wish.kind is Kind.ARBITRAGE:
                token = universe.token_index.get(wish.token)
                if token is not None:
                    event = universe.event_of[universe.token_market[token]]
                    legs.setdefault(event, set()).add(wish.token)
        alone = {token for tokens in legs.values() if len(tokens) == 1 for token in tokens}
        if not alone:
            return wishes
        return [
            msgspec.structs.replace(wish, kind=Kind.DIRECTIONAL)
            if isinstance(wish, Intent) and wish.kind is Kind.ARBITRAGE and wish.token in alone
            else wish
            for wish in wishes
        ]

    def _disable(self, bound: Bound, reason: str) -> None:
        bound.disabled = True
        self.context.emit(fx.StrategyDisabled(self.context.now, bound.name, reason))
        for o in list(self.context.state.orders.values()):
            if o.ledger == bound.ledger and not o.order.parent:
                self.cancel_order(o.order.id, "strategy disabled")

    def _intent(self, bound: Bound, intent: Intent) -> None:
        why = refusal(self.context, bound, intent.token, intent.side, intent.kind)
        if why:
            self.parts.desk.refuse(bound.name, "Intent buy", why, intent.token)
            return
        player = self.parts.setup.players[bound.ledger]
        style = intent.style or (player.style if leaves_open(intent) else "")
        if style:
            self.parts.execution.check(style, bound)
        order = self.parts.desk.intend(bound, intent, style=style)
        if order is not None and style:
            self.parts.execution.work(order, bound)

    def _cancel(self, bound: Bound, wish: CancelOrder) -> None:
        found = self.context.state.orders.get(wish.order)
        if found is not None and found.ledger == bound.ledger and found.order.style:
            self.parts.execution.cancel(found, wish.reason)
        else:
            self.parts.desk.cancel(bound, wish)

    def _wake_at(self, bound: Bound, wish: WakeAt) -> None:
        if wish.key.startswith(RESERVED):
            reason = f"keys that begin with {' or '.join(RESERVED)} are the engine's own"
            self.parts.desk.refuse(bound.name, "WakeAt", reason, wish.key)
            return
        self.arm(bound.name, wish.key, max(wish.ts, self.context.now))

    def _merge(self, bound: Bound, wish: MergePairs) -> None:
        c, life = self.context, self.parts.life
        m = c.universe.market_index.get(wish.market)
        if m is None or not c.universe.markets[m].binary:
            self.parts.desk.refuse(bound.name, "MergePairs", "no market of pairs", wish.market)
            return
        free = life.mergeable(bound.ledger, m)
        size = free if wish.size is None else min(free, wish.size)
        if size <= 0:
            return
        effect = fx.MergePositions(bound.name, wish.market, size)
        life.merge(effect)
        c.emit(effect)

    def arm(self, ledger: str, key: str, at: int) -> None:
        """Sets a timer."""
        self.parts.timers[(ledger, key)] = at
        effect = fx.SetTimer(ledger, key, at)
        take(self.context.state, effect)
        self.context.emit(effect)
