"""What ``polyframe data`` prints for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from polyframe.cli.plain_table import PlainTable
from polyframe.domain.plain import one_line, shortened
from polyframe.domain.quality import UNQUOTED, Flag
from polyframe.store.moments import show_time

if TYPE_CHECKING:
    from polyframe.store.checking import CheckReport
    from polyframe.store.findings import Unquoted
    from polyframe.store.importing import ImportReport
    from polyframe.store.listing import Holding, MarketRecord

COLOUR = {"error": "red", "warning": "yellow", "info": "cyan"}
MARK = {
    Flag.LEADING: "L",
    Flag.FLAT: "F",
    Flag.RELAPSE: "R",
    Flag.LADDER: "S",
    Flag.SPIKE: "P",
    Flag.NEAR: "n",
    Flag.GAP: "g",
}
BARS = "▁▂▃▄▅▆▇█"


def plain_table(title: str = "") -> PlainTable:
    """A table without a box."""
    return PlainTable(
        title=Text(title, "bold") if title else None, title_justify="left", box=None,
        pad_edge=False, header_style="dim",
    )  # fmt: skip


def import_table(report: ImportReport) -> Any:
    """Rows read, imported and set aside, by file."""
    table = plain_table(f"{report.kind} of {report.source} into {report.into}")
    table.add_column("file", overflow="fold")
    for name in ("rows", "selected", "new", "known", "restated", "set aside"):
        table.add_column(name, justify="right")
    for file in report.files:
        aside = sum(file.set_aside.values())
        counts = (file.rows, file.selected, file.added, file.same, file.replaced)
        table.add_row(file.file, *map(_count, counts), _count(aside, "yellow"))
    parts: list[Any] = [table]
    if n := report.unknown_tokens:
        told = f"{n:,} token{'s' if n > 1 else ''} priced here belong{'' if n > 1 else 's'} to no"
        told += f" known market. Next: polyframe data import markets FILE --into '{report.into}'"
        parts += ["", Text(told, "yellow")]
    reasons: Counter[str] = Counter()
    for file in report.files:
        reasons.update(file.set_aside)
    if not reasons:
        return Group(*parts)
    why = plain_table("set aside")
    why.add_column("rows", justify="right")
    why.add_column("reason", overflow="fold")
    for reason, count in reasons.most_common():
        why.add_row(_count(count), reason)
    where = Text(f"They stand in {report.set_aside_file}", "dim")
    return Group(*parts, "", why, where)


def check_table(report: CheckReport, limit: int, width: int) -> Any:
    """Findings by check, then the unquoted prices by class."""
    grouped: dict[tuple[str, str, str], list[Any]] = {}
    for finding in report.findings:
        key = (finding.severity.value, finding.check, finding.file)
        grouped.setdefault(key, []).append(finding)
    parts: list[Any] = []
    if grouped:
        table = plain_table()
        for name in ("", "finding", "file"):
            table.add_column(name, overflow="fold")
        table.add_column("markets", justify="right")
        table.add_column("rows", justify="right")
        table.add_column("for example", overflow="fold")
        for (severity, check, file), found in grouped.items():
            names = [shortened(f.market, width // 2) for f in found if f.market]
            some = ", ".join(names[:limit])
            table.add_row(
                Text(severity, COLOUR[severity]), check, Path(file).stem,
                _count(sum(bool(f.market) for f in found)), _count(sum(f.rows for f in found)),
                Text(found[0].message + (f" ({some})" if some else "")),
            )  # fmt: skip
        parts.append(table)
    parts += [part for file in report.unquoted for part in ("", _unquoted(file))]
    for file, rows in report.reflagged.items():
        parts.append(f"Flags or markets of {rows:,} rows of {file} rewritten.")
    counts = Counter(f.severity.value for f in report.findings)
    told = f"Files: {report.files}. Errors: {counts['error']}. Warnings: {counts['warning']}."
    parts += ["", Text(told, "bold")]
    return Group(*parts)


def _unquoted(file: Unquoted) -> Any:
    share = file.unquoted / file.rows if file.rows else 0.0
    table = plain_table(
        f"{file.file}: {file.unquoted:,} of {file.rows:,} prices ({share:.1%}) never trade"
    )
    table.add_column("flag")
    table.add_column("rows", justify="right")
    table.add_column("share", justify="right")
    table.add_column("meaning", overflow="fold")
    for name, rows in file.flags.items():
        style = "" if Flag[name] & UNQUOTED else "dim"
        share = rows / max(file.rows, 1)
        table.add_row(name, f"{rows:,}", f"{share:.1%}", MEANING[name], style=style)
    return table


MEANING = {
    "LEADING": "exactly one half from the start",
    "FLAT": "near one half, or not far from it, and not moving",
    "RELAPSE": "back at exactly one half in mid-life",
    "LADDER": "contradicts sibling strikes",
    "SPIKE": "a short visit towards one half, or out of an unquoted stretch",
    "NEAR": "within a few rows of one of these; tradable",
    "GAP": "first after a hole; tradable",
}


def list_table(holdings: Sequence[Holding], path: str, digest: str) -> Any:
    """Rows, markets and period by kind and source."""
    table = plain_table(f"{path}")
    table.add_column("kind")
    table.add_column("source", overflow="fold")
    for name in ("rows", "markets"):
        table.add_column(name, justify="right")
    for name in ("first", "last"):
        table.add_column(name, no_wrap=True)
    table.add_column("unquoted", justify="right")
    for held in holdings:
        table.add_row(
            held.kind, held.source, f"{held.rows:,}", f"{held.markets:,}",
            show_time(held.first)[:10], show_time(held.last)[:10],
            "" if held.unquoted is None else f"{held.unquoted:.1%}",
        )  # fmt: skip
    return Group(table, Text(f"sha256 {digest}", "dim"))


def market_page(record: MarketRecord, rows: int, width: int) -> Any:
    """Facts, a line of prices with their flags below it, the last prices, forecasts."""
    parts: list[Any] = [Text(one_line(record.market.question, MOST_TEXT), "bold"), _facts(record)]
    if record.ts:
        parts += ["", *_line(record, width)]
        if rows:
            parts += ["", _prices(record, rows)]
    if record.forecasts:
        parts += ["", _forecasts(record)]
    return Group(*parts)


MOST_TEXT = 400
"""of a longer question the beginning is shown and how long it is"""


def _facts(record: MarketRecord) -> Any:
    market, ended = record.market, record.resolution
    table = PlainTable(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    begins = f"{show_time(market.opened)} to " if market.opened else "until "
    life = begins + show_time(market.closes) if market.closes else "never closes"
    table.add_row("id", market.id)
    if market.slug:
        table.add_row("slug", market.slug)
    if market.group:
        strike = f", strike {market.strike:g}" if market.strike is not None else ""
        table.add_row("group", f"{market.group} ({record.siblings} siblings{strike})")
    table.add_row("category", market.category)
    table.add_row("open", life)
    if ended is None:
        table.add_row("outcome", "none on record")
    else:
        paid = ", ".join(
            f"{token.outcome} {payout / 1e6:g}"
            for token, payout in zip(market.tokens, ended.payouts, strict=True)
        )
        table.add_row("outcome", f"{paid} ({ended.kind.value}, known {show_time(ended.known_at)})")
    for token in market.tokens:
        table.add_row(token.outcome, token.id)
    for held in record.bars:
        length = timedelta(microseconds=held.interval / 1_000)
        told = f"{held.rows:,} from {show_time(held.first)} to {show_time(held.last)}"
        table.add_row(f"bars of {length}", told)
    return table


def _line(record: MarketRecord, width: int) -> list[Any]:
    n = len(record.ts)
    cells = min(n, width - 2)
    line, marks = Text(), Text(style="dim")
    for cell in range(cells):
        chunk = range(cell * n // cells, (cell + 1) * n // cells)
        price = record.price[chunk[-1]]
        bits = Counter(_mark(record.flag[i]) for i in chunk)
        mark = bits.most_common(1)[0][0]
        bar = BARS[min(price * len(BARS) // 10_000, len(BARS) - 1)]
        line.append(bar, "dim red" if mark.isupper() else "green")
        marks.append(mark)
    from_, to = show_time(record.ts[0]), show_time(record.ts[-1])
    axis = Text(from_ + " " * max(1, cells - len(from_) - len(to)) + to, "dim")
    used = "".join(dict.fromkeys(m for m in marks.plain if m != " "))
    names = {mark: str(flag.name).lower() for flag, mark in MARK.items()}
    legend = Text("   ".join(f"{mark} {names[mark]}" for mark in used), "dim")
    return [line, *([marks] if used else []), axis, *([legend] if used else [])]


def _mark(bits: int) -> str:
    return next((mark for flag, mark in MARK.items() if bits & flag), " ")


def _prices(record: MarketRecord, rows: int) -> Any:
    n = len(record.ts)
    dead = sum(bool(bits & UNQUOTED) for bits in record.flag)
    picked = sorted({round(i * (n - 1) / max(rows - 1, 1)) for i in range(min(rows, n))})
    table = plain_table(f"{len(picked)} of {n:,} prices; {dead:,} unquoted")
    table.add_column("time")
    table.add_column("YES", justify="right")
    table.add_column("flags")
    for i in picked:
        bits = record.flag[i]
        names = " ".join(str(flag.name) for flag in Flag if flag & bits)
        style = "red" if bits & UNQUOTED else ""
        table.add_row(show_time(record.ts[i]), f"{record.price[i] / 1e4:.4f}", Text(names, style))
    return table


def _forecasts(record: MarketRecord) -> Any:
    table = plain_table("forecasts")
    table.add_column("as of")
    table.add_column("source")
    table.add_column("model")
    table.add_column("YES", justify="right")
    table.add_column("usable from")
    for forecast in record.forecasts:
        table.add_row(
            show_time(forecast.as_of), forecast.source, forecast.model,
            f"{forecast.probability:.4f}", show_time(forecast.known_at),
        )  # fmt: skip
    return table


def _count(n: int, style: str = "") -> Text:
    return Text(f"{n:,}", style if n else "dim")
