"""Runs side by side in the terminal, the interval beside each result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from polyframe.lab.cells import amount, colour, new_table, number, signed, span
from polyframe.lab.comparing import APART, LEVEL, Comparison, Line

WIDE = 120
MOST = 120
"""No table is wider than this."""

_RESULT = ("result", "95% interval", "N", "trades", "won")
_CONDUCT = ("profit factor", "max drawdown", "fees", "exposure")


def render_comparison(found: Comparison, console: Console, *, synthetic: bool = False) -> None:
    """Prints a comparison. Made for 80 columns and more."""
    width = min(console.width, MOST)
    for part in _parts(found, width, synthetic):
        console.print(part, width=width, highlight=False)


def _parts(found: Comparison, width: int, synthetic: bool) -> Iterable[RenderableType]:
    if synthetic:
        yield Text.assemble(
            (" SYNTHETIC DATA ", "bold black on yellow"),
            ("  generated prices and forecasts; no market traded at them", "yellow"),
        )
    done = [line for line in found.lines if not line.failed]
    yield from tables("Each strategy alone on the same cash, after costs", done, width)
    if found.differences:
        yield Padding(_differences(found), (1, 0, 0, 0))
    if len(done) > 1:
        yield _sentence(found)
    if found.trials > len(done):
        told = (
            f"{found.trials:,} different runs were tried on this data; the best of many is lucky."
        )
        yield Text(told, style="dim")
    for line in found.lines:
        if line.failed:
            yield Text.assemble(("Failed: ", "bold red"), f"{line.name}: {line.failed}")
    for line in done:
        kept = "from cache, run" if line.reused else "run"
        yield Text(f"{line.name}: {kept} {line.run or '(not stored)'}", style="dim")


def tables(title: str, lines: Sequence[Line], width: int) -> Iterable[RenderableType]:
    """The lines as one table, or as two where one would not fit."""
    if not lines:
        return
    if width >= WIDE:
        yield _table(title, (*_RESULT, *_CONDUCT), [(n, _result(n) + _conduct(n)) for n in lines])
        return
    yield _table(title, _RESULT, [(line, _result(line)) for line in lines])
    conduct = [(line, _conduct(line)) for line in lines]
    yield Padding(_table("What it took", _CONDUCT, conduct), (1, 0, 0, 0))


def _table(
    title: str, columns: Sequence[str], rows: Iterable[tuple[Line, list[RenderableType]]]
) -> Table:
    table = new_table(title, "strategy", columns)
    for line, cells in rows:
        name = Text(f"* {line.name}", "bold") if line.best else Text(line.name)
        table.add_row(name, *cells)
    return table


def _result(line: Line) -> list[RenderableType]:
    pnl = line.pnl or "0"
    return [
        Text(signed(pnl), colour(float(pnl))),
        span(line.low, line.high),
        f"{line.effective_n:,}",
        f"{line.trips:,}",
        "-" if line.win_rate is None else f"{line.win_rate:.0%}",
    ]


def _conduct(line: Line) -> list[RenderableType]:
    share = "" if line.drawdown_share is None else f" ({line.drawdown_share:.1%})"
    return [
        number(line.profit_factor),
        "-" if line.drawdown is None else amount(line.drawdown) + share,
        amount(line.fees),
        "-" if line.exposure is None else f"{line.exposure:.1%}",
    ]


def _differences(found: Comparison) -> RenderableType:
    table = new_table(
        f"{found.leader} against the others, paired by event",
        "other", ("difference", f"{_level(found)} interval", "events", "verdict"),
    )  # fmt: skip
    for row in found.differences:
        table.add_row(
            Text(row.other),
            Text(f"{row.pnl:+z,.2f}", colour(row.pnl)),
            span(row.low, row.high),
            f"{row.events:,}",
            Text(row.verdict, "green" if row.verdict == APART else "yellow"),
        )
    if found.differences[0].level == LEVEL:
        return table
    note = f"Intervals hold for all {len(found.differences)} differences together at {LEVEL:.0%}."
    return Group(table, Text(note, style="dim"))


def _level(found: Comparison) -> str:
    return f"{found.differences[0].level * 100:.4g}%"


def _sentence(found: Comparison) -> Text:
    own = found.lines[0].verdict
    if found.distinguishable:
        return Text(
            f"* {found.leader} is better than the others by more than luck; its own result is "
            f"{own}.",
            "bold green" if own == "above zero" else "bold yellow",
        )
    near = [d.other for d in found.differences if d.verdict != APART]
    named = ", ".join(near) if len(near) <= 3 else f"{len(near)} of the others"
    return Text(
        f"No best strategy: {found.leader} is not distinguishable from {named}.", "bold yellow"
    )
