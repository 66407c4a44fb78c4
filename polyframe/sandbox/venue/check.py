"""What the venue checks of an order before it looks at the book, and how it refuses.

Source: docs.polymarket.com/resources/error-codes and answers of the venue quoted in issues of
Polymarket/py-clob-client and /py-clob-client-v2. Where a text's wording is only known in part, its
known part stands unchanged.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from polyframe.domain.units import SECOND, ceil_div, format_units
from polyframe.sandbox.venue.accounts import Wallet
from polyframe.sandbox.venue.market import TICKS, Market
from polyframe.sandbox.venue.records import (
    BUY,
    PRICE_ONE,
    SELL,
    SHARE_ONE,
    Refused,
    SignedOrder,
    State,
)
from polyframe.sandbox.venue.settings import Settings

RESTING: Final = ("GTC", "GTD")
TYPES: Final = ("GTC", "GTD", "FOK", "FAK")
MOST_SIZE: Final = 400_000_000 * SHARE_ONE
"""shares or money of one order; greater products do not fit the book's 64 bits"""
CENT: Final = 10_000
"""amounts with two decimals are multiples of it"""

PAYLOAD: Final = Refused("Invalid order payload")
NOT_READY: Final = Refused("the market is not yet ready to process new orders")
EXPIRATION: Final = Refused("invalid expiration")
CROSSES: Final = Refused("invalid post-only order: order crosses book")
FOK_KILLED: Final = Refused(
    "order couldn't be fully filled. FOK orders are fully filled or killed."
)
FAK_KILLED: Final = Refused(
    "no orders found to match with FAK order. FAK orders are partially filled or killed if no "
    "match is found."
)


class Terms(NamedTuple):
    """What an order asks for, in the price of its own token."""

    price: int
    size: int
    budget: int
    """money that a FOK or FAK BUY may spend; -1 for any other order, which counts shares"""


def invalid(order_id: str, what: str) -> Refused:
    """The venue's refusal of an order by its id."""
    return Refused(f"order {order_id} is invalid. {what}")


def standing(market: Market, wallet: Wallet, order: SignedOrder) -> Refused | None:
    """Whether this wallet may trade in this market now."""
    if wallet.banned:
        return Refused(f"'{order.maker}' address banned")
    if wallet.closed_only and order.side == BUY:
        return Refused(f"'{order.maker}' address in closed only mode")
    if market.state is State.OPEN:
        return None
    if market.booked or market.state is State.LISTED:
        return NOT_READY
    return Refused(f"the orderbook {order.token_id} does not exist")


def form(
    order: SignedOrder, order_type: str, post_only: bool, now: int, settings: Settings
) -> Refused | None:
    """Whether side, type, expiration and amounts make sense beside each other."""
    if order.side not in {BUY, SELL} or order_type not in TYPES:
        return PAYLOAD
    if not (0 < order.maker_amount <= MOST_SIZE and 0 < order.taker_amount <= MOST_SIZE):
        return PAYLOAD
    if order_type == "GTD":
        if order.expiration < now // SECOND + settings.least_expiration:
            return EXPIRATION
    elif order.expiration != 0:
        return EXPIRATION
    if post_only and order_type not in RESTING:
        # UNSURE at the venue: its clients do not send such an order.
        return Refused("invalid post-only order: only GTC and GTD orders can be post-only")
    return None


def terms(order: SignedOrder, market: Market, order_type: str) -> Terms | Refused:
    """Price, size and budget of an order, or what is wrong with its amounts."""
    money, size = order.maker_amount, order.taker_amount
    if order.side == SELL:
        money, size = size, money
    tick = market.tick
    price = (2 * money * PRICE_ONE + size * tick) // (2 * size * tick) * tick
    off = abs(money * PRICE_ONE - price * size)
    resting = order_type in RESTING
    # Rounding a market order's shares to four decimals moves its price by as much as this. UNSURE
    # at the venue, which snaps by a rule of its own.
    if off * 20 > tick * size and (resting or off > price * 100):
        return invalid(
            order.hash,
            f"Price ({money / size!r}) breaks minimum tick size rule: {format_units(tick, 4)}",
        )
    if not tick <= price <= PRICE_ONE - tick:
        return invalid(
            order.hash,
            f"Price ({money / size!r}) breaks minimum tick size rule: {format_units(tick, 4)}",
        )
    refused = (
        _resting(order, money, size, price, market)
        if resting
        else _marketing(order, money, size, tick)
    )
    if refused is not None:
        return refused
    if not resting and order.side == BUY:
        return Terms(price, size, money)
    return Terms(price, size, -1)


