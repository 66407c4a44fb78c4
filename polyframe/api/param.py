"""Search ranges for hyperopt on the fields of a plugin's Config.

::

    class Config(PluginConfig):
        min_edge: float = Real(0.04, 0.01, 0.10)
        style: str = Choice("limit", ["limit", "twap"])

The range says where to search, not what is valid: any value of the field's type may be configured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from polyframe.errors import PluginError


def Int(default: int, low: int, high: int, *, step: int = 1, space: str = "") -> Any:
    """An integer setting searched from low to high, both included."""
    return _field(default, {"kind": "int", "low": low, "high": high, "step": step}, space)


def Real(default: float, low: float, high: float, *, log: bool = False, space: str = "") -> Any:
    """A real setting searched from low to high."""
    return _field(default, {"kind": "real", "low": low, "high": high, "log": log}, space)


def Choice(default: Any, options: Sequence[Any], *, space: str = "") -> Any:
    """A setting searched over a list of options."""
    if default not in options:
        raise PluginError(f"default {default!r} is not among the options {list(options)}")
    return _field(default, {"kind": "choice", "options": list(options)}, space)


def _field(default: Any, search: dict[str, Any], space: str) -> Any:
    if "low" in search and not search["low"] <= search["high"]:
        raise PluginError(
            f"search range {search['low']} to {search['high']} is empty", expected="low <= high"
        )
    return Field(default, json_schema_extra={"search": {**search, "space": space}})


def search_ranges(config: type[Any]) -> dict[str, dict[str, Any]]:
    """The searchable fields of a Config class, by name."""
    ranges: dict[str, dict[str, Any]] = {}
    for name, field in config.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and isinstance(extra.get("search"), dict):
            ranges[name] = dict(extra["search"])
    return ranges
