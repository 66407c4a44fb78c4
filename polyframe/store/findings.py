"""What a check finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """the data cannot be used as it is"""
    WARNING = "warning"
    """usable; results that lean on it deserve doubt"""
    INFO = "info"
    """worth knowing"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. ``market`` is empty where it concerns a whole file."""

    severity: Severity
    check: str
    file: str
    message: str
    market: str = ""
    rows: int = 1


@dataclass(frozen=True, slots=True)
class Unquoted:
    """How many rows of a price file carry each flag."""

    file: str
    rows: int
    unquoted: int
    """rows that never trade"""
    flags: dict[str, int]
    """rows by flag; a row may carry several"""


def per_market(
    severity: Severity, check: str, file: str, rows: DataFrame, message: str
) -> Iterator[Finding]:
    """One finding for every market among the rows; ``market_id`` names them."""
    counts: Any = rows["market_id"].fillna("").value_counts(sort=False)
    for market, count in counts.items():
        yield Finding(severity, check, file, message, str(market), int(count))
