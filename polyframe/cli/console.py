"""The two consoles and the one way to print JSON."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that move a cursor, colour what follows or turn its direction."""


class Output(Console):
    """The terminal: no text of others can steer it.

    A closed pipe is left to the command's end, which knows the exit code.
    """

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The segments, with a sign in the place of what would steer the terminal."""
        for segment in super().render(renderable, options):
            if segment.control or not STEERING.search(segment.text):
                yield segment
            else:
                yield segment._replace(text=STEERING.sub("\N{REPLACEMENT CHARACTER}", segment.text))

    def on_broken_pipe(self) -> None:
        """Passes the error on."""
        raise BrokenPipeError


console = Output()
"""Standard output: results."""

err_console = Output(stderr=True)
"""Standard error: messages, progress, errors."""


def emit_json(obj: object) -> None:
    """Prints one JSON document on standard output and nothing else."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(obj, enc_hook=_plain), indent=2)
    sys.stdout.write(text.decode() + "\n")


def show(obj: object, as_json: bool, table: Callable[[], Any]) -> None:
    """Prints ``obj`` as JSON, or else what ``table`` makes for a person."""
    if as_json:
        emit_json(obj)
    else:
        console.print(table())


def _plain(obj: object) -> object:
    if isinstance(obj, PurePath):
        return str(obj)
    if hasattr(obj, "tolist"):  # numpy scalars and arrays
        return obj.tolist()
    raise NotImplementedError(f"{type(obj).__name__} has no JSON form")
