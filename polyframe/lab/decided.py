"""Why each order went through the door, and what was turned away there."""

from __future__ import annotations

from collections import Counter
from math import isnan
from typing import TYPE_CHECKING

from polyframe.domain.verdict import Ruling, Verdict
from polyframe.engine.objections import Objection
from polyframe.lab import schema as form
from polyframe.lab.columns import UNKNOWN, Columns, integers
from polyframe.lab.logs import ReviewLog
from polyframe.lab.texts import mixed_amounts, moments

if TYPE_CHECKING:
    from polyframe.domain.effects import OrderReviewed
    from polyframe.domain.market import Market
    from polyframe.lab.record import RunRecord

NONE = "none on record"
UNSTATED = "not stated"

Verdicts = tuple[Verdict, ...]


class Panels:
    """The panels of verdicts that decisions share; the same tuple is looked at once."""

    def __init__(self) -> None:
        self.named: list[form.Panel] = []
        self._numbers: dict[tuple[tuple[str, ...], bytes, bytes], int] = {}
        self._seen: dict[tuple[int, int], tuple[int, list[tuple[int, str, str]]]] = {}

    def of(self, verdicts: Verdicts, market: Market) -> tuple[int, list[tuple[int, str, str]]]:
        """A panel's number and what was said beyond a plain yes."""
        key = (id(verdicts), market.size_decimals)
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = (self._number(verdicts), _said(verdicts, market))
        return found

    def _number(self, verdicts: Verdicts) -> int:
        # Bytes, because hashing an enumeration is slow and there are twenty in every decision.
        key = (
            tuple([v.protection for v in verdicts]),
            bytes([v.ruling for v in verdicts]),
            bytes([v.binding for v in verdicts]),
        )
        number = self._numbers.setdefault(key, len(self._numbers))
        if number == len(self.named):
            self.named.append(
                form.Panel([(v.protection, v.ruling.name.lower(), v.binding) for v in verdicts])
            )
        return number


def _said(verdicts: Verdicts, market: Market) -> list[tuple[int, str, str]]:
    return [
        (n, market.show_size(v.size), v.reason)
        for n, v in enumerate(verdicts)
        if v.reason or v.ruling < Ruling.ALLOW
    ]


def decisions_of(columns: Columns) -> tuple[list[form.Decision], list[form.Panel]]:
    """One row an order that was filled, and the panels of verdicts they share."""
    found: dict[str, tuple[OrderReviewed, int]] = {}
    markets = columns.fills.market.tolist()
    log = columns.log
    for order, decision, number in zip(log.orders(), log.decisions(), markets, strict=True):
        if decision is not None and order not in found:
            found[order] = decision, number
    if not found:
        return [], []
    reviews = [review for review, _ in found.values()]
    numbers = integers((number for _, number in found.values()), len(found))
    rows = [columns.markets[number] for number in numbers.tolist()]
    ts = integers((review.ts for review in reviews), len(reviews))
    decimals = integers((market.size_decimals for market in rows), len(rows))
    panels, intents = Panels(), [review.intent for review in reviews]
    seen = [panels.of(r.verdicts, market) for r, market in zip(reviews, rows, strict=True)]
    made = map(
        form.Decision,
        found,
        moments(ts),
        [market.id for market in rows],
        [intent.token for intent in intents],
        ["buy" if intent.side > 0 else "sell" for intent in intents],
        mixed_amounts(integers((r.asked for r in reviews), len(reviews)), decimals),
        mixed_amounts(integers((r.permitted for r in reviews), len(reviews)), decimals),
        [intent.reason for intent in intents],
        [_plain(intent.probability) for intent in intents],
        [_plain(intent.edge) for intent in intents],
        [panel for panel, _ in seen],
        [said for _, said in seen],
        _beliefs(columns, columns.belief_at(numbers, ts).tolist()),
        [[(name, _value(value)) for name, value in r.sizing] for r in reviews],
    )
    return list(made), panels.named


def _beliefs(columns: Columns, rows: list[int]) -> list[form.Belief | None]:
    """The forecasts behind decisions, each made once."""
    heard = columns.heard
    times = moments(integers((given.ts for given in heard), len(heard)))
    made: dict[int, form.Belief | None] = {UNKNOWN: None}
    for n in set(rows) - {UNKNOWN}:
        given = heard[n]
        made[n] = form.Belief(
            times[n], float(given.probability), _known(given.mid), given.source, given.confidence,
            list(given.evidence),
        )  # fmt: skip
    return [made[n] for n in rows]


def _plain(value: float | None) -> float | None:
    """A plugin may claim a number of numpy's, which is a float and yet cannot be written."""
    return None if value is None else float(value)


def _known(mid: float) -> float | None:
    return None if isnan(mid) else float(mid)


def _value(value: float | str) -> float | str:
    return value if isinstance(value, str) else float(value)


def rejections_of(record: RunRecord) -> list[form.Rejection]:
    """Denied and shrunk orders by protection, most first, with the rule that bound most often.

    An order that another protection denied was not shrunk. An objection that does not bind, because
    the order only made risks smaller, is counted apart.
    """
    reasons: dict[tuple[str, str], Counter[str]] = {}
    for objection, times in ReviewLog.of(record.reviews).objections().items():
        ruling = _ruling(objection)
        if ruling:
            found = reasons.setdefault((objection.protection, ruling), Counter())
            found[objection.rule] += times
    rows = []
    for (protection, ruling), counted in reasons.items():
        total = counted.total()
        reason, times = min(counted.items(), key=lambda item: (-item[1], item[0]))
        rows.append(form.Rejection(protection, ruling, total, reason, total - times))
    return sorted(rows, key=lambda row: (-row.orders, row.protection, row.ruling))


def _ruling(objection: Objection) -> str:
    """What came of an objection; empty when another's was enough."""
    if not objection.binding:
        return form.NOT_BINDING if objection.sent else ""
    if objection.ruling is Ruling.DENY:
        return "deny"
    return "shrink" if objection.sent else ""
