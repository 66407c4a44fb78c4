"""Steps back after a row of stop-losses."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from polyframe import MINUTE, Kind, PluginConfig, Protection


class StoplossGuard(Protection):
    """``trades`` stop-losses in ``lookback_minutes`` lock everything for ``stop_minutes``.

    With ``only_per_market`` they are counted for each market and lock it alone. Positions closed by
    a stop-loss count, and those that a trailing stop closed at a loss.
    """

    kernel = "stoploss_guard"
    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE, Kind.ARBITRAGE})

    class Config(PluginConfig):
        """Units: closed positions; minutes."""

        trades: int = Field(3, gt=0, le=10_000)
        lookback_minutes: float = Field(60, gt=0, le=525_600)
        stop_minutes: float = Field(30, gt=0, le=525_600)
        only_per_market: bool = False

    def limits(self) -> Mapping[str, int]:
        """The number, times in ns, 1 for each market alone."""
        return {
            "stoploss_trades": self.config.trades,
            "stoploss_lookback": round(self.config.lookback_minutes * MINUTE),
            "stoploss_stop": round(self.config.stop_minutes * MINUTE),
            "stoploss_per_market": int(self.config.only_per_market),
        }
