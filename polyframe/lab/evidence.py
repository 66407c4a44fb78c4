"""Tables that say how far to trust a result: baselines, other readings, chance, worst cases."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from polyframe.lab.cells import colour, new_table, number, percent, signed, span
from polyframe.lab.schema import Report, Robustness


def beside_the_result(report: Report) -> Iterable[RenderableType]:
    """The tables that an older report lacks are left out."""
    if report.baselines:
        yield Padding(_baselines(report), (1, 0, 0, 0))
    found = report.robustness
    if found is None:
        return
    if found.variants:
        yield Padding(_variants(found), (1, 0, 0, 0))
    if found.replays:
        yield Padding(_replays(found), (1, 0, 0, 0))
    if found.simulated:
        yield Padding(_simulated(found), (1, 0, 0, 0))
    if found.worst:
        yield Padding(_worst(found), (1, 0, 0, 0))


def _money(value: float | None) -> Text:
    return Text("-") if value is None else Text(f"{value:+z,.2f}", colour(value))


def _notes(rows: Iterable[tuple[str, str]]) -> list[RenderableType]:
    return [Text(f"{name}: {note}.", style="dim") for name, note in rows if note]


def _baselines(report: Report) -> RenderableType:
    table = new_table("Beside the result", "what", ("result", "95% by chance", "Brier", "log"))
    for row in report.baselines:
        table.add_row(
            Text(row.name),
            _money(row.pnl),
            span(row.low, row.high),
            number(row.brier, 4),
            number(row.log_score, 4),
        )
    lines = _notes(
        (row.name[0].upper() + row.name[1:], row.note)
        for row in report.baselines
        if row.pnl is None or row.bets
    )
    for row in report.baselines:
        if row.own_pnl is not None and row.beaten is not None:
            lines.append(
                Text(
                    f"This run's sides held to the end: {row.own_pnl:+z,.2f}, more than "
                    f"{row.beaten:.0%} of the random ones.",
                    style="dim",
                )
            )
    return Group(table, *lines)


def _variants(found: Robustness) -> RenderableType:
    table = new_table(
        "The same fills, read again", "result", ("total", "per event", "95% interval")
    )
    for row in found.variants:
        interval = row.per_event
        table.add_row(
            Text(row.name),
            Text(signed(row.pnl), colour(float(row.pnl))),
            f"{interval.mean:+,.4g}",
            "-" if interval.low is None else f"[{interval.low:+,.4g}, {interval.high:+,.4g}]",
        )
    notes = _notes((row.name[0].upper() + row.name[1:], row.note) for row in found.variants)
    return Group(table, *notes)


def _replays(found: Robustness) -> RenderableType:
    table = new_table(
        "The same run once more, but", "what", ("fills", "total", "per event", "95% interval")
    )
    for row in (row for row in found.replays if row.pnl is not None or row is found.replays[0]):
        interval = row.per_event
        if row.pnl is None or interval is None:
            table.add_row(Text(row.name), "-", "-", "-", "-")
            continue
        table.add_row(
            Text(row.name),
            f"{row.fills:,}",
            Text(signed(row.pnl), colour(float(row.pnl))),
            f"{interval.mean:+,.4g}",
            "-" if interval.low is None else f"[{interval.low:+,.4g}, {interval.high:+,.4g}]",
        )
    left = [row for row in found.replays[1:] if row.pnl is None]
    notes = _notes(
        (row.name[0].upper() + row.name[1:], row.note) for row in found.replays if row not in left
    )
    for note in dict.fromkeys(row.note for row in left):
        names = ", ".join(row.name for row in left if row.note == note)
        notes += _notes([(names[0].upper() + names[1:], note)])
    return Group(table, *notes)


def _simulated(found: Robustness) -> RenderableType:
    draws = max(row.draws for row in found.simulated)
    table = new_table(
        f"Simulated, {draws:,} draws each", "what", ("this run", "mean", "90% of draws", "below")
    )
    for row in found.simulated:
        if not row.draws:
            continue
        table.add_row(
            Text(row.name),
            _money(row.actual) if not row.name.startswith("drawdown") else number(row.actual),
            _money(row.mean) if not row.name.startswith("drawdown") else number(row.mean),
            span(row.low, row.high),
            "-" if row.below is None else f"{row.below:.0%}",
        )
    notes = _notes((row.name[0].upper() + row.name[1:], row.note) for row in found.simulated)
    line = Text("The result should lie between the market and the claims; it lies ", style="dim")
    line.append(f"{found.between}.")
    return Group(table, *notes, *([line] if found.between.startswith(_PLACES) else []))


_PLACES = ("between", "below", "above")


def _worst(found: Robustness) -> RenderableType:
    when = f", {found.peak[:16].replace('T', ' ')} UTC" if found.peak else ""
    table = new_table(f"Worst cases at the peak of exposure{when}", "case", ("result", "of equity"))
    for row in found.worst:
        name = Text(row.name)
        if row.note:
            name.append(f"  {row.note}", "dim")
        figure = Text("-") if row.pnl is None else Text(signed(row.pnl), colour(float(row.pnl)))
        table.add_row(name, figure, percent(row.share))
    return table
