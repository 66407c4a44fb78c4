"""Fractional Kelly."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from polyframe import (
    DataError,
    Intent,
    PluginConfig,
    Real,
    Side,
    Sizer,
    View,
    buy_cost,
    kelly_fraction,
)


class KellySizer(Sizer):
    """Stakes ``fraction`` of the Kelly bet on the ledger's equity, up to ``cap`` of it.

    The bet is sized at the order's price limit with the taker fee, against what the ledger already
    has in the token, so that a second signal adds only what is missing.
    """

    class Config(PluginConfig):
        """Units: fractions of the Kelly bet and of equity."""

        fraction: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = Real(
            0.25, 0.05, 1.0, space="sizing"
        )
        cap: float = Field(0.05, gt=0, le=1, allow_inf_nan=False)
        most: Decimal | None = Field(None, gt=0, allow_inf_nan=False)
        """greatest stake in the account's currency"""

    def size(self, intent: Intent, price: int, view: View) -> int:
        """Shares to buy at the limit.

        Raises:
            DataError: the intent states no probability.
        """
        if intent.probability is None:
            raise DataError(
                f"intent to buy {intent.token} states neither a size nor a probability",
                expected="Intent(..., probability=...) or Intent(..., size=...)",
            )
        if intent.side != Side.BUY:
            return view.position(intent.token).free
        market = view.market(intent.token)
        p = price / market.price_one
        fee = market.fee
        cost = buy_cost(p, fee.rate / 1e6, fee.exponent) if fee is not None else buy_cost(p, 0.0)
        stake = min(
            self.config.fraction * kelly_fraction(intent.probability, cost), self.config.cap
        )
        wanted = stake * view.portfolio().equity
        if self.config.most is not None:
            wanted = min(wanted, float(self.config.most) * 1e6)
        missing = wanted - view.position(intent.token).cost
        if missing <= 0 or cost <= 0:
            return 0
        return int(missing / cost / 1e6 * 10**market.size_decimals)
