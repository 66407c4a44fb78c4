"""Caps what is paid for one market's shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from polyframe import Kind, PluginConfig, Protection


class SymbolExposure(Protection):
    """At most ``net`` and ``gross`` of equity paid for one market, and ``total_net`` net over all.

    Gross is the cost of YES plus the cost of NO, net their difference; open entries count.
    """

    kernel = "symbol"
    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE, Kind.ARBITRAGE})

    class Config(PluginConfig):
        """Units: parts of equity."""

        net: float = Field(0.30, ge=1e-6, le=1)
        gross: float = Field(0.60, ge=1e-6, le=2)
        total_net: float = Field(0.50, ge=1e-6, le=1)

        @model_validator(mode="after")
        def _ordered(self) -> Self:
            for name in ("gross", "total_net"):
                if self.net > getattr(self, name):
                    raise ValueError(f"net {self.net} is above {name} {getattr(self, name)}")
            return self

    def limits(self) -> Mapping[str, int]:
        """The shares in millionths."""
        return {
            "symbol_net": round(self.config.net * 1e6),
            "symbol_gross": round(self.config.gross * 1e6),
            "symbol_total_net": round(self.config.total_net * 1e6),
        }
