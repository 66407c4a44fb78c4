"""Caps what is traded in a day."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from polyframe import Kind, PluginConfig, Protection


class DailyVolume(Protection):
    """Orders of one day (UTC) for at most ``times`` the equity at its start; shrinks."""

    kernel = "daily_volume"
    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE, Kind.ARBITRAGE})

    class Config(PluginConfig):
        """Units: times the equity at 00:00 UTC."""

        times: float = Field(20, ge=1e-6, le=1_000)

    def limits(self) -> Mapping[str, int]:
        """The multiple in millionths."""
        return {"daily_volume": round(self.config.times * 1e6)}
