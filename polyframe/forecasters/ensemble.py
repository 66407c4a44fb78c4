"""Several forecasters as one."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Literal, NamedTuple

from pydantic import Field

from polyframe import (
    Evidence,
    Forecast,
    Forecaster,
    ForecastError,
    MarketSnapshot,
    PluginConfig,
    Question,
    Real,
    ResolvedPair,
    adaptive_weights,
    log_odds_pool,
    mean_probability,
    median_probability,
    trimmed_logit_mean,
)

Method = Literal["trimmed_logit_mean", "mean", "median", "log_odds", "weighted"]


CONFIDENCE = ("LOW", "MEDIUM", "HIGH")


class Record(NamedTuple):
    """How a model did: its mean squared error and on how many resolved events."""

    error: float
    events: int


class Ensemble(Forecaster):
    """Asks every forecaster of ``of`` and aggregates their answers.

    Answers of one model have one vote, their median. A forecaster without an answer is left out as
    long as ``min_models`` models remain. The answer names everybody who took part. It is ``pure``
    as its members are: a replay puts recorded answers in the place of those that are not.
    """

    pure = True
    blind = False

    class Config(PluginConfig):
        """How the votes become one; ``minimum`` and ``strength`` are those of ``weighted``."""

        method: Method = Field("trimmed_logit_mean", description="how the votes become one")
        trim: float = Real(0.2, 0.0, 0.4)
        min_models: int = Field(1, ge=1, description="models that have to answer")
        minimum: int = Field(100, ge=1, description="resolved events before a record counts")
        strength: float = Field(100.0, gt=0.0, description="events that the mean record counts as")

    config: Config

    def __init__(self, config: PluginConfig | None = None) -> None:
        super().__init__(config)
        self.records_of: dict[str, Record] = {}

    async def forecast(
        self,
        question: Question,
        evidence: Evidence | None,
        snapshot: MarketSnapshot | None,
        as_of: int,
    ) -> Forecast:
        """The aggregate of the members that have an answer.

        Raises:
            ForecastError: fewer models than ``min_models`` answered.
        """
        answers, refusals = await self._ask(question, evidence, snapshot, as_of)
        runs: dict[str, list[float]] = {}
        for answer in answers:
            runs.setdefault(maker(answer), []).append(answer.probability)
        if len(runs) < self.config.min_models:
            why = "; ".join(refusals) or f"forecasters: {len(self.of)}"
            raise ForecastError(
                f"{len(runs)} models answered for market {question.market} ({why})",
                expected=f"at least {self.config.min_models}",
                hint='name forecasters under "of", or lower min_models',
            )
        made = max(answer.as_of for answer in answers)
        said = [answer.probability for answer in answers]
        qualities = [q for a in answers if (q := a.evidence_quality) is not None]
        alone = answers[0] if len(answers) == 1 else None
        return Forecast(
            question.market,
            self._together(runs),
            made,
            f"ensemble({'+'.join(answer.source for answer in answers)})",
            # It stands when the last member's answer does; made at one moment that is the slowest.
            latency=max(answer.known_at for answer in answers) - made,
            model=self.config.method,
            cutoff=max(answer.cutoff for answer in answers),
            evidence=tuple(dict.fromkeys(e for answer in answers for e in answer.evidence)),
            low=alone.low if alone else min(said),
            high=alone.high if alone else max(said),
            cost=sum(answer.cost for answer in answers),
            blind=all(answer.blind for answer in answers),
            confidence=_least_confident([answer.confidence for answer in answers]),
            evidence_quality=min(qualities) if qualities else None,
        )

    def fit(self, pairs: Sequence[ResolvedPair], as_of: int) -> None:
        """Keeps each model's record over the questions known before ``as_of``."""
        errors: dict[str, dict[str, list[float]]] = {}
        for pair in pairs:
            if pair.known_at < as_of:
                events = errors.setdefault(maker(pair.forecast), {})
                error = (pair.forecast.probability - pair.outcome) ** 2
                events.setdefault(pair.event or pair.forecast.market, []).append(error)
        self.records_of = {
            name: Record(max(fmean(fmean(e) for e in events.values()), 1e-9), len(events))
            for name, events in errors.items()
        }

    def weights(self, models: Sequence[str]) -> list[float]:
        """What each model counts by its record so far; they sum to 1."""
        unknown = Record(0.25, 0)
        known = [self.records_of.get(name, unknown) for name in models]
        return adaptive_weights(
            [record.error for record in known],
            [record.events for record in known],
            minimum=self.config.minimum,
            strength=self.config.strength,
        )

    def _together(self, runs: dict[str, list[float]]) -> float:
        votes = [median_probability(said) for said in runs.values()]
        match self.config.method:
            case "mean":
                return mean_probability(votes)
            case "median":
                return median_probability(votes)
            case "log_odds":
                return log_odds_pool(votes, [1.0 / len(votes)] * len(votes))
            case "weighted":
                return log_odds_pool(votes, self.weights(list(runs)))
        return trimmed_logit_mean(list(runs.values()), self.config.trim)

    async def _ask(
        self,
        question: Question,
        evidence: Evidence | None,
        snapshot: MarketSnapshot | None,
        as_of: int,
    ) -> tuple[list[Forecast], list[str]]:
        """The answers in the members' order, and why there is none from the others."""
        calls = [
            member.forecast(question, evidence, None if member.blind else snapshot, as_of)
            for member in self.of
        ]
        found: list[Forecast | BaseException] = []
        if all(member.pure for member in self.of):
            # Nothing waits, and a replay has no event loop.
            for call in calls:
                try:
                    found.append(await call)
                except ForecastError as error:
                    found.append(error)
        else:
            import asyncio  # noqa: PLC0415 - with ssl; a replay does without

            found += await asyncio.gather(*calls, return_exceptions=True)
        answers = [item for item in found if isinstance(item, Forecast)]
        refusals = [item for item in found if isinstance(item, ForecastError)]
        for item in found:
            if isinstance(item, BaseException) and not isinstance(item, ForecastError):
                raise item
        return answers, [error.message for error in refusals]


def maker(forecast: Forecast) -> str:
    """Whose vote a forecast is: its model where one is named, else its source."""
    return forecast.model or forecast.source


def _least_confident(words: Sequence[str]) -> str:
    """The least of what members say of their confidence; nothing when none of them says it."""
    said = [word.upper() for word in words if word.upper() in CONFIDENCE]
    return min(said, key=CONFIDENCE.index, default="")
