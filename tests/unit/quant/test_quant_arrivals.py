"""Fits of arrivals get back what they were drawn from, and the test of fit tells them apart."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyframe.errors import DataError
from polyframe.kernels import arrivals_nb as nb
from polyframe.quant.arrivals import exponential_distance, fit_hawkes, rescaled_gaps
from polyframe.quant.intensity import Hawkes, hawkes_intensities, hawkes_likelihood


def drawn(process, seconds, seed):
    state = np.zeros(nb.A_SIZE_OF)
    state[[nb.A_BASE, nb.A_JUMP, nb.A_FADE]] = process.base, process.jump, process.fade
    out = np.empty(100_000)
    return out[: nb.arrival_times(state, np.array([seed], np.uint64), seconds, out)]


CASES = [Hawkes(1.0, 1.0, 2.0), Hawkes(0.5, 0.4, 0.5), Hawkes(2.0, 3.0, 10.0)]


@pytest.mark.parametrize("process", CASES)
def test_the_branching_comes_back(process):
    seconds = 5_000.0
    fits = [fit_hawkes(drawn(process, seconds, seed), seconds).process for seed in range(6)]
    found = np.array([[fit.branching, fit.base, fit.fade, fit.rate] for fit in fits])
    wanted = np.array([process.branching, process.base, process.fade, process.rate])
    # The mean of six fits within four of its standard errors, and the fits not far apart.
    error = found.std(axis=0, ddof=1) / math.sqrt(6)
    assert (np.abs(found.mean(axis=0) - wanted) < 4 * error + 1e-3).all()
    assert found[:, 0].std() < 0.05


@pytest.mark.parametrize("process", CASES)
def test_drawn_arrivals_pass_the_test_of_their_own_process(process):
    chances = [
        exponential_distance(rescaled_gaps(process, drawn(process, 4_000.0, seed)))[1]
        for seed in range(8)
    ]
    # Eight chances, each uniform under the truth: one below 1e-4 would come once in 1,250 times.
    assert min(chances) > 1e-4
    assert max(chances) > 0.1


def test_drawn_arrivals_fail_the_test_of_another():
    times = drawn(CASES[0], 4_000.0, 3)
    for other in (Hawkes(2.0, 0.0, 1.0), Hawkes(1.0, 0.7, 2.0), Hawkes(1.0, 0.4, 0.8)):
        assert exponential_distance(rescaled_gaps(other, times))[1] < 1e-6


def test_a_poisson_process_has_no_branching():
    fit = fit_hawkes(drawn(Hawkes(3.0, 0.0, 1.0), 3_000.0, 5), 3_000.0)
    assert fit.process.branching < 0.03
    assert fit.process.rate == pytest.approx(3.0, rel=0.05)


@settings(max_examples=10)
@given(seed=st.integers(0, 1_000), move=st.lists(st.floats(-0.2, 0.2), min_size=3, max_size=3))
def test_no_other_process_is_likelier(seed, move):
    times = drawn(Hawkes(0.5, 0.5, 1.0), 300.0, seed)
    fit = fit_hawkes(times, 300.0)
    assert fit.likelihood == pytest.approx(hawkes_likelihood(fit.process, times, 300.0), abs=1e-6)
    other = Hawkes(*(x * math.exp(m) for x, m in zip(fit.process, move, strict=True)))
    assert hawkes_likelihood(other, times, 300.0) <= fit.likelihood + 1e-3


def test_rescaled_gaps_are_integrals_of_the_intensity():
    process, times = Hawkes(0.5, 0.8, 1.5), np.array([0.5, 1.1, 1.15, 1.4, 3.0])
    grid = np.linspace(0.0, 3.0, 300_001)
    level = np.full(grid.size, process.base)
    for t in times:
        level += np.where(grid > t, process.jump * np.exp(-process.fade * (grid - t)), 0.0)
    area = np.concatenate([[0.0], np.cumsum(level[1:] * np.diff(grid))])
    wanted = np.diff(np.interp(times, grid, area), prepend=0.0)
    assert rescaled_gaps(process, times) == pytest.approx(wanted, rel=1e-4)
    assert hawkes_intensities(process, times)[0] == process.base


def test_chances_of_a_distance_are_those_of_the_tables():
    """At 1,000 gaps a distance of 1.358 / sqrt(n) comes by chance once in 20 times."""
    n = 1_000
    ideal = -np.log1p(-(np.arange(n) + 0.5) / n)
    distance, chance = exponential_distance(ideal)
    assert distance == pytest.approx(0.5 / n)
    assert chance == 1.0
    root = math.sqrt(n)
    shift = 1.358 / (root + 0.12 + 0.11 / root) - 0.5 / n
    below = np.clip((np.arange(n) + 0.5) / n - shift, 0.0, 1.0)
    assert exponential_distance(-np.log1p(-below))[1] == pytest.approx(0.05, abs=0.002)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit_hawkes([1.0, 2.0], 10.0), "2 arrivals"),
        (lambda: fit_hawkes(np.arange(20.0), 10.0), "an arrival at 19 s of 10"),
        (lambda: fit_hawkes(np.arange(20.0)[::-1], 50.0), "do not ascend"),
        (lambda: fit_hawkes(np.arange(20.0), 50.0, (2.0, 1.0)), "fades from 2.0 to 1.0"),
        (lambda: exponential_distance([]), "no gaps"),
        (lambda: exponential_distance([1.0, -1.0]), "no gaps"),
        (lambda: rescaled_gaps(Hawkes(0.0, 1.0, 1.0), [1.0]), "base"),
    ],
)
def test_what_cannot_be_fitted_is_refused(call, message):
    with pytest.raises(DataError, match=message):
        call()
