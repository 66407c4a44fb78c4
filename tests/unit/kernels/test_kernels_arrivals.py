"""Arrivals that excite each other, against a twin; their law is tested with its fit."""

from __future__ import annotations

import numpy as np
import pytest
from flow_twin import Arrivals, Draws, arrival_times
from hypothesis import given
from hypothesis import strategies as st

from polyframe.kernels import arrivals_nb as nb


def state(base, jump, fade):
    found = np.zeros(nb.A_SIZE_OF)
    found[[nb.A_BASE, nb.A_JUMP, nb.A_FADE]] = base, jump, fade
    return found


@given(
    seed=st.integers(0, 2**63),
    base=st.floats(0.0, 3.0),
    branching=st.floats(0.0, 0.9),
    fade=st.floats(0.01, 10.0),
)
def test_arrivals_are_the_twins(seed, base, branching, fade):
    out = np.empty(2_000)
    stream = np.array([seed], np.uint64)
    n = nb.arrival_times(state(base, branching * fade, fade), stream, 30.0, out)
    twin = arrival_times(Arrivals(base, branching * fade, fade), Draws(seed), 30.0)
    assert n == len(twin)
    assert out[:n] == pytest.approx(np.array(twin), rel=1e-10)


def test_too_little_room_is_said():
    out = np.empty(3)
    assert nb.arrival_times(state(5.0, 0.0, 1.0), np.array([1], np.uint64), 100.0, out) == -1
