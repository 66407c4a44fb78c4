"""Spreads an order over time."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import msgspec
from pydantic import Field

from polyframe import (
    CancelOrder,
    Child,
    ExecutionStyle,
    Int,
    Market,
    Parent,
    PluginConfig,
    Real,
    Step,
    View,
    WakeAt,
    almgren_chriss,
    deadline,
    least_part,
    part_of,
    price_within,
    seconds,
    sides_of,
    wind_up,
)


class TWAP(ExecutionStyle):
    """Takes equal parts in equal pauses; what a slice did not get goes into the later ones.

    Each slice takes what it can within the limit, at most ``depth_share`` of what stands within
    ``reach`` of the best price; the last asks for all that is left, and the parent ends. A slice
    below the venue's minimum is made as large as that, so a small order has fewer slices.
    """

    class Config(PluginConfig):
        """Units: seconds, parts of 1, fractions of 1."""

        slices: int = Int(5, 1, 20, space="execution")
        every_seconds: float = Real(30.0, 1.0, 600.0, space="execution")
        jitter: float = Field(0.3, ge=0, lt=1)
        """each pause is longer or shorter by up to this part, so that nobody can wait for it"""
        urgency: float = Real(0.0, 0.0, 2.0, space="execution")
        """a slice: above 0 the early slices are the larger (Almgren and Chriss), at 0 all equal"""
        depth_share: float = Field(0.1, gt=0, le=1)
        reach: float = Field(0.02, gt=0, lt=1)
        close_seconds: float = Field(60.0, ge=0)
        """the last slice is sent so long before the market closes"""

    class State(msgspec.Struct):
        """Slices behind it, and when the next is due."""

        sent: int = 0
        at: int = 0

    config: Config

    def work(self, parent: Parent, view: View) -> Iterator[Step]:
        """Sends the slice that is due, or waits for it."""
        state, slices = parent.state, self.config.slices
        every = seconds(self.config.every_seconds)
        if parent.order.post_only or state.sent >= slices:
            why = "the order only posts" if state.sent == 0 else "the last slice found no more"
            yield from wind_up(parent, view, why, every)
            return
        if view.now < state.at:
            yield WakeAt(state.at)
            return
        market = view.market(parent.order.token)
        rest = deadline(parent, market, seconds(self.config.close_seconds)) - view.now
        left = slices - state.sent
        last = left == 1 or rest <= 0
        size = self._size(parent, market, view, left, last=last)
        pause = int(every * (1.0 + self.config.jitter * (2.0 * view.rng.random() - 1.0)))
        state.sent = slices if last else state.sent + 1
        state.at = view.now + max(pause if last else min(pause, rest // (left - 1)), 1)
        if size:
            price = price_within(parent, market, parent.order.price)
            yield Child(price=price, size=size)
        elif last and not parent.working:
            yield CancelOrder(parent.order.id, "nothing could be had in the last slice")
        yield WakeAt(state.at)

    def _size(self, parent: Parent, market: Market, view: View, left: int, *, last: bool) -> int:
        """What goes into this slice, 0 for nothing."""
        sides, price = sides_of(parent, view), price_within(parent, market, parent.order.price)
        if sides is None or not sides.met or not price:
            return 0
        wanted = parent.free
        if not last:
            # What is left is scheduled anew: the same as the first schedule while all is filled.
            parts = almgren_chriss(parent.free, left, left, self.config.urgency).parts
            wanted = ceil(parts[0])
        if not last and sides.known:
            room = sides.within(round(self.config.reach * market.price_one))
            most = int(self.config.depth_share * room)
            if most < least_part(market, parent.order.side, price, taking=True):
                return 0
            wanted = min(wanted, most)
        return part_of(parent, market, wanted, price, taking=True)
