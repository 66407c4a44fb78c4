"""Demands a forecaster that is sure enough."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator

from polyframe import Kind, PluginConfig, Protection

LEVELS = ("low", "medium", "high")
Level = Annotated[
    Literal["low", "medium", "high"],
    BeforeValidator(lambda text: text.lower() if isinstance(text, str) else text),
]


class Confidence(Protection):
    """Entries only where the market's newest forecast has at least the confidence ``level``.

    A strategy that asks no forecaster is not concerned. A forecast that states none is refused,
    except where the recorded data never does.
    """

    kernel = "confidence"
    applies_to = frozenset({Kind.DIRECTIONAL})

    class Config(PluginConfig):
        """Units: low, medium or high."""

        level: Level = "medium"

    def limits(self) -> Mapping[str, int]:
        """0 low, 1 medium, 2 high."""
        return {"confidence": LEVELS.index(self.config.level)}
