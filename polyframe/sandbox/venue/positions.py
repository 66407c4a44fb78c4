"""What everybody has of each token, what it cost and what came of it."""

from __future__ import annotations

from msgspec import Struct

from polyframe.sandbox.venue.market import Market


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
    """paid on top of buys"""
    realized: int = 0
    """profit of what was sold, merged, converted and redeemed, after the fees of sells"""
    opened: int = 0
    changed: int = 0

    @property
    def average(self) -> int:
        """What a share it has cost, in ten-thousandths, rounded down."""
        return self.cost * 10_000 // self.size if self.size else 0

    def gain(self, now: int, size: int, cost: int, fee: int = 0) -> None:
        """Adds shares at what they cost."""
        if not self.opened or not self.size:
            self.opened = now or 1
        self.size += size
        self.cost += cost
        self.bought += size
        self.spent += cost
        self.fees += fee
        self.changed = now

    def lose(self, now: int, size: int, proceeds: int) -> int:
        """Takes shares away for what they brought; what they had cost, at the average."""
        cost = self.cost * size // self.size if size < self.size else self.cost
        self.size -= size
        self.cost -= cost
        self.realized += proceeds - cost
        self.changed = now
        return cost


class Positions:
    """All positions, by wallet and by token."""

    __slots__ = ("_by_token", "_by_wallet")

    def __init__(self) -> None:
        self._by_wallet: dict[str, dict[str, Position]] = {}
        self._by_token: dict[str, dict[str, Position]] = {}

    def of(self, wallet: str, market: Market, outcome: int) -> Position:
        """A wallet's position in an outcome; a new empty one if there is none."""
        token = market.listing.tokens[outcome]
        mine = self._by_wallet.setdefault(wallet.lower(), {})
        position = mine.get(token)
        if position is None:
            position = mine[token] = Position(wallet, market.condition_id, token, outcome)
            self._by_token.setdefault(token, {})[wallet.lower()] = position
        return position

    def of_wallet(self, wallet: str) -> list[Position]:
        """All positions a wallet ever had, oldest first."""
        return list(self._by_wallet.get(wallet.lower(), {}).values())

    def of_token(self, token_id: str) -> list[Position]:
        """All positions there ever were in a token."""
        return list(self._by_token.get(token_id, {}).values())

    def wallets(self) -> list[str]:
        """Addresses of all that ever had a position."""
        return [next(iter(mine.values())).wallet for mine in self._by_wallet.values()]

    # ---- what moves them -------------------------------------------------------------------------

    def split(self, now: int, wallet: str, market: Market, size: int) -> None:
        """A split, or a merge where ``size`` is negative: each outcome is worth one half."""
        for outcome in (0, 1):
            part = abs(size) // 2 if outcome == 0 else abs(size) - abs(size) // 2
            position = self.of(wallet, market, outcome)
            if size > 0:
                position.gain(now, size, part)
            else:
                position.lose(now, -size, part)

    def convert(
        self, now: int, wallet: str, given: list[Market], got: list[Market], size: int
    ) -> None:
        """A conversion moves the cost of what was given, less the money, to what was got.

        Money beyond that cost is profit of the first outcome given.
        """
        money = size * (len(given) - 1)
        cost = 0
        for market in given:
            position = self.of(wallet, market, 1)
            lost = position.lose(now, size, 0)
            position.realized += lost
            cost += lost
        left = cost - money
        if left < 0 or not got:
            self.of(wallet, given[0], 1).realized -= left
            left = 0
        for index, market in enumerate(got):
            part = left // len(got) + (1 if index < left % len(got) else 0)
            self.of(wallet, market, 0).gain(now, size, part)
