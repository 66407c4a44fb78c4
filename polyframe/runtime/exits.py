"""The exits of a configuration's strategies: what the class declares, changed by the file.

::

    {"use": "MyIdea", "exits": {"stop_loss": 0.25, "max_holding_hours": [[4, 0.5], [8, 0.5]]}}

Times are in hours (``retry_seconds`` in seconds), ``null`` turns a rule off.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from polyframe.api.exits import Exits, PortfolioTrailing, Thesis, Trailing, declared
from polyframe.domain.units import HOUR, SECOND, Ns
from polyframe.errors import ConfigError, PluginError
from polyframe.runtime.explain import NEXT

_SAME = ("stop_loss", "breakeven", "max_open", "position_adjustment")
_TIMES = {"max_holding_hours": HOUR, "near_resolution_hours": HOUR, "retry_seconds": SECOND}
KEYS = (*_SAME, "take_profit", "trailing", "thesis", "portfolio_trailing", *_TIMES)


def exits_of(strategy: Any, values: Mapping[str, Any], path: str, source: str = "") -> Exits:
    """What a strategy (or its class) declares, with a configuration's changes; ``path`` names them.

    Raises:
        PluginError: the class itself declares nonsense.
        ConfigError: a change is none.
    """
    declared(strategy)
    at = f"{source}: {path}" if source else path
    changes = dict(_change(f"{at}.{key}", key, value) for key, value in values.items())
    try:
        return declared(strategy, changes, at)
    except PluginError as error:
        raise ConfigError(error.message, expected=error.expected, hint=NEXT) from None


def _change(path: str, key: str, value: Any) -> tuple[str, Any]:
    """One entry of the file as an attribute's name and value."""
    if key not in KEYS:
        near = get_close_matches(key, KEYS, n=1)
        expected = f"{near[0]}?" if near else f"one of: {', '.join(sorted(KEYS))}"
        raise ConfigError(f"{path} is no exit", expected=expected, hint=NEXT)
    name = key.removesuffix("_hours").removesuffix("_seconds")
    if value is None and name != "retry":
        return name, None
    if key in _TIMES:
        unit = _TIMES[key]
        if isinstance(value, list) and name == "max_holding":
            return name, _steps(path, value, lambda p, v: _time(p, v, unit))
        return name, _time(path, value, unit)
    if key == "take_profit" and isinstance(value, list):
        return name, _steps(path, value, lambda _, v: v)
    if isinstance(value, dict):
        return name, _struct(path, key, value)
    return name, value


def _time(path: str, value: Any, unit: Ns) -> Ns:
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not plain or not math.isfinite(value) or not 0 < value * unit < 2**62:
        raise ConfigError(f"{path} is {value!r}", expected="a number above 0", hint=NEXT)
    found: Ns = max(round(value * unit), 1)
    return found


def _steps(path: str, steps: list[Any], convert: Callable[[str, Any], Any]) -> tuple[Any, ...]:
    found = []
    for i, step in enumerate(steps):
        if not isinstance(step, list) or len(step) != 2:
            raise ConfigError(
                f"{path}[{i}] is {step!r}", expected="[threshold, part of the position]", hint=NEXT
            )
        found.append((convert(f"{path}[{i}]", step[0]), step[1]))
    return tuple(found)


def _struct(path: str, key: str, value: dict[str, Any]) -> Any:
    kinds: dict[str, type[msgspec.Struct]] = {
        "trailing": Trailing, "thesis": Thesis, "portfolio_trailing": PortfolioTrailing
    }  # fmt: skip
    if key not in kinds:
        raise ConfigError(f"{path} is {value!r}", expected="a number", hint=NEXT)
    fields = dict(value)
    if key == "portfolio_trailing" and "under_hours" in fields:
        fields["under"] = _time(f"{path}.under_hours", fields.pop("under_hours"), HOUR)
    known = kinds[key].__struct_fields__
    for field in fields:
        if field not in known or (field == "under" and "under" in value):
            names = ["under_hours" if name == "under" else name for name in known]
            raise ConfigError(
                f"{path}.{field} is no setting", expected=f"one of: {', '.join(names)}", hint=NEXT
            )
    return kinds[key](**fields)
