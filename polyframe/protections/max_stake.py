"""Caps the money at risk in one market."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pydantic import Field

from polyframe import Kind, PluginConfig, Protection, money


class MaxStake(Protection):
    """At most ``stake`` at risk in one market, open orders included; larger orders are shrunk."""

    kernel = "max_stake"
    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE, Kind.ARBITRAGE})

    class Config(PluginConfig):
        """Units: the account's currency."""

        stake: Decimal = Field(Decimal(50), gt=0, allow_inf_nan=False)

    def limits(self) -> Mapping[str, int]:
        """The cap in money."""
        return {"max_stake": money(self.config.stake)}
