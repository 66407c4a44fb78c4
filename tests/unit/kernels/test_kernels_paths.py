"""Beliefs and Brownian prices: step by step against a twin, and the laws that they must keep."""

from __future__ import annotations

import math

import numpy as np
import pytest
from flow_twin import Belief, Draws
from hypothesis import given
from hypothesis import strategies as st

from polyframe.kernels import paths_nb as nb
from polyframe.lab.beliefs import Signals, two_outcomes

TIMES = np.concatenate([np.linspace(0.0, 0.95, 20), [0.99]])
TIMES.flags.writeable = False


def belief(start, sign, information, jump_size):
    state = np.zeros(nb.B_SIZE_OF)
    state[nb.B_ODDS] = math.log(start) - math.log(1 - start)
    state[nb.B_SIGN] = sign
    state[nb.B_INFORMATION] = information**2
    state[nb.B_JUMP] = jump_size
    return state


@given(
    seed=st.integers(0, 2**63),
    start=st.floats(0.01, 0.99),
    information=st.floats(0.0, 3.0),
    jumps=st.floats(0.0, 30.0),
    size=st.floats(0.0, 3.0),
)
def test_a_path_is_the_twins(seed, start, information, jumps, size):
    draws = Draws(seed)
    twin = Belief(draws, start, information, size)
    # The compiled belief begins after the outcome is drawn.
    stream = np.array([draws.state], np.uint64)
    out = np.empty(TIMES.size)
    count = nb.belief_path(belief(start, twin.sign, information, size), stream, jumps, TIMES, out)
    due, seen = (draws.exponential() / jumps if jumps > 0.0 else 2.0), 0
    for t, p in zip(TIMES, out, strict=True):
        while due <= t:
            twin.learn(due)
            twin.jump()
            seen += 1
            due += draws.exponential() / jumps
        assert p == pytest.approx(twin.learn(t), rel=1e-9, abs=1e-12)
    assert count == seen


def many(paths, sign_of, seed=0, start=0.4, information=1.0, jumps=3.0, size=0.6):
    """Paths of beliefs, and the outcome of each."""
    rng = np.random.Generator(np.random.PCG64(seed))
    outcomes = sign_of(rng, paths, start)
    out = np.empty((paths, TIMES.size))
    for n, outcome in enumerate(outcomes):
        state = belief(start, 1.0 if outcome else -1.0, information, size)
        stream = rng.integers(0, 2**64, 1, np.uint64)
        nb.belief_path(state, stream, jumps, TIMES, out[n])
    return outcomes, out


def fair(rng, paths, start):
    return rng.random(paths) < start


def always(rng, paths, start):
    return np.ones(paths, np.bool_)


def drift(p):
    """How many standard errors the mean change is from 0, by tenth of the price before it."""
    before, change = p[:, :-1].ravel(), np.diff(p, axis=1).ravel()
    # Where nothing is left to learn nothing moves: such prices say nothing of the mean.
    live = np.minimum(before, 1 - before) > 1e-6
    before, change = before[live], change[live]
    bucket = np.minimum((before * 10).astype(int), 9)
    found = []
    for b in range(10):
        x = change[bucket == b]
        assert x.size > 500
        found.append(x.mean() / (x.std() / math.sqrt(x.size)))
    return np.array(found)


def reliability(p, outcomes):
    """How many standard errors the share of YES is from the probability said, by tenth."""
    bucket = np.minimum((p * 10).astype(int), 9)
    found = []
    for b in range(10):
        mine = bucket == b
        said, came = p[mine], outcomes[mine]
        found.append((came - said).sum() / math.sqrt((said * (1 - said)).sum()))
    return np.array(found)


# Ten buckets each at 4.4 standard errors: a true martingale fails once in 10,000 times.
LEVEL = 4.4


@pytest.mark.parametrize(
    ("start", "information", "jumps", "size"),
    [(0.5, 1.0, 3.0, 0.6), (0.4, 2.0, 0.0, 0.0), (0.6, 0.2, 12.0, 1.5)],
)
def test_beliefs_are_martingales_and_calibrated(start, information, jumps, size):
    outcomes, p = many(20_000, fair, 3, start, information, jumps, size)
    assert np.abs(drift(p)).max() < LEVEL
    for column in (5, 12, 18):
        assert np.abs(reliability(p[:, column], outcomes)).max() < LEVEL
    ended = p[:, -1]
    if information >= 1.0:
        assert ((ended > 0.99) | (ended < 0.01)).mean() > 0.99


def test_the_martingale_test_sees_a_drift():
    _, p = many(2_000, always, 3)
    assert drift(p).max() > 2 * LEVEL


def test_all_is_known_at_the_end():
    for sign in (1.0, -1.0):
        state = belief(0.5, sign, 1.0, 0.0)
        p = nb.learn(state, np.array([5], np.uint64), 1.0)
        assert p == pytest.approx(1.0 if sign > 0 else 0.0, abs=1e-300)


def test_the_law_is_that_of_hourly_beliefs():
    """The generator of hourly prices draws other numbers from the same law."""
    jumps, size = 3.0, 0.6
    _, mine = many(4_000, fair, 5, 0.4, 1.0, jumps, size)
    rng = np.random.Generator(np.random.PCG64(6))
    grid = np.linspace(0.0, 0.95, 400)
    hourly = np.array([
        two_outcomes(0.4, grid, Signals(1.0, jumps, size), rng)[1][[210, 399]]
        for _ in range(4_000)
    ])  # fmt: skip
    for column, other in ((10, hourly[:, 0]), (19, hourly[:, 1])):
        a, b = np.sort(mine[:, column]), np.sort(other)
        both = np.concatenate([a, b])
        gap = (
            np.searchsorted(a, both, "right") / a.size - np.searchsorted(b, both, "right") / b.size
        )
        # Kolmogorov and Smirnov's test of two samples at a level of 1 in 1,000.
        assert np.abs(gap).max() < 1.95 * math.sqrt(2 / a.size)


def test_a_brownian_price_has_no_drift_and_its_volatility():
    stream = np.array([9], np.uint64)
    x = np.array([nb.gbm_step(stream, 100.0, 0.2) for _ in range(100_000)])
    assert abs(x.mean() - 100.0) < 5.0 * x.std() / math.sqrt(x.size)
    logs = np.log(x / 100.0)
    assert abs(logs.std() - 0.2) < 5.0 * 0.2 / math.sqrt(2 * x.size)
    assert abs(logs.mean() + 0.02) < 5.0 * 0.2 / math.sqrt(x.size)


@given(seed=st.integers(0, 2**63), price=st.floats(0.1, 1e6), spread=st.floats(0.0, 1.0))
def test_a_brownian_step_is_the_twins(seed, price, spread):
    found = nb.gbm_step(np.array([seed], np.uint64), price, spread)
    wanted = price * math.exp(spread * Draws(seed).normal() - spread**2 / 2)
    assert found == pytest.approx(wanted, rel=1e-13)
