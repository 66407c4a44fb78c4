"""Counts positions that move together as what they are."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from polyframe import HOUR, Kind, PluginConfig, Protection


class CorrelatedPositions(Protection):
    """At most ``positions`` markets that move together; those in play may be added to.

    Two markets move together when they are of one event, or when the correlation of their price
    changes over the last ``hours`` is above ``above`` (up or down), from at least ``samples``
    common changes.
    """

    kernel = "correlation"
    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE})

    class Config(PluginConfig):
        """Units: markets; a coefficient; price changes; hours."""

        positions: int = Field(4, gt=0)
        above: float = Field(0.7, ge=1e-6, le=1)
        samples: int = Field(24, ge=3, le=10_000)
        hours: float = Field(96, gt=0, le=8_760)

    def limits(self) -> Mapping[str, int]:
        """The number, the coefficient in millionths, changes, ns."""
        return {
            "correlated": self.config.positions,
            "correlated_above": round(self.config.above * 1e6),
            "correlated_samples": self.config.samples,
            "correlated_window": round(self.config.hours * HOUR),
        }
