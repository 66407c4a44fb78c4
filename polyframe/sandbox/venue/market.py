"""A listed market and where in its life it stands."""

from __future__ import annotations

from typing import Final

from polyframe.errors import UserError
from polyframe.exchanges.sim.orderbook import OrderBook
from polyframe.sandbox.venue.records import PRICE_ONE, Levels, Listing, Order, State

TICKS: Final = {1_000: (1, 3), 100: (2, 4), 50: (3, 5), 25: (4, 6), 10: (3, 5), 1: (4, 6)}
"""decimals of prices and of amounts by tick. Source: py-clob-client-v2 1.2.1."""

BOTH: Final = -1
"""the answer that pays one half for each outcome"""

WAYS: Final = {
    State.LISTED: (State.OPEN, State.PROPOSED, State.RESOLVED),
    State.OPEN: (State.PAUSED, State.PROPOSED, State.RESOLVED),
    State.PAUSED: (State.OPEN, State.PROPOSED, State.RESOLVED),
    State.PROPOSED: (State.DISPUTED, State.RESOLVED),
    State.DISPUTED: (State.PROPOSED, State.RESOLVED),
    State.RESOLVED: (),
}
"""from a state to those that may follow"""


class Market:
    """A market as it is now; its terms are ``listing``."""

    __slots__ = (
        "accepting_since",
        "book",
        "closed_at",
        "collateral",
        "condition_id",
        "disputes",
        "dust",
        "held",
        "last_outcome",
        "last_price",
        "last_side",
        "listed_at",
        "listing",
        "proposals",
        "proposed",
        "resolved_at",
        "resting",
        "state",
        "supply",
        "tick",
        "traded",
        "volume",
        "waiting",
        "winner",
    )

    def __init__(self, listing: Listing, now: int) -> None:
        self.listing = listing
        self.condition_id = listing.condition_id
        self.state = State.LISTED
        self.tick = listing.tick
        self.listed_at = now
        self.accepting_since = 0
        self.closed_at = 0
        """when its book went; 0 before"""
        self.resolved_at = 0
        """when its answer became final; 0 before"""
        self.proposed: int | None = None
        """the answer that was proposed: an outcome's index, BOTH for one half each"""
        self.proposals = 0
        self.disputes = 0
        self.winner: int | None = None
        """the final answer"""
        self.book = OrderBook()
        self.resting: dict[int, Order] = {}
        """orders in the book by slot"""
        self.waiting: dict[str, Order] = {}
        """orders that the market's delay holds back"""
        self.last_price = 0
        """of the last trade in YES price; 0 before the first"""
        self.last_outcome = 0
        self.last_side = ""
        self.volume = 0
        """money that takers paid and got, all time"""
        self.traded = 0
        """shares that takers bought and sold, all time"""
        self.supply = [0, 0]
        """shares of each outcome that were made and not burnt"""
        self.held = [0, 0]
        """shares of each outcome in wallets"""
        self.collateral = 0
        """money behind them"""
        self.dust = 0
        """halves of a unit that were too small to pay out"""

    @property
    def accepting(self) -> bool:
        """It takes orders."""
        return self.state is State.OPEN

    @property
    def closed(self) -> bool:
        """Its answer is final."""
        return self.state is State.RESOLVED

    @property
    def booked(self) -> bool:
        """It has a book; without one the venue answers as if it did not know the token."""
        return self.state is State.OPEN or self.state is State.PAUSED

    @property
    def bid(self) -> int:
        """The best bid for YES; 0 for none."""
        return self.book.bid

    @property
    def ask(self) -> int:
        """The best offer of YES; 10000 for none."""
        return self.book.ask

    def go(self, state: State) -> State:
        """Enters another state and gives the one it leaves.

        Raises:
            UserError: that state cannot follow.
        """
        old = self.state
        if state not in WAYS[old]:
            allowed = ", ".join(WAYS[old]) or "nothing"
            raise UserError(
                f"market {self.condition_id} is {old} and cannot become {state}",
                expected=f"after {old} comes {allowed}",
            )
        self.state = state
        return old

    def payout(self, outcome: int) -> int:
        """What two shares of an outcome pay, in shares' units: 2, 1 or 0."""
        if self.winner == BOTH:
            return 1
        return 2 if self.winner == outcome else 0

    def levels(self, outcome: int) -> Levels:
        """What rests, in the price of an outcome, best first."""
        bids, asks = self.book.levels(1), self.book.levels(-1)
        if outcome:
            bids, asks = (
                [(PRICE_ONE - price, size) for price, size in asks],
                [(PRICE_ONE - price, size) for price, size in bids],
            )
        return Levels(tuple(bids), tuple(asks))

    def balanced(self) -> bool:
        """Shares in wallets are those that exist, and the money behind them is what they pay."""
        if self.held != self.supply:
            return False
        if self.winner is None:
            return self.supply[0] == self.supply[1] == self.collateral
        owed = self.supply[0] * self.payout(0) + self.supply[1] * self.payout(1)
        return 2 * self.collateral == owed + self.dust
