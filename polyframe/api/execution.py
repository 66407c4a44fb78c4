"""The execution style port: one approved parent order, carried out as children over time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, TypeAlias

import msgspec

from polyframe.api.plugin import NoState, Plugin
from polyframe.api.view import View
from polyframe.domain.orders import Order, TimeInForce
from polyframe.domain.units import Ns, Price, Size
from polyframe.domain.wishes import CancelOrder, WakeAt


class Parent(msgspec.Struct, frozen=True):
    """An approved order that is carried out in parts. ``free`` may still be given to children.

    ``basis`` is what a share cost (or brought) after the taker's fee at the parent's limit when it
    was approved, as a fraction of 1: with the order's ``edge`` it says what a share is believed to
    be worth. ``state`` is the style's ``State`` of this very parent, to be changed in place.
    """

    order: Order
    filled: Size
    working: Size
    started: Ns
    basis: float = 0.0
    state: Any = None

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
"""A ``CancelOrder`` of a child pulls it; one of the parent itself ends the parent."""


class ExecutionStyle(Plugin):
    """Decides the children of one parent.

    Called at approval, whenever a child changed and at every wake it asked for; another wake
    replaces the one before. Each child passes the risk door again and draws on the parent's
    reservation; one that the door denies is not told.

    All that a style remembers of a parent is in ``parent.state``, an instance of the class's
    ``State``: checkpoints save it, nothing else survives a restart. A parent stands until it is
    filled, cancelled, or its style ends it.
    """

    State: ClassVar[type[msgspec.Struct]] = NoState

    def work(self, parent: Parent, view: View) -> Iterable[Step]:
        """What to do now.

        Raises:
            PluginError: what an order lacks that this style needs.
        """
        raise NotImplementedError
