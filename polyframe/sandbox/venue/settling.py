"""What happens to a match on chain: MATCHED, MINED, CONFIRMED, or RETRYING and at last FAILED.

Money and shares move when the transaction is mined, all at once. Until then they are locked with
whoever gives them and not yet with whoever gets them: what was bought cannot be sold yet. A match
that fails has moved nothing, its locks are opened and all balances are as if it had never been;
its orders stay matched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from polyframe.sandbox.venue.accounts import Wallet
from polyframe.sandbox.venue.floor import Floor
from polyframe.sandbox.venue.matching import Leg, Match
from polyframe.sandbox.venue.records import BUY, Order, Trade, TradeTold

FINAL: Final = ("CONFIRMED", "FAILED")


class Settling:
    """All matches that are not final."""

    __slots__ = ("_doomed", "_mined", "failing", "floor", "judges", "open", "retrying")

    def __init__(self, floor: Floor, mined: Callable[[Match], None]) -> None:
        self.floor = floor
        self.failing = floor.settings.failing
        """part of the matches that fail"""
        self.retrying = floor.settings.retrying
        """part of the matches that need a second attempt"""
        self.judges: list[Callable[[Match], str]] = []
        """asked about every match: RETRYING, FAILED, or "" to leave it to chance"""
        self.open: dict[str, Match] = {}
        """not mined yet, by transaction"""
        self._mined = mined
        self._doomed = 0

    def doom(self, matches: int = 1) -> None:
        """Lets the next so many matches fail, whatever ``failing`` says."""
        self._doomed += matches

    def begin(self, match: Match) -> None:
        """Sends a match to the chain."""
        fate = next((said for judge in self.judges if (said := judge(match))), "")
        if self._doomed:
            self._doomed -= 1
            match.doomed = True
        elif fate:
            match.doomed = fate == "FAILED"
            match.attempts = 0 if match.doomed else -1
        elif self.failing and self.floor.rng.random() < self.failing:
            match.doomed = True
        elif self.retrying and self.floor.rng.random() < self.retrying:
            match.attempts = -1
        self.open[match.trades[0].transaction_hash] = match
        self._later(self.floor.settings.mined_after, self._attempt, match)

    def _later(self, delay: int, action: Callable[[Match], None], match: Match) -> None:
        most = self.floor.settings.jitter if delay else 0
        late = int(self.floor.rng.integers(0, most + 1)) if most else 0
        if delay + late == 0:
            action(match)
        else:
            self.floor.clock.at(self.floor.clock.now + delay + late, action, match)

    def _attempt(self, match: Match) -> None:
        match.attempts += 1
        if match.doomed or not self._covered(match):
            if match.attempts < 2:
                self._say(match, "RETRYING")
                self._later(self.floor.settings.retry_after, self._attempt, match)
            else:
                self._end(match)
                self._say(match, "FAILED")
        elif match.attempts == 0:
            self._say(match, "RETRYING")
            self._later(self.floor.settings.retry_after, self._attempt, match)
        else:
            self._end(match)
            self._move(match)
            self._say(match, "MINED")
            self._mined(match)
            self._later(self.floor.settings.confirmed_after, self._confirm, match)

    def _confirm(self, match: Match) -> None:
        self._say(match, "CONFIRMED")

    def _say(self, match: Match, status: str) -> None:
        now = self.floor.clock.now
        for trade in match.trades:
            trade.status = status
            trade.updated_at = now
            self.floor.outbox.append(TradeTold(now, trade, status))

    def _covered(self, match: Match) -> bool:
        """Whether nobody moved away on chain what his matches will take."""
        covers = self.floor.accounts.covers
        return covers(match.wallet, match.order) and all(
            covers(leg.wallet, leg.order) for leg in match.legs
        )

    def _end(self, match: Match) -> None:
        """Opens the locks."""
        lock = self.floor.accounts.lock
        lock(match.wallet, match.order, -match.money - match.fee, -match.size)
        for leg in match.legs:
            lock(leg.wallet, leg.order, -leg.fill.money, -leg.fill.size)
        del self.open[match.trades[0].transaction_hash]

    def _move(self, match: Match) -> None:
        """Moves everything at once.

        First all that is given and then all that is got, so that a wallet that trades with itself
        needs no more than others.
        """
        accounts, market, order = self.floor.accounts, match.market, match.order
        outcome, buys = order.outcome, order.side == BUY
        if buys:
            accounts.pay(match.wallet, -match.money - match.fee)
        else:
            accounts.give(match.wallet, market, outcome, -match.size)
        for leg in match.legs:
            self._gives(match, leg)
        if buys:
            accounts.give(match.wallet, market, outcome, match.size)
        else:
            accounts.pay(match.wallet, match.money - match.fee)
        for leg in match.legs:
            fill = leg.fill
            if fill.side == BUY:
                accounts.give(leg.wallet, market, fill.outcome, fill.size)
            else:
                accounts.pay(leg.wallet, fill.money)
        accounts.fees += match.fee

    def _gives(self, match: Match, leg: Leg) -> None:
        accounts, fill = self.floor.accounts, leg.fill
        if fill.side == BUY:
            accounts.pay(leg.wallet, -fill.money)
        else:
            accounts.give(leg.wallet, match.market, fill.outcome, -fill.size)
        if fill.side == match.order.side:  # both buy: a pair is made; both sell: it is burnt
            accounts.mint(match.market, fill.size if fill.side == BUY else -fill.size)


def parties(match: Match) -> list[tuple[Wallet, Order]]:
    """Whoever has a part in a match, with the order; the taker first."""
    return [(match.wallet, match.order), *((leg.wallet, leg.order) for leg in match.legs)]


def is_final(trade: Trade) -> bool:
    """Whether nothing more will happen to a trade."""
    return trade.status in FINAL
