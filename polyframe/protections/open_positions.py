"""Caps the number of markets in play."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from polyframe import Kind, PluginConfig, Protection


class OpenPositions(Protection):
    """At most ``markets`` with a position or an open entry; those in play may be added to."""

    kernel = "open_positions"
    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE, Kind.ARBITRAGE})

    class Config(PluginConfig):
        """Units: markets."""

        markets: int = Field(25, gt=0)

    def limits(self) -> Mapping[str, int]:
        """The number."""
        return {"open_positions": self.config.markets}
