"""The market channel: books, their changes, trades, ticks, new and resolved markets.

Source: docs.polymarket.com/developers/CLOB/websocket/market-channel and messages recorded by
nautilus_trader's Polymarket adapter; what a client sends, market_protocol.py of polymarket-client
0.14.0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from polyframe.sandbox.desk import Desk
from polyframe.sandbox.door import encode
from polyframe.sandbox.faces import Face
from polyframe.sandbox.rows import base_fee
from polyframe.sandbox.sockets.channel import Channel, texts
from polyframe.sandbox.sockets.line import Line, array
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import (
    BUY,
    PRICE_ONE,
    SELL,
    BookMoved,
    BookShown,
    MarketListed,
    MarketMoved,
    MarketResolved,
    State,
    TickChanged,
    Told,
    Trade,
    TradeTold,
)
from polyframe.sandbox.wire import iso, ms, price_text, size_text

# Far above what the venue serves at a time; a line cannot fill the memory with names.
MOST_TOKENS: Final = 20_000
OTHER: Final = {BUY: SELL, SELL: BUY}


@dataclass(slots=True)
class _Watch:
    """What one line has subscribed to."""

    tokens: set[str] = field(default_factory=set)
    extras: bool = False
    """``custom_feature_enabled``: best prices, new markets, resolutions"""


class MarketChannel(Channel):
    """``/ws/market``."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._watches: dict[Line, _Watch] = {}
        self._of_token: dict[str, dict[Line, None]] = {}
        self._of_market: dict[str, dict[Line, set[str]]] = {}
        self._bests: dict[str, tuple[int, int]] = {}

    # ---- subscriptions ---------------------------------------------------------------------------

    def begin(self, line: Line, said: dict[str, Any]) -> bool:
        """Subscribes a new line."""
        tokens = texts(said.get("assets_ids"))
        if str(said.get("type", "")).lower() != "market" or tokens is None:
            return False
        if len(tokens) > MOST_TOKENS:
            return False
        watch = self._watches[line] = _Watch()
        self._subscribe(line, watch, tokens, said)
        return True

    def change(self, line: Line, said: dict[str, Any]) -> bool:
        """Adds to or takes from what a line has subscribed to."""
        tokens = texts(said.get("assets_ids"))
        watch = self._watches[line]
        operation = said.get("operation")
        if tokens is None or operation not in {"subscribe", "unsubscribe"}:
            return False
        if len(watch.tokens) + len(tokens) > MOST_TOKENS and operation == "subscribe":
            return False
        if operation == "subscribe":
            self._subscribe(line, watch, tokens, said)
        else:
            for token in tokens:
                self._unwatch(line, watch, token)
        return True

    def end(self, line: Line) -> None:
        """Forgets a line."""
        watch = self._watches.pop(line, None)
        if watch is not None:
            for token in list(watch.tokens):
                self._unwatch(line, watch, token)

    def forget(self, line: Line) -> None:
        """Loses what a line watches; it can subscribe again."""
        watch = self._watches.get(line)
        if watch is not None:
            watch.extras = False
            for token in list(watch.tokens):
                self._unwatch(line, watch, token)

    def _subscribe(
        self, line: Line, watch: _Watch, tokens: list[str], said: dict[str, Any]
    ) -> None:
        """Takes over the flag, then what is new; what is subscribed already is passed over.

        That order is what polymarket-client 0.14.0 counts on to switch the flag alone. ``level``
        is accepted and changes nothing. UNSURE at the venue: what it changes there.
        """
        flag = said.get("custom_feature_enabled")
        if isinstance(flag, bool):
            watch.extras = flag
        added = [token for token in dict.fromkeys(tokens) if token not in watch.tokens]
        books = [shown for token in added if (shown := self._watch(line, watch, token))]
        if books and said.get("initial_dump") is not False:
            for frame in array(books, line.frame_limit):
                line.put(frame)

    def _watch(self, line: Line, watch: _Watch, token: str) -> bytes | None:
        """Enters a subscription; the token's book if it has one."""
        watch.tokens.add(token)
        self._of_token.setdefault(token, {})[line] = None
        found = self._desk.venue.tokens.get(token)
        if found is None:
            return None
        market, outcome = found
        self._watch_market(line, market, token)
        if not market.booked:
            return None
        return self._desk.faces.of(market).event(outcome, first=True)

    def _unwatch(self, line: Line, watch: _Watch, token: str) -> None:
        if token not in watch.tokens:
            return
        watch.tokens.discard(token)
        lines = self._of_token[token]
        del lines[line]
        if not lines:
            del self._of_token[token]
        found = self._desk.venue.tokens.get(token)
        watching = self._of_market.get(found[0].condition_id) if found else None
        if found is not None and watching is not None and line in watching:
            watching[line].discard(token)
            if not watching[line]:
                del watching[line]
            if not watching:
                del self._of_market[found[0].condition_id]

    def _watch_market(self, line: Line, market: Market, token: str) -> None:
        lines = self._of_market.setdefault(market.condition_id, {})
        lines.setdefault(line, set()).add(token)

    # ---- events ----------------------------------------------------------------------------------

    def hear(self, told: Told) -> None:
        """Passes on what happened to whoever watches it."""
        if isinstance(told, BookMoved):
            self._moved(told)
        elif isinstance(told, BookShown):
            self._shown(told)
        elif isinstance(told, TradeTold):
            if told.status == "MATCHED":
                self._traded(told.trade, told.at)
        elif isinstance(told, TickChanged):
            self._ticked(told)
        elif isinstance(told, MarketListed):
            self._listed(told)
        elif isinstance(told, MarketMoved):
            self._opened(told)
        elif isinstance(told, MarketResolved):
            self._resolved(told)

    def _moved(self, told: BookMoved) -> None:
        lines = self._of_market.get(told.condition_id)
        if not lines:
            return
        face = self._desk.faces.of(self._desk.venue.markets[told.condition_id])
        event = price_change(face, told)
        for line in lines:
            line.put(event)
        best = (told.bid, told.ask)
        if self._bests.get(told.condition_id) != best:
            self._bests[told.condition_id] = best
            self._best(face, told)

    def _best(self, face: Face, told: BookMoved) -> None:
        for outcome, token in enumerate(face.market.listing.tokens):
            wanted = self._extras_of(self._of_token.get(token, ()))
            if wanted:
                bid, ask = face.best(outcome)
                row = {
                    "event_type": "best_bid_ask",
                    "market": told.condition_id,
                    "asset_id": token,
                    "best_bid": price_text(bid),
                    "best_ask": price_text(ask),
                    "spread": price_text(ask - bid),
                    "timestamp": ms(told.at),
                }
                self._tell(wanted, encode(row))

    def _shown(self, told: BookShown) -> None:
        if told.condition_id not in self._of_market:
            return
        market = self._desk.venue.markets[told.condition_id]
        face = self._desk.faces.of(market)
        for outcome, token in enumerate(market.listing.tokens):
            lines = self._of_token.get(token)
            if lines:
                self._tell(lines, face.event(outcome, first=False))

    def _traded(self, trade: Trade, at: int) -> None:
        lines = self._of_token.get(trade.token_id)
        if lines:
            fees = self._desk.venue.markets[trade.condition_id].listing.fees
            row = {
                "market": trade.condition_id,
                "asset_id": trade.token_id,
                "price": price_text(trade.price),
                "size": size_text(trade.size),
                "fee_rate_bps": str(base_fee(fees)),
                "side": trade.side,
                "timestamp": ms(at),
                "event_type": "last_trade_price",
                "transaction_hash": trade.transaction_hash,
            }
            self._tell(lines, encode(row))

    def _ticked(self, told: TickChanged) -> None:
        for token in self._desk.venue.markets[told.condition_id].listing.tokens:
            lines = self._of_token.get(token)
            if lines:
                row = {
                    "market": told.condition_id,
                    "asset_id": token,
                    "old_tick_size": price_text(told.old),
                    "new_tick_size": price_text(told.new),
                    "timestamp": ms(told.at),
                    "event_type": "tick_size_change",
                }
                self._tell(lines, encode(row))

    def _listed(self, told: MarketListed) -> None:
        """A new market: everybody who wants such news hears of it, whatever they watch.

        Lines that waited for its tokens watch the market from now on.
        """
        market = self._desk.venue.markets[told.condition_id]
        for token in market.listing.tokens:
            for line in self._of_token.get(token, ()):
                self._watch_market(line, market, token)
        wanted = self._extras_of(self._watches)
        if wanted:
            self._tell(wanted, encode(self._new_market(market, told.at)))

    def _opened(self, told: MarketMoved) -> None:
        """A market that had no book has one now."""
        if told.old is not State.LISTED or told.new is not State.OPEN:
            return
        market = self._desk.venue.markets[told.condition_id]
        for outcome, token in enumerate(market.listing.tokens):
            lines = self._of_token.get(token)
            if lines:
                self._tell(lines, self._desk.faces.of(market).event(outcome, first=True))

    def _resolved(self, told: MarketResolved) -> None:
        wanted = self._extras_of(self._watches)
        if not wanted:
            return
        market = self._desk.venue.markets[told.condition_id]
        listing, about = market.listing, self._desk.about(market)
        won = told.winner >= 0
        row = {
            "event_type": "market_resolved",
            "id": about.id,
            "market": told.condition_id,
            "assets_ids": listing.tokens,
            "winning_asset_id": listing.tokens[told.winner] if won else "",
            "winning_outcome": listing.outcomes[told.winner] if won else "",
            "event_message": self._event_message(market),
            "timestamp": ms(told.at),
            "tags": about.tags,
        }
        self._tell(wanted, encode(row))

    def _new_market(self, market: Market, at: int) -> dict[str, object]:
        listing, about = market.listing, self._desk.about(market)
        fees = listing.fees
        return {
            "event_type": "new_market",
            "id": about.id,
            "question": listing.question,
            "market": listing.condition_id,
            "slug": listing.slug,
            "description": about.description,
            "assets_ids": listing.tokens,
            "outcomes": listing.outcomes,
            "event_message": self._event_message(market),
            "timestamp": ms(at),
            "tags": about.tags,
            "condition_id": listing.condition_id,
            "active": True,
            "clob_token_ids": listing.tokens,
            "sports_market_type": "",
            "line": "",
            "game_start_time": iso(listing.game_start) if listing.game_start else "",
            "order_price_min_tick_size": price_text(market.tick),
            "group_item_title": about.group_title,
            "taker_base_fee": str(base_fee(fees)),
            "fees_enabled": fees.rate > 0,
        }

    def _event_message(self, market: Market) -> dict[str, str]:
        about = self._desk.about(market)
        return {
            "id": about.event_id,
            "ticker": about.event_slug,
            "slug": about.event_slug,
            "title": about.event_title,
            "description": about.event_description,
        }

    def _extras_of(self, lines: Iterable[Line]) -> list[Line]:
        return [line for line in lines if self._watches[line].extras]

    def _tell(self, lines: Iterable[Line], event: bytes) -> None:
        for line in list(lines):
            line.put(event)


