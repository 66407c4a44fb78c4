"""Turns a failed validation into a ConfigError: path, what was found, what is expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from polyframe.errors import ConfigError

NEXT = "polyframe config check"
_EXPECTED = {
    "model_type": "an object",
    "dict_type": "an object",
    "tuple_type": "a list",
    "list_type": "a list",
    "string_type": "text",
    "bool_type": "true or false",
}


class _Problem(NamedTuple):
    message: str
    expected: str
    hint: str


def explained(
    error: ValidationError, model: type[BaseModel], prefix: str, sources: Mapping[str, str]
) -> ConfigError:
    """One error for all that is wrong. ``prefix`` is where the model stands in the whole."""
    details = error.errors()
    problems = [
        _problem(detail, model, prefix, sources) for detail in details if not _told(detail, details)
    ]
    if len(problems) == 1:
        (only,) = problems
        return ConfigError(only.message, expected=only.expected or None, hint=only.hint)
    lines = [f"{p.message}" + (f" (expected {p.expected})" if p.expected else "") for p in problems]
    return ConfigError(
        f"{len(problems)} settings are wrong:\n  " + "\n  ".join(lines), hint=problems[0].hint
    )


def _told(detail: Any, details: Sequence[Any]) -> bool:
    """True when a part of the same value is wrong: what is left of it is then too little, too."""
    loc = detail["loc"]
    return any(len(d["loc"]) > len(loc) and d["loc"][: len(loc)] == loc for d in details)


def _problem(
    detail: Any, model: type[BaseModel], prefix: str, sources: Mapping[str, str]
) -> _Problem:
    loc = [part for part in detail["loc"] if part != "[key]"]
    path = joined(prefix, loc)
    named = with_source(path, sources)
    kind = detail["type"]
    if kind == "extra_forbidden" or "[key]" in detail["loc"]:
        known = _keys(model, loc[:-1])
        near = get_close_matches(str(loc[-1]), known, n=1)
        listed = f"one of {', '.join(known)}" if known else "nothing here"
        to = f"rename it to {near[0]}, then: {NEXT}" if near else NEXT
        return _Problem(f"{named} is not a setting", f"{near[0]}?" if near else listed, to)
    if kind == "missing":
        return _Problem(f"{named} is missing", "a value", NEXT)
    if kind == "value_error":
        expected = str(detail["ctx"]["error"])
        if isinstance(detail["input"], (Mapping, BaseModel)):
            # A plugin says what is wrong with its settings, the configuration what it wants.
            if prefix:
                return _Problem(f"{named}: {expected}", "settings that fit each other", NEXT)
            return _Problem(f"{named} contradicts itself", expected, NEXT)
    else:
        expected = _EXPECTED.get(kind, detail["msg"].replace("Input should be ", ""))
    return _Problem(f"{named} is {in_short(detail['input'])}", expected, NEXT)


def joined(prefix: str, loc: Iterable[str | int]) -> str:
    """A path as a person reads it: ``strategies[0].config``."""
    path = prefix
    for part in loc:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def with_source(path: str, sources: Mapping[str, str]) -> str:
    """A place in the configuration after the file that set it."""
    here, source = path, ""
    while here and not source:
        inside = (f"{here}.", f"{here}[")
        source = sources.get(here, "") or next(
            (s for p, s in sources.items() if p.startswith(inside)), ""
        )
        here = here[: max(here.rfind("."), here.rfind("["), 0)]
    if not path and not source:
        return " and ".join(sorted(set(sources.values()))) or "the configuration"
    return ": ".join(part for part in (source, path or "the configuration") if part)


def in_short(value: object) -> str:
    """A value as a message names it: short, and of what is long only its kind."""
    if isinstance(value, (Mapping, BaseModel)):
        return "an object"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _keys(model: Any, loc: Iterable[str | int]) -> list[str]:
    """The keys that may stand at a place in a model."""
    here: Any = model
    for part in loc:
        here = _inner(here, part)
    here = next((a for a in (here, *_options(here)) if _is_model(a)), here)
    if _is_model(here):
        return [field.alias or name for name, field in here.model_fields.items()]
    keys = get_args(here)[:1] if get_origin(here) is dict else ()
    return [key for k in keys for key in get_args(k)]


def _inner(model: Any, part: str | int) -> Any:
    if _is_model(model):
        for name, field in model.model_fields.items():
            if part in {name, field.alias}:
                return field.annotation
        return None
    arguments = get_args(model)
    if get_origin(model) is dict and len(arguments) == 2:
        return arguments[1]
    return arguments[0] if arguments else None


def _options(model: Any) -> tuple[Any, ...]:
    return get_args(model) if get_origin(model) in {Union, UnionType} else ()


def _is_model(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel)
