"""Markets, orders and trades as the CLOB shows them.

Source: the fields and their types are those of recorded answers (nautilus_trader's adapter tests,
qualiaenjoyer/polymarket-apis) and what polymarket-client 0.14.0 insists on.
"""

from __future__ import annotations

from polyframe.domain.units import RATE_ONE
from polyframe.exchanges.polymarket.contracts import contracts_of
from polyframe.sandbox.about import About
from polyframe.sandbox.venue.history import History
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import FeeTerms, MakerFill, Order, OrderTold, Trade
from polyframe.sandbox.wire import (
    iso,
    ms,
    price_number,
    price_text,
    seconds,
    size_number,
    size_text,
)

Row = dict[str, object]

NO_FEE_RATE = "0"
"""what ``fee_rate_bps`` says: the old flag, not the fee"""


def base_fee(fees: FeeTerms) -> int:
    """The old fee flag in basis points, which says nothing but that there is a fee."""
    return 1000 if fees.rate else 0


def token_rows(market: Market, history: History) -> list[Row]:
    """Both tokens with their price and whether they won."""
    listing = market.listing
    return [
        {
            "token_id": token,
            "outcome": outcome,
            "price": price_number(history.current(token)),
            "winner": market.winner == index,
        }
        for index, (token, outcome) in enumerate(zip(listing.tokens, listing.outcomes, strict=True))
    ]


def rewards_row(market: Market, collateral: str) -> Row:
    """What a market pays for resting orders; no rates when it pays nothing."""
    terms = market.listing.rewards
    rates = [{"asset_address": collateral, "rewards_daily_rate": size_number(terms.daily)}]
    return {
        "rates": rates if terms.daily else None,
        "min_size": size_number(terms.min_size),
        "max_spread": terms.max_spread / 100,
    }


def market_row(market: Market, about: About, history: History, chain_id: int = 80_002) -> Row:
    """A market as ``/markets/{condition_id}`` and notices show it."""
    listing = market.listing
    negative, taking = listing.neg_risk, market.accepting
    flag = base_fee(listing.fees)
    return {
        "enable_order_book": not market.closed_at,
        "active": True,
        "closed": market.closed,
        "archived": False,
        "accepting_orders": taking,
        "accepting_order_timestamp": iso(market.accepting_since) if taking else None,
        "minimum_order_size": size_number(listing.min_size),
        "minimum_tick_size": price_number(market.tick),
        "condition_id": listing.condition_id,
        "question_id": listing.question_id,
        "question": listing.question,
        "description": about.description,
        "market_slug": listing.slug,
        "end_date_iso": iso(listing.ends) if listing.ends else None,
        "game_start_time": iso(listing.game_start) if listing.game_start else None,
        "seconds_delay": listing.seconds_delay,
        "fpmm": "",
        "maker_base_fee": flag,
        "taker_base_fee": flag,
        "notifications_enabled": True,
        "neg_risk": negative,
        "neg_risk_market_id": listing.neg_risk_market_id if negative else "",
        "neg_risk_request_id": listing.question_id if negative else "",
        "icon": about.icon,
        "image": about.image,
        "rewards": rewards_row(market, contracts_of(chain_id).collateral),
        "is_50_50_outcome": market.winner == -1,
        "tokens": token_rows(market, history),
        "tags": list(about.tags),
    }


def simplified_row(market: Market, history: History, chain_id: int = 80_002) -> Row:
    """A market as the simplified lists show it."""
    return {
        "condition_id": market.condition_id,
        "rewards": rewards_row(market, contracts_of(chain_id).collateral),
        "tokens": token_rows(market, history),
        "active": True,
        "closed": market.closed,
        "archived": False,
        "accepting_orders": market.accepting,
    }


