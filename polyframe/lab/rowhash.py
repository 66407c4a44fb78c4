"""A digest of each market's prices, so that a changed price can be traced to its market."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from polyframe.domain.market import Market
from polyframe.quant.split import by_code
from polyframe.store.timeline import PriceColumns

MOST_ROWS = 1_000_000
"""Above this no digests are made: sorting them would cost more than it tells."""
DIGITS = 12


def row_digests(prices: PriceColumns, markets: Sequence[Market]) -> dict[str, str]:
    """The beginning of the sha256 of each market's times, prices and flags, by market id."""
    if not 0 < len(prices) <= MOST_ROWS:
        return {}
    order, spans = by_code(prices.market, len(markets))
    ts, price, flag = prices.ts[order], prices.price[order], prices.flag[order]
    found = {}
    for market, span in zip(markets, spans, strict=True):
        digest = sha256(ts[span].tobytes())
        digest.update(price[span].tobytes())
        digest.update(flag[span].tobytes())
        found[market.id] = digest.hexdigest()[:DIGITS]
    return found
