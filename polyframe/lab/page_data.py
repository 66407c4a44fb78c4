"""The data behind the page's list of trades: rows, and each text once."""

from __future__ import annotations

from typing import Any

import msgspec

from polyframe.lab.schema import Decision, Report


def page_data(report: Report) -> str:
    """JSON that can stand inside a script element, whatever the texts in it are."""
    markets: dict[str, int] = {}
    questions: list[tuple[str, str]] = []
    reasons: dict[str, int] = {}
    decided = {decision.order: n for n, decision in enumerate(report.decisions)}
    rows: list[tuple[Any, ...]] = []
    for t in report.trades:
        if t.market not in markets:
            markets[t.market] = len(markets)
            questions.append((t.market, t.question))
        rows.append(
            (
                t.n, t.time, markets[t.market], t.outcome, t.side, t.price, t.shares, t.fee,
                reasons.setdefault(t.reason, len(reasons)), t.cash, t.quality,
                decided.get(t.order, -1), t.mid,
            )
        )  # fmt: skip
    text = msgspec.json.encode(
        {
            "trades": rows,
            "markets": questions,
            "reasons": list(reasons),
            "decisions": [_decision(row) for row in report.decisions],
            "panels": [panel.verdicts for panel in report.panels],
        }
    ).decode()
    # No text may end the script element or begin another.
    for mark, code in (("<", "003c"), (">", "003e"), ("&", "0026"), ("\u2028", "2028"),
                       ("\u2029", "2029")):  # fmt: skip
        text = text.replace(mark, f"\\u{code}")
    return text


def _decision(row: Decision) -> tuple[Any, ...]:
    belief = row.belief and (
        row.belief.time, row.belief.probability, row.belief.mid, row.belief.source,
        row.belief.confidence, row.belief.evidence,
    )  # fmt: skip
    return (
        row.order, row.time, row.side, row.asked, row.permitted, row.reason, row.probability,
        row.edge, row.panel, row.said, belief, row.sizing,
    )  # fmt: skip
