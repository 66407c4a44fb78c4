"""The world around a venue: which events take place, when, and how the oracle answers them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

import numpy as np

from polyframe.domain.units import HOUR, MINUTE, SECOND, Ns
from polyframe.sandbox.venue.market import BOTH, Market
from polyframe.sandbox.venue.records import State
from polyframe.sandbox.venue.venue import Venue
from polyframe.sandbox.worlds.catalogue import Catalogue, Occasion, Subject
from polyframe.sandbox.worlds.made import Updown, made
from polyframe.sandbox.worlds.naming import stream
from polyframe.sandbox.worlds.plots import Plot

PROPOSED_WITHIN: Final = 40 * MINUTE
DISPUTED_WITHIN: Final = 100 * MINUTE
DISPUTING: Final = 0.06
"""part of the answers that somebody disputes"""
WRONG: Final = 0.5
"""part of the disputed answers that were wrong"""
VOTING: Final = (20 * HOUR, 44 * HOUR)
"""from a dispute to the final answer"""
PAST_EVERY: Final = HOUR
HYDRATING: Final = (5 * SECOND, 40 * SECOND)
"""from a new market's place in the catalogue to its book at the CLOB"""

KNOWN: Final = {0: 0.999, 1: 0.001, BOTH: 0.5}
"""what is believed of a market whose answer is known"""

Listen = Callable[[Subject], None]


