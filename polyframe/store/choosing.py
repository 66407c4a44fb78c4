"""Markets chosen by what is known of them, and told in one line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from shlex import quote

import numpy as np

from polyframe.domain.market import Market
from polyframe.domain.units import PAYOUT_ONE, Ns, format_units
from polyframe.errors import ConfigError
from polyframe.store.catalogue import Catalogue

PAYOUT_DECIMALS = 6


def of_category(markets: Sequence[Market], category: str, path: Path) -> list[Market]:
    """The markets of a category, whatever the case of its letters.

    Raises:
        ConfigError: there is none; with the nearest name.
    """
    wanted = category.lower()
    known = sorted({market.category.lower() for market in markets})
    if wanted not in known:
        near = get_close_matches(wanted, known, n=1)
        raise ConfigError(
            f"no market of category {category!r} in {path}",
            expected=f"{near[0]}?" if near else f"one of: {', '.join(known)}",
            hint=f"polyframe list markets --data {quote(str(path))}",
        )
    return [market for market in markets if market.category.lower() == wanted]


@dataclass(frozen=True, slots=True)
class MarketLine:
    """One market in a list. ``prices`` and ``forecasts`` count what is on record."""

    id: str
    question: str
    category: str
    group: str
    closes: Ns
    outcome: str
    prices: int
    forecasts: int


def list_markets(
    catalogue: Catalogue,
    *,
    category: str = "",
    search: str = "",
    forecasted: bool = False,
    unresolved: bool = False,
) -> list[MarketLine]:
    """The markets of a catalogue that pass the filters, in the order in which they close.

    Raises:
        ConfigError: no market is of the category.
        DataError: the catalogue is damaged.
    """
    markets: Sequence[Market] = catalogue.markets()
    if category:
        markets = of_category(markets, category, catalogue.path)
    words = search.lower().split()
    markets = [market for market in markets if _holds(market, words)]
    ended = catalogue.resolutions()
    if unresolved:
        markets = [market for market in markets if market.id not in ended]
    forecasts = Counter(row.market for row in catalogue.forecasts().rows)
    if forecasted:
        markets = [market for market in markets if market.id in forecasts]
    rows = np.bincount(catalogue.prices(markets).market, minlength=len(markets))
    lines = []
    for market, prices in zip(markets, rows.tolist(), strict=True):
        found = ended.get(market.id)
        outcome = "" if found is None else _outcome(market, found.payouts)
        lines.append(
            MarketLine(
                market.id, market.question, market.category, market.group, market.closes,
                outcome, prices, forecasts[market.id],
            )
        )  # fmt: skip
    return sorted(lines, key=lambda line: (line.closes, line.id))


def _holds(market: Market, words: Iterable[str]) -> bool:
    text = f"{market.id} {market.slug} {market.question}".lower()
    return all(word in text for word in words)


def _outcome(market: Market, payouts: Sequence[int]) -> str:
    """The winner, or what each outcome paid."""
    paid = [(token.outcome, p) for token, p in zip(market.tokens, payouts, strict=True) if p]
    if len(paid) == 1 and paid[0][1] == PAYOUT_ONE:
        return paid[0][0]
    return (
        ", ".join(f"{name} {format_units(p, PAYOUT_DECIMALS)}" for name, p in paid)
        or "nothing paid"
    )
