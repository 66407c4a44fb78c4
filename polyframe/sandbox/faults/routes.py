"""Faults over HTTP: which are installed, what they have done, adding and taking away."""

from __future__ import annotations

from typing import Any

from polyframe.errors import UserError
from polyframe.sandbox.door import Asked, Room, Turned
from polyframe.sandbox.faults.engine import Faults
from polyframe.sandbox.faults.plan import KINDS, read
from polyframe.sandbox.faults.presets import PRESETS

Row = dict[str, Any]

SHOWN = 50
MOST_SHOWN = 1_000


class FaultRoutes:
    """``/faults`` of the debug room."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        room.add("GET", "/faults", self._list)
        room.add("POST", "/faults", self._add)
        room.add("DELETE", "/faults", self._clear)
        room.add("DELETE", "/faults/{id}", self._remove)
        room.add("GET", "/faults/kinds", lambda _: [_kind(name) for name in KINDS])
        room.add("GET", "/faults/presets", lambda _: PRESETS)

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
            return {"installed": self._faults.install(read(asked.json(), "the body"))}
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