class World:
    """A venue's events, from their listing to their answers.

    ``listed`` is called with each market that begins to trade, ``over`` with each that has its
    final answer.
    """

    def __init__(self, venue: Venue, seed: int, *, source: str = "") -> None:
        self.venue = venue
        self.seed = seed
        self.source = source
        self.catalogue = Catalogue(seed)
        self.listed: list[Listen] = []
        self.over: list[Listen] = []
        self.endless = True
        """new events are made when there are fewer open markets than at the start"""
        self._chance = stream(seed, "oracle")
        self._made = 0
        self._least = 0
        self._doubted: dict[str, bool] = {}
        venue.resolving.answered.append(self._answered)

    # ---- what takes place ------------------------------------------------------------------------

    def play(self, plots: Iterable[Plot], *, disputed: str = "", undisputed: str = "") -> None:
        """Lets events take place: those that have opened are listed now, the others when they do.

        The answer of the event whose key is ``disputed`` will be disputed, that of ``undisputed``
        will not; of all others chance decides.
        """
        self._doubted |= {disputed: True, undisputed: False}
        for plot in plots:
            self._play(plot)

    def keep(self, markets: int) -> None:
        """Makes new events whenever fewer markets than this are open."""
        self._least = markets

    def follow(self, series: Updown, since: Ns) -> None:
        """Lets a series go on for ever, from the interval that a moment is in."""
        self._next(series, series.starts(since) - series.interval)

    def open_subjects(self) -> list[Subject]:
        """The markets that take orders, in the order in which they were listed."""
        return [subject for subject in self.catalogue.subjects.values() if subject.trading]

    def _play(self, plot: Plot, *, title: str = "", recurrence: str = "") -> None:
        now = self.venue.now
        if plot.opened > now:
            self.venue.schedule(plot.opened, partial(self._list, plot, title, recurrence))
        else:
            self._list(plot, title, recurrence)

    def _next(self, series: Updown, start: Ns) -> None:
        """Lists the question about an interval; the next one when that begins."""
        plot = series.plot(self.seed, start)
        self._play(plot, title=f"{series.name} Up or Down", recurrence=series.recurrence)
        after = start + series.interval
        self.venue.schedule(max(start, self.venue.now), partial(self._next, series, after))

    def _list(self, plot: Plot, title: str, recurrence: str) -> None:
        occasion = self.catalogue.enter(plot, title=title, recurrence=recurrence)
        for subject in occasion.subjects:
            self._open(subject)
        end = plot.opened + min(plot.life, plot.answered)
        self.venue.schedule(max(end, self.venue.now), partial(self._ended, occasion))

    def _open(self, subject: Subject) -> None:
        venue, opened = self.venue, subject.occasion.plot.opened
        fresh = opened >= venue.now
        market = venue.list_market(subject.listing(), opened=not fresh)
        subject.market = market
        if fresh:
            wait = int(self._chance.integers(*HYDRATING))
            venue.schedule(venue.now + wait, partial(self._opened, subject))
            return
        market.listed_at = market.accepting_since = opened
        trend = venue.history.trend
        for at in range(opened, venue.now, PAST_EVERY):
            trend.remember(subject.condition_id, at, round(subject.belief.row(at) * 10_000))
        for listen in self.listed:
            listen(subject)

    def _opened(self, subject: Subject) -> None:
        if subject.market is not None and subject.market.state is State.LISTED:
            self.venue.open_market(subject.condition_id)
            for listen in self.listed:
                listen(subject)

    # ---- how it ends -----------------------------------------------------------------------------

    def _ended(self, occasion: Occasion) -> None:
        """The questions can be answered now: by a feed a little later, or by a proposal."""
        plot, venue = occasion.plot, self.venue
        if plot.native:
            at = plot.opened + plot.answered
            venue.schedule(max(at, venue.now), partial(self._answer, occasion.subjects))
            return
        for subject in occasion.subjects:
            wait = int(self._chance.integers(2 * MINUTE, PROPOSED_WITHIN))
            doubted = self._chance.random() < DISPUTING and len(occasion.subjects) == 1
            doubted = self._doubted.get(plot.key, doubted)
            venue.schedule(venue.now + wait, partial(self._propose, subject, doubted))

    def _propose(self, subject: Subject, doubted: bool) -> None:
        market = subject.market
        if market is None or market.state not in {State.LISTED, State.OPEN, State.PAUSED}:
            return  # somebody has answered it by hand
        answer = self._right(subject)
        if doubted and answer != BOTH and self._chance.random() < WRONG:
            answer = 1 - answer
        self.venue.propose(subject.condition_id, answer)
        if doubted:
            wait = int(self._chance.integers(10 * MINUTE, DISPUTED_WITHIN))
            self.venue.schedule(self.venue.now + wait, partial(self._dispute, subject))

    def _dispute(self, subject: Subject) -> None:
        if subject.market is None or subject.market.state is not State.PROPOSED:
            return
        self.venue.dispute(subject.condition_id)
        wait = int(self._chance.integers(*VOTING))
        self.venue.schedule(self.venue.now + wait, partial(self._answer, [subject]))

    def _answer(self, subjects: Sequence[Subject]) -> None:
        for subject in subjects:
            if subject.market is not None and not subject.market.closed:
                self.venue.resolve(subject.condition_id, self._right(subject))

    def _right(self, subject: Subject) -> int:
        """The drawn answer, or the other one where an answer given by hand rules that out."""
        for answer in (0, 1):
            if subject.market and self.venue.resolving.wrong(subject.market, answer):
                subject.decided = 1 - answer
        return subject.winner

    def _answered(self, market: Market) -> None:
        """A market has its answer, from the oracle, by hand or from a fault."""
        subject = self.catalogue.by_condition.get(market.condition_id)
        if subject is None:
            return
        subject.decided = market.winner
        self.venue.schedule(self.venue.now + SECOND, partial(self._settled, subject))
        if subject.occasion.neg_risk:
            self._consequences(subject.occasion)

    def _consequences(self, occasion: Occasion) -> None:
        """What an answer says of the event's other markets: those that lost are over soon."""
        for subject in occasion.subjects:
            market = subject.market
            if market is None or market.closed:
                continue
            right = self._right(subject)
            # Whoever lost is over now, and a proposal that can no longer be right needs another.
            if market.state is State.PROPOSED:
                soon = market.proposed != right
            else:
                soon = subject.decided == 1
            if soon:
                wait = int(self._chance.integers(2 * MINUTE, PROPOSED_WITHIN))
                self.venue.schedule(self.venue.now + wait, partial(self._conclude, subject))

    def _conclude(self, subject: Subject) -> None:
        """Answers a question whose answer follows from another's."""
        market = subject.market
        if market is None or market.closed:
            return
        if market.state in {State.LISTED, State.OPEN, State.PAUSED}:
            self._propose(subject, doubted=False)
        else:
            self._answer([subject])

    def _settled(self, subject: Subject) -> None:
        """Tells that a market has its answer, and makes room for new ones."""
        for listen in self.over:
            listen(subject)
        if self.endless and not subject.occasion.chain:
            self._refill()

    def _refill(self) -> None:
        while self._alive() < self._least:
            plot = made(self.seed, self._made)
            self._made += 1
            self._play(plot.moved(self.venue.now))

    def _alive(self) -> int:
        """Markets outside of series that trade or will soon."""
        return sum(
            subject.occasion.chain is None
            and subject.market is not None
            and subject.market.state in {State.LISTED, State.OPEN}
            for subject in self.catalogue.subjects.values()
        )

    # ---- what is known ---------------------------------------------------------------------------

    def fair(self, subject: Subject) -> float:
        """What is believed of a market now; beside the others of an exclusive event.

        Each belief takes a way of its own between two rows; together they must stay one.
        """
        if subject.decided is not None:
            return KNOWN[subject.decided]
        now = self.venue.now
        own = subject.belief.at(now)
        if not subject.occasion.neg_risk:
            return own
        # What was believed of those that are answered is shared by the others.
        others = subject.occasion.subjects
        rows = sum(one.belief.row(now) for one in others)
        ways = sum(one.belief.at(now) for one in others if one.decided is None)
        return float(np.clip(own * rows / ways, 0.001, 0.999))
