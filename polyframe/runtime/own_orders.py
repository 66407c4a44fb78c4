"""What became of every order of a run over recorded books, as columns, however it was played."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain import events as ev
from polyframe.domain.market import Market
from polyframe.domain.orders import Order
from polyframe.kernels import barcolumns_nb as bc
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import l2logs_nb as lg

Ints = NDArray[np.int64]

STANDS: Final = 0
"""at the end of the run"""
FILLED: Final = 1
CANCELLED: Final = 2
REJECTED: Final = 3
EXPIRED: Final = 4
ENDS = np.zeros(c.EXPIRED + 1, np.int64)
"""by the venue's word for it"""
ENDS[[c.FILLED, c.REJECTED, c.CANCELLED, c.EXPIRED]] = FILLED, REJECTED, CANCELLED, EXPIRED


class OwnOrders(NamedTuple):
    """Orders in the order in which they were sent; side and price in YES space.

    ``accepted`` and ``ended`` are when we knew, 0 for never; ``end`` is how.

    Shapes: (orders,) each. Units: ns, price and size units.
    """

    market: Ints
    side: Ints
    price: Ints
    size: Ints
    filled: Ints
    sent: Ints
    accepted: Ints
    ended: Ints
    end: Ints

    def __len__(self) -> int:
        return len(self.sent)


NOTHING = OwnOrders(*([np.zeros(0, np.int64)] * len(OwnOrders._fields)))


def together(parts: Sequence[OwnOrders]) -> OwnOrders:
    """Several runs' parts as one, by the time of sending."""
    parts = [part for part in parts if len(part)]
    if len(parts) == 1 and not (np.diff(parts[0].sent) < 0).any():
        return parts[0]
    if not parts:
        return NOTHING
    joined = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    order = np.argsort(joined[OwnOrders._fields.index("sent")], kind="stable")
    return OwnOrders(*(column[order] for column in joined))


BECAME: Final = (lg.L_FILLED, lg.L_ACCEPTED, lg.L_ENDED, lg.L_END)
"""the columns of a review that say what became of its order"""


def of_log(orders: Ints, other: NDArray[np.bool_], became: Ints, ones: Ints) -> OwnOrders:
    """The orders that a compiled run sent; ``other`` says which name their market's second token.

    Shapes: orders (reviews, .), columns in ``barcolumns_nb``; other (reviews,); became (reviews,
    len(BECAME)); ones (markets,). Units: price units.
    """
    sent = np.flatnonzero(orders[:, bc.O_NUMBER])
    other, became = other[sent], became[sent]

    def column(number: int) -> Ints:
        # One by one: a view of all columns would keep every one of them in memory.
        found: Ints = orders[sent, number]
        return found

    market, price, side = column(bc.O_MARKET), column(bc.O_PRICE), column(bc.O_SIDE)
    filled, accepted, ended, end = became.T
    return OwnOrders(
        market, np.where(other, -side, side), np.where(other, ones[market] - price, price),
        column(bc.O_PERMITTED), filled, column(bc.O_TS), accepted, ended, ENDS[end],
    )  # fmt: skip


class Watched:
    """Follows the orders of a run that goes step by step."""

    def __init__(self) -> None:
        self._rows: dict[str, list[int]] = {}
        self._orders: list[Order] = []

    def sent(self, order: Order) -> None:
        """An order left for the venue."""
        self._rows[order.id] = [0, 0, STANDS, 0]
        self._orders.append(order)

    def heard(self, event: ev.Event) -> None:
        """What the venue said, if it did."""
        match event:
            case ev.OrderAccepted():
                self._accept(event.order, event.ts)
            case ev.OrderFilled():
                self._accept(event.fill.order, event.ts)
                if event.fill.order in self._rows:
                    self._rows[event.fill.order][3] += event.fill.size
            case ev.OrderRejected():
                self._close(event.order, event.ts, REJECTED)
            case ev.OrderCancelled():
                self._close(event.order, event.ts, CANCELLED)
            case ev.OrderExpired():
                self._close(event.order, event.ts, EXPIRED)

    def _accept(self, id: str, ts: int) -> None:
        row = self._rows.get(id)
        if row is not None and not row[0]:
            row[0] = ts
        if row is not None:
            row[1] = ts  # of the last fill, should it be the one that ends it

    def _close(self, id: str, ts: int, how: int) -> None:
        row = self._rows.get(id)
        if row is not None:
            row[1], row[2] = ts, how

    def orders(self, markets: Sequence[Market]) -> OwnOrders:
        """All of them."""
        place = {market.id: m for m, market in enumerate(markets)}
        rows = []
        for order in self._orders:
            m = place[order.market]
            accepted, ended, end, filled = self._rows[order.id]
            if end == STANDS:
                end = FILLED if filled >= order.size else STANDS
                ended = ended if end else 0
            side, price = int(order.side), order.price
            if order.token != markets[m].yes.id:
                side, price = -side, markets[m].price_one - price
            rows.append((m, side, price, order.size, filled, order.ts, accepted, ended, end))
        if not rows:
            return NOTHING
        return OwnOrders(*np.array(rows, np.int64).T.copy())
