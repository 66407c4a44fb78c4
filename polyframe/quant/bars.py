"""Timeframes, longer bars out of shorter ones, and longer bars as they were known at shorter ones.

Shapes: frames of one market's bars, one row a bar, indexed by the bar's last nanosecond (UTC),
    ascending; columns open, high, low, close, volume.
Units: prices as fractions of 1, volume in shares.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from polyframe.domain.units import DAY, HOUR, MINUTE, Ns
from polyframe.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

COLUMNS = ("open", "high", "low", "close", "volume")
"""The columns of a frame of bars."""

_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY}
_FORM = re.compile(r"([1-9]\d{0,4})([mhd])")


def timeframe_ns(timeframe: str) -> Ns:
    """The length of a timeframe such as 1m, 5m, 1h or 1d.

    Shapes: scalar. Units: ns.

    Raises:
        DataError: it is no timeframe.
    """
    match = _FORM.fullmatch(timeframe) if isinstance(timeframe, str) else None
    if match is None:
        raise DataError(
            f"timeframe {timeframe!r} is none",
            expected="a number and m, h or d: 1m, 5m, 15m, 1h, 4h, 1d",
        )
    return int(match[1]) * _UNITS[match[2]]


def timeframe_text(interval: Ns) -> str:
    """A length as a timeframe: 60_000_000_000 is 1m.

    Shapes: scalar. Units: ns.
    """
    for unit in ("d", "h", "m"):
        if interval % _UNITS[unit] == 0:
            return f"{interval // _UNITS[unit]}{unit}"
    return f"{interval / 1e9:g}s"


def resample(bars: DataFrame, timeframe: str) -> DataFrame:
    """Bars of a longer timeframe. One that had not ended at the last row is left out.

    Intervals begin at multiples of their length since 1970-01-01 UTC; one without a bar has none.

    Shapes: bars (n, >= 4) with at least open, high, low and close; result (<= n, 4 or 5).
    Units: as the bars.

    Raises:
        DataError: it is no timeframe, or these are no bars.
    """
    import pandas as pd  # noqa: PLC0415 - heavy

    interval = timeframe_ns(timeframe)
    last = _times(bars, "bars")
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    made = (
        bars[[name for name in COLUMNS if name in bars]]
        .groupby(last // interval, sort=True)
        .agg({name: rule for name, rule in rules.items() if name in bars})
    )
    ends = (made.index.to_numpy(np.int64) + 1) * interval - 1
    made.index = pd.DatetimeIndex(pd.to_datetime(ends, unit="ns", utc=True), name=bars.index.name)
    whole: DataFrame = made[ends <= last[-1]] if len(last) else made
    return whole


def as_known(bars: DataFrame, longer: DataFrame) -> DataFrame:
    """For each bar the newest longer bar that had ended by then: the longer frame's columns.

    Rows before the first longer bar's end have missing values.

    Shapes: bars (n, .), longer (k, c); result (n, c), indexed as the bars. Units: as the longer.

    Raises:
        DataError: one of the two is no frame of bars.
    """
    _times(bars, "bars")
    _times(longer, "longer bars")
    found: DataFrame = longer.reindex(bars.index, method="ffill")
    return found


def _times(bars: DataFrame, what: str) -> NDArray[np.int64]:
    """The rows' last nanoseconds, checked."""
    import pandas as pd  # noqa: PLC0415 - heavy

    index = bars.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None:
        raise DataError(
            f"{what} are indexed by {type(index).__name__}",
            expected="times with a time zone, the last moment of each bar, as features() gets them",
        )
    if not index.is_monotonic_increasing or not index.is_unique:
        raise DataError(f"{what} are not in ascending time", expected="one row a bar, oldest first")
    last: NDArray[np.int64] = index.as_unit("ns").asi8
    return last
