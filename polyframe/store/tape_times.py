"""Recorded times as nanoseconds; what is no time of these decades is refused with its unit."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from math import floor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.units import MILLISECOND, SECOND, Ns
from polyframe.errors import DataError

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

FACTOR = {"s": SECOND, "ms": MILLISECOND, "us": 1_000, "ns": 1}
NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
FIRST: Ns = 1_262_304_000 * SECOND
"""2010-01-01 UTC: no venue is older."""
END: Ns = 4_133_980_800 * SECOND
"""2101-01-01 UTC. Seconds taken for milliseconds, or milliseconds for nanoseconds, lie outside."""
NO_TIME = "no time"


def moments(file: Path, column: Any, name: str, unit: str, *, unsaid: bool = False) -> Any:
    """The times of an Arrow column in ns, and which rows have none.

    With ``unsaid`` a venue that does not tell its time may have written 0 or nothing: it is 0.

    Shapes: both results (n,). Units: ns.

    Raises:
        DataError: the column holds no numbers, or a time before 2010 or after 2100.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.compute as pc  # noqa: PLC0415 - with it

    kind = column.type
    if not (pa.types.is_null(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise DataError(
            f"{file}: column {name} holds {kind}", expected=_expected(unit),
            hint=f"write {name} as whole {NAMES[unit]} and import again",
        )  # fmt: skip
    missing: Mask = column.is_null().to_numpy().astype(np.bool_)
    filled = column.cast(pa.int64()) if pa.types.is_null(kind) else column
    raw = pc.fill_null(filled, 0).to_numpy()
    ns, lost = in_range(str(file), raw, name, unit, unsaid=unsaid, missing=missing)
    return ns, lost


def in_range(
    file: str, raw: NDArray[Any], name: str, unit: str, *, unsaid: bool = False,
    missing: Mask | None = None, first: int = 1, row: str = "row",
) -> tuple[Ints, Mask]:  # fmt: skip
    """The times of numbers in ns, 0 where there is none, and which have none.

    Shapes: raw, missing and both results (n,). ``first`` is the number of the first row.

    Raises:
        DataError: a time before 2010 or after 2100.
    """
    none = np.zeros(len(raw), np.bool_) if missing is None else missing
    if raw.dtype.kind == "f":
        raw = raw.astype(np.float64)
        none = none | np.isnan(raw)
        raw = np.where(none, 0.0, raw)
    factor = FACTOR[unit]
    outside = ~none & ((raw < FIRST // factor) | (raw >= END // factor))
    if unsaid:
        outside &= raw != 0
    if outside.any():
        at = int(np.argmax(outside))
        raise out_of_range(f"{file}: {name} of {row} {at + first}", raw[at].item(), unit)
    whole = np.where(none, 0, np.floor(raw)).astype(np.int64)
    ns = whole * factor
    if raw.dtype.kind == "f":
        ns += np.rint((np.where(none, 0.0, raw) - whole) * factor).astype(np.int64)
    return ns, np.zeros(len(raw), np.bool_) if unsaid else none


def moment(what: str, value: Decimal | int, unit: str) -> Ns:
    """One time in ns.

    Raises:
        DataError: it is before 2010 or after 2100.
    """
    factor = FACTOR[unit]
    if isinstance(value, Decimal) and not value.is_finite():
        raise out_of_range(what, value, unit)
    if not FIRST // factor <= value < END // factor:
        raise out_of_range(what, value, unit)
    return int(value * factor)


def out_of_range(what: str, value: Decimal | float, unit: str) -> DataError:
    """The error about a time that no recording of these decades has."""
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    others = [other for other in ("s", "ms", "us", "ns") if other != unit]
    read = "; ".join(f"as {NAMES[other]} {_date(number, other)}" for other in others)
    fits = next((u for u in others if _inside(number, u)), None)
    return DataError(
        f"{what} is {_plain(number)}: as {NAMES[unit]} {_date(number, unit)}; {read}",
        expected=_expected(unit),
        hint=f"it looks like {NAMES[fits]}: write it in {NAMES[unit]} and import again"
        if fits
        else "correct these rows or leave them out, and import again",
    )


def _expected(unit: str) -> str:
    return f"{NAMES[unit]} since 1970-01-01 UTC, from 2010 to 2100"


def _inside(number: Decimal, unit: str) -> bool:
    small = number.is_finite() and number.adjusted() < 30
    return small and FIRST <= number * FACTOR[unit] < END


def _plain(number: Decimal) -> str:
    return f"{number:f}" if number.is_finite() and abs(number.adjusted()) < 30 else str(number)


def _date(number: Decimal, unit: str) -> str:
    try:
        seconds = floor(number * FACTOR[unit] / SECOND)
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError, ArithmeticError):
        return "no date"
