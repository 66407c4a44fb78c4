"""Rows of figures: how they are made, timed and printed."""

from __future__ import annotations

import json
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

MOST_COLUMNS = 6
COLUMNS = ("peer", "workload", "events", "unit", "seconds", "rate", "rss_mb", "note")


@dataclass(frozen=True)
class Figure:
    """One measurement. ``rate`` is events a second; ``more`` holds whatever else is worth knowing.

    A row without ``seconds`` says in ``more["note"]`` why nothing was measured.
    """

    peer: str
    workload: str
    events: float
    unit: str
    seconds: float | None
    setup_s: float = 0.0
    rss_mb: float = 0.0
    py: str = platform.python_version()
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def rate(self) -> float | None:
        return self.events / self.seconds if self.seconds else None

    def row(self) -> dict[str, Any]:
        """The figure in the form every harness here shares."""
        fields = asdict(self)
        more = fields.pop("more")
        rate = None if self.rate is None else round(self.rate, 1)
        seconds = None if self.seconds is None else round(self.seconds, 6)
        return fields | {"seconds": seconds, "rate": rate} | more


def figure(
    workload: str,
    events: float,
    seconds: float | None,
    *,
    peer: str = "polyframe",
    unit: str = "events",
    setup_s: float = 0.0,
    rss_mb: float | None = None,
    **more: Any,
) -> Figure:
    """A measurement made in this process, unless its memory is given."""
    rss = peak_rss_mb() if rss_mb is None else rss_mb
    return Figure(peer, workload, events, unit, seconds, round(setup_s, 3), rss, more=more)


def missing(peer: str, workload: str, note: str) -> Figure:
    """A row that says why there is no measurement."""
    return Figure(peer, workload, 0, "", None, more={"note": note})


def peak_rss_mb(who: int = resource.RUSAGE_SELF) -> float:
    """The greatest memory this process (or its children) has held so far, in MB."""
    kilobytes = resource.getrusage(who).ru_maxrss
    return round(kilobytes / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


@dataclass(frozen=True)
class Times:
    """Seconds of repeated runs, and what the last one returned."""

    seconds: list[float]
    result: Any

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def spread(self) -> dict[str, float]:
        """The least and the greatest, for a figure's further columns."""
        return {"min_s": round(min(self.seconds), 6), "max_s": round(max(self.seconds), 6)}


def timed(work: Callable[[], Any], runs: int, *, warm: int = 1) -> Times:
    """Times ``work`` after ``warm`` runs that are not counted (compilation, caches)."""
    result: Any = None
    for _ in range(warm):
        result = work()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return Times(seconds, result)


def print_json(figures: Iterable[Figure]) -> None:
    """One JSON object a line."""
    for one in figures:
        print(json.dumps(one.row(), default=float), flush=True)


def print_table(figures: Iterable[Figure]) -> None:
    """A table for a person; columns that hold nothing are left out."""
    from rich.console import Console
    from rich.table import Table

    rows = [one.row() for one in figures]
    used = [name for name in COLUMNS if any(row.get(name) not in (None, "", 0) for row in rows)]
    extra = sorted({k for row in rows for k in row} - {*COLUMNS, "py", "setup_s", "min_s", "max_s"})
    # Many columns of a few values each would leave no room for words.
    folded = extra if len(extra) > MOST_COLUMNS else []
    names = (*used, *(() if folded else extra))
    table = Table(*names, *(["more"] if folded else []), title_justify="left",
                  title=f"Python {platform.python_version()}")  # fmt: skip
    for row in rows:
        more = "\n".join(f"{name} {_shown(row[name])}" for name in folded if name in row)
        table.add_row(*[_shown(row.get(name)) for name in names], *([more] if folded else []))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
