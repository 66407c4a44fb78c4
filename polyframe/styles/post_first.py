"""Waits for a price before it pays for one."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from pydantic import Field

from polyframe import (
    CancelOrder,
    Child,
    ExecutionStyle,
    Kind,
    Market,
    Parent,
    PluginConfig,
    Real,
    Sides,
    Slippage,
    Step,
    TimeInForce,
    View,
    WakeAt,
    children_of,
    deadline,
    edge_at,
    part_of,
    part_within,
    post_price,
    price_within,
    seconds,
    sides_of,
    taking_within,
    wind_up,
)


class PostFirst(ExecutionStyle):
    """Posts with the best of its own side, steps towards the limit, takes at the end if it pays.

    A maker saves the fee and half the spread. What is left in the end is taken while its edge after
    the fee is ``min_edge`` or more, and no more of it than keeps the predicted slippage within
    ``slippage_cap``; the parent ends with that. An exit is taken within its limit whatever it
    costs, and an order whose strategy stated no edge needs none.
    """

    class Config(PluginConfig):
        """Units: seconds, parts of 1, ticks, fractions of 1 a share."""

        wait_seconds: float = Real(900.0, 1.0, 3_600.0, space="execution")
        """rests so long at the first price, or ``wait_part`` of the time to the close if shorter"""
        wait_part: float = Field(0.02, gt=0, le=1)
        step_seconds: float = Field(60.0, gt=0)
        """then a tick nearer to the limit each so often"""
        steps: int = Field(3, ge=0, le=1_000)
        """so many times, then it takes"""
        look_seconds: float = Field(15.0, gt=0)
        """looks so often whether others stand before it"""
        min_edge: float = Real(0.04, 0.0, 0.15, space="execution")
        """least expected gain a share after the fee for what is taken at the end"""
        slippage_cap: float = Field(0.03, gt=0, lt=1)
        """what is predicted to cost more beyond the mid is not taken"""
        slippage: tuple[float, float, float, float] = (0.5, 0.02, 0.0, 0.01)
        """cost of a unit of spread, of the depth within two cents, of a day's volume, and of a gap;
        ``fit_slippage`` finds them from own fills"""
        close_seconds: float = Field(60.0, ge=0)
        """done so long before its market closes"""

    class State(msgspec.Struct):
        """Steps of the child at work, when to post next, posts that did not rest, took or not."""

        steps: int = 0
        again: int = 0
        tries: int = 0
        took: bool = False

    config: Config

    def work(self, parent: Parent, view: View) -> Iterator[Step]:
        """Posts until the time is over, then takes once."""
        market = view.market(parent.order.token)
        first = self._first(parent, market)
        end = first + self.config.steps * seconds(self.config.step_seconds)
        end = min(end, deadline(parent, market, seconds(self.config.close_seconds)))
        look = seconds(self.config.look_seconds)
        if view.now >= end:
            yield from self._finish(parent, market, view, look)
            return
        sides = sides_of(parent, view)
        if sides is not None:
            due = 0
            if view.now >= first:
                due = 1 + (view.now - first) // seconds(self.config.step_seconds)
            yield from self._post(parent, market, view, sides, min(due, self.config.steps))
        yield WakeAt(min(end, view.now + look))

    def _first(self, parent: Parent, market: Market) -> int:
        """When the first step is due."""
        wait = seconds(self.config.wait_seconds)
        if market.closes > parent.started:
            wait = min(wait, int(self.config.wait_part * (market.closes - parent.started)))
        return parent.started + wait

    def _post(
        self, parent: Parent, market: Market, view: View, sides: Sides, due: int
    ) -> Iterator[Step]:
        state, side = parent.state, parent.order.side
        children = children_of(parent, view)
        for child in children:
            # Whoever stands with the best keeps its place in the queue until a step is due.
            moved = child.order.price + side * (due - state.steps) * market.tick
            wanted = side * max(side * moved, side * sides.own)
            if sides.other:
                wanted = side * min(side * wanted, side * sides.other - market.tick)
            if side * (price_within(parent, market, wanted) - child.order.price) > 0:
                yield CancelOrder(child.order.id, "moves towards the limit")
        state.tries = 0 if children else state.tries
        if children or view.now < state.again:
            return
        price = post_price(parent, market, sides, due)
        if not price:
            return
        size = part_of(parent, market, parent.free, price, taking=False)
        if size:
            look = seconds(self.config.look_seconds)
            state.steps, state.again = due, view.now + (look << min(state.tries, 6))
            state.tries += 1
            yield Child(price=price, size=size, tif=TimeInForce.GTC, post_only=True)

    def _finish(self, parent: Parent, market: Market, view: View, look: int) -> Iterator[Step]:
        if parent.state.took or parent.working:
            why = "could not be taken" if parent.state.took else "time to take"
            yield from wind_up(parent, view, why, look)
            return
        price, size, why = self._taken(parent, market, view)
        if not size:
            yield CancelOrder(parent.order.id, why)
            return
        parent.state.took = True
        yield Child(price=price, size=size)
        yield WakeAt(view.now + look)

    def _taken(self, parent: Parent, market: Market, view: View) -> tuple[int, int, str]:
        """Limit and size of what is taken at the end; for a size of 0 why nothing is."""
        sides = sides_of(parent, view)
        if parent.order.post_only:
            return 0, 0, "the order only posts"
        if sides is None or not sides.met:
            return 0, 0, "nobody within the limit"
        price = self._worth(parent, market, sides)
        if not price:
            return 0, 0, "no edge is left after the fee"
        small = "what is left is below the venue's minimum"
        whole = part_of(parent, market, parent.free, price, taking=True)
        if not sides.known or parent.order.kind is Kind.EXIT or not whole:
            return price, whole, small
        model = Slippage(*self.config.slippage)
        seen = taking_within(parent, market, sides, model, self.config.slippage_cap)
        most = seen.size if seen is not None else 0
        size = part_within(parent, market, most, price, taking=True)
        return price, size, "its predicted slippage is above the cap"

    def _worth(self, parent: Parent, market: Market, sides: Sides) -> int:
        """The limit or else the best price, whichever leaves the edge; 0 for none."""
        for price in (price_within(parent, market, parent.order.price), sides.other):
            edge = edge_at(parent, market, price)
            # What the limit was approved with is not asked for again to the last digit.
            least = self.config.min_edge - 1e-9
            if edge is None or edge >= least or parent.order.kind is Kind.EXIT:
                return price
        return 0
