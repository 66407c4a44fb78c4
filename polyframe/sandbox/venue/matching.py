"""A match: what a taker's order and resting orders give each other, and how it is settled later.

A taker's order may meet orders for its own token (complementary), buy while others buy the other
outcome (a pair is minted) or sell while others sell the other outcome (a pair is merged). Who
rested gets his own price; what the taker pays is rounded up and what he gets down, by less than a
millionth of a pUSD, and the other side of that is who rested, or nobody else.

Nothing keeps a wallet from matching its own orders: no such rule of the venue is known.
"""

from __future__ import annotations

from msgspec import Struct

from polyframe.domain.units import ceil_div, money_divisor, taker_fee
from polyframe.exchanges.sim.orderbook import Fill
from polyframe.sandbox.venue.accounts import Wallet
from polyframe.sandbox.venue.floor import Floor
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import (
    BUY,
    PRICE_ONE,
    SELL,
    BookShown,
    MakerFill,
    Order,
    Trade,
    TradeTold,
)

DIVISOR = money_divisor(4, 6)


class Leg(Struct):
    """A resting order's part in a match."""

    order: Order
    wallet: Wallet
    fill: MakerFill


class Match(Struct):
    """All that one order matched at once: one transaction, settled or not settled as a whole."""

    market: Market
    order: Order
    wallet: Wallet
    legs: list[Leg]
    trades: list[Trade]
    money: int
    """what the taker pays (BUY) or gets (SELL), without the fee"""
    size: int
    fee: int
    at: int
    attempts: int = 0
    doomed: bool = False


class Priced(Struct):
    """What fills of one price come to, for the taker in his own token's price."""

    price: int
    yes_price: int
    size: int
    money: int
    fee: int
    fills: list[Fill]


def priced(market: Market, outcome: int, side: str, fills: list[Fill]) -> list[Priced]:
    """Fills by price, best first, each with the taker's fee.

    A fee is rounded half up and a sale of dust can bring less than that: it costs all it brings.

    Source: docs.polymarket.com/trading/fees: charged on each trade at its price.
    """
    fees = market.listing.fees
    found: list[Priced] = []
    for fill in fills:
        if not found or found[-1].yes_price != fill.price:
            own = PRICE_ONE - fill.price if outcome else fill.price
            found.append(Priced(own, fill.price, 0, 0, 0, []))
        last = found[-1]
        last.size += fill.size
        last.money += fill.money
        last.fills.append(fill)
    if fees.rate:
        for row in found:
            row.fee = taker_fee(row.price, row.size, fees.rate, fees.exponent, PRICE_ONE, DIVISOR)
            if side == SELL and row.fee > row.money:
                row.fee = row.money
    return found


def execute(
    floor: Floor, order: Order, wallet: Wallet, market: Market, rows: list[Priced]
) -> Match:
    """Takes what was priced out of the book and locks what it will move.

    The caller has freed what the taker's order held and knows that the wallet can pay.
    """
    now = floor.clock.now
    hash = floor.ids.hash("transaction")
    match = Match(market, order, wallet, [], [], 0, 0, 0, now)
    market.book.take([fill for row in rows for fill in row.fills])
    for bucket, row in enumerate(rows):
        legs = [_leg(floor, market, order, fill) for fill in row.fills]
        trade = Trade(
            floor.ids.uuid("trade"),
            hash,
            market.condition_id,
            order.token_id,
            order.outcome,
            order.side,
            row.price,
            row.size,
            row.money,
            row.fee,
            order.id,
            order.owner,
            order.maker,
            tuple([leg.fill for leg in legs]),
            now,
            now,
            bucket,
            builder=order.builder,
        )
        match.legs += legs
        match.trades.append(trade)
        match.money += row.money
        match.size += row.size
        match.fee += row.fee
        _matched(floor, market, order, trade, legs)
    order.matched += match.size
    floor.accounts.lock(wallet, order, match.money + match.fee, match.size)
    market.last_price = rows[-1].yes_price
    market.last_outcome = order.outcome
    market.last_side = order.side
    return match


def _leg(floor: Floor, market: Market, order: Order, fill: Fill) -> Leg:
    """A resting order's part: what it gives is no longer reserved, but locked."""
    maker = market.resting[fill.slot]
    wallet = floor.accounts.wallets[maker.maker.lower()]
    money = fill.money if maker.outcome == order.outcome else fill.size - fill.money
    maker.matched += fill.size
    floor.accounts.reserve(wallet, maker, needed(maker))
    floor.accounts.lock(wallet, maker, money, fill.size)
    made = MakerFill(
        maker.id,
        maker.owner,
        maker.maker,
        maker.token_id,
        maker.outcome,
        maker.side,
        maker.price,
        fill.size,
        money,
    )
    return Leg(maker, wallet, made)


def needed(order: Order) -> int:
    """What an open order must keep for what is left of it."""
    if order.side == SELL:
        return order.left
    return ceil_div(order.price * order.left, PRICE_ONE)


def _matched(floor: Floor, market: Market, order: Order, trade: Trade, legs: list[Leg]) -> None:
    """Books a trade with everybody who has a part in it, and tells it."""
    order.trades.append(trade.id)
    owners: set[str] = set()
    if order.signed:
        owners.add(order.owner)
    for leg in legs:
        maker = leg.order
        if maker.signed:
            owners.add(maker.owner)
            maker.trades.append(trade.id)
        if maker.left == 0:
            del market.resting[maker.slot]
            maker.slot = 0
            del leg.wallet.orders[maker.id]
            floor.ended(maker, "MATCHED")
        floor.tell_order("UPDATE", maker)
    for owner in sorted(owners):
        floor.remember(owner, trade)
    floor.outbox.append(TradeTold(trade.matched_at, trade, "MATCHED"))


def moved(floor: Floor, market: Market, order: Order, rows: list[Priced], rests: bool) -> None:
    """Tells the levels that a match changed."""
    buys = (order.side == BUY) == (order.outcome == 0)
    away = SELL if buys else BUY
    changes = [(away, row.yes_price) for row in rows]
    if rests:
        own = PRICE_ONE - order.price if order.outcome else order.price
        changes.append((BUY if buys else SELL, own))
    floor.tell_levels(market, changes)
    floor.outbox.append(BookShown(floor.clock.now, market.condition_id))


def own_tokens(trade: Trade, owner: str) -> set[str]:
    """The tokens of a key's own sides of a trade."""
    found = {fill.token_id for fill in trade.makers if fill.owner == owner}
    if trade.owner == owner:
        found.add(trade.token_id)
    return found
