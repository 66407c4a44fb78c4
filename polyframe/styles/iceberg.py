"""Shows only part of an order."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from pydantic import Field

from polyframe import (
    NEVER,
    CancelOrder,
    Child,
    ExecutionStyle,
    Market,
    Parent,
    PluginConfig,
    Real,
    Step,
    TimeInForce,
    View,
    WakeAt,
    children_of,
    deadline,
    money,
    part_of,
    price_within,
    seconds,
    wind_up,
)

TAKING = (TimeInForce.FAK, TimeInForce.FOK)


class Iceberg(ExecutionStyle):
    """Rests at its limit with a part of its size, and shows the next when that is filled.

    Every part is 0.7 to 1.3 times ``shown``, so that equal sizes do not give it away, and goes to
    the end of the queue. An order that would only take rests for ``life_seconds``, one with an
    expiry until then, any other until its market closes. Below ``from_notional`` there is nothing
    to hide: the order goes out whole, as it was asked for.
    """

    class Config(PluginConfig):
        """Units: parts of 1, the account's currency, seconds."""

        shown: float = Real(0.2, 0.05, 0.5, space="execution")
        jitter: float = Field(0.3, ge=0, lt=1)
        from_notional: float = Field(500.0, ge=0)
        life_seconds: float = Field(300.0, gt=0)
        retry_seconds: float = Field(5.0, gt=0)
        """after a part that was refused; twice as long after each further one, up to an hour"""
        close_seconds: float = Field(60.0, ge=0)

    class State(msgspec.Struct):
        """What was filled when the last part was sent, how many since, and when to try again."""

        filled: int = 0
        tries: int = 0
        again: int = 0

    config: Config

    def work(self, parent: Parent, view: View) -> Iterator[Step]:
        """Shows the next part when none rests."""
        order, state = parent.order, parent.state
        market, retry = view.market(order.token), seconds(self.config.retry_seconds)
        end = deadline(parent, market, seconds(self.config.close_seconds))
        if order.tif in TAKING:
            end = min(end, parent.started + seconds(self.config.life_seconds))
        if view.now >= end:
            yield from wind_up(parent, view, "its time is over", retry)
            return
        if parent.filled > state.filled:
            state.filled, state.tries, state.again = parent.filled, 0, 0
        if children_of(parent, view) or view.now < state.again:
            wake = min(end, state.again) if view.now < state.again else end
            if wake < NEVER:
                yield WakeAt(wake)
            return
        whole = not self._hides(parent, market)
        takes = whole and order.tif in TAKING and not order.post_only
        if takes and (state.tries or parent.filled):
            yield CancelOrder(order.id, "it took what it could")
            return
        price = price_within(parent, market, order.price)
        wanted = order.size if whole else self._shown(parent, view)
        size = part_of(parent, market, wanted, price, taking=takes)
        if not size or not price:
            yield CancelOrder(order.id, "what is left is below the venue's minimum")
            return
        state.again = view.now + min(retry << min(state.tries, 20), seconds(3_600))
        state.tries += 1
        tif = order.tif if takes else TimeInForce.GTC
        yield Child(price=price, size=size, tif=tif, post_only=order.post_only)
        yield WakeAt(min(end, state.again))

    def _hides(self, parent: Parent, market: Market) -> bool:
        least = money(str(self.config.from_notional))
        return parent.order.price * parent.order.size >= least * market.divisor

    def _shown(self, parent: Parent, view: View) -> int:
        about = 1.0 + self.config.jitter * (2.0 * view.rng.random() - 1.0)
        return int(parent.order.size * self.config.shown * about)
