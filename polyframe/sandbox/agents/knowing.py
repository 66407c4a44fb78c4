"""Takers with a view: a private signal of stated strength, added to what everybody believes.

The signal's log-likelihood ratio is normal with mean +-I/2 and variance I, so that its owner's
probability is right on average, and so is what is gained by acting on it.
"""

from __future__ import annotations

from math import sqrt
from typing import Final

import numpy as np

from polyframe.domain.units import MONEY_ONE
from polyframe.lab.beliefs import private_information
from polyframe.sandbox.agents.people import WHALE, Person
from polyframe.sandbox.agents.taking import buy, sell
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import PRICE_ONE, SHARE_ONE
from polyframe.sandbox.venue.venue import Venue
from polyframe.sandbox.worlds.belief import odds_of
from polyframe.sandbox.worlds.catalogue import Subject
from polyframe.sandbox.worlds.naming import stream

EDGE: Final = 0.02
"""what an order must gain a share, beside the fee"""
MOST_STAKES: Final = 4
"""in one market"""
TOO_SURE: Final = 0.04
"""nearer to certainty than this nobody looks at a market"""


class Mind:
    """What one person knows beyond everybody's belief, market by market."""

    __slots__ = ("_seed", "_signals", "_strength", "person")

    def __init__(self, person: Person, seed: int) -> None:
        self.person = person
        self._seed = seed
        self._strength = strength_of(person.confidence)
        self._signals: dict[str, float] = {}

    def view(self, subject: Subject, believed: float) -> float:
        """The probability of the first outcome as this person sees it."""
        signal = self._signals.get(subject.condition_id)
        if signal is None:
            signal = self._signals[subject.condition_id] = self._signal(subject)
        odds = odds_of(believed) + signal
        return float(1.0 / (1.0 + np.exp(-odds)))

    def forget(self, subject: Subject) -> None:
        """A market is over."""
        self._signals.pop(subject.condition_id, None)

    def _signal(self, subject: Subject) -> float:
        rng = stream(self._seed, "signal", self.person.address, subject.ask.key)
        chance, luck = rng.random(), float(rng.standard_normal())
        sign = {0: 1.0, 1: -1.0}.get(subject.winner, 0.0)
        if not self.person.skill:  # a coin, with the chances of the belief when it was tossed
            sign = 1.0 if chance < float(subject.ask.path[0]) else -1.0
        return sign * 0.5 * self._strength + sqrt(self._strength) * luck

    def interested(self, venue: Venue, subject: Subject, believed: float) -> bool:
        """Whether there may be something to do: a view of its own with room for more, or shares."""
        if not TOO_SURE < believed < 1.0 - TOO_SURE:
            return False
        shares = venue.wallet(self.person.address).shares
        if self.person.kind != WHALE and any(token in shares for token in subject.tokens):
            return True
        view = self.view(subject, believed)
        outcome = 0 if view > believed else 1
        if self._held(venue, subject.tokens[outcome]) > 0.9 * MOST_STAKES * self.person.stake:
            return False
        return abs(view - believed) > EDGE

    def act(
        self, venue: Venue, subject: Subject, believed: float, rng: np.random.Generator
    ) -> bool:
        """Buys what is too cheap, sells what is too dear; whether there was anything to do."""
        market = subject.market
        if market is None or not TOO_SURE < believed < 1.0 - TOO_SURE:
            return False
        view = self.view(subject, believed)
        for outcome, worth in ((0, view), (1, 1.0 - view)):
            if self._leave(venue, market, outcome, worth):
                return True
            gain = worth - self._cost(market, outcome)
            if gain > EDGE:
                return self._enter(venue, market, outcome, gain, rng)
        return False

    def _enter(
        self, venue: Venue, market: Market, outcome: int, gain: float, rng: np.random.Generator
    ) -> bool:
        wallet = venue.wallet(self.person.address)
        room = MOST_STAKES * self.person.stake - self._held(venue, market.listing.tokens[outcome])
        size = self.person.stake * min(gain / 0.05, 2.0) * float(rng.uniform(0.5, 1.2))
        size = min(size, room, wallet.free() / MONEY_ONE / 2)
        if size < 2.0:
            return False
        reach = max(int((gain - EDGE) * PRICE_ONE / market.tick), 1)
        return buy(venue, self.person, market, outcome, size, reach=min(reach, 6))

    def _held(self, venue: Venue, token: str) -> float:
        """What it has of a token, in pUSD."""
        shares = venue.wallet(self.person.address).shares.get(token, 0)
        return shares * venue.history.current(token) / (PRICE_ONE * SHARE_ONE) if shares else 0.0

    def _leave(self, venue: Venue, market: Market, outcome: int, worth: float) -> bool:
        """Sells what the market pays too much for; whales hold what they have."""
        if self.person.kind == WHALE:
            return False
        has = venue.wallet(self.person.address).free_shares(market.listing.tokens[outcome])
        bid = market.bid if outcome == 0 else PRICE_ONE - market.ask
        if has < 5 * SHARE_ONE or bid / PRICE_ONE < worth + EDGE:
            return False
        return sell(venue, self.person, market, outcome, has)

    @staticmethod
    def _cost(market: Market, outcome: int) -> float:
        """A share at the best price, with the fee."""
        price = (market.ask if outcome == 0 else PRICE_ONE - market.bid) / PRICE_ONE
        fees = market.listing.fees
        return float(price + fees.rate / MONEY_ONE * (price * (1.0 - price)) ** fees.exponent)


def strength_of(skill: float) -> float:
    """The information of a signal that explains a part of what is uncertain at one half."""
    return float(private_information(skill, np.array([0.5]))[0])
