"""Keeps entries away from the tails and from fat fingers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from polyframe import Kind, PluginConfig, Protection


class PriceBand(Protection):
    """Entries only between ``low`` and ``high`` and at most ``away`` beyond the other side's best.

    In the tails the fee, the tick and the spread are large against what can be won.
    """

    kernel = "price_band"
    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE})

    class Config(PluginConfig):
        """Units: fractions of 1."""

        low: float = Field(0.03, ge=0, le=1, allow_inf_nan=False)
        high: float = Field(0.97, ge=0, le=1, allow_inf_nan=False)
        away: float = Field(0.05, ge=0, le=1, allow_inf_nan=False)

        @model_validator(mode="after")
        def _ordered(self) -> Self:
            if self.low >= self.high:
                raise ValueError(f"low {self.low} is not below high {self.high}")
            return self

    def limits(self) -> Mapping[str, int]:
        """The bounds in millionths of 1."""
        return {
            "price_low": round(self.config.low * 1e6),
            "price_high": round(self.config.high * 1e6),
            "price_away": round(self.config.away * 1e6),
        }
