"""When everybody acts: arrivals in every market, looks of makers, wakes of those who know.

All chance comes from one stream in the order of the venue's time, so that equal seeds give equal
histories. The faster the venue's time passes, the longer the crowd waits in it: outside, it stays
about as busy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from polyframe.domain.units import DAY, HOUR, MINUTE, SECOND
from polyframe.sandbox.agents import taking
from polyframe.sandbox.agents.knowing import Mind
from polyframe.sandbox.agents.making import Quoter
from polyframe.sandbox.agents.people import INFORMED, MAKER, NOISE, WHALE, People, Person
from polyframe.sandbox.venue.records import SHARE_ONE
from polyframe.sandbox.venue.venue import Venue
from polyframe.sandbox.world import World
from polyframe.sandbox.worlds.catalogue import Occasion, Subject
from polyframe.sandbox.worlds.naming import stream

ARRIVALS: Final = 30.0
"""seconds between two takers without a view in a market of weight 1"""
LOOKS: Final = 2.0
"""seconds between two looks of its makers"""
WAKES: Final = {INFORMED: 3_600.0, WHALE: 5_400.0}
"""seconds between two looks around of somebody who knows"""
LOOKED_AT: Final = 4
"""markets at each"""
LIVELY: Final = 20.0
"""up to this speed the crowd acts as often as it would by its own time"""
RESTLESS: Final = 1 / 50
"""down to this part of their own pace, those who know look around as often as ever"""
WARMING: Final = 1 / 1000
"""how often it acts in the days that are played before the start"""
BUSIER: Final = 1 / 60
"""how often in the hours before the start"""
SELDOM: Final = 4.0
"""so much less often those who know wake in those days"""
DEEP: Final = 2
"""levels of a ladder in those days, for takers with a view"""
QUOTERS: Final = 3
"""makers of a market, at most"""
LEVELS: Final = 5
THIN: Final = 1
"""levels of a ladder in the days before the start, for takers without a view"""
SLACK: Final = 1
"""ticks that quotes may be off in the days before the start"""
TIDYING: Final = 8 * HOUR
"""from one look of makers at what they hold in events to the next"""
CONVERTED: Final = 50 * SHARE_ONE
"""NO shares of two outcomes that a maker turns into money"""
REDEEMING: Final = 0.85
"""part of the people that redeems what it has won"""


class Stage:
    """A market that trades, with its makers."""

    __slots__ = ("quoters", "subject")

    def __init__(self, subject: Subject, quoters: list[Quoter]) -> None:
        self.subject = subject
        self.quoters = quoters


class Crowd:
    """Everybody, at work."""

    def __init__(self, world: World, crowd: People) -> None:
        self._world = world
        self._venue: Venue = world.venue
        self.people = crowd
        self._rng: np.random.Generator = stream(world.seed, "crowd")
        self._noises, self._makers = crowd.of(NOISE), crowd.of(MAKER)
        self._minds = [Mind(p, world.seed) for p in (*crowd.of(INFORMED), *crowd.of(WHALE))]
        self._stages: dict[str, Stage] = {}
        self._tempo = 1.0
        self._round = 0
        self._warming = False
        world.listed.append(self._listed)
        world.over.append(self._over)
        self._venue.paced.append(self.keep_pace)
        for person in crowd.everybody:
            self._venue.fund(person.address, person.money)
        self._venue.schedule(self._venue.now + TIDYING, self._tidy)

    # ---- how fast --------------------------------------------------------------------------------

    def warm(self, pace: float = WARMING) -> None:
        """Begins with the days before the start: seldom, and with little in the books."""
        self._warming = True
        self._begin(pace)

    def start(self) -> None:
        """Begins with the present: whole books, and as often as the speed allows."""
        self._warming = False
        self._begin(1.0)
        for stage in self._stages.values():
            self._quote(stage)

    def keep_pace(self, speed: float) -> None:
        """Acts as often as a speed allows: seconds of the venue for one outside."""
        if not self._warming:
            self._begin(1.0 / max(1.0, speed / LIVELY))

    def _begin(self, tempo: float) -> None:
        """Forgets what is due and begins again: a wait begun at one pace is too long at another."""
        if tempo == self._tempo and self._round:
            return
        self._tempo = tempo
        self._round += 1
        for stage in self._stages.values():
            self._enter(stage)
        for mind in self._minds:
            self._sleep(mind)

    def _enter(self, stage: Stage) -> None:
        turn = self._round
        self._again(self._between(stage), partial(self._arrive, stage, turn))
        if not self._warming:
            self._again(LOOKS / self._tempo, partial(self._look, stage, turn))

    def _between(self, stage: Stage) -> float:
        return ARRIVALS / (stage.subject.weight * self._tempo)

    def _again(self, mean: float, action: Callable[[], None]) -> None:
        wait = int(self._rng.exponential(mean) * SECOND)
        self._venue.schedule(self._venue.now + max(wait, SECOND // 20), action)

    # ---- what happens ----------------------------------------------------------------------------

    def _listed(self, subject: Subject) -> None:
        market = subject.market
        if market is None:
            return
        count = min(int(self._rng.integers(2, QUOTERS + 1)), len(self._makers))
        picked = self._rng.permutation(len(self._makers))[:count]
        quoters = [Quoter(self._makers[int(n)], market, self._rng) for n in picked]
        stage = self._stages[subject.condition_id] = Stage(subject, quoters)
        if self._round:
            self._quote(stage)
            self._enter(stage)

    def _over(self, subject: Subject) -> None:
        """A market has its answer: who holds something of it redeems that, most of them."""
        self._stages.pop(subject.condition_id, None)
        for mind in self._minds:
            mind.forget(subject)
        for person in self.people.everybody:
            wallet = self._venue.wallet(person.address)
            if any(wallet.shares.get(token) for token in subject.tokens):
                wait = int(self._rng.integers(10 * MINUTE, DAY))
                if self._rng.random() < REDEEMING:
                    self._venue.schedule(
                        self._venue.now + wait, partial(self._redeem, person, subject)
                    )

    def _tidy(self) -> None:
        """Makers turn NO of several outcomes of an event into money."""
        stages = self._stages.values()
        events = {stage.subject.occasion.id: stage.subject.occasion for stage in stages}
        for occasion in events.values():
            if occasion.neg_risk and occasion.plot.complete:
                for person in self._makers:
                    self._convert(person, occasion)
        self._venue.schedule(self._venue.now + TIDYING, self._tidy)

    def _convert(self, person: Person, occasion: Occasion) -> None:
        wallet = self._venue.wallet(person.address)
        held = {
            subject.condition_id: wallet.free_shares(subject.tokens[1])
            for subject in occasion.subjects
            if subject.trading
        }
        most = sorted(held, key=lambda condition: -held[condition])[:2]
        size = min((held[condition] for condition in most), default=0)
        if len(most) == 2 and size >= CONVERTED:
            whole = size // SHARE_ONE * SHARE_ONE
            self._venue.convert(person.address, occasion.neg_risk_id, most, whole)

    def _redeem(self, person: Person, subject: Subject) -> None:
        self._venue.redeem(person.address, subject.condition_id)

    def _arrive(self, stage: Stage, turn: int) -> None:
        market = stage.subject.market
        if turn != self._round or market is None or not market.booked:
            return
        if market.accepting:  # a paused one is looked at again later
            self._quote(stage)
            person = self._noises[int(self._rng.integers(len(self._noises)))]
            taking.trade(self._venue, person, market, self._rng)
        self._again(self._between(stage), partial(self._arrive, stage, turn))

    def _look(self, stage: Stage, turn: int) -> None:
        market = stage.subject.market
        if turn != self._round or market is None or not market.booked:
            return
        if market.accepting:
            fair = self._world.fair(stage.subject)
            quoter = stage.quoters[int(self._rng.integers(len(stage.quoters)))]
            quoter.refresh(self._venue, fair, self._rng, levels=LEVELS)
        self._again(LOOKS / self._tempo, partial(self._look, stage, turn))

    def _wake(self, mind: Mind, turn: int) -> None:
        if turn != self._round:
            return
        open = [stage for stage in self._stages.values() if stage.subject.trading]
        for number in self._rng.permutation(len(open))[:LOOKED_AT]:
            stage = open[int(number)]
            fair = self._world.fair(stage.subject)
            if not mind.interested(self._venue, stage.subject, fair):
                continue
            self._quote(stage, DEEP)
            if mind.act(self._venue, stage.subject, fair, self._rng):
                break
        self._sleep(mind)

    def _sleep(self, mind: Mind) -> None:
        strides = max(1.0, RESTLESS / self._tempo)
        mean = WAKES[mind.person.kind] * (SELDOM if self._warming else strides)
        self._again(mean, partial(self._wake, mind, self._round))

    def _quote(self, stage: Stage, levels: int = 0) -> None:
        """All makers of a market look at it."""
        if not stage.subject.trading:
            return
        fair = self._world.fair(stage.subject)
        levels = (levels or THIN) if self._warming else LEVELS
        slack = SLACK if self._warming else 0
        for quoter in stage.quoters:
            quoter.refresh(self._venue, fair, self._rng, levels=levels, slack=slack)
