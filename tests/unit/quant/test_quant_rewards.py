"""Rewards, rebates and the depth that earns most, against the reference and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.errors import DataError
from polyframe.quant.rewards import (
    best_depth,
    income_a_day,
    maker_rebate,
    reward_points,
    reward_score,
    reward_share,
)


def test_rewards_agree_with_the_reference(vectors) -> None:
    group = vectors["liquidity_rewards"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        if "s_cents" in row:
            found = reward_score(row["s_cents"], row["v_cents"], row["b"])
            assert found == pytest.approx(out["S"], abs=group["tolerance"])
            continue
        points = reward_points(
            row["mid"], row["v_cents"] / 100, row["min_size"], row["yes_bids"], row["yes_asks"],
            row["no_bids"], row["no_asks"],
        )  # fmt: skip
        wanted = (out["Q_one"], out["Q_two"], out["Q_min"])
        assert points == pytest.approx(wanted, abs=group["tolerance"])


def test_rebates_agree_with_the_reference(vectors) -> None:
    group = vectors["maker_rebate"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        p = row["price"]
        own = row["my_maker_shares"] * row["rate"] * p * (1 - p)
        total = row["total_fee_equivalent_in_market"]
        assert own == pytest.approx(out["my_fee_equivalent"], abs=group["tolerance"])
        found = maker_rebate(own, total, row["rebate_share"] * total)
        assert found == pytest.approx(out["rebate"], abs=1e-9)


def test_the_best_depth_agrees_with_the_reference(vectors) -> None:
    group = vectors["mm_spread_with_rewards"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        base = (row["A_per_s"], row["k_per_usd"], row["adverse_usd"], row["rebate_usd"])
        if "size" not in row:
            assert best_depth(*base) == pytest.approx(
                (out["delta_star"], out["pnl_rate_per_s_one_side"]), abs=group["tolerance"]
            )
            continue
        grid = np.arange(0.0, 0.06 + 1e-12, 1e-4)
        earned = [
            income_a_day(
                d, row["size"], *base, row["reward_pool_per_day"], row["max_spread_usd"],
                row["others_qmin"],
            )
            for d in grid
        ]  # fmt: skip
        best = int(np.argmax(earned))
        assert grid[best] == pytest.approx(out["delta_star_grid"], abs=1e-4)
        assert earned[best] == pytest.approx(out["usd_per_day"], rel=1e-5)


@given(
    k=st.floats(5, 200), adverse=st.floats(0, 0.03), rebate=st.floats(0, 0.01),
    a=st.floats(0.001, 1),
)  # fmt: skip
def test_no_depth_earns_more_than_the_best(k, adverse, rebate, a) -> None:
    found = best_depth(a, k, adverse, rebate)
    for d in np.linspace(0, 0.3, 400):
        assert a * np.exp(-k * d) * (d - adverse + rebate) <= found.income + 1e-12


def test_small_orders_and_those_beyond_the_mid_earn_nothing() -> None:
    assert reward_points(0.5, 0.03, 100, [(0.49, 99)], []).one == 0
    assert reward_points(0.5, 0.03, 100, [(0.51, 100)], []).one == 0


def test_one_side_alone_counts_a_third_near_the_middle_and_nothing_at_the_ends() -> None:
    assert reward_points(0.5, 0.03, 1, [(0.49, 90)], []).least == pytest.approx(90 * 4 / 27)
    assert reward_points(0.95, 0.03, 1, [(0.94, 90)], []).least == 0


def test_without_points_there_is_no_share() -> None:
    assert reward_share(0, 0) == 0
    assert reward_share(1, 3) == 0.25


def test_a_part_greater_than_its_whole_is_refused() -> None:
    with pytest.raises(DataError, match="in a total of"):
        maker_rebate(2.0, 1.0, 10.0)
