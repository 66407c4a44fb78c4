"""The session's numbers: int64 arrays, one row a ledger and a last row for the whole account.

Every change of cash or shares goes through ``domain.portfolio``'s ``book_*`` functions and is added
to the ledger's row and to the account's, so the account always is the sum of its ledgers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import Market
from polyframe.domain.orders import Order, OrderState, Side, TimeInForce
from polyframe.domain.portfolio import Booked, Holding
from polyframe.domain.units import FEE_STEP, Money, Size, cost_of, payout_of, proceeds_of
from polyframe.engine.books import Books
from polyframe.engine.universe import Universe
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import worst_nb

RESTING = (TimeInForce.GTC, TimeInForce.GTD)


class OpenOrder:
    """An own order that may still fill, with what it holds reserved."""

    __slots__ = (
        "cancelling",
        "filled",
        "if_no",
        "if_yes",
        "ledger",
        "market",
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

    @property
    def remaining(self) -> Size:
        """What may still fill through this very order."""
        return self.order.size - self.filled - self.working


class State:
    """Cash, holdings, reservations and worst cases."""

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
        self.marks: NDArray[np.int64] = np.zeros(nb.E_SIZE_OF, dtype=np.int64)
        self.marks[nb.E_FLOOR] = np.iinfo(np.int64).min
        rows = len(ledgers) + 1
        self._scalars = np.zeros((5, rows), dtype=np.int64)
        self.cash, self.reserved, self.day_start, self.peak, self.open_markets = (
            row.data for row in self._scalars
        )
        self._tokens = np.zeros((5, rows, 0), dtype=np.int64)
        self._markets = np.zeros((3, rows, 0), dtype=np.int64)
        self.value = np.zeros(0, dtype=np.int64)
        self.grow()
        for ledger, amount in enumerate(cash):
            self.move_cash(ledger, amount)

    def grow(self) -> None:
        """Makes room for markets listed since."""
        rows = len(self.ledgers) + 1
        tokens, markets = len(self.universe.token_market), len(self.universe.markets)
        wider = np.zeros((5, rows, tokens), dtype=np.int64)
        wider[:, :, : self._tokens.shape[2]] = self._tokens
        self._tokens = wider
        self.shares, self.cost, self.realised, self.fees, self.reserved_shares = (
            a.data for a in wider
        )
        more = np.zeros((3, rows, markets), dtype=np.int64)
        more[:, :, : self._markets.shape[2]] = self._markets
        self._markets = more
        self.if_yes, self.if_no, self.exposed = (a.data for a in more)
        self.value = np.concatenate(
            [self.value, np.zeros(tokens - len(self.value), dtype=np.int64)]
        )

    # ---- arrays for the kernels ------------------------------------------------------------

    @property
    def account_shares(self) -> NDArray[np.int64]:
        """Shares of the whole account by token."""
        shares: NDArray[np.int64] = self._tokens[0, self.account]
        return shares

    def worst(self, ledger: int, group: str) -> Money:
        """The least that a ledger's positions and open orders in an event can be worth."""
        members, kind = self.universe.members(group)
        return int(
            worst_nb.worst(self._markets[0, ledger], self._markets[1, ledger], members, kind)
        )

    def worst_with(self, ledger: int, group: str, market: int, yes: Money, no: Money) -> Money:
        """The same with one more order's losses in a market."""
        self.if_yes[ledger, market] += yes
        self.if_no[ledger, market] += no
        least = self.worst(ledger, group)
        self.if_yes[ledger, market] -= yes
        self.if_no[ledger, market] -= no
        return least

    def cost_in(self, ledger: int, market: int) -> Money:
        """What a ledger's shares of a market cost."""
        first = self.universe.offset[market]
        row: Money = 0
        for t in range(first, first + len(self.universe.markets[market].tokens)):
            row += self.cost[ledger, t]
        return row

    def at_risk_market(self, ledger: int, market: int) -> Money:
        """The most that can still be lost in one market, open orders included."""
        least = min(self.if_yes[ledger, market], self.if_no[ledger, market])
        return self.cost_in(ledger, market) - least

    def at_risk_group(self, ledger: int, group: str) -> Money:
        """The most that can still be lost in one event, open orders included."""
        members, _ = self.universe.members(group)
        cost = sum(self.cost_in(ledger, int(m)) for m in members)
        return cost - self.worst(ledger, group)

    def totals(self, row: int) -> Holding:
        """Shares, cost, realised and fees of a ledger (or the account) over all tokens."""
        sums = self._tokens[:4, row].sum(axis=1)
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

    def book(self, ledger: int, token: int, booked: Booked) -> None:
        """Writes an entry into the ledger and into the account."""
        before, after = self.holding(ledger, token), booked.holding
        account = self.account
        self.shares[account, token] += after.shares - before.shares
        self.cost[account, token] += after.cost - before.cost
        self.realised[account, token] += after.realised - before.realised
        self.fees[account, token] += after.fees - before.fees
        self.shares[ledger, token] = after.shares
        self.cost[ledger, token] = after.cost
        self.realised[ledger, token] = after.realised
        self.fees[ledger, token] = after.fees
        self.move_cash(ledger, booked.cash)
        m = self.universe.token_market[token]
        for row in (ledger, account):
            self._shift_worth(row, m, token, after.shares - before.shares)
        if (before.shares == 0) != (after.shares == 0):
            (self.held[ledger].discard if after.shares == 0 else self.held[ledger].add)(token)
            # The account's row follows: ledgers never hold less than nothing of each other's.
            self._recount(ledger, m)
            self._recount(account, m)
        self.revalue(m)

    def move_cash(self, ledger: int, amount: Money) -> None:
        """Adds to (or takes from) a ledger's cash and the account's."""
        self.cash[ledger] += amount
        self.cash[self.account] += amount
        self.marks[nb.E_NOW] += amount

    def revalue(self, m: int) -> None:
        """Values the account's shares of a market anew, at what they could be sold for."""
        self.marks[nb.E_NOW] += nb.revalue(self.books.rows, m, self.account_shares, self.value)

    def equity_of(self, ledger: int) -> Money:
        """Cash plus shares at the bid, of one ledger or of the account."""
        if ledger == self.account:
            return int(self.marks[nb.E_NOW])
        total: Money = self.cash[ledger]
        return total + sum(self.worth(ledger, token) for token in self.held[ledger])

    def worth(self, ledger: int, token: int) -> Money:
        """What a ledger's shares of a token could be sold for at the last trustworthy bid."""
        universe, rows = self.universe, self.books.view
        m = universe.token_market[token]
        value = nb.mark(
            self.shares[ledger, token],
            universe.token_outcome[token],
            rows[m, nb.B_MARK_BID],
            rows[m, nb.B_MARK_ASK],
            rows[m, nb.B_ONE],
        )
        return int(value // rows[m, nb.B_DIVISOR])

    def _shift_worth(self, row: int, m: int, token: int, shares: Size) -> None:
        market = self.universe.markets[m]
        if not market.binary or shares == 0:
            return
        worth = payout_of(1_000_000, abs(shares), market.size_decimals)
        worth = worth if shares > 0 else -worth
        if self.universe.token_outcome[token] == 0:
            self.if_yes[row, m] += worth
        else:
            self.if_no[row, m] += worth

    def _recount(self, row: int, m: int) -> None:
        first = self.universe.offset[m]
        tokens = range(first, first + len(self.universe.markets[m].tokens))
        entries = sum(
            1
            for o in self.by_market.get(m, {}).values()
            if (row == self.account or o.ledger == row) and o.order.side == Side.BUY
        )
        now = entries + sum(1 for t in tokens if self.shares[row, t] != 0)
        before = self.exposed[row, m]
        self.exposed[row, m] = now
        if (before > 0) != (now > 0):
            self.open_markets[row] += 1 if now > 0 else -1

    # ---- reservations --------------------------------------------------------------------

    def losses(self, token: int, side: Side, price: int, size: Size) -> tuple[Money, Money]:
        """What an order could make worse if it filled, should its market resolve YES or NO."""
        if size <= 0:
            return 0, 0
        m = self.universe.token_market[token]
        market = self.universe.markets[m]
        fee = market.taker_fee(price, size) + self.slack(market)
        worth = payout_of(1_000_000, size, market.size_decimals) if market.binary else 0
        pays = (worth, 0) if self.universe.token_outcome[token] == 0 else (0, worth)
        if side == Side.BUY:
            paid = cost_of(price, size, market.divisor) + fee
            return min(0, pays[0] - paid), min(0, pays[1] - paid)
        received = proceeds_of(price, size, market.divisor) - fee
        if not market.binary:
            return 0, 0
        return min(0, received - pays[0]), min(0, received - pays[1])

    @staticmethod
    def slack(market: Market) -> Money:
        """What rounding may add when an order fills in parts."""
        return FEE_STEP + 1 if market.fee is not None and market.fee.rate else 1

    def reserve(self, open_order: OpenOrder) -> None:
        """Sets an order's reservation to what its remaining size needs."""
        order, m = open_order.order, open_order.market
        size = open_order.remaining
        market = self.universe.markets[m]
        # What a child does not use goes back to its parent at the parent's price: it must fit then.
        parent = self.orders.get(order.parent) if order.parent else None
        price = order.price if parent is None else parent.order.price
        cash, shares = 0, 0
        if size > 0:
            if order.side == Side.BUY:
                fee = market.taker_fee(price, size) + self.slack(market)
                cash = cost_of(price, size, market.divisor) + fee
            else:
                shares = size
        yes, no = self.losses(open_order.token, order.side, price, size)
        for row in (open_order.ledger, self.account):
            self.reserved[row] += cash - open_order.reserved
            self.reserved_shares[row, open_order.token] += shares - open_order.reserved_shares
            self.if_yes[row, m] += yes - open_order.if_yes
            self.if_no[row, m] += no - open_order.if_no
        open_order.reserved, open_order.reserved_shares = cash, shares
        open_order.if_yes, open_order.if_no = yes, no

    def open(self, open_order: OpenOrder) -> None:
        """Registers an approved order and reserves for it."""
        self.orders[open_order.order.id] = open_order
        self.by_market.setdefault(open_order.market, {})[open_order.order.id] = open_order
        self.reserve(open_order)
        self._recount(open_order.ledger, open_order.market)
        self._recount(self.account, open_order.market)

    def close(self, open_order: OpenOrder) -> None:
        """Forgets an order that cannot fill any more and frees what it held."""
        open_order.filled = open_order.order.size - open_order.working
        self.reserve(open_order)
        del self.orders[open_order.order.id]
        del self.by_market[open_order.market][open_order.order.id]
        self._recount(open_order.ledger, open_order.market)
        self._recount(self.account, open_order.market)
