"""The result read again: without its best events, at twice the cost, simulated, at its worst."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from polyframe.domain.market import GroupKind
from polyframe.domain.units import MONEY_DECIMALS, MONEY_ONE, PAYOUT_ONE, Ns, format_units
from polyframe.lab import schema as form
from polyframe.lab.columns import UNKNOWN, Columns, added, costs, numbered, proceeds
from polyframe.lab.montecarlo import (
    Holdings,
    band,
    events_anew,
    outcomes_anew,
    reshuffled,
    winners_missed,
)
from polyframe.lab.record import Replayed
from polyframe.lab.scores import interval_of
from polyframe.lab.trips import Books
from polyframe.lab.worst import worst_cases

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from polyframe.lab.columns import Bools, Ints

    Floats = NDArray[np.float64]

BEST = 5
LATE = "fills one row later"
HOW = "not run; polyframe backtest --robust runs it"
BAND_POINTS = 60


def robustness_of(books: Books, moment: Callable[[Ns], str]) -> form.Robustness:
    """Everything that says how far the result can be trusted."""
    record, trips = books.columns.record, books.trips
    seed = record.manifest.seed
    again = [replay_row(row, seed) for row in record.replays or [Replayed(LATE, HOW)]]
    if not len(trips):
        return form.Robustness(replays=again)
    cases, peak = worst_cases(books)
    held, cost, paid = holdings_of(books.columns)
    market, claimed, between = outcomes_anew(held, cost, paid, seed)
    return form.Robustness(
        variants=variants(books),
        simulated=[
            reshuffled(_ended(books), seed),
            events_anew(by_event(books) / MONEY_ONE, seed),
            winners_missed(trips.pnl / MONEY_ONE, seed),
            market,
            claimed,
        ],
        between=between,
        worst=cases,
        peak=None if peak is None else moment(peak),
        band=_band(books, seed),
        replays=again,
    )


def replay_row(row: Replayed, seed: int) -> form.Replay:
    """One replay under another assumption, in the report's form."""
    if row.per_event is None:
        return form.Replay(row.name, None, None, None, row.note)
    values = np.array(list(row.per_event.values()), dtype=np.int64)
    total = format_units(int(values.sum()), MONEY_DECIMALS)
    interval = interval_of(values / MONEY_ONE, seed)
    return form.Replay(row.name, total, interval, row.fills, row.note)


def events_of(books: Books) -> Ints:
    """The independent events in the order they were first traded, then those only paid for."""
    _, at = np.unique(books.trips.event, return_index=True)
    traded = books.trips.event[np.sort(at)]
    paid = np.flatnonzero(_paid(books))
    return np.concatenate([traded, paid[~np.isin(paid, traded)]])


def by_event(books: Books, rows: Bools | None = None) -> Ints:
    """The result of each of the ``events_of``, rewards and rebates included. Units: money.

    ``rows`` picks round trips; what the venue paid besides counts in any case.
    """
    picked = slice(None) if rows is None else rows
    count = len(books.columns.events)
    found = added(books.trips.event[picked], books.trips.pnl[picked], count) + _paid(books)
    events: Ints = events_of(books)
    if rows is not None:
        events = events[np.isin(events, books.trips.event[picked]) | (_paid(books)[events] != 0)]
    return found[events]


def _paid(books: Books) -> Ints:
    """Rewards and rebates by event."""
    columns = books.columns
    place = {market.id: n for n, market in enumerate(columns.markets)}
    paid = columns.record.rewards
    markets = np.array([place[each.market] for each in paid], np.int64)
    amounts = np.array([each.amount for each in paid], np.int64)
    return added(columns.event_of[markets], amounts, len(columns.events))


def stakes_by_event(books: Books) -> Ints:
    """What each independent event was bought for, fees included. Units: money."""
    return _by_event(books, books.trips.paid + books.trips.fees, None)


def _by_event(books: Books, values: Ints, rows: Bools | None) -> Ints:
    picked = slice(None) if rows is None else rows
    events = numbered(books.trips.event[picked])
    return added(events, values[picked], int(events.max()) + 1 if len(events) else 0)


def weighted_n(stakes: Ints) -> float | None:
    """How many equal stakes would have been as uncertain: few when a few events hold the money.

    Source: Kish 1965, "Survey Sampling", the design effect of unequal weights.
    """
    squares = float(np.sum(stakes.astype(np.float64) ** 2))
    return float(stakes.sum()) ** 2 / squares if squares else None


# ---- other readings of the same fills ----------------------------------------------------------


