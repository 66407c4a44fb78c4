"""What all parts of the venue share: its time, its markets, its accounts and its outbox."""

from __future__ import annotations

from collections import deque

import numpy as np

from polyframe.errors import UserError
from polyframe.sandbox.venue.accounts import Accounts
from polyframe.sandbox.venue.clock import Clock
from polyframe.sandbox.venue.ids import Ids
from polyframe.sandbox.venue.indexing import Indexer
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import BUY, BookMoved, Change, Order, OrderTold, Told, Trade
from polyframe.sandbox.venue.settings import Settings


class Floor:
    """The shared state; each part of the venue changes what it is there for."""

    __slots__ = (
        "accounts",
        "clock",
        "closed",
        "every",
        "history",
        "ids",
        "markets",
        "orders",
        "outbox",
        "owned",
        "quiet",
        "rng",
        "settings",
        "tokens",
        "trades",
    )

    def __init__(self, settings: Settings, now: int) -> None:
        self.settings = settings
        self.clock = Clock(now)
        self.ids = Ids(settings.seed)
        self.rng = np.random.default_rng(settings.seed)
        self.accounts = Accounts()
        self.markets: dict[str, Market] = {}
        self.tokens: dict[str, tuple[Market, int]] = {}
        self.history = Indexer(self.clock, self.tokens, self.markets, settings.kept_trades)
        self.orders: dict[str, Order] = {}
        """open ones, and as many closed ones as are kept"""
        self.closed: deque[str] = deque()
        self.owned: dict[str, dict[str, Order]] = {}
        """open orders by key"""
        self.trades: dict[str, deque[Trade]] = {}
        """trades by the keys that had a part in them, oldest first"""
        self.outbox: list[Told] = []
        self.every = 1
        """minutes between two looks at prices and at rewarded orders"""
        self.quiet = False
        """nobody listens yet: what happens to books is not told"""

    def market(self, condition_id: str) -> Market:
        """A market by its condition id.

        Raises:
            UserError: there is none.
        """
        market = self.markets.get(condition_id)
        if market is None:
            raise UserError(
                f"there is no market {condition_id!r}",
                expected="the condition id of a listed market: 0x and 64 hex digits",
            )
        return market

    def opened(self, order: Order) -> None:
        """Enters an order that is open from now on."""
        self.orders[order.id] = order
        mine = self.owned.get(order.owner)
        if mine is None:
            mine = self.owned[order.owner] = {}
        mine[order.id] = order

    def ended(self, order: Order, status: str) -> None:
        """Ends an open order; the caller has freed what it held."""
        order.closed = self.clock.now or 1
        order.status = status
        mine = self.owned[order.owner]
        del mine[order.id]
        if not mine:
            del self.owned[order.owner]
        if not order.signed:
            del self.orders[order.id]  # agents remember their own
            return
        self.closed.append(order.id)
        if len(self.closed) > self.settings.kept_orders:
            self.orders.pop(self.closed.popleft(), None)

    def remember(self, owner: str, trade: Trade) -> None:
        """Keeps a trade for a key that had a part in it."""
        mine = self.trades.get(owner)
        if mine is None:
            mine = self.trades[owner] = deque(maxlen=self.settings.kept_own_trades)
        mine.append(trade)

    def tell_order(self, kind: str, order: Order) -> None:
        """Tells whoever sent an order what became of it."""
        if order.signed:
            self.outbox.append(told_of(kind, order, self.clock.now))

    def tell_levels(self, market: Market, changes: list[tuple[str, int]]) -> None:
        """Tells what rests at some prices now; each is (side, YES price)."""
        if self.quiet:
            return
        size_at = market.book.size_at
        told = tuple(
            [
                Change(side, price, size_at(1 if side == BUY else -1, price))
                for side, price in changes
            ]
        )
        self.outbox.append(
            BookMoved(self.clock.now, market.condition_id, told, market.book.bid, market.book.ask)
        )


def told_of(kind: str, order: Order, now: int) -> OrderTold:
    """An order as it stands, to be told."""
    return OrderTold(
        now,
        kind,
        order.id,
        order.owner,
        order.maker,
        order.condition_id,
        order.token_id,
        order.outcome,
        order.side,
        order.price,
        order.size,
        order.matched,
        order.status,
        order.order_type,
        order.created,
        order.expiration,
        tuple(order.trades),
    )
