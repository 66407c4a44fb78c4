"""What the venue would ring a bell for: fills, cancelled orders, failed fills, resolutions.

Source: the payloads are those that polymarket-client 0.14.0 reads (models/clob/notifications.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from polyframe.exchanges.polymarket.wallet import wallets_of
from polyframe.sandbox.about import Describe
from polyframe.sandbox.keys import Keys
from polyframe.sandbox.rows import market_row
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import (
    MarketResolved,
    Order,
    OrderTold,
    Told,
    Trade,
    TradeTold,
)
from polyframe.sandbox.venue.venue import Venue
from polyframe.sandbox.wire import price_text, seconds, size_text

CANCELLED: Final = 1
FILLED: Final = 2
RESOLVED: Final = 4
FILL_FAILED: Final = 8

MOST_NOTICES: Final = 500
MOST_BUILDER_TRADES: Final = 10_000

Row = dict[str, object]


class Notices:
    """What keys were told and have not dropped, and which trades builders brought."""

    def __init__(self, venue: Venue, about: Describe, keys: Keys) -> None:
        self._venue = venue
        self._about = about
        self._keys = keys
        self._of: dict[str, deque[Row]] = {}
        self._count = 0
        self._of_builder: dict[str, deque[Trade]] = {}

    def of(self, owner: str) -> list[Row]:
        """A key's notices, newest first."""
        return list(self._of.get(owner, ()))

    def drop(self, owner: str, ids: Iterable[str]) -> None:
        """Forgets notices of a key by their ids."""
        gone = set(ids)
        kept = self._of.get(owner)
        if kept is not None:
            rows = [row for row in kept if str(row["id"]) not in gone]
            self._of[owner] = deque(rows, maxlen=MOST_NOTICES)

    def brought(self, builder: str) -> list[Trade]:
        """Trades of orders that carried a builder's code, newest first."""
        return list(self._of_builder.get(builder.lower(), ()))

    def builders(self) -> list[str]:
        """The codes of all builders that brought a trade."""
        return list(self._of_builder)

    def hear(self, one: Told) -> None:
        """Takes over something that happened."""
        if isinstance(one, OrderTold):
            if one.kind == "CANCELLATION" and self._keys.named(one.owner):
                self._order(CANCELLED, one.owner, one.order_id, one.at)
        elif isinstance(one, TradeTold):
            self._traded(one)
        elif isinstance(one, MarketResolved):
            self._resolved(one)

    def _traded(self, told: TradeTold) -> None:
        trade = told.trade
        if told.status == "MATCHED" and trade.builder.strip("0x"):
            rows = self._of_builder.setdefault(
                trade.builder.lower(), deque(maxlen=MOST_BUILDER_TRADES)
            )
            rows.appendleft(trade)
        kind = {"MATCHED": FILLED, "FAILED": FILL_FAILED}.get(told.status)
        if kind is None:
            return
        sides = [(trade.owner, trade.taker_order_id)]
        sides += [(fill.owner, fill.order_id) for fill in trade.makers]
        for owner, order_id in sides:
            if self._keys.named(owner):
                self._order(kind, owner, order_id, told.at, trade)

    def _order(
        self, kind: int, owner: str, order_id: str, at: int, trade: Trade | None = None
    ) -> None:
        order = self._venue.order(order_id)
        market = None if order is None else self._venue.markets.get(order.condition_id)
        if order is not None and market is not None:
            self._add(kind, owner, at, self._order_row(order, market, trade))

    def _order_row(self, order: Order, market: Market, trade: Trade | None) -> Row:
        about = self._about(market)
        return {
            "asset_id": order.token_id,
            "market": order.condition_id,
            "order_id": order.id,
            "side": order.side,
            "type": order.order_type,
            "price": price_text(order.price),
            "original_size": size_text(order.size),
            "matched_size": size_text(order.matched),
            "remaining_size": size_text(order.left),
            "outcome": market.listing.outcomes[order.outcome],
            "outcome_index": order.outcome,
            "transaction_hash": trade.transaction_hash if trade else "",
            "trade_id": trade.id if trade else "",
            "question": market.listing.question,
            "market_slug": market.listing.slug,
            "icon": about.icon,
            "image": about.image,
            "eventSlug": about.event_slug,
            "seriesSlug": about.series_slug,
        }

    def _resolved(self, told: MarketResolved) -> None:
        market = self._venue.markets.get(told.condition_id)
        if market is None:
            return
        holders = [key.key for key in self._keys if self._holds(key.address, market)]
        if holders:
            row = market_row(market, self._about(market), self._venue.history)
            for owner in holders:
                self._add(RESOLVED, owner, told.at, row)

    def _holds(self, address: str, market: Market) -> bool:
        """True when any wallet of an address holds something of a market."""
        known = self._venue.accounts.wallets
        return any(
            wallet.shares.get(token)
            for each in wallets_of(address, self._venue.chain_id)
            if (wallet := known.get(each.lower())) is not None
            for token in market.listing.tokens
        )

    def _add(self, kind: int, owner: str, at: int, payload: Row) -> None:
        self._count += 1
        rows = self._of.setdefault(owner, deque(maxlen=MOST_NOTICES))
        rows.appendleft(
            {
                "id": self._count,
                "owner": owner,
                "type": kind,
                "payload": payload,
                "timestamp": seconds(at),
            }
        )
