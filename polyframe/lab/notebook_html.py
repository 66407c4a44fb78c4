"""Results as a notebook shows them: small tables, every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from polyframe.lab.cells import amount, number, signed, span
from polyframe.lab.comparing import Comparison
from polyframe.lab.schema import Report


def result_html(name: str, report: Report) -> str:
    """The result with its interval first, then what it took."""
    s = report.summary
    per = s.per_event
    low = None if per.low is None else per.low * s.effective_n
    high = None if per.high is None else per.high * s.effective_n
    rows = [
        ("result after costs", f"{signed(s.pnl)} ({s.pnl_share:+.2%})"),
        ("95 % interval", span(low, high)),
        ("verdict", s.verdict),
        ("independent events", f"{s.effective_n:,}"),
        ("round trips, won", f"{s.round_trips:,}, {_share(s.win_rate)}"),
        ("profit factor", number(s.profit_factor)),
        ("max drawdown", f"{amount(s.drawdown.amount)} ({s.drawdown.share:.1%})"),
        ("fees", amount(s.fees)),
        ("exposure, mean", f"{s.exposure:.1%}"),
        ("orders reviewed, denied, shrunk", f"{s.reviewed:,}, {s.denied:,}, {s.shrunk:,}"),
        ("period", f"{(s.start or '-')[:10]} to {(s.end or '-')[:10]}"),
    ]
    lines = [f"<b>{escape(name)}</b> <code>{escape(report.run)}</code>"]
    if report.synthetic:
        lines.append("<i>Synthetic data: no market traded at these prices.</i>")
    lines.append(_table((), rows))
    lines += [f"<small>{escape(note)}</small>" for note in report.notes]
    return "<div>" + "<br>".join(lines) + "</div>"


def comparison_html(found: Comparison) -> str:
    """The lines, the differences to the leader, and what failed."""
    rows = [
        (
            line.name + (" (best)" if line.best else ""), signed(line.pnl or "0"),
            span(line.low, line.high), f"{line.effective_n:,}", f"{line.trips:,}",
            _share(line.win_rate), number(line.profit_factor), _share(line.drawdown_share),
            amount(line.fees), _share(line.exposure),
        )
        for line in found.lines
        if not line.failed
    ]  # fmt: skip
    head = ("strategy", "result", "95 % interval", "N", "trades", "won", "profit factor")
    parts = [_table((*head, "max drawdown", "fees", "exposure"), rows)]
    if found.differences:
        gaps = [
            (
                row.other,
                f"{row.pnl:+z,.2f}",
                span(row.low, row.high),
                f"{row.events:,}",
                row.verdict,
            )
            for row in found.differences
        ]
        level = f"{found.differences[0].level * 100:.4g} % interval"
        parts.append(
            _table((f"{found.leader} against", "difference", level, "events", "verdict"), gaps)
        )
    parts += [
        f"<b>Failed</b> {escape(line.name)}: {escape(line.failed)}"
        for line in found.lines
        if line.failed
    ]
    return "<div>" + "<br>".join(parts) + "</div>"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = ["<tr>" + "".join(f"<th>{escape(c)}</th>" for c in head) + "</tr>"] if head else []
    cells += ["<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in rows]
    return "<table>" + "".join(cells) + "</table>"
