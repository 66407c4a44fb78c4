"""Scores of probabilities against reference vectors and slow twins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyframe.errors import DataError
from polyframe.quant import scoring
from polyframe.quant.rows import from_log_odds, log_odds

ROWS = st.lists(
    st.tuples(st.integers(0, 100).map(lambda k: k / 100), st.integers(0, 1)),
    min_size=1,
    max_size=60,
)

SCORES = {
    "brier_model": lambda y, p, m: scoring.brier(p, y),
    "brier_market": lambda y, p, m: scoring.brier(m, y),
    "brier_skill_vs_market": lambda y, p, m: scoring.brier_skill(
        scoring.brier(p, y), scoring.brier(m, y)
    ),
    "brier_index_model": lambda y, p, m: scoring.brier_index(scoring.brier(p, y)),
    "brier_index_market": lambda y, p, m: scoring.brier_index(scoring.brier(m, y)),
    "log_loss_model": lambda y, p, m: scoring.log_loss(p, y),
    "log_loss_market": lambda y, p, m: scoring.log_loss(m, y),
    "ece10_equal_width_model": lambda y, p, m: scoring.calibration_error(p, y),
    "ece10_equal_width_market": lambda y, p, m: scoring.calibration_error(m, y),
    "murphy_reliability": lambda y, p, m: scoring.murphy(p, y).reliability,
    "murphy_resolution": lambda y, p, m: scoring.murphy(p, y).resolution,
    "murphy_uncertainty": lambda y, p, m: scoring.murphy(p, y).uncertainty,
    "mean_delta_brier": lambda y, p, m: scoring.brier(m, y) - scoring.brier(p, y),
    "mean_delta_log": lambda y, p, m: scoring.log_loss(m, y) - scoring.log_loss(p, y),
    "spiegelhalter_z_model": lambda y, p, m: scoring.spiegelhalter_z(p, y),
    "spiegelhalter_z_market": lambda y, p, m: scoring.spiegelhalter_z(m, y),
}


@pytest.mark.parametrize("name", list(SCORES))
def test_scores_agree_with_the_reference(vectors, name) -> None:
    group, seen = vectors["scoring"], 0
    for case in group["cases"]:
        if name in case["out"]:
            y, p, m = (np.array(case["in"][k], dtype=float) for k in ("y", "p_model", "p_market"))
            assert SCORES[name](y, p, m) == pytest.approx(case["out"][name], rel=group["tolerance"])
            seen += 1
    assert seen


def test_the_parts_of_a_brier_score_agree_with_the_reference(vectors) -> None:
    group = vectors["murphy_grouped"]
    for case in group["cases"]:
        y, p, out = case["in"]["y"], case["in"]["p"], case["out"]
        found = scoring.murphy(p, y)
        for name in ("reliability", "resolution", "uncertainty", "base_rate"):
            assert getattr(found, name) == pytest.approx(out[name], abs=group["tolerance"])
        assert scoring.brier(p, y) == pytest.approx(out["brier"], abs=group["tolerance"])
        assert scoring.calibration_error(p, y) == pytest.approx(out["ece"], abs=group["tolerance"])


@given(rows=ROWS)
def test_the_parts_make_the_whole(rows) -> None:
    p, y = (np.array(x, dtype=float) for x in zip(*rows, strict=True))
    found = scoring.murphy(p, y)
    assert found.reliability - found.resolution + found.uncertainty == pytest.approx(
        scoring.brier(p, y), abs=1e-12
    )
    assert min(found[:3]) >= 0


@given(rows=ROWS, bins=st.integers(1, 20))
def test_the_calibration_error_is_that_of_a_slow_count(rows, bins) -> None:
    total = 0.0
    for k in range(bins):
        inside = [
            (p, y) for p, y in rows if k / bins <= p < (k + 1) / bins or (p == 1 and k == bins - 1)
        ]
        if inside:
            total += abs(sum(p for p, _ in inside) - sum(y for _, y in inside))
    p, y = zip(*rows, strict=True)
    assert scoring.calibration_error(p, y, bins) == pytest.approx(total / len(rows), abs=1e-12)


@given(st.integers(0, 100))
def test_bins_are_closed_on_the_left(hundredth) -> None:
    p = hundredth / 100
    assert scoring.bin_of(np.array([p]))[0] == min(hundredth // 10, 9)


@pytest.mark.parametrize(("n", "mean", "high"), [(100, 0.100, 0.142), (500, 0.046, 0.067)])
def test_the_noise_of_a_perfect_forecaster_is_the_known_one(n, mean, high) -> None:
    p = np.random.Generator(np.random.PCG64(2)).uniform(size=n)
    found = scoring.calibration_noise(p, seed=1)
    assert found == pytest.approx((mean, high), abs=0.008)
    assert found == scoring.calibration_noise(p, seed=1)


def test_certain_forecasts_that_are_right_have_no_noise() -> None:
    assert scoring.calibration_noise([0.0, 1.0], seed=1, draws=10) == (0.0, 0.0)


def test_spiegelhalter_is_standard_normal_for_calibrated_forecasts() -> None:
    rng = np.random.Generator(np.random.PCG64(4))
    found = []
    for _ in range(2_000):
        p = rng.uniform(0.02, 0.98, 100)
        found.append(scoring.spiegelhalter_z(p, rng.random(100) < p))
    assert np.mean(found) == pytest.approx(0, abs=0.07)
    assert np.std(found) == pytest.approx(1, abs=0.05)


@settings(max_examples=10)
@given(slope=st.floats(0.4, 2.0), intercept=st.floats(-0.5, 0.5), seed=st.integers(0, 99))
def test_the_calibration_line_is_found_within_its_errors(slope, intercept, seed) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    p = rng.uniform(0.05, 0.95, 5_000)
    y = (rng.random(p.size) < from_log_odds(slope * log_odds(p) + intercept)).astype(float)
    found = scoring.calibration_line(p, y)
    assert abs(found.slope - slope) < 4.5 * found.slope_error < 0.4
    assert abs(found.intercept - intercept) < 4.5 * found.intercept_error < 0.3


def test_the_errors_of_the_line_are_those_of_many_samples() -> None:
    rng = np.random.Generator(np.random.PCG64(8))
    p = rng.uniform(0.05, 0.95, 400)
    lines = [scoring.calibration_line(p, (rng.random(p.size) < p) * 1.0) for _ in range(300)]
    slopes = np.array([line.slope for line in lines])
    stated = np.mean([line.slope_error for line in lines])
    assert slopes.std() == pytest.approx(stated, rel=0.15)


def test_what_cannot_be_told_is_no_number() -> None:
    assert math.isnan(scoring.brier_skill(0.1, 0.0))
    assert math.isnan(scoring.spiegelhalter_z([0.5, 0.5], [0, 1]))
    assert scoring.brier_index(0.25) == pytest.approx(50)


@pytest.mark.parametrize(
    "call",
    [
        lambda: scoring.brier([], []),
        lambda: scoring.brier([0.5, 1.5], [0, 1]),
        lambda: scoring.brier([0.5, math.nan], [0, 1]),
        lambda: scoring.brier([0.5, 0.5], [0, 2]),
        lambda: scoring.brier([0.5, 0.5], [1]),
        lambda: scoring.log_loss([0.5, 1.0], [0, 1]),
        lambda: scoring.murphy([0.5, -0.1], [0, 1]),
        lambda: scoring.calibration_error([[0.5]], [[1]]),
        lambda: scoring.calibration_noise([1.5], seed=1),
        lambda: scoring.calibration_line([0.2, 0.4], [1, 1]),
        lambda: scoring.calibration_line([0.2, 0.4, 0.6], [0, 0, 1]),
        lambda: scoring.brier_index(-0.1),
    ],
)
def test_what_cannot_be_scored_is_refused(call) -> None:
    with pytest.raises(DataError):
        call()
