"""What a request to the Data API asks for. Both spellings of a parameter are read.

UNSURE at the venue: the texts of its refusals, but for those of the first version's offsets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

from polyframe.domain.units import SECOND, Ns
from polyframe.sandbox.door import Asked, Turned
from polyframe.sandbox.venue.records import SHARE_ONE
from polyframe.sandbox.world import World
from polyframe.sandbox.worlds.catalogue import Occasion

ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
HEX: Final = re.compile(r"0x[0-9a-fA-F]{62}(?:[0-9a-fA-F]{2})?")
MOST_CONDITIONS: Final = 20
LAST: Final = 253_402_300_799
"""seconds: the end of the year 9999"""
MOST_DIGITS: Final = 18


def bad(text: str) -> Turned:
    """The answer to what cannot be used."""
    return Turned(400, text)


def text(asked: Asked, *names: str) -> str:
    """The first value of a parameter under any of its names, "" without one."""
    for name in names:
        found = asked.one(name)
        if found:
            return found
    return ""


def texts(asked: Asked, *names: str) -> list[str]:
    """Every value of a parameter under any of its names, repeated or with commas between."""
    return [value.strip() for name in names for value in asked.many(name) if value.strip()]


def flag(asked: Asked, *names: str, default: bool = False) -> bool:
    """The truth of a parameter.

    Raises:
        Turned: 400, it is neither true nor false.
    """
    for name in names:
        found = asked.flag(name)
        if found is not None:
            return found
    return default


def number(asked: Asked, *names: str) -> float | None:
    """The amount of a parameter, None without one.

    Raises:
        Turned: 400, it is none, or below 0.
    """
    said = text(asked, *names)
    if not said:
        return None
    try:
        found = float(said)
    except ValueError as error:
        raise bad(f"invalid {names[0]}") from error
    if not isfinite(found) or found < 0:
        raise bad(f"invalid {names[0]}")
    return found


def whole(asked: Asked, *names: str, default: int, least: int = 0, most: int = 1 << 53) -> int:
    """The whole number of a parameter.

    Raises:
        Turned: 400, it is none or out of range.
    """
    said = text(asked, *names)
    if not said:
        return default
    if not (said.isascii() and said.isdigit()) or len(said) > MOST_DIGITS:
        raise bad(f"invalid {names[0]}")
    if not least <= int(said) <= most:
        raise bad(f"{names[0]} must be between {least} and {most}")
    return int(said)


def word(asked: Asked, *names: str, allowed: Sequence[str], default: str = "") -> str:
    """A word of a closed set, whatever its case.

    Raises:
        Turned: 400, it is another.
    """
    said = text(asked, *names)
    if not said:
        return default
    for known in allowed:
        if said.lower() == known.lower():
            return known
    raise bad(f"invalid {names[0]}: must be one of {', '.join(allowed)}")


def moment(asked: Asked, name: str) -> Ns | None:
    """A time in seconds, None without one.

    Raises:
        Turned: 400, it is none.
    """
    if not asked.one(name):
        return None
    return whole(asked, name, default=0, most=LAST) * SECOND


def user(asked: Asked, *, needed: bool = True) -> str | None:
    """The wallet that is asked about, in small letters.

    Raises:
        Turned: 400, it is no address, or missing where there must be one.
    """
    said = text(asked, "user", "address", "proxy_wallet", "proxyWallet")
    if not said and not needed:
        return None
    if not said:
        raise bad("required query param 'user' not provided")
    if not ADDRESS.fullmatch(said):
        raise bad("invalid user: must be a 0x-prefixed address of 40 hex digits")
    return said.lower()


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time; ``until`` is the end of what is known, or what was asked for before it."""

    start: Ns
    until: Ns


def span(asked: Asked, known: Ns) -> Span:
    """The time that is asked for, as far as it is known.

    Raises:
        Turned: 400, it ends before it begins.
    """
    start, end = moment(asked, "start"), moment(asked, "end")
    if start is not None and end is not None and end < start:
        raise bad("invalid end: must not be before start")
    until = known if end is None else min(known, end + SECOND - 1)
    return Span(start or 0, until)


def conditions(asked: Asked, world: World) -> list[str] | None:
    """The markets that are asked about, by condition or by event; None for all.

    Raises:
        Turned: 400, one has not the form of a condition, or there are too many.
    """
    named = texts(asked, "condition_id", "condition", "conditionId", "market")
    events = texts(asked, "event_id", "eventId")
    if named and events:
        raise bad("condition_id and event_id cannot be used together")
    if any(not HEX.fullmatch(name) for name in named):
        raise bad("invalid condition_id")
    distinct = list(dict.fromkeys(name.lower() for name in named))
    if len(distinct) > MOST_CONDITIONS:
        raise bad(f"condition_id accepts at most {MOST_CONDITIONS} values")
    if distinct:
        return distinct
    if not events:
        return None
    return [s.condition_id for occasion in occasions(asked, world) for s in occasion.subjects]


def occasions(asked: Asked, world: World) -> list[Occasion]:
    """The events that are asked about, those that there are.

    Raises:
        Turned: 400, an id is no number.
    """
    found: list[Occasion] = []
    for said in dict.fromkeys(texts(asked, "event_id", "eventId", "id")):
        if not (said.isascii() and said.isdigit()) or len(said) > MOST_DIGITS:
            raise bad("invalid event_id")
        occasion = world.catalogue.occasions.get(int(said))
        if occasion is not None:
            found.append(occasion)
    return found


def least(asked: Asked) -> tuple[int, int]:
    """The least money and the least shares that are asked for.

    Raises:
        Turned: 400, the kind or the amount is none.
    """
    kind = word(asked, "filter_type", "filterType", allowed=("CASH", "TOKENS"))
    amount = number(asked, "filter_amount", "filterAmount")
    if not kind or amount is None:
        return 0, 0
    units = int(min(amount, 1e12) * SHARE_ONE)
    return (units, 0) if kind == "CASH" else (0, units)
