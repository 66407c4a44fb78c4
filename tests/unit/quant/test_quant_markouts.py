"""A weighted mean of bunched values, by hand and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from polyframe.quant.markouts import LEAST, bunched_mean


def test_by_hand() -> None:
    values, weights = np.array([1.0, 3.0, 5.0]), np.array([1.0, 1.0, 2.0])
    found = bunched_mean(values, weights, np.array([7, 7, 9]))
    assert found is not None
    assert found == (3.5, None, None)
    # Twelve bunches of one value each: the error of a plain mean.
    values = np.arange(12.0)
    found = bunched_mean(values, np.ones(12), np.arange(12))
    assert found is not None
    assert found.low is not None
    error = math.sqrt(values.var(ddof=1) / 12)
    assert found.mean == 5.5
    assert found.low == pytest.approx(5.5 - 1.959963984540054 * error)
    assert found.high == pytest.approx(5.5 + 1.959963984540054 * error)


def test_a_bunch_counts_once() -> None:
    """Every value ten times tells no more than once."""
    values = np.arange(12.0)
    once = bunched_mean(values, np.ones(12), np.arange(12))
    often = bunched_mean(np.repeat(values, 10), np.ones(120), np.repeat(np.arange(12), 10))
    assert once is not None
    assert often is not None
    assert often == pytest.approx(once)


def test_nothing_weighs_nothing() -> None:
    none = np.zeros(0)
    assert bunched_mean(none, none, np.zeros(0, np.int64)) is None
    assert bunched_mean(np.ones(3), np.zeros(3), np.arange(3)) is None


def test_the_interval_holds_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(400):
        common = np.repeat(rng.normal(size=40), 5)
        values = 2.0 + common + rng.normal(size=200)
        found = bunched_mean(values, rng.uniform(0.5, 1.5, 200), np.repeat(np.arange(40), 5))
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 2.0 <= found.high
    assert 0.90 <= held / 400 <= 0.98
    assert LEAST == 10
