"""Turns foreign columns into those of a catalogue, remembering which rows could not be turned."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from polyframe.domain.units import (
    DAY,
    MILLISECOND,
    MONEY_DECIMALS,
    RATE_ONE,
    SECOND,
    probability_to_price,
    to_units,
)
from polyframe.errors import DataError
from polyframe.store.mapping import ColumnRule, Mapping, RowFilter
from polyframe.store.schema import Column

if TYPE_CHECKING:
    from pandas import DataFrame, Series

FACTOR = {"ns": 1, "us": 1_000, "ms": MILLISECOND, "s": SECOND}
LATEST = 2**63 - 1 - DAY
SIZE_DECIMALS = 6
PRICE_DECIMALS = 4


class Converted:
    """Typed columns of one file, and a reason for every row that has to stay out."""

    def __init__(self, frame: DataFrame) -> None:
        self.frame = frame
        self.reason: Series[Any] = pd.Series(None, index=frame.index, dtype=object)
        self.value: Series[Any] = pd.Series(None, index=frame.index, dtype=object)

    def reject(self, rows: Any, reason: str, column: str = "") -> None:
        """Sets rows aside; a row keeps the first reason it was given."""
        mask = np.asarray(rows, np.bool_) & self.reason.isna().to_numpy()
        self.reason[mask] = reason
        if column in self.frame:
            self.value[mask] = self.frame.loc[mask, column].astype(str)

    @property
    def good(self) -> DataFrame:
        """The rows without a reason."""
        return self.frame[self.reason.isna()]


def select(frame: DataFrame, filters: tuple[RowFilter, ...]) -> DataFrame:
    """The rows that pass every filter."""
    keep = np.ones(len(frame), np.bool_)
    for test in filters:
        column = frame[test.column]
        text = column.map(_as_text)
        if test.is_ is not None:
            keep &= (text == _as_text(test.is_)).to_numpy(np.bool_)
        if test.not_ is not None:
            keep &= (text != _as_text(test.not_)).to_numpy(np.bool_)
        if test.in_ is not None:
            keep &= text.isin([_as_text(v) for v in test.in_]).to_numpy(np.bool_)
        if test.startswith is not None:
            prefix = test.startswith
            keep &= text.map(lambda t, p=prefix: str(t or "").startswith(p)).to_numpy(np.bool_)
        if test.contains is not None:
            part = test.contains
            keep &= text.map(lambda t, p=part: p in str(t or "")).to_numpy(np.bool_)
        if test.notnull is not None:
            keep &= (column.notna() == test.notnull).to_numpy(np.bool_)
        if test.least is not None:
            keep &= (_numbers(column) >= test.least).fillna(False).to_numpy(np.bool_)
        if test.most is not None:
            keep &= (_numbers(column) <= test.most).fillna(False).to_numpy(np.bool_)
    return frame[keep]


def convert(frame: DataFrame, mapping: Mapping) -> Converted:
    """The mapping's target columns, typed; columns it does not mention are missing.

    Raises:
        DataError: a column holds something no mapping can read.
    """
    done = Converted(pd.DataFrame(index=frame.index))
    raw: dict[str, Series[Any]] = {}
    for column in (*mapping.table.columns, *mapping.table.inputs):
        rule = mapping.columns.get(column.name)
        if rule is None:
            done.frame[column.name] = pd.Series(pd.NA, index=frame.index, dtype=_dtype(column))
            continue
        raw[column.name] = _taken(frame, rule)
        values, outside = FORMS[column.form](raw[column.name], rule)
        done.frame[column.name] = values.astype(_dtype(column))
        unreadable = raw[column.name].notna() & values.isna() & ~outside
        _reject(done, unreadable, f"unreadable {column.name}", raw[column.name])
        _reject(done, outside, f"{column.name} {OUTSIDE.get(column.form, 'out of range')}",
                raw[column.name])  # fmt: skip
        if column.required:
            missing = raw[column.name].isna()
            _reject(done, missing, f"missing {column.name}", raw[column.name])
    return done


OUTSIDE = {"price": "outside [0, 1]", "probability": "not between 0 and 1"}


def _reject(done: Converted, rows: Any, reason: str, raw: Series[Any]) -> None:
    before = done.reason.isna()
    done.reject(rows, reason)
    fresh = before & done.reason.notna()
    done.value[fresh] = raw[fresh].map(_shown)


def _shown(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)


def _taken(frame: DataFrame, rule: ColumnRule) -> Series[Any]:
    """The raw values of a rule: plain Python values, None where missing."""
    if rule.constant is not None:
        return pd.Series([rule.constant] * len(frame), index=frame.index)
    if rule.format is not None:
        parts = {name: frame[name].map(_as_text) for name in rule.reads}
        texts = [
            None
            if any(t is None for t in row)
            else rule.format.format(**dict(zip(parts, row, strict=True)))
            for row in zip(*parts.values(), strict=True)
        ]
        values: Series[Any] = pd.Series(texts, index=frame.index, dtype=object)
    else:
        values = frame[rule.reads[0]]
        _plain(values)
    if rule.regex is not None:
        values = _texts(values).str.extract(rule.regex, expand=False)
    for old, new in rule.replace.items():
        values = _texts(values).str.replace(old, new, regex=False)
    if rule.values:
        values = values.map(_as_text).map(rule.values.get).astype(object)
    if rule.default is not None:
        values = values.astype(object).where(values.notna(), rule.default)
    return values


def _plain(values: Series[Any]) -> None:
    first = next((v for v in values if v is not None), None)
    if isinstance(first, (list, tuple, dict, set, np.ndarray, bytes)):
        raise DataError(
            f"column {values.name} holds {type(first).__name__} values",
            expected="text, numbers or times",
            hint="flatten the column before the import",
        )


def _time(values: Series[Any], rule: ColumnRule) -> tuple[Series[Any], Series[bool]]:
    unit = rule.unit
    if isinstance(values.dtype, pd.DatetimeTZDtype) or values.dtype.kind == "M":
        ns = _stamps(pd.to_datetime(values, utc=True))
    elif unit is None or unit == "iso" or "%" in unit:
        pattern = unit if unit is not None and "%" in unit else "ISO8601"
        ns = _stamps(pd.to_datetime(_texts(values), format=pattern, utc=True, errors="coerce"))
    else:
        ns = _scaled(values, FACTOR[unit])
    ns = ns + rule.offset_ms * MILLISECOND
    return ns.mask((ns < 0) | (ns > LATEST)), _never(values)


def _stamps(stamps: Series[Any]) -> Series[Any]:
    inside = stamps.between(pd.Timestamp(0, tz="UTC"), pd.Timestamp("2261-01-01", tz="UTC"))
    whole = stamps.where(inside).astype("datetime64[ns, UTC]")
    return whole.astype("int64").astype("Int64").where(inside & stamps.notna())


def _scaled(values: Series[Any], factor: int) -> Series[Any]:
    number = _numbers(values)
    if pd.api.types.is_integer_dtype(number.dtype):
        whole = number.astype("Int64")
        return (whole * factor).where(whole.abs() <= LATEST // factor)
    known = number.astype("Float64")
    known = known.where(known.abs() <= LATEST // factor)
    # Milliseconds times a million do not fit a float: whole and fraction apart.
    floor = np.floor(known.to_numpy(np.float64, na_value=0.0))
    rest = known.to_numpy(np.float64, na_value=0.0) - floor
    ns = floor.astype(np.int64) * factor + np.rint(rest * factor).astype(np.int64)
    return pd.Series(ns, index=values.index, dtype="Int64").where(known.notna())


def _span(values: Series[Any], rule: ColumnRule) -> tuple[Series[Any], Series[bool]]:
    ns = _scaled(values, FACTOR[rule.unit or "ns"])
    return ns, (ns < 0).fillna(False).astype(bool)


MOST_AMOUNT = 10**12
"""shares or money"""


def _price(values: Series[Any], rule: ColumnRule) -> tuple[Series[Any], Series[bool]]:
    if rule.unit == "1e-4":
        whole = _whole_numbers(values)
        return whole, _out(whole, 0, 10**PRICE_DECIMALS)
    number = _numbers(values).astype("Float64") / (100 if rule.unit == "percent" else 1)
    outside = _out(number, 0, 1)
    exact = _each(number.mask(outside), lambda p: probability_to_price(p, PRICE_DECIMALS))
    return exact, outside


def _probability(values: Series[Any], rule: ColumnRule) -> tuple[Series[Any], Series[bool]]:
    number = _numbers(values).astype("Float64") / (100 if rule.unit == "percent" else 1)
    return number, ((number <= 0) | (number >= 1)).fillna(False).astype(bool)


def _amount(stored: str, decimals: int) -> Callable[..., tuple[Series[Any], Series[bool]]]:
    def amount(values: Series[Any], rule: ColumnRule) -> tuple[Series[Any], Series[bool]]:
        if rule.unit == stored:
            return _whole_numbers(values), _never(values)
        number = _numbers(values).astype("Float64")
        # From here on it would not fit 64 bits, and it is no amount of anything.
        outside = _out(number, -MOST_AMOUNT, MOST_AMOUNT)
        units = _each(number.mask(outside), lambda v: to_units(f"{v:.{decimals}f}", decimals))
        return units, outside

    return amount


def _rate(values: Series[Any], rule: ColumnRule) -> tuple[Series[Any], Series[bool]]:
    if rule.unit == "millionths":
        whole = _whole_numbers(values)
    else:
        number = _numbers(values).astype("Float64") / (10_000 if rule.unit == "bps" else 1)
        whole = _each(number, lambda v: to_units(f"{v:.6f}", 6))
    return whole, _out(whole, 0, RATE_ONE)


def _number(values: Series[Any], _: ColumnRule) -> tuple[Series[Any], Series[bool]]:
    return _numbers(values), _never(values)


def _whole(values: Series[Any], _: ColumnRule) -> tuple[Series[Any], Series[bool]]:
    whole = _whole_numbers(values)
    return whole, _out(whole, -128, 127)


def _decimal(values: Series[Any], _: ColumnRule) -> tuple[Series[Any], Series[bool]]:
    text = _texts(values)
    number = _numbers(text)
    return text.where(number.notna()), (number <= 0).fillna(False).astype(bool)


def _text(values: Series[Any], _: ColumnRule) -> tuple[Series[Any], Series[bool]]:
    return _texts(values), _never(values)


def _yes(values: Series[Any], _: ColumnRule) -> tuple[Series[Any], Series[bool]]:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    lower = values.map(lambda v: words.get(str(v).lower()) if _as_text(v) is not None else None)
    return lower.astype("boolean"), _never(values)


FORMS: dict[str, Callable[[Any, ColumnRule], tuple[Any, Any]]] = {
    "text": _text,
    "time": _time,
    "span": _span,
    "price": _price,
    "size": _amount("1e-6", SIZE_DECIMALS),
    "money": _amount("1e-6", MONEY_DECIMALS),
    "rate": _rate,
    "probability": _probability,
    "number": _number,
    "whole": _whole,
    "decimal": _decimal,
    "yes": _yes,
}


def _as_text(value: Any) -> str | None:
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, (float, np.floating)):
        if not np.isfinite(value):
            return None
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return str(value)


def _texts(values: Series[Any]) -> Series[Any]:
    return values.map(_as_text).astype("string")


def _numbers(values: Series[Any]) -> Series[Any]:
    """Numbers where they can be read; infinities are none."""
    number = pd.to_numeric(values, errors="coerce")
    if pd.api.types.is_integer_dtype(number.dtype):
        return number.astype("Int64")
    number = number.astype("Float64")
    return number.where(number.abs() < np.inf)


def _whole_numbers(values: Series[Any]) -> Series[Any]:
    number = _numbers(values)
    if pd.api.types.is_integer_dtype(number.dtype):
        return number
    safe = number.where((number == np.floor(number)) & (number.abs() < 2**53))
    return safe.astype("Int64")


def _each(number: Series[Any], exact: Callable[[float], int]) -> Series[Any]:
    """Applies a scalar rule once for each different value."""
    return number.map({v: exact(float(v)) for v in number.dropna().unique()}).astype("Int64")


def _out(number: Series[Any], least: float, most: float) -> Series[bool]:
    return ((number < least) | (number > most)).fillna(False).astype(bool)


def _never(values: Series[Any]) -> Series[bool]:
    return pd.Series(False, index=values.index)


def _dtype(column: Column) -> str:
    names = {"string": "string", "double": "Float64", "float64": "Float64", "bool": "boolean"}
    return names.get(column.type, column.type.replace("int", "Int").replace("uInt", "UInt"))
