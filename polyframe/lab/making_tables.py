"""Tables of the quoting part of a report, and of worst cases, for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from polyframe.lab import making_form as form
from polyframe.lab.cells import (
    amount,
    colour,
    names_of,
    new_table,
    number,
    rounded,
    share,
    signed,
    ticks,
)

_BLOCKS = "▁▂▃▄▅▆▇█"
_EMPTY = "·"
MARKETS = 6
INVENTORY = 4
"""the column of a picture's points"""


def about_quotes(made: form.Making, width: int) -> Iterable[RenderableType]:
    """Everything about quoting, the alarms that were raised first."""
    for part in (
        _alarms(made.alarms), _bands(made.bands, width), _earned(made), _markouts(made.markouts),
        _markets(made.markets, width), *_all_over_time(made, width),
    ):  # fmt: skip
        if part is not None:
            yield Padding(part, (1, 0, 0, 0))


def worst_replayed(rows: Sequence[form.Scenario]) -> RenderableType:
    """The worst cases that were replayed, and why others were not."""
    passing = any(row.soon is not None for row in rows)
    heads = ["result", "against run", *(["soon after"] if passing else []), "fills", "fall"]
    table = new_table("Worst cases, replayed", "what happens", heads)
    for row in rows:
        if row.pnl is None:
            table.add_row(Text(row.name), *["-"] * len(heads))
            continue
        cells = [_money(row.pnl), _money(row.against), *([_money(row.soon)] if passing else [])]
        table.add_row(Text(row.name), *cells, f"{row.fills:,}", amount(row.drawdown or "0"))
    notes = _told_once((row.name, row.note) for row in rows)
    if passing:
        notes.append("Soon after: the difference to the run a minute after it is over.")
    return Group(table, *(Text(note, style="dim") for note in notes))


