"""Plugins as plain values: what each is, where it is from, what can be set."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from polyframe.api.param import search_ranges
from polyframe.runtime.plugins import Broken, Registered


def described(found: Registered) -> dict[str, Any]:
    """One plugin: kind, name, origin, what its class says of itself, its settings."""
    return {
        "kind": found.kind,
        "name": found.name,
        "origin": found.origin.kind,
        "from": found.origin.label,
        "file": str(found.file),
        "sha256": found.sha256,
        "methods": found.methods,
        "api": found.cls.api,
        "what": first_line(found),
        "settings": settings(found.cls.Config),
    }


def described_broken(found: Broken) -> dict[str, Any]:
    """One module that was set aside, and why."""
    return {
        "module": found.module,
        "origin": found.origin.kind,
        "file": str(found.file) if found.file else None,
        "line": found.line,
        "error": found.error,
        "expected": found.expected,
        "names": found.names,
        "traceback": found.traceback,
    }


def came_from(found: Registered) -> str:
    """Where a plugin comes from, in a word: a file's name, a package's, or ``built-in``."""
    if found.origin.kind == "file":
        return found.file.name
    return "built-in" if found.origin.kind == "built-in" else found.origin.label


def first_line(found: Registered) -> str:
    """The first line of the class's own docstring."""
    return (found.cls.__doc__ or "").strip().split("\n")[0].strip()


def settings(config: type[BaseModel]) -> list[dict[str, Any]]:
    """Each setting: its name, type, default (none where it must be stated) and search range."""
    ranges = search_ranges(config)
    return [
        {
            "name": field.alias or name,
            "type": _type(field),
            "required": field.is_required(),
            "default": _default(field),
            "search": ranges.get(name),
        }
        for name, field in config.model_fields.items()
    ]


def _type(field: FieldInfo) -> str:
    annotation = field.annotation
    return (
        annotation.__name__ if type(annotation) is type else str(annotation).replace("typing.", "")
    )


def _default(field: FieldInfo) -> Any:
    value = field.get_default(call_default_factory=True)
    return None if value is PydanticUndefined else to_jsonable_python(value, fallback=str)


def range_text(search: dict[str, Any] | None) -> str:
    """A search range as a person reads it, empty where there is none."""
    if not search:
        return ""
    if search["kind"] == "choice":
        return " | ".join(str(option) for option in search["options"])
    text = f"{search['low']:g} to {search['high']:g}"
    if search.get("step", 1) != 1:
        text += f" by {search['step']:g}"
    return f"{text}, log" if search.get("log") else text
