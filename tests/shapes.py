"""What kinds of values rows hold, to be compared with rows that were recorded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Kinds = dict[str, set[str]]


def kind(value: Any) -> str:
    """A value's kind in JSON's terms."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "str"
    return "array" if isinstance(value, list) else "object"


def kinds(rows: Iterable[dict[str, Any]]) -> Kinds:
    """The kinds of every key over some rows."""
    found: Kinds = {}
    for row in rows:
        for key, value in row.items():
            found.setdefault(key, set()).add(kind(value))
    return found


def always(rows: list[dict[str, Any]]) -> set[str]:
    """The keys that every row has."""
    return set.intersection(*(set(row) for row in rows))


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a recorded answer, be it one object or a list."""
    loaded = json.loads(path.read_text())
    return loaded if isinstance(loaded, list) else [loaded]


def shape_of(path: Path, prefix: str) -> Kinds:
    """The kinds below a place of a file that lists paths with their kinds."""
    found: Kinds = {}
    for line in json.loads(path.read_text())["shape"]:
        place, _, said = line.rpartition(":")
        if place.startswith(prefix + "."):
            name = place[len(prefix) + 1 :]
            if "." not in name and not name.endswith("[]"):
                found.setdefault(name, set()).add(said)
    return found


def strangers(own: Kinds, known: Kinds) -> Iterator[str]:
    """What rows hold that no recorded one does."""
    for key, values in own.items():
        if key not in known:
            yield f"{key} was never seen"
        elif not values <= known[key]:
            yield f"{key} is {sorted(values)}, was {sorted(known[key])}"


def merged(*many: Kinds) -> Kinds:
    """Kinds of several recordings together."""
    found: Kinds = {}
    for each in many:
        for key, values in each.items():
            found.setdefault(key, set()).update(values)
    return found
