"""The generator against its published output, and its functions against the system's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from flow_twin import Draws
from hypothesis import given
from hypothesis import strategies as st

from polyframe.kernels import random_nb as nb
from polyframe.quant.arrivals import exponential_distance

PUBLISHED = (
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
)
"""The first numbers of SplitMix64 from 1234567, as its authors' program prints them."""


def stream(seed: int) -> np.ndarray:
    return np.array([seed], np.uint64)


def test_the_numbers_are_the_published_ones():
    state = stream(1234567)
    found = [nb.uniform(state) for _ in PUBLISHED]
    assert found == [((bits >> 12) + 0.5) / 2**52 for bits in PUBLISHED]


@given(seed=st.integers(0, 2**64 - 1))
def test_the_twin_draws_the_same(seed):
    state, twin = stream(seed), Draws(seed)
    for _ in range(20):
        assert nb.uniform(state) == twin.uniform()
        assert nb.exponential(state) == pytest.approx(twin.exponential(), rel=1e-14)
        assert nb.normal(state) == pytest.approx(twin.normal(), rel=1e-13)
    assert nb.lots(state, math.log(8e6), 1.3, 10_000) == twin.lots(8e6, 1.3, 10_000)
    assert int(state[0]) == twin.state


@given(x=st.floats(1e-300, 1e300))
def test_logarithms(x):
    assert nb.ln(x) == pytest.approx(math.log(x), rel=1e-15, abs=3e-16)


@given(x=st.floats(-700.0, 700.0))
def test_exponentials(x):
    assert nb.exp(x) == pytest.approx(math.exp(x), rel=1e-15)


def test_what_no_double_holds_is_cut():
    assert nb.exp(-1e9) == 0.0
    assert nb.exp(1e9) == nb.exp(709.0) == pytest.approx(math.exp(709.0))
    assert nb.sigmoid(-1e9) < 1e-300
    assert nb.sigmoid(1e9) == 1.0


def test_moments_of_normal_numbers():
    state = stream(11)
    z = np.array([nb.normal(state) for _ in range(200_000)])
    # Five standard errors of each moment.
    for power, wanted, error in ((1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)):
        assert abs((z**power).mean() - wanted) < 5.0 * math.sqrt(error / z.size)
    assert abs((z[1:] * z[:-1]).mean()) < 5.0 / math.sqrt(z.size)


def test_waiting_times_are_exponential():
    state = stream(12)
    _, chance = exponential_distance([nb.exponential(state) for _ in range(50_000)])
    assert chance > 1e-4


@given(
    seed=st.integers(0, 2**32),
    median=st.floats(1.0, 1e9),
    spread=st.floats(0.0, 4.0),
    lot=st.integers(1, 10**6),
)
def test_sizes_are_whole_lots(seed, median, spread, lot):
    size = nb.lots(stream(seed), math.log(median), spread, lot)
    assert size >= lot
    assert size % lot == 0
    if spread == 0.0:
        assert abs(size - max(median, lot)) <= 0.5 * lot + 1e-6 * median
