"""A whole venue in one object: give it orders, let its time pass, ask what happened.

It never waits, reads no clock and draws no chance but from its seed: the same calls give the same
answers, ids and hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from polyframe.sandbox.venue.accounts import Accounts, Wallet
from polyframe.sandbox.venue.history import History
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import (
    MOST,
    Audit,
    Balance,
    Beat,
    Cancelled,
    Levels,
    Listing,
    Order,
    Placed,
    Refused,
    SignedOrder,
    Told,
    Trade,
)
from polyframe.sandbox.venue.settings import Settings


class Venue:
    """The venue. All amounts and times are integers, see ``records``."""

    chain_id = 80_002
    now: int
    """ns UTC; only ``advance`` moves it"""
    markets: dict[str, Market]
    """by condition id"""
    tokens: dict[str, tuple[Market, int]]
    """by token id: its market and the outcome's index"""
    accounts: Accounts
    history: History
    mode: Refused | None
    """what every new order is answered while trading is halted; see ``post_only`` too"""
    post_only: Refused | None
    """what an order that is not post-only is answered after a restart"""

    def __init__(self, settings: Settings | None = None, *, now: int = 0) -> None:
        raise NotImplementedError

    # ---- markets ---------------------------------------------------------------------------------

    def list_market(self, listing: Listing, *, opened: bool = True) -> Market:
        """The new market; it takes orders at once unless ``opened`` is False.

        Raises:
            UserError: an id is listed already, or a term is out of range.
        """
        raise NotImplementedError

    def open_market(self, condition_id: str) -> None:
        """Lets a listed or paused market take orders."""
        raise NotImplementedError

    def pause_market(self, condition_id: str) -> None:
        """Stops a market from taking orders; what rests stays and can be cancelled."""
        raise NotImplementedError

    def start_game(self, condition_id: str) -> None:
        """Cancels all that rests, as the venue does when a game begins."""
        raise NotImplementedError

    def set_tick(self, condition_id: str, tick: int) -> None:
        """Another tick; what rests stays where it is."""
        raise NotImplementedError

    # ---- wallets ---------------------------------------------------------------------------------

    def wallet(self, address: str) -> Wallet:
        """The wallet of an address in any case of letters; a new empty one if it is not known."""
        raise NotImplementedError

    def fund(self, address: str, money: int) -> None:
        """Brings pUSD from outside into a wallet."""
        raise NotImplementedError

    def withdraw(self, address: str, money: int) -> Refused | None:
        """Takes pUSD out; orders that it no longer covers are cancelled."""
        raise NotImplementedError

    def approve(self, address: str, *, money: int = MOST, shares: bool = True) -> None:
        """What the exchanges may move of a wallet; everything, unless it is set."""
        raise NotImplementedError

    def balance(self, address: str, token_id: str | None = None) -> Balance:
        """What a wallet has of pUSD, or of a token."""
        raise NotImplementedError

    # ---- orders ----------------------------------------------------------------------------------

    def place(
        self,
        order: SignedOrder,
        *,
        owner: str,
        order_type: str,
        post_only: bool = False,
        defer: bool = False,
    ) -> Placed | Refused:
        """The answer to an order whose signature and key are right; ``owner`` is the key's id.

        With ``defer`` the caller does not wait for the match: the order is taken all the same.
        """
        raise NotImplementedError

    def submit(
        self,
        address: str,
        token_id: str,
        side: str,
        price: int,
        size: int,
        *,
        order_type: str = "GTC",
        expiration: int = 0,
        post_only: bool = False,
        budget: int = 0,
    ) -> Placed | Refused:
        """The answer to an order without a signature, for agents inside the sandbox.

        It passes every rule that a signed one passes. ``budget`` > 0 is the money of a FOK or FAK
        BUY. Its owner is ``Wallet.owner``.
        """
        raise NotImplementedError

    def outcome(self, order_id: str) -> Placed | Refused:
        """What became of an order whose answer was held back (``Placed.ready_at``)."""
        raise NotImplementedError

    def cancel(self, owner: str, order_ids: Sequence[str]) -> Cancelled:
        """Cancels orders of one key."""
        raise NotImplementedError

    def cancel_all(self, owner: str) -> Cancelled:
        """Cancels all orders of one key."""
        raise NotImplementedError

    def cancel_market(
        self, owner: str, market: str | None = None, asset_id: str | None = None
    ) -> Cancelled:
        """Cancels a key's orders in one market, for one token, or all."""
        raise NotImplementedError

    def heartbeat(self, owner: str, heartbeat_id: str) -> Beat:
        """Keeps a key's orders alive; the first call arms it."""
        raise NotImplementedError

    def order(self, order_id: str) -> Order | None:
        """An order that is open or was not long ago."""
        raise NotImplementedError

    def orders_of(
        self, owner: str, *, market: str | None = None, asset_id: str | None = None
    ) -> list[Order]:
        """A key's open orders, oldest first."""
        raise NotImplementedError

    def trades_of(
        self, owner: str, *, market: str | None = None, asset_id: str | None = None
    ) -> list[Trade]:
        """Trades that a key's orders were part of, newest first."""
        raise NotImplementedError

    def scoring(self, order_id: str) -> bool:
        """Whether an order would earn liquidity rewards if it were sampled now."""
        raise NotImplementedError

    # ---- books -----------------------------------------------------------------------------------

    def book(self, token_id: str) -> Levels:
        """What rests for a token, in its own price; a bid for one outcome offers the other.

        Raises:
            UserError: there is no such token.
        """
        raise NotImplementedError

    def last_trade(self, token_id: str) -> tuple[int, str] | None:
        """Price in the token's terms and side of the last trade; None before the first."""
        raise NotImplementedError

    # ---- positions -------------------------------------------------------------------------------

    def split(self, address: str, condition_id: str, size: int) -> Refused | None:
        """Turns pUSD into pairs of both outcomes."""
        raise NotImplementedError

    def merge(self, address: str, condition_id: str, size: int) -> Refused | None:
        """Turns pairs of both outcomes into pUSD."""
        raise NotImplementedError

    def redeem(self, address: str, condition_id: str) -> Refused | int:
        """Turns what a wallet holds of a resolved market into pUSD, and says how much that was."""
        raise NotImplementedError

    def convert(
        self, address: str, neg_risk_market_id: str, condition_ids: Sequence[str], size: int
    ) -> Refused | None:
        """Turns NO of k outcomes of an event into k - 1 pUSD and YES of all other outcomes."""
        raise NotImplementedError

    # ---- the oracle ------------------------------------------------------------------------------

    def propose(self, condition_id: str, winner: int) -> None:
        """Proposes an answer (-1: one half each); it stands when nobody disputes it in time."""
        raise NotImplementedError

    def dispute(self, condition_id: str) -> None:
        """Disputes a proposed answer; only ``resolve`` ends that."""
        raise NotImplementedError

    def resolve(self, condition_id: str, winner: int) -> None:
        """Makes an answer final.

        Raises:
            UserError: it is resolved already, or the answer cannot be right beside those of the
                event's other markets.
        """
        raise NotImplementedError

    # ---- time ------------------------------------------------------------------------------------

    def advance(self, until: int) -> None:
        """Lets time pass; all that falls due happens at its own moment, in order."""
        raise NotImplementedError

    def schedule(self, at: int, action: Callable[[], None]) -> None:
        """Calls ``action`` when the venue's time is ``at``."""
        raise NotImplementedError

    def next_at(self) -> int | None:
        """When something falls due next."""
        raise NotImplementedError

    def drain(self) -> list[Told]:
        """What happened since the last call, in order."""
        raise NotImplementedError

    def audit(self, *, full: bool = False) -> Audit:
        """Whether everything is accounted for.

        The quick audit compares running totals and what changed since the last one, the full one
        counts every wallet, order and trade again.
        """
        raise NotImplementedError
