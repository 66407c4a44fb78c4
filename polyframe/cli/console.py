"""The two consoles and the one way to print JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from rich.console import Console


class Output(Console):
    """A console that leaves a closed pipe to the command's end, which knows the exit code."""

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


def printable(text: str) -> str:
    """Text from outside without what would steer a terminal."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def _plain(obj: object) -> object:
    if isinstance(obj, PurePath):
        return str(obj)
    if hasattr(obj, "tolist"):  # numpy scalars and arrays
        return obj.tolist()
    raise NotImplementedError(f"{type(obj).__name__} has no JSON form")
