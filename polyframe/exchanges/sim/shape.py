"""The uniform book that the settings give a market."""

from __future__ import annotations

from polyframe.domain.book import BookShape
from polyframe.domain.market import Market
from polyframe.domain.units import ceil_to, floor_to, to_units
from polyframe.exchanges.sim.settings import PPM, SimSettings


def shape_of(market: Market, settings: SimSettings) -> BookShape:
    """What stands behind each price of a market; the stress multiplier thins it out."""
    one = market.price_one
    step = ceil_to(max(int(settings.depth_step * one), market.tick), market.tick)
    levels = max(1, int(settings.depth_reach * one) // step)
    units = to_units(round(settings.depth_shares, 6), market.size_decimals, name="depth_shares")
    return BookShape(floor_to(units * PPM // (levels * settings.stress), market.lot), step, levels)
