"""Texts from outside, made fit to be shown."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def visible(text: str) -> str:
    """The text with every control character shown as one that does nothing; lines stay lines."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def shortened(name: str, most: int) -> str:
    """A name as it is, or both of its ends where it is longer than ``most``: ids differ in them."""
    if len(name) <= most:
        return name
    end = (most - 1) // 2
    return f"{name[: most - 1 - end]}…{name[len(name) - end :]}"


def one_line(text: str, most: int = 0) -> str:
    """The text on one line; of one that is longer than ``most``, the beginning and its length."""
    line = visible(" ".join(text.split())) or "(blank)"
    return line if not most or len(line) <= most else f"{line[:most]}… ({len(line):,} characters)"
