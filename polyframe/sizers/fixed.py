"""The same stake every time."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from polyframe import Intent, PluginConfig, Side, Sizer, View


class FixedSizer(Sizer):
    """Stakes ``stake`` on each entry, as freqtrade's ``stake_amount`` does."""

    class Config(PluginConfig):
        """Units: the account's currency."""

        stake: Decimal = Field(Decimal(10), gt=0, allow_inf_nan=False)

    def size(self, intent: Intent, price: int, view: View) -> int:
        """Shares that the stake buys at the limit."""
        if intent.side != Side.BUY:
            return view.position(intent.token).free
        if price <= 0:
            return 0
        market = view.market(intent.token)
        shares = self.config.stake * market.price_one / price
        return int(shares * 10**market.size_decimals)
