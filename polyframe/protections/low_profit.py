"""Leaves markets that do not pay."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pydantic import Field

from polyframe import MINUTE, Kind, PluginConfig, Protection, money


class LowProfit(Protection):
    """Locks a market for ``stop_minutes`` whose positions earned less than ``profit`` of late.

    Those closed in the last ``lookback_minutes`` count, from ``trades`` of them on.
    """

    kernel = "low_profit"
    applies_to = frozenset({Kind.DIRECTIONAL})

    class Config(PluginConfig):
        """Units: closed positions; minutes; the account's currency after fees."""

        trades: int = Field(2, gt=0, le=10_000)
        lookback_minutes: float = Field(360, gt=0, le=525_600)
        profit: Decimal = Field(Decimal(0), allow_inf_nan=False)
        stop_minutes: float = Field(60, gt=0, le=525_600)

    def limits(self) -> Mapping[str, int]:
        """The number, times in ns, the profit in money."""
        return {
            "low_profit_trades": self.config.trades,
            "low_profit_lookback": round(self.config.lookback_minutes * MINUTE),
            "low_profit_required": money(self.config.profit),
            "low_profit_stop": round(self.config.stop_minutes * MINUTE),
        }
