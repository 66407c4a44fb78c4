"""The barrier program in compiled code against the same steps in numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyframe.kernels import barrier_nb as nb

TARGET = 1e-13


def rise(t, weights, room, change):
    return float(weights @ (change / (room + t * change)))


def stride(program, stakes, move, barrier):
    weights, gains, wealth, limits, budget = program
    room = np.concatenate(
        (wealth + gains @ stakes, stakes, limits - stakes, [budget - stakes.sum()])
    )
    change = np.concatenate((gains @ move, move, -move, [-move.sum()]))
    weight = np.concatenate((weights, np.full(2 * limits.size + 1, barrier)))
    falling = change < 0.0
    edge = float(np.min(room[falling] / -change[falling])) if falling.any() else math.inf
    low, high = 0.0, min(1.0, 0.99 * edge)
    first = rise(0.0, weight, room, change)
    if rise(high, weight, room, change) >= 0.0:
        return high
    for _ in range(60):
        middle = 0.5 * (low + high)
        found = rise(middle, weight, room, change)
        if found < 0.0:
            high = middle
        else:
            low = middle
            if found <= 0.3 * first:
                break
    return low


def centre(program, stakes, barrier):
    weights, gains, wealth, limits, budget = program
    for _ in range(60):
        ends = wealth + gains @ stakes
        above, left = limits - stakes, budget - stakes.sum()
        slope = gains.T @ (weights / ends) + barrier * (1 / stakes - 1 / above - 1 / left)
        scaled = gains * (np.sqrt(weights) / ends)[:, None]
        bend = stakes[:, None] * (scaled.T @ scaled + barrier / left**2) * stakes
        bend += np.diag(barrier * (1 + (stakes / above) ** 2))
        bend *= 1 + 1e-13 * np.eye(stakes.size)
        move = stakes * np.linalg.solve(bend, stakes * slope)
        if slope @ move <= 1e-3 * barrier:
            return stakes
        stakes = stakes + stride(program, stakes, move, barrier) * move
    return stakes


def twin(program, stakes):
    barrier = 1.0
    while True:
        stakes = centre(program, stakes, barrier)
        if barrier <= TARGET:
            return stakes
        barrier = max(TARGET, 0.1 * barrier)


def climbed(program, stakes):
    weights, gains, wealth, limits, budget = program
    stakes = stakes.copy()
    bets = stakes.size
    steps = nb.climb(
        weights, gains, wealth, limits, budget, TARGET, stakes, np.zeros((2, weights.size)),
        np.zeros((2, bets)), np.zeros((bets, bets)),
    )  # fmt: skip
    return steps, stakes


@st.composite
def programs(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    bets, count = draw(st.integers(1, 5)), draw(st.integers(2, 12))
    cost = rng.uniform(0.05, 0.95, bets)
    gains = (rng.random((count, bets)) < rng.uniform(0.2, 0.9)) / cost - 1.0
    weights = rng.dirichlet(np.ones(count))
    wealth = rng.uniform(0.3, 2.0, count)
    limits = rng.uniform(0.01, 1.0, bets)
    return (weights, np.ascontiguousarray(gains), wealth, limits, draw(st.floats(0.05, 1.0)))


@settings(max_examples=60)
@given(program=programs())
def test_the_compiled_climb_takes_the_steps_of_the_twin(program) -> None:
    weights, gains, wealth, limits, budget = program
    room = min(budget, float(wealth.min()))
    start = np.minimum(0.5 * limits, 0.5 * room / limits.size)
    steps, found = climbed(program, start)
    assert steps > 0

    def growth(stakes):
        return float(weights @ np.log(wealth + gains @ stakes))

    # Stakes may differ where the value is flat; the value itself does not.
    assert growth(found) == pytest.approx(growth(twin(program, start)), abs=1e-10)
    assert (found > 0).all()
    assert (found < limits).all()
    assert found.sum() < budget


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 7))
def test_a_system_is_solved(seed, n) -> None:
    rng = np.random.default_rng(seed)
    table, right = rng.normal(size=(n, n)), rng.normal(size=n)
    x = right.copy()
    assert nb.solve(table.copy(), x) == 1
    assert table @ x == pytest.approx(right, abs=1e-8 * np.linalg.cond(table))


def test_a_singular_system_is_told() -> None:
    assert nb.solve(np.array([[1.0, 2.0], [2.0, 4.0]]), np.array([1.0, 1.0])) == 0
    assert nb.solve(np.array([[math.nan]]), np.array([1.0])) == 0


def test_a_program_that_leaves_the_numbers_is_told() -> None:
    program = (np.array([1.0]), np.array([[math.inf]]), np.array([1.0]), np.array([1.0]), 1.0)
    assert climbed(program, np.array([0.25]))[0] == nb.NOT_SOLVED
