"""Stakes that maximise expected log wealth over scenarios, by Newton steps under a log barrier.

Shapes: see :func:`climb`.
Units: stakes, limits and budget are fractions of wealth; gains are profit per unit staked.
Source: Boyd and Vandenberghe 2004, chapter 11.
"""

from __future__ import annotations

import math
from typing import Final

from numba import float64, int64, types

from polyframe.kernels.compile_nb import kernel

SHRINK: Final = 0.1
STEPS: Final = 60
FIRST: Final = 1e-3
LAST: Final = 1e-7
NOT_SOLVED: Final = -1

_row = types.Array(float64, 1, "C")
_table = types.Array(float64, 2, "C")


@kernel(types.void(_table, _row, _row, _row))
def _ends(gains, wealth, stakes, ends):  # type: ignore[no-untyped-def]
    """Wealth at the end of each scenario."""
    for s in range(wealth.shape[0]):
        total = wealth[s]
        for j in range(stakes.shape[0]):
            total += gains[s, j] * stakes[j]
        ends[s] = total


@kernel(int64(_table, _row))
def solve(table, x):  # type: ignore[no-untyped-def]
    """Solves a small linear system in place, with pivots from the column; 0 when it is singular.

    Shapes: table (n, n), destroyed; x (n,), the right side, then the solution. Units: any.
    """
    n = x.shape[0]
    for k in range(n):
        best = k
        for i in range(k + 1, n):
            if abs(table[i, k]) > abs(table[best, k]):
                best = i
        pivot = table[best, k]
        if pivot == 0.0 or not math.isfinite(pivot):
            return 0
        if best != k:
            for j in range(k, n):
                table[k, j], table[best, j] = table[best, j], table[k, j]
            x[k], x[best] = x[best], x[k]
        for i in range(k + 1, n):
            factor = table[i, k] / pivot
            for j in range(k + 1, n):
                table[i, j] -= factor * table[k, j]
            x[i] -= factor * x[k]
    for k in range(n - 1, -1, -1):
        total = x[k]
        for j in range(k + 1, n):
            total -= table[k, j] * x[j]
        x[k] = total / table[k, k]
    return 1


@kernel(
    float64(float64, _row, _row, _row, _row, _row, _row, float64, float64, float64)
)  # fmt: skip
def _rise(t, weights, ends, change, limits, stakes, move, left, drain, barrier):  # type: ignore[no-untyped-def]
    """How fast the value grows ``t`` of the way along a move."""
    total = 0.0
    for s in range(weights.shape[0]):
        total += weights[s] * (change[s] / (ends[s] + t * change[s]))
    for j in range(stakes.shape[0]):
        total += barrier * (move[j] / (stakes[j] + t * move[j]))
        total -= barrier * (move[j] / (limits[j] - stakes[j] - t * move[j]))
    return total + barrier * (drain / (left + t * drain))


@kernel(float64(float64, float64, float64))
def _edge(edge, room, change):  # type: ignore[no-untyped-def]
    """How far a move may go before this room is used up, or before another was."""
    return min(edge, room / -change) if change < 0.0 else edge


@kernel(float64(_row, _row, _row, _row, _row, _row, float64, float64))
def _stride(weights, ends, change, limits, stakes, move, budget, barrier):  # type: ignore[no-untyped-def]
    """How far to go along a rising direction: a full step, or to where the rise nearly ends.

    Looks at the derivative, which still tells two points apart when their values no longer do.
    """
    left = budget
    drain = 0.0
    edge = math.inf
    for s in range(weights.shape[0]):
        edge = _edge(edge, ends[s], change[s])
    for j in range(stakes.shape[0]):
        left -= stakes[j]
        drain -= move[j]
        edge = _edge(edge, stakes[j], move[j])
        edge = _edge(edge, limits[j] - stakes[j], -move[j])
    edge = _edge(edge, left, drain)
    high = min(1.0, 0.99 * edge)
    first = _rise(0.0, weights, ends, change, limits, stakes, move, left, drain, barrier)
    if _rise(high, weights, ends, change, limits, stakes, move, left, drain, barrier) >= 0.0:
        return high
    low = 0.0
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        found = _rise(middle, weights, ends, change, limits, stakes, move, left, drain, barrier)
        if found < 0.0:
            high = middle
        else:
            low = middle
            if found <= 0.3 * first:
                break
    return low


