"""The forecaster port."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from polyframe.api.plugin import Plugin
from polyframe.domain.forecast import Evidence, Forecast, MarketSnapshot, Question
from polyframe.domain.units import Ns


class ResolvedPair(msgspec.Struct, frozen=True):
    """A past forecast and what happened, with the moment the outcome was known.

    Pairs of one ``event`` are one observation, however many they are; without one the market is it.
    """

    forecast: Forecast
    outcome: float
    known_at: Ns
    event: str = ""
    category: str = ""
    closes: Ns = 0
    """when the question closes, 0 where that is not known"""


class ForecastSource:
    """Recorded forecasts, injected into forecasters that read them."""

    def newest(self, market: str, source: str, known_by: Ns) -> Forecast | None:
        """The newest forecast for a market that could be acted on at ``known_by``."""
        raise NotImplementedError


class Forecaster(Plugin):
    """Answers with the probability of a market's first outcome.

    ``snapshot`` is None when the forecaster must not see the price. ``pure`` says that the answer
    depends on the arguments and injected records alone: a backtest may then call it directly;
    otherwise a backtest replays what an earlier run stored.

    Raises:
        ForecastError: no answer can be given; the strategy hears of it through ``on_forecast``.
    """

    pure: ClassVar[bool] = False
    blind: ClassVar[bool] = True
    records: ForecastSource | None = None
    of: Sequence[Forecaster] = ()

    async def forecast(
        self,
        question: Question,
        evidence: Evidence | None,
        snapshot: MarketSnapshot | None,
        as_of: Ns,
    ) -> Forecast:
        """The forecast as of a moment, using nothing that was known later."""
        raise NotImplementedError

    def fit(self, pairs: Sequence[ResolvedPair], as_of: Ns) -> None:
        """Learns from pairs whose outcome was known before ``as_of``. Optional.

        A session calls it with what the forecasters of ``of`` said about questions that are
        resolved by then, before the first question and then at most once a day of its time.
        """
