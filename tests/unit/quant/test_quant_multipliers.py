"""What scales and caps a stake."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.errors import DataError
from polyframe.quant.multipliers import (
    CATEGORY,
    CONFIDENCE,
    REGIME,
    TIMELINE,
    capped_stake,
    drawdown_heat,
    drawdown_heat_linear,
    graded,
    scaled_fraction,
    timeline_multiplier,
    volatility_multiplier,
)


@pytest.mark.parametrize(
    ("drawdown", "heat"),
    [(0.0, 1), (0.0999, 1), (0.10, 0.5), (0.1499, 0.5), (0.15, 0.25), (0.20, 0), (0.9, 0)],
)
def test_heat_falls_by_steps(drawdown, heat) -> None:
    assert drawdown_heat(drawdown) == heat


@given(a=st.floats(0, 1), b=st.floats(0, 1))
def test_a_deeper_drawdown_never_bets_more(a, b) -> None:
    shallow, deep = sorted((a, b))
    for heat in (drawdown_heat, drawdown_heat_linear):
        assert 0 <= heat(deep) <= heat(shallow) <= 1


def test_linear_heat_is_a_straight_line() -> None:
    assert [drawdown_heat_linear(d) for d in (0.0, 0.05, 0.1, 0.2, 0.5)] == pytest.approx(
        [1, 0.75, 0.5, 0, 0]
    )


def test_grades_give_what_their_tables_say() -> None:
    assert [graded("confidence", g, CONFIDENCE) for g in ("low", "medium", "HIGH")] == [
        0.5,
        0.75,
        1.0,
    ]
    assert sorted(set(CATEGORY.values())) == [0.5, 0.75, 1.0]
    assert (min(REGIME.values()), max(REGIME.values())) == (0.5, 1.0)
    with pytest.raises(DataError, match=r"confidence 'certain' is unknown(.|\n)*LOW, MEDIUM, HIGH"):
        graded("confidence", "certain", CONFIDENCE)


@given(days=st.floats(0, 10_000))
def test_the_timeline_stays_between_its_knots(days) -> None:
    assert 0.5 <= timeline_multiplier(days) <= 1.3


def test_the_timeline_meets_its_knots_and_is_flat_outside() -> None:
    for days, multiplier in TIMELINE:
        assert timeline_multiplier(days) == pytest.approx(multiplier)
    assert timeline_multiplier(0.0) == timeline_multiplier(0.5) == 0.5
    assert timeline_multiplier(1e6) == 0.5
    assert timeline_multiplier(math.sqrt(7 * 30)) == pytest.approx(1.15)


@given(realised=st.floats(0, 10), target=st.floats(0.001, 10))
def test_volatility_is_scaled_to_its_target(realised, target) -> None:
    found = volatility_multiplier(realised, target)
    assert 0.25 <= found <= 1.0
    if 0.25 < found < 1.0:
        assert found * realised == pytest.approx(target)


@given(kelly=st.floats(0, 1), factors=st.lists(st.floats(0, 1.3), max_size=6))
def test_a_fraction_is_the_product_of_its_factors(kelly, factors) -> None:
    found = scaled_fraction(kelly, factors)
    assert found == pytest.approx(min(1.0, 0.25 * kelly * math.prod(factors)))
    assert scaled_fraction(kelly, [*factors, 0.0]) == 0.0


@pytest.mark.parametrize(
    ("stake", "equity", "liquidity", "wanted"),
    [
        (10, 1_000, 10_000, (10, "")),
        (60, 10_000, 10_000, (50, "per market")),
        (60, 900, 10_000, (45, "of equity")),
        (60, 10_000, 200, (10, "of liquidity")),
        (60, 10_000, 0, (0, "of liquidity")),
    ],
)
def test_the_tightest_cap_binds_and_is_named(stake, equity, liquidity, wanted) -> None:
    found = capped_stake(stake, equity=equity, liquidity=liquidity, per_market=50)
    assert found == wanted


@pytest.mark.parametrize(
    "call",
    [
        lambda: drawdown_heat(-0.1),
        lambda: drawdown_heat(math.nan),
        lambda: drawdown_heat_linear(0.1, 0.0),
        lambda: timeline_multiplier(-1),
        lambda: volatility_multiplier(math.nan, 1.0),
        lambda: volatility_multiplier(1.0, 0.0),
        lambda: volatility_multiplier(1.0, 1.0, 2.0, 1.0),
        lambda: scaled_fraction(1.5, []),
        lambda: scaled_fraction(0.5, [-1.0]),
        lambda: scaled_fraction(0.5, [math.nan]),
        lambda: capped_stake(math.nan, equity=1, liquidity=1, per_market=1),
        lambda: capped_stake(1, equity=-1, liquidity=1, per_market=1),
    ],
)
def test_what_makes_no_sense_is_refused(call) -> None:
    with pytest.raises(DataError):
        call()
