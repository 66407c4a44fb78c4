"""The part of the report's page that says how far to trust the result."""

from __future__ import annotations

from html import escape

from polyframe.lab.cells import number, percent, signed
from polyframe.lab.page_making import scenarios
from polyframe.lab.page_tables import between, interval, money, simulated, slice_table, table
from polyframe.lab.schema import Report, Robustness


def evidence(report: Report) -> str:
    """The section."""
    parts = ['<section id="evidence"><h2>How far to trust it</h2>']
    parts.append(
        table(
            "Beside the result",
            ("what", "result", "95 % by chance", "Brier", "log score", "note"),
            [
                (
                    row.name, money(row.pnl), between(row.low, row.high), number(row.brier, 4),
                    number(row.log_score, 4), row.note,
                )
                for row in report.baselines
            ],
        )
    )  # fmt: skip
    parts += [
        f'<p class="dim">This run\'s sides held to the end: {row.own_pnl:+z,.2f}, more than '
        f"{row.beaten:.0%} of the random ones.</p>"
        for row in report.baselines
        if row.own_pnl is not None and row.beaten is not None
    ]
    if report.robustness is not None:
        parts += [*_again(report.robustness), *_chance(report.robustness)]
    parts.append(scenarios(report.scenarios))
    q = report.quality
    parts.append(
        slice_table("How much rests on doubtful prices", "fills", (q.all, q.near, q.without))
    )
    return "".join(parts) + "</section>"


def _again(found: Robustness) -> list[str]:
    """The same fills read again, the same run made again."""
    parts: list[str] = []
    parts.append(
        table(
            "The same fills, read again",
            ("result", "total", "per event", "95 % interval", "note"),
            [
                (
                    row.name, signed(row.pnl), f"{row.per_event.mean:+,.4g}",
                    interval(row.per_event), row.note,
                )
                for row in found.variants
            ],
        )
    )  # fmt: skip
    parts.append(
        table(
            "The same run once more, but",
            ("what", "fills", "total", "per event", "95 % interval", "note"),
            [
                (
                    row.name, "-" if row.fills is None else f"{row.fills:,}",
                    "-" if row.pnl is None else signed(row.pnl),
                    "-" if row.per_event is None else f"{row.per_event.mean:+,.4g}",
                    "-" if row.per_event is None else interval(row.per_event), row.note,
                )
                for row in found.replays
            ],
        )
    )  # fmt: skip
    return parts


def _chance(found: Robustness) -> list[str]:
    """What was simulated, and the worst that could have been."""
    parts: list[str] = []
    parts.append(
        table(
            "Simulated",
            ("what", "this run", "mean", "90 % of draws", "draws below", "note"),
            [
                (
                    row.name, simulated(row.name, row.actual),
                    simulated(row.name, row.mean), between(row.low, row.high),
                    "-" if row.below is None else f"{row.below:.0%}", row.note,
                )
                for row in found.simulated
            ],
        )
    )  # fmt: skip
    if found.between:
        parts.append(f"<p>Against market and claims: {escape(found.between)}.</p>")
    parts.append(
        table(
            "Worst cases at the peak of exposure"
            + (f", {found.peak[:16].replace('T', ' ')} UTC" if found.peak else ""),
            ("case", "result", "of equity", "note"),
            [
                (
                    row.name,
                    "-" if row.pnl is None else signed(row.pnl),
                    percent(row.share),
                    row.note,
                )
                for row in found.worst
            ],
        )
    )
    return parts
