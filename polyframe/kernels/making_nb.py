"""Formulas of market making as a quote kernel calls them: those of ``quant``, without its checks.

Shapes: scalars.
Units: prices as fractions of 1; sizes and inventories in shares that pay 1 (or in currency, where
prices are fractions of the present one); risk aversion per currency; volatility price per square
root of a second; decay of the intensity of fills per price; seconds.
"""

from __future__ import annotations

import math

from numba import float64, types

from polyframe.kernels.compile_nb import kernel

_pair = types.UniTuple(float64, 2)
SECONDS_A_DAY = 86_400.0


@kernel(float64(float64))
def log_odds_of(p):  # type: ignore[no-untyped-def]
    """The log-odds of a probability inside (0, 1).

    Shapes: scalars. Units: a probability; log-odds.
    """
    return math.log(p) - math.log1p(-p)


@kernel(float64(float64))
def probability_of(x):  # type: ignore[no-untyped-def]
    """The probability of log-odds.

    Shapes: scalars. Units: log-odds; a probability.
    """
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    return math.exp(x) / (1.0 + math.exp(x))


@kernel(float64(float64, float64, float64, float64))
def weighted_mid(bid, bid_size, ask, ask_size):  # type: ignore[no-untyped-def]
    """The microprice: the mid weighted by the opposite sizes; the mid where no size stands.

    Shapes: scalars. Units: price; any size.
    """
    sizes = bid_size + ask_size
    if sizes <= 0.0:
        return 0.5 * (bid + ask)
    return (bid * ask_size + ask * bid_size) / sizes


@kernel(float64(float64, float64))
def spread_term(aversion, decay):  # type: ignore[no-untyped-def]
    """The half spread that fills falling off with distance are worth: ln(1 + g / k) / g.

    Shapes: scalars. Units: per currency; per price; price.
    """
    return math.log1p(aversion / decay) / aversion


@kernel(_pair(float64, float64, float64, float64))
def horizon_depths(aversion, volatility, horizon, decay):  # type: ignore[no-untyped-def]
    """Avellaneda and Stoikov: the half spread, and by how much each share shifts both quotes.

    Shapes: scalars. Units: see module, to (price, price a share).
    """
    risk = aversion * volatility * volatility * horizon
    return 0.5 * risk + spread_term(aversion, decay), risk


@kernel(_pair(float64, float64, float64, float64, float64))
def endless_depths(aversion, volatility, intensity, decay, size):  # type: ignore[no-untyped-def]
    """Gueant, Lehalle and Fernandez-Tapia: the same for a maker without an end.

    Shapes: scalars. Units: see module, to (price, price a share); intensity a second.
    """
    x = aversion * size / decay
    first = math.log1p(x) / (aversion * size)
    power = math.exp((1.0 / x + 1.0) * math.log1p(x))
    second = math.sqrt(aversion / (2.0 * intensity * size * decay) * power)
    return first + 0.5 * size * volatility * second, volatility * second


@kernel(float64(float64, float64, float64))
def resolution_price(p, inventory, aversion):  # type: ignore[no-untyped-def]
    """Where a holder to resolution is indifferent: logit r = logit p - g q.

    Shapes: scalars. Units: probability; shares; per currency.
    """
    return probability_of(log_odds_of(p) - aversion * inventory)


@kernel(float64(float64, float64))
def aversion_for(p, loss):  # type: ignore[no-untyped-def]
    """The aversion under which the greatest loss to resolution is ``loss``.

    Shapes: scalars. Units: probability; currency; per currency.
    """
    return -math.log(min(p, 1.0 - p)) / loss


@kernel(float64(float64, float64))
def points_a_share(distance, most):  # type: ignore[no-untyped-def]
    """Liquidity reward points of a share at a distance from the mid: ((v - s) / v)^2.

    Shapes: scalars. Units: price; points.
    """
    if most <= 0.0 or distance >= most:
        return 0.0
    return ((most - distance) / most) ** 2


@kernel(float64(*[float64] * 9))
def income_a_day(depth, size, intensity, decay, adverse, rebate, pool, most, others):  # type: ignore[no-untyped-def]
    """What both sides at a distance earn a day: spread, less what fills cost, and rewards.

    Shapes: scalars. Units: see module; currency a day.
    """
    fills = intensity * math.exp(-decay * depth) * SECONDS_A_DAY
    earned = 2.0 * size * fills * (depth - adverse + rebate)
    points = points_a_share(depth, most) * size
    if pool > 0.0 and points > 0.0:
        earned += pool * points / (points + others)
    return earned


@kernel(float64(float64, float64))
def left_of(seconds, halflife):  # type: ignore[no-untyped-def]
    """What is left of a memory after some time.

    Shapes: scalars. Units: seconds; a part.
    """
    return 0.5 ** (seconds / halflife)


@kernel(float64(float64, float64, float64, float64))
def trend_of(fast, slow, volatility, halflife):  # type: ignore[no-untyped-def]
    """How far a fast average is from a slow one, in standard deviations of a random walk.

    The distance of a random walk from its exponential average has the variance v^2 t / 2, where t
    is the mean age of what is averaged.

    Shapes: scalars. Units: price; price a square root of a second; seconds.
    """
    usual = volatility * math.sqrt(0.5 * halflife / math.log(2.0))
    return (fast - slow) / usual if usual > 0.0 else 0.0
