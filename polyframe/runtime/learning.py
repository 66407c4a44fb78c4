"""Lets forecasters learn from questions that ended, never from one whose end was not known yet."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from polyframe.api.forecaster import Forecaster, ForecastSource, ResolvedPair
from polyframe.domain.forecast import Evidence, Forecast, MarketSnapshot, Question
from polyframe.domain.market import Market, Resolution, ResolutionKind
from polyframe.domain.units import DAY, Ns
from polyframe.errors import ForecastError
from polyframe.runtime.asking import answer_of, question_of
from polyframe.runtime.calls import PluginCalls

Kept = TypeVar("Kept")

ROUNDS = 5
"""Moments of a market's life at which its forecasters are asked again; all are one observation."""


KEPT = 16 * ROUNDS
"""So many answers about one question are kept in a live session; then every second one is."""


class Past(NamedTuple):
    """A question that ended, and the moments at which forecasts about it stood ready.

    Without moments it ended in this very session, which kept what was said about it.
    """

    question: Question
    outcome: float
    known_at: Ns
    moments: tuple[Ns, ...]


def past_questions(
    markets: Iterable[Market], resolutions: Mapping[str, Resolution], records: ForecastSource
) -> list[Past]:
    """The markets with a winner and with forecasts that stood before it was known, oldest first.

    Records that cannot be listed, only asked, give none.
    """
    rows: Sequence[Forecast] = getattr(records, "rows", ())
    moments: dict[str, set[Ns]] = {}
    for forecast in rows:
        moments.setdefault(forecast.market, set()).add(forecast.known_at)
    past = []
    for market in markets:
        ended = resolutions.get(market.id)
        if ended is None or ended.kind is not ResolutionKind.WINNER:
            continue
        before = sorted(ts for ts in moments.get(market.id, ()) if ts < ended.known_at)
        if before:
            outcome = 1.0 if ended.payouts[0] else 0.0
            past.append(Past(question_of(market), outcome, ended.known_at, _spread(before)))
    return sorted(past, key=lambda p: (p.known_at, p.question.market))


def _spread(moments: Sequence[Kept]) -> tuple[Kept, ...]:
    """At most ROUNDS of them, evenly, with the first and the last."""
    last = len(moments) - 1
    if last < ROUNDS:
        return tuple(moments)
    return tuple(moments[round(i * last / (ROUNDS - 1))] for i in range(ROUNDS))


def learners(forecasters: Mapping[str, Forecaster]) -> dict[str, Forecaster]:
    """Those that learn: their class has a ``fit`` of its own."""
    return {
        name: forecaster
        for name, forecaster in forecasters.items()
        if type(forecaster).fit is not Forecaster.fit
    }


class Learning:
    """Fits forecasters as a session's time goes on, at most once a day of it.

    A forecaster learns from what those it builds on answer about questions whose outcome is known.
    They are asked once, when the outcome has just become known and with what they had learnt until
    then, so that nothing is corrected by its own outcome.
    """

    def __init__(
        self, forecasters: Mapping[str, Forecaster], past: Sequence[Past], calls: PluginCalls
    ) -> None:
        self._learners = learners(forecasters)
        self._pairs: dict[str, list[ResolvedPair]] = {name: [] for name in self._learners}
        self._past, self._calls = past, calls
        self._seen = 0
        self._next: Ns | None = None

    def catch_up(self, as_of: Ns) -> None:
        """Fits every forecaster that learns on what was known before ``as_of``, inner ones first.

        Raises:
            PluginError: a forecaster raised.
        """
        if not self._learners or (self._next is not None and as_of < self._next):
            return
        self._next = as_of + DAY
        fresh = self._seen
        while fresh < len(self._past) and self._past[fresh].known_at < as_of:
            fresh += 1
        if fresh == self._seen and self._seen:
            return
        ended = self._past[self._seen : fresh]
        self._seen = fresh
        for name, forecaster in self._learners.items():
            self._pairs[name] += self._made(forecaster, ended)
        for name, forecaster in self._learners.items():
            self._calls.call(name, forecaster.fit, tuple(self._pairs[name]), as_of)

    def _made(self, forecaster: Forecaster, ended: Sequence[Past]) -> list[ResolvedPair]:
        pairs = []
        for past in ended:
            question = past.question
            event = question.group or question.market
            for moment in past.moments or (past.known_at,):
                for member in forecaster.of:
                    pairs += [
                        ResolvedPair(
                            said, past.outcome, past.known_at, event, question.category,
                            question.closes,
                        )
                        for said in self._answers(member, past, moment)
                    ]  # fmt: skip
        return pairs

    def _answers(self, member: Forecaster, past: Past, moment: Ns) -> Sequence[Forecast]:
        """What a member said about a question at one of its moments."""
        said = self._said(member, past.question, moment)
        return () if said is None else (said,)

    def _said(self, member: Forecaster, question: Question, moment: Ns) -> Forecast | None:
        try:
            answer = member.forecast(question, None, None, moment)
            said = answer_of(self._calls, type(member).__name__, member.forecast, answer)
        except ForecastError:
            return None
        if said.known_at > moment:
            return None  # it would not have been there
        return said


