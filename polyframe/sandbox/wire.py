"""Numbers and times as the CLOB writes them: decimals without trailing zeros, ms and s as text."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from polyframe.domain.units import MILLISECOND, SECOND
from polyframe.sandbox.venue.records import PRICE_ONE, SHARE_ONE


def _plain(value: int, decimals: int) -> str:
    sign, digits = ("-", -value) if value < 0 else ("", value)
    whole, part = divmod(digits, 10**decimals)
    if not part:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{part:0{decimals}d}".rstrip("0")


@lru_cache(maxsize=PRICE_ONE + 1)
def price_text(price: int) -> str:
    """A price, from ten-thousandths."""
    return _plain(price, 4)


@lru_cache(maxsize=1 << 16)
def size_text(size: int) -> str:
    """Shares or money, from millionths."""
    return _plain(size, 6)


def price_number(price: int) -> float:
    """A price where the venue sends a JSON number."""
    return price / PRICE_ONE


def size_number(size: int) -> float | int:
    """Shares or money where the venue sends a JSON number."""
    whole, part = divmod(size, SHARE_ONE)
    return size / SHARE_ONE if part else whole


def ms(at: int) -> str:
    """A time in ms, as text."""
    return str(at // MILLISECOND)


def seconds(at: int) -> int:
    """A time in whole seconds."""
    return at // SECOND


def iso(at: int) -> str:
    """A time as the venue's RFC 3339 text."""
    moment = datetime.fromtimestamp(at // SECOND, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def half_text(doubled: int) -> str:
    """Half of a price, which may lie between two ten-thousandths."""
    return _plain(doubled * 5, 5)
