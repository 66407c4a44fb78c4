"""Keeps away from long shots."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from polyframe import Kind, PluginConfig, Protection


class ImpliedProbability(Protection):
    """Entries only at prices that imply at least ``probability`` for the token that is bought."""

    kernel = "implied_probability"
    applies_to = frozenset({Kind.DIRECTIONAL})

    class Config(PluginConfig):
        """Units: a fraction of 1."""

        probability: float = Field(0.05, ge=1e-6, lt=1)

    def limits(self) -> Mapping[str, int]:
        """The probability in millionths."""
        return {"implied_probability": round(self.config.probability * 1e6)}
