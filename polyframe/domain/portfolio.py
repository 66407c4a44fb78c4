"""What is owned: a fold of fills, splits, merges, redemptions and payments.

The four ``book_*`` functions are the only place where cash and shares change. The engine's int64
arrays and :class:`Portfolio` both call them, so that they cannot disagree.

For every run, whatever happened in it, to the unit::

    cash == deposits - cost of open positions + realised - fees + rewards
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from polyframe.domain.orders import Side
from polyframe.domain.units import Money, Ns, Price, Size, cost_of, payout_of, proceeds_of
from polyframe.errors import InvariantError


class Fill(msgspec.Struct, frozen=True, gc=False):
    """One execution of an own order. ``trade`` is unique per venue trade and order."""

    trade: str
    order: str
    ledger: str
    market: str
    token: str
    side: Side
    price: Price
    size: Size
    fee: Money
    ts: Ns
    maker: bool = False
    reason: str = ""


class Holding(NamedTuple):
    """Shares of one token with what they cost, fees not included.

    Units: shares in size units; cost, realised and fees in money.
    """

    shares: Size = 0
    cost: Money = 0
    realised: Money = 0
    fees: Money = 0


class Booked(NamedTuple):
    """A holding after an entry, and the cash that entry moved."""

    holding: Holding
    cash: Money


def book_fill(
    held: Holding, side: Side, price: Price, size: Size, fee: Money, divisor: int
) -> Booked:
    """Books an execution. A sale takes its share of the cost out, rounded down.

    Raises:
        InvariantError: more is sold than is held.
    """
    if side == Side.BUY:
        paid = cost_of(price, size, divisor)
        return Booked(_added(held, size, paid, fee), -paid - fee)
    if size > held.shares:
        raise InvariantError(f"sale of {size} from a holding of {held.shares}")
    taken = _cost_share(held, size)
    received = proceeds_of(price, size, divisor)
    return Booked(
        Holding(
            held.shares - size,
            held.cost - taken,
            held.realised + received - taken,
            held.fees + fee,
        ),
        received - fee,
    )


def unbook_fill(
    held: Holding, side: Side, price: Price, size: Size, fee: Money, divisor: int
) -> Booked:
    """Reverses a provisional execution whose settlement failed.

    The cost of a reversed purchase leaves at the average cost of what is held now; the difference
    to what was paid goes to ``realised``, so that the books still balance to the unit. Shares may
    become negative when some of them were sold on in the meantime: the venue's reconciliation has
    to settle that, it is not hidden here.
    """
    if side == Side.BUY:
        paid = cost_of(price, size, divisor)
        taken = _cost_share(held, size) if held.shares >= size > 0 else held.cost
        return Booked(
            Holding(
                held.shares - size,
                held.cost - taken,
                held.realised + paid - taken,
                held.fees - fee,
            ),
            paid + fee,
        )
    received = proceeds_of(price, size, divisor)
    return Booked(_added(held, size, received, -fee), -received + fee)


def book_split(
    yes: Holding, no: Holding, size: Size, size_decimals: int
) -> tuple[Holding, Holding, Money]:
    """Money becomes as many shares of each side. Returns both holdings and the cash moved."""
    paid = -payout_of(-1_000_000, size, size_decimals)
    half = paid // 2
    return (
        _added(yes, size, paid - half),
        _added(no, size, half),
        -paid,
    )


def book_merge(
    yes: Holding, no: Holding, size: Size, size_decimals: int
) -> tuple[Holding, Holding, Money]:
    """Pairs of shares become money again; each side is taken to have fetched half."""
    if size > min(yes.shares, no.shares):
        raise InvariantError(f"merge of {size} pairs from {yes.shares} and {no.shares}")
    received = payout_of(1_000_000, size, size_decimals)
    half = received // 2
    taken_yes, taken_no = _cost_share(yes, size), _cost_share(no, size)
    return (
        Holding(
            yes.shares - size,
            yes.cost - taken_yes,
            yes.realised + received - half - taken_yes,
            yes.fees,
        ),
        Holding(no.shares - size, no.cost - taken_no, no.realised + half - taken_no, no.fees),
        received,
    )


def book_redemption(held: Holding, payout: int, size: Size, size_decimals: int) -> Booked:
    """Shares of a resolved market become their payout."""
    if size > held.shares:
        raise InvariantError(f"redemption of {size} from a holding of {held.shares}")
    taken = _cost_share(held, size)
    received = payout_of(payout, size, size_decimals)
    return Booked(
        Holding(held.shares - size, held.cost - taken, held.realised + received - taken, held.fees),
        received,
    )


def _added(held: Holding, size: Size, cost: Money, fee: Money = 0) -> Holding:
    shares, cost = held.shares + size, held.cost + cost
    if shares > 0:
        return Holding(shares, cost, held.realised, held.fees + fee)
    # Shares that were owed after a reversal: paying for them is a loss, nothing is held for it.
    return Holding(shares, 0, held.realised - cost, held.fees + fee)


def _cost_share(held: Holding, size: Size) -> Money:
    if size == held.shares:
        return held.cost
    return held.cost * size // held.shares


class Position(msgspec.Struct, frozen=True, gc=False):
    """A holding as a strategy sees it. ``free`` shares are not reserved by an open sell order."""

    ledger: str
    market: str
    token: str
    shares: Size
    free: Size
    cost: Money
    realised: Money
    fees: Money
    opened: Ns = 0
    """when the first of these shares came"""
    high: Price = 0
    """the highest bid since, where the strategy declares exits"""

    @property
    def average_price(self) -> float:
        """Money paid a share, fees not included; 0.0 when nothing is held."""
        return self.cost / self.shares if self.shares else 0.0


class Account(msgspec.Struct, frozen=True, gc=False):
    """A ledger's money at one moment. ``equity`` values positions at the bid, never at the mid."""

    ledger: str
    cash: Money
    free: Money
    equity: Money
    realised: Money
    fees: Money
    open_positions: int
    day_start_equity: Money
    peak_equity: Money


