"""What the simulated venue keeps about orders and fills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import Market
from polyframe.domain.orders import Order, Side
from polyframe.domain.portfolio import Fill
from polyframe.domain.units import Money, Ns, Price, Size, ceil_div, cost_of, proceeds_of

Ints = NDArray[np.int64]


class FillNote(NamedTuple):
    """The circumstances of one fill.

    Units: price units; ``mid`` of the fill's token. ``half_spread`` is what the best price lay
    beyond the mid, ``impact`` what the average lay beyond the best price; both are costs when
    positive. ``flag`` are the findings about the row (NEAR may be set).
    """

    mid: Price
    flag: int
    half_spread: Price
    impact: Price


class PricedRows(Protocol):
    """One market's rows, as far as a note needs them."""

    market: Market
    price: NDArray[np.int64]
    flag: NDArray[np.uint8]


def note_of(
    rows: PricedRows, row: int, side: Side, average: Price, best: Price, *, direct: bool
) -> FillNote:
    """The circumstances of a fill; side, average and best are those of the YES book."""
    mid = int(rows.price[row])
    return FillNote(
        mid=mid if direct else rows.market.price_one - mid,
        flag=int(rows.flag[row]),
        half_spread=side * (best - mid),
        impact=side * (average - best),
    )


@dataclass(slots=True)
class BrokerStats:
    """Counts and costs of a run.

    Units: money for ``spread_paid``, ``fees`` and ``till``. ``spread_paid`` is what the fills cost
    against the recorded mid, impact included, fees not. ``till`` is all money taken from customers
    minus all money paid to them.
    """

    orders: int = 0
    fills: int = 0
    rejected: int = 0
    cancelled: int = 0
    refused_unquoted: int = 0
    """orders that met a row behind which no quote stood"""
    refused_stale: int = 0
    """orders without a recorded price close enough to their arrival"""
    spread_paid: Money = 0
    fees: Money = 0
    rewards: Money = 0
    """paid for resting near the mid"""
    rebates: Money = 0
    """paid back of the fees that takers paid"""
    till: Money = 0

    def book_all(self, side: Ints, price: Ints, size: Ints, fee: Ints, mid: Ints, by: Ints) -> None:
        """Counts many fills of YES at once; ``by`` is what price x size is divided by."""
        buys = side > 0
        paid = -((-price[buys] * size[buys]) // by[buys])
        received = (price[~buys] * size[~buys]) // by[~buys]
        self.fills += len(side)
        self.fees += int(fee.sum())
        self.till += int(fee.sum()) + int(paid.sum()) - int(received.sum())
        self.spread_paid -= int(((-side * (price - mid) * size) // by).sum())

    def book(self, fill: Fill, note: FillNote, divisor: int) -> None:
        """Counts one fill."""
        self.fills += 1
        self.fees += fill.fee
        self.till += fill.fee
        if fill.side is Side.BUY:
            self.till += cost_of(fill.price, fill.size, divisor)
        else:
            self.till -= proceeds_of(fill.price, fill.size, divisor)
        self.spread_paid += ceil_div(fill.side * (fill.price - note.mid) * fill.size, divisor)


@dataclass(slots=True)
class Working:
    """An order that stands at the venue.

    ``side`` and ``limit`` are those of the YES book, whichever token the order names (``direct``
    says that it names YES). ``open`` is what may still fill, in whole lots; ``rest`` also holds
    what lies below one lot.
    """

    order: Order
    side: Side
    limit: Price
    open: Size
    rest: Size
    direct: bool
    taker: bool = False
    fills: int = 0

    def execute(self, price: Price, size: Size, fee: Money, ts: Ns) -> Fill:
        """Takes ``size`` off the order and returns the fill; trade ids count up from the order's.

        Units: ``price`` of the order's own token.
        """
        self.open -= size
        self.rest -= size
        self.fills += 1
        order = self.order
        return Fill(
            trade=f"{order.id}-{self.fills}",
            order=order.id,
            ledger=order.ledger,
            market=order.market,
            token=order.token,
            side=order.side,
            price=price,
            size=size,
            fee=fee,
            ts=ts,
            maker=not self.taker,
            reason=order.reason,
        )
