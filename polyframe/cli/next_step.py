"""Makes the next step of an error fit the command line that failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote

from polyframe.errors import PolyframeError

GENERAL = ("polyframe config check", "polyframe config show")
"""Next steps that look at a configuration, and so need the options that chose it."""
CHOOSING = {"-c": "-c", "--config": "-c", "--profile": "--profile", "--user-data": "--user-data"}
"""Options that choose a configuration, and how they are repeated."""


def fitting(error: PolyframeError, args: Sequence[str]) -> str | None:
    """The error's hint for this command line: with its configuration, or about its options."""
    hint = error.hint
    if hint is None or not hint.endswith(GENERAL):
        return hint
    if error.message.startswith("command line: "):
        return f"polyframe {args[0]} --help"
    return " ".join([hint, *_chosen(args)])


def _chosen(args: Sequence[str]) -> Iterator[str]:
    words = iter(args[: args.index("--")] if "--" in args else args)
    for word in words:
        name, sign, value = word.partition("=")
        if word.startswith("-c") and len(word) > 2:
            name, value = "-c", word[2:]
        elif not sign:
            value = next(words, "") if name in CHOOSING else ""
        if name in CHOOSING and value:
            yield f"{CHOOSING[name]} {quote(value)}"