def _marketing(order: SignedOrder, money: int, size: int, tick: int) -> Refused | None:
    """Decimals of a FOK or FAK order.

    A BUY gives whole cents for shares with four decimals. UNSURE for a SELL at fine ticks: what
    its clients send, decimals of amounts by tick, is taken.
    """
    if order.side == BUY:
        if money % CENT or size % 100:
            return Refused(
                "invalid amounts, the market buy orders maker amount supports a max accuracy of 2 "
                "decimals, taker amount a max of 4 decimals"
            )
        return None
    decimals = max(4, TICKS[tick][1])
    if size % CENT or money % 10 ** (6 - decimals):
        return Refused(
            "invalid amounts, the market sell orders maker amount supports a max accuracy of 2 "
            f"decimals, taker amount a max of {decimals} decimals"
        )
    return None


def _resting(
    order: SignedOrder, money: int, size: int, price: int, market: Market
) -> Refused | None:
    """Decimals, size and exactness of a GTC or GTD order."""
    decimals = TICKS[market.tick][0] + 2
    if size % CENT or money % 10 ** (6 - decimals):
        maker, taker = (decimals, 2) if order.side == BUY else (2, decimals)
        return Refused(
            f"invalid amounts, the {order.side.lower()} orders maker amount supports a max accuracy"
            f" of {maker} decimals, taker amount a max of {taker} decimals"
        )
    exact = price * size // PRICE_ONE
    if money != exact:
        which = "maker" if order.side == BUY else "taker"
        return Refused(
            f"invalid amounts, the {which} amount for a ${format_units(price, 4)} order of size "
            f"{format_units(size, 6)} should be '{format_units(exact, 6)}', got "
            f"'{format_units(money, 6)}'"
        )
    least = market.listing.min_size
    if size < least:
        return invalid(
            order.hash,
            f"Size ({format_units(size, 6)}) lower than the minimum: {format_units(least, 6)}",
        )
    return None


def marketable(terms: Terms, order: SignedOrder, settings: Settings) -> Refused | None:
    """Whether a BUY that matches at once is large enough."""
    amount = terms.budget if terms.budget >= 0 else ceil_div(terms.price * terms.size, PRICE_ONE)
    if order.side == SELL or amount >= settings.least_marketable:
        return None
    least = format_units(settings.least_marketable, 6)
    return Refused(
        f"invalid amount for a marketable BUY order (${format_units(amount, 6)}), "
        f"min size: ${least}"
    )


def funds(wallet: Wallet, side: str, token_id: str, needed: int) -> Refused | None:
    """Whether a wallet can pay: its balance less what open orders and matches will take.

    ``needed`` counts fees.
    """
    if side == BUY:
        free, balance = wallet.free(), wallet.money
        active, matched, allowance = wallet.active, wallet.matched, wallet.allowance
    else:
        free, balance = wallet.free_shares(token_id), wallet.shares.get(token_id, 0)
        active = wallet.active_shares.get(token_id, 0)
        matched = wallet.matched_shares.get(token_id, 0)
        allowance = needed if wallet.approved else 0
    if free >= needed <= allowance:
        return None
    said = "not enough balance / allowance: the "
    if free < needed:
        said += f"balance is not enough -> balance: {balance}, "
    else:
        said += f"allowance is not enough -> allowance: {allowance}, "
    if active or matched:
        said += f"sum of active orders: {active}, sum of matched orders: {matched}, "
        return Refused(f"{said}order amount (inc. fees): {needed}")
    return Refused(f"{said}order amount: {needed}")
