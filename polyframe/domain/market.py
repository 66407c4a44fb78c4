"""Markets, tokens, groups and how they pay."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from polyframe.domain.book import BookShape
from polyframe.domain.units import (
    INT64_SAFE,
    MONEY_ONE,
    PAYOUT_ONE,
    Money,
    Ns,
    Price,
    Size,
    format_units,
    money_divisor,
    notional_fee,
    taker_fee,
)
from polyframe.errors import DataError

LEAST_TAKEN: Money = MONEY_ONE
"""A purchase that takes is worth at least one dollar at its limit.

Source: rejection texts of Polymarket's order endpoint.
"""


class Token(msgspec.Struct, frozen=True, gc=False):
    """One outcome that can be bought: its venue id and its name (``Yes``, ``No``, ``Up`` ...)."""

    id: str
    outcome: str


class FeeSchedule(msgspec.Struct, frozen=True, gc=False):
    """What takers pay: shares x rate x (p(1-p))**exponent; with exponent 0 price x size x rate.

    Makers pay nothing, or with exponent 0 price x size x ``maker``.
    Units: ``rate``, ``rebate`` and ``maker`` in millionths (0.04 is 40_000).
    """

    rate: int = 0
    exponent: int = 1
    rebate: int = 0
    maker: int = 0


class Market(msgspec.Struct, frozen=True):
    """One question with its tokens and trading rules.

    A binary market has two tokens, the first of which is YES. ``group`` names the event it belongs
    to. ``fee`` is None while nobody has said what takers pay: an exchange's ``rules`` fill it in,
    and ``depth`` where the exchange assumes a book instead of showing one.
    Units: tick in price units, lot and min_size in size units, times in ns.
    """

    id: str
    question: str
    tokens: tuple[Token, ...]
    group: str = ""
    category: str = "other"
    tags: tuple[str, ...] = ()
    venue: str = "polymarket"
    slug: str = ""
    condition_id: str = ""
    strike: float | None = None
    tick: Price = 10
    lot: Size = 10_000
    min_size: Size = 5_000_000
    price_decimals: int = 4
    size_decimals: int = 6
    max_price: Price = 10_000
    max_size: Size = 10**13
    fee: FeeSchedule | None = None
    opened: Ns = 0
    closes: Ns = 0
    depth: BookShape | None = None

    def __post_init__(self) -> None:
        if not self.tokens:
            raise DataError(f"market {self.id} has no token")
        if self.max_price * self.max_size >= INT64_SAFE:
            raise DataError(
                f"market {self.id}: greatest price x greatest size reaches 2^62",
                expected="fewer price or size decimals",
            )
        if self.tick <= 0 or self.lot <= 0:
            raise DataError(f"market {self.id}: tick {self.tick} and lot {self.lot} must be > 0")

    @property
    def price_one(self) -> int:
        """The integer price of 1.0."""
        return int(10**self.price_decimals)

    @property
    def divisor(self) -> int:
        """Price x size / divisor is money.

        Raises:
            DataError: prices and sizes have too few decimals for that.
        """
        try:
            return money_divisor(self.price_decimals, self.size_decimals)
        except DataError as error:
            raise DataError(f"market {self.id}: {error.message}", expected=error.expected) from None

    @property
    def binary(self) -> bool:
        """True when the market's two tokens together always pay 1."""
        return len(self.tokens) == 2

    def token(self, outcome: str) -> Token:
        """The token of a named outcome, spelling of case ignored.

        Raises:
            DataError: the market has no such outcome.
        """
        for token in self.tokens:
            if token.outcome.lower() == outcome.lower():
                return token
        names = ", ".join(token.outcome for token in self.tokens)
        raise DataError(f"market {self.id} has no outcome {outcome!r}", expected=f"one of {names}")

    @property
    def yes(self) -> Token:
        """The first token."""
        return self.tokens[0]

    @property
    def no(self) -> Token:
        """The second token of a binary market."""
        if not self.binary:
            raise DataError(f"market {self.id} is not binary, it has no NO token")
        return self.tokens[1]

    def taker_fee(self, price: Price, size: Size) -> Money:
        """The fee a taker pays for ``size`` at ``price``.

        Raises:
            DataError: the market's fee schedule is not known.
        """
        fee = self.fee
        if fee is None:
            raise DataError(
                f"market {self.id} has no fee schedule",
                expected="rules from its exchange",
                hint="pass the market through the exchange's rules() first",
            )
        return taker_fee(price, size, fee.rate, fee.exponent, self.price_one, self.divisor)

    def maker_fee(self, price: Price, size: Size) -> Money:
        """The fee a maker pays for ``size`` at ``price``; 0 while nobody has said."""
        if self.fee is None or self.fee.exponent:
            return 0
        return notional_fee(price, size, self.fee.maker, self.divisor)

    def show_price(self, price: Price) -> str:
        """A price as exact decimal text."""
        return format_units(price, self.price_decimals)

    def show_size(self, size: Size) -> str:
        """A size as exact decimal text."""
        return format_units(size, self.size_decimals)


class GroupKind(StrEnum):
    """How the markets of one event exclude or imply each other."""

    INDEPENDENT = "independent"
    """nothing is assumed: any combination may happen"""
    EXCLUSIVE = "exclusive"
    """at most one market resolves YES (Polymarket's neg-risk events)"""
    LADDER = "ladder"
    """strikes: a market with a lower strike is YES whenever one with a higher strike is"""


class Group(msgspec.Struct, frozen=True):
    """One event: the markets that resolve together. Ladder markets stand in ascending strike."""

    id: str
    markets: tuple[str, ...]
    kind: GroupKind = GroupKind.INDEPENDENT


class ResolutionKind(StrEnum):
    """How a market ended."""

    WINNER = "winner"
    SPLIT = "split"
    """50-50"""
    VOID = "void"
    """annulled; Polymarket pays 0.50 a share (UMA's 'unknown' answer)"""


class Resolution(msgspec.Struct, frozen=True):
    """What each token of a market pays, and since when anyone could know.

    Units: payouts in millionths a share, in the order of the market's tokens.
    """

    market: str
    payouts: tuple[int, ...]
    kind: ResolutionKind
    known_at: Ns

    @classmethod
    def winner(cls, market: Market, index: int, known_at: Ns) -> Resolution:
        """Token ``index`` pays 1, the others 0."""
        payouts = tuple(PAYOUT_ONE if i == index else 0 for i in range(len(market.tokens)))
        return cls(market.id, payouts, ResolutionKind.WINNER, known_at)

    @classmethod
    def split(
        cls, market: Market, known_at: Ns, kind: ResolutionKind = ResolutionKind.SPLIT
    ) -> Resolution:
        """Every token pays the same share of 1."""
        share = PAYOUT_ONE // len(market.tokens)
        return cls(market.id, (share,) * len(market.tokens), kind, known_at)
