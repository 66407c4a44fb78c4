"""A market as Gamma shows it.

Source: keys, their types and when they are left out are those of recorded answers of June and July
2026 (guzus/dr-manhattan, hugompt/polymarket-microstructure-lab, nautilus_trader's adapter tests,
Ligengxin96/polymarket-data-samples) and of the shapes in qualiaenjoyer/polymarket-apis.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from polyframe.domain.units import DAY, RATE_ONE, SECOND, Ns
from polyframe.exchanges.polymarket.contracts import contracts_of
from polyframe.sandbox.gamma.figures import Figures, figures
from polyframe.sandbox.rows import base_fee
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.prices import price_now
from polyframe.sandbox.venue.records import PRICE_ONE, State
from polyframe.sandbox.venue.venue import Venue
from polyframe.sandbox.wire import iso, price_number, price_text, size_number
from polyframe.sandbox.worlds.catalogue import BOND, ORACLE_REWARD, Subject

Row = dict[str, Any]

FOREVER = "2500-12-31"
MONEYLINE = "moneyline"
ORACLE_STATES = {State.PROPOSED: "proposed", State.DISPUTED: "disputed", State.RESOLVED: "resolved"}


def market_row(venue: Venue, subject: Subject, market: Market, told: Figures | None = None) -> Row:
    """A market without the events that it belongs to."""
    told = told or figures(venue, market)
    row = _facts(subject, market)
    row |= _rules(market)
    row |= _numbers(told)
    row |= _rewards(venue, subject, market)
    row |= _oracle(subject, market)
    row |= _match(subject)
    return row


def _facts(subject: Subject, market: Market) -> Row:
    """What it asks, since when, and what its outcomes are worth."""
    listing, occasion = market.listing, subject.occasion
    prices = _outcome_prices(market)
    return {
        "id": str(subject.id),
        "version": "v1",
        "question": listing.question,
        "conditionId": listing.condition_id,
        "slug": listing.slug,
        "resolutionSource": "",
        "endDate": iso(listing.ends),
        "startDate": iso(market.listed_at),
        "image": "",
        "icon": "",
        "description": occasion.description,
        "outcomes": texts_of(listing.outcomes),
        "outcomePrices": texts_of(prices),
        "clobTokenIds": texts_of(listing.tokens),
        "active": True,
        "closed": market.closed,
        "marketMakerAddress": "",
        "createdAt": iso(market.listed_at),
        "updatedAt": iso(market.resolved_at or market.accepting_since or market.listed_at),
        "new": False,
        "featured": False,
        "submitted_by": occasion.resolver,
        "archived": False,
        "restricted": True,
        "groupItemTitle": subject.ask.title,
        "groupItemThreshold": str(occasion.subjects.index(subject)),
        "questionID": listing.question_id,
        "endDateIso": iso(listing.ends)[:10],
        "startDateIso": iso(market.listed_at)[:10],
        "hasReviewedDates": True,
        "comboStatus": "disabled",
        "ready": False,
        "funded": False,
        "cyom": False,
        "pagerDutyNotificationEnabled": False,
        "approved": True,
        "automaticallyActive": True,
        "seriesColor": "",
        "showGmpSeries": False,
        "showGmpOutcome": False,
        "manualActivation": False,
        "pendingDeployment": False,
        "deploying": False,
        "deployingTimestamp": iso(market.listed_at),
        "rfqEnabled": False,
        "requiresTranslation": False,
    }


def _rules(market: Market) -> Row:
    """How it is traded."""
    listing, fees = market.listing, market.listing.fees
    row: Row = {
        "enableOrderBook": True,
        "orderPriceMinTickSize": price_number(market.tick),
        "orderMinSize": size_number(listing.min_size),
        "acceptingOrders": market.accepting,
        "acceptingOrdersTimestamp": iso(market.accepting_since or market.listed_at),
        "negRisk": listing.neg_risk,
        "negRiskOther": False,
        "negRiskRequestID": listing.question_id if listing.neg_risk else "",
        "clearBookOnStart": listing.clear_book_on_start,
        "makerBaseFee": base_fee(fees),
        "takerBaseFee": base_fee(fees),
        "feesEnabled": fees.rate > 0,
        "feeType": fees.kind,
    }
    if listing.neg_risk:
        row["negRiskMarketID"] = listing.neg_risk_market_id
    if listing.seconds_delay:
        row["secondsDelay"] = listing.seconds_delay
    if fees.rate:
        row["makerRebatesFeeShareBps"] = 10_000
        row["feeSchedule"] = {
            "exponent": fees.exponent,
            "rate": fees.rate / RATE_ONE,
            "takerOnly": fees.taker_only,
            "rebateRate": fees.rebate_rate / RATE_ONE,
        }
    return row


def _numbers(told: Figures) -> Row:
    """What was traded, what rests, what it costs; spans without any are left out."""
    row: Row = {
        "volume": f"{told.volume:.6f}".rstrip("0").rstrip("."),
        "volumeNum": told.volume,
        "volumeClob": told.volume,
        "liquidity": f"{told.liquidity:.4f}".rstrip("0").rstrip("."),
        "liquidityNum": told.liquidity,
        "liquidityClob": told.liquidity,
        "competitive": told.competitive,
        "spread": round(told.spread, 4),
        "bestAsk": told.ask,
        **told.moves,
    }
    spans = {"24hr": told.day, "1wk": told.week, "1mo": told.month, "1yr": told.year}
    for name, volume in spans.items():
        if volume:
            row[f"volume{name}"] = row[f"volume{name}Clob"] = volume
    if told.bid is not None:
        row["bestBid"] = told.bid
    if told.last is not None:
        row["lastTradePrice"] = told.last
    return row


def _rewards(venue: Venue, subject: Subject, market: Market) -> Row:
    terms = market.listing.rewards
    row: Row = {
        "rewardsMinSize": size_number(terms.min_size),
        "rewardsMaxSpread": terms.max_spread / 100,
        "holdingRewardsEnabled": market.listing.holding_rate > 0,
    }
    if terms.daily:
        row["clobRewards"] = [
            {
                "id": str(subject.id),
                "conditionId": market.condition_id,
                "assetAddress": contracts_of(venue.chain_id).collateral.lower(),
                "rewardsAmount": 0,
                "rewardsDailyRate": size_number(terms.daily),
                "startDate": iso(market.listed_at // DAY * DAY)[:10],
                "endDate": FOREVER,
            }
        ]
    return row


def _oracle(subject: Subject, market: Market) -> Row:
    """How it gets its answer, and how far that is."""
    past = ["proposed", "disputed"] * market.disputes if market.disputes else []
    row: Row = {"umaResolutionStatuses": texts_of(past)}
    if market.state in ORACLE_STATES:
        row["umaResolutionStatus"] = ORACLE_STATES[market.state]
    if market.closed:
        row["closedTime"] = spaced(market.resolved_at)
        row["umaEndDate"] = iso(market.resolved_at)
    if subject.occasion.plot.native:
        row["automaticallyResolved"] = market.closed
        return row
    return row | {
        "resolvedBy": subject.occasion.resolver,
        "umaBond": str(BOND // 1_000_000),
        "umaReward": str(ORACLE_REWARD // 1_000_000),
        "customLiveness": 0,
    }


def _match(subject: Subject) -> Row:
    """When it begins, where what is asked about begins at a moment."""
    occasion = subject.occasion
    if occasion.plot.native:
        half = occasion.plot.opened + occasion.plot.life // 2
        return {"eventStartTime": iso(half)}
    if not occasion.game_start:
        return {}
    return {
        "gameStartTime": spaced(occasion.game_start),
        "eventStartTime": iso(occasion.game_start),
        "gameId": str(game_id(occasion.id)),
        "sportsMarketType": MONEYLINE,
    }


def _outcome_prices(market: Market) -> tuple[str, str]:
    price = price_now(market)
    return price_text(price), price_text(PRICE_ONE - price)


def game_id(event: int) -> int:
    """The number of an event's match."""
    return 1_400_000 + event


def texts_of(values: Any) -> str:
    """A list as Gamma writes lists inside of text, with a space after each comma."""
    inner = ", ".join(msgspec.json.encode(value).decode() for value in values)
    return f"[{inner}]"


def spaced(at: Ns) -> str:
    """A time in the form with a space."""
    return f"{datetime.fromtimestamp(at // SECOND, UTC):%Y-%m-%d %H:%M:%S}+00"
