"""What a market's liquidity rewards ask for, and which market has which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from polyframe.api.plugin import PluginConfig
from polyframe.domain.market import Market
from polyframe.errors import ConfigError

ANY = "*"
"""Stands for every market."""


class RewardTerms(PluginConfig):
    """What a market's liquidity rewards ask for.

    Units: ``day`` in currency for all makers together, ``max_spread`` a fraction of 1, ``min_size``
    shares.
    """

    day: float = Field(ge=0, le=10_000_000)
    """what is paid out a day"""
    max_spread: float = Field(gt=0, le=0.5)
    """the distance from the mid at which an order earns nothing any more"""
    min_size: float = Field(0.0, ge=0, le=1e9)
    """smaller orders earn nothing, and the mid is what it would be without them"""
    boost: float = Field(1.0, gt=0, le=100)
    """the multiplier of points while a game is on"""


def terms_of(
    terms: Mapping[str, RewardTerms], markets: Sequence[Market]
) -> list[RewardTerms | None]:
    """The reward terms of each market, None where it has none.

    Raises:
        ConfigError: terms for markets that are not there, or for one that has no outcomes.
    """
    named = [name for name in terms if name != ANY]
    ids = {market.id for market in markets}
    if named and not ids.intersection(named):
        raise ConfigError(
            f"venue.sim.rewards has terms for {named[0]!r}, which is no market of this run",
            expected=f"ids such as {min(ids)!r}, or {ANY!r} for all markets",
            hint="polyframe data list",
        )
    found: list[RewardTerms | None] = []
    for market in markets:
        if market.id in terms and not market.binary:
            raise ConfigError(
                f"venue.sim.rewards has terms for {market.id!r}, which has {len(market.tokens)} "
                "token",
                expected="markets with two outcomes: rewards are counted on both",
            )
        found.append(terms.get(market.id, terms.get(ANY)) if market.binary else None)
    return found
