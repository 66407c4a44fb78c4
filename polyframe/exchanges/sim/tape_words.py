"""What the simulated venue says about orders over a tape, in the venue's own words where known.

Source: rejection texts of Polymarket's order endpoint.
"""

from __future__ import annotations

from polyframe.domain.market import Market
from polyframe.domain.orders import Order
from polyframe.domain.units import cost_of, format_units
from polyframe.kernels import l2columns_nb as c

CANCELLED = {
    c.BY_REQUEST: "cancelled",
    c.MARKET_CLOSED: "market closed",
    c.NOT_FILLED_WHOLE: "order couldn't be fully filled. FOK orders are fully filled or killed.",
    c.OUT_OF_LIMIT: "killed: limit",
    c.EMPTY_BOOK: "no quote",
    c.UNTRUSTED: "no quote: the recorded book is not to be trusted here",
    c.TICK_CHANGED: "the tick size changed: the price is no multiple of the new one",
    c.LESS_THAN_A_LOT: "killed: less than one lot",
    c.UNKNOWN_ORDER: "already canceled or matched",
}
"""Why an order that the venue had taken ended, or could not be cancelled."""
REFUSED = {
    c.CROSSES: "invalid post-only order: order crosses book",
    c.SELF_TRADE: "order crosses an own order: the venue refuses the newer one",
    c.MARKET_CLOSED: "market closed: it does not accept orders",
    c.BAD_EXPIRY: "invalid expiration",
    c.BAD_POST_ONLY: "invalid post-only order: only GTC and GTD orders can be post-only",
}


def cancelled(why: int) -> str:
    """Why an order ended."""
    return CANCELLED[why]


def refused(why: int, order: Order, market: Market) -> str:
    """Why an order was not taken."""
    if why in REFUSED:
        return REFUSED[why]
    if why == c.BAD_PRICE:
        price, tick = market.show_price(order.price), market.show_price(market.tick)
        return f"order {order.id} is invalid. Price ({price}) breaks minimum tick size rule: {tick}"
    if why == c.BAD_SIZE:
        size, least = market.show_size(order.size), market.show_size(market.min_size)
        return f"order {order.id} is invalid. Size ({size}) lower than the minimum: {least}"
    worth = format_units(cost_of(order.price, order.size, market.divisor), 6)
    return f"invalid amount for a marketable BUY order (${worth}), min size: $1"
