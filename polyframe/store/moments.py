"""Nanoseconds as text a person can read."""

from __future__ import annotations

from datetime import UTC, datetime

from polyframe.domain.units import DAY, HOUR, MINUTE, SECOND, Ns


def show_time(ns: Ns) -> str:
    """Minutes are enough: ``2026-01-09 21:00``."""
    return datetime.fromtimestamp(ns // SECOND, UTC).strftime("%Y-%m-%d %H:%M")


def show_length(ns: Ns) -> str:
    """A length of time in its two greatest units: ``2 d 3 h``, ``1 min 29 s``, ``0.35 s``."""
    if ns < MINUTE:
        return f"{ns / SECOND:.3g} s"
    for unit, name, part, smaller in (
        (DAY, "d", HOUR, "h"),
        (HOUR, "h", MINUTE, "min"),
        (MINUTE, "min", SECOND, "s"),
    ):
        if ns >= unit:
            rest = ns % unit // part
            return f"{ns // unit} {name}" + (f" {rest} {smaller}" if rest else "")
    return ""
