"""The CLOB's catalogue of markets, what traded in them and how their prices went."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from polyframe.domain.units import DAY, HOUR, MINUTE, SECOND
from polyframe.sandbox.clob.pages import page
from polyframe.sandbox.desk import Desk
from polyframe.sandbox.door import Asked, Room, Turned
from polyframe.sandbox.rows import (
    NO_FEE_RATE,
    Row,
    compact_row,
    market_row,
    simplified_row,
)
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import State
from polyframe.sandbox.wire import iso, price_number, price_text, seconds, size_text

# Rows of a page. UNSURE at the venue: both.
MARKETS_PAGE: Final = 1_000
SAMPLING_PAGE: Final = 500
# Source: answers recorded by the equinox project, October 2026.
LONGEST_WINDOW: Final = 15 * DAY
LEAST_FIDELITY: Final = {"1m": 10, "1w": 5}
INTERVALS: Final = {"1m": 30 * DAY, "1w": 7 * DAY, "1d": DAY, "6h": 6 * HOUR, "1h": HOUR}
WHOLE: Final = {"max", "all"}
# Resolved markets have no fine prices of their whole life.
LEAST_FIDELITY_OF_RESOLVED: Final = 720
MOST_POINTS: Final = 50_000
# Source: docs.polymarket.com, /batch-prices-history.
MOST_HISTORIES: Final = 20
LIVE_TRADES: Final = 50


class _Histories(msgspec.Struct):
    markets: list[str]
    interval: str = ""
    start_ts: int | None = None
    end_ts: int | None = None
    fidelity: int | None = None


_histories_asked = msgspec.json.Decoder(_Histories).decode


class Markets:
    """The routes about markets."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        room.add("GET", "/clob-markets/{condition_id}", self._compact)
        room.add("GET", "/markets-by-token/{token_id}", self._by_token)
        room.add("GET", "/markets/{condition_id}", self._market)
        room.add("GET", "/markets/live-activity/{condition_id}", self._live)
        room.add("GET", "/markets", self._pages(MARKETS_PAGE, self._full, sampled=False))
        simplified = self._pages(MARKETS_PAGE, self._simplified, sampled=False)
        room.add("GET", "/simplified-markets", simplified)
        room.add("GET", "/sampling-markets", self._pages(SAMPLING_PAGE, self._full, sampled=True))
        sampling = self._pages(SAMPLING_PAGE, self._simplified, sampled=True)
        room.add("GET", "/sampling-simplified-markets", sampling)
        room.add("GET", "/prices-history", self._history)
        room.add("POST", "/batch-prices-history", self._histories)

    def _ready(self, condition_id: str) -> Market:
        """A market that was opened: the CLOB knows of it later than the catalogue."""
        market = self._desk.market(condition_id)
        if market.state is State.LISTED:
            raise Turned(404, "market not found")
        return market

    def _compact(self, asked: Asked) -> Row:
        return compact_row(self._ready(asked.values["condition_id"]))

    def _by_token(self, asked: Asked) -> Row:
        market, _ = self._desk.token(asked.values["token_id"], text="market not found")
        first, second = self._ready(market.condition_id).listing.tokens
        return {
            "condition_id": market.condition_id,
            "primary_token_id": first,
            "secondary_token_id": second,
        }

    def _market(self, asked: Asked) -> Row:
        return self._full(self._ready(asked.values["condition_id"]))

    def _full(self, market: Market) -> Row:
        venue = self._desk.venue
        return market_row(market, self._desk.about(market), venue.history, venue.chain_id)

    def _simplified(self, market: Market) -> Row:
        venue = self._desk.venue
        return simplified_row(market, venue.history, venue.chain_id)

    def _pages(
        self, limit: int, show: Callable[[Market], Row], *, sampled: bool
    ) -> Callable[[Asked], Row]:
        """A list of all opened markets, or of those that pay liquidity rewards."""

        def call(asked: Asked) -> Row:
            markets = [
                market
                for market in self._desk.venue.markets.values()
                if market.state is not State.LISTED
                and (not sampled or (market.accepting and market.listing.rewards.daily))
            ]
            return page(asked, markets, limit, show)

        return call

    def _live(self, asked: Asked) -> list[Row]:
        market = self._ready(asked.values["condition_id"])
        about = self._desk.about(market)
        deals = self._desk.venue.history.deals(markets=[market.condition_id], limit=LIVE_TRADES)
        return [
            {
                "event_type": "trade",
                "market": {
                    "condition_id": deal.condition_id,
                    "asset_id": deal.token_id,
                    "question": market.listing.question,
                    "icon": about.icon,
                    "slug": market.listing.slug,
                },
                "user": {
                    "address": deal.wallet,
                    "username": "",
                    "profile_picture": "",
                    "optimized_profile_picture": "",
                    "pseudonym": "",
                },
                "side": deal.side,
                "size": size_text(deal.size),
                "fee_rate_bps": NO_FEE_RATE,
                "price": price_text(deal.price),
                "outcome": market.listing.outcomes[deal.outcome],
                "outcome_index": deal.outcome,
                "transaction_hash": deal.transaction_hash,
                "timestamp": iso(deal.at),
            }
            for deal in deals
        ]

    def _history(self, asked: Asked) -> Row:
        interval = asked.one("interval")
        start, end = asked.number("startTs"), asked.number("endTs")
        fidelity = asked.number("fidelity")
        return {"history": self._points(asked.one("market"), interval, start, end, fidelity)}

    def _histories(self, asked: Asked) -> Row:
        try:
            wanted = _histories_asked(asked.body)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise Turned(400, "Invalid payload") from error
        if len(wanted.markets) > MOST_HISTORIES:
            raise Turned(400, "Payload exceeds the limit")
        return {
            "history": {
                token: self._points(
                    token, wanted.interval, wanted.start_ts, wanted.end_ts, wanted.fidelity
                )
                for token in wanted.markets
            }
        }

    def _points(
        self, token: str, interval: str, start: int | None, end: int | None, fidelity: int | None
    ) -> list[Row]:
        if not token:
            raise Turned(400, "Invalid market")
        minutes = 1 if fidelity is None else fidelity
        if minutes < 1:
            raise Turned(400, "Invalid fidelity")
        known = self._desk.venue.tokens.get(token)
        listed = known[0].listed_at if known else self._desk.venue.now
        since, until = self._window(listed, interval, start, end, minutes)
        if known is None:
            return []
        market = known[0]
        if interval in WHOLE and market.closed and minutes < LEAST_FIDELITY_OF_RESOLVED:
            return []
        bucket = minutes * MINUTE
        since = max(since, until - MOST_POINTS * bucket, listed - bucket)
        if since >= until:
            return []
        points = self._desk.venue.history.prices(token, since, until, bucket)
        return [{"t": seconds(point.at), "p": price_number(point.price)} for point in points]

    def _window(
        self, listed: int, interval: str, start: int | None, end: int | None, minutes: int
    ) -> tuple[int, int]:
        now = self._desk.venue.now
        if interval:
            if interval in WHOLE:
                return listed, now
            length = INTERVALS.get(interval)
            if length is None:
                raise Turned(400, "Invalid interval")
            least = LEAST_FIDELITY.get(interval, 1)
            if minutes < least:
                raise Turned(400, f"minimum 'fidelity' for '{interval}' range is {least}")
            return now - length, now
        if start is None or end is None:
            raise Turned(400, "either 'interval' or 'startTs' and 'endTs' are needed")
        if not 0 <= start <= end < 1 << 40:
            raise Turned(400, "Invalid 'startTs' and 'endTs'")
        if (end - start) * SECOND > LONGEST_WINDOW:
            raise Turned(400, "'startTs' and 'endTs' interval is too long")
        return start * SECOND, min(end * SECOND, now)
