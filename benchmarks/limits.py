"""Settings of the default guards under which none of them binds."""

from __future__ import annotations

from typing import Any

UNBOUND = 10**9
"""a limit that nothing reaches"""

UNLIMITED: dict[str, dict[str, Any]] = {
    "MaxStake": {"stake": UNBOUND},
    "DailyLoss": {"loss": UNBOUND},
    "WeeklyLoss": {"loss": UNBOUND},
    "DrawdownKill": {"drawdown": 0.99},
    "DrawdownHeat": {"steps": [[0.96, 0.5], [0.97, 0.25], [0.98, 0.0]]},
    "OpenPositions": {"markets": UNBOUND},
    "MinEdge": {"edge": 0.0},
    "ImpliedProbability": {"probability": 1e-6},
    "PriceBand": {"low": 0, "high": 1, "away": 1},
    "PortfolioExposure": {"share": 1},
    "CategoryExposure": {"share": 1, "categories": {}},
    "EventExposure": {"share": 1},
    "CorrelatedPositions": {"positions": UNBOUND},
    "SymbolExposure": {"net": 1, "gross": 2, "total_net": 1},
    "OrderSize": {"share": 1, "quotes": 1},
    "OrderRate": {"second": 10_000, "minute": 50_000},
    "DailyVolume": {"times": 1_000},
    "CancelRatio": {"ratio": UNBOUND},
    "StoplossGuard": {"trades": 10_000},
    "Cooldown": {"minutes": 1e-6},
    "LowProfit": {"trades": 10_000},
    "MaxDrawdown": {"trades": 10_000},
}
"""Settings of the default guards under which none of them binds here."""
