"""Whole columns of amounts and times as exact texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from polyframe.domain.units import MONEY_DECIMALS, format_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


def amounts(values: Ints, decimals: int = MONEY_DECIMALS) -> list[str]:
    """Exact decimal texts, as :func:`polyframe.domain.units.format_units` gives them.

    Shapes: (n,). Units: 10**-decimals.
    """
    distinct, place = np.unique(values, return_inverse=True)
    one = 10**decimals
    texts = []
    for value in distinct.tolist():
        whole, part = divmod(abs(value), one)
        text = f"{whole}.{part:0{decimals}d}".rstrip("0") if part else str(whole)
        texts.append(f"-{text}" if value < 0 else text)
    return np.array(texts, dtype=object)[place].tolist() if texts else []


def mixed_amounts(values: Ints, decimals: Ints) -> list[str]:
    """As :func:`amounts` with decimals of its own for each row. Shapes: (n,) twice."""
    kinds = np.unique(decimals).tolist()
    if len(kinds) == 1:
        return amounts(values, kinds[0])
    pairs = zip(values.tolist(), decimals.tolist(), strict=True)
    return [format_units(value, places) for value, places in pairs]


def moments(ts: Ints) -> list[str]:
    """Times as ISO 8601 UTC texts, to the microsecond. Shapes: (n,). Units: ns."""
    distinct, place = np.unique(ts, return_inverse=True)
    texts = np.datetime_as_string((distinct // 1000).astype("datetime64[us]"), unit="us").tolist()
    short = np.array([text.removesuffix(".000000") + "Z" for text in texts], dtype=object)
    return short[place].tolist() if texts else []


def some(count: int, what: str) -> str:
    """A count of things in words: 1 market, 2 markets."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
