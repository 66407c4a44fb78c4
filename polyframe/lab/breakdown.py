"""A result split by whatever a person asks for: each split sums to the whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import NamedTuple, cast

from polyframe.errors import UserError
from polyframe.lab.cells import names_of
from polyframe.lab.periods import Period, by_key, by_period
from polyframe.lab.schema import Report, RoundTrip, Slice


class Split(NamedTuple):
    """A table's title, what its first column holds, and its rows."""

    title: str
    first: str
    rows: Sequence[Slice]


def _period(word: str) -> Callable[[Report], Split]:
    return lambda report: Split(
        f"Result by {word} of the close", word, by_period(report.round_trips, cast("Period", word))
    )


def _keyed(word: str, key: Callable[[RoundTrip], str]) -> Callable[[Report], Split]:
    return lambda report: Split(f"Result by {word}", word, by_key(report.round_trips, key))


def _by_market(report: Report) -> Split:
    trips = report.round_trips
    names = names_of((trip.market, trip.question or trip.market) for trip in trips)
    return Split("Result by market", "market", by_key(trips, lambda trip: names[trip.market]))


_SPLITS: dict[str, Callable[[Report], Split]] = {
    **{word: _period(word) for word in ("day", "week", "month")},
    "category": lambda r: Split("Result by category", "category", r.by_category),
    "exit": lambda r: Split("Result by how positions ended", "ended by", r.by_reason),
    "entry": _keyed("reason of the entry", lambda trip: trip.entry_reason),
    "forecaster": lambda r: Split("Result by forecaster", "newest forecast by", r.by_forecaster),
    "confidence": lambda r: Split("Result by confidence", "stated confidence", r.by_confidence),
    "market": _by_market,
    "event": _keyed("event", lambda trip: trip.event),
    "outcome": _keyed("outcome", lambda trip: trip.outcome),
    "strategy": _keyed("strategy", lambda trip: trip.ledger),
}
WORDS = tuple(_SPLITS)
"""What a result can be split by."""


def split(report: Report, word: str) -> Split:
    """The result split by one of ``WORDS``."""
    return _SPLITS[word](report)


def checked(words: Sequence[str], verb: str) -> list[str]:
    """The words, each once; a word may hold several, by commas.

    Raises:
        UserError: nothing can be split by one of them; ``verb`` is the command to try again.
    """
    parts = [part.strip().lower() for word in words for part in word.split(",")]
    for part in parts:
        if part not in _SPLITS:
            near = get_close_matches(part, WORDS, n=1)
            raise UserError(
                f"--breakdown {part!r} is nothing a result is split by",
                expected=f"{near[0]}?" if near else f"one of {', '.join(WORDS)}",
                hint=f"polyframe {verb} --breakdown {near[0] if near else 'week'}",
            )
    return list(dict.fromkeys(parts))
