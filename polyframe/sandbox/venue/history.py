"""What the Data API reads: everybody's trades, activity, positions, profits and prices.

Rows appear when their transaction is mined. ``until`` asks for what was known at a moment, so that
an indexer that lags can be played.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct


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


class Position(Struct):
    """What a wallet has and had of one token."""

    wallet: str
    condition_id: str
    token_id: str
    outcome: int
    size: int = 0
    cost: int = 0
    """what the shares it has cost, without fees"""
    bought: int = 0
    """shares it ever got"""
    spent: int = 0
    """what those cost, without fees"""
    fees: int = 0
    """paid on buys and sells"""
    realized: int = 0
    """profit of what was sold, merged and redeemed, after fees of the sells"""
    opened: int = 0
    changed: int = 0

    @property
    def average(self) -> int:
        """What a share it has cost, in ten-thousandths, rounded down."""
        return self.cost * 10_000 // self.size if self.size else 0


class Standing(Struct, frozen=True):
    """A wallet's place among all in a stretch of time."""

    rank: int
    wallet: str
    profit: int
    volume: int


class Point(Struct, frozen=True):
    """A token's price at a moment."""

    at: int
    price: int


class History:
    """What happened, by wallet and by market."""

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
        raise NotImplementedError

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
        raise NotImplementedError

    def positions(self, *, wallet: str | None = None, market: str | None = None) -> list[Position]:
        """Positions of a wallet, in a market, or of both; closed ones (size 0) included."""
        raise NotImplementedError

    def holders(self, token_id: str, *, limit: int = 20) -> list[Position]:
        """Who holds most of a token, largest first."""
        raise NotImplementedError

    def value(self, wallet: str) -> int:
        """What a wallet's positions are worth at the current prices."""
        raise NotImplementedError

    def profit(self, wallet: str, since: int = 0) -> int:
        """What a wallet gained since a moment (whole days UTC), at the current prices."""
        raise NotImplementedError

    def volume(self, wallet: str, since: int = 0) -> int:
        """Money a wallet traded since a moment (whole days UTC)."""
        raise NotImplementedError

    def standings(
        self, *, since: int = 0, by: str = "profit", limit: int = 50, offset: int = 0
    ) -> list[Standing]:
        """Wallets by profit or by volume since a moment (whole days UTC), best first."""
        raise NotImplementedError

    def prices(self, token_id: str, start: int, end: int, bucket: int) -> list[Point]:
        """A token's price at the end of each bucket of time in which it was known."""
        raise NotImplementedError

    def current(self, token_id: str) -> int:
        """A token's price now: its payout, the mid, or the last trade where the spread is wide."""
        raise NotImplementedError

    def market_volume(self, condition_id: str, since: int = 0) -> int:
        """Money traded in a market since a moment (whole hours)."""
        raise NotImplementedError
