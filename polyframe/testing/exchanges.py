"""The conformance suite of exchanges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from polyframe.api.exchange import Broker, Clocked
from polyframe.domain import events as ev
from polyframe.domain.events import Event
from polyframe.domain.market import Market
from polyframe.domain.orders import ApprovedOrder, Order, Seal, Side, TimeInForce
from polyframe.domain.units import MILLISECOND, MINUTE, Ns
from polyframe.errors import InvariantError
from polyframe.testing.builders import SHARE, START, build_market
from polyframe.testing.contract import PluginSuite

ENDS = (ev.OrderRejected, ev.OrderCancelled, ev.OrderExpired)


class ExchangeSuite(PluginSuite):
    """Sends orders to an exchange's broker. One that needs more overrides :meth:`connect`.

    ``START`` is when the orders are sent; the built market ``m1`` is open then.
    """

    def universe(self) -> list[Market]:
        """The markets of the test."""
        return [build_market()]

    def connect(self, seal: Seal, markets: Sequence[Market]) -> Any:
        """A broker that takes orders of this seal."""
        return self.make().broker(seal=seal, markets=markets)

    def test_its_rules_keep_the_market_and_are_complete(self) -> None:
        """Rules change a market's terms, never its identity, and applying them twice is once."""
        exchange = self.make()
        for market in self.universe():
            bare = msgspec.structs.replace(market, fee=None)
            ruled = exchange.rules(bare)
            assert (ruled.id, ruled.tokens, ruled.group) == (bare.id, bare.tokens, bare.group)
            assert ruled.fee is not None, "rules say what takers pay"
            assert exchange.rules(ruled) == ruled

    def test_its_broker_takes_only_orders_of_its_own_door(self) -> None:
        """An order sealed by another door, and a bare order, are refused."""
        broker = self.connect(Seal(), self._ruled())
        order = self._order(1)
        for forged in (ApprovedOrder(order, 0, Seal()), order):
            with pytest.raises(InvariantError):
                broker.submit(forged, START)

    def test_it_answers_every_order(self) -> None:
        """An order is accepted or ends; its fills stay within its size and its limit."""
        seal = Seal()
        broker = self.connect(seal, self._ruled())
        orders = {o.id: o for o in (self._order(n) for n in range(1, 13))}
        for order in orders.values():
            broker.submit(ApprovedOrder(order, 0, seal), START)
        events = self._answers(broker)
        for id, order in orders.items():
            mine = [e for e in events if _order_of(e) == id]
            assert mine, f"order {id} ({order.tif}) was never answered"
            fills = [e.fill for e in mine if isinstance(e, ev.OrderFilled)]
            assert sum(fill.size for fill in fills) <= order.size
            for fill in fills:
                assert (order.price - fill.price) * order.side >= 0, "worse than the limit"
                assert (fill.token, fill.side, fill.ledger) == (
                    order.token, order.side, order.ledger)  # fmt: skip
                assert fill.fee >= 0
            assert sum(isinstance(e, ENDS) for e in mine) <= 1
        trades = [e.fill.trade for e in events if isinstance(e, ev.OrderFilled)]
        assert len(trades) == len(set(trades)), "a trade id is used once"

    def test_answers_come_later_and_in_order(self) -> None:
        """Nothing is known before it was sent, and time never goes back."""
        seal = Seal()
        broker = self.connect(seal, self._ruled())
        broker.submit(ApprovedOrder(self._order(1), 0, seal), START)
        times = [event.ts for event in self._answers(broker)]
        assert times == sorted(times)
        assert all(ts >= START for ts in times)

    def test_a_cancel_is_answered(self) -> None:
        """A cancel ends the order or is refused, once."""
        seal = Seal()
        broker = self.connect(seal, self._ruled())
        order = self._order(1, tif=TimeInForce.GTC, price=100)
        broker.submit(ApprovedOrder(order, 0, seal), START)
        broker.cancel(order.id, START + 2_000 * MILLISECOND)
        mine = [e for e in self._answers(broker) if _order_of(e) == order.id]
        assert sum(isinstance(e, (*ENDS, ev.CancelRejected)) for e in mine) == 1

    def test_the_same_orders_get_the_same_answers(self) -> None:
        """Two brokers given the same answer the same."""
        answers = []
        for _ in range(2):
            seal = Seal()
            broker = self.connect(seal, self._ruled())
            for n in range(1, 8):
                broker.submit(ApprovedOrder(self._order(n), 0, seal), START + n)
            answers.append(self._answers(broker))
        assert answers[0] == answers[1]

    def _ruled(self) -> list[Market]:
        exchange = self.make()
        return [exchange.rules(market) for market in self.universe()]

    def _order(self, n: int, *, tif: TimeInForce | None = None, price: int | None = None) -> Order:
        market = self.universe()[0]
        kinds = (TimeInForce.FAK, TimeInForce.FOK, TimeInForce.GTC)
        return Order(
            f"test-{n}", "tested", market.id, market.tokens[n % 2].id, Side.BUY,
            price if price is not None else 1_000 * (n % 9 + 1), n * 10 * SHARE,
            tif or kinds[n % 3], START,
        )  # fmt: skip

    def _answers(self, broker: Broker, until: Ns = START + 30 * MINUTE) -> list[Event]:
        assert isinstance(broker, Clocked), "a broker of a test has a clock of its own"
        events: list[Event] = []
        while (due := broker.due()) is not None and due <= until:
            taken = list(broker.take(due))
            assert taken or broker.due() != due, "it says that something is due and gives nothing"
            events += taken
        return events


def _order_of(event: Any) -> str:
    return event.fill.order if isinstance(event, ev.OrderFilled) else getattr(event, "order", "")
