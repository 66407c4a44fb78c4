"""What the import of a recording prints for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from shlex import quote
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from polyframe.cli.data_tables import plain_table
from polyframe.domain.plain import shortened
from polyframe.store.moments import show_time

if TYPE_CHECKING:
    from polyframe.store.tape_import import TapeReport


def tape_table(report: TapeReport, width: int) -> Any:
    """Rows by file, what became of them, and why books are not to be trusted."""
    title = f"{report.format} of {report.source} into {report.into}"
    table = plain_table()
    table.add_column("file", overflow="fold")
    table.add_column("rows", justify="right")
    table.add_column("set aside", justify="right")
    for file in report.files:
        table.add_row(file.file, f"{file.rows:,}", f"{sum(file.set_aside.values()):,}")
    if report.known:
        return Text(f"{report.segment} holds these files already; nothing was written.")
    span = f"{show_time(report.first)} to {show_time(report.last)}"
    told = (
        f"{report.rows:,} rows of {report.instruments:,} instruments, {span}, in {report.segment}"
    )
    parts: list[Any] = [Text(title, "bold"), table, "", Text(told)]
    if report.unknown:
        some = ", ".join(shortened(name, width // 2) for name in list(report.unknown)[:3])
        lost = f"{sum(report.unknown.values()):,} rows of {len(report.unknown):,} markets that the "
        lost += f"catalogue lacks are left out ({some}). Next: polyframe data import markets FILE "
        parts += ["", Text(lost + f"--map MAP.json --into {quote(report.into)}", "yellow")]
    reasons: Counter[str] = Counter()
    for file in report.files:
        reasons.update(file.set_aside)
    for title, counts in (
        ("books not to be trusted before their next snapshot", report.clears),
        ("noticed", report.notes),
        ("set aside", reasons),
    ):
        if counts:
            parts += ["", Text(title, "bold"), _counted(counts)]
    if report.set_aside_file:
        parts.append(Text(f"They stand in {report.set_aside_file}", "dim"))
    return Group(*parts)


def _counted(counts: Mapping[str, int]) -> Any:
    table = plain_table()
    table.add_column("times", justify="right")
    table.add_column("what", overflow="fold")
    for what, count in counts.items():
        table.add_row(f"{count:,}", what)
    return table
