"""Moments as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from polyframe.domain.units import Ns


def moment(text: str) -> Ns:
    """Ns of a moment or of the beginning of a day, UTC where nothing else is said.

    Raises:
        ValueError: it is neither.
    """
    try:
        found = datetime.fromisoformat(text)
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from error
    return (found - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1_000
