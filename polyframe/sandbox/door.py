"""How a room of the sandbox is asked and answers: a table of routes, JSON, refusals.

A room is a `Room` with calls added to it. A call takes what was `Asked` and gives whatever JSON
can carry, a `Reply`, or an awaitable of either; it raises `Turned` for every other answer. The
server does the rest: it reads the bytes, moves the venue's clock, and sends what happened to the
sockets.

::

    room = Room()
    room.add("GET", "/markets/{id}", lambda asked: {"id": asked.values["id"]})
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote

import msgspec

JSON = b"application/json"

encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Reply(NamedTuple):
    """An answer as bytes."""

    body: bytes
    status: int = 200
    media: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Turned(Exception):
    """Any answer but a good one: a status and the text of ``error``, as the venue sends them."""

    def __init__(self, status: int, text: str, **more: object) -> None:
        super().__init__(text)
        self.status = status
        self.body: dict[str, object] = {"error": text, **more}
        self.headers: tuple[tuple[bytes, bytes], ...] = ()

    def reply(self) -> Reply:
        """The answer itself."""
        return Reply(encode(self.body), self.status, JSON, self.headers)


class Cut(Exception):
    """No answer: the connection ends instead.

    ``partial`` is an answer of which only a part is sent before that; ``reset`` ends it hard.
    """

    def __init__(self, *, reset: bool = False, partial: Reply | None = None) -> None:
        super().__init__("the connection is cut")
        self.reset = reset
        self.partial = partial


@dataclass(slots=True)
class Asked:
    """One request: ``path`` is without the room's prefix, ``body`` the bytes that came."""

    method: str
    path: str
    query: bytes
    headers: Mapping[bytes, bytes]
    """names in small letters"""
    body: bytes = b""
    values: Mapping[str, str] = field(default_factory=dict)
    """what stood in the path where the route has {name}"""
    _parameters: dict[str, list[str]] | None = None

    @property
    def parameters(self) -> dict[str, list[str]]:
        """The query, by name; a name may come more than once.

        Raises:
            Turned: it has more than a thousand fields.
        """
        if self._parameters is None:
            try:
                self._parameters = parse_qs(
                    self.query.decode("latin-1"), keep_blank_values=True, max_num_fields=1000
                )
            except ValueError as error:
                raise Turned(400, "Invalid query") from error
        return self._parameters

    def one(self, name: str) -> str:
        """The first value of a parameter, "" without one."""
        return self.parameters.get(name, [""])[0]

    def many(self, name: str) -> list[str]:
        """Every value of a parameter: repeated, or with commas between, without empty ones."""
        return [
            part for value in self.parameters.get(name, []) for part in value.split(",") if part
        ]

    def number(self, name: str, default: int | None = None) -> int | None:
        """The whole number of a parameter, ``default`` without one.

        Raises:
            Turned: it is something else.
        """
        text = self.one(name)
        if not text:
            return default
        sign, digits = ("-", text[1:]) if text[0] == "-" else ("", text)
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
            raise Turned(400, f"Invalid {name}")
        return int(sign + digits)

    def flag(self, name: str) -> bool | None:
        """The truth of a parameter, None without one.

        Raises:
            Turned: it is neither true nor false.
        """
        text = self.one(name).lower()
        if not text:
            return None
        if text not in {"true", "false", "1", "0"}:
            raise Turned(400, f"Invalid {name}")
        return text in {"true", "1"}

    def header(self, name: str) -> str:
        """A header's value, "" without one."""
        return self.headers.get(name.lower().encode(), b"").decode("latin-1")

    def json(self) -> Any:
        """What the body says.

        Raises:
            Turned: it is not JSON.
        """
        try:
            return _decode(self.body)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise Turned(400, "Invalid payload") from error


Answer = object
Call = Callable[[Asked], "Answer | Awaitable[Answer]"]


class Room:
    """A table of routes."""

    def __init__(self) -> None:
        self._exact: dict[str, dict[str, Call]] = {}
        self._open: dict[tuple[int, str], list[tuple[tuple[str, ...], dict[str, Call]]]] = {}
        self.routes: list[tuple[str, str]] = []

    def add(self, method: str, path: str, call: Call) -> None:
        """Adds a route; ``{name}`` stands for one part of the path."""
        self.routes.append((method, path))
        if "{" not in path:
            self._exact.setdefault(path, {})[method] = call
            return
        parts = tuple(path.strip("/").split("/"))
        known = self._open.setdefault((len(parts), parts[0]), [])
        for shape, calls in known:
            if shape == parts:
                calls[method] = call
                return
        known.append((parts, {method: call}))

    def find(self, asked: Asked) -> Call:
        """The call for a request; it gets the path's values.

        Raises:
            Turned: 404 for a path that nothing has, 405 for a method that this path has not.
        """
        calls = self._exact.get(asked.path)
        if calls is None:
            calls = self._matching(asked)
        call = calls.get(asked.method)
        if call is None:
            turned = Turned(405, "Method not allowed")
            turned.headers = ((b"allow", ", ".join(sorted(calls)).encode()),)
            raise turned
        return call

    def _matching(self, asked: Asked) -> dict[str, Call]:
        parts = asked.path[1:].split("/")
        for shape, calls in self._open.get((len(parts), parts[0]), ()):
            values: dict[str, str] = {}
            for wanted, got in zip(shape, parts, strict=True):
                if wanted[0] == "{" and got:
                    values[wanted[1:-1]] = unquote(got)
                elif wanted != got:
                    break
            else:
                asked.values = values
                return calls
        raise Turned(404, "Not found")
