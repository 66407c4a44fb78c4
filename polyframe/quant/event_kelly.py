"""Kelly purchases from real books, given everything that is held of an event."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyframe.errors import DataError
from polyframe.quant.correlation import Scenarios
from polyframe.quant.depth_kelly import NOTHING, DepthBet
from polyframe.quant.group_kelly import kelly_scenarios
from polyframe.quant.roots import checked_amount, checked_probability, falling_root

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

VOID_PAYOUT = 0.5
"""What a share of a voided market pays."""

_NEARLY = 1e-7
_RAREST = 1e-9
"""No scenario is taken as rarer: nobody is sure enough to stake all there is."""


class Held(NamedTuple):
    """Shares held of a market's two sides and the prices at which they could be sold.

    Units: shares, fractions of 1 a share.
    """

    yes: float = 0.0
    no: float = 0.0
    yes_price: float = 1.0
    no_price: float = 1.0

    def part(self, fraction: float) -> Held:
        """A part of these shares.

        Shapes: scalar. Units: fraction of the shares.
        """
        return self._replace(yes=self.yes * fraction, no=self.no * fraction)


class Offer(NamedTuple):
    """What can be bought of one side of a market.

    Shapes: levels (n, 2) as (all-in cost, shares), cheapest first. Units: fractions of 1 a share;
    shares, infinite where nobody knows.
    """

    market: int
    yes: bool
    levels: Sequence[tuple[float, float]]


def kelly_event(
    scenarios: Scenarios,
    held: Sequence[Held],
    offers: Sequence[Offer],
    wealth: float,
    cash: float,
    *,
    discount: float = 1.0,
    void: float = 0.0,
) -> list[DepthBet]:
    """The purchases, one an offer, that together maximise expected log wealth.

    ``wealth`` is what there is beside the holdings of the event, whatever happens; ``cash`` the
    most that is spent. With probability ``void`` every share pays one half instead, but never more
    than it costs or could be sold for: a void is a risk here and never a reason to buy. Nothing is
    bought where a scenario leaves no wealth at all.

    Shapes: scenarios (n,) and (n, markets) with YES as 1; held (markets,); offers (k,) to (k,).
    Units: money in the currency of the payout; ``discount`` is what a payout of 1 is worth today.

    Source: the first-order conditions of log utility; with several offers the scenario program.

    Raises:
        DataError: an argument is out of range or shapes differ.
    """
    ends, weights = _ends(scenarios, held, wealth, discount, void)
    checked_amount("cash", cash)
    if not math.isfinite(wealth):
        raise DataError(f"wealth is {wealth!r}", expected="a finite number")
    if float(ends.min()) <= 0.0:
        return [NOTHING] * len(offers)
    columns = [_payouts(scenarios, offer, discount)[: ends.size] for offer in offers]
    if len(offers) == 1:
        return [kelly_walk(weights, ends, columns[0], offers[0].levels, cash)]
    return _together(weights, ends, columns, offers, cash)


def kelly_walk(
    weights: Sequence[float] | Floats,
    wealth: Sequence[float] | Floats,
    payouts: Sequence[float] | Floats,
    levels: Sequence[tuple[float, float]],
    cash: float,
) -> DepthBet:
    """The purchase of one share that maximises expected log wealth over scenarios, by levels.

    A level is taken whole while the next share still raises expected log wealth; the walk ends in
    the first that is not taken whole. Never more than the cash is spent.

    Shapes: three sequences over scenarios; levels (n, 2) as (all-in cost, shares), cheapest first.
    Units: probabilities; wealth without the purchase; payout a share; fractions of 1 a share.

    Source: the root of sum of w (y - c) / (W + y x - cost) in each level.

    Raises:
        DataError: an argument is out of range or the levels are not sorted.
    """
    rows = [
        (float(w), float(v), float(y)) for w, v, y in zip(weights, wealth, payouts, strict=True)
    ]
    purse = checked_amount("cash", cash)
    shares = cost = last = before = 0.0
    for paid, size in levels:
        if not (before <= paid and size >= 0.0):
            raise DataError(
                f"a level of {size!r} shares at {paid!r} stands after {before!r}",
                expected="costs cheapest first and sizes of 0 or more",
            )
        before = checked_amount("cost", paid, above=0.0)
        most = min(size, max(0.0, purse - cost) / paid)
        taken = falling_root(_Slope(rows, shares, cost, paid), 0.0, most)
        if taken > 0.0:
            shares, cost, last = shares + taken, cost + taken * paid, paid
        if taken < size:
            break
    return DepthBet(shares, cost, cost / shares, last) if shares > 0.0 else NOTHING


class _Slope:
    """The derivative of expected log wealth in the shares taken from one level."""

    __slots__ = ("cost", "paid", "rows", "shares")

    def __init__(
        self, rows: list[tuple[float, float, float]], shares: float, cost: float, paid: float
    ) -> None:
        self.rows, self.shares, self.cost, self.paid = rows, shares, cost, paid

    def __call__(self, x: float) -> float:
        total, bought, spent = 0.0, self.shares + x, self.cost + self.paid * x
        for weight, wealth, payout in self.rows:
            end = wealth + payout * bought - spent
            if end <= 0.0:
                return -math.inf
            total += weight * (payout - self.paid) / end
        return total


def _ends(
    scenarios: Scenarios, held: Sequence[Held], wealth: float, discount: float, void: float
) -> tuple[Floats, Floats]:
    """Wealth without a purchase in every scenario, the void last, and the scenarios' weights."""
    checked_probability("void probability", void)
    if not 0.0 < discount <= 1.0:
        raise DataError(f"discount {discount!r} is outside (0, 1]")
    if scenarios.payouts.shape[1] != len(held):
        raise DataError(f"{scenarios.payouts.shape[1]} markets but holdings of {len(held)}")
    for side in held:
        for name, amount in zip(Held._fields, side, strict=True):
            checked_amount(name, amount)
    yes = np.array([side.yes for side in held])
    no = np.array([side.no for side in held])
    paid = scenarios.payouts @ yes + (1.0 - scenarios.payouts) @ no
    voided = sum(
        side.yes * min(VOID_PAYOUT, side.yes_price) + side.no * min(VOID_PAYOUT, side.no_price)
        for side in held
    )
    ends = wealth + discount * np.append(paid, voided)
    weights = np.append(scenarios.weights * (1.0 - void), void)
    if void == 0.0:
        ends, weights = ends[:-1], weights[:-1]
    weights = np.maximum(weights, _RAREST)
    return ends, weights / weights.sum()