def price_change(face: Face, told: BookMoved) -> bytes:
    """The levels that changed, for both tokens, with the hash of the book after all of them.

    UNSURE at the venue: whether, of several changes, each has the hash after itself.
    """
    first, second = face.market.listing.tokens
    yes, no = face.hash(0), face.hash(1)
    bid, ask = price_text(told.bid), price_text(told.ask)
    no_bid, no_ask = price_text(PRICE_ONE - told.ask), price_text(PRICE_ONE - told.bid)
    rows = []
    for change in told.changes:
        size = size_text(change.size)
        rows.append(
            f'{{"asset_id":"{first}","price":"{price_text(change.price)}","size":"{size}",'
            f'"side":"{change.side}","hash":"{yes}","best_bid":"{bid}","best_ask":"{ask}"}},'
            f'{{"asset_id":"{second}","price":"{price_text(PRICE_ONE - change.price)}",'
            f'"size":"{size}","side":"{OTHER[change.side]}","hash":"{no}",'
            f'"best_bid":"{no_bid}","best_ask":"{no_ask}"}}'
        )
    return (
        f'{{"market":"{told.condition_id}","price_changes":[{",".join(rows)}],'
        f'"timestamp":"{ms(told.at)}","event_type":"price_change"}}'
    ).encode()
