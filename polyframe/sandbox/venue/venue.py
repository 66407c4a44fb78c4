"""A whole venue in one object: give it orders, let its time pass, ask what happened.

It never waits, reads no clock and draws no chance but from its seed: the same calls give the same
answers, ids and hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from polyframe.domain.units import MINUTE, ceil_div
from polyframe.errors import UserError
from polyframe.sandbox.venue import auditing
from polyframe.sandbox.venue.accounts import Accounts, Group, Wallet
from polyframe.sandbox.venue.cancelling import Cancelling
from polyframe.sandbox.venue.check import RESTING
from polyframe.sandbox.venue.floor import Floor
from polyframe.sandbox.venue.holding import Holding
from polyframe.sandbox.venue.indexing import Indexer
from polyframe.sandbox.venue.listing import checked, checked_tick
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.matching import Match, own_tokens
from polyframe.sandbox.venue.paying import Paying
from polyframe.sandbox.venue.records import (
    BUY,
    MOST,
    PRICE_ONE,
    Audit,
    Balance,
    Beat,
    Cancelled,
    Levels,
    Listing,
    MarketListed,
    Order,
    Placed,
    Refused,
    SignedOrder,
    State,
    Told,
    Trade,
)
from polyframe.sandbox.venue.resolving import Resolving
from polyframe.sandbox.venue.settings import Settings
from polyframe.sandbox.venue.settling import Settling
from polyframe.sandbox.venue.trading import Trading, set_tick


class Venue:
    """The venue. All amounts and times are integers, see ``records``.

    ``markets`` are known by condition id, ``tokens`` by token id, with the outcome's index.
    """

    chain_id = 80_002

    def __init__(self, settings: Settings | None = None, *, now: int = 0) -> None:
        self.settings = settings or Settings()
        self._floor = Floor(self.settings, now)
        self.markets: dict[str, Market] = self._floor.markets
        self.tokens: dict[str, tuple[Market, int]] = self._floor.tokens
        self.accounts: Accounts = self._floor.accounts
        self.history: Indexer = self._floor.history
        self.paying = Paying(self._floor)
        """rewards, rebates and interest"""
        self.settling = Settling(self._floor, self._mined)
        """matches on their way, and their failures"""
        self.paced: list[Callable[[float], None]] = []
        """who wants to know how fast time passes"""
        self._cancelling = Cancelling(self._floor)
        self._trading = Trading(self._floor, self._cancelling, self.settling)
        self._holding = Holding(self._floor, self._cancelling)
        self.resolving = Resolving(self._floor, self._cancelling, self._holding)
        self._floor.clock.at((now // MINUTE + 1) * MINUTE, self._minute)

    @property
    def now(self) -> int:
        """The venue's time in ns UTC; only ``advance`` moves it."""
        return self._floor.clock.now

    def halt(self, answer: Refused | None) -> None:
        """Answers every new order so, until it is called with None."""
        self._trading.halted = answer

    def post_only(self, answer: Refused | None) -> None:
        """Answers every order that is not post-only so, until it is called with None."""
        self._trading.only_post = answer

    # ---- markets ---------------------------------------------------------------------------------

    def list_market(self, listing: Listing, *, opened: bool = True) -> Market:
        """The new market; it takes orders at once unless ``opened`` is False.

        Raises:
            UserError: an id is listed already, or a term is out of range.
        """
        checked(listing, self._floor)
        market = Market(listing, self.now)
        self.markets[market.condition_id] = market
        for outcome, token in enumerate(listing.tokens):
            self.tokens[token] = (market, outcome)
        if listing.neg_risk_market_id:
            groups = self.accounts.groups
            group = groups.setdefault(listing.neg_risk_market_id, Group(listing.neg_risk_market_id))
            group.markets.append(market)
        if listing.clear_book_on_start and listing.game_start > self.now:
            self._floor.clock.at(listing.game_start, self.start_game, market.condition_id)
        self.paying.listed(market)
        self._floor.outbox.append(MarketListed(self.now, market.condition_id))
        if opened:
            self.resolving.enter(market, State.OPEN)
        return market

    def open_market(self, condition_id: str) -> None:
        """Lets a listed or paused market take orders."""
        self.resolving.enter(self._floor.market(condition_id), State.OPEN)

    def pause_market(self, condition_id: str) -> None:
        """Stops a market from taking orders; what rests stays and can be cancelled."""
        self.resolving.enter(self._floor.market(condition_id), State.PAUSED)

    def start_game(self, condition_id: str) -> None:
        """Cancels all that rests, as the venue does when a game begins."""
        self._cancelling.wipe(self._floor.market(condition_id), "CANCELED")

    def set_tick(self, condition_id: str, tick: int) -> None:
        """Another tick; what rests stays where it is.

        Raises:
            UserError: no such market, or no such tick.
        """
        set_tick(self._floor, self._floor.market(condition_id), checked_tick(tick))

    # ---- wallets ---------------------------------------------------------------------------------

    def wallet(self, address: str) -> Wallet:
        """The wallet of an address in any case of letters; a new empty one if it is not known."""
        return self.accounts.wallet(address, self.now)

    def fund(self, address: str, money: int) -> None:
        """Brings pUSD from outside into a wallet.

        Raises:
            UserError: ``money`` is not above 0.
        """
        if money <= 0:
            raise UserError(f"{money} cannot be brought in", expected="millionths of a pUSD > 0")
        wallet = self.wallet(address)
        self.accounts.deposit(wallet, money)
        self.history.moved(self.now, wallet.address, money)

    def withdraw(self, address: str, money: int) -> Refused | None:
        """Takes pUSD out; orders that it no longer covers are cancelled."""
        return self._holding.withdraw(self.wallet(address), money)

    def approve(self, address: str, *, money: int = MOST, shares: bool = True) -> None:
        """What the exchanges may move of a wallet; everything, unless it is set."""
        wallet = self.wallet(address)
        wallet.allowance, wallet.approved = money, shares

    def balance(self, address: str, token_id: str | None = None) -> Balance:
        """What a wallet has of pUSD, or of a token."""
        wallet = self.accounts.wallets.get(address.lower()) or Wallet(address, "")
        if token_id is None:
            return Balance(wallet.money, wallet.allowance, wallet.active, wallet.matched)
        return Balance(
            wallet.shares.get(token_id, 0),
            MOST if wallet.approved else 0,
            wallet.active_shares.get(token_id, 0),
            wallet.matched_shares.get(token_id, 0),
        )

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

        With ``defer`` the caller does not wait for the market's delay.
        """
        return self._trading.place(
            order, owner, order_type, post_only=post_only, defer=defer, signed=True
        )

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
        BUY, which ``size`` then says nothing about. Its owner is ``Wallet.owner``.
        """
        money = price * size // PRICE_ONE
        if budget and side == BUY and order_type not in RESTING:
            money, size = budget, ceil_div(budget * PRICE_ONE, max(price, 1)) // 100 * 100
        maker, taker = (money, size) if side == BUY else (size, money)
        wallet = self.wallet(address)
        made = SignedOrder(
            self._floor.ids.hash("order"),
            wallet.address,
            wallet.address,
            token_id,
            maker,
            taker,
            side,
            expiration,
        )
        return self._trading.place(
            made, wallet.owner, order_type, post_only=post_only, defer=False, signed=False
        )

    def outcome(self, order_id: str) -> Placed | Refused:
        """What became of an order whose answer was held back (``Placed.ready_at``)."""
        return self._trading.outcome(order_id)

    def cancel(self, owner: str, order_ids: Sequence[str]) -> Cancelled:
        """Cancels orders of one key."""
        return self._cancelling.cancel(owner, order_ids)

    def cancel_all(self, owner: str) -> Cancelled:
        """Cancels all orders of one key."""
        return self._cancelling.cancel_market(owner)

    def cancel_market(
        self, owner: str, market: str | None = None, asset_id: str | None = None
    ) -> Cancelled:
        """Cancels a key's orders in one market, for one token, or all."""
        return self._cancelling.cancel_market(owner, market, asset_id)

    def heartbeat(self, owner: str, heartbeat_id: str) -> Beat:
        """Keeps a key's orders alive; the first call arms it."""
        return self._cancelling.heartbeat(owner, heartbeat_id)

    def order(self, order_id: str) -> Order | None:
        """An order that is open or was not long ago."""
        return self._floor.orders.get(order_id)

    def orders_of(
        self, owner: str, *, market: str | None = None, asset_id: str | None = None
    ) -> list[Order]:
        """A key's open orders, oldest first."""
        return [
            order
            for order in self._floor.owned.get(owner, {}).values()
            if market in {None, order.condition_id} and asset_id in {None, order.token_id}
        ]

    def trades_of(
        self, owner: str, *, market: str | None = None, asset_id: str | None = None
    ) -> list[Trade]:
        """Trades that a key's signed orders were part of, newest first.

        ``asset_id`` is the token of the key's own side of them.
        """
        return [
            trade
            for trade in reversed(self._floor.trades.get(owner, ()))
            if market in {None, trade.condition_id}
            and (asset_id is None or asset_id in own_tokens(trade, owner))
        ]

    def scoring(self, order_id: str) -> bool:
        """Whether an order would earn liquidity rewards if it were sampled now."""
        return self.paying.scoring(order_id)

    # ---- books -----------------------------------------------------------------------------------

    def book(self, token_id: str) -> Levels:
        """What rests for a token, in its own price; a bid for one outcome offers the other.

        Raises:
            UserError: there is no such token.
        """
        market, outcome = self._token(token_id)
        return market.levels(outcome)

    def last_trade(self, token_id: str) -> tuple[int, str] | None:
        """Price in the token's terms and side of the last trade; None before the first.

        Raises:
            UserError: there is no such token.
        """
        market, outcome = self._token(token_id)
        if not market.last_price:
            return None
        price = PRICE_ONE - market.last_price if outcome else market.last_price
        if outcome == market.last_outcome:
            return price, market.last_side
        return price, "SELL" if market.last_side == BUY else BUY

    def _token(self, token_id: str) -> tuple[Market, int]:
        found = self.tokens.get(token_id)
        if found is None:
            raise UserError(f"there is no token {token_id!r}", expected="a listed token id")
        return found

    # ---- positions -------------------------------------------------------------------------------

    def split(self, address: str, condition_id: str, size: int) -> Refused | None:
        """Turns pUSD into pairs of both outcomes."""
        return self._holding.split(self.wallet(address), self._floor.market(condition_id), size)

    def merge(self, address: str, condition_id: str, size: int) -> Refused | None:
        """Turns pairs of both outcomes into pUSD."""
        return self._holding.merge(self.wallet(address), self._floor.market(condition_id), size)

    def redeem(self, address: str, condition_id: str) -> Refused | int:
        """Turns what a wallet holds of a resolved market into pUSD, and says how much that was."""
        return self._holding.redeem(self.wallet(address), self._floor.market(condition_id))

    def convert(
        self, address: str, neg_risk_market_id: str, condition_ids: Sequence[str], size: int
    ) -> Refused | None:
        """Turns NO of k outcomes of an event into k - 1 pUSD and YES of all other outcomes."""
        group = self.accounts.groups.get(neg_risk_market_id)
        if group is None:
            return Refused("market not found", 404)
        return self._holding.convert(self.wallet(address), group, condition_ids, size)

    # ---- the oracle ------------------------------------------------------------------------------

    def propose(self, condition_id: str, winner: int) -> None:
        """Proposes an answer (-1: one half each); it stands when nobody disputes it in time."""
        self.resolving.propose(self._floor.market(condition_id), winner)

    def dispute(self, condition_id: str) -> None:
        """Disputes a proposed answer; another proposal or ``resolve`` ends that."""
        self.resolving.dispute(self._floor.market(condition_id))

    def resolve(self, condition_id: str, winner: int) -> None:
        """Makes an answer final.

        Raises:
            UserError: it is resolved already, or the answer cannot be right beside those of the
                event's other markets.
        """
        self.resolving.resolve(self._floor.market(condition_id), winner)

    # ---- time ------------------------------------------------------------------------------------

    def advance(self, until: int) -> None:
        """Lets time pass; all that falls due happens at its own moment, in order."""
        self._floor.clock.advance(until)

    def schedule(self, at: int, action: Callable[[], None]) -> None:
        """Calls ``action`` when the venue's time is ``at``."""
        self._floor.clock.at(at, action)

    def hurry(self, minutes: int) -> None:
        """Looks at prices and rewards so seldom, and tells of no book while that is above one."""
        self._floor.every, self._floor.quiet = minutes, minutes > 1

    def keep_pace(self, speed: float, beats: float | None = None) -> None:
        """Says how many seconds pass here for one outside, where heartbeats are counted."""
        self._cancelling.keep_pace(beats or speed)
        for hear in self.paced:
            hear(speed)

    def next_at(self) -> int | None:
        """When something falls due next."""
        return self._floor.clock.next_at()

    def drain(self) -> list[Told]:
        """What happened since the last call, in order."""
        told, self._floor.outbox = self._floor.outbox, []
        return told

    def audit(self, *, full: bool = False) -> Audit:
        """Whether everything is accounted for.

        The quick audit compares running totals and what changed since the last one, the full one
        counts every wallet, order and trade again.
        """
        return auditing.full(self._floor, self.settling) if full else auditing.quick(self._floor)

    def _mined(self, match: Match) -> None:
        for trade in match.trades:
            self.history.traded(self.now, trade)
        self.paying.mined(match)

    def _minute(self) -> None:
        self.history.trend.sample(self.now)
        self._floor.clock.at(self.now + MINUTE * self._floor.every, self._minute)
