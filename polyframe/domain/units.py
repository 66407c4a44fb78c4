"""Integers for money, prices and sizes, and the only rounding in polyframe.

Units:
    money   int, 1e-6 of the account's currency (``MONEY_DECIMALS`` = 6)
    price   int, 10**-price_decimals of the market (Polymarket: 4, so 0.6125 is 6125)
    size    int, 10**-size_decimals of the market (Polymarket: 6, so 1 share is 1_000_000)
    prob    float in (0, 1); probabilities are opinions, never money
    time    int, nanoseconds since 1970-01-01 UTC

Rounding is always against us: what we pay is rounded up, what we receive down. The one exception
is the venue's own fee rule, which is stated where it stands.
"""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from functools import cache
from typing import TypeAlias

from polyframe.errors import DataError

Money: TypeAlias = int
Price: TypeAlias = int
Size: TypeAlias = int
Ns: TypeAlias = int

MONEY_DECIMALS = 6
MONEY_ONE: Money = 10**MONEY_DECIMALS
PAYOUT_ONE = 1_000_000
"""A share that pays in full pays ``PAYOUT_ONE`` millionths of one currency unit."""

INT64_SAFE = 2**62
"""A market whose greatest price x greatest size reaches this is refused at load."""

SECOND: Ns = 1_000_000_000
MINUTE: Ns = 60 * SECOND
HOUR: Ns = 60 * MINUTE
DAY: Ns = 24 * HOUR
MILLISECOND: Ns = 1_000_000


INT64_MOST = 2**63 - 1
"""No amount is greater: arrays and stored records hold 64 bits."""

# Python's default context rounds to 28 digits without a word; here a lost digit is an error.
_EXACT = Context(prec=100, traps=[InvalidOperation, Inexact, Overflow])


def ceil_div(a: int, b: int) -> int:
    """``a / b`` rounded towards plus infinity (b > 0)."""
    return -((-a) // b)


def to_units(value: object, decimals: int, *, name: str = "value") -> int:
    """The exact integer for a decimal text, int, Decimal or float.

    Raises:
        DataError: no finite number, one beyond 64 bits, or one with more decimals than the unit
            can hold.
    """
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(str(value))
    except InvalidOperation:
        raise DataError(f"{name} {value!r} is no number", expected="a decimal number") from None
    if not number.is_finite():
        raise DataError(f"{name} {value!r} is not finite", expected="a finite decimal number")
    if number and number.adjusted() + decimals > len(str(INT64_MOST)):
        raise DataError(f"{name} {value} is too large", expected="an amount that fits 64 bits")
    try:
        units = int(number.scaleb(decimals, _EXACT).to_integral_exact(context=_EXACT))
    except (Inexact, InvalidOperation):
        raise DataError(
            f"{name} {value} has more than {decimals} decimals",
            expected=f"a multiple of {Decimal(1).scaleb(-decimals):f}",
        ) from None
    if abs(units) > INT64_MOST:
        raise DataError(f"{name} {value} is too large", expected="an amount that fits 64 bits")
    return units


def format_units(units: int, decimals: int) -> str:
    """The exact decimal text of an integer amount, without trailing zeros: 6100 at 4 -> '0.61'."""
    text = f"{Decimal(units).scaleb(-decimals):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(value: object, *, name: str = "amount") -> Money:
    """Exact money from a decimal text or number: ``money("12.5") == 12_500_000``."""
    return to_units(value, MONEY_DECIMALS, name=name)


@cache
def money_divisor(price_decimals: int, size_decimals: int) -> int:
    """What price x size must be divided by to become money."""
    exponent = price_decimals + size_decimals - MONEY_DECIMALS
    if exponent < 0:
        raise DataError(
            f"price decimals {price_decimals} + size decimals {size_decimals} are below "
            f"{MONEY_DECIMALS}",
            expected="price and size decimals that can express one unit of money",
        )
    return int(10**exponent)


def cost_of(price: Price, size: Size, divisor: int) -> Money:
    """What a buyer pays for size at price, rounded up."""
    return ceil_div(price * size, divisor)


def proceeds_of(price: Price, size: Size, divisor: int) -> Money:
    """What a seller receives for size at price, rounded down."""
    return (price * size) // divisor


def payout_of(payout: int, size: Size, size_decimals: int) -> Money:
    """What ``size`` shares pay at ``payout`` millionths a share, rounded down."""
    return (payout * size) // int(10**size_decimals)


FEE_STEP: Money = 10
"""Fees are charged in steps of 0.00001 currency units."""

RATE_ONE = 1_000_000
"""Fee rates are ints in millionths: 0.04 is 40_000."""


def notional_fee(price: Price, size: Size, rate: int, divisor: int) -> Money:
    """A share of what is traded, rounded up."""
    return ceil_div(price * size * rate, divisor * RATE_ONE)


def taker_fee(
    price: Price, size: Size, rate: int, exponent: int, price_one: int, divisor: int
) -> Money:
    """The venue's taker fee: shares x rate x (p x (1 - p))**exponent, half up to 0.00001.

    With exponent 0 it is a share of what is traded.
    The venue does not publish its rounding mode; half up agrees with every recorded case.

    Source: docs.polymarket.com/trading/fees.
    """
    if rate == 0 or size == 0:
        return 0
    if exponent == 0:
        return notional_fee(price, size, rate, divisor)
    curve = int((price * (price_one - price)) ** exponent)
    # shares in money units per 1.0 price: size * price_one / divisor; kept as one exact fraction.
    numerator = size * price_one * rate * curve
    denominator = divisor * RATE_ONE * int((price_one * price_one) ** exponent) * FEE_STEP
    return ((2 * numerator + denominator) // (2 * denominator)) * FEE_STEP


def floor_to(value: int, step: int) -> int:
    """The greatest multiple of step that is not above value."""
    return (value // step) * step


def ceil_to(value: int, step: int) -> int:
    """The smallest multiple of step that is not below value."""
    return ceil_div(value, step) * step


def probability_to_price(probability: float, price_decimals: int) -> Price:
    """A probability as the nearest price, for display and comparison only, never for money."""
    return round(probability * float(10**price_decimals))
