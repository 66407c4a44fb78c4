"""A listed market and where in its life it stands."""

from __future__ import annotations

from polyframe.sandbox.venue.records import Listing, State


class Market:
    """A market as it is now; its terms are ``listing``."""

    listing: Listing
    condition_id: str
    state: State
    tick: int
    listed_at: int
    accepting_since: int
    closed_at: int
    """when its book went; 0 before"""
    proposed: int | None
    """the answer that was proposed: an outcome's index, -1 for one half each"""
    winner: int | None
    """the final answer"""
    disputes: int
    last_price: int
    """of the last trade in YES price; 0 before the first"""
    last_outcome: int
    last_side: str
    volume: int
    """money that changed hands, all time"""
    supply: list[int]
    """shares of each outcome that exist"""
    collateral: int
    """money behind them"""

    @property
    def accepting(self) -> bool:
        """It takes orders."""
        return self.state is State.OPEN

    @property
    def closed(self) -> bool:
        """Its answer is final."""
        return self.state is State.RESOLVED

    @property
    def bid(self) -> int:
        """The best bid for YES; 0 for none."""
        raise NotImplementedError

    @property
    def ask(self) -> int:
        """The best offer of YES; 10000 for none."""
        raise NotImplementedError
