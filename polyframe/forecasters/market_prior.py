"""The market itself as a forecaster."""

from __future__ import annotations

from polyframe import (
    Evidence,
    Forecast,
    Forecaster,
    ForecastError,
    MarketSnapshot,
    Question,
)


class MarketPrior(Forecaster):
    """Answers with the mid: the forecast that has to be beaten."""

    pure = True
    blind = False

    async def forecast(
        self,
        question: Question,
        evidence: Evidence | None,
        snapshot: MarketSnapshot | None,
        as_of: int,
    ) -> Forecast:
        """The mid at the time of asking.

        Raises:
            ForecastError: there is no trustworthy two-sided quote.
        """
        if snapshot is None or not 0.0 < snapshot.probability < 1.0:
            raise ForecastError(f"market {question.market} has no trustworthy quote")
        return Forecast(
            question.market,
            snapshot.probability,
            as_of,
            "market",
            blind=False,
        )
