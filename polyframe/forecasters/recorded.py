"""Forecasts that somebody else made and recorded."""

from __future__ import annotations

from pydantic import Field

from polyframe import (
    Evidence,
    Forecast,
    Forecaster,
    ForecastError,
    MarketSnapshot,
    PluginConfig,
    Question,
)


class Recorded(Forecaster):
    """Answers with the newest recorded forecast that could be acted on at the time of asking.

    The answer keeps the label of its true source ("option-implied", "synthetic", a model's name);
    nothing is passed off as something else.
    """

    pure = True

    class Config(PluginConfig):
        """``source`` picks one label of the catalogue; empty takes the newest of any."""

        source: str = Field("", description="label of the recorded forecasts to use")

    async def forecast(
        self,
        question: Question,
        evidence: Evidence | None,
        snapshot: MarketSnapshot | None,
        as_of: int,
    ) -> Forecast:
        """The newest record known by ``as_of``.

        Raises:
            ForecastError: nothing was recorded for this market by then.
        """
        found = None
        if self.records is not None:
            found = self.records.newest(question.market, self.config.source, as_of)
        if found is None:
            label = self.config.source or "any source"
            raise ForecastError(f"no recorded forecast from {label} for market {question.market}")
        return found
