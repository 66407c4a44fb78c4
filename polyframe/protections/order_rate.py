"""Stops runaway strategies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from polyframe import Kind, PluginConfig, Protection


class OrderRate(Protection):
    """At most ``second`` orders in a second and ``minute`` in a minute, children included."""

    kernel = "order_rate"
    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE, Kind.ARBITRAGE})

    class Config(PluginConfig):
        """Units: orders."""

        second: int = Field(10, gt=0, le=10_000)
        minute: int = Field(300, gt=0, le=50_000)

        @model_validator(mode="after")
        def _sound(self) -> Self:
            if self.minute < self.second:
                raise ValueError(f"minute {self.minute} is below second {self.second}")
            return self

    def limits(self) -> Mapping[str, int]:
        """The numbers."""
        return {"orders_second": self.config.second, "orders_minute": self.config.minute}
