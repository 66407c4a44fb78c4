"""Ranges of days as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from polyframe.domain.units import DAY, Ns

_RANGES = (
    re.compile(r"(\d{4}-\d\d-\d\d)?\.\.(\d{4}-\d\d-\d\d)?"),
    re.compile(r"(\d{8})?-(\d{8})?"),
)


def parse_timerange(text: str) -> tuple[Ns | None, Ns | None]:
    """First and last moment (ns, end excluded) of ``2026-01-01..2026-03-01`` or ``20260101-``.

    Days are UTC. The end day belongs to the range.

    Raises:
        ValueError: another form, or an empty range.
    """
    if not text:
        return None, None
    match = next((m for form in _RANGES if (m := form.fullmatch(text))), None)
    if match is None or not any(match.groups()):
        raise ValueError("a range of days like 2026-01-01..2026-03-01 or 20260101-20260301")
    start = _day(match[1]) if match[1] else None
    end = _day(match[2]) + DAY if match[2] else None
    if start is not None and end is not None and start >= end:
        raise ValueError("a range that begins before it ends")
    return start, end


def _day(text: str) -> Ns:
    try:
        day = datetime.strptime(text.replace("-", ""), "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"a range of days that exist; {text} does not") from None
    return (day - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1_000
