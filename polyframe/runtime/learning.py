"""Lets forecasters learn from questions that ended, never from one whose end was not known yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from polyframe.api.forecaster import Forecaster, ForecastSource, ResolvedPair
from polyframe.domain.forecast import Forecast, Question
from polyframe.domain.market import Market, Resolution, ResolutionKind
from polyframe.domain.units import DAY, Ns
from polyframe.errors import ForecastError
from polyframe.runtime.asking import answer_of, question_of
from polyframe.runtime.calls import PluginCalls

ROUNDS = 5
"""Moments of a market's life at which its forecasters are asked again; all are one observation."""


class Past(NamedTuple):
    """A question that ended, and the moments at which forecasts about it stood ready."""

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


def _spread(moments: Sequence[Ns]) -> tuple[Ns, ...]:
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
            event = past.question.group or past.question.market
            for moment in past.moments:
                for member in forecaster.of:
                    said = self._said(member, past.question, moment)
                    if said is not None:
                        pairs.append(
                            ResolvedPair(
                                said, past.outcome, past.known_at, event, past.question.category
                            )
                        )
        return pairs

    def _said(self, member: Forecaster, question: Question, moment: Ns) -> Forecast | None:
        try:
            answer = member.forecast(question, None, None, moment)
            said = answer_of(self._calls, type(member).__name__, member.forecast, answer)
        except ForecastError:
            return None
        if said.known_at > moment:
            return None  # it would not have been there
        return said
