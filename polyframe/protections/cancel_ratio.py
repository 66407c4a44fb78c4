"""Keeps below what venues take for quote stuffing."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from polyframe import Kind, PluginConfig, Protection


class CancelRatio(Protection):
    """Nothing new at ``ratio`` cancels an order filled today (UTC), from ``start`` cancels on."""

    kernel = "cancel_ratio"
    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE, Kind.ARBITRAGE})

    class Config(PluginConfig):
        """Units: cancels an order filled; cancels."""

        ratio: int = Field(50, gt=0)
        start: int = Field(100, gt=0)

    def limits(self) -> Mapping[str, int]:
        """The numbers."""
        return {"cancel_ratio": self.config.ratio, "cancels_from": self.config.start}
