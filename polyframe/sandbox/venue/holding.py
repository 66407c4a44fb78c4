"""Outcome tokens without the book: split, merge, redeem and the neg-risk conversion.

These happen on chain and do not ask what orders reserve: whoever moves away what his orders need
loses the orders, and whoever moves away what his matches need makes them fail.
"""

from __future__ import annotations

from collections.abc import Sequence

from polyframe.domain.units import format_units
from polyframe.sandbox.venue.accounts import Group, Wallet
from polyframe.sandbox.venue.cancelling import Cancelling
from polyframe.sandbox.venue.floor import Floor
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import Refused, State

MOST = 2**62
POOR = "insufficient balance: {has} of {needs}"


class Holding:
    """What wallets do with tokens by themselves."""

    __slots__ = ("_cancelling", "floor")

    def __init__(self, floor: Floor, cancelling: Cancelling) -> None:
        self.floor = floor
        self._cancelling = cancelling

    def withdraw(self, wallet: Wallet, money: int) -> Refused | None:
        """Takes money out of the venue."""
        wrong = _amount(money) or _enough(wallet.money, money)
        if wrong is None:
            self.floor.accounts.deposit(wallet, -money)
            self.floor.history.moved(self.floor.clock.now, wallet.address, -money)
            self._cancelling.cover(wallet)
        return wrong

    def split(self, wallet: Wallet, market: Market, size: int) -> Refused | None:
        """Turns money into pairs."""
        wrong = _amount(size) or _enough(wallet.money, size)
        if wrong is None and market.state is State.RESOLVED:
            wrong = Refused("the market is resolved: its pairs can be merged, not split")
        if wrong is not None:
            return wrong
        accounts = self.floor.accounts
        accounts.pay(wallet, -size)
        accounts.mint(market, size)
        for outcome in (0, 1):
            accounts.give(wallet, market, outcome, size)
        self.floor.history.split(
            self.floor.clock.now, wallet.address, market, size, self.floor.ids.hash("transaction")
        )
        self._cancelling.cover(wallet)
        return None

    def merge(self, wallet: Wallet, market: Market, size: int) -> Refused | None:
        """Turns pairs into money."""
        tokens = market.listing.tokens
        has = min(wallet.shares.get(tokens[0], 0), wallet.shares.get(tokens[1], 0))
        wrong = _amount(size) or _enough(has, size)
        if wrong is not None:
            return wrong
        accounts = self.floor.accounts
        for outcome in (0, 1):
            accounts.give(wallet, market, outcome, -size)
        accounts.mint(market, -size)
        accounts.pay(wallet, size)
        self.floor.history.split(
            self.floor.clock.now, wallet.address, market, -size, self.floor.ids.hash("transaction")
        )
        for token in tokens:
            self._cancelling.cover(wallet, token)
        return None

    def redeem(self, wallet: Wallet, market: Market) -> Refused | int:
        """Turns what is held of a resolved market into money: how much that was."""
        if market.winner is None:
            return Refused("the market is not resolved yet")
        hash = self.floor.ids.hash("transaction")
        paid = 0
        for outcome, token in enumerate(market.listing.tokens):
            size = wallet.shares.get(token, 0)
            if size:
                money = self._redeem(wallet, market, outcome, size)
                paid += money
                self.floor.history.redeemed(
                    self.floor.clock.now, wallet.address, market, outcome, size, money, hash
                )
        return paid

    def _redeem(self, wallet: Wallet, market: Market, outcome: int, size: int) -> int:
        """Burns a wallet's shares for what they pay; half a unit stays behind."""
        accounts = self.floor.accounts
        halves = size * market.payout(outcome)
        accounts.give(wallet, market, outcome, -size)
        market.supply[outcome] -= size
        market.collateral -= halves // 2
        accounts.collateral -= halves // 2
        market.dust += halves % 2
        accounts.pay(wallet, halves // 2)
        return halves // 2

    # ---- neg-risk events -------------------------------------------------------------------------

    def convert(
        self, wallet: Wallet, group: Group, condition_ids: Sequence[str], size: int
    ) -> Refused | None:
        """Turns NO of k outcomes into k - 1 times as much money and YES of all other outcomes.

        Source: Polymarket/neg-risk-ctf-adapter, ``convertPositions``; without its fee.
        """
        open = group.unresolved()
        chosen = [market for market in open if market.condition_id in set(condition_ids)]
        others = [market for market in open if market not in chosen]
        wrong = _amount(size)
        if group.won or not all(market.listing.complete for market in group.markets):
            wrong = Refused("the event's outcomes are not complete, or one of them has won")
        elif not chosen or len(chosen) != len(set(condition_ids)):
            wrong = Refused("every condition must be an unresolved market of the event, once")
        for market in chosen:
            has = wallet.shares.get(market.listing.tokens[1], 0)
            wrong = wrong or _enough(has, size)
        if wrong is not None:
            return wrong
        accounts = self.floor.accounts
        for market in chosen:
            accounts.give(wallet, market, 1, -size)
            accounts.give(group.vault, market, 1, size)
        for market in others:
            accounts.mint(market, size)
            accounts.give(wallet, market, 0, size)
            accounts.give(group.vault, market, 1, size)
        # The vault now has NO of all open outcomes, and all but one of those will pay.
        group.credit += size * (len(open) - 1)
        accounts.credit += size * (len(open) - 1)
        accounts.pay(wallet, size * (len(chosen) - 1))
        self.floor.history.converted(
            self.floor.clock.now,
            wallet.address,
            chosen,
            others,
            size,
            self.floor.ids.hash("transaction"),
        )
        for market in chosen:
            self._cancelling.cover(wallet, market.listing.tokens[1])
        return None

    def settle_vault(self, group: Group, market: Market) -> None:
        """Redeems what an event's vault has of a market that was resolved."""
        size = group.vault.shares.get(market.listing.tokens[1], 0)
        if size:
            paid = self._redeem(group.vault, market, 1, size)
            self.floor.accounts.pay(group.vault, -paid)
            self.floor.accounts.credit -= paid
            group.credit -= paid


def _amount(size: int) -> Refused | None:
    if 0 < size <= MOST:
        return None
    return Refused(f"invalid amount: {size}")


def _enough(has: int, needs: int) -> Refused | None:
    return (
        None
        if has >= needs
        else Refused(POOR.format(has=format_units(has, 6), needs=format_units(needs, 6)))
    )
