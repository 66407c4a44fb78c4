"""What a compiled run did, told as the engine would have told it: events and effects in order.

Reviews and answers stand in tables of numbers while the loop runs. Here they become the same values
that steps of the engine give, for the journal, the report and whoever watches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.effects import Effect
from polyframe.domain.market import Market
from polyframe.domain.orders import KIND_BIT, Kind, Order, OrderState, Side, TimeInForce
from polyframe.domain.portfolio import Fill
from polyframe.domain.units import Ns, Price
from polyframe.domain.wishes import Intent
from polyframe.engine.context import salt_of
from polyframe.engine.engine import Engine
from polyframe.engine.risk import Case, Draft
from polyframe.engine.signals import REASON
from polyframe.kernels import barcolumns_nb as c
from polyframe.kernels import bardesk_nb as bd
from polyframe.kernels import barmatch_nb as bm
from polyframe.kernels import guards_nb as g
from polyframe.runtime.feed import Told

Ints = NDArray[np.int64]
KIND_OF = {bit: kind for kind, bit in KIND_BIT.items()}

ENDED = {
    bm.STALE: "no quote: no recorded price within reach",
    bm.NOBODY: "no quote",
    bm.LIMIT: "killed: limit",
    bm.DEPTH: "killed: depth",
    bm.PULLED: "cancelled",
}
"""Why an order that the venue had taken came to an end, as the simulated venue says it."""
REFUSED = {
    bm.CLOSED: "market closed: no recorded price after the order's arrival",
    bm.SMALL: "invalid amount for a marketable BUY order, min size: $1",
}


UNSEEN = {
    c.REFUSED_CLOSED: "market is not open",
    c.REFUSED_QUOTE: "no quote to take",
    c.REFUSED_SIZE: "size is zero",
}
"""Why a wish was not even considered, as the order desk says it."""


class Noted(Protocol):
    """The simulated venue, which keeps the circumstances of every fill."""

    def executed(self, fill: Fill, row: int) -> None:
        """Takes note of a fill on a market's row."""


@dataclass
class Log:
    """The tables that a compiled run writes, and how far they have been told.

    Shapes: orders (., O_SIZE_OF), answers (., X_SIZE_OF), cases (., CASE_SIZE_OF); columns in
    ``barcolumns_nb``.
    """

    orders: Ints
    answers: Ints
    cases: Ints
    told_orders: int = 0
    told_answers: int = 0
    sent: dict[int, Order] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: int) -> Log:
        """Room for so many reviews. Pages that are never written cost no memory."""
        return cls(
            np.empty((rows, c.O_SIZE_OF), np.int64),
            np.empty((rows, c.X_SIZE_OF), np.int64),
            np.empty((rows, bd.CASE_SIZE_OF), np.int64),
        )

    @property
    def tables(self) -> tuple[Ints, Ints, Ints]:
        """As the loop takes them."""
        return self.orders, self.answers, self.cases


