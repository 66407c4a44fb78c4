"""Whether a wish's fields hold what they say.

A struct made in Python checks nothing, and a float in place of an int would only be found where it
hurts: in the books. numpy's numbers become plain ones: they compare equal but store differently.
"""

from __future__ import annotations

from operator import attrgetter
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

from polyframe.domain.units import INT64_SAFE
from polyframe.domain.wishes import WISHES, QuoteLevel, Quotes

MOST_TEXT = 10_000
"""The longest text a wish may hold: all of it goes into the journal."""

_W = TypeVar("_W", bound=msgspec.Struct)


def _plain_types(hint: Any) -> frozenset[type]:
    """The exact types a field may hold; a tuple of levels counts as a tuple."""
    parts = get_args(hint)
    if getattr(hint, "__origin__", None) is tuple:
        return frozenset({tuple})
    found = frozenset(part if isinstance(part, type) else NoneType for part in parts or (hint,))
    return found | {int} if float in found else found


_FIELDS: dict[type, tuple[tuple[str, frozenset[type]], ...]] = {
    struct: tuple((name, _plain_types(hint)) for name, hint in get_type_hints(struct).items())
    for struct in (*WISHES, QuoteLevel)
}
_READ = {struct: attrgetter(*(name for name, _ in fields)) for struct, fields in _FIELDS.items()}
_NUMBERS = {
    struct: tuple(i for i, (_, types) in enumerate(fields) if int in types and float not in types)
    for struct, fields in _FIELDS.items()
}
_TEXTS = {
    struct: tuple(i for i, (_, types) in enumerate(fields) if str in types)
    for struct, fields in _FIELDS.items()
}
_NESTED = {struct for struct, fields in _FIELDS.items() if any(tuple in t for _, t in fields)}
_SEEN: dict[type, set[tuple[type, ...]]] = {struct: set() for struct in _FIELDS}
"""Combinations of field types that were checked before: most wishes need no second look."""


def checked(wish: _W) -> _W:
    """The wish, its numbers made plain.

    Raises:
        TypeError: a field holds something else than it says.
    """
    struct = type(wish)
    if struct is Quotes and _plain(wish):  # type: ignore[arg-type]
        return wish
    values = _READ[struct](wish)
    kinds = tuple(map(type, values))
    if kinds not in _SEEN[struct]:
        changes = {
            name: _converted(wish, name, value, types)
            for (name, types), value in zip(_FIELDS[struct], values, strict=True)
            if type(value) not in types
        }
        if changes:
            return checked(msgspec.structs.replace(wish, **changes))
        _SEEN[struct].add(kinds)
    for i in _NUMBERS[struct]:
        value = values[i]
        if value is not None and not -INT64_SAFE < value < INT64_SAFE:
            raise TypeError(f"{struct.__name__} with {_FIELDS[struct][i][0]} {value}, beyond 2^62")
    for i in _TEXTS[struct]:
        _check_text(struct.__name__, _FIELDS[struct][i][0], values[i])
    return _with_levels(wish) if struct in _NESTED else wish


def _plain(quotes: Quotes) -> bool:
    """Whether nothing in quotes needs a second look: of all wishes there are most of these."""
    token, reason, ttl = quotes.token, quotes.reason, quotes.ttl
    if not (
        type(token) is str and type(reason) is str and len(token) + len(reason) <= MOST_TEXT
        and token.isascii() and reason.isascii() and type(ttl) is int
        and -INT64_SAFE < ttl < INT64_SAFE and type(quotes.post_only) is bool
    ):  # fmt: skip
        return False
    for levels in (quotes.bids, quotes.asks):
        if type(levels) is not tuple:
            return False
        for level in levels:
            if type(level) is not QuoteLevel:
                return False
            price, size = level.price, level.size
            if type(price) is not int or type(size) is not int:
                return False
            if not (-INT64_SAFE < price < INT64_SAFE and -INT64_SAFE < size < INT64_SAFE):
                return False
    return True


def _check_text(struct: str, name: str, text: str) -> None:
    if len(text) > MOST_TEXT:
        raise TypeError(f"{struct} with a {name} of {len(text):,} characters, beyond {MOST_TEXT:,}")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise TypeError(f"{struct} with {name} {text[:40]!r}, which is no text") from None


def _with_levels(wish: _W) -> _W:
    changes: dict[str, Any] = {}
    for name, types in _FIELDS[type(wish)]:
        if tuple in types:
            old = getattr(wish, name)
            new = tuple(checked(_level(wish, name, level)) for level in old)
            if any(a is not b for a, b in zip(new, old, strict=True)):
                changes[name] = new
    return msgspec.structs.replace(wish, **changes) if changes else wish


def _level(wish: msgspec.Struct, name: str, level: Any) -> QuoteLevel:
    if type(level) is not QuoteLevel:
        raise TypeError(f"{type(wish).__name__} with {level!r} in {name}, where QuoteLevel stands")
    return level


def _converted(wish: msgspec.Struct, name: str, value: Any, types: frozenset[type]) -> Any:
    if str in types and isinstance(value, str):
        return str(value)
    if float in types and isinstance(value, float):
        return float(value)
    if int in types and hasattr(value, "__index__") and not isinstance(value, bool):
        return int(value)
    wanted = " or ".join(sorted("None" if t is NoneType else t.__name__ for t in types))
    raise TypeError(
        f"{type(wish).__name__} with {name} {value!r} ({type(value).__name__}, not {wanted})"
    )
