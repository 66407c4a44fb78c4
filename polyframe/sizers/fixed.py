"""The same stake every time."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from polyframe import Int, Intent, PluginConfig, Side, Sizer, View, money


class FixedSizer(Sizer):
    """Stakes ``stake`` on each entry, or an equal part of equity; freqtrade's ``stake_amount``."""

    class Config(PluginConfig):
        """Units: the account's currency."""

        stake: Annotated[Decimal, Field(gt=0, allow_inf_nan=False)] | Literal["unlimited"] = Field(
            Decimal(10)
        )
        """an amount, or ``unlimited``: equity by ``max_open``, and no more than is free"""
        max_open: Annotated[int, Field(ge=1)] = Int(25, 1, 50, space="sizing")
        """markets that ``unlimited`` leaves room for; 25 as the guard OpenPositions allows"""

    config: Config

    @property
    def fixed_stake(self) -> int | None:
        """The stake as money where it is one amount, None where it depends on equity."""
        if self.config.stake == "unlimited" or self.config.stake % Decimal("0.000001"):
            return None
        return money(self.config.stake)

    def size(self, intent: Intent, price: int, view: View) -> int:
        """Shares that the stake buys at the limit, fees not included."""
        if intent.side != Side.BUY:
            return view.position(intent.token).free
        if price <= 0:
            return 0
        market = view.market(intent.token)
        shares = self._stake(view) * market.price_one / price
        return int(shares * 10**market.size_decimals)

    def _stake(self, view: View) -> Decimal:
        if self.config.stake != "unlimited":
            return self.config.stake
        account = view.portfolio()
        part = account.equity // self.config.max_open
        return Decimal(max(0, min(part, account.free))).scaleb(-6)
