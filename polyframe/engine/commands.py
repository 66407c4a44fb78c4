"""What a person tells a running session. Orders it causes go through the same door."""

from __future__ import annotations

from collections.abc import Callable

from polyframe.api.protection import Halt
from polyframe.domain import effects as fx
from polyframe.domain.events import Command, CommandKind
from polyframe.domain.orders import Kind, Order, Side
from polyframe.domain.portfolio import Position
from polyframe.domain.wishes import Intent
from polyframe.engine.conduct import KILL, RESET, Conduct
from polyframe.engine.context import Bound
from polyframe.engine.exits import ExitDesk
from polyframe.errors import PluginError

PAUSE = "pause"


class Commands:
    """Carries commands out."""

    def __init__(self, conduct: Conduct, exits: ExitDesk) -> None:
        self.conduct = conduct
        self.exits = exits
        self.context = conduct.context

    def carry_out(self, command: Command) -> None:
        """Does what a command says; what cannot be done is recorded as refused."""
        r, c = self.conduct, self.context
        if command.ledger and command.ledger not in c.state.ledger_index:
            known = ", ".join(c.state.ledgers)
            r.parts.desk.refuse(
                command.ledger, command.kind, f"no strategy {command.ledger!r}, there are: {known}"
            )
            return
        match command.kind:
            case CommandKind.KILL:
                r.halt(KILL, Halt(reason=command.reason or f"killed by {command.by}"))
                self._cancel_all(command)
                if command.flatten:
                    self.exits.flatten(command.ledger)
            case CommandKind.RESET:
                self._resume(RESET, "")
            case CommandKind.PAUSE:
                reason = command.reason or f"paused by {command.by}"
                r.halt(PAUSE, Halt(reason=reason, ledger=command.ledger))
            case CommandKind.RESUME:
                self._resume("resume", command.ledger)
            case CommandKind.CANCEL_ALL:
                self._cancel_all(command)
            case CommandKind.CLOSE:
                self._trying(command, self._close)
            case CommandKind.BUY:
                self._trying(command, self._buy)

    def _trying(self, command: Command, what: Callable[[Command], None]) -> None:
        """A command that a sizer or style cannot carry out is refused; it ends no session."""
        try:
            what(command)
        except PluginError as error:
            self.conduct.parts.desk.refuse(command.ledger, command.kind, error.message)

    def _resume(self, by: str, ledger: str) -> None:
        effect = fx.TradingResumed(self.context.now, by, ledger)
        self.conduct.commit(effect)
        self.context.emit(effect)

    def _concerned(self, command: Command) -> list[Bound]:
        bound = self.conduct.parts.bound
        return [b for b in bound if command.ledger in ("", b.name)]

    def _cancel_all(self, command: Command) -> None:
        names = {b.name for b in self._concerned(command)}
        for order in self._orders(command.market):
            if order.ledger in names and not order.parent:
                self.conduct.cancel_order(order.id, command.reason or f"cancelled by {command.by}")

    def _orders(self, market: str) -> list[Order]:
        """Open orders, of one market where that is named."""
        state = self.context.state
        if not market:
            return [o.order for o in state.orders.values()]
        m = self.context.universe.market_index.get(market, -1)
        return [o.order for o in state.by_market.get(m, {}).values()]

    def _close(self, command: Command) -> None:
        self._cancel_all(command)
        for bound in self._concerned(command):
            for position in self._held(bound, command.market):
                intent = Intent(
                    token=position.token, side=Side.SELL, price=command.price, kind=Kind.EXIT,
                    reason=command.reason or f"closed by {command.by}",
                )  # fmt: skip
                self.conduct.carry_out(bound, [intent])

    @staticmethod
    def _held(bound: Bound, market: str) -> list[Position]:
        """What a strategy holds, of one market where that is named."""
        if not market:
            return list(bound.view.positions())
        tokens = bound.view.market(market).tokens
        return [held for t in tokens if (held := bound.view.position(t.id)).shares]

    def _buy(self, command: Command) -> None:
        concerned = self._concerned(command)
        if len(concerned) != 1:
            self.conduct.parts.desk.refuse(
                command.ledger, command.kind, "say for which strategy's ledger to buy"
            )
            return
        intent = Intent(
            token=command.token, side=Side.BUY, price=command.price, size=command.size,
            probability=command.probability, reason=command.reason or f"bought by {command.by}",
        )  # fmt: skip
        self.conduct.carry_out(concerned[0], [intent])
