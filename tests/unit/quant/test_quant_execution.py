"""Costs of an order on a book and schedules, against the reference."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.errors import DataError
from polyframe.quant.execution import almgren_chriss, microprice, walk_book


def test_walking_a_book_agrees_with_the_reference(vectors) -> None:
    group = vectors["walk_book"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        found = walk_book(row["asks"], row["shares"], row["mid"], row["fee_rate"])
        assert found == pytest.approx(
            (out["filled"], out["vwap"], out["slippage_vs_mid"], out["fee"], out["all_in"]),
            abs=group["tolerance"],
        )


def test_schedules_agree_with_the_reference(vectors) -> None:
    group = vectors["almgren_chriss_schedule"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        found = almgren_chriss(row["X"], row["T"], row["N"], row["kappa"])
        assert found.holdings == pytest.approx(out["holdings"], abs=1e-6)
        assert found.parts == pytest.approx(out["child"], abs=1e-6)


def test_the_microprice_agrees_with_the_reference(vectors) -> None:
    group = vectors["microprice"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        found = microprice(row["bid"], row["bid_size"], row["ask"], row["ask_size"])
        assert found == pytest.approx(
            (out["mid"], out["microprice"], out["imbalance"]), abs=group["tolerance"]
        )


@given(
    shares=st.floats(1, 1e6), parts=st.integers(1, 40), urgency=st.floats(0, 50),
)  # fmt: skip
def test_the_parts_of_a_schedule_are_the_whole_and_never_grow(shares, parts, urgency) -> None:
    found = almgren_chriss(shares, 10.0, parts, urgency)
    assert sum(found.parts) == pytest.approx(shares)
    assert all(a >= b - 1e-6 * shares for a, b in zip(found.parts, found.parts[1:], strict=False))


def test_what_a_book_does_not_hold_stays_unfilled() -> None:
    assert walk_book([(0.5, 10)], 25, 0.49).filled == 10
    assert walk_book([], 25, 0.49).filled == 0


def test_unsorted_asks_are_refused() -> None:
    with pytest.raises(DataError, match="cheapest first"):
        walk_book([(0.5, 1), (0.4, 1)], 2, 0.4)


def test_a_book_without_sizes_has_no_microprice() -> None:
    with pytest.raises(DataError, match="without sizes"):
        microprice(0.4, 0, 0.5, 0)
