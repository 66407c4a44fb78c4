"""The worst that could have happened to what was held when exposure was greatest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import NamedTuple

import numpy as np

from polyframe.domain.market import Group, GroupKind, Market
from polyframe.domain.units import (
    MONEY_DECIMALS,
    MONEY_ONE,
    PAYOUT_ONE,
    Money,
    Ns,
    format_units,
    payout_of,
    proceeds_of,
)
from polyframe.lab import schema as form
from polyframe.lab.columns import added
from polyframe.lab.record import RunRecord
from polyframe.lab.texts import some
from polyframe.lab.trips import Books

TOP = 3
JUMP_TICKS = 10
LOCKED_SHARE = 0.20
LOCKED_DAYS = 14
DEPEG = 50
"""The currency loses one part in so many: 2 %."""


NO_TICKS = "the record of a run holds no ticks between its rows"


class Held(NamedTuple):
    """Shares of a token, all ledgers together, with what they cost."""

    market: Market
    outcome: int
    shares: int
    cost: Money

    def worth(self, payout: int) -> Money:
        """What the shares pay at ``payout`` millionths each."""
        return payout_of(payout, self.shares, self.market.size_decimals)


class Peak(NamedTuple):
    """Everything held at the moment of greatest cost, and the cash beside it."""

    ts: Ns
    cash: Money
    held: list[Held]


def peak_of(books: Books) -> Peak | None:
    """The moment when positions had cost most; None when nothing was held."""
    if not len(books.entries):
        return None
    return peak_at(books, int(np.argmax(books.held_cost)))


def peak_at(books: Books, at: int) -> Peak | None:
    """Everything held after an entry of the books; None when nothing was."""
    entries, columns = books.entries, books.columns
    # What a ledger held of a token then is what it held after its last entry by then.
    key = entries.ledger[: at + 1] * len(columns.tokens) + entries.token[: at + 1]
    _, last = np.unique(key[::-1], return_index=True)
    rows = at - last
    token, shares = entries.token[rows], entries.shares[rows]
    count = len(columns.tokens)
    owned, cost = added(token, shares, count), added(token, entries.cost[rows], count)
    held = []
    for n in sorted(np.flatnonzero(owned).tolist(), key=columns.tokens.__getitem__):
        m = int(columns.market_of[n])
        outcome = n - int(columns.yes[m])
        held.append(Held(columns.markets[m], outcome, int(owned[n]), int(cost[n])))
    cash = columns.record.start_cash + int(entries.cash[: at + 1].sum())
    return Peak(int(entries.ts[at]), cash, held) if held else None


def event_minimum(held: Sequence[Held], group: Group | None) -> Money:
    """The least that one event's holdings can pay over all outcomes it allows.

    Markets of an exclusive event: at most one is YES. A ladder: all below some strike are YES.
    Others may end in any combination.
    """
    return _worst_of(held, group)[0]


def losing(record: RunRecord, held: Sequence[Held]) -> dict[str, int]:
    """How each market held would end, by the place of its winner, for the least in all."""
    groups = {group.id: group for group in record.groups}
    found: dict[str, int] = {}
    for event, rows in _by_event(held).items():
        found |= _worst_of(rows, groups.get(event))[1]
    return found


def _worst_of(held: Sequence[Held], group: Group | None) -> tuple[Money, dict[str, int]]:
    """The least, and the winner of each market with which it comes."""
    by_market: dict[str, list[Held]] = {}
    for row in held:
        by_market.setdefault(row.market.id, []).append(row)

    def pays(winners: dict[str, int]) -> Money:
        return sum(
            row.worth(PAYOUT_ONE if row.outcome == winners[row.market.id] else 0) for row in held
        )

    def worst(market: str) -> int:
        outcomes = range(len(by_market[market][0].market.tokens))
        return min(outcomes, key=lambda winner: sum(
            row.worth(PAYOUT_ONE if row.outcome == winner else 0) for row in by_market[market]
        ))  # fmt: skip

    kind = group.kind if group is not None else GroupKind.INDEPENDENT
    odd = any(not rows[0].market.binary for rows in by_market.values())
    order = [market for market in group.markets if market in by_market] if group else []
    # An event that does not know all of them excludes nothing.
    if kind is GroupKind.INDEPENDENT or odd or len(order) < len(by_market):
        cases = [{market: worst(market) for market in by_market}]
    elif kind is GroupKind.EXCLUSIVE:
        # Held markets may be all there are, or not: "none of them" stays possible either way.
        none = dict.fromkeys(order, 1)
        cases = [none, *({**none, market: 0} for market in order)]
    else:
        cases = [
            {market: 0 if k < n else 1 for k, market in enumerate(order)}
            for n in range(len(order) + 1)
        ]
    best = min(cases, key=pays)
    return pays(best), best


def worst_cases(books: Books) -> tuple[list[form.WorstCase], Ns | None]:
    """The table of worst cases at the peak of exposure, each against positions at cost."""
    peak = peak_of(books)
    record = books.columns.record
    if peak is None:
        return [], None
    cost = sum(row.cost for row in peak.held)
    equity = peak.cash + cost
    largest = sorted(peak.held, key=lambda row: -row.cost)
    locked = largest[: max(1, ceil(LOCKED_SHARE * len(largest)))]

    def case(name: str, pnl: Money, note: str = "") -> form.WorstCase:
        share = pnl / equity if equity > 0 else 0.0
        return form.WorstCase(name, format_units(pnl, MONEY_DECIMALS), share, note)

    void = sum(row.worth(PAYOUT_ONE // 2) - row.cost for row in largest[:TOP])
    jump = -sum(_jump(row) for row in peak.held)
    frozen = sum(row.cost for row in locked)
    return [
        case("all positions lose", -cost, some(len(peak.held), "position")),
        case("each event at its minimum", _minima(record, peak.held) - cost),
        *_clusters(record, peak.held, case),
        case(f"{_the_largest(len(largest))} void at 0.50", void, "the others at cost"),
        case(
            "the largest loses in a dispute",
            -largest[0].cost,
            f"{frozen / MONEY_ONE:,.2f} locked for {LOCKED_DAYS} days",
        ),
        case(f"no venue for a day, {JUMP_TICKS} ticks against", jump),
        case("the currency loses 2 %", -(abs(equity) // DEPEG)),
        form.WorstCase("the feed stale for 60 s", None, None, NO_TICKS),
        form.WorstCase("the kill switch 10 s late", None, None, NO_TICKS),
    ], peak.ts


def _the_largest(count: int) -> str:
    return "the largest is" if count == 1 else f"the {min(TOP, count)} largest are"


def _clusters(
    record: RunRecord, held: Sequence[Held], case: Callable[[str, Money, str], form.WorstCase]
) -> list[form.WorstCase]:
    """The one event and the one category whose minimum costs most, the others at cost."""
    rows = []
    for what in ("event", "category"):
        parts: dict[str, list[Held]] = {}
        for row in held:
            market = row.market
            name = market.category if what == "category" else market.group or market.id
            parts.setdefault(name, []).append(row)
        lost = {
            name: _minima(record, part) - sum(row.cost for row in part)
            for name, part in parts.items()
        }
        worst = min(lost, key=lambda name: (lost[name], name))
        count = some(len(parts[worst]), "position")
        note = f"{worst or 'none stated'}, {count}, the others at cost"
        rows.append(case(f"the worst {what} at its minimum", lost[worst], note))
    return rows


def _jump(row: Held) -> Money:
    market = row.market
    return min(proceeds_of(JUMP_TICKS * market.tick, row.shares, market.divisor), row.cost)


def _by_event(held: Sequence[Held]) -> dict[str, list[Held]]:
    events: dict[str, list[Held]] = {}
    for row in held:
        events.setdefault(row.market.group or row.market.id, []).append(row)
    return events


def _minima(record: RunRecord, held: Sequence[Held]) -> Money:
    groups = {group.id: group for group in record.groups}
    return sum(event_minimum(rows, groups.get(event)) for event, rows in _by_event(held).items())