def _told_once(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Each note with all the names that it is about."""
    told: dict[str, list[str]] = {}
    for name, note in rows:
        told.setdefault(note, []).append(name)
    return [f"{_upper('; '.join(names))}: {note}." for note, names in told.items() if note]


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def _money(text: str | None) -> Text:
    return Text("-") if text is None else Text(signed(text), colour(float(text)))


def _ticks(value: float | None) -> Text:
    return Text(ticks(value), colour(value or 0.0))


def _alarms(rows: Sequence[form.Alarm]) -> RenderableType | None:
    lines = [
        Text.assemble(
            (" ALARM ", "bold white on red"),
            f"  {row.name}: {row.found}",
            (f"  ({row.limit})", "dim"),
        )
        for row in rows
        if row.raised
    ]
    fine = [f"{row.name} {row.found}" for row in rows if not row.raised]
    if fine:
        lines.append(Text.assemble(("No alarm: ", "green"), (", ".join(fine), "dim")))
    return Group(*lines) if lines else None


def _bands(rows: Sequence[form.Band], width: int) -> RenderableType | None:
    if not rows:
        return None
    wide = width >= 96
    heads = ["result", "spread", "fills", "filled", "markout", "largest"]
    heads += ["traded", "fall"] if wide else []
    table = new_table("The same tape, other beliefs about the queue", "belief", heads)
    for row in rows:
        name = Text(row.name, "bold" if row.own else "")
        name.append(" *" if row.own else "", "dim")
        if row.pnl is None:
            table.add_row(name, *["-"] * len(heads))
            continue
        cells: list[RenderableType] = [
            _money(row.pnl), _money(row.spread), f"{row.fills:,}", share(row.fill_ratio),
            _ticks(row.markout), rounded(row.largest),
        ]  # fmt: skip
        cells += [amount(row.traded or "0"), amount(row.drawdown or "0")] if wide else []
        table.add_row(name, *cells)
    ran = [row for row in rows if row.pnl is not None]
    notes = [f"{_belief(row)}: {row.note}." for row in ran]
    notes += ["Markout a minute after the fills in ticks; largest inventory of a market in shares."]
    notes += _told_once((row.name, row.note) for row in rows if row.pnl is None)
    return Group(table, *(Text(note, style="dim") for note in notes))


def _belief(row: form.Band) -> str:
    return (
        f"* {_upper(row.name)}, {row.queue}, this run"
        if row.own
        else (f"{_upper(row.name)}, {row.queue}")
    )


def _earned(made: form.Making) -> RenderableType:
    e, o = made.earned, made.orders
    money: list[tuple[str, RenderableType]] = [
        ("spread earned", _money(e.spread)), ("held, then moved", _money(e.moves)),
        ("fees", _money(_minus(e.fees))), ("rebates", _money(e.rebates)),
        ("rewards", _money(e.rewards)), ("result", _money(e.total)),
        ("traded, as maker", f"{amount(e.traded)}, {share(e.maker)}"),
    ]  # fmt: skip
    both, one = share(o.both_sides), share(o.one_side)
    activity = [
        ("orders, accepted", f"{o.sent:,}, {o.accepted:,}"),
        ("filled, of their size", f"{share(o.fill_ratio)}, {share(o.size_ratio)}"),
        ("cancelled", share(o.cancel_ratio)),
        ("cancels for one filled", number(o.cancels_per_fill, 1)),
        ("rejected / expired", f"{o.rejected:,} / {o.expired:,}"),
        ("half rested at least", "-" if o.rested is None else f"{o.rested:,.1f} s"),
        ("time both / one side", f"{both} / {one}"),
    ]
    table = new_table("Quoting: where the result came from, what the orders did", "", ("", "", ""))
    table.show_header = False
    table.columns[2].justify = "left"
    for (left, value), (right, found) in zip(money, activity, strict=True):
        table.add_row(Text(left, "dim"), value, Text(right, "dim"), found)
    if e.unpriced:
        line = f"{e.unpriced:,} fills had no mid before them: what they did is in the moves."
        return Group(table, Text(line, style="dim"))
    return table


def _minus(text: str) -> str:
    return text if float(text) == 0 else f"-{text}"


def _markouts(rows: Sequence[form.Markout]) -> RenderableType:
    heads = ("fills", "edge", "moved", "markout", "95%", "drift", "money")
    table = new_table("After the fills, in ticks", "time", heads)
    for row in rows:
        between = "-"
        if row.low is not None and row.high is not None:
            between = f"[{row.low:+z.2f}, {row.high:+z.2f}]"
        table.add_row(
            _after(row.seconds), f"{row.fills:,}", _ticks(row.edge), _ticks(row.moved),
            _ticks(row.markout), between, _ticks(row.drift), _money(row.money),
        )  # fmt: skip
    told = (
        "Edge: the mid just before against the own price. Moved: the mid since, to our gain; below "
        "zero is adverse selection. Markout: both. Drift: moves from any moment."
    )
    return Group(table, Text(told, style="dim"))


def _after(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"


def _markets(rows: Sequence[form.MadeMarket], width: int) -> RenderableType | None:
    if not rows:
        return None
    wide = width >= 96
    heads = ["result", "spread", "fills", "filled", "markout"]
    heads += ["longest", "shortest", "last"] if wide else ["inventory"]
    shown = rows if len(rows) <= 2 * MARKETS else [*rows[:MARKETS], *rows[-MARKETS:]]
    cut = f", {len(shown)} of {len(rows):,}" if len(shown) < len(rows) else ""
    table = new_table(f"Quoted markets{cut}", "question", heads)
    names = names_of((row.market, row.question) for row in rows)
    for row in shown:
        held = [rounded(row.longest), rounded(row.shortest), rounded(row.last)]
        cells: list[RenderableType] = [
            _money(row.pnl), _money(row.spread), f"{row.fills:,}", share(row.fill_ratio),
            _ticks(row.markout),
        ]  # fmt: skip
        table.add_row(
            Text(names[row.market]), *cells, *(held if wide else [f"{held[1]}..{held[0]}"])
        )
    return table


def _all_over_time(made: form.Making, width: int) -> list[RenderableType]:
    names = names_of(made.asked)
    return [_over_time(row, names[row.market], width) for row in made.quoted]


def _over_time(row: form.Quoted, name: str, width: int) -> RenderableType:
    columns = max(min(width - 16, 104), 20)
    text = Text(name)
    text.append(f"  {row.all_fills:,} fills", "dim")
    mids = _line([p[1] for p in row.points], columns, zero_none=True)
    held = _line([p[INVENTORY] for p in row.points], columns)
    quoting = _sides(row, columns)
    return Group(
        Text.assemble(("            ", ""), text),
        *_labelled("mid", mids, row, 1),
        *_labelled("inventory", held, row, INVENTORY),
        Text.assemble(f"{'own quotes':>11} ", (quoting, "dim")),
        Text(f"{'':12}both sides =, bid only -, offer only ^, none {_EMPTY}", style="dim"),
    )


def _labelled(name: str, line: str, row: form.Quoted, column: int) -> list[Text]:
    values = [p[column] for p in row.points if column != 1 or p[1] > 0]
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    shown = (rounded(v) if column == INVENTORY else f"{v:,.8g}" for v in (low, high))
    told = f"{name} from {' to '.join(shown)}"
    return [Text(f"{'':12}{told}", style="dim"), Text.assemble(f"{'':12}", (line, "cyan"))]


def _picked(count: int, columns: int) -> list[int]:
    return [min(k * count // columns, count - 1) for k in range(columns)] if count else []


def _line(values: Sequence[float], columns: int, *, zero_none: bool = False) -> str:
    known = [v for v in values if v or not zero_none]
    if not known:
        return _EMPTY * columns
    low, high = min(known), max(known)
    top, line = len(_BLOCKS) - 1, ""
    for k in _picked(len(values), columns):
        if zero_none and not values[k]:
            line += _EMPTY
        else:
            line += _BLOCKS[round((values[k] - low) / (high - low) * top) if high > low else 0]
    return line


def _sides(row: form.Quoted, columns: int) -> str:
    marks = {(True, True): "=", (True, False): "-", (False, True): "^", (False, False): _EMPTY}
    picked = _picked(len(row.points), columns)
    return "".join(marks[row.points[k][2] > 0, row.points[k][3] > 0] for k in picked)
