"""Stops the session at a drawdown that must not go on."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from polyframe import Kind, PluginConfig, Protection


class DrawdownKill(Protection):
    """No new exposure once equity has fallen by ``drawdown`` from its peak, until a person resets.

    The engine halts at the very price that crosses the line and stays halted even if equity
    recovers. With ``flatten`` it also sells everything that is held.
    """

    kernel = "drawdown_kill"
    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE, Kind.ARBITRAGE})

    class Config(PluginConfig):
        """Units: a part of the peak equity."""

        drawdown: float = Field(0.20, ge=1e-6, lt=1)
        flatten: bool = False

    def limits(self) -> Mapping[str, int]:
        """The drawdown in millionths, 1 to sell."""
        return {
            "drawdown_kill": round(self.config.drawdown * 1e6),
            "drawdown_flatten": int(self.config.flatten),
        }
