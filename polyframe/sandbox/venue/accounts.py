"""Who has what: every pUSD and every share stands in exactly one place.

Money is in wallets, behind pairs of outcome tokens (``collateral``) or was taken as fees. What a
trade moves is locked when it matches and moves when it is mined, so that one that fails has moved
nothing. ``deposited`` is all that ever came in less what went out.
"""

from __future__ import annotations

from msgspec import Struct, field

from polyframe.errors import InvariantError
from polyframe.sandbox.venue.ids import owner_of
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import BUY, MOST, Order


class Wallet(Struct):
    """A wallet on the sandbox's chain."""

    address: str
    owner: str
    """the key id of orders that agents send from it"""
    money: int = 0
    active: int = 0
    """money reserved by open orders"""
    matched: int = 0
    """money that trades take when they are mined"""
    shares: dict[str, int] = field(default_factory=dict)
    active_shares: dict[str, int] = field(default_factory=dict)
    matched_shares: dict[str, int] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    """open ones, oldest first"""
    allowance: int = MOST
    approved: bool = True
    """the exchanges may move its shares"""
    banned: bool = False
    closed_only: bool = False
    opened: int = 0

    def free(self) -> int:
        """Money that a new order may use."""
        return self.money - self.active - self.matched

    def free_shares(self, token_id: str) -> int:
        """Shares of a token that a new order may use."""
        return (
            self.shares.get(token_id, 0)
            - self.active_shares.get(token_id, 0)
            - self.matched_shares.get(token_id, 0)
        )


def shift(amounts: dict[str, int], key: str, change: int) -> int:
    """The new amount of a key, which is forgotten at nothing.

    Raises:
        InvariantError: it would be less than nothing.
    """
    amount = amounts.get(key, 0) + change
    if amount > 0:
        amounts[key] = amount
    elif amount == 0:
        amounts.pop(key, None)
    else:
        raise InvariantError(f"{-amount} of {key} too much was taken")
    return amount


class Group:
    """The markets of one neg-risk event, of which exactly one will be won by YES.

    A conversion pays out of ``vault``, which keeps NO of every market that is not resolved: all but
    one of them will pay, so that it owes (``credit``) no more than it is sure to get.
    """

    __slots__ = ("credit", "id", "markets", "vault", "won")

    def __init__(self, id: str) -> None:
        self.id = id
        self.markets: list[Market] = []
        self.vault = Wallet(address=f"neg-risk {id}", owner="")
        self.credit = 0
        self.won = False

    def unresolved(self) -> list[Market]:
        """Markets without a final answer, in the order of their listing."""
        return [market for market in self.markets if market.winner is None]


class Accounts:
    """All wallets, and where all other money is."""

    __slots__ = (
        "active",
        "collateral",
        "credit",
        "deposited",
        "fees",
        "groups",
        "locked",
        "money",
        "touched",
        "wallets",
    )

    def __init__(self) -> None:
        self.wallets: dict[str, Wallet] = {}
        """by address in small letters"""
        self.groups: dict[str, Group] = {}
        self.money = 0
        """in all wallets together"""
        self.deposited = 0
        self.collateral = 0
        self.fees = 0
        self.credit = 0
        self.active = 0
        """money that open orders reserve"""
        self.locked = 0
        """money that matches will take"""
        self.touched: dict[str, Market] = {}
        """markets whose shares moved since the last audit"""

    def wallet(self, address: str, now: int = 0) -> Wallet:
        """The wallet of an address; a new empty one if it is not known."""
        key = address.lower()
        wallet = self.wallets.get(key)
        if wallet is None:
            wallet = Wallet(address=address, owner=owner_of(key), opened=now)
            self.wallets[key] = wallet
        return wallet

    def allowed(self, address: str) -> tuple[int, bool]:
        """What others may move of a wallet: so much money, and whether its shares.

        Of one that nobody has seen, nothing.
        """
        wallet = self.wallets.get(address.lower())
        return (wallet.allowance, wallet.approved) if wallet is not None else (0, False)

    # ---- what exists -----------------------------------------------------------------------------

    def deposit(self, wallet: Wallet, money: int) -> None:
        """Brings money in from outside, or takes it out when it is negative."""
        self.deposited += money
        self.pay(wallet, money)

    def pay(self, wallet: Wallet, money: int) -> None:
        """Changes what a wallet has; where it comes from is the caller's to say."""
        wallet.money += money
        self.money += money
        if wallet.money < 0:
            raise InvariantError(f"{wallet.address} paid {-wallet.money} more than it had")

    def give(self, wallet: Wallet, market: Market, outcome: int, size: int) -> None:
        """Changes what a wallet has of an outcome."""
        shift(wallet.shares, market.listing.tokens[outcome], size)
        market.held[outcome] += size
        self.touched[market.condition_id] = market

    def mint(self, market: Market, size: int) -> None:
        """Makes pairs that somebody paid for; burns them when ``size`` is negative."""
        market.supply[0] += size
        market.supply[1] += size
        market.collateral += size
        self.collateral += size
        self.touched[market.condition_id] = market

    # ---- what is promised ------------------------------------------------------------------------

    def reserve(self, wallet: Wallet, order: Order, amount: int) -> None:
        """Sets what an open order keeps for itself."""
        change = amount - order.held
        order.held = amount
        if order.side == BUY:
            wallet.active += change
            self.active += change
        elif change:
            shift(wallet.active_shares, order.token_id, change)

    def lock(self, wallet: Wallet, order: Order, money: int, size: int) -> None:
        """Locks what a match will take of a wallet, or frees it when negative."""
        if order.side == BUY:
            wallet.matched += money
            self.locked += money
        else:
            shift(wallet.matched_shares, order.token_id, size)

    def covers(self, wallet: Wallet, order: Order) -> bool:
        """Whether a wallet still has all that its matches will take of this kind."""
        if order.side == BUY:
            return wallet.money >= wallet.matched
        token = order.token_id
        return wallet.shares.get(token, 0) >= wallet.matched_shares.get(token, 0)
