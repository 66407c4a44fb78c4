"""The session's numbers: int64 arrays, one row a ledger and a last row for the whole account.

Every change of cash or shares goes through ``domain.portfolio``'s ``book_*`` functions and is added
to the ledger's row and to the account's, so the account always is the sum of its ledgers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from polyframe.api.parts import unit_price
from polyframe.domain.forecast import CONFIDENCE, Forecast
from polyframe.domain.market import Market
from polyframe.domain.orders import Order, OrderState, Side, TimeInForce
from polyframe.domain.portfolio import Booked, Holding
from polyframe.domain.units import FEE_STEP, Money, Ns, Size, cost_of, payout_of, proceeds_of
from polyframe.engine.books import Books
from polyframe.engine.exit_rows import ExitRows
from polyframe.engine.tables import Tables
from polyframe.engine.universe import Universe
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import guards_nb as g
from polyframe.kernels import ledgers_nb, pace_nb, worst_nb
from polyframe.kernels import tables_nb as t

MILLION = 1_000_000
RESTING = (TimeInForce.GTC, TimeInForce.GTD)


class OpenOrder:
    """An own order that may still fill, with what it holds reserved."""

    __slots__ = (
        "basis",
        "cancelling",
        "filled",
        "if_no",
        "if_yes",
        "ledger",
        "market",
        "memory",
        "order",
        "reserved",
        "reserved_shares",
        "rests",
        "state",
        "token",
        "venue_id",
        "wanted",
        "working",
    )

    def __init__(self, order: Order, ledger: int, market: int, token: int) -> None:
        self.order = order
        self.ledger = ledger
        self.market = market
        self.token = token
        self.state = OrderState.PENDING
        self.filled: Size = 0
        self.working: Size = 0
        """size given to children, when this is a parent"""
        self.reserved: Money = 0
        self.reserved_shares: Size = 0
        self.if_yes: Money = 0
        self.if_no: Money = 0
        self.wanted: Size = order.size
        """what a quote asked for, when the door let only part of it through"""
        self.cancelling = False
        self.rests = order.tif in RESTING
        """may stand in the book (a parent never does, its children may)"""
        self.venue_id = ""
        self.basis = 0.0
        """what a share of a parent cost (or brought) at its limit when it was approved"""
        self.memory = b""
        """what the style of a parent remembers"""

    @property
    def remaining(self) -> Size:
        """What may still fill through this very order."""
        return self.order.size - self.filled - self.working


class State:
    """Cash, holdings, reservations and worst cases, and the counts the guards read."""

    def __init__(self, books: Books, ledgers: Sequence[str], cash: Sequence[Money]) -> None:
        self.books = books
        self.universe: Universe = books.universe
        self.ledgers = list(ledgers)
        self.ledger_index = {name: i for i, name in enumerate(ledgers)}
        self.account = len(ledgers)
        self.orders: dict[str, OpenOrder] = {}
        self.by_market: dict[int, dict[str, OpenOrder]] = {}
        self.listed: set[int] = set()
        """markets that exist by now: nothing shows the others"""
        self.tradable: set[int] = set()
        self.held: list[set[int]] = [set() for _ in ledgers]
        self.caught_up: Callable[[], None] = lambda: None
        """called before orders or holdings are listed: a compiled loop shows its own only then"""
        self.exits = ExitRows(books, len(ledgers))
        self.tables = Tables(self.universe, len(ledgers) + 1)
        tables = self.tables
        self.cash, self.reserved = tables.scalar(t.A_CASH), tables.scalar(t.A_RESERVED)
        self.day_start = tables.scalar(t.A_DAY_START)
        self.week_start = tables.scalar(t.A_WEEK_START)
        self.open_markets = tables.scalar(t.A_OPEN_MARKETS)
        self.marks = tables.marks
        self._equity = tables.marks[:, nb.E_NOW].data
        self.peak = tables.marks[:, nb.E_PEAK].data
        self._window()
        for ledger, amount in enumerate(cash):
            self.move_cash(ledger, amount)

    def grow(self) -> None:
        """Makes room for markets listed since."""
        self.tables.grow()
        self.exits.grow()
        self._window()

    def restore(self, saved: list[bytes]) -> None:
        """Takes saved tables; their markets are listed already."""
        self.tables.restore(saved)
        self._window()
        for ledger, held in enumerate(self.held):
            held.clear()
            held.update(int(token) for token in np.flatnonzero(self.tables.tokens[0, ledger]))

    def _window(self) -> None:
        """Quick access to the tables' rows: scalar reads give plain ints."""
        tokens, markets = self.tables.tokens, self.tables.markets
        self.shares, self.cost, self.realised, self.fees, self.reserved_shares, self._trip = (
            tokens[i].data
            for i in (t.T_SHARES, t.T_COST, t.T_REALISED, t.T_FEES, t.T_RESERVED, t.T_TRIP)
        )
        self.if_yes, self.if_no = markets[t.M_IF_YES].data, markets[t.M_IF_NO].data

    # ---- exposures ---------------------------------------------------------------------------

    def set_tradable(self, m: int, open: bool) -> None:
        """Says whether a market takes orders."""
        (self.tradable.add if open else self.tradable.discard)(m)
        self.tables.traits[m, t.K_TRADABLE] = 1 if open else 0

    def worst(self, ledger: int, group: str) -> Money:
        """The least that a ledger's positions and open orders in an event can be worth."""
        members, kind = self.universe.members(group)
        markets = self.tables.markets
        return int(
            worst_nb.worst(markets[t.M_IF_YES, ledger], markets[t.M_IF_NO, ledger], members, kind)
        )

    def reduces(self, ledger: int, m: int, yes: Money, no: Money) -> bool:
        """True when one more order's losses in a market leave its event's worst case alone."""
        tables = self.tables
        return bool(
            ledgers_nb.reduces(
                tables.markets, tables.groups, tables.members, ledger, self.universe.event_of[m], m,
                yes, no,
            )
        )  # fmt: skip

    def at_risk_market(self, ledger: int, market: int) -> Money:
        """The most that can still be lost in one market, open orders included."""
        markets = self.tables.markets
        cost = markets[t.M_COST_YES, ledger, market] + markets[t.M_COST_NO, ledger, market]
        return int(cost - min(self.if_yes[ledger, market], self.if_no[ledger, market]))

    def at_risk_group(self, ledger: int, group: str) -> Money:
        """The most that can still be lost in one event, open orders included."""
        return int(self.tables.events[ledger, self.universe.event_index[group]])

    def totals(self, row: int) -> Holding:
        """Shares, cost, realised and fees of a ledger (or the account) over all tokens."""
        sums = self.tables.tokens[:4, row].sum(axis=1)
        return Holding(*(int(n) for n in sums))

    # ---- holdings ------------------------------------------------------------------------

    def holding(self, ledger: int, token: int) -> Holding:
        """What a ledger holds of a token."""
        return Holding(
            self.shares[ledger, token],
            self.cost[ledger, token],
            self.realised[ledger, token],
            self.fees[ledger, token],
        )

    def book(self, ledger: int, token: int, booked: Booked, executed: Ns = 0) -> Money | None:
        """Writes an entry into the ledger and into the account.

        ``executed`` is when it happened at the venue. Returns what the trip earned, after fees,
        when the entry brought the holding back to zero.
        """
        before, after = self.holding(ledger, token), booked.holding
        universe = self.universe
        m = universe.token_market[token]
        market, bought = universe.markets[m], after.shares - before.shares
        worth = 0
        if market.binary and bought:
            worth = payout_of(1_000_000, abs(bought), market.size_decimals)
        ledgers_nb.book(
            *self.tables.arrays, ledger, token, m, universe.token_outcome[token], bought,
            after.cost - before.cost, after.realised - before.realised, after.fees - before.fees,
            booked.cash, worth if bought > 0 else -worth,
        )  # fmt: skip
        if (before.shares == 0) != (after.shares == 0):
            (self.held[ledger].discard if after.shares == 0 else self.held[ledger].add)(token)
        self._equity[ledger] += booked.cash
        self._equity[self.account] += booked.cash
        self.exits.booked(ledger, token, before.shares, after, executed)
        self._rebase(ledger)
        self.revalue(m)
        if before.shares == 0 or after.shares != 0:
            return None
        earned: Money = after.realised - after.fees - self._trip[ledger, token]
        return earned

    def move_cash(self, ledger: int, amount: Money) -> None:
        """Adds to (or takes from) a ledger's cash and the account's."""
        for row in (ledger, self.account):
            self.cash[row] += amount
            self._equity[row] += amount
        self._rebase(ledger)

    def _rebase(self, ledger: int) -> None:
        if self.exits.recovers(ledger):
            self.exits.rebase(ledger, self.cash[ledger], self.totals(ledger).cost)

    def revalue(self, m: int) -> None:
        """Values the shares of a market anew, at what they could be sold for."""
        tables = self.tables
        nb.revalue_all(self.books.rows, m, tables.tokens, tables.value, tables.marks)

    def worth(self, ledger: int, token: int) -> Money:
        """What a ledger's shares of a token could be sold for at the last trustworthy bid."""
        return int(self.tables.value[ledger, token])

    def equity_of(self, ledger: int) -> Money:
        """Cash plus shares at the bid, of one ledger or of the account."""
        return int(self._equity[ledger])

    # ---- reservations --------------------------------------------------------------------

    def losses(self, token: int, side: Side, price: int, size: Size) -> tuple[Money, Money]:
        """What an order could make worse if it filled, should its market resolve YES or NO."""
        return self._needs(token, side, price, size)[1:]

    def _needs(self, token: int, side: Side, price: int, size: Size) -> tuple[Money, Money, Money]:
        """The cash an order holds, and its losses should its market resolve YES or NO."""
        if size <= 0:
            return 0, 0, 0
        market = self.universe.markets[self.universe.token_market[token]]
        fee = market.taker_fee(price, size) + self.slack(market)
        worth = payout_of(1_000_000, size, market.size_decimals) if market.binary else 0
        yes, no = (worth, 0) if self.universe.token_outcome[token] == 0 else (0, worth)
        if side == Side.BUY:
            paid = cost_of(price, size, market.divisor) + fee
            return paid, min(0, yes - paid), min(0, no - paid)
        if not market.binary:
            return 0, 0, 0
        received = proceeds_of(price, size, market.divisor) - fee
        return 0, min(0, received - yes), min(0, received - no)

    @staticmethod
    def slack(market: Market) -> Money:
        """What rounding may add when an order fills in parts."""
        return FEE_STEP + 1 if market.fee is not None and market.fee.rate else 1

    def reserve(self, open_order: OpenOrder, entries: int = 0) -> None:
        """Sets an order's reservation to what its remaining size needs.

        ``entries`` is 1 when it opens and -1 when it ends.
        """
        order, o = open_order.order, open_order
        size = max(o.remaining, 0)
        # What a child does not use goes back to its parent at the parent's price: it must fit then.
        parent = self.orders.get(order.parent) if order.parent else None
        price = order.price if parent is None else parent.order.price
        cash, yes, no = self._needs(o.token, order.side, price, size)
        buys = order.side == Side.BUY
        shares = 0 if buys else size
        ledgers_nb.reserve(
            *self.tables.arrays, o.ledger, o.token, o.market,
            self.universe.token_outcome[o.token], cash - o.reserved, shares - o.reserved_shares,
            yes - o.if_yes, no - o.if_no, entries if buys else 0,
        )  # fmt: skip
        o.reserved, o.reserved_shares, o.if_yes, o.if_no = cash, shares, yes, no

    # ---- forecasts ---------------------------------------------------------------------------

    def relies(self, ledger: int, m: int) -> bool:
        """True when a ledger has asked for a forecast of a market."""
        return bool(self.tables.markets[t.M_ASKED, ledger, m])

    def rely(self, ledger: int, m: int) -> None:
        """A ledger asks for a forecast of a market."""
        self.tables.markets[t.M_ASKED, ledger, m] = 1

    def believe(self, forecast: Forecast) -> None:
        """Takes the newest forecast of a market."""
        traits = self.tables.traits[self.universe.market_index[forecast.market]]
        said, quality = forecast.confidence.upper(), forecast.evidence_quality
        traits[t.K_FORECAST] = math.floor(forecast.probability * MILLION)
        traits[t.K_CONFIDENCE] = CONFIDENCE.index(said) if said in CONFIDENCE else g.MISSING
        traits[t.K_EVIDENCE] = g.MISSING if quality is None else math.floor(quality * MILLION)

    # ---- pace --------------------------------------------------------------------------------

    def count_sent(self, ledger: int, order: Order, divisor: int) -> None:
        """An order goes to the venue."""
        tables = self.tables
        pace_nb.sent(
            tables.account, tables.pace, ledger, order.ts,
            cost_of(order.price, order.size, divisor),
        )  # fmt: skip

    def count(self, column: int, ledger: int) -> None:
        """One more fill or cancel today."""
        for row in (ledger, self.account):
            self.tables.account[column, row] += 1

    def open(self, open_order: OpenOrder) -> None:
        """Registers an approved order and reserves for it."""
        order = open_order.order
        if order.style:
            market = self.universe.markets[open_order.market]
            open_order.basis = unit_price(market, order.side, order.price)
        self.register(open_order)
        self.reserve(open_order, 1)

    def register(self, open_order: OpenOrder) -> None:
        """Knows an order from now on."""
        self.orders[open_order.order.id] = open_order
        self.by_market.setdefault(open_order.market, {})[open_order.order.id] = open_order

    def close(self, open_order: OpenOrder) -> None:
        """Forgets an order that cannot fill any more and frees what it held."""
        open_order.filled = open_order.order.size - open_order.working
        self.reserve(open_order, -1)
        del self.orders[open_order.order.id]
        del self.by_market[open_order.market][open_order.order.id]
