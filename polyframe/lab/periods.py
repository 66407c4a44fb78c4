"""Round trips added up by the day, week or month in which they ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

from polyframe.lab.schema import RoundTrip, Slice

Period: TypeAlias = Literal["day", "week", "month"]
LEFT_OPEN = "left open"

_FIRST: dict[Period, Callable[[date], date]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
}


def by_period(trips: Sequence[RoundTrip], period: Period) -> list[Slice]:
    """One slice a UTC day, week (named by its Monday) or month, in order of time.

    Round trips that nothing closed come last, valued at the bid. The slices sum to the result.
    """
    groups: dict[str, list[RoundTrip]] = {}
    for trip in trips:
        name = LEFT_OPEN
        if trip.closed is not None:
            first = _FIRST[period](date.fromisoformat(trip.closed[:10])).isoformat()
            name = first[:7] if period == "month" else first
        groups.setdefault(name, []).append(trip)
    return [_slice(name, groups[name]) for name in sorted(groups)]


def by_key(trips: Sequence[RoundTrip], key: Callable[[RoundTrip], str]) -> list[Slice]:
    """One slice a name, the best result first."""
    groups: dict[str, list[RoundTrip]] = {}
    for trip in trips:
        groups.setdefault(key(trip), []).append(trip)
    slices = [_slice(name, rows) for name, rows in groups.items()]
    return sorted(slices, key=lambda row: (-Decimal(row.pnl), row.name))


def _slice(name: str, rows: Sequence[RoundTrip]) -> Slice:
    staked = sum(Decimal(trip.staked) for trip in rows)
    pnl = sum(Decimal(trip.pnl) for trip in rows)
    return Slice(
        name=name,
        trips=len(rows),
        events=len({trip.event for trip in rows}),
        won=sum(1 for trip in rows if Decimal(trip.pnl) > 0),
        staked=str(staked),
        fees=str(sum(Decimal(trip.fees) for trip in rows)),
        pnl=str(pnl),
        return_on_stake=float(pnl / staked) if staked else None,
    )
