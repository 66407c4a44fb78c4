"""The execution style port: one approved parent order, carried out as children over time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import msgspec

from polyframe.api.plugin import Plugin
from polyframe.api.view import View
from polyframe.domain.orders import Order, TimeInForce
from polyframe.domain.units import Ns, Price, Size
from polyframe.domain.wishes import CancelOrder, WakeAt


class Parent(msgspec.Struct, frozen=True):
    """An approved order that is carried out in parts. ``free`` may still be given to children."""

    order: Order
    filled: Size
    working: Size
    started: Ns

    @property
    def free(self) -> Size:
        """What is neither filled nor with a child."""
        return self.order.size - self.filled - self.working


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a parent. Its price may not be worse than the parent's limit."""

    price: Price
    size: Size
    tif: TimeInForce = TimeInForce.FAK
    ttl: Ns = 0
    post_only: bool = False
    reason: str = ""


Step: TypeAlias = Child | CancelOrder | WakeAt


class ExecutionStyle(Plugin):
    """Decides the children of one parent.

    Called at approval, whenever a child changed and at every wake it asked for. Each child passes
    the risk door again and draws on the parent's reservation.
    """

    def work(self, parent: Parent, view: View) -> Iterable[Step]:
        """What to do now."""
        raise NotImplementedError
