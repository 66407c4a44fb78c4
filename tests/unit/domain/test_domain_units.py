from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.domain import units
from polyframe.errors import DataError

DECIMALS = st.sampled_from([(4, 6), (2, 6), (6, 6), (3, 3), (8, 5)])
PRICES = st.integers(0, 10_000)
SIZES = st.integers(0, 10**13)


def exact(value: int, decimals: int) -> Decimal:
    return Decimal(value).scaleb(-decimals)


@given(price=PRICES, size=SIZES, decimals=DECIMALS)
def test_what_we_pay_is_rounded_up_and_what_we_get_down(
    price: int, size: int, decimals: tuple[int, int]
) -> None:
    divisor = units.money_divisor(*decimals)
    true = exact(price, decimals[0]) * exact(size, decimals[1])
    step = Decimal("0.000001")
    assert exact(units.cost_of(price, size, divisor), 6) == true.quantize(step, ROUND_CEILING)
    assert exact(units.proceeds_of(price, size, divisor), 6) == true.quantize(step, ROUND_FLOOR)


@given(price=PRICES, size=SIZES)
def test_buying_and_selling_at_one_price_never_earns(price: int, size: int) -> None:
    divisor = units.money_divisor(4, 6)
    lost = units.cost_of(price, size, divisor) - units.proceeds_of(price, size, divisor)
    assert lost in (0, 1)


@given(payout=st.integers(0, units.PAYOUT_ONE), size=SIZES, decimals=st.integers(0, 8))
def test_payouts_are_rounded_down(payout: int, size: int, decimals: int) -> None:
    true = exact(payout, 6) * exact(size, decimals)
    paid = exact(units.payout_of(payout, size, decimals), 6)
    assert paid == true.quantize(Decimal("0.000001"), ROUND_FLOOR)


@given(a=st.integers(-(10**20), 10**20), b=st.integers(1, 10**10))
def test_ceil_div_is_the_least_integer_not_below(a: int, b: int) -> None:
    q = units.ceil_div(a, b)
    assert (q - 1) * b < a <= q * b


@given(value=st.integers(-(10**15), 10**15), step=st.integers(1, 10**6))
def test_steps_below_and_above_enclose_a_value(value: int, step: int) -> None:
    low, high = units.floor_to(value, step), units.ceil_to(value, step)
    assert low <= value <= high
    assert low % step == high % step == 0
    assert high - low in (0, step)


@given(value=st.integers(-units.INT64_MOST, units.INT64_MOST), decimals=st.integers(0, 18))
def test_text_and_integer_are_the_same_amount(value: int, decimals: int) -> None:
    text = units.format_units(value, decimals)
    assert units.to_units(text, decimals) == value
    assert "e" not in text.lower()
    assert "." not in text or not text.endswith((".", "0"))


@given(value=st.decimals(allow_nan=False, allow_infinity=False), decimals=st.integers(0, 8))
def test_an_amount_is_taken_exactly_or_refused(value: Decimal, decimals: int) -> None:
    true = Fraction(value) * 10**decimals
    try:
        taken = units.to_units(str(value), decimals)
    except DataError:
        assert true.denominator != 1 or abs(true) > units.INT64_MOST
    else:
        assert taken == true


@pytest.mark.parametrize(
    "value",
    [
        "abc",
        "",
        None,
        True,
        "nan",
        float("inf"),
        "-Infinity",
        "0.0000001",
        1e-7,
        "0.1000000000000000000000000000001",
        "1e999999",
        "1e-999999",
        "9223372036854.775808",
    ],
)
def test_what_is_no_exact_amount_is_refused_by_name(value: object) -> None:
    with pytest.raises(DataError, match=r"^stake "):
        units.to_units(value, 6, name="stake")


@pytest.mark.parametrize(
    ("value", "amount"),
    [("12.5", 12_500_000), (0.1, 100_000), (3, 3_000_000), ("-0", 0), (Decimal("1e-6"), 1)],
)
def test_money_reads_decimal_text_and_numbers(value: object, amount: int) -> None:
    assert units.money(value) == amount


def test_decimals_that_cannot_hold_a_unit_of_money_are_refused() -> None:
    assert units.money_divisor(4, 6) == 10_000
    with pytest.raises(DataError, match="price decimals 2"):
        units.money_divisor(2, 3)


# ---- the taker fee -----------------------------------------------------------------------------


@given(price=PRICES, size=SIZES, rate=st.integers(0, 100_000), exponent=st.integers(1, 3))
def test_the_fee_is_the_curve_half_up_to_five_decimals(
    price: int, size: int, rate: int, exponent: int
) -> None:
    p = exact(price, 4)
    true = exact(size, 6) * exact(rate, 6) * (p * (1 - p)) ** exponent
    fee = units.taker_fee(price, size, rate, exponent, 10_000, 10_000)
    assert exact(fee, 6) == true.quantize(Decimal("0.00001"), ROUND_HALF_UP)


@given(price=PRICES, size=SIZES, rate=st.integers(0, 100_000))
def test_the_fee_is_the_same_for_yes_and_no(price: int, size: int, rate: int) -> None:
    fee = units.taker_fee(price, size, rate, 1, 10_000, 10_000)
    assert fee == units.taker_fee(10_000 - price, size, rate, 1, 10_000, 10_000) >= 0


def test_the_fee_agrees_with_the_reference(vectors: dict) -> None:
    cases = vectors["fee_curve"]["cases"]
    assert len(cases) >= 5
    for case in cases:
        given_, out = case["in"], case["out"]
        price = units.to_units(given_["price"], 4)
        size = units.to_units(given_["shares"], 6)
        fee = units.taker_fee(price, size, units.to_units(given_["rate"], 6), 1, 10_000, 10_000)
        assert fee == units.money(repr(out["fee_usdc"]))


@given(p=st.floats(0, 1))
def test_a_probability_is_shown_as_the_nearest_price(p: float) -> None:
    assert abs(units.probability_to_price(p, 4) / 10_000 - p) <= 0.5e-4 + 1e-12
