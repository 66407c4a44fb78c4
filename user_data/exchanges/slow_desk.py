"""SlowDesk: an exchange that fills orders at their limit, so many shares a minute.

A worked example of the exchange port: rules, and a broker with a clock of its own. It trades
against nobody, so what it shows is how orders live, not what they would earn.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from pydantic import Field

from polyframe import (
    MINUTE,
    SECOND,
    ApprovedOrder,
    CancelRejected,
    Event,
    Exchange,
    FeeSchedule,
    Fill,
    InvariantError,
    Market,
    OperationFailed,
    Order,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    PluginConfig,
    PositionMerged,
    PositionSplit,
    Seal,
    TimeInForce,
)


class SlowDesk(Exchange):
    """Fee-free, patient, and never out of shares."""

    class Config(PluginConfig):
        """Units: whole shares a minute."""

        shares_per_minute: int = Field(50, ge=1)

    config: Config

    def rules(self, market: Market) -> Market:
        """The market without a fee."""
        return msgspec.structs.replace(market, fee=FeeSchedule())

    def broker(self, **connections: Any) -> SlowBroker:
        """A broker for ``seal`` and ``markets``."""
        return SlowBroker(self.config.shares_per_minute, **connections)


class SlowBroker:
    """Keeps what is still to be answered in order of time."""

    def __init__(self, pace: int, seal: Seal, markets: Sequence[Market]) -> None:
        self._pace = pace
        self._seal = seal
        self._markets = {market.id: market for market in markets}
        self._ahead: list[tuple[int, int, Event]] = []
        self._gone: set[str] = set()
        self._count = 0

    def submit(self, approved: ApprovedOrder, now: int) -> None:
        """Works an order off; one that may not wait gets what the first minute gives."""
        if not isinstance(approved, ApprovedOrder) or not approved.sealed_by(self._seal):
            raise InvariantError("an order reached the desk without this session's seal")
        order = approved.order
        self._later(OrderAccepted(now + SECOND, order.id))
        for fill in self._fills(order, now):
            self._later(OrderFilled(fill.ts, fill))
        if order.tif is TimeInForce.FAK and order.size > self._a_minute(order):
            self._later(OrderCancelled(now + MINUTE + 1, order.id, "the rest was killed"))
        if order.tif is TimeInForce.FOK and order.size > self._a_minute(order):
            self._later(OrderCancelled(now + MINUTE, order.id, "not all of it could be had"))

    def cancel(self, order: str, now: int) -> None:
        """Takes back what is still to be filled, or says that it is too late."""
        ts = now + SECOND
        open_fills = any(
            isinstance(event, OrderFilled) and event.fill.order == order and event.ts > ts
            for _, _, event in self._ahead
        )
        if not open_fills or order in self._gone:
            self._later(CancelRejected(ts, order, "nothing is left of it"))
            return
        self._gone.add(order)
        self._ahead = [entry for entry in self._ahead if not _fills_after(entry[2], order, ts)]
        heapq.heapify(self._ahead)
        self._later(OrderCancelled(ts, order, "as asked"))

    def split(self, ledger: str, market: str, size: int, now: int) -> None:
        """Money into pairs, a minute later."""
        self._later(PositionSplit(now + MINUTE, ledger, market, size))

    def merge(self, ledger: str, market: str, size: int, now: int) -> None:
        """Pairs into money, a minute later."""
        self._later(PositionMerged(now + MINUTE, ledger, market, size))

    def redeem(self, ledger: str, market: str, token: str, size: int, now: int) -> None:
        """Nothing resolves here."""
        self._later(OperationFailed(now + SECOND, ledger, "redeem", market, "nothing resolves"))

    def due(self) -> int | None:
        """When the next answer comes."""
        return self._ahead[0][0] if self._ahead else None

    def take(self, now: int) -> Iterable[Event]:
        """Answers up to now, oldest first."""
        while self._ahead and self._ahead[0][0] <= now:
            yield heapq.heappop(self._ahead)[2]

    def _later(self, event: Event) -> None:
        self._count += 1
        heapq.heappush(self._ahead, (event.ts, self._count, event))

    def _a_minute(self, order: Order) -> int:
        return self._pace * int(10 ** self._markets[order.market].size_decimals)

    def _fills(self, order: Order, now: int) -> Iterator[Fill]:
        a_minute = self._a_minute(order)
        if order.tif is TimeInForce.FOK and order.size > a_minute:
            return
        minutes = 1 if order.tif is TimeInForce.FAK else -(-order.size // a_minute)
        for n in range(minutes):
            size = min(a_minute, order.size - n * a_minute)
            yield Fill(
                trade=f"{order.id}-{n + 1}",
                order=order.id,
                ledger=order.ledger,
                market=order.market,
                token=order.token,
                side=order.side,
                price=order.price,
                size=size,
                fee=0,
                ts=now + (n + 1) * MINUTE,
            )


def _fills_after(event: Event, order: str, ts: int) -> bool:
    return isinstance(event, OrderFilled) and event.fill.order == order and event.ts > ts
