"""What the simulated venue pays its makers once a day: liquidity rewards and rebates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import Market
from polyframe.domain.units import DAY, HOUR, MONEY_ONE, Money, Ns
from polyframe.exchanges.sim.terms import RewardTerms
from polyframe.kernels import l2columns_nb as c

Ints = NDArray[np.int64]
PPM = 1_000_000
SAMPLES = 1_440
"""A day's samples, one a minute."""
REWARD = "liquidity reward"
REBATE = "maker rebate"


class Payment(NamedTuple):
    """What a ledger is paid for a market and a day."""

    ledger: str
    market: str
    amount: Money
    what: str


def write_terms(rule: Ints, terms: RewardTerms | None, market: Market, *, rebates: bool) -> None:
    """Writes into a market's rules what the samples and the rebates go by."""
    fee = market.fee
    rule[c.U_REBATE] = 1 if rebates and fee is not None and fee.rebate > 0 else 0
    if terms is None or not terms.day:
        return
    rule[c.U_SPREAD] = round(2 * terms.max_spread * market.price_one)
    rule[c.U_LEAST] = round(terms.min_size * 10**market.size_decimals)
    rule[c.U_BOOST] = round(terms.boost * PPM)


class Earnings:
    """When the venue pays, and what of the kernels' counts it pays then.

    A day is paid ``delay`` after it ended, the last one after the end of the tape.
    """

    def __init__(
        self,
        markets: Sequence[Market],
        terms: Sequence[RewardTerms | None],
        delay: Ns,
        least: Money,
    ) -> None:
        self._markets = markets
        self._pools = [0 if found is None else int(found.day * MONEY_ONE) for found in terms]
        self._delay = min(delay, HOUR)
        self._least = least
        self._next, self._end = 0, -1
        self._pays = any(self._pools) or any(m.fee is not None and m.fee.rebate for m in markets)
        self.ledgers: list[str] = []

    def begin(self, start: Ns, end: Ns) -> None:
        """Says from when to when the venue is open."""
        self._next, self._end = start // DAY, end

    def place(self, ledger: str) -> int:
        """The number of a ledger, in the order in which they first traded."""
        if ledger not in self.ledgers:
            self.ledgers.append(ledger)
        return self.ledgers.index(ledger)

    def due(self) -> Ns | None:
        """When a day is paid next, None when all are."""
        if not self._pays or self._next > self._end // DAY:
            return None
        return min((self._next + 1) * DAY - 1, self._end) + 1 + self._delay

    def pay(self, earned: Ints, stress: int) -> Iterator[Payment]:
        """Pays the day that is due, and clears its counts.

        ``earned`` are the desk's columns after its own; ``stress`` is what fees were multiplied
        by, in millionths: it makes no rebate larger.
        """
        day, self._next = self._next, self._next + 1
        first = 2 * (day % 2)
        for m, market in enumerate(self._markets):
            shares = earned[m, first :: c.EARNED_OF].tolist()
            fees = earned[m, first + 1 :: c.EARNED_OF].tolist()
            rebate = market.fee.rebate if market.fee is not None else 0
            most = PPM * max(stress, PPM)
            rewards = [self._pools[m] * share // (SAMPLES * c.SHARE_ONE) for share in shares]
            rebates = [fee * rebate * PPM // most for fee in fees]
            for what, amounts in ((REWARD, rewards), (REBATE, rebates)):
                if sum(amounts) >= max(self._least, 1):
                    for ledger, amount in zip(self.ledgers, amounts, strict=False):
                        if amount:
                            yield Payment(ledger, market.id, amount, what)
        for k in (first, first + 1):
            earned[:, k :: c.EARNED_OF] = 0
