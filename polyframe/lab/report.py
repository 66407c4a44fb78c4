"""A stored run as tables in the terminal, the uncertainty of the result first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from polyframe.lab.breakdown import split
from polyframe.lab.cells import (
    amount,
    colour,
    names_of,
    new_table,
    number,
    percent,
    signed,
)
from polyframe.lab.evidence import beside_the_result
from polyframe.lab.making_tables import about_quotes, worst_replayed
from polyframe.lab.picture import write_svg
from polyframe.lab.schema import NOT_BINDING, ContaminatedScores, Report, Slice, Summary

TOP = 5
WIDTH = 100
CURVE_HEIGHT = 4
_BLOCKS = " ▁▂▃▄▅▆▇█"


def render(report: Report, console: Console, breakdown: Sequence[str] = ()) -> None:
    """Prints a report, split by words of ``lab.breakdown``. Made for 80 columns and more."""
    width = min(console.width, 120)
    for part in _parts(report, width, breakdown):
        console.print(part, width=width, highlight=False)


def save_svg(report: Report, path: Path, *, width: int = WIDTH) -> None:
    """Writes the report as an SVG picture of a terminal.

    Raises:
        UserError: the file cannot be written.
    """
    console = Console(record=True, width=width, file=StringIO(), color_system="truecolor")
    render(report, console)
    write_svg(console, path, "polyframe report")


def _parts(report: Report, width: int, breakdown: Sequence[str]) -> Iterable[RenderableType]:
    yield _headline(report)
    yield _curve(report, width)
    yield _summary(report.summary)
    if report.making is not None:
        yield from about_quotes(report.making, width)
    if report.scenarios:
        yield Padding(worst_replayed(report.scenarios), (1, 0, 0, 0))
    if report.by_category:
        for title, first, rows in (
            ("Result by category", "category", report.by_category),
            ("Result by how positions ended", "ended by", report.by_reason),
            ("Result by forecaster", "newest forecast by", report.by_forecaster),
            ("Result by confidence", "stated confidence", report.by_confidence),
        ):
            if first not in ("category", "ended by") and len(rows) < 2:
                continue  # one row says nothing that the total does not
            yield Padding(slices(title, first, rows, width), (1, 0, 0, 0))
        for word in breakdown:
            if word not in ("category", "exit"):  # they stand above
                yield Padding(slices(*split(report, word), width), (1, 0, 0, 0))
        yield _markets(report)
    yield _quality(report, width)
    yield from beside_the_result(report)
    yield _rejected(report)
    yield _beside(_forecasts(report), _refusals(report), width)
    if report.left_open:
        yield _open(report)
    for note in report.notes:
        yield Text.assemble(("note  ", "yellow"), note)
    yield _footer(report)


# ---- what comes first --------------------------------------------------------------------------


def _headline(report: Report) -> RenderableType:
    s = report.summary
    interval = s.per_event
    lines: list[RenderableType] = []
    if report.synthetic:
        lines.append(
            Text.assemble(
                (" SYNTHETIC DATA ", "bold black on yellow"),
                ("  generated prices and forecasts; no market traded at them", "yellow"),
            )
        )
    first = Text("Edge after costs  ", style="bold")
    if not s.effective_n:
        first.append("nothing was traded", "bold yellow")
        lines.append(first)
        return Panel(Group(*lines), box=box.HEAVY, border_style="yellow", title=_title(report))
    first.append(f"{interval.mean:+,.4g} per event", colour(interval.mean) + " bold")
    if interval.low is not None and interval.high is not None:
        first.append(
            f"   {interval.level:.0%} interval [{interval.low:+,.4g}, {interval.high:+,.4g}]"
        )
    style = {"above zero": "green", "below zero": "red"}.get(s.verdict, "yellow")
    lines.append(first)
    verdict = Text(s.verdict[0].upper() + s.verdict[1:], style=f"bold {style}")
    lines.append(Text.assemble(verdict, f"   N = {counted(s)}"))
    lines.append(Text(tried(s)))
    total = Text("Total  ")
    total.append(f"{signed(s.pnl)} ({s.pnl_share:+.2%})", colour(float(s.pnl)))
    total.append(f" on {amount(s.start_cash)}, {_period(s)}")
    lines.append(total)
    return Panel(Group(*lines), box=box.HEAVY, border_style=style, title=_title(report))


def counted(s: Summary) -> str:
    """How many independent events there are, and how few the money makes of them."""
    text = f"{s.effective_n:,} independent events"
    return text if s.weighted_n is None else f"{text} ({s.weighted_n:.1f} by stake)"


def tried(s: Summary) -> str:
    """How many trials were made, and what that leaves of the interval."""
    text = f"Trials tried  {s.trials:,} on this data"
    if s.adjusted is None:
        return text
    if s.adjusted.low is None or s.adjusted.high is None:
        return f"{text}; too few events to allow for them"
    return f"{text}; allowing for them [{s.adjusted.low:+,.4g}, {s.adjusted.high:+,.4g}]"


def _title(report: Report) -> str:
    return f"[bold]polyframe[/] {report.run}"


def _period(s: Summary) -> str:
    if s.start is None or s.end is None:
        return "no time passed"
    return f"{s.start[:10]} to {s.end[:10]}, {s.days:,.1f} days"


def _curve(report: Report, width: int) -> RenderableType:
    points = [float(value) for _, value in report.equity]
    if len(points) < 2 or min(points) == max(points):
        return Text("")
    columns = width - 16
    # Equity is a step function of time: each column shows the last value known by then.
    first, last = report.equity[0][0], report.equity[-1][0]
    values, at = [], 0
    for column in range(columns):
        until = first + (last - first) * (column + 1) / columns
        while at + 1 < len(points) and report.equity[at + 1][0] <= until:
            at += 1
        values.append(points[at])
    low, high = min(points), max(points)
    lines = []
    for row in reversed(range(CURVE_HEIGHT)):
        cells = [(v - low) / (high - low or 1.0) * CURVE_HEIGHT * 8 - row * 8 for v in values]
        bar = "".join(
            _BLOCKS[max(0, min(8, round(cell) + (1 if row == 0 else 0)))] for cell in cells
        )
        label = high if row == CURVE_HEIGHT - 1 else low if row == 0 else None
        text = Text(f"{label:>12,.2f} " if label is not None else " " * 13, style="dim")
        lines.append(text.append(bar, "cyan"))
    title = Text(" " * 13 + "equity, positions at the bid", style="dim")
    return Padding(Group(title, *lines), (1, 0, 0, 0))


def _summary(s: Summary) -> RenderableType:
    down, ratios, scores = s.drawdown, s.ratios, s.scores
    money = [
        ("start cash", amount(s.start_cash)),
        ("end cash", amount(s.end_cash)),
        ("end equity", amount(s.end_equity)),
        ("staked with fees", amount(s.staked)),
        ("return on stake", percent(s.return_on_stake)),
        ("fees", amount(s.fees)),
        ("spread and impact", amount(s.spread_and_impact)),
        ("turnover", amount(s.turnover)),
        ("expectancy a trip", "-" if s.expectancy is None else signed(s.expectancy)),
        ("win rate", "-" if s.win_rate is None else f"{s.win_rate:.1%}"),
        ("profit factor", number(s.profit_factor)),
    ]
    risk = [
        ("max drawdown", f"{amount(down.amount)} ({down.share:.2%})"),
        ("  trough", down.trough[:10] if down.trough else "-"),
        ("under water", f"{down.under_water:.0%}, at most {down.longest_days:.1f} d"),
        ("exposure, mean/peak", f"{s.exposure:.1%} / {s.peak_exposure:.1%}"),
        ("orders reviewed", f"{s.reviewed:,}"),
        ("  denied / shrunk", f"{s.denied:,} / {s.shrunk:,}"),
        ("fills / round trips", f"{s.fills:,} / {s.round_trips:,}"),
        ("markets / left open", f"{s.markets_traded:,} / {s.left_open:,}"),
        ("Sharpe / Sortino", f"{number(ratios.sharpe)} / {number(ratios.sortino)}"),
        ("Calmar", number(ratios.calmar)),
        ("Brier, own / market", f"{number(scores.brier_forecast, 4)} / "
         f"{number(scores.brier_market, 4)}"),
    ]  # fmt: skip
    table = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1), show_edge=False)
    for name in ("Money", "Risk and activity"):
        table.add_column(name, style="dim", no_wrap=True, ratio=1)
        table.add_column("", justify="right", no_wrap=True)
    for left, right in zip(money, risk, strict=True):
        table.add_row(*left, *right)
    parts: list[RenderableType] = [table]
    if ratios.withheld:
        parts.append(Text(f"No Sharpe, Sortino or Calmar: {ratios.withheld}.", style="dim"))
    parts.append(_judgement(s))
    if s.scores.contaminated is not None:
        parts.append(Text(contaminated(s.scores.contaminated), style="yellow"))
    return Padding(Group(*parts), (1, 0, 0, 0))


def _judgement(s: Summary) -> Text:
    found = s.scores.advantage
    if found is None:
        return Text("No forecast of a resolved market could be scored.", style="dim")
    verdict = {
        "above zero": ("the forecasts were better than the market", "green"),
        "below zero": ("the forecasts were worse than the market", "red"),
    }.get(found.verdict, ("no difference to the market can be told", "yellow"))
    text = Text("Brier, market minus forecast: ")
    text.append(f"{found.mean:+z.4f}", colour(found.mean))
    if found.low is not None:
        text.append(f" [{found.low:+z.4f}, {found.high:+z.4f}]")
    text.append(f" over {found.events} events ({s.scores.basis}): ")
    return text.append(*verdict)


def contaminated(found: ContaminatedScores) -> str:
    """What is said of forecasts whose model may have known how the question ended."""
    return (
        f"Contaminated: {found.forecasts:,} forecasts on {found.events:,} events are of questions "
        "that ended before the model's knowledge does. They are scored apart: Brier "
        f"{found.brier_forecast:.4f}, market {found.brier_market:.4f}. {found.fills:,} fills in "
        "these markets count in the result: it says nothing about the future."
    )


# ---- tables ------------------------------------------------------------------------------------


_SLICE_COLUMNS = ("trips", "events", "won", "staked", "fees", "result", "on stake")
_NARROW = (0, 2, 3, 5, 6)
"""The columns of a slice that fit beside a readable name below 90 characters."""


def _picked(cells: Sequence[RenderableType], width: int) -> list[RenderableType]:
    return [cells[n] for n in _NARROW] if width < 90 else list(cells)


def _slice_cells(row: Slice) -> list[RenderableType]:
    return [
        f"{row.trips:,}",
        f"{row.events:,}",
        f"{row.won / row.trips:.0%}" if row.trips else "-",
        amount(row.staked),
        amount(row.fees),
        Text(signed(row.pnl), colour(float(row.pnl))),
        percent(row.return_on_stake),
    ]


def slices(title: str, first: str, rows: Sequence[Slice], width: int) -> Table:
    """Slices as a table, with fewer columns where there is little room."""
    table = new_table(title, first, [str(name) for name in _picked(_SLICE_COLUMNS, width)])
    for row in rows:
        table.add_row(Text(row.name), *_picked(_slice_cells(row), width))
    return table


def _markets(report: Report) -> RenderableType:
    names = names_of((trade.market, trade.question) for trade in report.trades)
    rows = report.by_market
    shown = rows if len(rows) <= 2 * TOP else [*rows[:TOP], *rows[-TOP:]]
    table = new_table(
        f"Best and worst of {len(rows):,} markets" if len(rows) > 2 * TOP else "Markets",
        "question",
        ("trips", "staked", "result", "on stake"),
    )
    for n, row in enumerate(shown):
        cells = _slice_cells(row)
        table.add_row(
            Text(names[row.name]), cells[0], cells[3], cells[5], cells[6],
            end_section=len(rows) > 2 * TOP and n == TOP - 1,
        )  # fmt: skip
    return Padding(table, (1, 0, 0, 0))


def _quality(report: Report, width: int) -> RenderableType:
    q = report.quality
    table = slices("How much rests on doubtful prices", "fills", (q.all, q.near, q.without), width)
    share = q.flagged / q.rows if q.rows else 0.0
    line = Text(
        f"{q.flagged:,} of {q.rows:,} price rows ({share:.1%}) had no real quote behind them; "
        f"{q.refused:,} orders were refused there.",
        style="dim",
    )
    return Padding(Group(table, line), (1, 0, 0, 0))


def _counts(title: str, rows: Iterable[tuple[str, int]], nothing: str) -> Table:
    table = new_table(title, "", ("",))
    table.show_header = False
    for name, count in rows:
        table.add_row(Text(name), f"{count:,}")
    if not table.row_count:
        table.add_row(Text(nothing, style="dim"), "")
    return table


def _forecasts(report: Report) -> Table:
    f = report.forecasts
    rows = [("joined", f.joined)]
    rows += [(f"  {name}", count) for name, count in f.by_source.items()]
    rows += [("late", f.late), ("missed", f.missed), ("superseded", f.superseded)]
    return _counts("Forecasts", rows, "none")


def _rejected(report: Report) -> RenderableType:
    """Each guard that denied or shrunk orders, with its rule in its own words."""
    counted = {(row.protection, row.ruling): row for row in report.rejected}
    names = {name for name, _ in counted} | set(report.denials)
    vain = any(row.ruling == NOT_BINDING for row in report.rejected)
    names_of = ("denied", "shrunk", NOT_BINDING) if vain else ("denied", "shrunk")
    table = new_table("Denied or shrunk by protection", "protection", names_of)

    def orders(name: str, ruling: str) -> int:
        row = counted.get((name, ruling))
        return row.orders if row is not None else 0

    def weight(name: str) -> tuple[int, int, str]:
        bound = max(report.denials.get(name, 0), orders(name, "shrink"))
        return -bound, -orders(name, NOT_BINDING), name

    for name in sorted(names, key=weight):
        denied = max(report.denials.get(name, 0), orders(name, "deny"))
        shrunk = orders(name, "shrink")
        passed = orders(name, NOT_BINDING)
        counts = {"deny": denied, "shrink": shrunk, NOT_BINDING: passed}
        row = counted.get((name, next(ruling for ruling, n in counts.items() if n)))
        rule = f"  {row.reason}" if row is not None else ""
        cells = [f"{n:,}" if n else "-" for n in list(counts.values())[: len(names_of)]]
        table.add_row(Text.assemble(name, (rule, "dim")), *cells)
    if not table.row_count:
        table.add_row(Text("nothing was denied", style="dim"), "", "")
    if not vain:
        return Padding(table, (1, 0, 0, 0))
    told = Text("not binding: the order made risks smaller, as a hedge does", style="dim")
    return Padding(Group(table, told), (1, 0, 0, 0))


def _refusals(report: Report) -> Table:
    rows = sorted(report.refusals.items(), key=lambda row: -row[1])
    return _counts("Refused before any protection", rows, "nothing was refused")


def _beside(left: Table, right: Table, width: int) -> RenderableType:
    grid = Table.grid(expand=True, padding=(0, 2))
    grid.add_column(ratio=1, max_width=width // 2)
    grid.add_column(ratio=1)
    grid.add_row(left, right)
    return Padding(grid, (1, 0, 0, 0))


def _open(report: Report) -> RenderableType:
    table = new_table("Left open, at the bid", "question", ("outcome", "shares", "cost", "value"))
    names = names_of((row.market, row.question) for row in report.left_open)
    for row in report.left_open[: 2 * TOP]:
        table.add_row(
            Text(names[row.market]), Text(row.outcome), amount(row.shares), amount(row.cost),
            amount(row.value),
        )  # fmt: skip
    if len(report.left_open) > 2 * TOP:
        table.add_row(Text(f"and {len(report.left_open) - 2 * TOP} more", style="dim"))
    return Padding(table, (1, 0, 0, 0))


def _footer(report: Report) -> RenderableType:
    data = report.manifest["data"]
    text = Text(style="dim")
    text.append(
        f"from {data['label']}, {data['markets']:,} markets · seed {report.manifest['seed']}"
    )
    text.append(f" · manifest {report.hash[:12]}")
    if report.timings:
        text.append(f" · {sum(report.timings.values()):.1f} s")
    return Padding(text, (1, 0, 0, 0))
