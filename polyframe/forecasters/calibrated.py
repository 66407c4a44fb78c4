"""Another forecaster's probabilities, made to mean what they say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

import msgspec
import numpy as np
from pydantic import Field

from polyframe import (
    Beta,
    DataError,
    Evidence,
    Forecast,
    Forecaster,
    ForecastError,
    GroupedPlatt,
    HierarchicalPlatt,
    Isotonic,
    MarketSnapshot,
    Platt,
    PluginConfig,
    Question,
    ResolvedPair,
    beta_fit,
    clamp,
    horizon_name,
    isotonic_fit,
    logit,
    platt_by_group,
    platt_fit,
    platt_hierarchy,
    sigmoid,
)

Method = Literal["platt", "beta", "isotonic", "by_category", "hierarchical"]
Curve: TypeAlias = Platt | Beta | Isotonic | GroupedPlatt | HierarchicalPlatt


class Learnt(NamedTuple):
    """A curve with what it was learnt from; ``newest`` is when its last outcome was known."""

    curve: Curve
    events: int
    newest: int


class Calibrated(Forecaster):
    """Corrects the one forecaster of ``of`` by how its resolved questions ended.

    Until ``min_events`` events are resolved, and while all of them ended alike, its answers are
    passed on as they are. It is ``pure`` as that forecaster is: a replay puts recorded answers in
    the place of one that is not.
    """

    pure = True
    blind = False

    class Config(PluginConfig):
        """``beta`` and ``isotonic`` give way to ``platt`` while they have too few events."""

        method: Method = Field("platt", description="the form of the curve")
        min_events: int = Field(30, ge=30, description="resolved events before it corrects")
        penalty: float = Field(10.0, ge=0.0, description="ridge towards changing nothing")
        least: float = Field(0.001, gt=0.0, lt=0.5, description="bound of corrected answers")
        evidence_penalty: float = Field(
            0.0, ge=0.0, le=1.0, description="share of the log-odds lost without any evidence"
        )
        disagreement_penalty: float = Field(
            0.0, ge=0.0, description="log-odds divided by 1 + this x width of the interval"
        )

    config: Config

    def __init__(self, config: PluginConfig | None = None) -> None:
        super().__init__(config)
        self.learnt: Learnt | None = None

    async def forecast(
        self,
        question: Question,
        evidence: Evidence | None,
        snapshot: MarketSnapshot | None,
        as_of: int,
    ) -> Forecast:
        """The wrapped forecaster's answer, corrected; its moment and latency stay.

        Raises:
            ForecastError: the wrapped one has no answer, or there is not exactly one.
        """
        if len(self.of) != 1:
            raise ForecastError(
                f"Calibrated wraps {len(self.of)} forecasters",
                expected='one: "of": ["default"]; several through an Ensemble',
            )
        raw = await self.of[0].forecast(
            question, evidence, None if self.of[0].blind else snapshot, as_of
        )
        penalty = self._penalty(raw, evidence)

        line = self._line(question.category, _horizon(question.closes, raw.as_of))
        # A curve may fall where the forecaster is worse than none: the ends are put in order.
        ends = sorted(
            self._corrected(end, line, penalty)
            for end in (raw.low, raw.high)
            if end is not None and 0.0 < end < 1.0
        )
        whole = len(ends) == 2
        return msgspec.structs.replace(
            raw,
            probability=self._corrected(raw.probability, line, penalty),
            source=f"calibrated({raw.source})",
            low=ends[0] if whole else None,
            high=ends[1] if whole else None,
        )

    def fit(self, pairs: Sequence[ResolvedPair], as_of: int) -> None:
        """Learns the curve from the pairs known before ``as_of``, one vote an event."""
        known = [pair for pair in pairs if pair.known_at < as_of and pair.outcome in {0.0, 1.0}]
        events = Counter(_event(pair) for pair in known)
        if len(events) < self.config.min_events or len({pair.outcome for pair in known}) < 2:
            self.learnt = None
            return
        p = np.array([pair.forecast.probability for pair in known])
        y = np.array([pair.outcome for pair in known])
        weights = np.array([1.0 / events[_event(pair)] for pair in known])
        newest = max(pair.known_at for pair in known)
        self.learnt = Learnt(self._curve(p, y, known, weights), len(events), newest)

    def _curve(
        self,
        p: np.ndarray[tuple[int], np.dtype[np.float64]],
        y: np.ndarray[tuple[int], np.dtype[np.float64]],
        pairs: Sequence[ResolvedPair],
        weights: np.ndarray[tuple[int], np.dtype[np.float64]],
    ) -> Curve:
        penalty, method = self.config.penalty, self.config.method
        if method in {"by_category", "hierarchical"}:
            categories = [pair.category for pair in pairs]
            if method == "by_category":
                return platt_by_group(p, y, categories, penalty=penalty, weights=weights)
            horizons = [_horizon(pair.closes, pair.forecast.as_of) for pair in pairs]
            return platt_hierarchy(p, y, categories, horizons, penalty=penalty, weights=weights)
        try:
            if method == "beta":
                return beta_fit(p, y, weights=weights)
            if method == "isotonic":
                return isotonic_fit(p, y, weights=weights)
        except DataError:
            pass  # too few events, or rows that do not determine the curve: the line does
        return platt_fit(p, y, penalty=penalty, weights=weights)

    def _line(self, category: str, horizon: str) -> Platt | Beta | Isotonic | None:
        """The curve for one question; None while nothing was learnt."""
        curve = None if self.learnt is None else self.learnt.curve
        if isinstance(curve, HierarchicalPlatt):
            return curve.line(category, horizon)
        return curve.line(category) if isinstance(curve, GroupedPlatt) else curve

    def _corrected(self, p: float, line: Platt | Beta | Isotonic | None, penalty: float) -> float:
        if line is not None:
            p = clamp(float(line.apply([p])[0]), self.config.least, 1.0 - self.config.least)
        return p if penalty == 1.0 else sigmoid(penalty * logit(p))

    def _penalty(self, raw: Forecast, evidence: Evidence | None) -> float:
        """What is left of the log-odds after the penalties."""
        kept = 1.0
        if self.config.evidence_penalty:
            quality = evidence.quality if evidence is not None else None
            kept *= 1.0 - self.config.evidence_penalty * (1.0 - clamp(quality or 0.0, 0.0, 1.0))
        if self.config.disagreement_penalty and raw.low is not None and raw.high is not None:
            kept /= 1.0 + self.config.disagreement_penalty * max(0.0, raw.high - raw.low)
        return kept


def _event(pair: ResolvedPair) -> str:
    return pair.event or pair.forecast.market


def _horizon(closes: int, as_of: int) -> str:
    """The group of a question by the time that is left; none where its end is not known."""
    return horizon_name(closes - as_of) if closes else ""
