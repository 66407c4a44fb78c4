"""Caps what can be lost in one event."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from polyframe import Kind, PluginConfig, Protection


class EventExposure(Protection):
    """At most ``share`` of equity at risk in one event, whatever its outcome; shrinks."""

    kernel = "event"
    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE, Kind.ARBITRAGE})

    class Config(PluginConfig):
        """Units: a part of equity."""

        share: float = Field(0.25, ge=1e-6, le=1)

    def limits(self) -> Mapping[str, int]:
        """The share in millionths."""
        return {"event": round(self.config.share * 1e6)}
