"""Refuses orders that are out of proportion."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from polyframe import Kind, PluginConfig, Protection


class OrderSize(Protection):
    """No order for more than ``share`` of equity, no quote for more than ``quotes``; shrinks."""

    kernel = "order_size"
    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE, Kind.ARBITRAGE})

    class Config(PluginConfig):
        """Units: parts of equity; an order counts with what it costs, fee included."""

        share: float = Field(0.05, ge=1e-6, le=1)
        quotes: float = Field(0.01, ge=1e-6, le=1)

    def limits(self) -> Mapping[str, int]:
        """The shares in millionths."""
        return {
            "order_size": round(self.config.share * 1e6),
            "quote_size": round(self.config.quotes * 1e6),
        }
