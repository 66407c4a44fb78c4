"""Carries approved parents out in children, each through the door again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import TypeGuard

from polyframe.api.execution import Child, ExecutionStyle, Parent, Step
from polyframe.api.view import View
from polyframe.domain.effects import OrderReviewed, RequestCancel, SetTimer, SubmitOrder
from polyframe.domain.orders import Order, OrderState, TimeInForce
from polyframe.domain.units import INT64_SAFE, Ns
from polyframe.domain.wishes import CancelOrder, Intent, WakeAt
from polyframe.engine.context import Bound, Calls, Context
from polyframe.engine.orders import OrderDesk
from polyframe.engine.state import OpenOrder
from polyframe.errors import PluginError

MAX_STEPS = 1_000
TIMER = "style:"


class _Drained:
    """A style's method that runs to its end when called, under the method's own name and place.

    A generator's body must run inside the wrapper around plugins, not where its steps are read.
    """

    def __init__(self, work: Callable[..., Iterable[Step] | None]) -> None:
        self.__name__ = work.__name__
        self.__self__ = getattr(work, "__self__", None)
        self.__func__ = getattr(work, "__func__", work)
        self._work = work

    def __call__(self, parent: Parent, view: View) -> list[Step]:
        return list(islice(self._work(parent, view) or (), MAX_STEPS + 1))


def _sound(step: object) -> TypeGuard[Step]:
    """True when a step is one and its fields hold what they say."""
    if type(step) is Child:
        numbers = (step.price, step.size, step.ttl)
        whole = all(type(n) is int and abs(n) < INT64_SAFE for n in numbers)
        said = type(step.reason) is str and type(step.post_only) is bool
        return whole and said and type(step.tif) is TimeInForce
    if type(step) is WakeAt:
        return type(step.ts) is int and abs(step.ts) < INT64_SAFE
    return type(step) is CancelOrder and type(step.order) is str and type(step.reason) is str


class Execution:
    """Asks a parent's style what to do, at approval, after each child and at its wakes."""

    def __init__(
        self,
        context: Context,
        desk: OrderDesk,
        calls: Calls,
        styles: Mapping[str, ExecutionStyle],
    ) -> None:
        self.context = context
        self.desk = desk
        self.calls = calls
        self.styles = styles
        self.timers: dict[tuple[str, str], Ns] = {}
        """the session's timers"""

    def work(self, parent: OpenOrder, bound: Bound) -> None:
        """Lets the style act on what is free of a parent."""
        if parent.cancelling or parent.order.id not in self.context.state.orders:
            return
        name = parent.order.style
        seen = Parent(parent.order, parent.filled, parent.working, parent.order.ts)
        steps = self.calls.call(bound.name, _Drained(self.styles[name].work), seen, bound.view)
        if len(steps) > MAX_STEPS:
            raise PluginError(f"style {name} asked for more than {MAX_STEPS:,} things at once")
        for step in steps:
            if not _sound(step):
                raise PluginError(
                    f"style {name} answered {step!r}",
                    expected="Child, CancelOrder or WakeAt, with whole numbers",
                )
            if isinstance(step, Child):
                self._child(parent, step)
            elif isinstance(step, CancelOrder):
                child = self.context.state.orders.get(step.order)
                if child is not None and child.order.parent == parent.order.id:
                    self.desk.request_cancel(child, step.reason)
            else:
                key, at = TIMER + parent.order.id, max(step.ts, self.context.now)
                self.timers[(bound.name, key)] = at
                self.context.emit(SetTimer(bound.name, key, at))

    def cancel(self, parent: OpenOrder, reason: str) -> None:
        """Cancels a parent: its children first, itself when none is left."""
        if parent.cancelling:
            return
        parent.cancelling = True
        self.context.emit(RequestCancel(parent.order.id, reason, parent=True))
        children = self.children(parent)
        for child in children:
            self.desk.request_cancel(child, reason)
        if not children:
            self.desk.end(parent, OrderState.CANCELLED, reason)

    def children(self, parent: OpenOrder) -> list[OpenOrder]:
        """The open children of a parent."""
        found = self.context.state.by_market.get(parent.market, {}).values()
        return [o for o in found if o.order.parent == parent.order.id]

    def _child(self, parent: OpenOrder, step: Child) -> None:
        c = self.context
        origin = parent.order
        id, salt = c.next_order()
        tif = step.tif
        if step.ttl > 0 and tif is TimeInForce.GTC:
            tif = TimeInForce.GTD
        order = Order(
            id=id, ledger=origin.ledger, market=origin.market, token=origin.token,
            side=origin.side, price=step.price, size=step.size, tif=tif, ts=c.now,
            kind=origin.kind, post_only=step.post_only,
            expires=c.now + step.ttl if tif is TimeInForce.GTD else 0,
            reason=step.reason or origin.reason, parent=origin.id, salt=salt, edge=origin.edge,
        )  # fmt: skip
        child, approved, verdicts = c.door.approve_child(parent, order, origin.edge, c.now)
        permitted = child.order.size if child is not None else 0
        market = c.universe.markets[parent.market]
        intent = Intent(
            token=order.token, side=order.side, price=order.price, size=order.size,
            kind=order.kind, tif=tif, ttl=step.ttl, post_only=step.post_only,
            reason=order.reason, edge=origin.edge,
        )  # fmt: skip
        c.emit(
            OrderReviewed(
                c.now, origin.ledger, order.id, intent, order.size, permitted, verdicts, (),
                market.id, order.price, order.edge, origin.id,
                (market.price_decimals, market.size_decimals),
            )
        )  # fmt: skip
        if child is not None:
            c.emit(SubmitOrder(child.order, child.reserved, approved))
