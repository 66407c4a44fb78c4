"""Takes what the book can bear, waits for it to fill up, and takes again."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from pydantic import Field

from polyframe import (
    CancelOrder,
    Child,
    ExecutionStyle,
    Int,
    Parent,
    PluginConfig,
    Real,
    Step,
    View,
    WakeAt,
    children_of,
    deadline,
    least_part,
    part_of,
    price_within,
    seconds,
    sides_of,
    wind_up,
)


class DepthSplit(ExecutionStyle):
    """Splits an order that takes: each child at most a part of what stands near the best price.

    Between the children it waits for the book to fill up again. It ends at the price cap: as soon
    as the best price is beyond the limit, when a book is missing or too thin, or no child found
    anything, ``tries`` times in a row.
    """

    class Config(PluginConfig):
        """Units: parts of 1, fractions of 1, seconds."""

        share: float = Real(0.25, 0.05, 1.0, space="execution")
        reach: float = Field(0.02, gt=0, lt=1)
        """no child pays more than this beyond the best price"""
        wait_seconds: float = Real(5.0, 0.5, 120.0, space="execution")
        tries: int = Int(5, 1, 50)
        close_seconds: float = Field(5.0, ge=0)

    class State(msgspec.Struct):
        """What was filled before the last child, tries since, and when the next may go."""

        filled: int = 0
        tries: int = 0
        again: int = 0

    config: Config

    def work(self, parent: Parent, view: View) -> Iterator[Step]:
        """Sends the next child, or waits."""
        state, wait = parent.state, seconds(self.config.wait_seconds)
        market = view.market(parent.order.token)
        if parent.filled > state.filled:
            state.filled, state.tries = parent.filled, 0
        late = view.now >= deadline(parent, market, seconds(self.config.close_seconds))
        if late or parent.order.post_only:
            why = "its time is over" if late else "the order only posts"
            yield from wind_up(parent, view, why, wait)
            return
        if children_of(parent, view):
            return  # it takes, and says what came of it
        if view.now < state.again:
            yield WakeAt(state.again)
            return
        state.tries += 1
        if state.tries > self.config.tries:
            yield CancelOrder(parent.order.id, f"nothing was had {self.config.tries} times")
            return
        sides = sides_of(parent, view)
        if sides is not None and sides.other and not sides.met:
            yield CancelOrder(parent.order.id, "the best price is beyond the limit")
            return
        state.again = view.now + wait
        if sides is not None and sides.met:
            reach = round(self.config.reach * market.price_one)
            price = price_within(parent, market, sides.other + parent.order.side * reach)
            least = least_part(market, parent.order.side, price, taking=True)
            room = int(self.config.share * sides.within(reach)) if sides.known else parent.free
            if parent.free < least or not price:
                yield CancelOrder(parent.order.id, "what is left is below the venue's minimum")
                return
            if room >= least:
                yield Child(price=price, size=part_of(parent, market, room, price, taking=True))
        yield WakeAt(state.again)
