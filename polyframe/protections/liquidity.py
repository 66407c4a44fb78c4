"""Keeps out of markets that cannot take an order."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pydantic import Field

from polyframe import Kind, PluginConfig, Protection, money


class Liquidity(Protection):
    """Entries only in markets that last reported at least ``liquidity``.

    A backtest over data that records no liquidity cannot check it and says so in its notes.
    """

    kernel = "liquidity"
    applies_to = frozenset({Kind.DIRECTIONAL})

    class Config(PluginConfig):
        """Units: the account's currency."""

        liquidity: Decimal = Field(Decimal(2_000), gt=0, allow_inf_nan=False)

    def limits(self) -> Mapping[str, int]:
        """The liquidity in money."""
        return {"liquidity": money(self.config.liquidity)}
