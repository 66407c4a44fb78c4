"""What a guard that denies or shrinks says: its rule, then what ran into it.

The rule stands before the semicolon: it is the same for every order under the same limits, so
reports count by it. Built only when a guard rules against an order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from numpy.typing import NDArray

from polyframe.domain.market import Market
from polyframe.domain.units import DAY, HOUR, MINUTE, SECOND, Size
from polyframe.kernels import guards_nb as g

SEPARATOR = "; "
"""parts the rule from what was found"""
OUT_OF_RANGE = "price or size is out of the venue's range"
_FAR = 1 << 62
LEVELS = ("low", "medium", "high")


class Found:
    """One review: the order, the row that bound, its limits and the market."""

    def __init__(
        self,
        order: NDArray,  # type: ignore[type-arg]
        state: NDArray,  # type: ignore[type-arg]
        limits: NDArray,  # type: ignore[type-arg]
        market: Market,
        halted: str = "",
    ) -> None:
        self.order, self.state, self.limits = order, state, limits
        self.market = market
        self.halted = halted
        """why trading is halted here, empty when it is not"""

    # ---- numbers as text -------------------------------------------------------------------

    def money(self, column: int) -> str:
        """A number of the state as money."""
        return _known(int(self.state[column]), _money)

    def limit(self, column: int) -> str:
        """A limit as money."""
        return _known(int(self.limits[column]), _money)

    def percent(self, column: int) -> str:
        """A limit as a percentage."""
        return _known(int(self.limits[column]), _percent)

    def cap(self, column: int) -> str:
        """A limit that is a part of equity, as a percentage and as money."""
        return self._cap(int(self.limits[column]), int(self.state[g.S_EQUITY]))

    def _cap(self, part: int, whole: int) -> str:
        if g.MISSING in (part, whole):
            return _known(part, _percent)
        return f"{_percent(part)} ({_money(g.share_of(whole, part))})"

    def count(self, column: int) -> str:
        """A number of the state as a count."""
        return _known(int(self.state[column]), str)

    def price(self, column: int) -> str:
        """A price of the state."""
        return _known(int(self.state[column]), self.market.show_price)

    @property
    def asked(self) -> str:
        """What the order costs, or brings."""
        return _money(abs(int(self.order[g.O_COST])))


def because(guard: str, case: Found) -> str:
    """Why a guard ruled as it did: ``rule; what was found``."""
    rule, found = REASONS[guard](case)
    return f"{rule}{SEPARATOR}{found}" if found else rule


def rule_of(reason: str) -> str:
    """The part of a reason that does not change from order to order."""
    return reason.split(SEPARATOR, 1)[0]


def least_rule(market: Market, least: Size) -> str:
    """The rule against an order of which the guards left less than the venue takes."""
    return f"an order of at least {market.show_size(least)} shares"


# ---- units ---------------------------------------------------------------------------------------


def _known(value: int, show: Callable[[int], str]) -> str:
    return "unknown" if value == g.MISSING else show(value)


def _money(units: int) -> str:
    sign = "-" if units < 0 else ""
    whole, part = divmod(abs(units), 1_000_000)
    # A part of a cent is shown: "at most 50.00, 50.00 is there" would explain nothing.
    text = f"{part:06d}".rstrip("0").ljust(2, "0")
    return f"{sign}{whole:,}.{text}"


def _percent(millionths: int) -> str:
    return f"{millionths / 10_000:.10g} %"


def _fraction(millionths: int) -> str:
    return f"{millionths / 1_000_000:.10g}"


def _time(ns: int) -> str:
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if abs(ns) >= 2 * unit:
            return f"{ns / unit:.4g} {name}"
    return f"{ns / SECOND:.4g} s"


def _moment(ns: int) -> str:
    if not 0 < ns < _FAR:
        return "unknown"
    return f"{datetime.fromtimestamp(ns // SECOND, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _some(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{_known(count, str)} {what}s"


def _level(level: int) -> str:
    return LEVELS[level] if 0 <= level < len(LEVELS) else str(level)


# ---- one function a guard: (rule, what was found) ------------------------------------------------

Reason = tuple[str, str]


def _kill_switch(c: Found) -> Reason:
    rule = "the kill switch is latched" if c.state[g.S_KILLED] else "trading is halted"
    return (f"{rule}: {c.halted}" if c.halted else rule), ""


def _fallen(c: Found, start: int) -> str:
    before, now = int(c.state[start]), int(c.state[g.S_EQUITY])
    if g.MISSING in (before, now):
        return "equity is unknown"
    part = f", {_percent((before - now) * 1_000_000 // before)}" if before > 0 else ""
    return f"equity fell by {_money(before - now)}{part} to {_money(now)}"


def _drawdown_heat(c: Found) -> Reason:
    keep, at = 1_000_000, 0
    peak, equity = int(c.state[g.S_PEAK_EQUITY]), int(c.state[g.S_EQUITY])
    if g.MISSING in (peak, equity):
        return "a smaller stake in drawdown", "equity is unknown"
    steps = (
        (g.L_HEAT_FROM_1, g.L_HEAT_KEEP_1),
        (g.L_HEAT_FROM_2, g.L_HEAT_KEEP_2),
        (g.L_HEAT_FROM_3, g.L_HEAT_KEEP_3),
    )
    for start, part in steps:
        if peak - equity >= g.share_of(peak, int(c.limits[start])):
            at, keep = int(c.limits[start]), int(c.limits[part])
    most = g.share_of(int(c.limits[g.L_MAX_STAKE]), keep)
    rule = f"from {_percent(at)} below the peak at most {_money(most)} at risk in one market"
    return rule, f"{c.money(g.S_MARKET_AT_RISK)} now, {_fallen(c, g.S_PEAK_EQUITY)}"


def _spread(c: Found) -> Reason:
    bid, ask = c.price(g.S_BID), c.price(g.S_ASK)
    return f"bid and ask at most {_fraction(int(c.limits[g.L_SPREAD]))} apart", f"{bid} and {ask}"


def _forecast_of(c: Found) -> str:
    return _known(int(c.state[g.S_FORECAST]), _percent)


def _edge_direction(c: Found) -> Reason:
    rule = "only on the side that is believed"
    o = c.order
    stated, edge = int(o[g.O_PROBABILITY]), int(o[g.O_EDGE])
    price = c.market.show_price(int(o[g.O_PRICE]))
    if g.MISSING == stated == edge:
        return rule, "neither a probability nor an edge is stated"
    if edge not in (g.MISSING,) and edge <= 0:
        return rule, f"the stated edge is {_fraction(edge)}"
    side = int(o[g.O_SIDE])
    one = int(o[g.O_ONE])
    if stated != g.MISSING and (stated * one - int(o[g.O_PRICE]) * 1_000_000) * side <= 0:
        return rule, f"stated is {_percent(stated)}, the price {price}"
    return rule, f"the newest forecast is {_forecast_of(c)}, the price {price}"


def _timeline(c: Found) -> Reason:
    last, first = int(c.limits[g.L_TIMELINE_LAST]), int(c.limits[g.L_TIMELINE_FIRST])
    closes = int(c.state[g.S_CLOSES])
    if closes == g.MISSING or closes <= 0:
        return "the market's close must be known", "it is not"
    left = closes - int(c.order[g.O_TS])
    if left < last:
        rule = f"no entry in the last {_known(last, _time)} before the close"
    else:
        rule = f"no entry earlier than {_known(first, _time)} before the close"
    return rule, f"it closes at {_moment(closes)}, in {_time(left)}"


def _category(c: Found) -> Reason:
    part = int(c.state[g.S_CATEGORY_CAP])
    part = int(c.limits[g.L_CATEGORY]) if part == g.MISSING else part
    rule = f"at most {_known(part, _percent)} of equity at risk in category {c.market.category}"
    return rule, f"{c.money(g.S_CATEGORY_AT_RISK)} of {_of_equity(c, part)} now"


def _of_equity(c: Found, part: int) -> str:
    equity = int(c.state[g.S_EQUITY])
    return "unknown" if g.MISSING in (part, equity) else _money(g.share_of(equity, part))


def _share(what: str, column: int, limit: int) -> Callable[[Found], Reason]:
    def reason(c: Found) -> Reason:
        part = int(c.limits[limit])
        rule = f"at most {c.percent(limit)} of equity {what}"
        return rule, f"{c.money(column)} of {_of_equity(c, part)} now"

    return reason


def _symbol(c: Found) -> Reason:
    rows = (
        (g.S_MARKET_NET, g.L_SYMBOL_NET, "net in one market"),
        (g.S_MARKET_GROSS, g.L_SYMBOL_GROSS, "gross in one market"),
        (g.S_TOTAL_NET, g.L_SYMBOL_TOTAL_NET, "net over all markets"),
    )

    def left(row: tuple[int, int, str]) -> int:
        used, part, equity = (
            int(c.state[row[0]]), int(c.limits[row[1]]), int(c.state[g.S_EQUITY]),
        )  # fmt: skip
        if g.MISSING in (used, part, equity):
            return g.MISSING
        return int(g.share_of(equity, part)) - max(used, 0)

    column, limit, what = min(rows, key=left)
    return _share(what, column, limit)(c)


def _order_size(c: Found) -> Reason:
    quote = int(c.order[g.O_KIND]) == g.QUOTE
    limit = g.L_QUOTE_SIZE if quote else g.L_ORDER_SIZE
    rule = f"{'a quote' if quote else 'an order'} for at most {c.percent(limit)} of equity"
    return rule, f"this one is for {c.asked} of {_of_equity(c, int(c.limits[limit]))}"


def _order_rate(c: Found) -> Reason:
    second = int(c.limits[g.L_ORDERS_SECOND])
    if int(c.state[g.S_ORDERS_SECOND]) >= second:
        return (
            f"at most {_some(second, 'order')} a second",
            f"{c.count(g.S_ORDERS_SECOND)} went out",
        )
    minute = int(c.limits[g.L_ORDERS_MINUTE])
    return f"at most {_some(minute, 'order')} a minute", f"{c.count(g.S_ORDERS_MINUTE)} went out"


def _daily_volume(c: Found) -> Reason:
    start, part = int(c.state[g.S_DAY_START_EQUITY]), int(c.limits[g.L_DAILY_VOLUME])
    most = "unknown" if g.MISSING in (start, part) else _money(g.share_of(start, part))
    rule = f"orders of a day for at most {_known(part, _fraction)} times the equity at its start"
    return rule, f"{c.money(g.S_VOLUME_DAY)} of {most} went out"


def _locked(rule: str, column: int) -> Callable[[Found], Reason]:
    return lambda c: (rule, f"locked until {_moment(int(c.state[column]))}")


def _price_band(c: Found) -> Reason:
    low, high = int(c.limits[g.L_PRICE_LOW]), int(c.limits[g.L_PRICE_HIGH])
    price = int(c.order[g.O_PRICE])
    shown = c.market.show_price(price)
    if not low * c.market.price_one <= price * 1_000_000 <= high * c.market.price_one:
        return f"prices from {_fraction(low)} to {_fraction(high)}", f"this one is {shown}"
    away = _fraction(int(c.limits[g.L_PRICE_AWAY]))
    other = g.S_ASK if c.order[g.O_SIDE] > 0 else g.S_BID
    return f"at most {away} beyond the other side's best", f"{shown} against {c.price(other)}"


def _venue_rules(c: Found) -> Reason:
    o, market, show = c.order, c.market, c.market.show_price
    price, tick = int(o[g.O_PRICE]), int(o[g.O_TICK])
    if not c.state[g.S_TRADABLE]:
        return "the market does not trade", ""
    if price % tick:
        return "a price on the tick", f"{show(price)} with tick {show(tick)}"
    if not tick <= price <= int(o[g.O_MAX_PRICE]) - tick:
        most = show(int(o[g.O_MAX_PRICE]) - tick)
        return f"a price from {show(tick)} to {most}", show(price)
    own = int(c.state[g.S_OWN_ASK] if o[g.O_SIDE] > 0 else c.state[g.S_OWN_BID])
    if own and (price - own) * int(o[g.O_SIDE]) >= 0:
        return "no trade with an own order", f"{show(price)} meets one at {show(own)}"
    least = market.show_size(int(o[g.O_MIN_SIZE]))
    lot = market.show_size(int(o[g.O_LOT]))
    rule = f"whole lots of {lot} shares, at least {least}"
    return rule, f"{market.show_size(int(o[g.O_SIZE]))} asked"


def _balance(c: Found) -> Reason:
    if c.order[g.O_SIDE] > 0:
        return "cash for a purchase", f"{c.money(g.S_CASH_FREE)} is free, {c.asked} needed"
    free = c.market.show_size(int(c.state[g.S_SHARES_FREE]))
    return "own shares for a sale", f"{free} are free"


REASONS: Mapping[str, Callable[[Found], Reason]] = {
    "kill_switch": _kill_switch,
    "drawdown_kill": lambda c: (
        f"stop at {c.percent(g.L_DRAWDOWN_KILL)} below the peak", _fallen(c, g.S_PEAK_EQUITY)
    ),
    "drawdown_heat": _drawdown_heat,
    "max_stake": lambda c: (
        f"at most {c.limit(g.L_MAX_STAKE)} at risk in one market",
        f"{c.money(g.S_MARKET_AT_RISK)} now",
    ),
    "daily_loss": lambda c: (
        f"stop at a loss of {c.limit(g.L_DAILY_LOSS)} in a day", _fallen(c, g.S_DAY_START_EQUITY)
    ),
    "weekly_loss": lambda c: (
        f"stop at a loss of {c.limit(g.L_WEEKLY_LOSS)} in a week",
        _fallen(c, g.S_WEEK_START_EQUITY),
    ),
    "open_positions": lambda c: (
        f"at most {_some(int(c.limits[g.L_OPEN_POSITIONS]), 'market')} in play",
        f"{c.count(g.S_OPEN_MARKETS)} now",
    ),
    "min_edge": lambda c: (
        f"an edge of at least {_fraction(int(c.limits[g.L_MIN_EDGE]))} a share",
        f"stated is {_known(int(c.order[g.O_EDGE]), _fraction)}"
        if c.order[g.O_EDGE] != g.MISSING
        else "none is stated",
    ),
    "liquidity": lambda c: (
        f"liquidity of at least {c.limit(g.L_LIQUIDITY)}", f"it is {c.money(g.S_LIQUIDITY)}"
    ),
    "spread": _spread,
    "evidence": lambda c: (
        f"evidence of quality {_fraction(int(c.limits[g.L_EVIDENCE]))} or better",
        f"it is {_known(int(c.state[g.S_EVIDENCE]), _fraction)}",
    ),
    "confidence": lambda c: (
        f"a forecast of {_level(int(c.limits[g.L_CONFIDENCE]))} confidence or better",
        f"it is {_known(int(c.state[g.S_CONFIDENCE]), _level)}",
    ),
    "implied_probability": lambda c: (
        f"a price of at least {_fraction(int(c.limits[g.L_IMPLIED_PROBABILITY]))}",
        f"it is {c.market.show_price(int(c.order[g.O_PRICE]))}",
    ),
    "edge_direction": _edge_direction,
    "market_type": lambda c: (f"no market of category {c.market.category}", ""),
    "portfolio": _share("at risk over all events", g.S_TOTAL_AT_RISK, g.L_PORTFOLIO),
    "timeline": _timeline,
    "category": _category,
    "event": _share("at risk in one event", g.S_GROUP_AT_RISK, g.L_EVENT),
    "correlation": lambda c: (
        f"at most {_some(int(c.limits[g.L_CORRELATED]), 'market')} that move together",
        f"{c.count(g.S_CORRELATED)} others now",
    ),
    "symbol": _symbol,
    "order_size": _order_size,
    "order_rate": _order_rate,
    "daily_volume": _daily_volume,
    "cancel_ratio": lambda c: (
        f"fewer than {int(c.limits[g.L_CANCEL_RATIO])} cancels an order filled",
        f"{c.count(g.S_CANCELS_DAY)} cancels, {c.count(g.S_FILLS_DAY)} fills today",
    ),
    "stoploss_guard": _locked("no entry after a row of stop-losses", g.S_LOCK_STOPLOSS),
    "cooldown": _locked("no entry soon after a position was closed", g.S_LOCK_COOLDOWN),
    "low_profit": _locked("no entry in a market that did not pay", g.S_LOCK_LOW_PROFIT),
    "max_drawdown": _locked("no entry after trades drew down too far", g.S_LOCK_DRAWDOWN),
    "price_band": _price_band,
    "venue_rules": _venue_rules,
    "balance": _balance,
    "trusted_book": lambda _: ("a book that can be believed", "it is stale, crossed or a gap"),
}  # fmt: skip
"""Every guard's words. A guard without words would be a KeyError: a test compares with GUARDS."""
