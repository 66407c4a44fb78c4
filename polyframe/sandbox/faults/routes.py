"""Faults over HTTP: which are installed, what they have done, adding and taking away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polyframe.errors import UserError
from polyframe.sandbox.door import Asked, Room, Turned
from polyframe.sandbox.faults.engine import Faults
from polyframe.sandbox.faults.plan import KINDS, read
from polyframe.sandbox.faults.presets import PRESETS

Row = dict[str, Any]
Route = tuple[str, str, Callable[[Asked], Any], str]
"""method, path, call, and what it is for"""

SHOWN = 50
MOST_SHOWN = 1_000


class FaultRoutes:
    """``/faults`` of the debug room."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            ("GET", "/faults", self._list, "what goes wrong, and the last so many times it did"),
            ("POST", "/faults", self._add, '{"fault": "latency", "ms": 500}, or a whole plan'),
            ("DELETE", "/faults", self._clear, "nothing goes wrong any more"),
            ("DELETE", "/faults/{id}", self._remove, "one fault less"),
            ("GET", "/faults/kinds", self._kinds, "every fault there is, and its fields"),
            ("GET", "/faults/presets", lambda _: PRESETS, "plans that have a name"),
        ]

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        for method, path, call, _ in self.routes():
            room.add(method, path, call)

    def _kinds(self, asked: Asked) -> list[Row]:
        return [_kind(name) for name in KINDS]

    def _list(self, asked: Asked) -> Row:
        """What is installed and, newest first, the ``last`` so many things that it did."""
        last = min(max(asked.number("last", SHOWN) or 0, 0), MOST_SHOWN)
        return {
            "now": self._faults.stage.now,
            "faults": self._faults.rows(),
            "last": [each._asdict() for each in self._faults.injections(last)],
        }

    def _add(self, asked: Asked) -> Row:
        """Installs a plan, a preset (``{"include": ["rough"]}``), a fault or a list of faults."""
        try:
            plan = read(asked.json(), "the body")
            return {"installed": self._faults.install(plan)}
        except UserError as error:
            raise _turned(error) from error

    def _clear(self, asked: Asked) -> Row:
        return {"removed": self._faults.clear()}

    def _remove(self, asked: Asked) -> Row:
        if not self._faults.remove(asked.values["id"]):
            raise Turned(404, f"there is no fault {asked.values['id']!r}")
        return {"removed": 1}


def _turned(error: UserError) -> Turned:
    more = {"expected": error.expected, "hint": error.hint}
    return Turned(400, error.message, **{name: said for name, said in more.items() if said})


def _kind(name: str) -> Row:
    """A fault's name, what it is and its fields, as JSON schema says them."""
    schema = KINDS[name].model_json_schema()
    about = (KINDS[name].__doc__ or "").strip().partition("\n")[0]
    return {"fault": name, "about": about, "schema": schema}
