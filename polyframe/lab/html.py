"""A stored run as one page that loads nothing from elsewhere.

Every text that came from a market, a plugin or a forecaster is escaped: as HTML in the tables, and
inside the page's data so that no markup can end the script element; the script sets text only.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import msgspec

from polyframe.lab.cells import amount, names_of, number, percent
from polyframe.lab.charts import bars, calibration_chart, drawdown_chart, equity_chart
from polyframe.lab.page_data import page_data
from polyframe.lab.page_evidence import evidence
from polyframe.lab.page_making import making
from polyframe.lab.page_parts import POLICY, SCRIPT, STYLE
from polyframe.lab.page_tables import coloured, interval, slice_table, table
from polyframe.lab.periods import by_period
from polyframe.lab.report import contaminated, counted, tried
from polyframe.lab.schema import Report
from polyframe.lab.written import write_whole

MARKETS = 20
OPEN = 50

Row = Sequence[str]


def save_html(report: Report, path: Path) -> None:
    """Writes the page; the file appears complete or not at all.

    Raises:
        UserError: the file cannot be written.
    """
    write_whole(path, page(report), "page")


def page(report: Report) -> str:
    """The whole page."""
    title = f"polyframe {report.run}"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
        _head(report, title),
        "<main>",
        _curves(report),
        making(report),
        evidence(report),
        _results(report),
        _orders(report),
        _trades(),
        "</main>",
        _foot(report),
        f'<script type="application/json" id="data">{page_data(report)}</script>',
        f"<script>{SCRIPT}</script></body></html>",
    ]
    return "\n".join(parts) + "\n"


# ---- sections ----------------------------------------------------------------------------------


def _head(report: Report, title: str) -> str:
    s = report.summary
    lines = [f"<header><h1>{escape(title)}</h1>"]
    if report.synthetic:
        lines.append(
            '<p class="banner"><strong>Synthetic data.</strong> Generated prices and forecasts; '
            "no market traded at them.</p>"
        )
    lines.append('<div class="head">')
    if s.effective_n:
        lines.append(
            f'<p>Edge after costs</p><p class="edge">{coloured(s.per_event.mean)} per event '
            f'<span class="dim">95 % interval {escape(interval(s.per_event))}</span></p>'
            f'<p><span class="verdict">{escape(s.verdict.capitalize())}</span>: '
            f"effective N = {escape(counted(s))}, {s.fills:,} fills</p><p>{escape(tried(s))}</p>"
        )
    else:
        lines.append('<p class="edge">Nothing was traded</p>')
    period = f"{(s.start or '')[:10]} to {(s.end or '')[:10]}, {s.days:,.1f} days"
    lines.append(
        f"<p>Total {coloured(float(s.pnl))} ({s.pnl_share:+.2%}) on {amount(s.start_cash)}, "
        f"{escape(period)}</p></div>"
    )
    quotes = '<a href="#quotes">Quotes</a>' if report.making is not None else ""
    lines.append(
        f'<nav aria-label="sections"><a href="#curves">Curves</a>{quotes}'
        '<a href="#evidence">Evidence</a>'
        '<a href="#results">Results</a><a href="#orders">Orders</a><a href="#trades">Trades</a>'
        "</nav></header>"
    )
    return "".join(lines)


def _curves(report: Report) -> str:
    note = "Positions at the bid. Dashed: start."
    if report.robustness and report.robustness.band:
        note += " Band: 90 % of the realised result when events are drawn anew."
    parts = ['<section id="curves"><h2>Equity and drawdown</h2>']
    equity, fall = equity_chart(report), drawdown_chart(report)
    if equity:
        parts.append(f"<figure>{equity}<figcaption>{note}</figcaption></figure>")
        parts.append(
            f"<figure>{fall}<figcaption>Below the highest equity so far.</figcaption></figure>"
        )
    else:
        parts.append("<p>No time passed.</p>")
    parts.append(_cards(report))
    parts.append('<div class="two">')
    chart = calibration_chart(report.calibration)
    if chart:
        parts.append(
            f"<figure><h2>Calibration</h2>{chart}<figcaption>Across: what was forecast. Up: how "
            "often it happened, with 95 % intervals that count events. Larger dots hold more "
            "forecasts.</figcaption></figure>"
        )
    chart = bars(report.by_category, "Result by category")
    if chart:
        parts.append(f"<figure><h2>Result by category</h2>{chart}</figure>")
    parts.append("</div></section>")
    return "".join(parts)


def _cards(report: Report) -> str:
    s = report.summary
    rows = [
        ("End equity", amount(s.end_equity)),
        ("Staked with fees", amount(s.staked)),
        ("Return on stake", percent(s.return_on_stake)),
        ("Fees", amount(s.fees)),
        ("Spread and impact", amount(s.spread_and_impact)),
        ("Turnover", amount(s.turnover)),
        ("Win rate", "-" if s.win_rate is None else f"{s.win_rate:.1%}"),
        ("Profit factor", number(s.profit_factor)),
        ("Max drawdown", f"{amount(s.drawdown.amount)} ({s.drawdown.share:.1%})"),
        ("Exposure, mean / peak", f"{s.exposure:.0%} / {s.peak_exposure:.0%}"),
        ("Fills / round trips", f"{s.fills:,} / {s.round_trips:,}"),
        ("Denied / shrunk", f"{s.denied:,} / {s.shrunk:,}"),
        ("Sharpe / Sortino", f"{number(s.ratios.sharpe)} / {number(s.ratios.sortino)}"),
        ("Brier, own", number(s.scores.brier_forecast, 4)),
        ("Brier, market", number(s.scores.brier_market, 4)),
    ]
    cells = "".join(f"<div><dt>{escape(a)}</dt><dd>{escape(b)}</dd></div>" for a, b in rows)
    text = f'<dl class="cards">{cells}</dl>'
    if s.ratios.withheld:
        text += f'<p class="dim">No annualised ratios: {escape(s.ratios.withheld)}.</p>'
    if s.scores.contaminated is not None:
        text += f'<p class="dim">{escape(contaminated(s.scores.contaminated))}</p>'
    return text


def _results(report: Report) -> str:
    markets = report.by_market
    shown = markets if len(markets) <= 2 * MARKETS else [*markets[:MARKETS], *markets[-MARKETS:]]
    names = names_of((trade.market, trade.question) for trade in report.trades)
    named = [msgspec.structs.replace(row, name=names[row.name]) for row in shown]
    still = names_of((row.market, row.question) for row in report.left_open)
    title = "Markets" if len(shown) == len(markets) else f"Best and worst of {len(markets):,}"
    parts = [
        '<section id="results"><h2>Results</h2>',
        slice_table("By category", "category", report.by_category),
        slice_table("By how positions ended", "ended by", report.by_reason),
        slice_table("By forecaster", "newest forecast by", report.by_forecaster),
        slice_table("By confidence", "stated confidence", report.by_confidence),
        slice_table("By week of the close", "week", by_period(report.round_trips, "week")),
        slice_table(title, "question", named),
        table(
            "Left open, at the bid",
            ("question", "outcome", "shares", "cost", "value"),
            [
                (still[row.market], row.outcome, row.shares, amount(row.cost), amount(row.value))
                for row in report.left_open[:OPEN]
            ],
        ),
        "</section>",
    ]
    return "".join(parts)


def _orders(report: Report) -> str:
    f = report.forecasts
    counts = [("joined", f.joined), *((f"from {name}", n) for name, n in f.by_source.items())]
    counts += [("late", f.late), ("missed", f.missed), ("superseded", f.superseded)]
    return "".join(
        [
            '<section id="orders"><h2>Orders and forecasts</h2>',
            table(
                "Denied or shrunk",
                ("protection", "verdict", "orders", "rule", "by its other rules"),
                [
                    (row.protection, row.ruling, f"{row.orders:,}", row.reason, f"{row.others:,}")
                    for row in report.rejected
                ],
            ),
            table(
                "Refused before any protection",
                ("reason", "wishes"),
                [(reason, f"{n:,}") for reason, n in report.refusals.items()],
            ),
            table("Forecasts", ("what", "how many"), [(name, f"{n:,}") for name, n in counts]),
            "</section>",
        ]
    )


def _trades() -> str:
    heads = "".join(
        f'<th scope="col"{kind}>{name}</th>'
        for name, kind in (
            ('<span class="sr">why</span>', ""), ("n", ""), ("time (UTC)", ' class="word"'),
            ("question", ' class="word"'), ("what", ' class="word"'), ("price", ""),
            ("shares", ""), ("fee", ""), ("reason", ' class="word"'), ("cash", ""),
        )
    )  # fmt: skip
    return (
        '<section id="trades"><h2>Trades</h2><div class="tools">'
        '<label>Find <input id="find" type="search" placeholder="question, reason, side"></label>'
        '<button id="back" type="button">Earlier</button>'
        '<button id="next" type="button">Later</button>'
        '<span id="place" class="dim" aria-live="polite"></span></div>'
        "<noscript><p>The list of trades needs this page's own script; "
        "report.json holds the same.</p></noscript>"
        f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody id="rows"></tbody>'
        "</table></div></section>"
    )


def _foot(report: Report) -> str:
    data = report.manifest.get("data", {})
    notes = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
    return (
        f'<footer class="dim">{f"<h2>Notes</h2><ul>{notes}</ul>" if notes else ""}'
        f"<p>From {escape(str(data.get('label', '')))}, {data.get('markets', 0):,} markets, seed "
        f"{escape(str(report.manifest.get('seed', '')))}, manifest {escape(report.hash)}, "
        f"written {escape(report.created)}.</p></footer>"
    )
