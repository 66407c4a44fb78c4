"""Demands evidence behind a forecast."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from polyframe import Kind, PluginConfig, Protection


class EvidenceQuality(Protection):
    """Entries only where the evidence of the market's newest forecast has at least ``quality``.

    A strategy that asks no forecaster is not concerned. A forecast that says nothing about its
    evidence is refused, except where the recorded data never says.
    """

    kernel = "evidence"
    applies_to = frozenset({Kind.DIRECTIONAL})

    class Config(PluginConfig):
        """Units: 0 to 1, as the forecaster grades it."""

        quality: float = Field(0.55, ge=1e-6, le=1)

    def limits(self) -> Mapping[str, int]:
        """The quality in millionths."""
        return {"evidence": round(self.config.quality * 1e6)}
