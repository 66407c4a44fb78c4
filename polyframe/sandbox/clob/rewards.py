"""What resting orders earn: rewarded markets, a wallet's earnings by the day, makers' rebates.

Source: the fields are those of models/clob/rewards.py of polymarket-client 0.14.0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, Final

from polyframe.domain.units import DAY
from polyframe.errors import WireError
from polyframe.exchanges.polymarket.contracts import contracts_of
from polyframe.exchanges.polymarket.curve import address_bytes
from polyframe.sandbox.about import About
from polyframe.sandbox.clob.pages import page
from polyframe.sandbox.desk import Desk
from polyframe.sandbox.door import Asked, Room, Turned
from polyframe.sandbox.rows import Row
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.paying import Earning
from polyframe.sandbox.wire import iso, price_number, size_number, size_text

PAGE: Final = 100
MOST_PAGE: Final = 500


class Rewards:
    """The routes about rewards and rebates."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._asset = contracts_of(desk.venue.chain_id).collateral

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        room.add("GET", "/rewards/markets/current", self._current)
        room.add("GET", "/rewards/markets/multi", self._multi)
        room.add("GET", "/rewards/markets/{condition_id}", self._market)
        room.add("GET", "/rewards/user", self._earnings)
        room.add("GET", "/rewards/user/total", self._total)
        room.add("GET", "/rewards/user/percentages", self._percentages)
        room.add("GET", "/rewards/user/markets", self._markets)
        room.add("GET", "/rebates/current", self._rebates)

    # ---- rewarded markets ------------------------------------------------------------------------

    def _rewarded(self) -> list[Market]:
        venue = self._desk.venue
        return [m for m in venue.markets.values() if m.listing.rewards.daily and m.booked]

    def _current(self, asked: Asked) -> Row:
        asked.flag("sponsored")
        return page(asked, self._rewarded(), PAGE, self._current_row)

    def _current_row(self, market: Market) -> Row:
        terms = market.listing.rewards
        daily = size_number(terms.daily)
        return {
            "condition_id": market.condition_id,
            "rewards_max_spread": terms.max_spread / 100,
            "rewards_min_size": size_number(terms.min_size),
            "rewards_config": self._config(market),
            "sponsored_daily_rate": 0,
            "sponsors_count": 0,
            "native_daily_rate": daily,
            "total_daily_rate": daily,
        }

    def _config(self, market: Market) -> list[Row]:
        terms = market.listing.rewards
        if not terms.daily:
            return []
        since = market.listed_at // DAY * DAY
        days = (self._desk.venue.now - since) // DAY + 1
        return [
            {
                "id": 1,
                "asset_address": self._asset,
                "start_date": iso(since)[:10],
                "end_date": "2500-12-31",
                "rate_per_day": size_number(terms.daily),
                "total_rewards": size_number(terms.daily * days),
            }
        ]

    def _market(self, asked: Asked) -> Row:
        market = self._desk.market(asked.values["condition_id"])
        rows = [market] if market.listing.rewards.daily else []
        return page(asked, rows, PAGE, self._market_row)

    def _market_row(self, market: Market) -> Row:
        about, terms = self._desk.about(market), market.listing.rewards
        return {
            "condition_id": market.condition_id,
            "question": market.listing.question,
            "market_slug": market.listing.slug,
            "event_slug": about.event_slug,
            "image": about.image,
            "rewards_max_spread": terms.max_spread / 100,
            "rewards_min_size": size_number(terms.min_size),
            "market_competitiveness": self._competition(market),
            "tokens": self._tokens(market),
            "rewards_config": self._config(market),
        }

    def _tokens(self, market: Market) -> list[Row]:
        history, listing = self._desk.venue.history, market.listing
        return [
            {"token_id": token, "outcome": outcome, "price": price_number(history.current(token))}
            for token, outcome in zip(listing.tokens, listing.outcomes, strict=True)
        ]

    def _competition(self, market: Market) -> float:
        """All that makers would score in a market if it were sampled now."""
        return math.fsum(self._desk.venue.paying.points(market).values())

    def _multi(self, asked: Asked) -> Row:
        """Rewarded markets, searched and sorted."""
        limit = asked.number("page_size", PAGE)
        if limit is None or not 1 <= limit <= MOST_PAGE:
            raise Turned(400, "Invalid page_size")
        found = [
            (market, about)
            for market in self._rewarded()
            if self._matches(asked, market, about := self._desk.about(market))
        ]
        sort = asked.one("order_by")
        if sort:
            key = self._sorts().get(sort)
            if key is None:
                raise Turned(400, "Invalid order_by")
            down = asked.one("position").upper() == "DESC"
            found.sort(key=lambda each: key(each[0]), reverse=down)
        return page(asked, found, limit, lambda each: self._multi_row(*each))

    def _matches(self, asked: Asked, market: Market, about: About) -> bool:
        text, title = asked.one("q").lower(), asked.one("event_title").lower()
        if text and text not in market.listing.question.lower():
            return False
        if title and title not in about.event_title.lower():
            return False
        for name, value in (("market_id", about.id), ("event_id", about.event_id)):
            wanted = asked.many(name)
            if wanted and value not in wanted:
                return False
        tags = asked.many("tag_slug")
        if tags and not set(tags) & set(about.tags):
            return False
        for name, number in (
            ("volume_24hr", self._volume(market) / 1e6),
            ("spread", (market.ask - market.bid) / 1e4),
            ("price", self._desk.venue.history.current(market.listing.tokens[0]) / 1e4),
        ):
            least, most = _bound(asked, f"min_{name}"), _bound(asked, f"max_{name}")
            if (least is not None and number < least) or (most is not None and number > most):
                return False
        return True

    def _sorts(self) -> dict[str, Callable[[Market], Any]]:
        """How each field of ``order_by`` compares two markets."""
        current = self._desk.venue.history.current
        return {
            "market_id": lambda m: self._desk.about(m).id.zfill(20),
            "created_at": lambda m: m.listed_at,
            "volume_24hr": self._volume,
            "spread": lambda m: m.ask - m.bid,
            "competitiveness": self._competition,
            "max_spread": lambda m: m.listing.rewards.max_spread,
            "min_size": lambda m: m.listing.rewards.min_size,
            "question": lambda m: m.listing.question,
            "one_day_price_change": self._day_change,
            "rate_per_day": lambda m: m.listing.rewards.daily,
            "price": lambda m: current(m.listing.tokens[0]),
            "end_date": lambda m: m.listing.ends,
            "start_date": lambda m: m.listed_at,
            "reward_end_date": lambda _: 0,
        }

    def _multi_row(self, market: Market, about: About) -> Row:
        listing = market.listing
        return {
            **self._market_row(market),
            "market_id": about.id,
            "spread": price_number(market.ask - market.bid),
            "group_item_title": about.group_title,
            "volume_24hr": size_number(self._volume(market)),
            "event_id": about.event_id,
            "created_at": iso(market.listed_at),
            "one_day_price_change": price_number(self._day_change(market)),
            "end_date": iso(listing.ends) if listing.ends else None,
        }

    def _volume(self, market: Market) -> int:
        venue = self._desk.venue
        return venue.history.market_volume(market.condition_id, venue.now - DAY)

    def _day_change(self, market: Market) -> int:
        """How far the first outcome's price went in a day, as far as it is known."""
        venue, token = self._desk.venue, market.listing.tokens[0]
        points = venue.history.prices(token, venue.now - DAY, venue.now, DAY // 24)
        return venue.history.current(token) - points[0].price if points else 0

    # ---- a wallet's own --------------------------------------------------------------------------

    def _own(self, asked: Asked) -> str:
        return self._desk.meant(asked, self._desk.caller(asked, reads=True))

    def _day(self, asked: Asked) -> tuple[int, str]:
        """The day that is asked for, counted from 1970, and as it is written."""
        text = asked.one("date")
        try:
            day = date.fromisoformat(text) if len(text) == 10 else None
        except ValueError:
            day = None
        if day is None:
            raise Turned(400, "Invalid date, expected YYYY-MM-DD")
        begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return int(begins.timestamp()) * 10**9 // DAY, text

    def _earned(self, day: int, wallet: str, kind: str = "REWARD") -> list[Earning]:
        found = self._desk.venue.paying.earned(day)
        return [e for e in found if e.kind == kind and e.address.lower() == wallet.lower()]

    def _earnings(self, asked: Asked) -> Row:
        wallet = self._own(asked)
        day, text = self._day(asked)

        def row(earning: Earning) -> Row:
            return {
                "date": f"{text}T00:00:00Z",
                "condition_id": earning.condition_id,
                "asset_address": self._asset,
                "maker_address": wallet,
                "earnings": size_number(earning.money),
                "asset_rate": 1,
            }

        return page(asked, self._earned(day, wallet), PAGE, row)

    def _total(self, asked: Asked) -> list[Row]:
        wallet = self._own(asked)
        day, text = self._day(asked)
        total = sum(earning.money for earning in self._earned(day, wallet))
        if not total:
            return []
        return [
            {
                "date": f"{text}T00:00:00Z",
                "asset_address": self._asset,
                "maker_address": wallet,
                "earnings": size_number(total),
                "asset_rate": 1,
            }
        ]

    def _percentages(self, asked: Asked) -> dict[str, float]:
        """The part of each market's pool that a wallet would get if it were sampled now."""
        wallet = self._own(asked).lower()
        return {
            market.condition_id: share
            for market in self._rewarded()
            if (share := self._share(market, wallet)) > 0.0
        }

    def _share(self, market: Market, wallet: str) -> float:
        points = self._desk.venue.paying.points(market)
        own = math.fsum(each for address, each in points.items() if address.lower() == wallet)
        total = math.fsum(points.values())
        return 100.0 * own / total if own else 0.0

    def _markets(self, asked: Asked) -> Row:
        """Rewarded markets with what a wallet earned in them on a day."""
        wallet = self._own(asked)
        day, _ = self._day(asked)
        limit = asked.number("page_size", PAGE)
        if limit is None or not 1 <= limit <= MOST_PAGE:
            raise Turned(400, "Invalid page_size")
        alone = asked.flag("no_competition")
        earned = {earning.condition_id: earning.money for earning in self._earned(day, wallet)}
        markets = [m for m in self._rewarded() if not alone or not self._competition(m)]

        def row(market: Market) -> Row:
            money = earned.get(market.condition_id, 0)
            asset = {"asset_address": self._asset, "asset_rate": 1, "earnings": size_number(money)}
            return {
                **self._market_row(market),
                "maker_address": wallet,
                "earning_percentage": self._share(market, wallet.lower()),
                "earnings": [asset],
            }

        return {**page(asked, markets, limit, row), "total_count": len(markets)}

    def _rebates(self, asked: Asked) -> list[Row]:
        """What a maker got back of takers' fees on a day, or will get of today's."""
        wallet = asked.one("maker_address")
        try:
            address_bytes(wallet)
        except WireError as error:
            raise Turned(400, "Invalid maker_address") from error
        day, text = self._day(asked)
        return [
            {
                "date": text,
                "condition_id": earning.condition_id,
                "asset_address": self._asset,
                "maker_address": wallet,
                "rebated_fees_usdc": size_text(earning.money),
            }
            for earning in self._earned(day, wallet, "MAKER_REBATE")
        ]


def _bound(asked: Asked, name: str) -> float | None:
    text = asked.one(name)
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise Turned(400, f"Invalid {name}")
    return number
