"""What the Data API reads: everybody's trades, activity, positions, profits and prices.

Rows appear when their transaction is mined. ``until`` asks for what was known at a moment, so that
an indexer that lags can be played.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TypeVar

from msgspec import Struct

from polyframe.errors import UserError
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.positions import Position, Positions
from polyframe.sandbox.venue.prices import Point, Prices, day_of, price_now
from polyframe.sandbox.venue.records import BUY, PRICE_ONE, Trade

__all__ = ["Act", "Deal", "History", "Point", "Position", "Standing"]

T = TypeVar("T")
KEPT_ROWS = 5_000
"""of one wallet or one market"""


class Deal(Struct, frozen=True):
    """One side of a trade as the Data API shows it."""

    at: int
    wallet: str
    condition_id: str
    token_id: str
    outcome: int
    side: str
    price: int
    size: int
    money: int
    fee: int
    transaction_hash: str
    trade_id: str
    taker: bool


class Act(Struct, frozen=True):
    """One thing a wallet did or was paid.

    ``kind`` is TRADE, SPLIT, MERGE, REDEEM, CONVERSION, REWARD, MAKER_REBATE, YIELD, DEPOSIT or
    WITHDRAWAL; what a kind has no use for is empty or 0.
    """

    at: int
    wallet: str
    kind: str
    condition_id: str = ""
    token_id: str = ""
    outcome: int = 999
    side: str = ""
    price: int = 0
    size: int = 0
    money: int = 0
    transaction_hash: str = ""


class Standing(Struct, frozen=True):
    """A wallet's place among all in a stretch of time."""

    rank: int
    wallet: str
    profit: int
    volume: int


