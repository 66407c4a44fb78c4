"""The books balance to the unit whatever happens, and agree with a slow independent twin."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from polyframe.domain.orders import Side
from polyframe.domain.portfolio import (
    Account,
    Fill,
    Holding,
    Portfolio,
    Position,
    book_fill,
    book_merge,
    book_redemption,
)
from polyframe.domain.units import money_divisor, taker_fee
from polyframe.errors import InvariantError

CENT6 = Decimal("0.000001")
LEDGERS = ("alpha", "beta")
# (yes token, no token, price decimals, size decimals): fine and coarse sizes both round.
MARKETS = (("y1", "n1", 4, 6), ("y2", "n2", 4, 6), ("y3", "n3", 4, 8))
PAYOUTS = (0, 1_000_000, 500_000, 333_333)


class Twin:
    """The same books in decimal money and shares, written from the rules and nothing else."""

    def __init__(self) -> None:
        self.cash = dict.fromkeys(LEDGERS, Decimal(0))
        self.put_in = dict.fromkeys(LEDGERS, Decimal(0))
        self.shares: dict[tuple[str, str], Decimal] = {}
        self.fees = dict.fromkeys(LEDGERS, Decimal(0))

    def move(self, ledger: str, token: str, shares: Decimal) -> None:
        self.shares[ledger, token] = self.shares.get((ledger, token), Decimal(0)) + shares

    def pay(self, ledger: str, amount: Decimal) -> None:
        self.cash[ledger] -= amount.quantize(CENT6, ROUND_CEILING)

    def receive(self, ledger: str, amount: Decimal) -> None:
        self.cash[ledger] += amount.quantize(CENT6, ROUND_FLOOR)

    def trade(self, ledger: str, token: str, side: Side, price: Decimal, size: Decimal) -> None:
        if side is Side.BUY:
            self.pay(ledger, price * size)
        else:
            self.receive(ledger, price * size)
        self.move(ledger, token, side * size)

    def fee(self, ledger: str, fee: Decimal) -> None:
        self.cash[ledger] -= fee
        self.fees[ledger] += fee


def dec(units: int, decimals: int = 6) -> Decimal:
    return Decimal(units).scaleb(-decimals)


class Books(RuleBasedStateMachine):
    """A random life of two ledgers."""

    fills = Bundle("fills")

    @initialize(start=st.integers(0, 10**9))
    def open(self, start: int) -> None:
        self.books = Portfolio(dict.fromkeys(LEDGERS, start))
        self.twin = Twin()
        self.count = 0
        self.settled: set[str] = set()
        for ledger in LEDGERS:
            self.twin.cash[ledger] = self.twin.put_in[ledger] = dec(start)

    @rule(
        target=fills,
        ledger=st.sampled_from(LEDGERS),
        market=st.sampled_from(MARKETS),
        yes=st.booleans(),
        price=st.integers(1, 9_999),
        size=st.integers(1, 5 * 10**8),
        sell=st.booleans(),
        taker=st.booleans(),
    )
    def fill(
        self,
        ledger: str,
        market: tuple[str, str, int, int],
        yes: bool,
        price: int,
        size: int,
        sell: bool,
        taker: bool,
    ) -> tuple[Fill, tuple[str, str, int, int]] | None:
        token = market[0] if yes else market[1]
        held = self.books.holding(ledger, token).shares
        if sell and held <= 0:
            return None
        side = Side.SELL if sell else Side.BUY
        size = min(size, held) if sell else size
        divisor = money_divisor(market[2], market[3])
        fee = taker_fee(price, size, 70_000, 1, 10_000, divisor) if taker else 0
        self.count += 1
        fill = Fill(str(self.count), "o", ledger, market[0], token, side, price, size, fee, 0)
        self.books.fill(fill, divisor)
        self.twin.trade(ledger, token, side, dec(price, 4), dec(size, market[3]))
        self.twin.fee(ledger, dec(fee))
        return fill, market

    @rule(made=st.one_of(fills))
    def reverse(self, made: tuple[Fill, tuple[str, str, int, int]] | None) -> None:
        if made is None or made[0].trade in self.settled:
            return
        fill, market = made
        self.settled.add(fill.trade)
        self.books.reverse(fill, money_divisor(market[2], market[3]))
        # The exact opposite of what was booked: the rounding that cost us comes back as well.
        amount = dec(fill.price, 4) * dec(fill.size, market[3])
        if fill.side is Side.BUY:
            self.twin.cash[fill.ledger] += amount.quantize(CENT6, ROUND_CEILING)
        else:
            self.twin.cash[fill.ledger] -= amount.quantize(CENT6, ROUND_FLOOR)
        self.twin.move(fill.ledger, fill.token, -fill.side * dec(fill.size, market[3]))
        self.twin.fee(fill.ledger, -dec(fill.fee))

    @rule(
        ledger=st.sampled_from(LEDGERS),
        market=st.sampled_from(MARKETS),
        size=st.integers(1, 10**8),
    )
    def split(self, ledger: str, market: tuple[str, str, int, int], size: int) -> None:
        self.books.split(ledger, market[0], market[1], size, market[3])
        self.twin.pay(ledger, dec(size, market[3]))
        self.twin.move(ledger, market[0], dec(size, market[3]))
        self.twin.move(ledger, market[1], dec(size, market[3]))

    @rule(
        ledger=st.sampled_from(LEDGERS),
        market=st.sampled_from(MARKETS),
        size=st.integers(1, 10**9),
    )
    def merge(self, ledger: str, market: tuple[str, str, int, int], size: int) -> None:
        pairs = min(self.books.holding(ledger, token).shares for token in market[:2])
        if pairs <= 0:
            return
        size = min(size, pairs)
        self.books.merge(ledger, market[0], market[1], size, market[3])
        self.twin.receive(ledger, dec(size, market[3]))
        self.twin.move(ledger, market[0], -dec(size, market[3]))
        self.twin.move(ledger, market[1], -dec(size, market[3]))

    @rule(
        ledger=st.sampled_from(LEDGERS),
        market=st.sampled_from(MARKETS),
        yes=st.booleans(),
        payout=st.sampled_from(PAYOUTS),
        part=st.integers(1, 4),
    )
    def redeem(
        self,
        ledger: str,
        market: tuple[str, str, int, int],
        yes: bool,
        payout: int,
        part: int,
    ) -> None:
        token = market[0] if yes else market[1]
        size = self.books.holding(ledger, token).shares // part
        if size <= 0:
            return
        self.books.redeem(ledger, token, payout, size, market[3])
        self.twin.receive(ledger, dec(payout) * dec(size, market[3]))
        self.twin.move(ledger, token, -dec(size, market[3]))

    @rule(ledger=st.sampled_from(LEDGERS), amount=st.integers(0, 10**7))
    def reward(self, ledger: str, amount: int) -> None:
        self.books.reward(ledger, amount)
        self.twin.cash[ledger] += dec(amount)

    @rule(ledger=st.sampled_from(LEDGERS), amount=st.integers(-(10**8), 10**8))
    def deposit(self, ledger: str, amount: int) -> None:
        self.books.deposit(ledger, amount)
        self.twin.cash[ledger] += dec(amount)

    @precondition(lambda self: hasattr(self, "books"))
    @invariant()
    def the_books_balance_and_the_twin_agrees(self) -> None:
        for ledger in LEDGERS:
            assert self.books.imbalance(ledger) == 0
            assert dec(self.books.cash[ledger]) == self.twin.cash[ledger]
            fees = sum(h.fees for (name, _), h in self.books.holdings.items() if name == ledger)
            assert dec(fees) == self.twin.fees[ledger]
        decimals = {token: m[3] for m in MARKETS for token in m[:2]}
        for (ledger, token), shares in self.twin.shares.items():
            assert dec(self.books.holding(ledger, token).shares, decimals[token]) == shares

    @precondition(lambda self: hasattr(self, "books"))
    @invariant()
    def what_is_not_held_has_no_cost(self) -> None:
        for holding in self.books.holdings.values():
            assert holding.cost >= 0
            assert holding.shares > 0 or holding.cost == 0


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=150, stateful_step_count=40)


@given(
    price=st.integers(1, 9_999),
    size=st.integers(1, 10**9),
    parts=st.lists(st.integers(1, 10**8), max_size=6),
)
def test_selling_out_in_parts_leaves_no_cost(price: int, size: int, parts: list[int]) -> None:
    held = book_fill(Holding(), Side.BUY, price, size, 0, 10_000).holding
    for part in [*parts, size]:
        if sold := min(part, held.shares):
            held = book_fill(held, Side.SELL, price, sold, 0, 10_000).holding
    assert (held.shares, held.cost) == (0, 0)
    assert -len(parts) - 2 <= held.realised <= 0


@given(size=st.integers(1, 10**10), decimals=st.integers(0, 8))
def test_a_pair_split_and_merged_never_earns(size: int, decimals: int) -> None:
    books = Portfolio({"a": 0})
    books.split("a", "y", "n", size, decimals)
    books.merge("a", "y", "n", size, decimals)
    assert books.cash["a"] in (0, -1)
    assert books.imbalance("a") == 0


@given(size=st.integers(1, 10**10))
def test_a_pair_redeemed_half_and_half_pays_at_most_one(size: int) -> None:
    books = Portfolio({"a": 0})
    books.split("a", "y", "n", size, 6)
    books.redeem("a", "y", 500_000, size, 6)
    books.redeem("a", "n", 500_000, size, 6)
    assert -2 <= books.cash["a"] <= 0
    assert books.imbalance("a") == 0


def test_a_reversed_purchase_leaves_nothing() -> None:
    books = Portfolio({"a": 10**9})
    fill = Fill("t", "o", "a", "m", "y", Side.BUY, 6_123, 1_234_567, 770, 0)
    books.fill(fill, 10_000)
    books.reverse(fill, 10_000)
    assert books.cash["a"] == 10**9
    assert books.holding("a", "y") == Holding()


def test_a_purchase_reversed_after_its_shares_were_sold_shows_what_is_owed() -> None:
    books = Portfolio({"a": 10**9})
    bought = Fill("t", "o", "a", "m", "y", Side.BUY, 6_000, 1_000_000, 0, 0)
    books.fill(bought, 10_000)
    books.fill(Fill("u", "p", "a", "m", "y", Side.SELL, 7_000, 400_000, 0, 0), 10_000)
    books.reverse(bought, 10_000)
    assert books.holding("a", "y").shares == -400_000
    assert books.imbalance("a") == 0


def test_paying_for_shares_that_are_owed_is_a_loss() -> None:
    owed = Holding(shares=-400_000)
    covered = book_fill(owed, Side.BUY, 5_000, 400_000, 0, 10_000)
    assert covered.holding == Holding(shares=0, cost=0, realised=-200_000)
    assert covered.cash == -200_000


def test_more_than_is_held_cannot_be_sold_merged_or_redeemed() -> None:
    one = Holding(shares=1_000_000, cost=500_000)
    with pytest.raises(InvariantError, match="sale of 1000001 from a holding of 1000000"):
        book_fill(one, Side.SELL, 5_000, 1_000_001, 0, 10_000)
    with pytest.raises(InvariantError, match="merge of 2 pairs"):
        book_merge(one, Holding(shares=1, cost=1), 2, 6)
    with pytest.raises(InvariantError, match="redemption of"):
        book_redemption(one, 500_000, 1_000_001, 6)


def test_ledgers_do_not_see_each_other() -> None:
    books = Portfolio({"a": 100, "b": 100})
    books.split("a", "y", "n", 50, 6)
    assert books.cash == {"a": 50, "b": 100}
    assert books.holding("b", "y") == Holding()


def test_a_deposit_opens_a_ledger() -> None:
    books = Portfolio({})
    books.deposit("late", 70)
    books.reward("late", 5)
    assert (books.cash["late"], books.imbalance("late")) == (75, 0)


def test_a_position_s_average_price() -> None:
    assert Position("a", "m", "y", 4, 4, 2, 0, 0).average_price == 0.5
    assert Position("a", "m", "y", 0, 0, 0, 9, 0).average_price == 0.0
    assert Account("a", 1, 1, 1, 0, 0, 0, 1, 1).equity == 1
