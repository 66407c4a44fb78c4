"""How much to stake on one binary bet at one price."""

from __future__ import annotations

import math
from typing import NamedTuple

from polyframe.errors import DataError
from polyframe.quant.roots import checked_amount, checked_probability, falling_root

DAYS_PER_YEAR = 365.0


def buy_cost(price: float, rate: float, exponent: int = 1) -> float:
    """All-in cost of a bought share: price plus taker fee.

    Shapes: scalar. Units: fractions of 1 a share.

    Source: docs.polymarket.com/trading/fees.
    """
    return price + rate * (price * (1.0 - price)) ** exponent


def sell_net(price: float, rate: float, exponent: int = 1) -> float:
    """What a sold share brings after the taker fee.

    Shapes: scalar. Units: fractions of 1 a share.

    Source: docs.polymarket.com/trading/fees.
    """
    return price - rate * (price * (1.0 - price)) ** exponent


def buy_cost_in_shares(price: float, rate: float) -> float:
    """All-in cost of a share kept where the venue takes its fee out of the bought shares.

    Shapes: scalar. Units: fractions of 1 a share.

    Source: price / (1 - rate x (1 - price)), the older way of charging buyers.
    """
    return price / (1.0 - rate * (1.0 - price))


def edge_after_fee(probability: float, price: float, rate: float, exponent: int = 1) -> float:
    """Expected gain of a share bought at ``price`` and held to resolution.

    Shapes: scalar. Units: fractions of 1 a share.

    Source: definition; probability minus all-in cost.
    """
    return probability - buy_cost(price, rate, exponent)


def kelly_fraction(probability: float, cost: float) -> float:
    """The share of wealth that maximises expected log growth: max(0, (q - c) / (1 - c)).

    Shapes: scalar. Units: ``cost`` all-in a share, in (0, 1).

    Source: Kelly 1956 for a binary payoff of 1 at cost c.

    Raises:
        DataError: the probability or the cost is outside [0, 1].
    """
    if not 0.0 <= probability <= 1.0:
        raise DataError(f"probability {probability!r} is outside [0, 1]")
    if not cost > 0.0:
        raise DataError(f"cost {cost!r} is not above 0")
    if cost >= 1.0:
        return 0.0
    return max(0.0, (probability - cost) / (1.0 - cost))


def kelly_growth(probability: float, cost: float, fraction: float) -> float:
    """Expected log growth of wealth when a share ``fraction`` of it buys at ``cost``.

    At the Kelly fraction this is the divergence of the belief from the cost.

    Shapes: scalar. Units: fractions of wealth and of 1 a share, to nats a bet.

    Source: Kelly 1956.

    Raises:
        DataError: the probability, the cost or the fraction is out of range.
    """
    q = checked_probability("probability", probability)
    checked_amount("cost", cost, above=0.0)
    f = checked_probability("fraction", fraction)
    lost = -math.inf if f == 1.0 else math.log1p(-f)
    return (q * math.log1p(f / cost - f) if q else 0.0) + ((1.0 - q) * lost if q < 1.0 else 0.0)


def kelly_uncertainty_shrink(probability: float, cost: float, deviation: float) -> float:
    """The factor on the Kelly bet that answers for not knowing the probability exactly.

    Shapes: scalar. Units: ``deviation`` is the standard deviation of the probability.

    Source: Baker and McHale 2013, to first order: e^2 / (e^2 + s^2) with edge e = q - c.

    Raises:
        DataError: an argument is out of range.
    """
    edge = checked_probability("probability", probability) - checked_amount("cost", cost)
    noise = checked_amount("standard deviation of the probability", deviation)
    larger = max(abs(edge), noise)
    if larger == 0.0:
        return 0.0
    # Scaled first: squares of tiny numbers vanish.
    return (edge / larger) ** 2 / ((edge / larger) ** 2 + (noise / larger) ** 2)


class TimedBet(NamedTuple):
    """A bet whose stake could have earned interest; see :func:`kelly_time_value`."""

    carry_cost: float
    fraction: float
    edge: float


def kelly_time_value(
    probability: float, cost: float, net_annual_rate: float, days: float
) -> TimedBet:
    """The Kelly bet when the stake is locked up until resolution.

    ``net_annual_rate`` is what the money would earn elsewhere less what holding pays. ``edge`` is
    the present value of the payout less the cost.

    Shapes: scalars. Units: continuously compounded a year; days; fractions of 1 a share.

    Source: cost carried forward, c x exp(r T / 365).

    Raises:
        DataError: an argument is out of range.
    """
    q = checked_probability("probability", probability)
    checked_amount("days", days)
    growth = math.exp(net_annual_rate * days / DAYS_PER_YEAR)
    carried = cost * growth
    return TimedBet(carried, kelly_fraction(q, carried), q / growth - cost)


