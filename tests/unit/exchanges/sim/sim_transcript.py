"""Runs a small table of rows and orders through the broker and writes down its answers.

Times are seconds; an order takes 1 s to the venue, a cancel 2 s, an answer 1 s back.
"""

import numpy as np

from polyframe.domain.events import (
    CancelRejected,
    OperationFailed,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    PositionMerged,
    PositionRedeemed,
    PositionSplit,
)
from polyframe.domain.market import FeeSchedule, Market, Token
from polyframe.domain.orders import ApprovedOrder, Order, Seal, Side, TimeInForce
from polyframe.domain.quality import Flag
from polyframe.domain.units import SECOND, format_units, to_units
from polyframe.exchanges.sim.broker import SimBroker
from polyframe.exchanges.sim.quotes import QuoteColumns
from polyframe.exchanges.sim.settings import SimSettings

FLAGS = {"": 0, "flat": int(Flag.FLAT), "near": int(Flag.NEAR)}

SETTINGS = {
    "latency_entry_ms": 1_000,
    "latency_cancel_ms": 2_000,
    "latency_response_ms": 1_000,
    "settle_delay_ms": 5_000,
    "depth_shares": 200,
    "max_age_ms": 1_000_000,
}
"""Two levels of 100 shares, one cent apart."""


def market(id="M", *, closes=0, fee=40_000, tick=100, **more):
    return Market(
        id,
        f"Will {id}?",
        (Token(f"{id}-yes", "Yes"), Token(f"{id}-no", "No")),
        fee=FeeSchedule(fee, 1, 0) if fee is not None else None,
        closes=closes * SECOND,
        tick=tick,
        **more,
    )


def columns(table, markets=("M",)):
    """Rows ``second bid ask [flag] [market]``, sorted by time."""
    rows = []
    for line in table.strip().splitlines():
        second, bid, ask, *rest = line.split()
        flag = next((word for word in rest if word in FLAGS), "")
        name = next((word for word in rest if word in markets), markets[0])
        rows.append(
            (
                int(float(second) * SECOND),
                markets.index(name),
                to_units(bid, 4),
                to_units(ask, 4),
                FLAGS[flag],
            )
        )
    ts, index, bid, ask, flag = zip(*rows, strict=True)
    return QuoteColumns(
        np.array(ts, np.int64),
        np.array(index, np.int32),
        np.array(bid, np.int64),
        np.array(ask, np.int64),
        np.array(flag, np.uint8),
    )


class Table:
    """A broker fed from text. ``send`` takes ``A buy yes 50 @0.52 FAK [post] [until=30]``."""

    def __init__(self, rows, *, markets=None, resolutions=None, **settings):
        self.markets = markets or [market()]
        self.seal = Seal()
        self.broker = SimBroker(
            self.seal,
            self.markets,
            columns(rows, tuple(m.id for m in self.markets)),
            resolutions or {},
            SimSettings(**{**SETTINGS, **settings}),
        )
        self.now = 0

    def order(self, line, second):
        id, side, token, size, price, tif, *more = line.split()
        until = next((int(w.removeprefix("until=")) for w in more if w.startswith("until=")), 0)
        of = next((w.removeprefix("in=") for w in more if w.startswith("in=")), "M")
        return Order(
            id=id,
            ledger="L",
            market=of,
            token=f"{of}-{token}",
            side=Side[side.upper()],
            price=to_units(price.removeprefix("@"), 4),
            size=to_units(size, 6),
            tif=TimeInForce(tif),
            ts=int(second * SECOND),
            post_only="post" in more,
            expires=until * SECOND,
        )

    def send(self, second, line):
        order = self.order(line, second)
        self.broker.submit(ApprovedOrder(order, 0, self.seal), int(second * SECOND))
        return self

    def cancel(self, second, id):
        self.broker.cancel(id, int(second * SECOND))
        return self

    def events(self):
        """Everything that comes, in steps as a driver takes them."""
        found = []
        while (due := self.broker.due()) is not None:
            taken = list(self.broker.take(due))
            assert all(event.ts <= due for event in taken)
            assert all(event.ts >= self.now for event in taken), "an answer from the past"
            self.now = due
            found += taken
        return found

    def transcript(self):
        return [tell(event) for event in self.events()]


def tell(event):
    second = format_units(event.ts, 9)
    match event:
        case OrderAccepted():
            return f"{second} {event.order} accepted"
        case OrderRejected():
            return f"{second} {event.order} rejected: {event.reason}"
        case OrderCancelled():
            return f"{second} {event.order} cancelled: {event.reason}"
        case OrderExpired():
            return f"{second} {event.order} expired"
        case CancelRejected():
            return f"{second} {event.order} stays: {event.reason}"
        case OrderFilled(fill=fill):
            role = "maker" if fill.maker else f"fee {format_units(fill.fee, 6)}"
            size, price = format_units(fill.size, 6), format_units(fill.price, 4)
            return f"{second} {fill.order} filled {size} @{price} {role}"
        case PositionSplit() | PositionMerged():
            what = "split" if isinstance(event, PositionSplit) else "merged"
            return f"{second} {event.market} {what} {format_units(event.size, 6)}"
        case PositionRedeemed():
            size, payout = format_units(event.size, 6), format_units(event.payout, 6)
            return f"{second} {event.token} redeemed {size} at {payout}"
        case OperationFailed():
            return f"{second} {event.operation} failed: {event.reason}"
    raise AssertionError(f"unexpected {event!r}")
