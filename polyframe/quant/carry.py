"""What holding to resolution is worth against selling, lending elsewhere or buying a whole set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from polyframe.errors import DataError
from polyframe.quant.roots import checked_amount, checked_probability
from polyframe.quant.sizing import DAYS_PER_YEAR, buy_cost, sell_net


class ExitChoice(NamedTuple):
    """A share's present value when held, what selling it brings, and which is more."""

    hold_value: float
    exit_net: float
    sell: bool


def hold_vs_exit(
    probability: float,
    bid: float,
    rate: float,
    days: float,
    annual_rate: float = 0.0,
    exponent: int = 1,
) -> ExitChoice:
    """Whether a share is worth more sold at the bid after the fee than held to resolution.

    ``annual_rate`` is what the money would earn elsewhere.

    Shapes: scalars. Units: fractions of 1 a share; continuously compounded a year; days.

    Source: sell when b - fee > q x exp(-r T / 365).

    Raises:
        DataError: an argument is out of range.
    """
    q = checked_probability("probability", probability)
    b = checked_probability("bid", bid)
    held = q * math.exp(-annual_rate * checked_amount("days", days) / DAYS_PER_YEAR)
    sold = sell_net(b, checked_amount("fee rate", rate), exponent)
    return ExitChoice(held, sold, sold > held)


class Yield(NamedTuple):
    """What a share bought at a price and paid out at 1 returns, at once and a year."""

    simple: float
    annualised: float


def settlement_yield(price: float, days: float) -> Yield:
    """The return of a share that pays 1 in ``days``, simple and compounded to a year.

    A price near 1 long before the end is a discount for waiting, not a doubt.

    Shapes: scalars. Units: fraction of 1 a share; days; fractions of the stake.

    Source: (1 / p) ^ (365 / d) - 1. Infinite where that is more than a float can hold.

    Raises:
        DataError: the price is outside (0, 1] or the days are not above zero.
    """
    if not 0.0 < price <= 1.0:
        raise DataError(f"price {price!r} is outside (0, 1]")
    checked_amount("days", days, above=0.0)
    exponent = -math.log(price) * DAYS_PER_YEAR / days
    # exp(709) is the greatest power of e that a float holds.
    return Yield(1.0 / price - 1.0, math.expm1(exponent) if exponent < 709.0 else math.inf)


class DutchBook(NamedTuple):
    """A set of shares that pays a sure sum: what it costs after fees, pays and leaves."""

    cost: float
    payout: float
    profit: float


def _set_of(asks: Sequence[float], rate: float, exponent: int, payout: float) -> DutchBook:
    if len(asks) < 2:
        raise DataError(f"{len(asks)} asks make no set", expected="one ask for each outcome")
    fee = checked_amount("fee rate", rate)
    cost = sum(buy_cost(checked_probability("ask", ask), fee, exponent) for ask in asks)
    return DutchBook(cost, payout, payout - cost)


def dutch_book_yes(asks: Sequence[float], rate: float, exponent: int = 1) -> DutchBook:
    """Buying YES of every outcome. A sure payout only when the outcomes are exhaustive.

    Shapes: (outcomes,). Units: fractions of 1 a set.

    Source: one outcome pays 1: profit 1 - sum of all-in costs.

    Raises:
        DataError: fewer than two asks, or one outside [0, 1].
    """
    return _set_of(asks, rate, exponent, 1.0)


def dutch_book_no(asks: Sequence[float], rate: float, exponent: int = 1) -> DutchBook:
    """Buying NO of every outcome. At most one outcome wins, so n - 1 shares or more pay.

    Shapes: (outcomes,). Units: fractions of 1 a set.

    Source: profit (n - 1) - sum of all-in costs.

    Raises:
        DataError: fewer than two asks, or one outside [0, 1].
    """
    return _set_of(asks, rate, exponent, len(asks) - 1.0)


def dutch_book_pair(yes_ask: float, no_ask: float, rate: float, exponent: int = 1) -> DutchBook:
    """Buying YES and NO of one market.

    Shapes: scalars. Units: fractions of 1 a pair.

    Source: one of the two pays 1.

    Raises:
        DataError: an ask is outside [0, 1].
    """
    return _set_of((yes_ask, no_ask), rate, exponent, 1.0)