def variants(books: Books) -> list[form.Variant]:
    """The result as run, without its best events, at twice the cost and without doubtful prices."""
    seed, columns = books.columns.record.manifest.seed, books.columns
    events = by_event(books)

    def variant(name: str, amounts: Ints, note: str = "") -> form.Variant:
        total = format_units(int(amounts.sum()), MONEY_DECIMALS)
        return form.Variant(name, total, interval_of(amounts / MONEY_ONE, seed), note)

    order = events_of(books).tolist()
    ranked = sorted(range(len(order)), key=lambda n: (-int(events[n]), columns.events[order[n]]))
    best = ranked[:BEST]
    dearer, unknown = extra_costs(columns)
    note = "spread, impact and fees doubled, decisions unchanged"
    if unknown:
        note += f"; {unknown:,} fills without a mid pay only the fee twice"
    return [
        variant("as run", events),
        variant(f"without its best {len(best)} events", np.delete(events, best)),
        variant("at twice the cost", events - dearer[order], note),
        variant("without trades near unquoted prices", by_event(books, ~books.trips.suspect)),
    ]


def extra_costs(columns: Columns) -> tuple[Ints, int]:
    """What each event's fills would have cost more, to the unit, and how many knew no mid.

    A fill that was worse than the mid is as much worse again, no further than a price can go; one
    that was better stays where it was. Fees are paid twice.
    """
    f, fair = columns.fills, columns.fair
    one, divisor = columns.one[f.market], columns.divisor[f.market]
    above = np.minimum(f.price + np.maximum(f.price - fair, 0), one)
    below = np.maximum(f.price - np.maximum(fair - f.price, 0), 0)
    bought = costs(above, f.size, divisor) - costs(f.price, f.size, divisor)
    sold = proceeds(f.price, f.size, divisor) - proceeds(below, f.size, divisor)
    unknown = f.mid == UNKNOWN
    extra = f.fee + np.where(unknown, 0, np.where(f.buy, bought, sold))
    total = added(columns.event_of[f.market], extra, len(columns.events))
    return total, int(unknown.sum())


# ---- what is simulated -------------------------------------------------------------------------


def _ended(books: Books) -> Floats:
    """Results in the order they were known; those left open come last, at the bid."""
    t = books.trips
    order = np.lexsort((np.arange(len(t)), t.closed, t.closed == UNKNOWN))
    return t.pnl[order] / MONEY_ONE


def holdings_of(columns: Columns) -> tuple[Holdings, float, float]:
    """All purchases in markets that outcomes decided, what they cost with fees and what they pay.

    Markets that were annulled or split, and purchases without a known mid, stand apart.
    """
    f = columns.fills
    rows = np.flatnonzero(
        f.buy & (f.mid != UNKNOWN) & columns.binary[f.market] & columns.winner[f.market]
    )
    market, first = f.market[rows], f.first[rows]
    size = f.size[rows] / columns.unit[market]
    alone = columns.is_kind(GroupKind.INDEPENDENT)[market]
    column = np.where(alone, market, len(columns.markets) + columns.event_of[market])
    said = f.said[rows]
    held = Holdings(
        pays=size,
        first=first,
        market=f.mid[rows] / columns.one[market],
        claimed=np.where(first, said, 1.0 - said),
        number=numbered(market),
        column=numbered(column),
        exclusive=columns.is_kind(GroupKind.EXCLUSIVE)[market],
    )
    spent = costs(f.price[rows], f.size[rows], columns.divisor[market]) + f.fee[rows]
    paid = size * columns.payout[f.token[rows]] / PAYOUT_ONE
    return held, float(spent.sum()) / MONEY_ONE, float(paid.sum())


def _band(books: Books, seed: int) -> list[tuple[int, float, float]]:
    """Around start cash plus what was realised: 90 % of the resampled events."""
    t, record = books.trips, books.columns.record
    events = numbered(t.event)
    count = int(events.max()) + 1
    if count < 2 or not len(record.equity_ts):
        return []
    first, last = int(record.equity_ts[0]), int(record.equity_ts[-1])
    if last <= first:
        return []
    at = [first + (last - first) * k // (BAND_POINTS - 1) for k in range(BAND_POINTS)]
    ends = np.where(t.closed == UNKNOWN, last, t.closed)
    place = np.clip(-(-(ends - first) * (BAND_POINTS - 1) // (last - first)), 0, BAND_POINTS - 1)
    steps = np.zeros((count, BAND_POINTS))
    np.add.at(steps, (events, place), t.pnl / MONEY_ONE)
    low, high = band(np.cumsum(steps, axis=1), seed)
    start = record.start_cash / MONEY_ONE
    return [
        (ts, start + float(a), start + float(b)) for ts, a, b in zip(at, low, high, strict=True)
    ]
