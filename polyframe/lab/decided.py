"""Why each order went through the door, and what was turned away there."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from typing import TYPE_CHECKING

from polyframe.domain.verdict import Ruling
from polyframe.lab import schema as form
from polyframe.lab.record import Judgement, RunRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from polyframe.domain.effects import OrderReviewed
    from polyframe.domain.market import Market
    from polyframe.domain.units import Ns

NONE = "none on record"
UNSTATED = "not stated"


class Beliefs:
    """The forecasts of a run by market, to find the one that stood at a moment."""

    def __init__(self, judgements: Iterable[Judgement]) -> None:
        self._rows: dict[str, list[Judgement]] = {}
        for row in sorted(judgements, key=lambda row: row.ts):
            self._rows.setdefault(row.market, []).append(row)

    def at(self, market: str, ts: Ns) -> Judgement | None:
        """The newest forecast of a market that had been delivered by then."""
        rows = self._rows.get(market, [])
        place = bisect_right(rows, ts, key=lambda row: row.ts)
        return rows[place - 1] if place else None


def decisions_of(
    record: RunRecord, beliefs: Beliefs, moment: Callable[[Ns], str]
) -> tuple[list[form.Decision], list[form.Panel]]:
    """One row an order that was filled, and the panels of verdicts they share."""
    markets = {market.id: market for market in record.markets}
    panels: dict[tuple[tuple[str, ...], bytes, bytes], int] = {}
    named: list[form.Panel] = []
    rows: dict[str, form.Decision] = {}
    for fill, _, _, review in record.fills:
        if review is None or fill.order in rows:
            continue
        verdicts = review.verdicts
        # Bytes, because hashing an enumeration is slow and there are twenty in every decision.
        key = (
            tuple([v.protection for v in verdicts]),
            bytes([v.ruling for v in verdicts]),
            bytes([v.binding for v in verdicts]),
        )
        number = panels.setdefault(key, len(panels))
        if number == len(named):
            named.append(
                form.Panel([(v.protection, v.ruling.name.lower(), v.binding) for v in verdicts])
            )
        market = markets[fill.market]
        belief = beliefs.at(market.id, review.ts)
        rows[fill.order] = _decision(fill.order, review, market, number, belief, moment)
    return list(rows.values()), named


def _decision(
    order: str,
    review: OrderReviewed,
    market: Market,
    panel: int,
    belief: Judgement | None,
    moment: Callable[[Ns], str],
) -> form.Decision:
    intent = review.intent
    return form.Decision(
        order=order,
        time=moment(review.ts),
        market=market.id,
        token=intent.token,
        side=intent.side.name.lower(),
        asked=market.show_size(review.asked),
        permitted=market.show_size(review.permitted),
        reason=intent.reason,
        probability=_plain(intent.probability),
        edge=_plain(intent.edge),
        panel=panel,
        said=[
            (n, market.show_size(v.size), v.reason)
            for n, v in enumerate(review.verdicts)
            if v.reason or v.ruling < Ruling.ALLOW
        ],
        belief=belief
        and form.Belief(
            moment(belief.ts),
            float(belief.probability),
            float(belief.mid),
            belief.source,
            belief.confidence,
            list(belief.evidence),
        ),
        sizing=list(review.sizing),
    )


def _plain(value: float | None) -> float | None:
    """A plugin may claim a number of numpy's, which is a float and yet cannot be written."""
    return None if value is None else float(value)


def rejections_of(record: RunRecord) -> list[form.Rejection]:
    """Denied and shrunk orders by protection, most first, with the words they were given."""
    reasons: dict[tuple[str, str], Counter[str]] = {}
    for review in record.reviews:
        for verdict in review.verdicts:
            if verdict.binding and verdict.ruling < Ruling.ALLOW:
                key = (verdict.protection, verdict.ruling.name.lower())
                reasons.setdefault(key, Counter())[verdict.reason] += 1
    rows = []
    for (protection, ruling), counted in reasons.items():
        total = counted.total()
        reason, times = min(counted.items(), key=lambda item: (-item[1], item[0]))
        rows.append(form.Rejection(protection, ruling, total, reason, total - times))
    return sorted(rows, key=lambda row: (-row.orders, row.protection, row.ruling))
