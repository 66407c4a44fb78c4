"""Where a market maker stops being indifferent, and how far from there its quotes stand."""

from __future__ import annotations

import math
from typing import NamedTuple

from polyframe.errors import DataError
from polyframe.quant.roots import checked_amount


class Quoting(NamedTuple):
    """A reservation price, the half spread around it and the two quotes.

    Units: those of the price asked for.
    """

    reservation: float
    half_spread: float
    bid: float
    ask: float


def avellaneda_stoikov(
    mid: float, inventory: float, aversion: float, volatility: float, horizon: float, decay: float
) -> Quoting:
    """The quotes of a maker who ends flat at a horizon.

    Shapes: scalars. Units: price; shares; ``aversion`` per currency; ``volatility`` price per
    square root of time; ``horizon`` the same time; ``decay`` of the fill intensity per price.

    Source: Avellaneda and Stoikov 2008: r = s - q g v^2 t, spread = g v^2 t + 2 ln(1 + g / k) / g.

    Raises:
        DataError: an argument is out of range.
    """
    risk = _risk(aversion, volatility, horizon)
    reservation = mid - inventory * risk
    return _around(reservation, 0.5 * risk + _spread_term(aversion, decay))


def local_probability_volatility(probability: float, belief_volatility: float) -> float:
    """The volatility of a price whose logit moves with ``belief_volatility``.

    Shapes: scalars. Units: probability; logit per square root of time; price per the same.

    Source: s_p = p (1 - p) s_b, Ito's lemma to first order.

    Raises:
        DataError: an argument is out of range.
    """
    p = _inside(probability)
    return p * (1.0 - p) * checked_amount("belief volatility", belief_volatility)


def avellaneda_stoikov_logit(
    probability: float,
    inventory: float,
    aversion: float,
    belief_volatility: float,
    horizon: float,
    decay: float,
) -> Quoting:
    """The same in log-odds, so that quotes never leave (0, 1).

    ``half_spread`` is in logits; reservation, bid and ask are prices.

    Shapes: scalars. Units: probability; shares; logits; ``decay`` per logit.

    Source: arXiv 2510.15205 for the reservation; the spread term is the original one of 2008.

    Raises:
        DataError: an argument is out of range.
    """
    risk = _risk(aversion, belief_volatility, horizon)
    x = _logit(_inside(probability)) - inventory * risk
    half = 0.5 * risk + _spread_term(aversion, decay)
    return Quoting(_sigmoid(x), half, _sigmoid(x - half), _sigmoid(x + half))


class Depths(NamedTuple):
    """How far from the mid to quote, and what each unit held shifts that.

    Units: those of the volatility's price.
    """

    half_spread: float
    skew: float
    bid: float
    ask: float


def glft(
    inventory: float,
    aversion: float,
    volatility: float,
    intensity: float,
    decay: float,
    *,
    size: float = 1.0,
    exponential: bool = True,
) -> Depths:
    """The quotes of a maker without an end: inventory costs all the time.

    ``exponential`` is constant absolute risk aversion; without it the inventory's variance alone is
    paid for. ``size`` is that of an order in the units of ``inventory``.

    Shapes: scalars. Units: as in :func:`avellaneda_stoikov`; ``intensity`` fills per time at depth
    0.

    Source: Gueant 2016, (4.6) and (4.7).

    Raises:
        DataError: an argument is out of range.
    """
    g = checked_amount("risk aversion", aversion, above=0.0)
    k = checked_amount("decay of the intensity", decay, above=0.0)
    a = checked_amount("intensity", intensity, above=0.0)
    d = checked_amount("size", size, above=0.0)
    sigma = checked_amount("volatility", volatility)
    if exponential:
        x = g * d / k
        first = math.log1p(x) / (g * d)
        second = math.sqrt(g / (2.0 * a * d * k) * math.exp((1.0 / x + 1.0) * math.log1p(x)))
    else:
        first, second = 1.0 / k, math.sqrt(g * math.e / (2.0 * a * d * k))
    half, skew = first + 0.5 * d * sigma * second, sigma * second
    return Depths(half, skew, half + skew * inventory, half - skew * inventory)


def resolution_reservation(probability: float, inventory: float, aversion: float) -> float:
    """The price at which a holder to resolution is indifferent to one share more or less.

    What is left to know of an outcome has the variance p (1 - p) whatever the path, so no
    volatility enters.

    Shapes: scalars. Units: probability; shares; per currency.

    Source: logit r = logit p - g q: constant absolute risk aversion, the same as a logarithmic
    scoring rule with b = 1 / g (Chen and Pennock 2007).

    Raises:
        DataError: an argument is out of range.
    """
    g = checked_amount("risk aversion", aversion, above=0.0)
    return _sigmoid(_logit(_inside(probability)) - g * inventory)


def resolution_quotes(
    probability: float, inventory: float, aversion: float, lot: float
) -> tuple[float, float]:
    """The prices a share at which a holder to resolution buys and sells a whole lot.

    Shapes: scalars to (bid, ask). Units: as above; ``lot`` shares.

    Source: differences of the certainty equivalent CE(q) = -(1 / g) ln(1 - p + p exp(-g q)).

    Raises:
        DataError: an argument is out of range.
    """
    p = _inside(probability)
    g = checked_amount("risk aversion", aversion, above=0.0)
    n = checked_amount("lot", lot, above=0.0)
    here = _certainty(p, inventory, g)
    bid = (_certainty(p, inventory + n, g) - here) / n
    return bid, (here - _certainty(p, inventory - n, g)) / n


def greatest_loss(probability: float, aversion: float) -> float:
    """What a maker who always quotes its indifference prices from flat can lose at most.

    Shapes: scalars. Units: probability; per currency; currency.

    Source: ln(1 / min(p, 1 - p)) / g.

    Raises:
        DataError: an argument is out of range.
    """
    p = _inside(probability)
    return -math.log(min(p, 1.0 - p)) / checked_amount("risk aversion", aversion, above=0.0)


def aversion_for(probability: float, loss: float) -> float:
    """The risk aversion under which :func:`greatest_loss` is a budget.

    Shapes: scalars. Units: probability; currency; per currency.

    Raises:
        DataError: an argument is out of range.
    """
    p = _inside(probability)
    return -math.log(min(p, 1.0 - p)) / checked_amount("loss", loss, above=0.0)


def _risk(aversion: float, volatility: float, horizon: float) -> float:
    sigma = checked_amount("volatility", volatility)
    g = checked_amount("risk aversion", aversion, above=0.0)
    return g * sigma * sigma * checked_amount("horizon", horizon)


def _spread_term(aversion: float, decay: float) -> float:
    k = checked_amount("decay of the intensity", decay, above=0.0)
    return math.log1p(aversion / k) / aversion


def _around(reservation: float, half: float) -> Quoting:
    return Quoting(reservation, half, reservation - half, reservation + half)


def _certainty(p: float, shares: float, g: float) -> float:
    # Of either sign of the exponent the greater term is taken out, so that nothing overflows.
    x = -g * shares
    if x <= 0.0:
        return -math.log(1.0 - p + p * math.exp(x)) / g
    return -(x + math.log((1.0 - p) * math.exp(-x) + p)) / g


def _inside(probability: float) -> float:
    if not 0.0 < probability < 1.0:
        raise DataError(f"probability {probability!r} is outside (0, 1)")
    return probability


def _logit(p: float) -> float:
    return math.log(p) - math.log1p(-p)


def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0.0 else math.exp(x) / (1.0 + math.exp(x))