@kernel(
    types.void(_row, _table, _row, float64, _row, float64, _row, _row, _row, _table)
)  # fmt: skip
def _slopes(weights, gains, limits, budget, stakes, barrier, ends, slope, move, bend):  # type: ignore[no-untyped-def]
    """The gradient, and in units of the stakes themselves the system whose solution is the move."""
    n = stakes.shape[0]
    left = budget
    for j in range(n):
        left -= stakes[j]
    for j in range(n):
        above = limits[j] - stakes[j]
        total = barrier * (1.0 / stakes[j] - 1.0 / above - 1.0 / left)
        for s in range(weights.shape[0]):
            total += gains[s, j] * (weights[s] / ends[s])
        slope[j] = total
        move[j] = stakes[j] * total
        for k in range(j + 1):
            # In units of the stakes, so that tiny ones do not spoil the rest.
            bent = barrier / (left * left)
            for s in range(weights.shape[0]):
                bent += (gains[s, j] / ends[s]) * (gains[s, k] / ends[s]) * weights[s]
            bend[j, k] = stakes[j] * bent * stakes[k]
            bend[k, j] = bend[j, k]
        bend[j, j] += barrier * (1.0 + (stakes[j] / above) * (stakes[j] / above))
        # A budget that binds can drown the rest: the matrix must stay one that can be solved.
        bend[j, j] *= 1.0 + 1e-13


@kernel(int64(_row, _table, _row, _row, float64, _row, float64, float64, _table, _table, _table))
def _centre(weights, gains, wealth, limits, budget, stakes, barrier, enough, wide, narrow, bend):  # type: ignore[no-untyped-def]
    """Newton's method for one weight of the barrier; moves the stakes, returns the steps taken.

    It ends when a step promises less than ``enough`` times the barrier's weight.
    """
    ends, change = wide[0], wide[1]
    slope, move = narrow[0], narrow[1]
    for step in range(STEPS):
        _ends(gains, wealth, stakes, ends)
        _slopes(weights, gains, limits, budget, stakes, barrier, ends, slope, move, bend)
        if solve(bend, move) == 0:
            return NOT_SOLVED
        gain = 0.0
        for j in range(stakes.shape[0]):
            move[j] *= stakes[j]
            gain += slope[j] * move[j]
        if not math.isfinite(gain):
            return NOT_SOLVED
        if gain <= enough * barrier:
            return step
        for s in range(wealth.shape[0]):
            total = 0.0
            for j in range(stakes.shape[0]):
                total += gains[s, j] * move[j]
            change[s] = total
        stride = _stride(weights, ends, change, limits, stakes, move, budget, barrier)
        for j in range(stakes.shape[0]):
            stakes[j] += stride * move[j]
    return STEPS


@kernel(int64(_row, _table, _row, _row, float64, float64, _row, _table, _table, _table))
def climb(weights, gains, wealth, limits, budget, target, stakes, wide, narrow, bend):  # type: ignore[no-untyped-def]
    """Moves the stakes, from a point inside, to the best; the steps taken, NOT_SOLVED when none is.

    ``target`` is the last weight of the barrier, lowered from 1.

    Shapes: weights and wealth (scenarios,), gains (scenarios, bets), limits and stakes (bets,); as
    room to work in wide (2, scenarios), narrow (2, bets), bend (bets, bets). Units: see module.
    """
    barrier = 1.0
    steps = int64(0)
    while True:
        # A scenario in which next to nothing is left bends the value so much that the value hardly
        # tells where its slope is nothing, and the slope is what proves the end.
        enough = LAST if barrier <= target else FIRST
        used = _centre(
            weights, gains, wealth, limits, budget, stakes, barrier, enough, wide, narrow, bend
        )
        if used == NOT_SOLVED:
            return NOT_SOLVED
        steps += used
        if barrier <= target:
            return steps
        barrier = max(target, barrier * SHRINK)