class VoidableBet(NamedTuple):
    """A bet that may be voided; see :func:`kelly_void_risk`."""

    fraction: float
    edge: float


def kelly_void_risk(
    probability: float, cost: float, void_probability: float, void_payout: float = 0.5
) -> VoidableBet:
    """The Kelly bet on a market that may be voided, paying ``void_payout`` a share.

    ``probability`` is that of winning given that the market is not voided.

    Shapes: scalar. Units: fractions of wealth and of 1 a share.

    Source: the root of sum of p r / (1 + f r) over win, loss and void.

    Raises:
        DataError: an argument is out of range.
    """
    q = checked_probability("probability", probability)
    d = checked_probability("void probability", void_probability)
    v = checked_probability("void payout", void_payout)
    c = checked_amount("cost", cost, above=0.0)
    table = [
        ((1.0 - d) * q, 1.0 / c - 1.0),
        ((1.0 - d) * (1.0 - q), -1.0),
        (d, v / c - 1.0),
    ]
    edge = (1.0 - d) * q + d * v - c

    def slope(f: float) -> float:
        total = 0.0
        for weight, gain in table:
            if weight > 0.0:
                wealth = 1.0 + f * gain
                total += weight * gain / wealth if wealth > 0.0 else -math.inf
        return total

    return VoidableBet(falling_root(slope, 0.0, 1.0) if edge > 0.0 else 0.0, edge)


def kelly_drawdown_prob(fraction: float, level: float) -> float:
    """The chance that wealth ever falls to ``level`` times where it began.

    An approximation for many small bets whose edge is known; with an edge that is only believed
    the true chance is higher.

    Shapes: scalar. Units: ``fraction`` of the Kelly bet, in (0, 2]; ``level`` in (0, 1].

    Source: Thorp 2006, "The Kelly criterion in blackjack, sports betting and the stock market".

    Raises:
        DataError: an argument is out of range.
    """
    if not 0.0 < fraction <= 2.0:
        raise DataError(f"fraction of Kelly {fraction!r} is outside (0, 2]")
    if not 0.0 < level <= 1.0:
        raise DataError(f"wealth level {level!r} is outside (0, 1]")
    return float(level ** (2.0 / fraction - 1.0))


def kelly_reservation(probability: float, lose_wealth: float, win_wealth: float) -> float:
    """The all-in price at which a holder with log utility neither buys nor sells one more share.

    Shapes: scalar. Units: wealth after a loss and after a win, in one currency; fraction of 1.

    Source: the marginal rate of substitution of log utility.

    Raises:
        DataError: the probability is out of range or a wealth is not above zero.
    """
    q = checked_probability("probability", probability)
    lost = checked_amount("wealth after a loss", lose_wealth, above=0.0)
    won = checked_amount("wealth after a win", win_wealth, above=0.0)
    return q * lost / (q * lost + (1.0 - q) * won)


class BetMoments(NamedTuple):
    """Moments of the return on one unit staked; see :func:`binary_bet_moments`."""

    mean: float
    deviation: float
    sharpe: float
    skew: float
    kurtosis_raw: float
    bets_for_psr95: float


def binary_bet_moments(probability: float, cost: float) -> BetMoments:
    """Moments of the return on one unit that buys at ``cost``, and how many bets would show it.

    ``bets_for_psr95`` is the number of independent bets whose probabilistic Sharpe ratio against
    zero reaches 0.95; infinite without an edge. Kurtosis is raw (3 for a normal distribution).

    Shapes: scalar. Units: returns as fractions of the stake.

    Source: Bernoulli moments; Bailey and Lopez de Prado 2012 for the ratio.

    Raises:
        DataError: the probability or the cost is not strictly inside its range.
    """
    if not 0.0 < probability < 1.0:
        raise DataError(f"probability {probability!r} is outside (0, 1)")
    c = checked_amount("cost", cost, above=0.0)
    variance = probability * (1.0 - probability)
    root = math.sqrt(variance)
    mean = probability / c - 1.0
    sharpe = mean / (root / c)
    skew = (1.0 - 2.0 * probability) / root
    kurtosis = 3.0 + (1.0 - 6.0 * variance) / variance
    needed = math.inf
    if sharpe > 0.0:
        spread = 1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2
        needed = 1.0 + spread * (_Z95 / sharpe) ** 2
    return BetMoments(mean, root / c, sharpe, skew, kurtosis, needed)


_Z95 = 1.6448536269514722
"""The 95 % point of the standard normal distribution."""
