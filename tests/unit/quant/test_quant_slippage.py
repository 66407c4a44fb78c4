"""The slippage model: exact fits against every corner, coverage on books that were walked."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyframe.errors import DataError
from polyframe.quant.execution import walk_book
from polyframe.quant.slippage import (
    Circumstances,
    Slippage,
    circumstances,
    fit_slippage,
    quantile_fit,
)


def loss(x, y, b, quantile):
    rest = y - x @ b
    return float(np.where(rest > 0, quantile * rest, (quantile - 1) * rest).sum())


def least(x, y, quantile):
    """The least loss over all corners: every choice of rows met and coefficients at 0."""
    n, k = x.shape
    found = loss(x, y, np.zeros(k), quantile)
    for m in range(1, k + 1):
        for columns in itertools.combinations(range(k), m):
            for rows in itertools.combinations(range(n), m):
                part = x[np.ix_(rows, columns)]
                if abs(np.linalg.det(part)) < 1e-9:
                    continue
                b = np.zeros(k)
                b[list(columns)] = np.linalg.solve(part, y[list(rows)])
                if (b >= -1e-12).all():
                    found = min(found, loss(x, y, b, quantile))
    return found


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 9), st.integers(1, 4), st.floats(0.05, 0.95))
def test_the_fit_has_the_least_loss_of_all_corners(seed, n, k, quantile) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 6, (n, k)) / 5.0  # ties and zeros, as prices on a grid make them
    y = rng.integers(-3, 8, n) / 4.0
    found = quantile_fit(x, y, quantile)
    assert (found >= 0).all()
    assert loss(x, y, found, quantile) == pytest.approx(least(x, y, quantile), abs=1e-8)


def test_equal_data_give_equal_fits_in_any_unit() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.random((400, 4)), rng.random(400)
    found = quantile_fit(x, y, 0.8)
    assert found.tolist() == quantile_fit(x.copy(), y.copy(), 0.8).tolist()
    assert quantile_fit(x * [1, 10, 100, 1000], 5 * y, 0.8) == pytest.approx(
        5 * found / [1, 10, 100, 1000], rel=1e-6, abs=1e-12
    )


def test_what_never_occurred_costs_nothing() -> None:
    rows = [Circumstances(0.01 * (i % 5 + 1), 0.1 * (i % 7), 0.0, 0.0) for i in range(50)]
    found = fit_slippage(rows, [0.5 * row.spread for row in rows])
    assert (found.volume, found.gap) == (0.0, 0.0)
    assert found.spread == pytest.approx(0.5)
    assert found.quantile == 0.8
    assert fit_slippage(rows, np.zeros(50)).predict(rows[3]) == 0.0


def book(rng: random.Random) -> tuple[list[tuple[float, float]], float]:
    """The asks and the best bid of a book: a cent's tick, sizes of all kinds, a gap at times."""
    bid = rng.randrange(20, 70) / 100
    price = bid + rng.choice((1, 1, 1, 2, 3, 5)) / 100
    asks = []
    while len(asks) < 12:
        asks.append((price, rng.uniform(20, 400)))
        price += rng.choice((1,) * 12 + (2, 6)) / 100
    return asks, bid


def walked(seed: int, count: int) -> tuple[list[Circumstances], list[float]]:
    """Orders of random size on random books, with what they cost beyond the mid."""
    rng = random.Random(seed)
    rows, costs = [], []
    for _ in range(count):
        asks, bid = book(rng)
        shares = rng.uniform(5, 900)
        volume = rng.uniform(500, 50_000)
        rows.append(circumstances(asks, bid, shares, 0.01, volume=volume))
        costs.append(walk_book(asks, shares, 0.5 * (bid + asks[0][0])).slippage)
    return rows, costs


@pytest.mark.parametrize("quantile", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_quantile_covers_its_share_out_of_sample(quantile, seed) -> None:
    model = fit_slippage(*walked(seed, 800), quantile)
    rows, costs = walked(seed + 100, 4_000)
    covered = np.mean([cost <= model.predict(row) for row, cost in zip(rows, costs, strict=True)])
    # Three standard errors of 800 fills and of 4,000 more.
    room = 3 * (quantile * (1 - quantile) * (1 / 800 + 1 / 4_000)) ** 0.5
    assert covered == pytest.approx(quantile, abs=room)


def test_the_fit_tells_dear_orders_from_cheap_ones() -> None:
    rows, costs = walked(7, 1_500)
    model = fit_slippage(rows, costs)
    said = np.array([model.predict(row) for row in rows])
    flat = np.quantile(costs, 0.8)
    own = loss(said[:, None], np.array(costs), np.ones(1), 0.8)
    assert own < 0.75 * loss(np.full((len(costs), 1), flat), np.array(costs), np.ones(1), 0.8)
    assert min(model[:3]) >= 0
    assert model.depth > 0


def test_circumstances_of_a_book() -> None:
    asks = [(0.52, 300.0), (0.53, 500.0), (0.60, 1000.0)]
    assert circumstances(asks, 0.51, 100, 0.01) == pytest.approx((0.01, 0.125, 0.0, 0.0))
    # Two cents reach to 0.54; the third level is met over a gap of seven ticks.
    assert circumstances(asks, 0.51, 801, 0.01) == pytest.approx((0.01, 801 / 800, 0.0, 1.0))
    assert circumstances(asks, 0.51, 800, 0.01).gap == 0.0
    assert circumstances(asks, 0.51, 801, 0.025).gap == 0.0
    assert circumstances(asks, 0.51, 100, 0.01, volume=4_000).volume == pytest.approx(0.025)


def test_exactly_three_ticks_are_no_gap() -> None:
    assert circumstances([(0.50, 1.0), (0.53, 9.0)], 0.49, 5, 0.01).gap == 0.0
    assert circumstances([(0.50, 1.0), (0.54, 9.0)], 0.49, 5, 0.01).gap == 1.0


@given(
    st.floats(0, 0.5), st.floats(0, 5), st.floats(0, 1), st.sampled_from((0.0, 1.0)),
    st.floats(0, 5),
)  # fmt: skip
def test_more_of_anything_never_costs_less(spread, depth, volume, gap, more) -> None:
    model = Slippage(0.5, 0.02, 0.3, 0.01)
    met = Circumstances(spread, depth, volume, gap)
    for name in Circumstances._fields:
        worse = met._replace(**{name: getattr(met, name) + more})
        assert model.predict(worse) >= model.predict(met)


@pytest.mark.parametrize(
    ("rows", "costs", "quantile", "message"),
    [
        ([Circumstances(0.01, 0.1, 0, 0)] * 19, [0.01] * 19, 0.8, "19 fills"),
        ([Circumstances(0.01, 0.1, 0, 0)] * 30, [0.01] * 29, 0.8, "costs"),
        ([Circumstances(-0.01, 0.1, 0, 0)] * 30, [0.01] * 30, 0.8, "fill 0"),
        ([Circumstances(0.01, 0.1, 0, 0)] * 30, [float("nan")] * 30, 0.8, "fill 0"),
        ([Circumstances(0.01, 0.1, 0, 0)] * 30, [0.01] * 30, 1.0, "quantile 1.0"),
    ],
)
def test_bad_fills_are_refused(rows, costs, quantile, message) -> None:
    with pytest.raises(DataError, match=message):
        fit_slippage(rows, costs, quantile)


def test_a_book_without_sizes_says_nothing() -> None:
    for asks in ([], [(0.5, 0.0)]):
        with pytest.raises(DataError, match="without sizes"):
            circumstances(asks, 0.4, 5, 0.01)
