"""Steps back after a run of losses."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from polyframe import MINUTE, Kind, PluginConfig, Protection


class MaxDrawdown(Protection):
    """Locks everything for ``stop_minutes`` when closed positions drew down more than ``drawdown``.

    Those closed in the last ``lookback_minutes`` count, from ``trades`` of them on: the deepest
    fall of their summed profit from its peak, as a part of equity.
    """

    kernel = "max_drawdown"
    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE, Kind.ARBITRAGE})

    class Config(PluginConfig):
        """Units: closed positions; minutes; a part of equity."""

        trades: int = Field(10, gt=0, le=10_000)
        lookback_minutes: float = Field(2_880, gt=0, le=525_600)
        drawdown: float = Field(0.15, ge=1e-6, lt=1)
        stop_minutes: float = Field(720, gt=0, le=525_600)

    def limits(self) -> Mapping[str, int]:
        """The number, times in ns, the drawdown in millionths."""
        return {
            "max_drawdown_trades": self.config.trades,
            "max_drawdown_lookback": round(self.config.lookback_minutes * MINUTE),
            "max_drawdown_allowed": round(self.config.drawdown * 1e6),
            "max_drawdown_stop": round(self.config.stop_minutes * MINUTE),
        }
