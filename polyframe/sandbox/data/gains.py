"""What a wallet had gained at each of some moments, told again from all that it did.

A conversion moves costs between markets, which its row does not say: what came of it counts from
the beginning on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import Struct, field

from polyframe.domain.units import Ns
from polyframe.sandbox.data.office import Office, dollars
from polyframe.sandbox.venue.history import KEPT_ROWS, Act, Deal
from polyframe.sandbox.venue.records import BUY, PRICE_ONE
from polyframe.sandbox.wire import seconds

INCOME: Final = {
    "MAKER_REBATE": "maker_rebate",
    "TAKER_REBATE": "taker_rebate",
    "REWARD": "reward_income",
    "YIELD": "yield_income",
    "REFERRAL_REWARD": "referral_income",
}


class Stock(Struct):
    """Shares of one token and what they cost."""

    size: int = 0
    cost: int = 0

    def give(self, size: int) -> int:
        """Takes shares away; what they had cost."""
        part = self.cost * size // self.size if size < self.size else self.cost
        self.size = max(self.size - size, 0)
        self.cost -= part
        return part


class Tally(Struct):
    """Sums so far, in millionths."""

    realized: int = 0
    trades: int = 0
    shares: int = 0
    money: int = 0
    fees: int = 0
    deposits: int = 0
    withdrawals: int = 0
    income: dict[str, int] = field(default_factory=dict)
    stocks: dict[str, Stock] = field(default_factory=dict)

    def add(self, row: Act | Deal, tokens: Sequence[str]) -> None:
        """Counts one more thing; ``tokens`` are those of its market."""
        if isinstance(row, Deal):
            self._traded(row)
        elif row.kind == "DEPOSIT":
            self.deposits += row.money
        elif row.kind == "WITHDRAWAL":
            self.withdrawals += row.money
        elif row.kind in INCOME:
            self.income[row.kind] = self.income.get(row.kind, 0) + row.money
        elif row.kind == "REDEEM":
            stock = self._stock(row.token_id)
            self.realized += row.money - stock.give(min(row.size, stock.size))
        elif row.kind in {"SPLIT", "MERGE"}:
            for index, token in enumerate(tokens):
                # Each outcome is worth one half, an odd unit is the second's.
                half = row.size // 2 if index == 0 else row.size - row.size // 2
                stock = self._stock(token)
                if row.kind == "SPLIT":
                    stock.size += row.size
                    stock.cost += half
                else:
                    self.realized += half - stock.give(min(row.size, stock.size))

    def _traded(self, deal: Deal) -> None:
        stock = self._stock(deal.token_id)
        self.trades += 1
        self.shares += deal.size
        self.money += deal.money
        self.fees += deal.fee
        if deal.side == BUY:
            stock.size += deal.size
            stock.cost += deal.money
            self.realized -= deal.fee
        else:
            self.realized += deal.money - deal.fee - stock.give(min(deal.size, stock.size))

    def _stock(self, token: str) -> Stock:
        stock = self.stocks.get(token)
        if stock is None:
            stock = self.stocks[token] = Stock()
        return stock


def tallies(
    office: Office, wallet: str, at: Iterable[Ns], *, markets: set[str] | None = None
) -> list[tuple[Ns, Tally, int]]:
    """Moments with the sums up to each, and what selling everything would have gained then.

    Of a wallet that did more than is kept, what came of the rest counts from the beginning on.
    """
    rows = [
        row
        for row in office.venue.history.rows(wallet)
        if markets is None or row.condition_id in markets
    ]
    before = 0
    partly = any(not isinstance(row, Deal) and row.kind == "CONVERSION" for row in rows)
    if markets is None and (partly or len(rows) >= KEPT_ROWS):
        before = _gone(office, wallet, rows)
    return _told(office, rows, at, before)


def _gone(office: Office, wallet: str, rows: Sequence[Act | Deal]) -> int:
    """What came of the rows that are no longer kept, and of conversions."""
    ((_, tally, open),) = _told(office, rows, [office.venue.now], 0)
    return office.venue.history.profit(wallet) - tally.realized - open


def _told(
    office: Office, rows: Sequence[Act | Deal], at: Iterable[Ns], before: int
) -> list[tuple[Ns, Tally, int]]:
    tally, index = Tally(realized=before), 0
    found: list[tuple[Ns, Tally, int]] = []
    for moment in at:
        while index < len(rows) and rows[index].at <= moment:
            market = office.market(rows[index].condition_id)
            tally.add(rows[index], market.listing.tokens if market is not None else ())
            index += 1
        found.append((moment, _copy(tally), open_gain(office, tally, moment)))
    return found


def _copy(tally: Tally) -> Tally:
    """The sums as they are, without the stocks, which go on changing."""
    return Tally(
        tally.realized,
        tally.trades,
        tally.shares,
        tally.money,
        tally.fees,
        tally.deposits,
        tally.withdrawals,
        dict(tally.income),
    )


def open_gain(office: Office, tally: Tally, at: Ns) -> int:
    """What all that is held would have gained by a sale at a moment's prices."""
    gain = 0
    for token, stock in tally.stocks.items():
        if stock.size:
            gain += stock.size * price_at(office, token, at) // PRICE_ONE - stock.cost
    return gain


def price_at(office: Office, token: str, at: Ns) -> int:
    """A token's price at a moment; the one of now where none was known."""
    market, outcome = office.venue.tokens[token]
    price = office.venue.history.trend.since(market.condition_id, at)
    over = market.closed and at >= market.resolved_at
    if price is None or over or at >= office.venue.now:
        return office.venue.history.current(token)
    return PRICE_ONE - price if outcome else price


def point(at: Ns, block: int, tally: Tally, open: int) -> dict[str, Any]:
    """A moment's sums as the Data API shows them."""
    income = sum(tally.income.values())
    row: dict[str, Any] = {
        "timestamp": seconds(at),
        "source_block": block,
        "trade_count": tally.trades,
        "realized_market_pnl": dollars(tally.realized),
        "realized_lp_pnl": 0.0,
        "realized_combo_pnl": 0.0,
        "realized_pnl": dollars(tally.realized),
        "unrealized_pnl": dollars(open),
        "volume": dollars(tally.shares),
        "volume_usdc": dollars(tally.money),
        "fees": dollars(tally.fees),
        "fees_paid": dollars(tally.fees),
        "fees_refunded": 0.0,
        "sponsored_income": 0.0,
        "deposits": dollars(tally.deposits),
        "withdrawals": dollars(tally.withdrawals),
        "cashflow_net": dollars(tally.deposits - tally.withdrawals),
        "wallet_income": dollars(income),
        "position_pnl": dollars(tally.realized + open),
        "settled_pnl": dollars(tally.realized),
        "trade_pnl": dollars(tally.realized + open),
        "economic_pnl": dollars(tally.realized + open + income),
    }
    return row | {name: dollars(tally.income.get(kind, 0)) for kind, name in INCOME.items()}
