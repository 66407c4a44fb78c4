"""The compiled bookings against the exact rules of the domain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from polyframe.domain import units
from polyframe.domain.orders import Side
from polyframe.domain.portfolio import Holding, book_fill
from polyframe.kernels import booking_nb as nb

ONE, DIVISOR = 10_000, 10_000
PRICES = st.integers(1, ONE - 1)
SIZES = st.integers(1, 10**13)


@given(PRICES, SIZES)
def test_costs_are_rounded_up_and_proceeds_down(price, size):
    assert nb.cost_of(price, size, DIVISOR) == units.cost_of(price, size, DIVISOR)
    assert nb.proceeds_of(price, size, DIVISOR) == units.proceeds_of(price, size, DIVISOR)


@given(PRICES, SIZES, st.integers(0, 700_000), st.sampled_from([1, 2]))
def test_the_fee_is_the_venue_s_to_the_step(price, size, rate, exponent):
    assert nb.fits(10**13, ONE, DIVISOR, rate, exponent)
    exact = units.taker_fee(price, size, rate, exponent, ONE, DIVISOR)
    assert nb.taker_fee(price, size, rate, exponent, ONE, DIVISOR) == exact


@given(st.data(), st.integers(1, 4), st.integers(4, 6), st.sampled_from([1, 2]))
def test_fees_are_exact_wherever_they_fit(data, price_decimals, size_decimals, exponent):
    one = 10**price_decimals
    if price_decimals + size_decimals < units.MONEY_DECIMALS:
        return
    divisor = units.money_divisor(price_decimals, size_decimals)
    most = data.draw(st.integers(1, nb.MOST_SIZE))
    rate = data.draw(st.integers(0, 1_000_000))
    if not nb.fits(most, one, divisor, rate, exponent):
        return
    for price, size in [(one // 2, most), (data.draw(st.integers(0, one)), most)]:
        exact = units.taker_fee(price, size, rate, exponent, one, divisor)
        assert nb.taker_fee(price, size, rate, exponent, one, divisor) == exact


@example(50, 7, 20)
@given(st.integers(1, ONE // 100 - 1), st.integers(1, 9_999), st.integers(0, 40))
def test_the_squared_fee_rounds_a_half_up(cents, thousandths, away):
    # Sizes around those at which the exact fee ends in half a step.
    price, rate = cents * 100, 250_000
    step = price * price * (ONE - price) * (ONE - price) * rate
    size = max((10**15 * 10**8 * (2 * thousandths + 1)) // (2 * step) - 20 + away, 1)
    exact = units.taker_fee(price, size, rate, 2, ONE, DIVISOR)
    assert nb.taker_fee(price, size, rate, 2, ONE, DIVISOR) == exact


@given(
    st.integers(0, nb.MOST_SIZE - 1),
    st.integers(0, nb.MOST_FACTOR - 1),
    st.integers(2**14, nb.MOST_DIVISOR - 1),
)
def test_long_division_rounds_half_up(size, factor, divisor):
    exact = (2 * size * factor + divisor) // (2 * divisor)
    if exact < 2**62:
        assert nb.rounded_ratio(size, factor, divisor) == exact


@given(st.integers(1, 10**13), st.integers(0, 10**13), st.data())
def test_a_sale_takes_its_share_of_the_cost(shares, cost, data):
    size = data.draw(st.integers(1, shares))
    exact = cost if size == shares else cost * size // shares
    assert nb.cost_share(shares, cost, size) == exact


@given(st.lists(st.tuples(st.booleans(), PRICES, st.integers(1, 10**10), st.integers(0, 10**6))))
def test_a_run_of_fills_books_like_the_portfolio(fills):
    held = np.zeros(nb.H_SIZE_OF, np.int64)
    exact = Holding()
    for buys, price, wanted, fee in fills:
        side = Side.BUY if buys else Side.SELL
        size = wanted if buys else min(wanted, exact.shares)
        if size == 0:
            continue
        booked = book_fill(exact, side, price, size, fee, DIVISOR)
        exact = booked.holding
        assert nb.book_fill(held, int(side), price, size, fee, DIVISOR) == booked.cash
        assert tuple(held) == tuple(exact)


@pytest.mark.parametrize(
    ("size", "one", "divisor", "rate", "exponent"),
    [
        (10**13, ONE, DIVISOR, 1_000_000, 2),
        (10**13, ONE, DIVISOR, 70_000, 3),
        (10**15, ONE, DIVISOR, 70_000, 1),
        (10**13, 10**8, 10**8, 70_000, 1),
    ],
)
def test_a_market_beyond_64_bits_is_told(size, one, divisor, rate, exponent):
    assert not nb.fits(size, one, divisor, rate, exponent)
