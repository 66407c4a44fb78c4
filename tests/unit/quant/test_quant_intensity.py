"""Intensities fitted and arrivals that excite each other, against the reference and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from polyframe.errors import DataError
from polyframe.quant.intensity import (
    Hawkes,
    fit_intensity,
    hawkes_intensities,
    hawkes_likelihood,
)


def test_intensities_agree_with_the_reference(vectors) -> None:
    group = vectors["fill_intensity"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        found = fit_intensity(row["depth_ticks"], row["count"], row["exposure_s"])
        assert found == pytest.approx((out["A_poisson"], out["k_poisson"], out["k_se"]), rel=1e-6)


def test_a_fit_finds_what_counts_were_drawn_from() -> None:
    rng = np.random.default_rng(3)
    d = np.arange(0.0, 10.0)
    s = rng.uniform(1_000, 9_000, d.size)
    found = fit_intensity(d, rng.poisson(s * 0.3 * np.exp(-0.45 * d)), s)
    assert found.decay == pytest.approx(0.45, abs=4 * found.decay_error)
    assert found.level == pytest.approx(0.3, rel=0.1)
    assert found.at(2.0) == pytest.approx(0.3 * math.exp(-0.9), rel=0.1)


def test_arrivals_agree_with_the_reference(vectors) -> None:
    group = vectors["hawkes_exponential"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        process = Hawkes(row["mu"], row["alpha"], row["beta"])
        found = hawkes_intensities(process, row["times"])
        assert found == pytest.approx(out["intensity_at_events"], abs=group["tolerance"])
        likelihood = hawkes_likelihood(process, row["times"], row["T"])
        assert likelihood == pytest.approx(out["loglik"], abs=1e-8)
        assert process.branching == pytest.approx(out["branching_ratio"])
        assert process.rate == pytest.approx(out["stationary_rate"])


@pytest.mark.parametrize(
    ("depths", "counts", "seconds", "said"),
    [
        ([1.0, 2.0], [1.0], [1.0, 1.0], "one each"),
        ([1.0, 2.0], [0.0, 0.0], [1.0, 1.0], "two depths"),
        ([1.0, 1.0], [3.0, 2.0], [1.0, 1.0], "two depths"),
        ([1.0, math.nan], [3.0, 2.0], [1.0, 1.0], "finite"),
        ([1.0, 2.0], [3.0, -2.0], [1.0, 1.0], "finite"),
    ],
)
def test_counts_that_say_nothing_are_refused(depths, counts, seconds, said) -> None:
    with pytest.raises(DataError) as refused:
        fit_intensity(depths, counts, seconds)
    assert said in f"{refused.value.message} {refused.value.expected}"


def test_arrivals_out_of_order_are_refused() -> None:
    with pytest.raises(DataError, match="ascend"):
        hawkes_intensities(Hawkes(1.0, 0.5, 1.0), [2.0, 1.0])
    with pytest.raises(DataError, match="an arrival at"):
        hawkes_likelihood(Hawkes(1.0, 0.5, 1.0), [2.0], 1.0)


def test_a_process_that_feeds_itself_has_no_rate() -> None:
    assert Hawkes(1.0, 1.0, 1.0).rate == math.inf
