"""Lists in pages, with the CLOB's cursors: base64 of the next row's number, of -1 at the end."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from polyframe.sandbox.door import Asked, Turned

END: Final = "LTE="
T = TypeVar("T")


def cursor_of(start: int) -> str:
    """The cursor of a page that begins with a row."""
    return base64.b64encode(str(start).encode()).decode()


def start_of(asked: Asked) -> int:
    """The row that a request's page begins with; -1 past the end.

    Raises:
        Turned: the cursor is none of ours.
    """
    text = asked.one("next_cursor")
    if not text:
        return 0
    try:
        start = int(base64.b64decode(text, validate=True).decode("ascii"))
    except (binascii.Error, ValueError) as error:
        raise Turned(400, "Invalid next_cursor") from error
    if not -1 <= start < 1 << 53:
        raise Turned(400, "Invalid next_cursor")
    return start


def page(
    asked: Asked, rows: Sequence[T], limit: int, show: Callable[[T], object]
) -> dict[str, object]:
    """One page of rows, each as ``show`` writes it."""
    start = start_of(asked)
    shown = rows[start : start + limit] if start >= 0 else []
    more = start >= 0 and start + limit < len(rows)
    return {
        "limit": limit,
        "count": len(shown),
        "next_cursor": cursor_of(start + limit) if more else END,
        "data": [show(row) for row in shown],
    }
