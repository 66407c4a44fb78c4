"""Events, tags and series as Gamma shows them; sources as for markets."""

from __future__ import annotations

from typing import Any

from polyframe.domain.units import DAY, MONEY_ONE, Ns
from polyframe.sandbox.gamma.figures import Figures, figures, total
from polyframe.sandbox.gamma.market_rows import game_id, market_row, spaced
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.venue import Venue
from polyframe.sandbox.wire import iso
from polyframe.sandbox.worlds.catalogue import Chain, Occasion, Subject, Tag

Row = dict[str, Any]
Listed = list[tuple[Subject, Market, Figures]]

# Tags were there before any event. Source: the oldest tags that were recorded.
TAGS_SINCE = "2023-10-25T18:55:50Z"
TAGS_SHOWN = "2023-10-25 18:55:50+00"
EDITOR = 15


def listed(venue: Venue, occasion: Occasion) -> Listed:
    """An event's markets with their figures."""
    return [
        (subject, subject.market, figures(venue, subject.market))
        for subject in occasion.subjects
        if subject.market is not None
    ]


def event_row(venue: Venue, occasion: Occasion, comments: int) -> Row:
    """An event with all its markets, its tags and its series."""
    markets = listed(venue, occasion)
    row = shallow_row(occasion, markets, venue.now, comments)
    row["markets"] = [market_row(venue, *each) for each in markets]
    row["tags"] = [tag_row(tag) for tag in occasion.tags]
    if occasion.chain is not None:
        row["series"] = [series_row(venue, occasion.chain)]
        row["seriesSlug"] = occasion.chain.slug
    return row


def shallow_row(occasion: Occasion, markets: Listed, now: Ns, comments: int) -> Row:
    """An event without what belongs to it."""
    since = min((market.listed_at for _, market, _ in markets), default=now)
    plot = occasion.plot
    row: Row = {
        "id": str(occasion.id),
        "version": "v1",
        "ticker": plot.slug,
        "slug": plot.slug,
        "title": plot.title,
        "description": occasion.description,
        "resolutionSource": "",
        "startDate": iso(since),
        "creationDate": iso(since),
        "endDate": iso(plot.closes),
        "image": "",
        "icon": "",
        "active": True,
        "closed": occasion.closed,
        "archived": False,
        "new": False,
        "featured": False,
        "restricted": True,
        "sortBy": "price",
        "createdAt": iso(since),
        "updatedAt": iso(
            max((m.resolved_at or m.accepting_since for _, m, _ in markets), default=since)
        ),
        "enableOrderBook": True,
        "negRisk": occasion.neg_risk,
        "enableNegRisk": occasion.neg_risk,
        "negRiskAugmented": occasion.neg_risk and not plot.complete,
        "commentCount": comments,
        "cyom": False,
        "showAllOutcomes": True,
        "showMarketImages": False,
        "automaticallyActive": True,
        "gmpChartMode": "default",
        "estimateValue": False,
        "cumulativeMarkets": False,
        "pendingDeployment": False,
        "deploying": False,
        "deployingTimestamp": iso(since),
        "requiresTranslation": False,
    }
    if occasion.neg_risk:
        row["negRiskMarketID"] = occasion.neg_risk_id
    if occasion.closed:
        row["closedTime"] = iso(max(market.resolved_at for _, market, _ in markets))
    return row | _numbers([told for _, _, told in markets]) | _match(occasion, now)


def _numbers(told: list[Figures]) -> Row:
    row: Row = {
        "volume": total(each.volume for each in told),
        "volume24hr": total(each.day for each in told),
        "volume1wk": total(each.week for each in told),
        "volume1mo": total(each.month for each in told),
        "volume1yr": total(each.year for each in told),
        "liquidity": total(each.liquidity for each in told),
        "liquidityClob": total(each.liquidity for each in told),
        "openInterest": total(each.interest for each in told),
        "competitive": max((each.competitive for each in told), default=0.0),
    }
    return row


def _match(occasion: Occasion, now: Ns) -> Row:
    """How a match stands; a series' event has the moment at which its interval begins."""
    if occasion.plot.native:
        half = occasion.plot.opened + occasion.plot.life // 2
        return {"startTime": iso(half), "eventDate": iso(half)[:10]}
    if not occasion.game_start:
        return {}
    ended = now >= occasion.plot.closes
    live = now >= occasion.game_start and not ended
    return {
        "startTime": iso(occasion.game_start),
        "eventDate": iso(occasion.game_start)[:10],
        "gameId": game_id(occasion.id),
        "live": live,
        "ended": ended,
        "score": "0-0",
        "period": "FT" if ended else "1H" if live else "",
    }


def tag_row(tag: Tag) -> Row:
    """A tag."""
    return {
        "id": str(tag.id),
        "label": tag.label,
        "slug": tag.slug,
        "forceShow": False,
        "forceHide": False,
        "isCarousel": False,
        "publishedAt": TAGS_SHOWN,
        "createdBy": EDITOR,
        "updatedBy": EDITOR,
        "createdAt": TAGS_SINCE,
        "updatedAt": TAGS_SINCE,
        "requiresTranslation": False,
    }


def series_row(venue: Venue, chain: Chain) -> Row:
    """A series without its events."""
    markets = [s.market for o in chain.events for s in o.subjects if s.market is not None]
    late = [market for market in markets if venue.now - market.listed_at < 2 * DAY]
    day = sum(venue.history.market_volume(m.condition_id, venue.now - DAY) for m in late)
    open = [figures(venue, market) for market in late if market.booked]
    opened = min((occasion.plot.opened for occasion in chain.events[:1]), default=venue.now)
    return {
        "id": str(chain.id),
        "ticker": chain.slug,
        "slug": chain.slug,
        "title": chain.title,
        "seriesType": "single",
        "recurrence": chain.recurrence,
        "image": "",
        "icon": "",
        "active": True,
        "closed": False,
        "archived": False,
        "new": False,
        "featured": False,
        "restricted": True,
        "createdAt": iso(opened),
        "updatedAt": iso(venue.now),
        "publishedAt": spaced(opened),
        "startDate": iso(opened),
        "commentsEnabled": False,
        "competitive": "0",
        "commentCount": 0,
        "requiresTranslation": False,
        "volume": sum(market.volume for market in markets) / MONEY_ONE,
        "volume24hr": day / MONEY_ONE,
        "liquidity": total(each.liquidity for each in open),
    }
