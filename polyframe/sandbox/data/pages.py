"""Answers of the second version: what is asked for in an envelope, lists in pages.

A cursor holds how far its list was read and the end of what was known when that began, so that rows
that come in meanwhile move nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import msgspec

from polyframe.domain.units import Ns
from polyframe.sandbox.data.asking import bad, whole
from polyframe.sandbox.door import Asked

T = TypeVar("T")
Row = dict[str, Any]

LIMIT: Final = 100
MOST: Final = 1_000


class _Cursor(msgspec.Struct, array_like=True):
    query: str
    known: int
    first: int


_read = msgspec.json.Decoder(_Cursor).decode
_write = msgspec.json.Encoder().encode


class Page:
    """Which part of a list a request asks for. ``known`` is the end of what was known at its start.

    Raises:
        Turned: 400, the limit or the cursor is none.
    """

    def __init__(self, asked: Asked, known: Ns, *, limit: int = LIMIT, most: int = MOST) -> None:
        self.limit = whole(asked, "limit", default=limit, least=1, most=most)
        self._query = _digest(asked)
        self.known, self.first = known, 0
        text = asked.one("cursor")
        if text:
            cursor = _parsed(text)
            if cursor.query != self._query:
                raise bad("invalid cursor: it belongs to another query")
            self.known, self.first = min(cursor.known, known), cursor.first

    def of(self, rows: Sequence[T], show: Callable[[T], Any]) -> Row:
        """The envelope around the page of a whole list."""
        return self.around([show(row) for row in rows[self.first :][: self.limit]],
                           more=len(rows) > self.first + self.limit)  # fmt: skip

    def read(self, rows: Sequence[T], show: Callable[[T], Any]) -> Row:
        """The envelope around rows that were read from ``first`` on, one more than the limit."""
        return self.around([show(row) for row in rows[: self.limit]], more=len(rows) > self.limit)

    def around(self, shown: list[Any], *, more: bool) -> Row:
        """The envelope around what is shown."""
        cursor = None
        if more:
            made = _Cursor(self._query, self.known, self.first + self.limit)
            cursor = base64.urlsafe_b64encode(_write(made)).decode()
        return {
            "data": shown,
            "pagination": {"limit": self.limit, "has_more": more, "next_cursor": cursor},
        }


def whole_of(data: Any) -> Row:
    """The envelope around something that has no pages."""
    return {"data": data}


def _digest(asked: Asked) -> str:
    parts = sorted(
        (name, values)
        for name, values in asked.parameters.items()
        if name not in {"cursor", "limit"}
    )
    return hashlib.sha256(repr((asked.path, parts)).encode()).hexdigest()[:16]


def _parsed(text: str) -> _Cursor:
    try:
        cursor = _read(base64.b64decode(text.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise bad("invalid cursor") from error
    if not 0 <= cursor.first < 1 << 53 or not 0 <= cursor.known < 1 << 63:
        raise bad("invalid cursor")
    return cursor
