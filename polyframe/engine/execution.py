"""Carries approved parents out in children, each through the door again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice
from typing import TypeGuard

import msgspec

from polyframe.api.execution import Child, ExecutionStyle, Parent, Step
from polyframe.api.parts import edge_at
from polyframe.api.plugin import NoState
from polyframe.api.view import View
from polyframe.domain.effects import OrderReviewed, RequestCancel, SetTimer, StateSaved, SubmitOrder
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
        own: Sequence[Mapping[str, ExecutionStyle]] = (),
    ) -> None:
        self.context = context
        self.desk = desk
        self.calls = calls
        self.styles = styles
        self._own = own
        self.timers: dict[tuple[str, str], Ns] = {}
        """the session's timers"""

    def check(self, name: str, bound: Bound) -> None:
        """Passes when a strategy may ask for a style of this name.

        Raises:
            PluginError: there is none.
        """
        known = sorted({*self.styles, *self._owned(bound.ledger)})
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise PluginError(
                f"strategy {bound.name} asks for execution style {name!r}",
                expected=f"{near[0]}?" if near else f"one of: {', '.join(known) or 'none'}",
                hint="polyframe list styles",
            )

    def _owned(self, ledger: int) -> Mapping[str, ExecutionStyle]:
        return self._own[ledger] if ledger < len(self._own) else {}

    def work(self, parent: OpenOrder, bound: Bound) -> None:
        """Lets the style act on what is free of a parent."""
        if parent.cancelling or parent.order.id not in self.context.state.orders:
            return
        name = parent.order.style
        style = self._owned(bound.ledger).get(name) or self.styles[name]
        state = type(style).State()
        if parent.memory:
            state = msgspec.msgpack.decode(parent.memory, type=type(style).State)
        seen = self._seen(parent, state)
        steps = self.calls.call(bound.name, _Drained(style.work), seen, bound.view)
        self._remember(parent, bound, style, state)
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
            elif isinstance(step, CancelOrder) and step.order == parent.order.id:
                self.cancel(parent, step.reason)
                return
            elif isinstance(step, CancelOrder):
                child = self.context.state.orders.get(step.order)
                if child is not None and child.order.parent == parent.order.id:
                    self.desk.request_cancel(child, step.reason)
            else:
                key, at = TIMER + parent.order.id, max(step.ts, self.context.now)
                self.timers[(bound.name, key)] = at
                self.context.emit(SetTimer(bound.name, key, at))

    @staticmethod
    def _seen(parent: OpenOrder, state: msgspec.Struct | None = None) -> Parent:
        order = parent.order
        return Parent(order, parent.filled, parent.working, order.ts, parent.basis, state)

    def _remember(
        self, parent: OpenOrder, bound: Bound, style: ExecutionStyle, state: msgspec.Struct
    ) -> None:
        """Keeps what a style remembers of a parent, when that has changed."""
        if type(style).State is NoState:
            return
        try:
            saved = msgspec.msgpack.encode(state)
            msgspec.msgpack.decode(saved, type=type(style).State)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise PluginError(
                f"the state of {type(style).__name__} cannot be saved: {error}",
                expected=f"plain values in {type(style).__name__}.State, as declared",
            ) from error
        if saved != parent.memory:
            parent.memory = saved
            self.context.emit(StateSaved(bound.name, saved, parent.order.id))

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
        market = c.universe.markets[parent.market]
        id, salt = c.next_order()
        # What it gains is worked out anew: another price, a maker without a fee, changed fees.
        edge = edge_at(self._seen(parent), market, step.price, maker=step.post_only)
        tif = step.tif
        if step.ttl > 0 and tif is TimeInForce.GTC:
            tif = TimeInForce.GTD
        order = Order(
            id=id, ledger=origin.ledger, market=origin.market, token=origin.token,
            side=origin.side, price=step.price, size=step.size, tif=tif, ts=c.now,
            kind=origin.kind, post_only=step.post_only,
            expires=c.now + step.ttl if tif is TimeInForce.GTD else 0,
            reason=step.reason or origin.reason, parent=origin.id, salt=salt, edge=edge,
        )  # fmt: skip
        child, approved, verdicts = c.door.approve_child(parent, order, edge, c.now)
        permitted = child.order.size if child is not None else 0
        intent = Intent(
            token=order.token, side=order.side, price=order.price, size=order.size,
            kind=order.kind, tif=tif, ttl=step.ttl, post_only=step.post_only,
            reason=order.reason, edge=edge,
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
