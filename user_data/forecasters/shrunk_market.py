"""ShrunkMarket: the market's own probability, drawn towards another forecaster's.

A worked example of a forecaster that builds on others: name them under ``of`` in the configuration.
"""

from __future__ import annotations

from polyframe import (
    Evidence,
    Forecast,
    Forecaster,
    ForecastError,
    MarketSnapshot,
    PluginConfig,
    Question,
    Real,
    log_odds_pool,
)


class ShrunkMarket(Forecaster):
    """Pools the mid with the first forecaster of ``of`` in log-odds."""

    pure = True
    blind = False

    class Config(PluginConfig):
        """``weight`` of the other forecaster; the market has the rest."""

        weight: float = Real(0.5, 0.0, 1.0)

    config: Config

    async def forecast(
        self,
        question: Question,
        evidence: Evidence | None,
        snapshot: MarketSnapshot | None,
        as_of: int,
    ) -> Forecast:
        """The pooled probability, labelled with both sources.

        Raises:
            ForecastError: there is no price, or no forecaster to build on.
        """
        if snapshot is None or not 0.0 < snapshot.probability < 1.0:
            raise ForecastError(f"market {question.market} has no price to build on")
        if not self.of:
            raise ForecastError(
                "ShrunkMarket builds on no forecaster", expected='"of": ["default"]'
            )
        other = await self.of[0].forecast(question, evidence, snapshot, as_of)
        weight = self.config.weight
        pooled = log_odds_pool([other.probability, snapshot.probability], [weight, 1.0 - weight])
        return Forecast(
            question.market,
            pooled,
            min(as_of, other.as_of),
            f"market+{other.source}",
            blind=False,
        )
