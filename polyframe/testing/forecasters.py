"""The conformance suite of forecasters."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from polyframe.api.forecaster import Forecaster, ForecastSource, ResolvedPair
from polyframe.domain.forecast import Evidence, Forecast, MarketSnapshot, Question
from polyframe.domain.units import DAY, HOUR, Ns
from polyframe.errors import ForecastError
from polyframe.testing.builders import START, build_forecast, build_market
from polyframe.testing.contract import PluginSuite


class Records(ForecastSource):
    """Recorded forecasts in memory."""

    def __init__(self, forecasts: Sequence[Forecast]) -> None:
        self._forecasts = sorted(forecasts, key=lambda forecast: forecast.known_at)

    def newest(self, market: str, source: str, known_by: Ns) -> Forecast | None:
        """The newest one that could be acted on by then."""
        found = [
            forecast
            for forecast in self._forecasts
            if forecast.market == market
            and forecast.known_at <= known_by
            and source in ("", forecast.source)
        ]
        return found[-1] if found else None


class ForecasterSuite(PluginSuite):
    """Asks a forecaster about a built market. One that needs a service overrides :meth:`make`."""

    def make(self) -> Any:
        """A new instance with recorded forecasts and, where it builds on others, one of those."""
        made = super().make()
        made.records = Records(
            [build_forecast(as_of=START - DAY), build_forecast(probability=0.7, as_of=START + DAY)]
        )
        made.of = made.of or (_Even(),)
        return made

    def ask(
        self,
        forecaster: Forecaster,
        *,
        snapshot: MarketSnapshot | None = None,
        evidence: Evidence | None = None,
        as_of: Ns = START,
    ) -> Forecast | None:
        """Its answer about the built market, None when it says that it has none."""
        market = build_market()
        question = Question(
            market.id, market.question, ("Yes", "No"), market.category, market.closes
        )
        try:
            return asyncio.run(forecaster.forecast(question, evidence, snapshot, as_of))
        except ForecastError:
            return None

    def test_it_answers_about_the_market_it_was_asked_about(self) -> None:
        """A forecast of this market with its provenance, or a ForecastError."""
        forecaster = self.make()
        for snapshot in (None, _snapshot()):
            for evidence in (None, Evidence()):
                answer = self.ask(forecaster, snapshot=snapshot, evidence=evidence)
                if answer is not None:
                    assert answer.market == "m1"
                    assert 0.0 < answer.probability < 1.0
                    assert answer.source, "a forecast says where it came from"

    def test_it_knows_nothing_from_later(self) -> None:
        """The answer uses knowledge of ``as_of`` at the latest."""
        forecaster = self.make()
        for as_of in (START - 2 * DAY, START, START + HOUR, START + 2 * DAY):
            answer = self.ask(forecaster, snapshot=_snapshot(as_of), as_of=as_of)
            assert answer is None or answer.as_of <= as_of

    def test_a_pure_forecaster_repeats_itself(self) -> None:
        """One that calls itself pure answers the same question the same way."""
        if self.plugin.__dict__.get("pure", getattr(self.plugin, "pure", False)):
            first = self.ask(self.make(), snapshot=_snapshot())
            assert self.ask(self.make(), snapshot=_snapshot()) == first

    def test_a_blind_forecaster_does_not_follow_the_price(self) -> None:
        """One that calls itself blind answers without a price, and says so in its answer."""
        if not getattr(self.plugin, "blind", True):
            return
        answers = [
            self.ask(self.make(), snapshot=snapshot)
            for snapshot in (None, _snapshot(probability=0.1), _snapshot(probability=0.9))
        ]
        assert len({a.probability if a else None for a in answers}) == 1
        assert all(a is None or a.blind for a in answers)

    def test_it_learns_from_pairs_without_harm(self) -> None:
        """``fit`` takes any number of resolved pairs, and it still answers."""
        forecaster = self.make()
        pairs = [
            ResolvedPair(build_forecast(f"old{i}", 0.1 + 0.08 * i, as_of=START - 30 * DAY),
                         float(i % 2), START - 10 * DAY)
            for i in range(10)
        ]  # fmt: skip
        forecaster.fit([], START)
        forecaster.fit(pairs, START)
        self.ask(forecaster, snapshot=_snapshot())


class _Even(Forecaster):
    """Answers one half."""

    pure = True

    async def forecast(
        self,
        question: Question,
        evidence: Evidence | None,
        snapshot: MarketSnapshot | None,
        as_of: Ns,
    ) -> Forecast:
        """One half."""
        return build_forecast(question.market, 0.5, as_of=as_of)


def _snapshot(ts: Ns = START, probability: float = 0.5) -> MarketSnapshot:
    mid = round(probability * 10_000)
    return MarketSnapshot("m1", mid - 100, mid + 100, probability, ts)
