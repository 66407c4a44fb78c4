"""What could have happened instead, held against slow and obvious counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.lab.montecarlo import (
    DRAWS,
    UNITS,
    Holdings,
    _falls,
    _units,
    band,
    events_anew,
    outcomes_anew,
    reshuffled,
    winners_missed,
)

RESULTS = st.lists(st.integers(-50, 50), min_size=2, max_size=40)


def deepest(results: list[float]) -> float:
    peak = total = fall = 0.0
    for result in results:
        total += result
        peak = max(peak, total)
        fall = max(fall, peak - total)
    return fall


def holdings(rows, *, exclusive=False, one_column=False) -> Holdings:
    """(pays, first, market, claimed, number) a row."""
    pays, first, market, claimed, number = (np.array(c) for c in zip(*rows, strict=True))
    column = np.zeros(len(rows), dtype=np.int64) if one_column else number.astype(np.int64)
    return Holdings(
        pays.astype(float), first.astype(bool), market.astype(float), claimed.astype(float),
        number.astype(np.int64), column, np.full(len(rows), exclusive),
    )  # fmt: skip


@given(RESULTS, st.integers(1, 40))
def test_blocks_keep_the_deepest_fall_of_the_path_they_cut(results, blocks) -> None:
    units = _units(np.array(results, dtype=float), blocks)
    found = _falls(np.arange(len(units[0]), dtype=np.int32)[None, :], units)[0]
    assert found == pytest.approx(deepest(results))


@given(RESULTS)
def test_a_fall_in_another_order_lies_between_the_least_and_the_sum_of_losses(results) -> None:
    found = reshuffled(np.array(results, dtype=float), 1, 200)
    losses = -sum(r for r in results if r < 0)
    assert found.actual == pytest.approx(deepest(results))
    assert max(-sum(results), 0) <= found.low + 1e-9
    assert found.high <= losses + 1e-9


def test_more_trades_than_units_are_moved_in_blocks_and_the_page_says_so() -> None:
    results = np.tile([1.0, -1.0], UNITS)
    found = reshuffled(results, 3, 50)
    assert found.actual == 1.0
    assert "blocks" in found.note


def test_events_drawn_anew_spread_as_theory_says() -> None:
    values = np.random.default_rng(0).normal(2.0, 5.0, 400)
    found = events_anew(values, seed=1)
    assert found.draws == DRAWS >= 5_000
    assert found.mean == pytest.approx(values.sum(), abs=6.0)
    width = 2 * 1.645 * values.std() * np.sqrt(400)
    assert found.high - found.low == pytest.approx(width, rel=0.1)


def test_the_same_seed_draws_the_same() -> None:
    values = np.arange(20.0)
    assert events_anew(values, 4, 300) == events_anew(values, 4, 300)
    assert events_anew(values, 4, 300) != events_anew(values, 5, 300)


def test_a_band_holds_the_path_it_was_made_from() -> None:
    steps = np.random.default_rng(2).normal(0.5, 1.0, (60, 10))
    paths = np.cumsum(steps, axis=1)
    low, high = band(paths, 1, 1_000)
    assert np.all(low < paths.sum(axis=0))
    assert np.all(high > paths.sum(axis=0))


def test_with_a_market_that_is_right_only_costs_are_left() -> None:
    rng = np.random.default_rng(5)
    rows = [(10.0, rng.random() < 0.5, rng.uniform(0.1, 0.9), 0.5, n) for n in range(200)]
    held = holdings(rows)
    fair = float(np.where(held.first, held.market, 1 - held.market) @ held.pays)
    market, _, _ = outcomes_anew(held, fair + 7.0, fair, seed=1)
    error = 10.0 * np.sqrt(200 * 0.25 / DRAWS)
    assert market.mean == pytest.approx(-7.0, abs=4 * error)


def test_several_purchases_of_one_market_each_keep_their_own_chance() -> None:
    """Bought YES at 0.2 and later NO at 0.6: the mean must not mix the two."""
    held = holdings([(1.0, True, 0.2, 0.2, 0), (1.0, False, 0.6, 0.6, 0)])
    market, _, _ = outcomes_anew(held, 0.0, 0.0, seed=1, draws=40_000)
    assert market.mean == pytest.approx(0.2 + 0.4, abs=0.01)


def test_at_most_one_market_of_an_exclusive_event_is_yes() -> None:
    held = holdings(
        [(1.0, True, p, p, n) for n, p in enumerate((0.3, 0.3, 0.4))],
        exclusive=True, one_column=True,
    )  # fmt: skip
    market, _, _ = outcomes_anew(held, 0.0, 1.0, seed=1)
    assert (market.low, market.high) == (1.0, 1.0)


def test_a_ladder_keeps_its_order() -> None:
    """Long the lower strike, short the higher: one of them always pays, never neither."""
    held = holdings([(1.0, True, 0.7, 0.7, 0), (1.0, False, 0.4, 0.4, 1)], one_column=True)
    market, _, _ = outcomes_anew(held, 0.0, 1.0, seed=1)
    assert market.low == 1.0
    assert market.mean == pytest.approx(1.3, abs=0.03)


@pytest.mark.parametrize(
    ("paid", "says"), [(30.0, "below both"), (55.0, "between the two: 50%"), (90.0, "above both")]
)
def test_the_result_is_placed_between_market_and_claims(paid, says) -> None:
    held = holdings([(1.0, True, 0.5, 0.6, n) for n in range(100)])
    market, claimed, between = outcomes_anew(held, 50.0, paid, seed=1)
    assert market.mean == pytest.approx(0.0, abs=0.4)
    assert claimed.mean == pytest.approx(10.0, abs=0.4)
    assert between.startswith(says[:11])


def test_an_unclaimed_purchase_is_a_reason_and_no_number() -> None:
    held = holdings([(1.0, True, 0.5, float("nan"), 0)])
    _, claimed, between = outcomes_anew(held, 0.5, 1.0, seed=1)
    assert claimed.draws == 0
    assert claimed.mean is None
    assert "1 of 1 purchases claimed no probability" in between


@pytest.mark.parametrize("won", [60, UNITS + 500])
def test_missing_winners_costs_a_tenth_of_the_gains_on_average(won) -> None:
    rng = np.random.default_rng(8)
    results = np.concatenate([rng.uniform(1, 5, won), -rng.uniform(1, 5, 80)])
    found = winners_missed(results, seed=1)
    gains = results[results > 0]
    spread = np.sqrt((gains**2).sum() * 0.1 * 0.9)
    assert found.actual == pytest.approx(results.sum())
    assert found.mean == pytest.approx(results.sum() - 0.1 * gains.sum(), abs=4 * spread / 70)
    assert found.high - found.low == pytest.approx(2 * 1.645 * spread, rel=0.1)
    assert winners_missed(-np.abs(results), seed=1).note == "no trade won"
