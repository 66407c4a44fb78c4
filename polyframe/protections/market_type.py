"""Keeps out of whole categories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from polyframe import Kind, PluginConfig, Protection


class MarketType(Protection):
    """No entry in a market of a blocked category. Case does not matter."""

    kernel = "market_type"
    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE, Kind.ARBITRAGE})

    class Config(PluginConfig):
        """Units: names of categories."""

        blocked: tuple[Annotated[str, Field(min_length=1)], ...] = ("unknown",)

    def limits(self) -> Mapping[str, int]:
        """A market is not blocked unless its category is."""
        return {"blocked": 0}

    def limits_by_category(self) -> Mapping[str, Mapping[str, int]]:
        """1 for each blocked category."""
        return {"blocked": {name.lower(): 1 for name in self.config.blocked}}
