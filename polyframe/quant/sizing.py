"""How much to stake."""

from __future__ import annotations

from polyframe.errors import DataError


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
