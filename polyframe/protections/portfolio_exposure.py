"""Caps what can be lost in all."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from polyframe import Kind, PluginConfig, Protection


class PortfolioExposure(Protection):
    """At most ``share`` of equity at risk over all events, open orders included; orders are shrunk.

    At risk in an event is what its positions and open orders can still lose in its worst outcome.
    """

    kernel = "portfolio"
    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE, Kind.ARBITRAGE})

    class Config(PluginConfig):
        """Units: a part of equity."""

        share: float = Field(0.60, ge=1e-6, le=1)

    def limits(self) -> Mapping[str, int]:
        """The share in millionths."""
        return {"portfolio": round(self.config.share * 1e6)}
