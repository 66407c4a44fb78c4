"""Fills and settlements folded into round trips, with a check that the books agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from polyframe.domain.effects import PositionSettled
from polyframe.domain.market import Market
from polyframe.domain.orders import Side
from polyframe.domain.portfolio import Portfolio
from polyframe.domain.quality import UNQUOTED, Flag
from polyframe.domain.units import PAYOUT_ONE, Money, Ns, Size, cost_of, proceeds_of
from polyframe.errors import InvariantError
from polyframe.lab.record import FillRecord, LeftOpen, RunRecord

SUSPECT = UNQUOTED | Flag.NEAR
"""A fill on a row with any of these bits is counted as near an unquoted price."""


@dataclass
class Trip:
    """A holding from flat to flat, or to the end of the run."""

    n: int
    ledger: str
    market: Market
    token: str
    opened: Ns
    entry_reason: str
    shares: Size = 0
    bought: Size = 0
    paid: Money = 0
    fees: Money = 0
    cash: Money = 0
    mark: Money = 0
    closed: Ns | None = None
    close_reason: str = "left open"
    suspect: bool = False

    @property
    def pnl(self) -> Money:
        """Cash moved plus what is left, at the bid."""
        return self.cash + self.mark

    @property
    def event(self) -> str:
        """What the result depends on: markets of one group end together."""
        return self.market.group or self.market.id


@dataclass(frozen=True)
class Entry:
    """One fill or settlement with the cash it moved and its round trip."""

    what: FillRecord | PositionSettled
    ts: Ns
    cash: Money
    reason: str
    trip: int


@dataclass
class Books:
    """All entries in time order, the round trips, the final cash and the cost held over time."""

    cash: Money
    entries: list[Entry] = field(default_factory=list)
    trips: list[Trip] = field(default_factory=list)
    held_cost: list[tuple[Ns, Money]] = field(default_factory=list)


def fold(record: RunRecord) -> Books:
    """The run's books, folded anew from its fills and settlements.

    Raises:
        InvariantError: more is sold or settled than was held, a token is unknown, a settlement
            paid another amount than its payout says, or what is left open differs.
    """
    markets = {token.id: market for market in record.markets for token in market.tokens}
    books = Books(record.start_cash)
    ledgers = {f.fill.ledger for f in record.fills} | {s.ledger for s in record.settlements}
    portfolio = Portfolio(dict.fromkeys(ledgers, 0))
    running: dict[tuple[str, str], Trip] = {}
    cost = 0
    for ts, what in _in_time(record):
        ledger, token, reason = _named(what)
        market = markets.get(token)
        if market is None:
            raise InvariantError(f"the run traded token {token}, which is in none of its markets")
        key = (ledger, token)
        trip = running.get(key)
        if trip is None:
            trip = Trip(len(books.trips) + 1, ledger, market, token, ts, reason)
            books.trips.append(trip)
            running[key] = trip
        before, cash_before = portfolio.holding(*key), portfolio.cash[ledger]
        _book(portfolio, what, market)
        moved = portfolio.cash[ledger] - cash_before
        after = portfolio.holding(*key)
        cost += after.cost - before.cost
        _advance(trip, what, market, after.shares, moved)
        if after.shares == 0:
            trip.closed, trip.close_reason = ts, reason
            del running[key]
        books.cash += moved
        books.entries.append(Entry(what, ts, moved, reason, trip.n))
        books.held_cost.append((ts, cost))
    _mark(record, running, portfolio)
    return books


def _in_time(record: RunRecord) -> Iterator[tuple[Ns, FillRecord | PositionSettled]]:
    # A fill at the moment of settlement came first: what has been settled cannot be traded.
    rows: list[tuple[Ns, int, int, FillRecord | PositionSettled]] = [
        (f.fill.ts, 0, n, f) for n, f in enumerate(record.fills)
    ]
    rows += [(s.ts, 1, n, s) for n, s in enumerate(record.settlements)]
    rows.sort(key=lambda row: row[:3])
    return ((row[0], row[3]) for row in rows)


def _named(what: FillRecord | PositionSettled) -> tuple[str, str, str]:
    if isinstance(what, FillRecord):
        fill, decision = what.fill, what.decision
        reason = fill.reason or (decision.intent.reason if decision else "")
        return fill.ledger, fill.token, reason or fill.side.name.lower()
    payout = what.payout
    ended = "won" if payout == PAYOUT_ONE else "lost" if payout == 0 else "split or void"
    return what.ledger, what.token, f"resolved: {ended}"


def _book(portfolio: Portfolio, what: FillRecord | PositionSettled, market: Market) -> None:
    if isinstance(what, FillRecord):
        portfolio.fill(what.fill, market.divisor)
        return
    before = portfolio.cash[what.ledger]
    portfolio.redeem(what.ledger, what.token, what.payout, what.shares, market.size_decimals)
    received = portfolio.cash[what.ledger] - before
    if received != what.received:
        raise InvariantError(
            f"market {what.market} paid {what.received} for token {what.token}, "
            f"{what.shares} shares at {what.payout} make {received}"
        )


def _advance(
    trip: Trip, what: FillRecord | PositionSettled, market: Market, shares: Size, moved: Money
) -> None:
    trip.shares = shares
    trip.cash += moved
    if isinstance(what, FillRecord):
        fill = what.fill
        trip.fees += fill.fee
        trip.suspect |= bool(what.quality & SUSPECT)
        if fill.side == Side.BUY:
            trip.bought += fill.size
            trip.paid += cost_of(fill.price, fill.size, market.divisor)


def _mark(record: RunRecord, running: dict[tuple[str, str], Trip], portfolio: Portfolio) -> None:
    left: dict[tuple[str, str], LeftOpen] = {(o.ledger, o.token): o for o in record.left_open}
    if left.keys() != running.keys():
        odd = sorted(left.keys() ^ running.keys())[0]
        raise InvariantError(
            f"ledger {odd[0]}, token {odd[1]}: held at the end and left_open differ"
        )
    for key, trip in running.items():
        held, row = portfolio.holding(*key), left[key]
        if (held.shares, held.cost) != (row.shares, row.cost):
            raise InvariantError(
                f"ledger {key[0]}, token {key[1]}: left_open says {row.shares} shares for "
                f"{row.cost}, the fills make {held.shares} for {held.cost}"
            )
        trip.mark = row.value


def spread_paid(records: list[FillRecord] | tuple[FillRecord, ...], books: Books) -> Money:
    """What fills cost against the mid at decision, spread and impact together.

    A maker's gain counts negative. Fills without a mid count nothing.
    """
    markets = {trip.token: trip.market for trip in books.trips}
    total = 0
    for fill, _, mid, _ in records:
        if mid is None:
            continue
        market = markets[fill.token]
        fair = mid if fill.token == market.yes.id else market.price_one - mid
        if fill.side == Side.BUY:
            total += cost_of(fill.price, fill.size, market.divisor)
            total -= cost_of(fair, fill.size, market.divisor)
        else:
            total += proceeds_of(fair, fill.size, market.divisor)
            total -= proceeds_of(fill.price, fill.size, market.divisor)
    return total
