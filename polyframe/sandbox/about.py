"""What a catalogue says about a market, for rooms that show it and leave the saying to others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from polyframe.sandbox.venue.market import Market


@dataclass(frozen=True, slots=True)
class About:
    """What the venue itself has no use for."""

    id: str = ""
    """the market's id at Gamma, digits"""
    description: str = ""
    icon: str = ""
    image: str = ""
    group_title: str = ""
    tags: tuple[str, ...] = ()
    event_id: str = ""
    event_slug: str = ""
    event_title: str = ""
    event_description: str = ""
    series_slug: str = ""


class Describe(Protocol):
    """How the rooms ask a catalogue about a market."""

    def __call__(self, market: Market, /) -> About:
        """What it says; an `About` with an id alone when it knows nothing."""
        ...


def nothing_known(market: Market, /) -> About:
    """What can be said about a market without a catalogue."""
    slug = market.listing.slug
    return About(id=str(int(market.condition_id[2:10], 16)), event_slug=slug)
