"""Which market a token belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame, Series


def token_owners(markets: DataFrame) -> dict[str, str]:
    """Market ids by token."""
    owners = dict(zip(markets["token_0"], markets["market_id"], strict=True))
    paired = markets[markets["token_1"].notna()]
    return owners | dict(zip(paired["token_1"], paired["market_id"], strict=True))


def filled_markets(prices: DataFrame, markets: DataFrame) -> Series[str]:
    """The rows' market ids; an empty one becomes its token's market where that is known."""
    stated = prices["market_id"].fillna("")
    if not (stated == "").any():
        return stated
    known = prices["token"].map(token_owners(markets)).astype("string").fillna("")
    return stated.where(stated != "", known)
