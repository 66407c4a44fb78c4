"""What a compiled run did, told as the engine would have told it: events and effects in order.

Reviews and answers stand in tables of numbers while the loop runs. Here they become the same values
that steps of the engine give, for the journal, the report and whoever watches.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.effects import Effect, FillBooked
from polyframe.domain.market import Market
from polyframe.domain.orders import KIND_BIT, Kind, Order, OrderState, Side, TimeInForce
from polyframe.domain.portfolio import Fill
from polyframe.domain.units import Ns, Price, Size
from polyframe.domain.verdict import Verdict
from polyframe.domain.wishes import Intent
from polyframe.engine.admission import MOST_OPEN
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
SIDES = {1: Side.BUY, -1: Side.SELL}
"""Quicker than asking the enumeration, ninety thousand times."""

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
    c.REFUSED_OPEN: MOST_OPEN,
}
"""Why a wish was not even considered, as the order desk says it."""


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
        quality: NDArray[np.uint8],
        entry: Ns,
        response: Ns,
        signal: Callable[[int], ev.BarSignalled],
        probability: NDArray[np.float64],
        edge: NDArray[np.float64],
    ) -> None:
        self.engine = engine
        self.name = engine.state.ledgers[0]
        self.log = log
        self.quality = quality
        self.entry, self.response = entry, response
        self._signal = signal
        self._probability, self._edge = probability, edge
        self._answers: list[Told] = []
        self._reviews: list[LateReview] = []
        self._shared: dict[tuple[int, int], tuple[Verdict, ...]] = {}

    def told(self, until: Ns, orders: int, answers: int) -> Iterator[Told]:
        """Reviews and answers up to a moment that have not been told yet."""
        log = self.log
        steps = [self._review(n) for n in range(log.told_orders, orders)]
        for n in range(log.told_orders, orders):
            if log.orders[n, c.O_NUMBER]:
                self._answers.append(self._accepted(n))
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
        token = self._market(row[c.O_MARKET]).yes.id
        if row[c.O_REFUSED]:
            return self._refused(n, row, token)
        reviewed = self.reviewed(row)
        effects: tuple[Effect, ...] = (reviewed,)
        if row[c.O_NUMBER]:
            effects = (reviewed, fx.SubmitOrder(self.order(row), 0))
        return Told(row[c.O_TS], 0, n, self._signal(row[c.O_ROW]), effects)

    def reviewed(self, row: list[int]) -> fx.OrderReviewed:
        """What the risk door said of one row of the log."""
        market, price = self._market(row[c.O_MARKET]), row[c.O_PRICE]
        draft = Draft(
            0, self.engine.context.universe.offset[row[c.O_MARKET]], Side(row[c.O_SIDE]), price,
            row[c.O_ASKED], KIND_OF[row[c.O_KIND]], None, None, False,
        )  # fmt: skip
        verdicts = self.engine.parts.door.recall(draft, bool(row[c.O_REDUCES]), self._case(row))
        intent = self.intent(row)
        edge = self.engine.parts.desk.edge(intent, row[c.O_MARKET], price)
        return fx.OrderReviewed(
            row[c.O_TS], self.name, self.id(row), intent, row[c.O_ASKED], row[c.O_PERMITTED],
            verdicts, (), market.id, price, edge,
            decimals=(market.price_decimals, market.size_decimals),
        )  # fmt: skip

    def id(self, row: list[int]) -> str:
        """The order's id, empty when it was denied."""
        return f"{self.engine.context.session}-{row[c.O_NUMBER]}" if row[c.O_NUMBER] else ""

    def intent(self, row: list[int]) -> Intent:
        """What the strategy's signal asked for."""
        buys = row[c.O_SIDE] > 0
        return Intent(
            token=self._market(row[c.O_MARKET]).yes.id, side=SIDES[row[c.O_SIDE]],
            price=row[c.O_PRICE],
            probability=_stated(self._probability, row[c.O_ROW]) if buys else None,
            edge=_stated(self._edge, row[c.O_ROW]) if buys else None,
            kind=Kind.DIRECTIONAL if buys else Kind.EXIT, reason=REASON,
        )  # fmt: skip

    def order(self, row: list[int]) -> Order:
        """The order that was sent."""
        market, number = self._market(row[c.O_MARKET]), row[c.O_NUMBER]
        return Order(
            id=self.id(row), ledger=self.name, market=market.id, token=market.yes.id,
            side=SIDES[row[c.O_SIDE]], price=row[c.O_PRICE], size=row[c.O_PERMITTED],
            tif=TimeInForce.FAK, ts=row[c.O_TS], kind=KIND_OF[row[c.O_KIND]], reason=REASON,
            edge=self.engine.parts.desk.edge(
                self.intent(row), row[c.O_MARKET], row[c.O_PRICE]
            ),
            salt=salt_of(self.engine.context.session, number),
        )  # fmt: skip

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

    def _accepted(self, n: int) -> Told:
        row: list[int] = self.log.orders[n].tolist()
        id, ts = self.id(row), row[c.O_TS] + self.entry + self.response
        changed = fx.OrderChanged(ts, id, OrderState.LIVE, 0)
        return Told(ts, 1, 2 * n, ev.OrderAccepted(ts, id, f"sim-{id}"), (changed,))

    def _answered(self, k: int) -> Iterator[Told]:
        row: list[int] = self.log.answers[k].tolist()
        n, ts, why, size = row[c.X_ORDER], row[c.X_KNOWN], row[c.X_WHY], row[c.X_SIZE]
        sent: list[int] = self.log.orders[n].tolist()
        id, place = self.id(sent), 2 * n + 1
        if why in REFUSED:
            self._answers = [told for told in self._answers if told.number != 2 * n]
            changed = fx.OrderChanged(ts, id, OrderState.REJECTED, 0, REFUSED[why])
            yield Told(ts, 1, place, ev.OrderRejected(ts, id, REFUSED[why]), (changed,))
            return
        if size:
            fill = self.fill(row, sent)
            state = OrderState.CONFIRMED if size == sent[c.O_PERMITTED] else OrderState.PARTIAL
            effects = (
                fx.FillBooked(fill, row[c.X_REALISED]),
                fx.OrderChanged(ts, id, state, size),
            )
            yield Told(ts, 1, place, ev.OrderFilled(ts, fill), effects)
        if size < sent[c.O_PERMITTED]:
            changed = fx.OrderChanged(ts, id, OrderState.CANCELLED, size, ENDED[why])
            yield Told(ts, 1, place, ev.OrderCancelled(ts, id, ENDED[why]), (changed,))

    def fill(self, row: list[int], sent: list[int]) -> Fill:
        """What an answer says was executed."""
        market, id = self._market(sent[c.O_MARKET]), self.id(sent)
        return Fill(
            trade=f"{id}-1", order=id, ledger=self.name, market=market.id, token=market.yes.id,
            side=SIDES[sent[c.O_SIDE]], price=row[c.X_PRICE], size=row[c.X_SIZE], fee=row[c.X_FEE],
            ts=row[c.X_TS], reason=REASON,
        )  # fmt: skip

    # ---- all of it, for a report ---------------------------------------------------------------

    def filled(self, orders: int, answers: int) -> Iterator[Filled]:
        """Every fill with what was known when it was decided."""
        reviews = self._late(orders)
        rows = self.log.answers[:answers]
        rows = rows[rows[:, c.X_SIZE] > 0]
        quality = self.quality[rows[:, c.X_OPEN]].tolist()
        for row, flag in zip(rows.tolist(), quality, strict=True):
            review = reviews[row[c.X_ORDER]]
            booked = fx.FillBooked(self.fill(row, review.row), row[c.X_REALISED])
            yield Filled(booked, flag, review.row[c.O_MID], review)

    def reviews(self, orders: int) -> list[LateReview]:
        """Every review, told in full when somebody asks."""
        return [late for late in self._late(orders) if not late.row[c.O_REFUSED]]

    def _late(self, orders: int) -> list[LateReview]:
        if len(self._reviews) < orders:
            rows = self.log.orders[len(self._reviews) : orders].tolist()
            self._reviews += [LateReview(self, row) for row in rows]
        return self._reviews

    def refusals(self, orders: int) -> Counter[str]:
        """How often what was not even considered."""
        rows = self.log.orders[:orders]
        rows = rows[rows[:, c.O_REFUSED] != 0]
        found: Counter[str] = Counter()
        for side, why in rows[:, [c.O_SIDE, c.O_REFUSED]].tolist():
            found[f"Intent {Side(side).name.lower()}: {UNSEEN[why]}"] += 1
        return found

    def verdicts(self, row: list[int]) -> tuple[Verdict, ...]:
        """The verdicts of a review; where no guard objected all of its kind share one answer."""
        if row[c.O_CASE]:
            return self.reviewed(row).verdicts
        key = (row[c.O_KIND], row[c.O_REDUCES])
        if key not in self._shared:
            self._shared[key] = self.reviewed(row).verdicts
        return self._shared[key]


