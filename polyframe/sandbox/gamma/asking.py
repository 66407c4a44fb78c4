"""What a request to Gamma asks for; what cannot be meant is answered as Gamma answers it.

Source: the texts are those of answers quoted in issues of Polymarket/py-sdk and others in 2026.
Where no text is known it says which parameter is invalid, in the same form.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import isfinite
from typing import Final

from polyframe.domain.units import SECOND, Ns
from polyframe.sandbox.door import Asked, Turned

YES: Final = frozenset({"true", "1", "t"})
NO: Final = frozenset({"false", "0", "f"})
MOST_DIGITS: Final = 18
MOST_VALUES: Final = 100
"""of one repeated parameter"""


def invalid(what: str) -> Turned:
    """Gamma's answer to what it cannot use."""
    return Turned(422, what, type="validation error")


def missing(what: str) -> Turned:
    """Gamma's answer to what there is not."""
    return Turned(404, f"{what} not found", type="not found error")


def flag(asked: Asked, name: str, default: bool | None = None) -> bool | None:
    """The truth of a parameter.

    Raises:
        Turned: 422, it is neither true nor false.
    """
    text = asked.one(name).lower()
    if not text:
        return default
    if text in YES:
        return True
    if text in NO:
        return False
    raise invalid(f"{name} is invalid")


def whole(asked: Asked, name: str, default: int, least: int, most: int) -> int:
    """The whole number of a parameter.

    Raises:
        Turned: 422, it is none or out of range.
    """
    text = asked.one(name)
    if not text:
        return default
    number = _digits(text)
    if number is None or not least <= number <= most:
        raise invalid(f"{name} is invalid")
    return number


def number(asked: Asked, name: str) -> float | None:
    """The number of a parameter, None without one.

    Raises:
        Turned: 422, it is none.
    """
    text = asked.one(name)
    if not text:
        return None
    try:
        found = float(text)
    except ValueError as error:
        raise invalid(f"{name} is invalid") from error
    if not isfinite(found):
        raise invalid(f"{name} is invalid")
    return found


def texts(asked: Asked, name: str) -> list[str]:
    """Every value of a repeated parameter, without empty ones.

    Raises:
        Turned: 422, there are too many.
    """
    found = [value for value in asked.parameters.get(name, []) if value]
    if len(found) > MOST_VALUES:
        raise invalid(f"{name} accepts at most {MOST_VALUES} values")
    return found


def ids(asked: Asked, name: str) -> set[int]:
    """Every id of a repeated parameter.

    Raises:
        Turned: 422, one is no number.
    """
    found = [_digits(text) for text in texts(asked, name)]
    if None in found:
        raise invalid(f"{name} is invalid")
    return {id for id in found if id is not None}


def moment(asked: Asked, name: str) -> Ns | None:
    """The time of a parameter, as RFC 3339 writes it or a day alone; None without one.

    Raises:
        Turned: 422, it is none.
    """
    # A plus sign that was not encoded arrives as a space.
    text = asked.one(name).replace(" ", "+") if "T" in asked.one(name) else asked.one(name)
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        return int(found.timestamp()) * SECOND
    except (ValueError, OverflowError) as error:
        raise invalid(f"{name} is invalid") from error


def one_of(asked: Asked, name: str, allowed: tuple[str, ...]) -> str:
    """A word of a closed set, "" without one.

    Raises:
        Turned: 422, it is another.
    """
    text = asked.one(name)
    if text and text not in allowed:
        raise invalid(f"{name} must be one of: {', '.join(allowed)}")
    return text


def id_in(asked: Asked, name: str = "id") -> int:
    """The id in the path.

    Raises:
        Turned: 422, it is no number, or one that is too long.
    """
    found = _digits(asked.values[name])
    if found is None:
        raise invalid(f"{name} is invalid")
    return found


def slug_in(asked: Asked) -> str:
    """The slug in the path.

    Raises:
        Turned: 422, it holds what no slug does.
    """
    slug = asked.values["slug"]
    if not slug or not all(sign.isalnum() or sign in "-_." for sign in slug):
        raise invalid("slug is invalid")
    return slug


def _digits(text: str) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS:
        return int(text)
    return None
