"""Why the venue refuses an order, in the venue's own words.

Source: rejection texts of Polymarket's order endpoint; min size: its order-book documentation.
"""

from __future__ import annotations

from polyframe.domain.market import LEAST_TAKEN, Market
from polyframe.domain.orders import ApprovedOrder, Order, Seal, Side, TimeInForce
from polyframe.domain.units import Ns, cost_of, floor_to, format_units
from polyframe.errors import InvariantError
from polyframe.exchanges.sim.depth import Rows


def proven(approved: ApprovedOrder, seal: Seal) -> Order:
    """An order that the session's own risk door approved.

    Raises:
        InvariantError: it bears no seal of this session.
    """
    if not isinstance(approved, ApprovedOrder) or not approved.sealed_by(seal):
        raise InvariantError(
            "an order reached the broker without this session's seal",
            expected="an order approved by the engine's risk door",
        )
    return approved.order


def refusal(
    order: Order, rows: Rows | None, index: int | None, ts: Ns, *, needs_row: bool
) -> str | None:
    """The reason why an order arriving at ``ts`` is refused, None when it is taken.

    ``needs_row`` says that the order cannot do anything unless a price is recorded later.
    """
    if rows is None:
        return "market not found"
    if index is None:
        return f"order book does not exist for token {order.token}"
    if rows.ends is not None and ts >= rows.ends:
        return "market closed: it does not accept orders"
    if needs_row and rows.first_at(ts) >= rows.stop:
        return "market closed: no recorded price after the order's arrival"
    resting = order.tif in (TimeInForce.GTC, TimeInForce.GTD)
    if resting and order.expires and order.expires <= ts:
        return "invalid expiration"
    if order.tif is TimeInForce.GTD and not order.expires:
        return "invalid expiration"
    if order.post_only and not resting:
        return "invalid post-only order: only GTC and GTD orders can be post-only"
    return _price_refusal(order, rows.market) or _size_refusal(order, rows.market, resting)


def _price_refusal(order: Order, market: Market) -> str | None:
    price, tick = market.show_price(order.price), market.show_price(market.tick)
    if not market.tick <= order.price <= market.price_one - market.tick:
        top = market.show_price(market.price_one - market.tick)
        return f"order {order.id} is invalid. Price ({price}) must lie between {tick} and {top}"
    if order.price % market.tick:
        return f"order {order.id} is invalid. Price ({price}) breaks minimum tick size rule: {tick}"
    return None


def _size_refusal(order: Order, market: Market, resting: bool) -> str | None:
    size = floor_to(order.size, market.lot)
    # The venue's minimum does not bind a sale at the market: a small rest can always be sold.
    if size < market.min_size and (resting or order.side is Side.BUY or size <= 0):
        least = market.show_size(market.min_size)
        shown = market.show_size(order.size)
        return f"order {order.id} is invalid. Size ({shown}) lower than the minimum: {least}"
    if not resting and order.side is Side.BUY:
        amount = cost_of(order.price, size, market.divisor)
        if amount < LEAST_TAKEN:
            shown = format_units(amount, 6)
            return f"invalid amount for a marketable BUY order (${shown}), min size: $1"
    return None
