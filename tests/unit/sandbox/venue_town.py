"""A small town for the venue's tests: a venue, its markets and people with money."""

from __future__ import annotations

from polyframe.sandbox.venue.records import (
    BUY,
    FeeTerms,
    Listing,
    Placed,
    Refused,
    RewardTerms,
    SignedOrder,
    Told,
)
from polyframe.sandbox.venue.settings import Settings
from polyframe.sandbox.venue.venue import Venue

START = 1_790_000_000_000_000_000
SECOND, MINUTE, HOUR, DAY = 10**9, 60 * 10**9, 3_600 * 10**9, 86_400 * 10**9
SHARE = DOLLAR = 1_000_000
ANN, BOB, CEM, DEE = (f"0x{letter * 40}" for letter in "abcd")
POLITICS = FeeTerms(rate=40_000, rebate_rate=250_000, kind="politics_fees")
EVENT = "0x" + "e" * 64


def listing(number: int = 1, **terms: object) -> Listing:
    """Terms of a market whose ids follow from a number."""
    ids = str(10**76 + 2 * number), str(10**76 + 2 * number + 1)
    return Listing(condition_id=f"0x{number:064x}", tokens=ids, **terms)  # type: ignore[arg-type]


class Town:
    """A venue with one market, whose settlement is at once unless it is told otherwise."""

    def __init__(self, settings: Settings | None = None, money: int = 10_000, **terms: object):
        at_once = Settings(mined_after=0, confirmed_after=0, retry_after=0, jitter=0)
        self.venue = Venue(settings or at_once, now=START)
        self.market = self.venue.list_market(listing(**terms))
        self.id = self.market.condition_id
        self.yes, self.no = self.market.listing.tokens
        self.signed = 0
        for address in (ANN, BOB, CEM, DEE):
            if money:
                self.venue.fund(address, money * DOLLAR)
        self.venue.drain()

    def rest(self, who: str, token: str, side: str, price: int, shares: float, **more: object):
        """An order of so many shares that must be taken; its id."""
        placed = self.send(who, token, side, price, shares, **more)
        assert isinstance(placed, Placed), placed
        return placed.order_id

    def send(
        self, who: str, token: str, side: str, price: int, shares: float, **more: object
    ) -> Placed | Refused:
        """The answer to an unsigned order."""
        size = round(shares * SHARE)
        return self.venue.submit(who, token, side, price, size, **more)  # type: ignore[arg-type]

    def sign(
        self,
        who: str,
        token: str,
        side: str,
        money: int,
        size: int,
        order_type: str = "GTC",
        *,
        key: str = "",
        expiration: int = 0,
        hash: str = "",
        **more: bool,
    ) -> Placed | Refused:
        """The answer to a signed order, by its amounts; its key is the wallet's address."""
        self.signed += 1
        maker, taker = (money, size) if side == BUY else (size, money)
        order = SignedOrder(
            hash or f"0x{self.signed:064x}", who, who, token, maker, taker, side, expiration
        )
        return self.venue.place(order, owner=key or who, order_type=order_type, **more)

    def market_buy(self, who: str, token: str, price: int, dollars: float, kind: str = "FOK"):
        """The answer to a BUY that spends money."""
        budget = round(dollars * DOLLAR)
        return self.venue.submit(who, token, BUY, price, SHARE, order_type=kind, budget=budget)

    def later(self, ns: int) -> None:
        self.venue.advance(self.venue.now + ns)

    def money(self, who: str) -> int:
        return self.venue.balance(who).balance

    def shares(self, who: str, token: str) -> int:
        return self.venue.balance(who, token).balance

    def told(self, kind: type[Told]) -> list[Told]:
        """What happened of one kind since the last call; the rest is forgotten."""
        return [told for told in self.venue.drain() if isinstance(told, kind)]

    def sound(self) -> None:
        """Everything is accounted for, and every wallet's money follows from its history."""
        for audit in (self.venue.audit(), self.venue.audit(full=True)):
            assert audit.faults == ()


def from_history(venue: Venue, who: str) -> int:
    """What a wallet's money must be by what its history says of it."""
    money = 0
    for act in venue.history.acts(who, limit=10**6):
        if act.kind in {"DEPOSIT", "REWARD", "MAKER_REBATE", "YIELD"}:
            money += act.money
        elif act.kind == "WITHDRAWAL":
            money -= act.money
    return money + sum(p.realized - p.cost - p.fees for p in venue.history.positions(wallet=who))


REWARDS = RewardTerms(daily=1_440 * DOLLAR, min_size=10 * SHARE, max_spread=300)
