"""Caps what can be lost in one category."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from polyframe import Kind, PluginConfig, Protection


class CategoryExposure(Protection):
    """At most ``share`` of equity at risk in one category of markets; orders are shrunk.

    ``categories`` gives single categories caps of their own. Case does not matter.
    """

    kernel = "category"
    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE, Kind.ARBITRAGE})

    class Config(PluginConfig):
        """Units: parts of equity."""

        share: float = Field(0.35, ge=1e-6, le=1)
        categories: dict[str, Annotated[float, Field(ge=1e-6, le=1)]] = Field(
            {"macro": 0.40, "election": 0.35, "corporate": 0.30}
        )

    def limits(self) -> Mapping[str, int]:
        """The share in millionths."""
        return {"category": round(self.config.share * 1e6)}

    def limits_by_category(self) -> Mapping[str, Mapping[str, int]]:
        """The caps of single categories in millionths."""
        caps = self.config.categories
        return {"category": {name.lower(): round(cap * 1e6) for name, cap in caps.items()}}
