"""The form of a mapping: how the columns of somebody's file become those of a catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from polyframe.errors import ConfigError
from polyframe.store.schema import VERSION, Form, Table, table

TIME_UNITS = ("ns", "us", "ms", "s", "iso")
UNITS: dict[Form, tuple[str, ...]] = {
    "text": (),
    "time": TIME_UNITS,
    "span": ("ns", "us", "ms", "s"),
    "price": ("probability", "percent", "1e-4"),
    "size": ("shares", "1e-6"),
    "money": ("usd", "1e-6"),
    "rate": ("fraction", "bps", "millionths"),
    "probability": ("probability", "percent"),
    "number": (),
    "whole": (),
    "decimal": (),
    "flags": (),
    "yes": (),
}
"""Units a column may be stated in. A time may also be a pattern such as ``%Y%m%d%H%M%S`` (UTC)."""

STORED_UNIT: dict[Form, str] = {
    "time": "ns",
    "span": "ns",
    "price": "1e-4",
    "size": "1e-6",
    "money": "1e-6",
    "rate": "millionths",
}
"""What a file without a mapping is taken to be in."""

COMPUTED = {"flag", "source"}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ColumnRule(_Part):
    """Where one target column comes from: exactly one of ``from``, ``constant`` and ``format``."""

    source: str | None = Field(None, alias="from", description="name of a column")
    constant: str | int | float | bool | None = Field(None, description="the same for every row")
    format: str | None = Field(None, description="text of several columns: {a}-{b}")
    regex: str | None = Field(None, description="take the first group of this pattern")
    replace: dict[str, str] = Field({}, description="then replace these texts")
    values: dict[str, Any] = Field({}, description="then translate; values not listed are missing")
    unit: str | None = Field(None, description="unit of the value")
    offset_ms: int = Field(0, description="added to a time")
    default: str | int | float | bool | None = Field(None, description="where the value is missing")

    @model_validator(mode="after")
    def _one_origin(self) -> ColumnRule:
        given = [n for n in ("source", "constant", "format") if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of from, constant and format")
        if self.regex is not None:
            try:
                groups = re.compile(self.regex).groups
            except re.error as error:
                raise ValueError(f"regex {self.regex!r} does not compile: {error}") from None
            if groups != 1:
                raise ValueError(f"regex {self.regex!r} has {groups} groups, it needs one")
        return self

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns it needs."""
        if self.source is not None:
            return (self.source,)
        return tuple(re.findall(r"{([^{}]+)}", self.format or ""))


class RowFilter(_Part):
    """Keeps rows whose column passes every test given."""

    column: str
    is_: str | int | float | bool | None = Field(None, alias="is")
    not_: str | int | float | bool | None = Field(None, alias="not")
    in_: tuple[str | int | float, ...] | None = Field(None, alias="in")
    startswith: str | None = None
    contains: str | None = None
    notnull: bool | None = None
    least: float | None = None
    most: float | None = None

    @model_validator(mode="after")
    def _some_test(self) -> RowFilter:
        if all(getattr(self, name) is None for name in type(self).model_fields if name != "column"):
            raise ValueError("give a test: is, not, in, startswith, contains, notnull, least, most")
        return self


def _short(value: Any) -> Any:
    return {"from": value} if isinstance(value, str) else value


class Mapping(_Part):
    """How one kind of file is read. Rows that pass every filter are imported."""

    version: Literal[1] = 1
    kind: Literal["markets", "prices", "bars", "trades", "forecasts"]
    source: str = Field(min_length=1, description="true label of who made the data")
    about: str = Field("", description="what it is and what it assumes")
    columns: dict[str, Annotated[ColumnRule, BeforeValidator(_short)]]
    filter: tuple[RowFilter, ...] = ()

    @property
    def table(self) -> Table:
        """The table it fills."""
        return table(self.kind)

    @property
    def reads(self) -> list[str]:
        """The file's columns it needs."""
        names = [name for rule in self.columns.values() for name in rule.reads]
        return list(dict.fromkeys([*names, *(test.column for test in self.filter)]))


M = TypeVar("M", bound=Mapping)


def load_mapping(path: Path) -> Mapping:
    """A mapping file of ``data import``, checked.

    Raises:
        ConfigError: it is missing, no JSON, or says something that cannot be done.
    """
    return load_form(path, Mapping)


def load_form(path: Path, form: type[M]) -> M:
    """A mapping file of some form, checked.

    Raises:
        ConfigError: it is missing, no JSON, or says something that cannot be done.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"mapping {path} cannot be read: {error}", hint="see docs/mappings for examples"
        ) from None
    try:
        mapping = form.model_validate_json(text)
    except ValidationError as error:
        raise _explained(path, error) from None
    _check_columns(path, mapping)
    return mapping


def plain_mapping(kind: str, source: str, columns: Iterable[str]) -> Mapping:
    """The mapping of a file that has the catalogue's own columns and units already."""
    of = table(kind)
    have = set(columns)
    wanted = [c for c in (*of.columns, *of.inputs) if c.name in have and c.name not in COMPUTED]
    rules = {c.name: {"from": c.name, "unit": STORED_UNIT.get(c.form)} for c in wanted}
    return Mapping.model_validate({"kind": kind, "source": source, "columns": rules})


def _check_columns(path: Path, mapping: Mapping) -> None:
    of = mapping.table
    targets = {c.name: c for c in (*of.columns, *of.inputs) if c.name not in COMPUTED}
    for name, rule in mapping.columns.items():
        if name not in targets:
            raise ConfigError(
                f"mapping {path}: columns.{name} is no column of {mapping.kind}"
                + _nearest(name, targets),
                expected="one of " + ", ".join(targets),
            )
        allowed = UNITS[targets[name].form]
        pattern = targets[name].form == "time" and rule.unit is not None and "%" in rule.unit
        if rule.unit is not None and rule.unit not in allowed and not pattern:
            raise ConfigError(
                f"mapping {path}: columns.{name} has unit {rule.unit!r}"
                + _nearest(rule.unit, allowed),
                expected="one of " + ", ".join(allowed) if allowed else "no unit",
            )


def _explained(path: Path, error: ValidationError) -> ConfigError:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = _keys(first["loc"])
        return ConfigError(
            f"mapping {path}: unknown key {where}{_nearest(str(first['loc'][-1]), known)}",
            expected="one of " + ", ".join(known),
        )
    what = first["msg"].removeprefix("Value error, ")
    return ConfigError(
        f"mapping {path}: {where + ': ' if where else ''}{what}",
        expected=f"a mapping of version {VERSION} as described in docs/data.md",
    )


def _keys(where: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Mapping
    if len(where) > 1:
        model = ColumnRule if where[0] == "columns" else RowFilter
    return [field.alias or name for name, field in model.model_fields.items()]


def _nearest(name: str, known: Iterable[str]) -> str:
    guess = get_close_matches(name, list(known), 1, 0.5)
    return f"; did you mean {guess[0]!r}?" if guess else ""
