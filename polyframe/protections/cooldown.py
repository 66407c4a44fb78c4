"""Waits before a market is entered again."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from polyframe import MINUTE, Kind, PluginConfig, Protection


class Cooldown(Protection):
    """No entry in a market for ``minutes`` after its position was closed."""

    kernel = "cooldown"
    applies_to = frozenset({Kind.DIRECTIONAL})

    class Config(PluginConfig):
        """Units: minutes."""

        minutes: float = Field(5, gt=0, le=525_600)

    def limits(self) -> Mapping[str, int]:
        """The time in ns."""
        return {"cooldown_stop": round(self.config.minutes * MINUTE)}
