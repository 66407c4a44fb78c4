"""What ``polyframe lookahead`` prints for a person."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from polyframe.cli.data_tables import plain_table
from polyframe.domain.units import SECOND

if TYPE_CHECKING:
    from rich.table import Table

    from polyframe.lab.causal import Recursion, Truncation
    from polyframe.lab.lookahead import Lookahead
    from polyframe.lab.prefix import Prefixes

USUAL = (
    "Usual causes: shift(-1), rolling(center=True), bfill(), a mean or maximum over the whole "
    "column, resample() joined without as_known()."
)
MOST_DIFFERENCES = 5


def lookahead_page(found: Lookahead) -> Any:
    """The verdict, then what each check saw."""
    colour = "green" if found.clean else "red"
    parts: list[Any] = [Text(found.verdict, f"bold {colour}")]
    if found.features is not None:
        parts += ["", *_features(found.features)]
    if found.history is not None:
        parts += ["", *_history(found.history, found.tolerance)]
    if found.decisions is not None:
        parts += ["", *_decisions(found.decisions)]
    return Group(*parts)


def _features(found: Truncation) -> list[Any]:
    table = plain_table(f"Features on bars cut at {found.cuts} random rows")
    for name in ("column", "decides", "cuts changed", "rows", "first at", "whole", "cut"):
        table.add_column(name, justify="right" if name in {"cuts changed", "rows"} else "left")
    leaks = {leak.column: leak for leak in found.leaks}
    for column in found.columns:
        leak = leaks.pop(column, None)
        decides = "yes" if column in {"enter", "exit", "wake"} else ""
        if leak is None or leak.first is None:
            table.add_row(column, decides, "0", "0", "", "", "")
        else:
            table.add_row(
                column, decides, str(leak.changed), f"{leak.rows:,}",
                f"{leak.first.market} {leak.first.ts[:16]}", leak.first.whole[:10],
                leak.first.cut[:10], style="red",
            )  # fmt: skip
    said = [
        (found.unstable, "answered differently for the same bars"),
        (found.remembering, "depends on which markets were computed before"),
        (found.overwritten, "came back changed: add columns, leave the given ones"),
    ]
    lines = [Text(f"{', '.join(names)}: {what}", "red") for names, what in said if names]
    return [table, *lines, *([Text(USUAL, "dim")] if found.leaks else [])]


def _history(found: Recursion, tolerance: float) -> list[Any]:
    if not found.lengths:
        return [Text("Too few bars to compare lengths of history.", "dim")]
    table = plain_table(f"How much history features need ({found.rows} rows)")
    table.add_column("bars", justify="right")
    table.add_column("signals that differ", justify="right")
    columns = sorted(found.lengths[0].off)
    for name in columns:
        table.add_column(name, justify="right")
    for length in found.lengths:
        cells = [_share(length.off[name]) for name in columns]
        table.add_row(f"{length.bars:,}", str(length.signals), *cells)
    return [table, Text(_advice(found, tolerance), "dim")]


def _advice(found: Recursion, tolerance: float) -> str:
    declared = f"startup_bars is {found.declared}" if found.declared else "startup_bars is not set"
    if found.enough is None:
        return f"No length looked at brings every column within {tolerance:.2%}; {declared}."
    if found.declared >= found.enough:
        return f"{declared}: enough."
    return f"startup_bars = {found.enough} brings every column within {tolerance:.2%}; {declared}."


def _decisions(found: Prefixes) -> list[Any]:
    told = f"Decisions on data cut at {found.cuts} random moments: {found.decisions:,} in all"
    if not found.differences:
        return [Text(f"{told}, the same up to every cut.")]
    table: Table = plain_table(told)
    for name in ("cut at", "first difference", "with all data", "with the cut data"):
        table.add_column(name)
    for row in found.differences[:MOST_DIFFERENCES]:
        table.add_row(_moment(row.cut), _moment(row.ts), row.whole, row.part)
    return [table]


def _share(off: float) -> str:
    if off == 0.0:
        return "0"
    return f"{off:.1e}" if off < 1e-4 else f"{off:.2%}"


def _moment(ts: int) -> str:
    return f"{datetime.fromtimestamp(ts / SECOND, UTC):%Y-%m-%d %H:%M:%S}"
