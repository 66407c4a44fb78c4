"""Nanoseconds as text a person can read."""

from __future__ import annotations

from datetime import UTC, datetime

from polyframe.domain.units import SECOND, Ns


def show_time(ns: Ns) -> str:
    """Minutes are enough: ``2026-01-09 21:00``."""
    return datetime.fromtimestamp(ns // SECOND, UTC).strftime("%Y-%m-%d %H:%M")