class Filled(NamedTuple):
    """A fill with the bits of the row it executed on, the mid and the ruling at its decision."""

    booked: FillBooked
    quality: int
    mid: Price
    review: LateReview


class LateReview:
    """A review of a compiled run, with the attributes of an ``OrderReviewed``.

    Verdicts that only allow are shared with other reviews: their size is that of the first one.
    """

    __slots__ = ("_teller", "_verdicts", "row", "ts")

    def __init__(self, teller: Teller, row: list[int]) -> None:
        self._teller, self.row = teller, row
        self.ts: Ns = row[c.O_TS]
        self._verdicts: tuple[Verdict, ...] | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._teller.reviewed(self.row), name)

    def whole(self) -> fx.OrderReviewed:
        """The same as the engine would have said it."""
        return self._teller.reviewed(self.row)

    @property
    def order(self) -> str:
        """The order's id, empty when it was denied."""
        return self._teller.id(self.row)

    @property
    def asked(self) -> Size:
        """What was asked for."""
        return self.row[c.O_ASKED]

    @property
    def permitted(self) -> Size:
        """What was permitted."""
        return self.row[c.O_PERMITTED]

    @property
    def intent(self) -> Intent:
        """What the strategy's signal asked for."""
        return self._teller.intent(self.row)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What each guard said."""
        if self._verdicts is None:
            self._verdicts = self._teller.verdicts(self.row)
        return self._verdicts


def _stated(column: NDArray[np.float64], row: int) -> float | None:
    value = float(column[row])
    return None if math.isnan(value) else value