class Teller:
    """Tells a log's new rows in the order in which they happened."""

    def __init__(
        self,
        engine: Engine,
        log: Log,
        venue: Noted,
        firsts: Ints,
        entry: Ns,
        response: Ns,
        signal: Callable[[int], ev.BarSignalled],
    ) -> None:
        self.engine = engine
        self.name = engine.state.ledgers[0]
        self.log = log
        self.venue = venue
        self.firsts = firsts
        self.entry, self.response = entry, response
        self._signal = signal
        self._answers: list[Told] = []
        self.mids: dict[str, Price] = {}
        """the market's mid when each order was sent"""

    def told(self, until: Ns, orders: int, answers: int) -> Iterator[Told]:
        """Reviews and answers up to a moment that have not been told yet."""
        log = self.log
        steps = [self._review(n) for n in range(log.told_orders, orders)]
        self._answers += [
            told for told in map(self._accepted, range(log.told_orders, orders)) if told is not None
        ]
        for k in range(log.told_answers, answers):
            self._answers += self._answered(k)
        log.told_orders, log.told_answers = orders, answers
        steps += [told for told in self._answers if told.ts <= until]
        self._answers = [told for told in self._answers if told.ts > until]
        steps.sort(key=lambda told: told[:3])
        return iter(steps)

    def _market(self, index: int) -> Market:
        return self.engine.context.universe.markets[index]

    # ---- reviews -------------------------------------------------------------------------------

    def _review(self, n: int) -> Told:
        row: list[int] = self.log.orders[n].tolist()
        market, now = self._market(row[c.O_MARKET]), row[c.O_TS]
        token = market.yes.id
        if row[c.O_REFUSED]:
            return self._refused(n, row, token)
        side = Side.BUY if row[c.O_SIDE] > 0 else Side.SELL
        buys = side is Side.BUY
        event = self._signal(row[c.O_ROW])
        intent = Intent(
            token=token, side=side, price=row[c.O_PRICE],
            probability=event.probability if buys else None, edge=event.edge if buys else None,
            kind=Kind.DIRECTIONAL if buys else Kind.EXIT, reason=REASON,
        )  # fmt: skip
        permitted, number = row[c.O_PERMITTED], row[c.O_NUMBER]
        id = f"{self.engine.context.session}-{number}" if number else ""
        draft = Draft(
            0, self.engine.context.universe.offset[row[c.O_MARKET]], side, row[c.O_PRICE],
            row[c.O_ASKED], KIND_OF[row[c.O_KIND]], None, None, False,
        )  # fmt: skip
        verdicts = self.engine.parts.door.recall(draft, bool(row[c.O_REDUCES]), self._case(row))
        edge = self.engine.parts.desk.edge(intent, row[c.O_MARKET], row[c.O_PRICE])
        reviewed = fx.OrderReviewed(
            now, self.name, id, intent, row[c.O_ASKED], permitted, verdicts, (), market.id,
            row[c.O_PRICE], edge, decimals=(market.price_decimals, market.size_decimals),
        )  # fmt: skip
        effects: tuple[Effect, ...] = (reviewed,)
        if number:
            order = Order(
                id=id, ledger=self.name, market=market.id, token=token, side=side,
                price=row[c.O_PRICE], size=permitted, tif=TimeInForce.FAK, ts=now,
                kind=KIND_OF[row[c.O_KIND]], reason=REASON,
                edge=edge,
                salt=salt_of(self.engine.context.session, number),
            )  # fmt: skip
            self.log.sent[n] = order
            self.mids[id] = row[c.O_MID]
            effects = (reviewed, fx.SubmitOrder(order, 0))
        return Told(now, 0, n, event, effects)

    def _refused(self, n: int, row: list[int], token: str) -> Told:
        wish = f"Intent {Side(row[c.O_SIDE]).name.lower()}"
        refused = fx.WishRefused(row[c.O_TS], self.name, wish, UNSEEN[row[c.O_REFUSED]], token)
        return Told(row[c.O_TS], 0, n, self._signal(row[c.O_ROW]), (refused,))

    def _case(self, row: list[int]) -> Case | None:
        if not row[c.O_CASE]:
            return None
        case = self.log.cases[row[c.O_CASE] - 1]
        return case[: g.O_SIZE_OF], case[g.O_SIZE_OF :].reshape(2, g.S_SIZE_OF)

    # ---- answers -------------------------------------------------------------------------------

    def _accepted(self, n: int) -> Told | None:
        order = self.log.sent.get(n)
        if order is None:
            return None
        ts = order.ts + self.entry + self.response
        event = ev.OrderAccepted(ts, order.id, f"sim-{order.id}")
        return Told(ts, 1, 2 * n, event, (fx.OrderChanged(ts, order.id, OrderState.LIVE, 0),))

    def _answered(self, k: int) -> Iterator[Told]:
        row: list[int] = self.log.answers[k].tolist()
        n, ts, why, size = row[c.X_ORDER], row[c.X_KNOWN], row[c.X_WHY], row[c.X_SIZE]
        order = self.log.sent.pop(n)
        place = 2 * n + 1
        if why in REFUSED:
            self._answers = [told for told in self._answers if told.number != 2 * n]
            changed = fx.OrderChanged(ts, order.id, OrderState.REJECTED, 0, REFUSED[why])
            yield Told(ts, 1, place, ev.OrderRejected(ts, order.id, REFUSED[why]), (changed,))
            return
        if size:
            yield self._filled(order, row, ts, place)
        if size < order.size:
            changed = fx.OrderChanged(ts, order.id, OrderState.CANCELLED, size, ENDED[why])
            yield Told(ts, 1, place, ev.OrderCancelled(ts, order.id, ENDED[why]), (changed,))

    def _filled(self, order: Order, row: list[int], ts: Ns, place: int) -> Told:
        fill = Fill(
            trade=f"{order.id}-1", order=order.id, ledger=order.ledger, market=order.market,
            token=order.token, side=order.side, price=row[c.X_PRICE], size=row[c.X_SIZE],
            fee=row[c.X_FEE], ts=row[c.X_TS], reason=order.reason,
        )  # fmt: skip
        m = int(self.log.orders[row[c.X_ORDER], c.O_MARKET])
        self.venue.executed(fill, row[c.X_OPEN] - int(self.firsts[m]))
        state = OrderState.CONFIRMED if fill.size == order.size else OrderState.PARTIAL
        effects = (
            fx.FillBooked(fill, row[c.X_REALISED]),
            fx.OrderChanged(ts, order.id, state, fill.size),
        )
        return Told(ts, 1, place, ev.OrderFilled(ts, fill), effects)
