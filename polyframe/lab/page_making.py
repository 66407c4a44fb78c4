"""The part of the report's page about quoting, and the worst cases that were replayed."""

from __future__ import annotations

from html import escape

from polyframe.lab.cells import amount, names_of, number, rounded, share, signed, ticks
from polyframe.lab.making_charts import inventory_chart, quotes_chart
from polyframe.lab.making_form import Making, Quoted, Scenario
from polyframe.lab.page_tables import table
from polyframe.lab.schema import Report


def making(report: Report) -> str:
    """The section; empty for a run over prices."""
    made = report.making
    if made is None:
        return ""
    parts = ['<section id="quotes"><h2>Quotes and fills</h2>', _alarms(made), _cards(made)]
    near = {row.market: row for row in made.closer}
    names = names_of(made.asked)
    parts += [_figure(row, names[row.market], near.get(row.market)) for row in made.quoted]
    parts += [_bands(made), _markouts(made), _markets(made)]
    return "".join(parts) + "</section>"


def _figure(row: Quoted, title: str, near: Quoted | None) -> str:
    told = (
        "The mid, our best bid (green) and offer (red) where they stood, and our fills{}: up "
        "bought, down sold. Prices of the first outcome."
    )
    parts = [f"<figure><h3>{escape(title)}</h3>{quotes_chart(row)}"]
    parts.append(f"<figcaption>{told.format(_shown(row))}</figcaption>")
    if near is not None:
        parts.append(f"{quotes_chart(near)}<figcaption>Where the most fills were{_shown(near)}.")
        parts.append("</figcaption>")
    parts.append(
        f"{inventory_chart(row)}<figcaption>Inventory in shares: the first outcome less the "
        "second.</figcaption></figure>"
    )
    return "".join(parts)


def _shown(row: Quoted) -> str:
    shown = len(row.fills)
    return f", {shown:,} of {row.all_fills:,} shown" if shown < row.all_fills else ""


def _alarms(made: Making) -> str:
    rows = []
    for row in made.alarms:
        kind = "alarm" if row.raised else "dim"
        word = "<strong>Alarm</strong> " if row.raised else ""
        rows.append(
            f'<p class="{kind}">{word}{escape(row.name)}: {escape(row.found)} '
            f'<span class="dim">({escape(row.limit)})</span></p>'
        )
    return "".join(rows)


def _money(text: str | None) -> str:
    return "-" if text is None else signed(text)


def _cards(made: Making) -> str:
    e, o = made.earned, made.orders
    rows = [
        ("Spread earned", signed(e.spread)),
        ("Held, then moved", signed(e.moves)),
        ("Fees", amount(e.fees)),
        ("Rebates", signed(e.rebates)),
        ("Rewards", signed(e.rewards)),
        ("Result", signed(e.total)),
        ("Traded", amount(e.traded)),
        ("As maker", share(e.maker)),
        ("Orders accepted", f"{o.accepted:,} of {o.sent:,}"),
        ("Filled", share(o.fill_ratio)),
        ("Filled, by size", share(o.size_ratio)),
        ("Cancelled", share(o.cancel_ratio)),
        ("Cancels for one filled", number(o.cancels_per_fill, 1)),
        ("Half rested at least", "-" if o.rested is None else f"{o.rested:,.1f} s"),
        ("Time both / one side", f"{share(o.both_sides)} / {share(o.one_side)}"),
    ]
    cells = "".join(f"<div><dt>{escape(a)}</dt><dd>{escape(b)}</dd></div>" for a, b in rows)
    return f'<dl class="cards">{cells}</dl>'


def _bands(made: Making) -> str:
    return table(
        "The same tape, other beliefs about the queue",
        ("belief", "queue", "result", "spread", "fills", "filled", "markout 60 s", "largest",
         "traded", "fall", "note"),
        [
            (
                row.name + (" (this run)" if row.own else ""), row.queue, _money(row.pnl),
                _money(row.spread), "-" if row.fills is None else f"{row.fills:,}",
                share(row.fill_ratio), ticks(row.markout), rounded(row.largest),
                "-" if row.traded is None else amount(row.traded),
                "-" if row.drawdown is None else amount(row.drawdown), row.note,
            )
            for row in made.bands
        ],
    )  # fmt: skip


def _markouts(made: Making) -> str:
    return table(
        "After the fills, in ticks",
        ("seconds", "fills", "edge", "moved", "markout", "95 % interval", "drift", "money"),
        [
            (
                f"{row.seconds:,}", f"{row.fills:,}", ticks(row.edge), ticks(row.moved),
                ticks(row.markout),
                "-" if row.low is None else f"[{row.low:+z.2f}, {row.high:+z.2f}]",
                ticks(row.drift), signed(row.money),
            )
            for row in made.markouts
        ],
    ) + (
        '<p class="dim">Edge: the mid just before a fill against the own price. Moved: the mid '
        "since, to our gain; below zero is adverse selection. Markout: both. Drift: moves of the "
        "mid from any moment, for the sides we traded.</p>"
    )  # fmt: skip


def _markets(made: Making) -> str:
    names = names_of(made.asked)
    return table(
        "Quoted markets",
        ("question", "result", "spread", "fees", "fills", "filled", "traded", "markout 60 s",
         "longest", "shortest", "last"),
        [
            (
                names[row.market], signed(row.pnl), signed(row.spread), amount(row.fees),
                f"{row.fills:,}", share(row.fill_ratio), amount(row.traded), ticks(row.markout),
                rounded(row.longest), rounded(row.shortest), rounded(row.last),
            )
            for row in made.markets
        ],
    )  # fmt: skip


def scenarios(rows: list[Scenario]) -> str:
    """The table of worst cases, nothing where none was replayed."""
    return table(
        "Worst cases, replayed",
        ("what happens", "result", "against the run", "soon after", "of start cash", "fills",
         "deepest fall", "note"),
        [
            (
                row.name, _money(row.pnl), _money(row.against), _money(row.soon),
                "-" if row.share is None else f"{row.share:+z.1%}",
                "-" if row.fills is None else f"{row.fills:,}",
                "-" if row.drawdown is None else amount(row.drawdown), row.note,
            )
            for row in rows
        ],
    )  # fmt: skip
