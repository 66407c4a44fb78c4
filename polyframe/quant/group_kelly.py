"""Kelly bets on several outcomes at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyframe.errors import DataError, InvariantError
from polyframe.quant.correlation import Scenarios, pair_scenarios
from polyframe.quant.roots import checked_amount, checked_probability

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

MOST_SCENARIOS = 200

_TARGET = 1e-13
"""The last barrier weight: the proven gap is at most this times the number of constraints."""

_TRUSTED = 1e-6
"""Log growth. Stakes that may be further from the best are not given out."""

_RAREST = 1e-9
_IMPOSSIBLE = 1e-12
"""A scenario below the second is rounding; none is taken as rarer than the first."""

_ROUNDING = 1e-9


class GroupBet(NamedTuple):
    """Stakes on outcomes of which one wins; see :func:`kelly_mutually_exclusive`.

    Units: fractions of wealth; ``reserve`` is the wealth kept, ``growth`` nats a bet.
    """

    stakes: list[float]
    reserve: float
    growth: float


def kelly_mutually_exclusive(probabilities: Sequence[float], costs: Sequence[float]) -> GroupBet:
    """The Kelly stakes on outcomes of which at most one happens.

    The outcomes need not be all there are: what their probabilities leave of 1 is an outcome that
    cannot be bought. An outcome may be staked below its cost as a hedge of the others.

    Shapes: two sequences of one length. Units: probabilities; all-in costs a share.

    Source: Smoczynski and Tomkins 2010.

    Raises:
        DataError: the lengths differ, a value is out of range, the probabilities pass 1.
    """
    if len(probabilities) != len(costs):
        raise DataError(f"{len(probabilities)} probabilities but {len(costs)} costs")
    q = [checked_probability("probability", p) for p in probabilities]
    c = [checked_amount("cost", cost, above=0.0) for cost in costs]
    if math.fsum(q) > 1.0 + _ROUNDING:
        raise DataError(
            f"the probabilities of exclusive outcomes sum to {math.fsum(q):.6f}",
            expected="at most 1",
        )
    left, room, reserve = 1.0, 1.0, 1.0
    taken = []
    for k in sorted(range(len(q)), key=lambda k: q[k] / c[k], reverse=True):
        if q[k] <= c[k] * reserve:
            break
        taken.append(k)
        left, room = max(0.0, left - q[k]), room - c[k]
        reserve = left / room
    stakes = [0.0] * len(q)
    for k in taken:
        stakes[k] = q[k] - c[k] * reserve
    # A staked outcome ends with reserve + stake / cost = q / c, all others with the reserve.
    growth = sum(q[k] * math.log(q[k] / c[k]) for k in taken)
    if left > 0.0:
        growth += left * math.log(reserve)
    return GroupBet(stakes, reserve, growth)


class ScenarioBet(NamedTuple):
    """Stakes on bets that share scenarios; see :func:`kelly_scenarios`.

    Units: fractions of wealth, nats a bet. No other stakes within the limits grow faster than
    ``growth + gap``.
    """

    stakes: Floats
    growth: float
    gap: float
    steps: int


def kelly_two_correlated(
    probabilities: tuple[float, float], costs: tuple[float, float], correlation: float
) -> ScenarioBet:
    """The Kelly stakes on two bets whose outcomes are correlated.

    Shapes: pairs to (2,). Units: probabilities; all-in costs a share; Pearson correlation,
    clipped to what the probabilities allow.

    Source: the scenario program over the joint table of four outcomes.

    Raises:
        DataError: an argument is out of range.
    """
    return kelly_scenarios(pair_scenarios(*probabilities, correlation), costs)


def kelly_scenarios(
    scenarios: Scenarios,
    costs: ArrayLike,
    *,
    wealth: ArrayLike | None = None,
    limits: ArrayLike | None = None,
    budget: float = 1.0,
) -> ScenarioBet:
    """The stakes that maximise expected log wealth over scenarios, with a proof of how nearly.

    Maximises sum of w ln(wealth + sum of f (y / c - 1)) over stakes f from 0 to ``limits`` that sum
    to ``budget`` at most. ``wealth`` is what each scenario leaves without these bets, as a
    multiple of present wealth: shares already held enter here. Scenarios of no weight do not count,
    all others as if they had 1e-9 at least: nobody knows a tail better.

    Shapes: costs (bets,), wealth (scenarios,), limits (bets,), at most 200 scenarios. Units:
    all-in costs a share; fractions of present wealth.

    Source: Kelly 1956 for many bets; log barrier and Newton steps, Boyd and Vandenberghe 2004,
    chapter 11. The gap is the Frank-Wolfe bound max over allowed g of gradient . (g - f).

    Raises:
        DataError: shapes differ, or an argument is out of range.
        InvariantError: the program was not solved.
    """
    program = _program(scenarios, costs, wealth, limits, budget)
    if program.gains.shape[1] == 0 or float(program.limits.max()) == 0.0:
        stakes = np.zeros(program.limits.size)
        return ScenarioBet(stakes, program.growth(stakes), 0.0, 0)
    stakes, steps = _climb(program)
    # The barrier keeps every stake above zero: what is nothing but that is taken off.
    rounded = np.where(stakes < _ROUNDING, 0.0, stakes)
    best = min((program.gap(found), n) for n, found in enumerate((rounded, stakes)))
    stakes = (rounded, stakes)[best[1]]
    if not best[0] <= _TRUSTED:
        raise InvariantError(f"a Kelly program over scenarios ended {best[0]:g} below its bound")
    return ScenarioBet(stakes, program.growth(stakes), best[0], steps)


class _Program(NamedTuple):
    weights: Floats
    gains: Floats
    wealth: Floats
    limits: Floats
    budget: float

    def ends(self, stakes: Floats) -> Floats:
        ends: Floats = self.wealth + self.gains @ stakes
        return ends

    def growth(self, stakes: Floats) -> float:
        ends = self.ends(stakes)
        return float(self.weights @ np.log(ends)) if ends.min() > 0.0 else -math.inf

    def gradient(self, stakes: Floats) -> Floats:
        gradient: Floats = self.gains.T @ (self.weights / self.ends(stakes))
        return gradient

    def gap(self, stakes: Floats) -> float:
        """How much any allowed stakes could gain on these, at most."""
        if self.ends(stakes).min() <= 0.0:
            return math.inf
        gradient = self.gradient(stakes)
        left, best = self.budget, 0.0
        for k in np.argsort(-gradient):
            if gradient[k] <= 0.0 or left <= 0.0:
                break
            amount = min(left, float(self.limits[k]))
            best, left = best + amount * float(gradient[k]), left - amount
        return max(0.0, best - float(gradient @ stakes))


def _program(
    scenarios: Scenarios,
    costs: ArrayLike,
    wealth: ArrayLike | None,
    limits: ArrayLike | None,
    budget: float,
) -> _Program:
    weights = np.asarray(scenarios.weights, dtype=np.float64)
    payouts = np.asarray(scenarios.payouts, dtype=np.float64)
    cost = np.asarray(costs, dtype=np.float64)
    count, bets = weights.size, cost.size
    if payouts.shape != (count, bets) or not 0 < count <= MOST_SCENARIOS:
        raise DataError(
            f"payouts of shape {payouts.shape} for {count} scenarios and {bets} bets",
            expected=f"one row a scenario, one column a bet, at most {MOST_SCENARIOS} scenarios",
        )
    start = np.ones(count) if wealth is None else np.asarray(wealth, dtype=np.float64)
    most = np.ones(bets) if limits is None else np.asarray(limits, dtype=np.float64)
    if start.shape != (count,) or most.shape != (bets,):
        raise DataError(
            f"wealth of shape {start.shape} and limits of shape {most.shape}",
            expected=f"({count},) and ({bets},)",
        )
    checked_amount("budget", budget)
    rules = {
        "weights": weights >= 0.0,
        "payouts": payouts >= 0.0,
        "costs": cost > 0.0,
        "wealth": start > 0.0,
        "limits": most >= 0.0,
    }
    values = (weights, payouts, cost, start, most)
    for (name, fits), value in zip(rules.items(), values, strict=True):
        if not (np.all(np.isfinite(value)) and np.all(fits)):
            raise DataError(
                f"{name} of the scenarios hold {value[~(np.isfinite(value) & fits)][0]}",
                expected="finite numbers, costs and wealth above 0, all others 0 or more",
            )
    if abs(float(weights.sum()) - 1.0) > 1e-6:
        raise DataError(f"scenario weights sum to {weights.sum():.6f}", expected="1")
    seen = weights > _IMPOSSIBLE
    weights = np.maximum(weights[seen], _RAREST)
    gains = payouts[seen] / cost - 1.0
    return _Program(weights / weights.sum(), gains, start[seen], most, budget)


def _climb(program: _Program) -> tuple[Floats, int]:
    """The optimum, by Newton steps under a barrier that is lowered to nothing."""
    from polyframe.kernels import barrier_nb  # noqa: PLC0415 - pulls numba

    open_ = (program.limits > 0.0) & (program.gains.max(axis=0) > 0.0)
    stakes = np.zeros(program.limits.size)
    if not open_.any() or program.budget == 0.0:
        return stakes, 0
    inner = program._replace(gains=program.gains[:, open_], limits=program.limits[open_])
    room = min(program.budget, float(program.wealth.min()))
    inside = np.minimum(0.5 * inner.limits, 0.5 * room / inner.limits.size)
    steps = barrier_nb.climb(
        inner.weights, np.ascontiguousarray(inner.gains), inner.wealth, inner.limits,
        inner.budget, _TARGET, inside, np.zeros((2, inner.wealth.size)),
        np.zeros((2, inside.size)), np.zeros((inside.size, inside.size)),
    )  # fmt: skip
    if steps == barrier_nb.NOT_SOLVED:
        raise InvariantError("a Kelly program over scenarios left the numbers")
    stakes[open_] = inside
    return stakes, int(steps)
