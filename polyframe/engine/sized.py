"""What a sizer may answer."""

from __future__ import annotations

import math

from polyframe.api.sizer import Sized
from polyframe.errors import PluginError

MOST_NOTES = 64
LONGEST = 120
"""Characters of a name or a text in a note: it is stored with every order."""


def sound_size(answer: object, sizer: str) -> Sized:
    """A sizer's answer, if it is one.

    Raises:
        PluginError: it is something else, or a note holds what cannot be recorded.
    """
    if type(answer) is int:
        sized = Sized(answer)
    elif type(answer) is Sized:
        sized = answer
    else:
        sized = Sized(-1)
    if type(sized.size) is not int or sized.size < 0:
        raise PluginError(
            f"sizer {sizer} answered {answer!r}",
            expected="a whole number of size units from 0 up, or a Sized with one",
        )
    fits = (
        type(sized.note) is tuple
        and len(sized.note) <= MOST_NOTES
        and all(_note(entry) for entry in sized.note)
        and _text(sized.limit)
    )
    if not fits:
        raise PluginError(
            f"sizer {sizer} explains its size by {sized.note!r} and {sized.limit!r}",
            expected=f"at most {MOST_NOTES} pairs of a name and a finite number or short text",
        )
    return sized


def _note(entry: object) -> bool:
    if type(entry) is not tuple or len(entry) != 2:
        return False
    name, value = entry
    return _text(name) and (_text(value) or (type(value) is float and math.isfinite(value)))


def _text(value: object) -> bool:
    return type(value) is str and len(value) <= LONGEST and value.isprintable()
