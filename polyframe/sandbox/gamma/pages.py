"""Pages of lists: by a cursor after the last row shown, or by an offset as they were before.

A cursor holds the last row's place in the order and a digest of the query that made it; with
another query it is refused. Source: behaviour described in sapiencexyz/sapience#1884 and
Polymarket/agents#227: ``cursor`` and ``next_cursor`` are not read, ``after_cursor`` is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from polyframe.sandbox.door import Asked
from polyframe.sandbox.gamma.asking import flag, invalid, whole

T = TypeVar("T")
Key = Callable[[T], Any]

LIMIT: Final = 20
MOST: Final = 100
"""UNSURE at the venue: whether a greater limit is cut or refused; here it is refused"""
MOST_OLD: Final = 500
MOST_OFFSET: Final = 2_000
TOO_FAR: Final = "offset too large, use /{kind}/keyset for deeper pagination"
ORDER: Final = "order fields are not valid"
DEPRECATED: Final = (
    (b"deprecation", b"true"),
    (b"sunset", b"Fri, 01 May 2026 00:00:00 GMT"),
    (b"warning", b'299 - "Deprecated API: use the keyset endpoint"'),
)


class _Cursor(msgspec.Struct, array_like=True):
    query: str
    place: list[Any]


_read = msgspec.json.Decoder(_Cursor).decode
_write = msgspec.json.Encoder().encode


def ordered(
    asked: Asked, rows: Sequence[T], fields: Mapping[str, Key[T]], id_of: Callable[[T], int]
) -> tuple[list[tuple[list[Any], T]], bool]:
    """Rows in the order asked for, each with its place in it, and whether that ascends.

    Raises:
        Turned: 422, there is no such field to order by.
    """
    names = [name.strip() for name in asked.one("order").split(",") if name.strip()]
    if any(name not in fields for name in names):
        raise invalid(ORDER)
    ascending = flag(asked, "ascending", default=True) is not False
    keys = [fields[name] for name in names]
    placed = [([*(_sortable(key(row)) for key in keys), id_of(row)], row) for row in rows]
    placed.sort(key=lambda each: each[0], reverse=not ascending)
    return placed, ascending


def keyset(
    asked: Asked,
    rows: Sequence[T],
    fields: Mapping[str, Key[T]],
    id_of: Callable[[T], int],
    *,
    name: str,
    show: Callable[[T], Any],
) -> dict[str, Any]:
    """The page after a cursor; ``next_cursor`` is absent on the last one.

    Raises:
        Turned: 422, ``offset`` was sent, or the cursor belongs to another query.
    """
    if asked.one("offset"):
        raise invalid("offset is not supported, use after_cursor")
    limit = whole(asked, "limit", LIMIT, 1, MOST)
    placed, ascending = ordered(asked, rows, fields, id_of)
    query = _digest(asked)
    after = asked.one("after_cursor")
    if after:
        last = _place(after, query, len(placed[0][0]) if placed else 0)
        beyond = [p for p in placed if (_after(p[0], last) if ascending else _after(last, p[0]))]
    else:
        beyond = placed
    shown = beyond[:limit]
    page: dict[str, Any] = {name: [show(row) for _, row in shown]}
    if len(beyond) > limit:
        page["next_cursor"] = base64.urlsafe_b64encode(
            _write(_Cursor(query, shown[-1][0]))
        ).decode()
    return page


def offset(
    asked: Asked, *, limit: int = LIMIT, most: int = MOST, furthest: int = 1 << 53, kind: str = ""
) -> tuple[int, int]:
    """First row and number of rows of a list that is paged by numbers.

    Raises:
        Turned: 422, one of them is none or too large.
    """
    count = whole(asked, "limit", limit, 0, most)
    first = whole(asked, "offset", 0, 0, 1 << 53)
    if first > furthest:
        raise invalid(TOO_FAR.format(kind=kind))
    return first, count


def _sortable(value: Any) -> Any:
    """Nothing comes before everything."""
    return [0, 0] if value is None else [1, value]


def _after(one: list[Any], other: list[Any]) -> bool:
    try:
        return one > other
    except TypeError as error:
        raise invalid("after_cursor is invalid") from error


def _digest(asked: Asked) -> str:
    """What the query asks for, without which part of it."""
    parts = sorted(
        (name, values)
        for name, values in asked.parameters.items()
        if name not in {"after_cursor", "limit", "cursor", "next_cursor"}
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _place(text: str, query: str, width: int) -> list[Any]:
    """The place that a cursor holds.

    Raises:
        Turned: 422, it is none of ours, or belongs to another query.
    """
    try:
        cursor = _read(base64.b64decode(text.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise invalid("after_cursor is invalid") from error
    if cursor.query != query or (width and len(cursor.place) != width):
        raise invalid("after_cursor is invalid")
    return cursor.place
