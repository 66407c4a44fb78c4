"""Stops new exposure after a bad week."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pydantic import Field

from polyframe import Kind, PluginConfig, Protection, money


class WeeklyLoss(Protection):
    """No new exposure once equity has fallen by ``loss`` since Monday 00:00 UTC, until the next."""

    kernel = "weekly_loss"
    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE, Kind.ARBITRAGE})

    class Config(PluginConfig):
        """Units: the account's currency."""

        loss: Decimal = Field(Decimal(1_000), gt=0, allow_inf_nan=False)

    def limits(self) -> Mapping[str, int]:
        """The loss in money."""
        return {"weekly_loss": money(self.config.loss)}