def compact_row(market: Market) -> Row:
    """A market as ``/clob-markets/{condition_id}`` shows it; what is not so is left out.

    UNSURE at the venue: ``ibce``, ``rfqe`` and ``cbos`` beyond their names.
    """
    listing = market.listing
    fees, rewards = listing.fees, listing.rewards
    row: Row = {
        "c": listing.condition_id,
        "t": [
            {"t": token, "o": outcome}
            for token, outcome in zip(listing.tokens, listing.outcomes, strict=True)
        ],
        "mos": size_number(listing.min_size),
        "mts": price_number(market.tick),
        "mbf": base_fee(fees),
        "tbf": base_fee(fees),
        "ao": market.accepting,
        "cbos": listing.clear_book_on_start,
        "ibce": False,
        "sd": listing.seconds_delay,
        "itode": listing.taker_delay_ms > 0,
        "rfqe": False,
        "oas": rewards.min_age,
        "v": "v1",
    }
    if market.accepting:
        row["aot"] = iso(market.accepting_since)
    if listing.neg_risk:
        row["nr"] = True
    if listing.game_start:
        row["gst"] = iso(listing.game_start)
    if fees.rate:
        row["fd"] = {"r": fees.rate / RATE_ONE, "e": fees.exponent, "to": fees.taker_only}
    if rewards.daily:
        row["r"] = {
            "mi": size_number(rewards.min_size),
            "ma": rewards.max_spread / 100,
            "e": True,
            "moas": rewards.min_age,
        }
    return row


def order_row(order: Order, outcome: str) -> Row:
    """An order as ``/data/orders`` shows it."""
    return {
        "id": order.id,
        "status": order.status,
        "owner": order.owner,
        "maker_address": order.maker,
        "market": order.condition_id,
        "asset_id": order.token_id,
        "side": order.side,
        "original_size": size_text(order.size),
        "size_matched": size_text(order.matched),
        "price": price_text(order.price),
        "outcome": outcome,
        "expiration": str(order.expiration),
        "order_type": order.order_type,
        "associate_trades": list(order.trades),
        "created_at": seconds(order.created),
    }


def order_event(told: OrderTold, outcome: str) -> Row:
    """An order as the user channel tells of it."""
    return {
        "asset_id": told.token_id,
        "associate_trades": list(told.trades) or None,
        "created_at": str(seconds(told.created)),
        "event_type": "order",
        "expiration": str(told.expiration),
        "id": told.order_id,
        "maker_address": told.maker,
        "market": told.condition_id,
        "order_owner": told.owner,
        "order_type": told.order_type,
        "original_size": size_text(told.size),
        "outcome": outcome,
        "owner": told.owner,
        "price": price_text(told.price),
        "side": told.side,
        "size_matched": size_text(told.matched),
        "status": told.status,
        "timestamp": ms(told.at),
        "type": told.kind,
    }


def maker_row(fill: MakerFill, outcomes: tuple[str, str]) -> Row:
    """What a resting order gave to a trade."""
    return {
        "order_id": fill.order_id,
        "owner": fill.owner,
        "maker_address": fill.address,
        "matched_amount": size_text(fill.size),
        "price": price_text(fill.price),
        "fee_rate_bps": NO_FEE_RATE,
        "asset_id": fill.token_id,
        "outcome": outcomes[fill.outcome],
        "outcome_index": fill.outcome,
        "side": fill.side,
    }


def trade_row(trade: Trade, market: Market, status: str, *, taker: bool) -> Row:
    """A trade as both ``/data/trades`` and the user channel show it, seen by one of its sides."""
    listing = market.listing
    return {
        "id": trade.id,
        "taker_order_id": trade.taker_order_id,
        "market": trade.condition_id,
        "asset_id": trade.token_id,
        "side": trade.side,
        "size": size_text(trade.size),
        "fee_rate_bps": str(base_fee(listing.fees)),
        "price": price_text(trade.price),
        "status": status,
        "match_time": str(seconds(trade.matched_at)),
        "last_update": str(seconds(trade.updated_at)),
        "outcome": listing.outcomes[trade.outcome],
        "bucket_index": trade.bucket,
        "owner": trade.owner,
        "maker_address": trade.address,
        "transaction_hash": trade.transaction_hash,
        "maker_orders": [maker_row(fill, listing.outcomes) for fill in trade.makers],
        "trader_side": "TAKER" if taker else "MAKER",
    }


def trade_event(trade: Trade, market: Market, status: str, at: int, *, owner: str) -> Row:
    """A trade as the user channel tells one key of it."""
    row = trade_row(trade, market, status, taker=owner == trade.owner)
    row["event_type"] = "trade"
    row["last_update"] = str(seconds(at))
    row["timestamp"] = ms(at)
    row["trade_owner"] = owner
    row["type"] = "TRADE"
    return row
