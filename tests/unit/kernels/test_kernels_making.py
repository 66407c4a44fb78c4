"""Formulas of market making in compiled code against those of quant, and against plain twins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe import seen
from polyframe.kernels import making_nb as nb
from polyframe.kernels import sight_nb as sn
from polyframe.quant import execution, reservation, rewards

near = pytest.approx
inner = st.floats(0.01, 0.99)
held = st.floats(-300.0, 300.0)
aversion = st.floats(0.001, 10.0)
sigma = st.floats(0.0, 0.01)
decay = st.floats(10.0, 5_000.0)
span = st.floats(1.0, 7_200.0)


@given(inner, held, aversion, sigma, span, decay)
def test_avellaneda_and_stoikov(p, q, g, v, t, k) -> None:
    half, skew = nb.horizon_depths(g, v, t, k)
    found = reservation.avellaneda_stoikov(p, q, g, v, t, k)
    assert (p - q * skew, half) == near((found.reservation, found.half_spread))
    assert nb.spread_term(g, k) == near(math.log(1.0 + g / k) / g, rel=1e-6)


@given(held, aversion, sigma, st.floats(0.0001, 10.0), decay, st.floats(1.0, 500.0))
def test_gueant_lehalle_and_fernandez_tapia(q, g, v, a, k, n) -> None:
    half, skew = nb.endless_depths(g, v, a, k, n)
    found = reservation.glft(q, g, v, a, k, size=n)
    assert (half, skew) == near((found.half_spread, found.skew))


@given(inner, held, st.floats(1.0, 1_000.0))
def test_inventory_held_to_resolution(p, q, loss) -> None:
    g = nb.aversion_for(p, loss)
    assert g == near(reservation.aversion_for(p, loss))
    assert nb.resolution_price(p, q, g) == near(reservation.resolution_reservation(p, q, g))
    assert nb.probability_of(nb.log_odds_of(p)) == near(p)


@given(st.floats(0.0, 0.2), st.floats(0.0, 0.2), st.floats(1.0, 500.0), st.floats(0.0, 1.0),
       decay, st.floats(0.0, 0.05), st.floats(0.0, 0.01), st.floats(0.0, 500.0),
       st.floats(0.0, 1e5))  # fmt: skip
def test_income_and_points(depth, most, n, a, k, cost, rebate, pool, others) -> None:
    found = nb.income_a_day(depth, n, a, k, cost, rebate, pool, most, others)
    expected = rewards.income_a_day(depth, n, a, k, cost, rebate, pool, most, others)
    assert found == near(expected)
    if most > 0.0:
        assert nb.points_a_share(depth, most) == near(rewards.reward_score(depth, most))
    else:
        assert nb.points_a_share(depth, most) == 0.0


@given(inner, st.floats(0.0, 0.2), st.floats(0.0, 1e4), st.floats(0.0, 1e4))
def test_the_microprice(bid, spread, bids, asks) -> None:
    found = nb.weighted_mid(bid, bids, bid + spread, asks)
    if bids + asks > 0.0:
        assert found == near(execution.microprice(bid, bids, bid + spread, asks).microprice)
    else:
        assert found == near(bid + spread / 2)


def test_what_time_leaves_and_what_a_trend_is() -> None:
    assert nb.left_of(0.0, 60.0) == 1.0
    assert nb.left_of(120.0, 60.0) == 0.25
    # sqrt(300 / ln 2 / 2) = 14.71 times the volatility is usual.
    assert nb.trend_of(0.52, 0.50, 0.001, 300.0) == near(0.02 / 0.014711, rel=1e-4)
    assert nb.trend_of(0.52, 0.50, 0.0, 300.0) == 0.0


def test_a_random_walk_is_one_deviation_from_its_average() -> None:
    rng = np.random.default_rng(3)
    walk, slow, left = np.cumsum(rng.normal(0.0, 1.0, 400_000)), 0.0, nb.left_of(1.0, 100.0)
    away = np.empty_like(walk)
    for n, x in enumerate(walk):
        slow = left * slow + (1.0 - left) * x
        away[n] = nb.trend_of(x, slow, 1.0, 100.0)
    assert float(np.sqrt((away[1_000:] ** 2).mean())) == near(1.0, abs=0.05)


# ---- what is read out of what is seen ------------------------------------------------------------


def levels(*rows: tuple[float, float, float, float]) -> np.ndarray:
    sight = np.zeros(seen.SEEN_SIZE_OF)
    for k, row in enumerate(rows):
        sight[seen.LEVELS + 4 * k : seen.LEVELS + 4 * k + 4] = row
    return sight


def test_depth_and_rivals_are_sums_over_the_visible_levels() -> None:
    sight = levels((0.49, 100.0, 0.51, 50.0), (0.47, 30.0, 0.0, 0.0))
    sight[seen.REWARD_SPREAD] = 0.02
    assert (sn.near_depth(sight, 0), sn.near_depth(sight, 1)) == (130.0, 50.0)
    # A cent of two away: a quarter of a point a share; the empty levels have none.
    assert sn.rival_points(sight, 0.50) == near(50.0 / 4)


class Twin:
    """Markouts the plain way: a list of fills, whoever is due is counted."""

    def __init__(self) -> None:
        self.before, self.sums, self.waiting = [0.0, 0.0], [0.0] * 4, []

    def look(self, now, totals, horizon, keep, mid, unit) -> None:
        self.sums = [value * keep for value in self.sums]
        for k in range(2):
            filled, self.before[k] = totals[k] - self.before[k], totals[k]
            if filled > 0.0:
                self.due(now + math.inf if len(self.waiting) == sn.ROWS else -math.inf, mid, unit)
                self.waiting.append((now + horizon, mid, k, filled * unit))
        while self.waiting and self.waiting[0][0] <= now:
            self.due(math.inf, mid, unit)

    def due(self, upto, mid, unit) -> None:
        if self.waiting and self.waiting[0][0] <= upto:
            _, then, k, size = self.waiting.pop(0)
            self.sums[2 * k] += size * (then - mid if k == 0 else mid - then) / unit
            self.sums[2 * k + 1] += size


STEPS = st.tuples(st.floats(0.1, 90.0), st.integers(0, 3), st.integers(0, 3), inner)


@given(
    st.lists(STEPS, max_size=60), st.sampled_from([1.0, 20.0, 300.0]), st.sampled_from([1.0, 50.0])
)
def test_markouts_of_own_fills(steps, horizon, unit) -> None:
    sight, own, twin, now = np.zeros(seen.SEEN_SIZE_OF), np.zeros(seen.OWN_SIZE_OF), Twin(), 1e9
    at, totals = 5, [0.0, 0.0]
    for gone, bought, sold, mid in steps:
        now += gone
        totals = [totals[0] + bought, totals[1] + sold]
        sight[seen.NOW], sight[seen.OWN_BOUGHT], sight[seen.OWN_SOLD] = now, *totals
        sn.note_fills(sight, own, at, horizon, 0.9, mid * unit, unit)
        twin.look(now, totals, horizon, 0.9, mid * unit, unit)
        assert own[at + 2 : at + 6].tolist() == near(twin.sums)
        assert int(own[at + sn.PENDING]) == len(twin.waiting)
    assert not own[:at].any()
    assert not own[at + sn.FILLS_SIZE_OF :].any()
