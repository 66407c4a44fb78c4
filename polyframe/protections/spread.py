"""Keeps out of markets where crossing costs too much."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from polyframe import Kind, PluginConfig, Protection


class Spread(Protection):
    """Entries only where bid and ask are at most ``spread`` apart, and both are there."""

    kernel = "spread"
    applies_to = frozenset({Kind.DIRECTIONAL})

    class Config(PluginConfig):
        """Units: a fraction of 1."""

        spread: float = Field(0.06, ge=1e-6, lt=1)

    def limits(self) -> Mapping[str, int]:
        """The spread in millionths of 1."""
        return {"spread": round(self.config.spread * 1e6)}
