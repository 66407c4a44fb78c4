"""The market filter port: which markets a session looks at."""

from __future__ import annotations

import msgspec

from polyframe.api.plugin import Plugin
from polyframe.domain.market import Market
from polyframe.domain.units import Money, Ns


class MarketStats(msgspec.Struct, frozen=True):
    """What was known about a market at one moment. None where the data has nothing."""

    volume_24h: Money | None = None
    liquidity: Money | None = None
    spread: float | None = None


class MarketFilter(Plugin):
    """Keeps or drops a market, as of a moment and with what was known then."""

    def keep(self, market: Market, stats: MarketStats, as_of: Ns) -> bool | str:
        """True to keep it, or the reason why not."""
        return True
