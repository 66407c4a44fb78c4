"""Bets that walk a book or push a price, against fine searches."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.errors import DataError
from polyframe.quant.depth_kelly import NOTHING, kelly_linear_impact, kelly_order_book
from polyframe.quant.sizing import buy_cost, kelly_fraction

P = st.floats(0.02, 0.98)
CENT = st.integers(2, 97)


@st.composite
def books(draw):
    cents = sorted(draw(st.sets(CENT, min_size=1, max_size=6)))
    return [(c / 100, draw(st.floats(0.5, 3_000))) for c in cents]


def cost_of(book, shares, rate):
    """What the first ``shares`` of a book cost, by walking it."""
    total = 0.0
    for price, size in book:
        taken = min(shares, size)
        total, shares = total + taken * buy_cost(price, rate), shares - taken
    return total


def test_walks_agree_with_the_reference(vectors) -> None:
    group = vectors["kelly_order_book"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        found = kelly_order_book(
            row["q"],
            row["cash"],
            [(price, size) for price, size in row["asks"]],
            row["fee_rate"],
            held=row["held_yes"],
            held_other=row["held_no"],
            fraction=row["fraction"],
        )
        wanted = (out["shares"], out["cost_incl_fee"], out["vwap_incl_fee"])
        assert found[:3] == pytest.approx(wanted, rel=group["tolerance"])


def test_impact_agrees_with_the_reference(vectors) -> None:
    group = vectors["kelly_linear_impact"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        found = kelly_linear_impact(row["q"], row["wealth"], row["p0"], row["impact_per_share"])
        wanted = (out["shares"], out["avg_price"], out["marginal_price"])
        assert (found.shares, found.average, found.marginal) == pytest.approx(
            wanted, rel=group["tolerance"]
        )


@given(
    q=P,
    book=books(),
    cash=st.floats(1, 5_000),
    rate=st.sampled_from([0.0, 0.04, 0.07]),
    held=st.floats(0, 2_000),
    held_other=st.floats(0, 2_000),
    fraction=st.sampled_from([0.1, 0.25, 1.0]),
)
def test_no_other_number_of_shares_is_better(
    q, book, cash, rate, held, held_other, fraction
) -> None:
    found = kelly_order_book(
        q, cash, book, rate, held=held, held_other=held_other, fraction=fraction
    )

    def utility(shares: float) -> float:
        cost = cost_of(book, shares, rate)
        lose, win = fraction * cash + held_other - cost, fraction * cash + held + shares - cost
        if cost > cash + 1e-9 or lose <= 0 or win <= 0:
            return -math.inf
        return q * math.log(win) + (1 - q) * math.log(lose)

    assert found.cost == pytest.approx(cost_of(book, found.shares, rate))
    assert found.cost <= cash * (1 + 1e-12)
    deep = sum(size for _, size in book)
    for shares in np.linspace(0, deep, 401):
        assert utility(found.shares) >= utility(float(shares)) - 1e-10


@given(q=P, price=CENT, cash=st.floats(1, 1e6), fraction=st.floats(0.05, 1))
def test_a_flat_book_gives_the_plain_fraction(q, price, cash, fraction) -> None:
    c = price / 100
    found = kelly_order_book(q, cash, [(c, 1e12)], fraction=fraction)
    assert found.cost == pytest.approx(fraction * kelly_fraction(q, c) * cash, abs=1e-9 * cash)


@given(q=P, book=books(), cash=st.floats(1, 5_000), held=st.floats(0, 500))
def test_who_has_shares_buys_fewer(q, book, cash, held) -> None:
    with_shares = kelly_order_book(q, cash, book, held=held)
    assert with_shares.shares <= kelly_order_book(q, cash, book).shares + 1e-9


@given(q=P, book=books(), cash=st.floats(1, 5_000))
def test_nothing_dearer_than_the_belief_is_bought(q, book, cash) -> None:
    found = kelly_order_book(q, cash, book, 0.04)
    assert found.marginal <= q
    assert (found == NOTHING) == (buy_cost(book[0][0], 0.04) >= q)


@given(
    q=P,
    wealth=st.floats(1, 1e6),
    price=st.floats(0.01, 0.99),
    impact=st.floats(1e-8, 0.1),
)
def test_no_other_size_against_impact_is_better(q, wealth, price, impact) -> None:
    found = kelly_linear_impact(q, wealth, price, impact)

    def utility(x: float) -> float:
        left = wealth - price * x - impact * x * x / 2
        return q * math.log(left + x) + (1 - q) * math.log(left) if left > 0 else -math.inf

    for factor in (0.0, 0.5, 0.9, 0.99, 0.999, 1.001, 1.01, 1.1, 2.0):
        assert utility(found.shares) >= utility(found.shares * factor) - 1e-9
    for x in np.linspace(0, wealth / price, 101):
        assert utility(found.shares) >= utility(float(x)) - 1e-9


@given(q=P, wealth=st.floats(1, 1e6), price=st.floats(0.01, 0.99))
def test_without_impact_the_plain_fraction_is_left(q, wealth, price) -> None:
    found = kelly_linear_impact(q, wealth, price, 0.0)
    assert found.cost == pytest.approx(kelly_fraction(q, price) * wealth, abs=1e-9 * wealth)


def test_a_sure_thing_takes_all_there_is() -> None:
    assert kelly_order_book(1.0, 100.0, [(0.5, 50.0), (0.8, 1e9)]).cost == pytest.approx(100)
    assert kelly_linear_impact(1.0, 100.0, 0.5, 0.0).cost == pytest.approx(100)
    assert kelly_order_book(0.6, 10.0, [(0.0, 5.0), (0.5, 0.0), (0.9, 1.0)]).shares == 5.0
    assert kelly_linear_impact(0.5, 100.0, 0.0, 0.01).marginal <= 0.5


@pytest.mark.parametrize(
    "call",
    [
        lambda: kelly_order_book(0.6, 100, [(0.5, 1), (0.4, 1)]),
        lambda: kelly_order_book(0.6, 100, [(1.2, 1)]),
        lambda: kelly_order_book(0.6, 100, [(math.nan, 1)]),
        lambda: kelly_order_book(0.6, 100, [(0.5, -1)]),
        lambda: kelly_order_book(1.6, 100, [(0.5, 1)]),
        lambda: kelly_order_book(0.6, -100, [(0.5, 1)]),
        lambda: kelly_order_book(0.6, 100, [(0.5, 1)], held=math.inf),
        lambda: kelly_order_book(0.6, 100, [(0.5, 1)], fraction=0),
        lambda: kelly_linear_impact(0.6, 100, 1.5, 0.1),
        lambda: kelly_linear_impact(0.6, 100, 0.5, -0.1),
        lambda: kelly_linear_impact(0.6, 100, 0.0, 0.0),
    ],
)
def test_a_book_that_is_none_is_refused(call) -> None:
    with pytest.raises(DataError):
        call()
