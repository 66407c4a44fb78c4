"""Keeps entries away from the end, and from what is too far off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from polyframe import DAY, HOUR, Kind, PluginConfig, Protection


class Timeline(Protection):
    """No entry later than ``last_hours`` before the market closes nor earlier than ``first_days``.

    A market whose close is not known takes no entry.
    """

    kernel = "timeline"
    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE})

    class Config(PluginConfig):
        """Units: hours; days."""

        last_hours: float = Field(2, ge=0, le=87_600)
        first_days: float = Field(120, gt=0, le=3_650)

        @model_validator(mode="after")
        def _sound(self) -> Self:
            if self.last_hours >= self.first_days * 24:
                raise ValueError(
                    f"last_hours {self.last_hours} is not below first_days {self.first_days}"
                )
            return self

    def limits(self) -> Mapping[str, int]:
        """Both times before the close in ns."""
        return {
            "timeline_last": round(self.config.last_hours * HOUR),
            "timeline_first": round(self.config.first_days * DAY),
        }
