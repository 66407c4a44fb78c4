"""What ``polyframe decisions`` prints for a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.text import Text

from polyframe.cli.data_tables import plain_table
from polyframe.cli.plain_table import PlainTable
from polyframe.domain.units import format_units
from polyframe.store.decision_log import Decision, Stage, amount, short
from polyframe.store.moments import show_length, show_time

if TYPE_CHECKING:
    from polyframe.cli.decision_filter import Selection
    from polyframe.store.decision_story import Story
    from polyframe.store.journal_reader import JournalReader, Verified

COLOUR = {
    Stage.SCAN: "dim",
    Stage.RESEARCH: "dim",
    Stage.FORECAST: "cyan",
    Stage.EDGE: "blue",
    Stage.RISK: "yellow",
    Stage.SIZE: "blue",
    Stage.EXECUTE: "green",
    Stage.MONITOR: "magenta",
}
RULING = {"deny": "red", "shrink": "yellow", "allow": "green", "not_applicable": "dim"}
SAYS = {"not_applicable": "not concerned"}
NARROWEST = 24
HASH = 16


class Lines:
    """Prints the rows of a log as they come."""

    def __init__(self, console: Console, name: str) -> None:
        self.console = console
        self.name = name

    def show(self, found: Selection, command: str, limit: int) -> None:
        """All rows, then how many there are and what to type next."""
        rows: Iterable[Decision] = found
        several = True
        if limit:
            rows = kept = list(found)
            several = len({row.ledger for row in kept} - {""}) > 1
        title = Text.assemble(("Decisions", "bold"), f" of {self.name}, times in UTC")
        self.console.print(title)
        for row in rows:
            self.console.print(self._line(row, several), soft_wrap=True)
        self.console.print(Text("\n".join(["", *_footer(found, command, limit)]), "dim"))

    def _line(self, row: Decision, several: bool) -> Text:
        head = f"{row.proof.step:>7} {show_time(row.ts)} "
        stage = f"{row.stage.value:<8}"
        order = f" {short(row.order):>5} "
        where = [part for part in (row.market or row.token, row.ledger if several else "") if part]
        what = ": ".join([" ".join(where), row.text] if where else [row.text])
        indent = len(head) + len(stage) + len(order)
        width = max(self.console.width - indent, NARROWEST)
        text = wrap(what, width, break_on_hyphens=False)
        line = Text.assemble((head, "dim"), (stage, COLOUR[row.stage]), order, no_wrap=True)
        line.append(("\n" + " " * indent).join(text))
        return line


def _footer(found: Selection, command: str, limit: int) -> list[str]:
    if not found.total:
        return ["No row is so."]
    shown = f"{found.shown:,} of {found.total:,} rows" if limit else f"{found.total:,} rows"
    lines = [f"{shown}. The first column is the journal's step; --json names its block and hash."]
    if found.shown < found.total:
        lines.append(f"All: {' '.join([command, *found.chosen.words(), '--limit 0'])}")
    lines.append(f"One order's story: {command} --why ORDER, or --why @STEP for a denied one")
    return lines


def proven_page(reader: JournalReader, found: Verified, name: str) -> Any:
    """What was proven, and the hash to note."""
    grid = _grid()
    grid.add_row("journal", str(reader.path))
    grid.add_row("session", reader.header.session)
    grid.add_row(
        "proven",
        f"{found.blocks:,} block{'' if found.blocks == 1 else 's'}, {found.records:,} records, "
        f"{found.steps:,} steps",
    )
    ends = {"closed": "with its end mark", "open": "without an end mark: still being written, or "
            "stopped hard"}  # fmt: skip
    grid.add_row("ends", ends[found.tail.kind.value])
    grid.add_row("head", found.digest)
    title = Text.assemble(("Whole", "bold green"), f": the journal of {name}")
    note = Text(
        "Note the head elsewhere: --verify --head HASH then also finds a journal that was written "
        "anew.", "dim",
    )  # fmt: skip
    return Group(title, grid, note)


def story_page(story: Story, name: str) -> Any:
    """One order from what was believed to how it ended."""
    what = f"Order {short(story.order)}" if story.order else "What was denied"
    title = Text.assemble((what, "bold"), f" of {story.ledger}")
    title.append(f" in {name}, times in UTC", "dim")
    grid = _grid()
    if story.order:
        grid.add_row("order", story.order)
    grid.add_row("market", story.market)
    grid.add_row("token", story.token)
    grid.add_row("decided", f"{show_time(story.ts)}, {_proof(story.reviews)}")
    parts: list[Any] = [title, grid, "", _heading("Believed"), _believed(story)]
    for edge, risk, size in _reviews(story):
        part = f" (part {short(edge.order)})" if edge.facts["parent"] else ""
        parts += ["", _heading(f"Wanted{part}"), _rows([edge], dated=False)]
        parts += ["", _heading("Ruled"), _rows([risk], dated=False), _verdicts(risk)]
        parts += ["", _heading("Sized"), _rows([size], dated=False), _sizing(size)]
    if story.execution:
        parts += ["", _heading("Carried out"), _rows(story.execution)]
    if story.after or story.execution:
        parts += ["", _heading("What became of it"), _rows(story.after), Text(_result(story))]
    return Group(*[part for part in parts if part is not None])


def _believed(story: Story) -> Any:
    grid = _grid()
    rows = {row.stage: row for row in story.before}
    asked = rows.get(Stage.SCAN)
    if asked is not None:
        grid.add_row("looked", f"{show_time(asked.ts)}: {asked.text}")
    evidence = rows.get(Stage.RESEARCH)
    said = evidence.text if evidence else "none recorded"
    for sha256 in evidence.facts["evidence"] if evidence else ():
        said += f"\n{sha256}"
    forecast = story.forecast
    if forecast is None:
        grid.add_row("forecast", "none of this market before the decision")
        return grid
    grid.add_row("evidence", said)
    age = story.ts - forecast.facts["as_of"]
    grid.add_row("forecast", f"{forecast.text}; {show_length(age)} old when decided")
    return grid


def _reviews(story: Story) -> Iterable[Sequence[Decision]]:
    by_stage = {
        stage: [row for row in story.reviews if row.stage is stage]
        for stage in (Stage.EDGE, Stage.RISK, Stage.SIZE)
    }
    return zip(*by_stage.values(), strict=True)


def _verdicts(risk: Decision) -> Any:
    table = plain_table()
    table.add_column("protection", overflow="fold")
    table.add_column("says")
    table.add_column("permits", justify="right")
    table.add_column("words", overflow="fold")
    for verdict in risk.facts["verdicts"]:
        ruling = verdict["ruling"]
        words = verdict["reason"]
        if not verdict["binding"]:
            words = f"{words}; not binding, it reduces exposure".lstrip("; ")
        table.add_row(
            verdict["protection"], Text(SAYS.get(ruling, ruling), RULING[ruling]),
            "" if ruling == "not_applicable" else verdict["size"], Text(words),
        )  # fmt: skip
    return table if table.row_count else None


def _sizing(size: Decision) -> Any:
    sizing = size.facts["sizing"]
    if not sizing:
        return None
    table = plain_table()
    table.add_column("the sizer used", overflow="fold")
    table.add_column("", overflow="fold")
    for key, value in sizing.items():
        shown = f"{value:.6g}" if isinstance(value, float) else str(value)
        table.add_row(key, shown)
    return table


def _result(story: Story) -> str:
    lines = [f"... and {story.more:,} more rows"] if story.more else []
    if not story.filled:
        lines.append("Nothing was filled.")
        return "\n".join(lines)
    if story.held > 0:
        lines.append("Some of it was still held at the end of the journal.")
    if story.shared:
        lines.append("Other orders bought into the same position; the result is the position's.")
    net = amount(story.realised - story.fees)
    earned = f"Realised {amount(story.realised)}, fees {format_units(story.fees, 6)}: {net}."
    return "\n".join([*lines, earned])


def _rows(rows: Sequence[Decision], *, dated: bool = True) -> Any:
    if not rows:
        return None
    grid = PlainTable(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for row in rows:
        head = f"{show_time(row.ts)} step {row.proof.step}" if dated else f"step {row.proof.step}"
        text = row.text
        if row.order and dated:
            text = f"{short(row.order)} {text}"
        grid.add_row(head, Text(text))
    return grid


def _proof(rows: Sequence[Decision]) -> str:
    proof = rows[0].proof
    return f"step {proof.step}, block {proof.block} at byte {proof.byte}, hash {proof.hash[:HASH]}"


def _heading(text: str) -> Text:
    return Text(text, "bold")


def _grid() -> PlainTable:
    grid = PlainTable(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    return grid
