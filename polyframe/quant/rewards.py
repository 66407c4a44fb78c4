"""What a venue pays its makers: points for resting near the mid, a part of the takers' fees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from polyframe.errors import DataError
from polyframe.quant.roots import checked_amount, checked_probability

Levels = Sequence[tuple[float, float]]
ONE_SIDED = 3.0
"""By how much quotes on one side count less, while the mid is within ``CENTRAL``."""
CENTRAL = (0.10, 0.90)
LEAST_PAID = 1.0
"""currency a day; less is not paid out"""


def reward_score(spread: float, most: float, boost: float = 1.0) -> float:
    """The points of a share that rests ``spread`` from the mid; none at ``most`` and beyond.

    Shapes: scalars. Units: both distances in one unit of price; points a share.

    Source: docs.polymarket.com/market-makers/liquidity-rewards: S = ((v - s) / v)^2 b.

    Raises:
        DataError: an argument is out of range.
    """
    v = checked_amount("greatest spread", most, above=0.0)
    s = checked_amount("spread", spread)
    b = checked_amount("boost", boost)
    return 0.0 if s >= v else ((v - s) / v) ** 2 * b


class RewardPoints(NamedTuple):
    """The points of both sides of a market, and what counts of them. Units: points."""

    one: float
    two: float
    least: float


def reward_points(
    mid: float,
    most: float,
    smallest: float,
    yes_bids: Levels,
    yes_asks: Levels,
    no_bids: Levels = (),
    no_asks: Levels = (),
    *,
    boost: float = 1.0,
) -> RewardPoints:
    """A maker's points in one sample.

    A bid for YES and an offer of NO are one side, an offer of YES and a bid for NO the other.

    Shapes: levels (n, 2) as (price, shares). Units: prices of each token as fractions of 1, ``mid``
    of YES after the venue's cut of small orders; ``most`` the same unit; ``smallest`` shares.

    Source: docs.polymarket.com/market-makers/liquidity-rewards.

    Raises:
        DataError: an argument is out of range.
    """
    m = checked_probability("mid", mid)
    least = checked_amount("smallest size", smallest)

    def points(levels: Levels, centre: float, sign: float) -> float:
        # Distances a hair beyond a whole tick are rounding, not price.
        return math.fsum(
            reward_score(max(0.0, round(sign * (centre - price), 12)), most, boost) * shares
            for price, shares in levels
            if shares >= least and sign * (centre - price) >= -1e-12
        )

    one = points(yes_bids, m, 1.0) + points(no_asks, 1.0 - m, -1.0)
    two = points(yes_asks, m, -1.0) + points(no_bids, 1.0 - m, 1.0)
    counted = min(one, two)
    if CENTRAL[0] <= m <= CENTRAL[1]:
        counted = max(counted, max(one, two) / ONE_SIDED)
    return RewardPoints(one, two, counted)


def reward_share(own: float, others: float) -> float:
    """The part of a sample's pool that own points earn.

    Shapes: scalars. Units: points; fraction.

    Raises:
        DataError: an argument is out of range.
    """
    mine, rest = checked_amount("own points", own), checked_amount("others' points", others)
    return mine / (mine + rest) if mine > 0.0 else 0.0


def maker_rebate(fee_equivalent: float, total: float, pool: float) -> float:
    """What a maker is paid back of the takers' fees.

    ``fee_equivalent`` is the fee that takers would have paid on the maker's own fills, ``total``
    the same of all makers of the market.

    Shapes: scalars. Units: currency.

    Source: docs.polymarket.com/market-makers/maker-rebates: pool x own / total.

    Raises:
        DataError: an argument is out of range, or the own part is more than the whole.
    """
    own = checked_amount("fee equivalent", fee_equivalent)
    whole = checked_amount("total of fee equivalents", total)
    if own > whole * (1.0 + 1e-9):
        raise DataError(f"a fee equivalent of {own:g} in a total of {whole:g}")
    return checked_amount("pool", pool) * own / whole if whole > 0.0 else 0.0


class BestDepth(NamedTuple):
    """The distance from the mid that earns most, and what it earns a second or a day."""

    depth: float
    income: float


def best_depth(intensity: float, decay: float, adverse: float, rebate: float) -> BestDepth:
    """The distance at which one side's fills earn most, without rewards.

    ``adverse`` is how far the mid moves against a fill by the horizon of the markout.

    Shapes: scalars. Units: fills a second at distance 0; per price; price; price. Income: currency
    a share and second of one side.

    Source: the maximum of A exp(-k d) (d - adverse + rebate): d = 1 / k + adverse - rebate.

    Raises:
        DataError: an argument is out of range.
    """
    a = checked_amount("intensity", intensity)
    k = checked_amount("decay of the intensity", decay, above=0.0)
    depth = max(0.0, 1.0 / k + adverse - rebate)
    return BestDepth(depth, a * math.exp(-k * depth) * (depth - adverse + rebate))


def income_a_day(
    depth: float,
    size: float,
    intensity: float,
    decay: float,
    adverse: float,
    rebate: float,
    pool: float = 0.0,
    most: float = 0.0,
    others: float = 0.0,
) -> float:
    """What quoting both sides at a distance earns a day, rewards included; below 0: do not quote.

    Shapes: scalars. Units: price; shares a quote; as in :func:`best_depth`; ``pool`` currency a
    day, ``most`` price, ``others`` points.

    Source: 2 n A exp(-k d) (d - adverse + rebate) T + R S(d) n / (S(d) n + Q).

    Raises:
        DataError: an argument is out of range.
    """
    d, n = checked_amount("depth", depth), checked_amount("size", size)
    fills = checked_amount("intensity", intensity) * math.exp(-decay * d) * SECONDS_A_DAY
    earned = 2.0 * n * fills * (d - adverse + rebate)
    if pool > 0.0 and most > 0.0:
        earned += pool * reward_share(reward_score(d, most) * n, others)
    return earned


SECONDS_A_DAY = 86_400.0