class Remembered(Forecaster):
    """A forecaster whose answers are kept until their question has ended."""

    def __init__(self, of: Forecaster) -> None:
        super().__init__()
        self.of = (of,)
        self.kept: dict[str, list[Forecast]] = {}
        # To whoever asks it is what it wraps; these are attributes of a class only by habit.
        vars(self).update(pure=of.pure, blind=of.blind)

    async def forecast(
        self,
        question: Question,
        evidence: Evidence | None,
        snapshot: MarketSnapshot | None,
        as_of: Ns,
    ) -> Forecast:
        """The answer of the forecaster behind it, which is kept."""
        said = await self.of[0].forecast(question, evidence, snapshot, as_of)
        kept = self.kept.setdefault(question.market, [])
        if said not in kept[-1:]:
            kept.append(said)
        if len(kept) > KEPT:
            del kept[1:-1:2]  # the first and the last stay, as in a replay
        return said


class LiveLearning(Learning):
    """Learning in a session whose forecasters cannot be asked about the past.

    What the members of those that learn say is kept from now on, and becomes pairs when a market
    resolves. ``past`` are questions that had ended before, as in a replay: of them members that are
    pure are asked, others answer through ``records`` under their name, or teach nothing.
    """

    def __init__(
        self,
        forecasters: Mapping[str, Forecaster],
        past: Sequence[Past],
        calls: PluginCalls,
        records: ForecastSource | None = None,
    ) -> None:
        super().__init__(forecasters, list(past), calls)
        self._records = records
        self._names = {id(forecaster): name for name, forecaster in forecasters.items()}
        for forecaster in self._learners.values():
            forecaster.of = tuple(Remembered(member) for member in forecaster.of)

    def resolved(self, question: Question, resolution: Resolution, ts: Ns) -> None:
        """Takes in how a market ended, known to this session since ``ts``."""
        if resolution.kind is not ResolutionKind.WINNER:
            return
        outcome = 1.0 if resolution.payouts[0] else 0.0
        past = list(self._past)
        place = max(self._seen, bisect_right(past, ts, key=lambda known: known.known_at))
        past.insert(place, Past(question, outcome, max(ts, resolution.known_at), ()))
        self._past = past

    def _answers(self, member: Forecaster, past: Past, moment: Ns) -> Sequence[Forecast]:
        assert isinstance(member, Remembered)
        if past.moments:
            found = self._earlier(member.of[0], past, moment)
            return () if found is None else (found,)
        kept = [said for said in member.kept.pop(past.question.market, ()) if
                said.known_at < past.known_at]  # fmt: skip
        return _spread(kept)

    def _earlier(self, member: Forecaster, past: Past, moment: Ns) -> Forecast | None:
        if member.pure:
            return self._said(member, past.question, moment)
        name = self._names.get(id(member), "")
        if self._records is None or not name:
            return None
        return self._records.newest(past.question.market, name, moment)