def _payouts(scenarios: Scenarios, offer: Offer, discount: float) -> Floats:
    column = scenarios.payouts[:, offer.market]
    best = offer.levels[0][0] if offer.levels else VOID_PAYOUT
    paid = discount * (column if offer.yes else 1.0 - column)
    return np.append(paid, min(discount * VOID_PAYOUT, best))


def _together(
    weights: Floats,
    ends: Floats,
    columns: Sequence[Floats],
    offers: Sequence[Offer],
    cash: float,
) -> list[DepthBet]:
    """Each level is a bet of its own; a share's dearer levels are never better than its cheaper."""
    bets = [(k, paid, size) for k, offer in enumerate(offers) for paid, size in offer.levels]
    scale = float(ends.max())
    budget = cash / scale
    if not bets or budget <= 0.0:
        return [NOTHING] * len(offers)
    costs = np.array([paid for _, paid, _ in bets])
    limits = np.minimum([size * paid / scale for _, paid, size in bets], budget)
    found = kelly_scenarios(
        Scenarios(weights, np.column_stack([columns[k] for k, _, _ in bets])),
        costs,
        wealth=ends / scale,
        limits=limits,
        budget=budget,
    )
    made = [NOTHING] * len(offers)
    for (k, paid, size), stake, limit in zip(bets, found.stakes, limits, strict=True):
        if stake > 0.0:
            # The program ends a hair inside its bounds: a level that it fills is taken whole.
            whole = stake > limit * (1.0 - _NEARLY) and limit < budget
            spent = size * paid if whole else float(stake) * scale
            shares, cost = made[k].shares + spent / paid, made[k].cost + spent
            made[k] = DepthBet(shares, cost, cost / shares, paid)
    return made
