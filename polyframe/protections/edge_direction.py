"""Refuses orders on the wrong side of what is believed."""

from __future__ import annotations

from polyframe import Kind, Protection


class EdgeDirection(Protection):
    """Buys only what is believed worth more than its price, never against the newest forecast.

    An entry that states neither an edge nor a probability is denied. The newest forecast of the
    market counts where the strategy has asked for one.
    """

    kernel = "edge_direction"
    applies_to = frozenset({Kind.DIRECTIONAL})
