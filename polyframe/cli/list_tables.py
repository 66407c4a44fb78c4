"""What ``polyframe list`` prints for a person."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from polyframe.cli.data_tables import plain_table
from polyframe.domain.plain import one_line
from polyframe.store.moments import show_time

if TYPE_CHECKING:
    from polyframe.lab.stored import RunLine
    from polyframe.runtime.plugins import Broken, Registered
    from polyframe.store.choosing import MarketLine

WIDE = 110
"""Columns from which a list shows all it has."""


def plugin_list(found: Sequence[Registered], broken: Sequence[Broken], *, verbose: bool) -> Any:
    """One line a plugin, with its settings below it when asked for; then what is broken."""
    parts: list[Any] = []
    if verbose:
        parts = [part for one in found for part in _with_settings(one)]
    else:
        parts.append(_plugin_table(found))
    if not found:
        parts = [Text("There is none.")]
    for one in broken:
        parts.append(Text.assemble(("broken  ", "red"), f"{one.place}: {one.error}"))
    if broken:
        parts.append(Text("Next: polyframe plugins --broken"))
    return Group(*parts)


def _plugin_table(found: Sequence[Registered]) -> Table:
    from polyframe.runtime.describing import came_from, first_line

    table = plain_table()
    table.add_column("name", no_wrap=True, style="cyan")
    table.add_column("from", overflow="fold", max_width=24)
    table.add_column("what it does", overflow="fold")
    for one in found:
        table.add_row(Text(one.name), Text(came_from(one)), Text(first_line(one)))
    return table


def _with_settings(one: Registered) -> list[Any]:
    from polyframe.runtime.describing import came_from, first_line, range_text, settings

    head = Text.assemble((one.name, "bold cyan"), f"  {came_from(one)}")
    parts: list[Any] = [head]
    if said := first_line(one):
        parts.append(Padding(Text(said), (0, 0, 0, 2)))
    table = plain_table()
    for name in ("setting", "default", "searched"):
        table.add_column(name, overflow="fold")
    for setting in settings(one.cls.Config):
        default = "(to be stated)" if setting["required"] else str(setting["default"])
        table.add_row(Text(setting["name"]), Text(default), Text(range_text(setting["search"])))
    nothing = Text("nothing to set", style="dim")
    return [*parts, Padding(table if table.row_count else nothing, (0, 0, 1, 2))]


def market_list(lines: Sequence[MarketLine], found: int, path: Path, width: int) -> Any:
    """One line a market; where there is little room, what a command needs of it."""
    if not lines:
        return Group(
            Text(f"No market of {path} passes these filters."), Text("Next: polyframe list markets")
        )
    wide = width >= WIDE
    table = plain_table()
    room = min(max(len(line.id) for line in lines), 44 if wide else 30)
    # What the other columns and the gaps between them take.
    rest = width - room - (56 if wide else 24)
    table.add_column("id", overflow="fold", min_width=room, max_width=room)
    table.add_column("question", overflow="fold", max_width=max(rest, 12))
    if wide:
        table.add_column("category", overflow="fold", max_width=12)
    table.add_column("closes", no_wrap=True)
    if wide:
        table.add_column("ended", overflow="fold", max_width=10)
    for name in ("prices", "forecasts") if wide else ("prices",):
        table.add_column(name, justify="right", no_wrap=True)
    for line in lines:
        closes = show_time(line.closes)[:10] if line.closes else "never"
        cells = [Text(line.id), Text(one_line(line.question)), Text(line.category),
                 Text(closes), Text(line.outcome or "-"),
                 Text(f"{line.prices:,}"), Text(f"{line.forecasts:,}")]  # fmt: skip
        table.add_row(*(cells if wide else (cells[n] for n in (0, 1, 3, 5))))
    return Group(table, _more(len(lines), found, f"in {path}"))


def run_list(lines: Sequence[RunLine], found: int, runs: Path, width: int) -> Any:
    """One line a run; where there is little room, without its period."""
    if not lines:
        return Group(
            Text(f"No run is stored in {runs}."),
            Text("Next: polyframe backtest --strategy LLMForecast"),
        )
    wide = width >= WIDE
    table = plain_table()
    table.add_column("run", no_wrap=True)
    table.add_column("strategy", overflow="fold")
    if wide:
        table.add_column("period", no_wrap=True)
    for name in ("result", "95% interval", "N", "tried") if wide else ("result", "95% interval"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in lines:
        cells = [Text(line.run), *_run_cells(line)]
        table.add_row(*(cells if wide else (cells[n] for n in (0, 1, 3, 4))))
    told = [
        Text.assemble(("broken  ", "red"), f"{line.run}: {one_line(line.broken, 200)}")
        for line in lines
        if line.broken
    ]
    return Group(table, *told, _more(len(lines), found, f"in {runs}"))


def _run_cells(line: RunLine) -> list[Text]:
    if line.broken:
        return [Text("broken", "red"), *[Text("")] * 5]
    return [
        Text(" + ".join(line.strategies)), Text(_period(line)), _signed(line.pnl),
        Text(_span(line)), Text(f"{line.effective_n:,}"),
        Text("-" if line.trials is None else f"{line.trials:,}"),
    ]  # fmt: skip


def _period(line: RunLine) -> str:
    return f"{line.start[2:10]}..{line.end[2:10]}" if line.start and line.end else "-"


def _signed(text: str | None) -> Text:
    if text is None:
        return Text("-")
    value = Decimal(text)
    return Text(f"{value:+z,.2f}", "green" if value > 0 else "red" if value < 0 else "")


def _span(line: RunLine) -> str:
    if line.low is None or line.high is None:
        return "-"
    return f"[{line.low:+,.0f}, {line.high:+,.0f}]"


def _more(shown: int, found: int, where: str) -> Text:
    told = f"{found:,} {where}" if shown == found else f"{shown:,} of {found:,} {where}"
    return Text(told + ("" if shown == found else "; --limit 0 shows all"), style="dim")
