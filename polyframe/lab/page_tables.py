"""Tables of the report's page, every text in them escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from polyframe.lab.cells import amount, number, percent, signed
from polyframe.lab.schema import Interval, Slice

Row = Sequence[str]


def table(caption: str, heads: Row, rows: Iterable[Row]) -> str:
    """A table, or nothing where there are no rows."""
    body = []
    words = ("note", "reason most often", "outcome", "verdict")
    for row in rows:
        cells = [f'<th scope="row" class="word">{escape(row[0])}</th>']
        for head, cell in zip(heads[1:], row[1:], strict=True):
            kind = "word" if head in words else _tone(cell)
            cells.append(f'<td class="{kind}">{escape(cell)}</td>')
        body.append(f"<tr>{''.join(cells)}</tr>")
    if not body:
        return ""
    head = "".join(
        f'<th scope="col"{" class=word" if name in words else ""}>{escape(name)}</th>'
        for name in heads
    )
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption><thead><tr>{head}</tr>'
        f"</thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def _tone(cell: str) -> str:
    return (
        "up"
        if cell.startswith("+") and cell.strip("+0.%")
        else "down"
        if cell[:1] == "-" and (len(cell) > 1)
        else ""
    )


def slice_table(caption: str, first: str, rows: Sequence[Slice]) -> str:
    """Slices of the result, one a row."""
    return table(
        caption,
        (first, "trips", "events", "won", "staked", "fees", "result", "on stake"),
        [
            (
                row.name, f"{row.trips:,}", f"{row.events:,}",
                f"{row.won / row.trips:.0%}" if row.trips else "-", amount(row.staked),
                amount(row.fees), signed(row.pnl), percent(row.return_on_stake),
            )
            for row in rows
        ],
    )  # fmt: skip


def simulated(name: str, value: float | None) -> str:
    """A result with its sign, a drawdown without."""
    return number(value) if name.startswith("drawdown") else money(value)


def money(value: float | None) -> str:
    """A result with its sign."""
    return "-" if value is None else f"{value:+z,.2f}"


def coloured(value: float) -> str:
    """A figure in the colour of its sign."""
    kind = "up" if value > 0 else "down" if value < 0 else ""
    return f'<span class="{kind}">{value:+z,.2f}</span>'


def between(low: float | None, high: float | None) -> str:
    """An interval of money."""
    return "-" if low is None or high is None else f"[{low:+z,.2f}, {high:+z,.2f}]"


def interval(found: Interval) -> str:
    """The interval of a mean."""
    if found.low is None:
        return "unknown"
    return f"[{found.low:+,.4g}, {found.high:+,.4g}]"
