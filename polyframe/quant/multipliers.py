"""What scales a Kelly bet down, or up, and what caps it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from polyframe.errors import DataError
from polyframe.quant.roots import checked_amount, checked_probability

KELLY_FRACTION = 0.25

CONFIDENCE: Mapping[str, float] = {"LOW": 0.5, "MEDIUM": 0.75, "HIGH": 1.0}

REGIME: Mapping[str, float] = {
    "NORMAL": 1.0,
    "MEAN_REVERTING": 1.0,
    "TRENDING": 0.75,
    "LOW_ACTIVITY": 0.75,
    "HIGH_VOLATILITY": 0.5,
}

CATEGORY: Mapping[str, float] = {"STRONG": 1.0, "FAIR": 0.75, "WEAK": 0.5}
"""By how well the forecaster has done in the market's category."""

HEAT = ((0.10, 0.5), (0.15, 0.25), (0.20, 0.0))
"""From each drawdown on, the multiplier."""

TIMELINE = ((1.0, 0.5), (7.0, 1.3), (30.0, 1.0), (180.0, 0.5))
"""At each number of days to resolution, the multiplier: the last day belongs to those who know
more, and money that is locked up for half a year earns nothing elsewhere."""


def graded(name: str, grade: str, table: Mapping[str, float]) -> float:
    """The multiplier that a table gives to a grade, such as ``CONFIDENCE`` to "HIGH".

    Shapes: scalar. Units: a factor; ``name`` is what the grade is called in an error.

    Raises:
        DataError: the table does not have the grade.
    """
    found = table.get(grade.upper())
    if found is None:
        raise DataError(f"{name} {grade!r} is unknown", expected=", ".join(table))
    return found


def drawdown_heat(drawdown: float, steps: Sequence[tuple[float, float]] = HEAT) -> float:
    """The multiplier at a drawdown: 1, then down by steps to nothing.

    Shapes: steps (n, 2) as (drawdown, multiplier), ascending. Units: drawdown as a fraction of the
    peak of equity, from 0 on.

    Raises:
        DataError: the drawdown is negative or no number.
    """
    checked_amount("drawdown", drawdown)
    found = 1.0
    for least, multiplier in steps:
        if drawdown >= least:
            found = multiplier
    return found


def drawdown_heat_linear(drawdown: float, limit: float = 0.20) -> float:
    """The multiplier at a drawdown: 1 - drawdown / limit, never below 0.

    Shapes: scalars. Units: fractions of the peak of equity.

    Source: proportional de-risking, Grossman and Zhou 1993.

    Raises:
        DataError: the drawdown is negative, the limit not above 0, or one is no number.
    """
    checked_amount("drawdown", drawdown)
    return max(0.0, 1.0 - drawdown / checked_amount("drawdown limit", limit, above=0.0))


def timeline_multiplier(days: float, knots: Sequence[tuple[float, float]] = TIMELINE) -> float:
    """The multiplier for a time to resolution, linear in its logarithm between the knots.

    Shapes: knots (n, 2) as (days, multiplier), days ascending and above 0. Units: days.

    Raises:
        DataError: the days are negative or no number.
    """
    checked_amount("days to resolution", days)
    before, multiplier = knots[0]
    for after, reached in knots:
        if days <= after:
            if after == before or days <= before:
                return multiplier
            way = math.log(days / before) / math.log(after / before)
            return multiplier + way * (reached - multiplier)
        before, multiplier = after, reached
    return multiplier


def volatility_multiplier(
    realised: float, target: float, least: float = 0.25, most: float = 1.0
) -> float:
    """Wanted over realised volatility, within bounds.

    Shapes: scalars. Units: both volatilities in one unit, such as log-odds a day.

    Source: volatility targeting.

    Raises:
        DataError: a volatility is negative or no number, the target is 0, the bounds are crossed.
    """
    checked_amount("realised volatility", realised)
    checked_amount("target volatility", target, above=0.0)
    if not 0.0 <= least <= most:
        raise DataError(f"volatility multiplier from {least!r} to {most!r}")
    return min(most, max(least, target / realised)) if realised > 0.0 else most


def scaled_fraction(
    kelly: float, multipliers: Sequence[float], fraction: float = KELLY_FRACTION
) -> float:
    """The share of wealth to stake: Kelly times the fraction times every multiplier, at most 1.

    Shapes: multipliers (n,). Units: fractions of wealth.

    Raises:
        DataError: the Kelly bet is outside [0, 1], a factor is negative or no number.
    """
    checked_probability("Kelly bet", kelly)
    factors = [checked_amount("multiplier", factor) for factor in multipliers]
    return min(1.0, kelly * checked_amount("fraction of Kelly", fraction) * math.prod(factors))


class CappedStake(NamedTuple):
    """A stake and the cap that made it so small; no name when none did."""

    stake: float
    cap: str


def capped_stake(
    stake: float,
    *,
    equity: float,
    liquidity: float,
    per_market: float,
    of_equity: float = 0.05,
    of_liquidity: float = 0.05,
) -> CappedStake:
    """The stake within the caps of one market, of equity and of what the book offers.

    Shapes: scalars. Units: money, except the two shares ``of_equity`` and ``of_liquidity``.

    Raises:
        DataError: an amount is negative or no number.
    """
    caps = {
        "per market": checked_amount("cap per market", per_market),
        "of equity": checked_amount("share of equity", of_equity)
        * checked_amount("equity", equity),
        "of liquidity": checked_amount("share of liquidity", of_liquidity)
        * checked_amount("liquidity", liquidity),
    }
    name, least = min(caps.items(), key=lambda item: item[1])
    if checked_amount("stake", stake) <= least:
        return CappedStake(stake, "")
    return CappedStake(least, name)
