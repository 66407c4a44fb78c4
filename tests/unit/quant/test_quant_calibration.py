"""Calibration: reference vectors, brute force, recovery of known bends, and refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyframe.errors import DataError
from polyframe.quant.calibration import (
    Beta,
    Platt,
    beta_fit,
    isotonic_fit,
    isotonic_pava,
    platt_apply,
    platt_by_group,
    platt_fit,
)
from polyframe.quant.rows import from_log_odds, log_odds


def bent(n, seed, slope=0.5, intercept=0.3):
    """Forecasts whose true chances lie on a line of their log-odds."""
    rng = np.random.Generator(np.random.PCG64(seed))
    p = rng.uniform(0.02, 0.98, n)
    chance = from_log_odds(slope * log_odds(p) + intercept)
    return p, (rng.random(n) < chance).astype(float)


def test_applying_a_line_agrees_with_the_reference(vectors) -> None:
    group = vectors["platt_apply"]
    for case in group["cases"]:
        row = case["in"]
        found = platt_apply(row["p"], row["a"], row["b"])
        assert found == pytest.approx(case["out"]["p"], abs=group["tolerance"])
        assert Platt(row["a"], row["b"]).apply([row["p"]])[0] == pytest.approx(found, abs=1e-14)


def test_lines_agree_with_the_reference(vectors) -> None:
    group = vectors["platt_fit"]
    for case in group["cases"]:
        p, y, out = case["in"]["p"], case["in"]["y"], case["out"]
        ways = {
            "mle": platt_fit(p, y, penalty=0.0),
            "platt_smoothed_targets": platt_fit(p, y, penalty=0.0, smoothed=True),
            "ridge_to_identity_lambda10": platt_fit(p, y),
        }
        for name, found in ways.items():
            wanted = (out[name]["a"], out[name]["b"])
            assert found[:2] == pytest.approx(wanted, abs=group["tolerance"]), name
        for name, way in (("mle", "mle"), ("ridge", "ridge_to_identity_lambda10")):
            calibrated = ways[way].apply([0.7])[0]
            assert calibrated == pytest.approx(
                out[f"calibrated_0.7_{name}"], abs=group["tolerance"]
            )


def test_pooled_violators_agree_with_the_reference(vectors) -> None:
    group = vectors["isotonic_pava"]
    for case in group["cases"]:
        found = isotonic_pava(case["in"]["y_sorted_by_p"])
        assert found == pytest.approx(np.array(case["out"]["fitted"]), abs=group["tolerance"])


def test_beta_calibration_agrees_with_the_reference(vectors) -> None:
    group = vectors["beta_calibration_fit"]
    for case in group["cases"]:
        found = beta_fit(case["in"]["p"], case["in"]["y"], minimum=2)
        wanted = [case["out"][k] for k in "abc"]
        assert found[:3] == pytest.approx(wanted, abs=group["tolerance"])


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), n=st.integers(8, 80), penalty=st.floats(0.5, 50))
def test_no_other_line_is_likelier(seed, n, penalty) -> None:
    p, y = bent(n, seed)
    if y.min() == y.max():
        return

    def worth(a, b):
        x = a * log_odds(p) + b
        fit = np.sum(y * x - np.logaddexp(0, x), axis=-1)
        return fit - penalty / 2 * ((a - 1) ** 2 + b**2)[..., 0]

    found = platt_fit(p, y, penalty=penalty)
    top = worth(np.array([found.slope]), np.array([found.intercept]))
    lines = np.meshgrid(np.linspace(-1, 3, 41), np.linspace(-2, 2, 41))
    others = worth(*(values.reshape(-1, 1) for values in lines))
    assert others.shape == (41 * 41,)
    assert (others <= top + 1e-9).all()


def test_a_known_bend_is_found_again() -> None:
    p, y = bent(50_000, 1)
    assert platt_fit(p, y)[:2] == pytest.approx((0.5, 0.3), abs=0.03)
    beta = beta_fit(p, y)
    assert beta[:3] == pytest.approx((0.5, 0.5, 0.3), abs=0.06)
    grid = np.linspace(0.05, 0.95, 19)
    truth = from_log_odds(0.5 * log_odds(grid) + 0.3)
    for fit in (platt_fit(p, y), beta, isotonic_fit(p, y)):
        assert fit.apply(grid) == pytest.approx(truth, abs=0.04)


def test_separable_rows_need_the_ridge() -> None:
    p, y = [0.1, 0.3, 0.6, 0.9], [0, 0, 1, 1]
    with pytest.raises(DataError, match=r"do not determine(.|\n)*penalty above 0"):
        platt_fit(p, y, penalty=0.0)
    found = platt_fit(p, y)
    assert 1.0 < found.slope < 2.0


def test_a_few_rows_change_little() -> None:
    assert platt_fit([0.9, 0.1], [0, 1], penalty=20.0).slope > 0.5


@given(a=st.floats(0.1, 3), b=st.floats(-2, 2), p=st.floats(0.01, 0.99), q=st.floats(0.01, 0.99))
def test_rising_calibrations_keep_the_order(a, b, p, q) -> None:
    low, high = sorted((p, q))
    for fit in (Platt(a, b), Beta(a, a / 2, b)):
        found = fit.apply([low, high])
        assert found[0] <= found[1]


def test_beta_keeps_both_exponents_from_going_negative() -> None:
    """Forecasts that rank backwards near 0: the free fit turns a negative, the bounded does not."""
    rng = np.random.Generator(np.random.PCG64(7))
    p = rng.uniform(0.01, 0.99, 4_000)
    chance = np.where(p < 0.3, 0.5 - p, 0.2 + 0.7 * (p - 0.3))
    y = (rng.random(p.size) < chance).astype(float)
    found = beta_fit(p, y)
    assert found.a == 0.0
    assert found.b > 0.0

    def worth(a, b, c):
        x = a * np.log(p) - b * np.log1p(-p) + c
        return float(np.sum(y * x - np.logaddexp(0, x)))

    top = worth(*found[:3])
    for a in np.linspace(0, 1, 11):
        for b in np.linspace(0, 2, 21):
            for c in np.linspace(-2, 2, 21):
                assert worth(a, b, c) <= top + 1e-9


def test_backward_forecasts_become_a_constant() -> None:
    p, y = bent(3_000, 2, slope=-1.0, intercept=0.0)
    found = beta_fit(p, y)
    assert (found.a, found.b) == (0.0, 0.0)
    assert found.apply([0.1, 0.9]) == pytest.approx(float(y.mean()), abs=1e-9)


@given(
    rows=st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 3)), min_size=1, max_size=7),
)
def test_pooling_violators_is_the_min_max_of_means(rows) -> None:
    """The textbook formula: the greatest, over starts, of the least, over ends, mean."""
    y, w = (np.array(x) for x in zip(*rows, strict=True))
    n = y.size

    def mean(i, j):
        return float(np.average(y[i : j + 1], weights=w[i : j + 1]))

    slow = [max(min(mean(i, j) for j in range(k, n)) for i in range(k + 1)) for k in range(n)]
    assert isotonic_pava(y, w) == pytest.approx(np.array(slow), abs=1e-9)


def test_isotonic_steps_never_fall_and_never_promise_certainty() -> None:
    p, y = bent(1_500, 3)
    p = np.round(p, 2)
    found = isotonic_fit(p, y)
    curve = found.apply(np.linspace(0.001, 0.999, 500))
    assert np.all(np.diff(curve) >= -1e-12)
    assert curve.min() >= 1 / 1_502 - 1e-12
    assert curve.max() <= 1_501 / 1_502 + 1e-12
    assert len(found.raw) < 100
    # Dropping the inside of steps has lost nothing: at every point it is what pooling gives.
    points = np.unique(p)
    rates = np.array([y[p == point].mean() for point in points])
    pooled = isotonic_pava(rates, [float((p == point).sum()) for point in points])
    assert found.apply(points) == pytest.approx(np.clip(pooled, 1 / 1_502, 1_501 / 1_502))


def test_groups_are_shrunk_towards_all_and_small_ones_keep_the_pooled_line() -> None:
    sharp, blunt = bent(400, 4, 1.6, 0.0), bent(400, 5, 0.4, 0.0)
    few = bent(20, 6)
    p, y = (np.concatenate(parts) for parts in zip(sharp, blunt, few, strict=True))
    groups = ["sharp"] * 400 + ["blunt"] * 400 + ["few"] * 20
    found = platt_by_group(p, y, groups)
    assert set(found.groups) == {"sharp", "blunt"}
    assert found.line("few") == found.line("never seen") == found.pooled
    alone = platt_fit(*sharp, penalty=0.0).slope
    assert found.pooled.slope < found.line("sharp").slope < alone
    loose = platt_by_group(p, y, groups, group_penalty=0.01)
    tight = platt_by_group(p, y, groups, group_penalty=1e9)
    assert loose.line("sharp").slope == pytest.approx(alone, abs=0.01)
    assert tight.line("sharp").slope == pytest.approx(tight.pooled.slope, abs=1e-6)
    calibrated = found.apply([0.9, 0.9], ["sharp", "blunt"])
    assert calibrated[0] > 0.9 > calibrated[1]


def test_like_groups_are_pooled_harder_than_unlike_ones() -> None:
    groups = [name for name in "abcdef" for _ in range(300)]
    same = [bent(300, n, 0.8, 0.0) for n in range(6)]
    unlike = [bent(300, n, 0.2 + 0.4 * n, 0.0) for n in range(6)]
    chosen = [
        platt_by_group(*(np.concatenate(x) for x in zip(*rows, strict=True)), groups).penalty
        for rows in (same, unlike)
    ]
    assert chosen[0] > chosen[1]


def test_a_group_of_one_class_is_still_bounded() -> None:
    p, y = bent(300, 8)
    p, y = np.append(p, np.full(40, 0.6)), np.append(y, np.ones(40))
    found = platt_by_group(p, y, ["mixed"] * 300 + ["always"] * 40, group_penalty=10.0)
    assert 0.6 < found.apply([0.6], ["always"])[0] < 0.999


def test_rows_of_one_event_count_as_one_where_a_minimum_is_asked() -> None:
    p, y = bent(150, 9)
    copies = [np.repeat(x, 2) for x in (p, y)]
    assert beta_fit(*copies).rows == 300
    with pytest.raises(DataError, match="150 observations"):
        beta_fit(*copies, weights=np.full(300, 0.5))
    found = platt_by_group(*copies, ["a"] * 40 + ["b"] * 260, weights=np.full(300, 0.5))
    assert set(found.groups) == {"b"}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: platt_fit([0.3, 0.4], [1, 1]), "all 2 outcomes are 1"),
        (lambda: platt_fit([0.3, math.nan], [0, 1]), "nan in row 1"),
        (lambda: platt_fit([0.3, 1.0], [0, 1]), "1.0 in row 1"),
        (lambda: platt_fit([0.0, 0.4], [0, 1]), "0.0 in row 0"),
        (lambda: platt_fit([0.3, 0.4], [0, 0.5]), "0.5 in row 1"),
        (lambda: platt_fit([0.3, 0.4], [0]), "1 rows, not 2"),
        (lambda: platt_fit([], []), "shape"),
        (lambda: platt_fit([0.3, 0.4], [0, 1], penalty=-1.0), "negative"),
        (lambda: platt_fit([0.3, 0.4], [0, 1], penalty=math.nan), "negative"),
        (lambda: platt_fit([0.3, 0.4], [0, 1], weights=[1, -1]), "weight"),
        (lambda: platt_by_group([0.3, 0.4], [0, 1], ["a"]), "1 groups for 2"),
        (lambda: platt_by_group([0.3, 0.4], [0, 1], ["a", "b"]).apply([0.5], []), "0 groups"),
        (lambda: beta_fit(*bent(199, 1)), "199 observations"),
        (lambda: isotonic_fit(*bent(999, 1)), "999 observations"),
        (lambda: isotonic_pava([1.0, math.nan]), "nan"),
        (lambda: platt_apply(1.0, 1.0), "no log-odds"),
        (lambda: Platt().apply([0.5, 1.0]), "1.0 in row 1"),
    ],
)
def test_rows_that_teach_nothing_are_refused(call, says) -> None:
    with pytest.raises(DataError, match=says):
        call()