class History:
    """What happened, by wallet and by market."""

    __slots__ = (
        "_acts",
        "_days",
        "_deals",
        "_held",
        "_market_deals",
        "_markets",
        "_sizes",
        "_starts",
        "_tokens",
        "trend",
    )

    def __init__(
        self, tokens: dict[str, tuple[Market, int]], markets: dict[str, Market], kept: int
    ) -> None:
        self._tokens = tokens
        self._markets = markets
        self._held = Positions()
        self.trend = Prices(markets)
        """prices and volumes of markets"""
        self._deals: deque[Deal] = deque(maxlen=kept)
        self._market_deals: dict[str, deque[Deal]] = {}
        self._acts: dict[str, deque[Act | Deal]] = {}
        self._days: dict[str, dict[int, int]] = {}
        """money traded by wallet and day"""
        self._sizes: dict[str, dict[int, int]] = {}
        """shares traded by wallet and day"""
        self._starts: dict[str, dict[int, int]] = {}
        """profit at a day's start, by wallet"""

    # ---- what is written -------------------------------------------------------------------------

    def traded(self, now: int, trade: Trade) -> None:
        """A trade was mined."""
        market, _ = self._tokens[trade.token_id]
        self.trend.traded(now, market.condition_id, trade.money)
        market.traded += trade.size
        row = (trade.address, trade.token_id, trade.outcome, trade.side, trade.price, trade.size)
        self._deal(now, market, trade, row, trade.money, trade.fee, taker=True)
        for fill in trade.makers:
            row = (fill.address, fill.token_id, fill.outcome, fill.side, fill.price, fill.size)
            self._deal(now, market, trade, row, fill.money, 0, taker=False)

    def _deal(
        self,
        now: int,
        market: Market,
        trade: Trade,
        row: tuple[str, str, int, str, int, int],
        money: int,
        fee: int,
        *,
        taker: bool,
    ) -> None:
        wallet, token_id, outcome, side, price, size = row
        cid, hash = market.condition_id, trade.transaction_hash
        deal = Deal(
            now,
            wallet,
            cid,
            token_id,
            outcome,
            side,
            price,
            size,
            money,
            fee,
            hash,
            trade.id,
            taker,
        )
        self._deals.append(deal)
        _row_of(self._market_deals, cid).append(deal)
        _row_of(self._acts, wallet.lower()).append(deal)
        position = self._held.of(wallet, market, outcome)
        if side == BUY:
            position.gain(now, size, money, fee)
        else:
            position.lose(now, size, money - fee)
        for amounts, amount in ((self._days, money), (self._sizes, size)):
            days = amounts.setdefault(wallet.lower(), {})
            days[day_of(now)] = days.get(day_of(now), 0) + amount

    def _act(self, act: Act) -> None:
        _row_of(self._acts, act.wallet.lower()).append(act)

    def moved(self, now: int, wallet: str, money: int) -> None:
        """Money came in from outside, or went out where it is negative."""
        kind = "DEPOSIT" if money > 0 else "WITHDRAWAL"
        self._act(Act(now, wallet, kind, money=abs(money), size=abs(money)))

    def paid(self, now: int, wallet: str, kind: str, money: int, condition_id: str = "") -> None:
        """The venue paid a REWARD, a MAKER_REBATE or a YIELD."""
        self._act(Act(now, wallet, kind, condition_id, money=money, size=money))

    def split(self, now: int, wallet: str, market: Market, size: int, hash: str) -> None:
        """A split, or a merge where ``size`` is negative."""
        self._held.split(now, wallet, market, size)
        kind, much = ("SPLIT", size) if size > 0 else ("MERGE", -size)
        cid = market.condition_id
        self._act(Act(now, wallet, kind, cid, size=much, money=much, transaction_hash=hash))

    def redeemed(
        self,
        now: int,
        wallet: str,
        market: Market,
        outcome: int,
        size: int,
        money: int,
        hash: str,
    ) -> None:
        """Shares of a resolved market were paid out."""
        position = self._held.of(wallet, market, outcome)
        position.lose(now, size, money)
        token, cid = position.token_id, market.condition_id
        self._act(Act(now, wallet, "REDEEM", cid, token, outcome, "", 0, size, money, hash))

    def converted(
        self, now: int, wallet: str, given: list[Market], got: list[Market], size: int, hash: str
    ) -> None:
        """NO of some outcomes became money and YES of the others."""
        self._held.convert(now, wallet, given, got, size)
        money = size * (len(given) - 1)
        cid = given[0].condition_id
        self._act(
            Act(now, wallet, "CONVERSION", cid, size=size, money=money, transaction_hash=hash)
        )

    def resolved(self, now: int, market: Market) -> None:
        """A market got its answer."""
        self.trend.remember(market.condition_id, now, price_now(market))

    def day_began(self, now: int) -> None:
        """Keeps everybody's profit as the start of the day."""
        for wallet in self._held.wallets():
            self._starts.setdefault(wallet.lower(), {})[day_of(now)] = self.profit(wallet)

    # ---- what is read ----------------------------------------------------------------------------

    def deals(
        self,
        *,
        wallet: str | None = None,
        markets: Sequence[str] = (),
        side: str | None = None,
        taker_only: bool = True,
        least_money: int = 0,
        least_size: int = 0,
        start: int = 0,
        until: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[Deal]:
        """Trades, newest first."""
        rows: Iterable[Deal] = reversed(self._deals)
        if len(markets) == 1:
            rows = reversed(self._market_deals.get(markets[0], ()))
        found = (
            deal
            for deal in rows
            if (wallet is None or deal.wallet.lower() == wallet.lower())
            and (not markets or deal.condition_id in markets)
            and side in {None, deal.side}
            and (deal.taker or not taker_only)
            and deal.money >= least_money
            and deal.size >= least_size
            and deal.at >= start
            and (until is None or deal.at <= until)
        )
        return list(islice(found, offset, offset + limit))

    def acts(
        self,
        wallet: str,
        *,
        kinds: Sequence[str] = (),
        markets: Sequence[str] = (),
        side: str | None = None,
        start: int = 0,
        until: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[Act]:
        """A wallet's activity, newest first."""
        found = (
            act
            for act in map(_as_act, reversed(self._acts.get(wallet.lower(), ())))
            if (not kinds or act.kind in kinds)
            and (not markets or act.condition_id in markets)
            and side in {None, act.side}
            and act.at >= start
            and (until is None or act.at <= until)
        )
        return list(islice(found, offset, offset + limit))

    def newest(self, market: str | None = None) -> Iterable[Deal]:
        """Trades, newest first: all, or those of a market."""
        return reversed(self._deals if market is None else self._market_deals.get(market, ()))

    def rows(self, wallet: str) -> list[Act | Deal]:
        """All that is kept of what a wallet did, oldest first; its trades with their fees."""
        return list(self._acts.get(wallet.lower(), ()))

    def positions(self, *, wallet: str | None = None, market: str | None = None) -> list[Position]:
        """Positions of a wallet, in a market, or of both; closed ones (size 0) included.

        Raises:
            UserError: neither was given.
        """
        if wallet is not None:
            mine = self._held.of_wallet(wallet)
            return [p for p in mine if market in {None, p.condition_id}]
        if market is None:
            raise UserError(
                "positions were asked for without a wallet and without a market",
                expected="an address, a condition id, or both",
            )
        listed = self._markets.get(market)
        tokens = listed.listing.tokens if listed is not None else ()
        return [position for token in tokens for position in self._held.of_token(token)]

    def holders(self, token_id: str, *, limit: int = 20) -> list[Position]:
        """Who holds most of a token, largest first."""
        held = [p for p in self._held.of_token(token_id) if p.size]
        return sorted(held, key=lambda p: (-p.size, p.wallet))[:limit]

    def value(self, wallet: str) -> int:
        """What a wallet's positions are worth at the current prices."""
        return sum(self.worth(p) for p in self._held.of_wallet(wallet))

    def worth(self, position: Position) -> int:
        """What a position is worth at the current price."""
        return position.size * self.current(position.token_id) // PRICE_ONE

    def profit(self, wallet: str, since: int = 0) -> int:
        """What a wallet gained since the start of a moment's day, at the current prices.

        Liquidity rewards and rebates are not part of it.
        """
        total = sum(
            p.realized + self.worth(p) - p.cost - p.fees for p in self._held.of_wallet(wallet)
        )
        # Who had no position when the day began had no profit either.
        return total - self._starts.get(wallet.lower(), {}).get(day_of(since), 0)

    def volume(self, wallet: str, since: int = 0) -> int:
        """Money a wallet traded since the start of a moment's day."""
        days = self._days.get(wallet.lower(), {})
        return sum(money for day, money in days.items() if day >= day_of(since))

    def shares(self, wallet: str, since: int = 0) -> int:
        """Shares a wallet traded since the start of a moment's day."""
        days = self._sizes.get(wallet.lower(), {})
        return sum(size for day, size in days.items() if day >= day_of(since))

    def wallets(self) -> list[str]:
        """Everybody who ever had a position."""
        return self._held.wallets()

    def standings(
        self, *, since: int = 0, by: str = "profit", limit: int = 50, offset: int = 0
    ) -> list[Standing]:
        """Wallets by profit or by volume since the start of a moment's day, best first."""
        rows = [(w, self.profit(w, since), self.volume(w, since)) for w in self._held.wallets()]
        rows.sort(key=lambda row: (-(row[1] if by == "profit" else row[2]), row[0]))
        return [
            Standing(rank, *row)
            for rank, row in enumerate(rows[offset : offset + limit], offset + 1)
        ]

    def prices(self, token_id: str, start: int, end: int, bucket: int) -> list[Point]:
        """A token's price at the end of each bucket of time in which it was known."""
        market, outcome = self._tokens[token_id]
        return self.trend.series(market, outcome, start, end, bucket)

    def current(self, token_id: str) -> int:
        """A token's price now: its payout, the mid, or the last trade where the spread is wide."""
        market, outcome = self._tokens[token_id]
        price = price_now(market)
        return PRICE_ONE - price if outcome else price

    def market_volume(self, condition_id: str, since: int = 0) -> int:
        """Money traded in a market since the start of a moment's hour."""
        return self.trend.volume(condition_id, since)


def _as_act(row: Act | Deal) -> Act:
    """A trade as activity; all else is that already."""
    if isinstance(row, Act):
        return row
    return Act(
        row.at,
        row.wallet,
        "TRADE",
        row.condition_id,
        row.token_id,
        row.outcome,
        row.side,
        row.price,
        row.size,
        row.money,
        row.transaction_hash,
    )


def _row_of(rows: dict[str, deque[T]], key: str) -> deque[T]:
    found = rows.get(key)
    if found is None:
        found = rows[key] = deque(maxlen=KEPT_ROWS)
    return found
