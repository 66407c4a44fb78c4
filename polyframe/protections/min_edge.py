"""Demands a reason to trade."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from polyframe import Kind, PluginConfig, Protection


class MinEdge(Protection):
    """Directional entries only from ``edge`` expected gain a share after costs.

    An entry that states neither an edge nor a probability is denied. Where a probability is stated
    the edge is taken from it, at the order's own price limit.
    """

    kernel = "min_edge"
    applies_to = frozenset({Kind.DIRECTIONAL})

    class Config(PluginConfig):
        """Units: fractions of 1 a share."""

        edge: float = Field(0.04, ge=0, lt=1, allow_inf_nan=False)

    def limits(self) -> Mapping[str, int]:
        """The edge in millionths of 1."""
        return {"min_edge": round(self.config.edge * 1e6)}
