"""Whether ``features()`` looks ahead: cut the bars and see what changes in rows that were there.

A value that changes when later rows are taken away was made of them. What changes when earlier rows
are taken away depends on where the history begins: then ``startup_bars`` says how much is enough.

Source: the two checks are freqtrade's lookahead-analysis and recursive-analysis; here every row is
compared, not only those that traded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.errors import PluginError

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Features = Callable[["DataFrame"], "DataFrame"]
Frames = Mapping[str, "DataFrame"]

RESERVED = ("enter", "exit", "wake")
GIVEN = ("open", "high", "low", "close", "volume")
TOLERANCE = 1e-9
"""relative: an online sum may differ in its last bits, a leak does not hide there"""
LEAST_BARS = 8


class Example(NamedTuple):
    """The first row found in which a column differs."""

    market: str
    ts: str
    whole: str
    cut: str


@dataclass
class Leak:
    """One column that changes when later rows are taken away."""

    column: str
    changed: int = 0
    rows: int = 0
    first: Example | None = None

    @property
    def reserved(self) -> bool:
        """True when the column decides about trades."""
        return self.column in RESERVED


@dataclass
class Truncation:
    """What cutting at random rows showed."""

    cuts: int = 0
    markets: int = 0
    columns: tuple[str, ...] = ()
    leaks: list[Leak] = field(default_factory=list)
    unstable: tuple[str, ...] = ()
    """columns that two calls on the same bars answer differently"""
    remembering: tuple[str, ...] = ()
    """columns that depend on which markets were computed before"""
    overwritten: tuple[str, ...] = ()
    """given columns that came back changed"""

    @property
    def clean(self) -> bool:
        """True when nothing was found."""
        return not (self.leaks or self.unstable or self.remembering or self.overwritten)


class Length(NamedTuple):
    """How far values lie off with so many bars of history, at worst over the rows looked at."""

    bars: int
    off: dict[str, float]
    """relative difference by column, 0.001 is a tenth of a percent"""
    signals: int
    """signals that differ"""


@dataclass
class Recursion:
    """How much history the features need."""

    rows: int = 0
    declared: int = 0
    lengths: list[Length] = field(default_factory=list)
    enough: int | None = None
    """the shortest history looked at from which on every value is close enough"""


def truncation(
    features: Features, frames: Frames, *, cuts: int, rng: np.random.Generator, startup: int = 0
) -> Truncation:
    """Cuts each market's bars at random rows and compares all that was there before.

    Raises:
        PluginError: there is nothing to compare, or the answer is no frame over the same rows.
    """
    found = Truncation()
    leaks: dict[str, Leak] = {}
    usable = {id: bars for id, bars in frames.items() if len(bars) >= LEAST_BARS}
    if not usable:
        longest = max((len(bars) for bars in frames.values()), default=0)
        raise PluginError(
            f"no market has {LEAST_BARS} bars, the longest has {longest}",
            expected="bars enough to cut",
            hint="a longer --timerange, or a shorter timeframe",
        )
    wholes = {id: _asked(features, bars) for id, bars in usable.items()}
    _check_calls(features, usable, wholes, found)
    ids = list(usable)
    for k in range(cuts):
        id = ids[k % len(ids)]
        bars = usable[id]
        low = min(max(startup, 1), len(bars) - 2)
        row = int(rng.integers(low, len(bars) - 1))
        part = _asked(features, bars.iloc[: row + 1])
        _compare(id, wholes[id].iloc[: row + 1], part, leaks)
    found.cuts, found.markets = cuts, min(len(ids), cuts)
    found.columns = _added(next(iter(wholes.values())))
    found.leaks = sorted(leaks.values(), key=lambda leak: (not leak.reserved, leak.column))
    return found


def _check_calls(features: Features, frames: Frames, wholes: Frames, found: Truncation) -> None:
    """Calls everything once more, the other way round: the answers must be the same."""
    again: set[str] = set()
    remembered: set[str] = set()
    overwritten: set[str] = set()
    for id in reversed(list(frames)):
        first, second = _asked(features, frames[id]), _asked(features, frames[id])
        again.update(_differing(first, second))
        remembered.update(_differing(wholes[id], first))
        overwritten.update(
            name
            for name in GIVEN
            if name in frames[id] and _rows_off(frames[id][name], first[name]).size
        )
    found.unstable = tuple(sorted(again))
    found.remembering = tuple(sorted(remembered - again))
    found.overwritten = tuple(sorted(overwritten))


def recursion(
    features: Features,
    frames: Frames,
    *,
    startup: int,
    rows: int,
    rng: np.random.Generator,
    tolerance: float = 0.001,
) -> Recursion:
    """Values of random rows with a short history beside those with the whole one."""
    found = Recursion(declared=startup)
    longest = max((len(bars) for bars in frames.values()), default=0)
    base = max(startup, 1)
    lengths = [n for n in _doubling(base, longest // 2) if n <= longest - 1]
    if not lengths:
        return found
    reach = lengths[-1]
    picks = [
        (id, int(row))
        for id, bars in frames.items()
        if len(bars) > reach + 1
        for row in rng.integers(reach, len(bars), size=max(1, rows // max(1, len(frames))))
    ][:rows]
    wholes = {id: _asked(features, frames[id]) for id in {id for id, _ in picks}}
    found.rows = len(picks)
    for n in lengths:
        found.lengths.append(_length(features, frames, wholes, picks, n))
    for length in reversed(found.lengths):
        if length.signals or any(off > tolerance for off in length.off.values()):
            break
        found.enough = length.bars
    return found


def _length(
    features: Features,
    frames: Frames,
    wholes: Frames,
    picks: Sequence[tuple[str, int]],
    bars: int,
) -> Length:
    off: dict[str, float] = {}
    signals = 0
    for id, row in picks:
        whole = wholes[id].iloc[row]
        short = _asked(features, frames[id].iloc[row - bars + 1 : row + 1]).iloc[-1]
        for name in _added(wholes[id]):
            if name in RESERVED:
                signals += bool(whole[name]) != bool(short[name])
            else:
                off[name] = max(off.get(name, 0.0), _off(whole[name], short[name]))
    return Length(bars, off, signals)


def _doubling(base: int, most: int) -> list[int]:
    lengths = [base]
    while lengths[-1] * 2 <= most:
        lengths.append(lengths[-1] * 2)
    return lengths


def _off(whole: object, short: object) -> float:
    """The relative difference of two values; one missing where the other stands is all of it."""
    a, b = _number(whole), _number(short)
    if np.isnan(a) and np.isnan(b):
        return 0.0
    if np.isnan(a) or np.isnan(b):
        return 1.0
    if a == b:
        return 0.0
    return float(abs(a - b) / max(abs(a), abs(b)))


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")


def _asked(features: Features, bars: DataFrame) -> DataFrame:
    """What features answers, on a copy: a change in place must not reach the next call."""
    from pandas import DataFrame as Frame  # noqa: PLC0415 - heavy

    answer = features(bars.copy())
    if not isinstance(answer, Frame) or not answer.index.equals(bars.index):
        what = f"{len(answer)} rows" if isinstance(answer, Frame) else type(answer).__name__
        raise PluginError(
            f"features answered {what} for {len(bars)} bars",
            expected="the same rows with more columns",
            hint="return the bars with columns added; do not drop, sort or resample rows",
        )
    return answer


def _added(frame: DataFrame) -> tuple[str, ...]:
    return tuple(str(name) for name in frame.columns if name not in GIVEN)


def _differing(a: DataFrame, b: DataFrame) -> set[str]:
    names = {str(name) for name in [*a.columns, *b.columns]}
    return {n for n in names if n not in a or n not in b or bool(_rows_off(a[n], b[n]).size)}


def _rows_off(a: Series, b: Series) -> NDArray[np.int64]:
    """Rows in which two columns differ; missing beside missing is equal."""
    from pandas.api.types import is_numeric_dtype  # noqa: PLC0415 - heavy

    if is_numeric_dtype(a) and is_numeric_dtype(b):
        x, y = a.to_numpy(np.float64), b.to_numpy(np.float64)
        same = np.isclose(x, y, rtol=TOLERANCE, atol=0.0, equal_nan=True)
    else:
        x, y = a.to_numpy(object), b.to_numpy(object)
        missing = a.isna().to_numpy() & b.isna().to_numpy()
        same = (x == y) | missing
    return np.flatnonzero(~np.asarray(same, bool))


def _compare(id: str, whole: DataFrame, part: DataFrame, leaks: dict[str, Leak]) -> None:
    for name in (str(column) for column in whole.columns):
        if name in GIVEN:
            continue
        rows = _rows_off(whole[name], part[name]) if name in part else np.arange(len(whole))
        if not rows.size:
            continue
        leak = leaks.setdefault(name, Leak(name))
        leak.changed += 1
        leak.rows += int(rows.size)
        if leak.first is None:
            row = int(rows[-1])
            cut = str(part[name].iloc[row]) if name in part else "no such column"
            leak.first = Example(id, str(whole.index[row]), str(whole[name].iloc[row]), cut)
