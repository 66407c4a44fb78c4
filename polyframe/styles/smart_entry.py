"""Looks at the book before it decides how to enter."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import msgspec
from pydantic import Field

from polyframe import (
    CancelOrder,
    Child,
    ExecutionStyle,
    Kind,
    Market,
    OrderView,
    Parent,
    PluginConfig,
    Real,
    Sides,
    Slippage,
    Step,
    TimeInForce,
    Top,
    View,
    WakeAt,
    children_of,
    deadline,
    edge_at,
    microprice,
    part_of,
    part_within,
    post_price,
    price_within,
    rests,
    seconds,
    sides_of,
    taking_within,
    wind_up,
)


class SmartEntry(ExecutionStyle):
    """Takes when the mean price within the limit is worth it, posts when it is not.

    It takes as much as keeps the predicted slippage within its cap, while the edge at the mean
    price after the fee is ``take_edge`` or more; an exit is taken within its limit. Nothing is
    entered while the own side of the book is so thin that its imbalance is below ``imbalance``: the
    price is about to come nearer. What rests is pulled when the microprice moved ``moved_ticks``.
    """

    class Config(PluginConfig):
        """Units: fractions of 1 a share, imbalance from -1 to 1, ticks, seconds."""

        take_edge: float = Real(0.08, 0.0, 0.2, space="execution")
        """twice the least edge of an entry: taking gives up the spread and pays the fee"""
        slippage_cap: float = Real(0.03, 0.005, 0.1, space="execution")
        slippage: tuple[float, float, float, float] = (0.5, 0.02, 0.0, 0.01)
        """cost of a unit of spread, of the depth within two cents, of a day's volume, and of a gap;
        ``fit_slippage`` finds them from own fills"""
        daily_volume: float = Field(0.0, ge=0)
        """shares of a usual day, 0 where nobody knows"""
        imbalance: float = Field(-0.6, ge=-1, le=0)
        moved_ticks: float = Field(2.0, gt=0)
        patience_seconds: float = Real(300.0, 5.0, 3_600.0, space="execution")
        look_seconds: float = Field(2.0, gt=0)
        close_seconds: float = Field(60.0, ge=0)

    class State(msgspec.Struct):
        """The microprice at the last child (0: unknown), when the next may go, how many failed."""

        micro: float = 0.0
        again: int = 0
        tries: int = 0

    config: Config

    def work(self, parent: Parent, view: View) -> Iterator[Step]:
        """Watches what rests, or chooses how to go on."""
        market, look = view.market(parent.order.token), seconds(self.config.look_seconds)
        end = parent.started + seconds(self.config.patience_seconds)
        end = min(end, deadline(parent, market, seconds(self.config.close_seconds)))
        if view.now >= end:
            yield from wind_up(parent, view, "its time is over", look)
            return
        sides, children = sides_of(parent, view), children_of(parent, view)
        if children and not any(rests(child) for child in children):
            return  # it takes, and says what came of it
        if sides is not None and sides.own and sides.other:
            top = _top(sides)
            if children:
                parent.state.tries = 0
                yield from self._watch(parent, children, top, market)
            elif view.now >= parent.state.again and not self._turns(parent, top):
                yield from self._enter(parent, market, sides, top, look, view.now)
        yield WakeAt(min(end, view.now + look))

    def _turns(self, parent: Parent, top: Top | None) -> bool:
        """True while the book leans against an entry."""
        if top is None or parent.order.kind is Kind.EXIT:
            return False
        return top.imbalance < self.config.imbalance

    def _watch(
        self, parent: Parent, children: list[OrderView], top: Top | None, market: Market
    ) -> Iterator[Step]:
        then, most = parent.state.micro, self.config.moved_ticks * market.tick
        moved = top is not None and then > 0.0 and abs(top.microprice - then) >= most - 1e-6
        if not moved and not self._turns(parent, top):
            return
        for child in children:
            if rests(child):
                yield CancelOrder(child.order.id, "the book moved" if moved else "the book leans")

    def _enter(
        self, parent: Parent, market: Market, sides: Sides, top: Top | None, look: int, now: int
    ) -> Iterator[Step]:
        state = parent.state
        state.again = now + (look << min(state.tries, 6))
        state.tries += 1
        state.micro = top.microprice if top is not None else 0.0
        price, size = self._worth_taking(parent, market, sides)
        if size:
            yield Child(price=price, size=size)
            return
        price = post_price(parent, market, sides)
        size = part_of(parent, market, parent.free, price, taking=False) if price else 0
        if size:
            yield Child(price=price, size=size, tif=TimeInForce.GTC, post_only=True)

    def _worth_taking(self, parent: Parent, market: Market, sides: Sides) -> tuple[int, int]:
        """Limit and size of what is better taken than waited for; a size of 0 for nothing."""
        config, order = self.config, parent.order
        cap = config.slippage_cap if order.kind is not Kind.EXIT else 1.0
        model = Slippage(*config.slippage)
        seen = taking_within(parent, market, sides, model, cap, config.daily_volume)
        if seen is None or order.post_only:
            return 0, 0
        price = price_within(parent, market, seen.price)
        if order.kind is not Kind.EXIT:
            # The mean, rounded against the order.
            edge = edge_at(parent, market, order.side * ceil(order.side * seen.average))
            if edge is not None and edge < config.take_edge:
                return 0, 0
        return price, part_within(parent, market, seen.size, price, taking=True) if price else 0


def _top(sides: Sides) -> Top | None:
    """Microprice and imbalance as the order's own side sees them; None where no size is known."""
    if not sides.own_size and not sides.other_size:
        return None
    return microprice(sides.own, sides.own_size, sides.other, sides.other_size)