class Portfolio:
    """Folds entries into cash and holdings, one ledger per strategy instance.

    Used where there is no engine: reports, recovery checks, reconciliation.
    """

    def __init__(self, deposits: dict[str, Money]) -> None:
        self.deposits: dict[str, Money] = dict(deposits)
        self.cash: dict[str, Money] = dict(deposits)
        self.rewards: dict[str, Money] = dict.fromkeys(deposits, 0)
        self.holdings: dict[tuple[str, str], Holding] = {}

    def holding(self, ledger: str, token: str) -> Holding:
        """What a ledger holds of a token."""
        return self.holdings.get((ledger, token), Holding())

    def fill(self, fill: Fill, divisor: int) -> None:
        """Books one of our executions."""
        key = (fill.ledger, fill.token)
        booked = book_fill(self.holding(*key), fill.side, fill.price, fill.size, fill.fee, divisor)
        self._put(key, booked)

    def reverse(self, fill: Fill, divisor: int) -> None:
        """Takes back an execution whose settlement failed."""
        key = (fill.ledger, fill.token)
        booked = unbook_fill(
            self.holding(*key), fill.side, fill.price, fill.size, fill.fee, divisor
        )
        self._put(key, booked)

    def split(self, ledger: str, yes: str, no: str, size: Size, size_decimals: int) -> None:
        """Money into pairs."""
        a, b, cash = book_split(
            self.holding(ledger, yes), self.holding(ledger, no), size, size_decimals
        )
        self._pair(ledger, yes, no, a, b, cash)

    def merge(self, ledger: str, yes: str, no: str, size: Size, size_decimals: int) -> None:
        """Pairs into money."""
        a, b, cash = book_merge(
            self.holding(ledger, yes), self.holding(ledger, no), size, size_decimals
        )
        self._pair(ledger, yes, no, a, b, cash)

    def redeem(self, ledger: str, token: str, payout: int, size: Size, size_decimals: int) -> None:
        """Resolved shares into their payout."""
        key = (ledger, token)
        self._put(key, book_redemption(self.holding(*key), payout, size, size_decimals))

    def reward(self, ledger: str, amount: Money) -> None:
        """Rewards and rebates paid by the venue."""
        self.rewards[ledger] += amount
        self.cash[ledger] += amount

    def deposit(self, ledger: str, amount: Money) -> None:
        """Money put in (or taken out, negative)."""
        self.deposits[ledger] = self.deposits.get(ledger, 0) + amount
        self.cash[ledger] = self.cash.get(ledger, 0) + amount
        self.rewards.setdefault(ledger, 0)

    def imbalance(self, ledger: str) -> Money:
        """Zero, always: deposits - cost + realised - fees + rewards - cash."""
        held = self._held(ledger)
        return (
            self.deposits[ledger]
            - sum(h.cost for h in held)
            + sum(h.realised for h in held)
            - sum(h.fees for h in held)
            + self.rewards[ledger]
            - self.cash[ledger]
        )

    def _held(self, ledger: str) -> Iterable[Holding]:
        return [h for (name, _), h in self.holdings.items() if name == ledger]

    def _put(self, key: tuple[str, str], booked: Booked) -> None:
        self.holdings[key] = booked.holding
        self.cash[key[0]] += booked.cash

    def _pair(self, ledger: str, yes: str, no: str, a: Holding, b: Holding, cash: Money) -> None:
        self.holdings[(ledger, yes)] = a
        self.holdings[(ledger, no)] = b
        self.cash[ledger] += cash
