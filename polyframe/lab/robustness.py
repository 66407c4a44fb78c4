"""The result read again: without its best events, at twice the cost, simulated, at its worst."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from polyframe.domain.market import GroupKind, Market, ResolutionKind
from polyframe.domain.orders import Side
from polyframe.domain.units import (
    MONEY_DECIMALS,
    MONEY_ONE,
    PAYOUT_ONE,
    Money,
    Ns,
    Price,
    cost_of,
    format_units,
    proceeds_of,
)
from polyframe.lab import schema as form
from polyframe.lab.montecarlo import (
    Holdings,
    band,
    events_anew,
    outcomes_anew,
    reshuffled,
)
from polyframe.lab.record import FillRecord, Replayed, RunRecord
from polyframe.lab.scores import interval_of
from polyframe.lab.trips import Books, Trip
from polyframe.lab.worst import worst_cases

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BEST = 5
LATE = "fills one row later"
HOW = "not run: polyframe backtest --robust"
BAND_POINTS = 60


def robustness_of(record: RunRecord, books: Books, moment: Callable[[Ns], str]) -> form.Robustness:
    """Everything that says how far the result can be trusted."""
    trips, seed = books.trips, record.manifest.seed
    again = [replay_row(row, seed) for row in record.replays or [Replayed(LATE, HOW)]]
    if not trips:
        return form.Robustness(replays=again)
    cases, peak = worst_cases(record, books)
    per_event = _floats(by_event(trips))
    held, cost, paid = holdings_of(record)
    market, claimed, between = outcomes_anew(held, cost, paid, seed)
    return form.Robustness(
        variants=variants(record, books),
        simulated=[
            reshuffled(_ended(trips), seed),
            events_anew(per_event, seed),
            market,
            claimed,
        ],
        between=between,
        worst=cases,
        peak=None if peak is None else moment(peak),
        band=_band(record, trips, seed),
        replays=again,
    )


def replay_row(row: Replayed, seed: int) -> form.Replay:
    """One replay under another assumption, in the report's form."""
    if row.per_event is None:
        return form.Replay(row.name, None, None, None, row.note)
    total = format_units(sum(row.per_event.values()), MONEY_DECIMALS)
    interval = interval_of(_floats(row.per_event), seed)
    return form.Replay(row.name, total, interval, row.fills, row.note)


def by_event(trips: list[Trip]) -> dict[str, Money]:
    """The result of each independent event."""
    found: dict[str, Money] = {}
    for trip in trips:
        found[trip.event] = found.get(trip.event, 0) + trip.pnl
    return found


def stakes_by_event(trips: list[Trip]) -> dict[str, Money]:
    """What each independent event was bought for, fees included."""
    found: dict[str, Money] = {}
    for trip in trips:
        found[trip.event] = found.get(trip.event, 0) + trip.paid + trip.fees
    return found


def weighted_n(stakes: Mapping[str, Money]) -> float | None:
    """How many equal stakes would have been as uncertain: few when a few events hold the money.

    Source: Kish 1965, "Survey Sampling", the design effect of unequal weights.
    """
    squares = sum(stake * stake for stake in stakes.values())
    return sum(stakes.values()) ** 2 / squares if squares else None


def _floats(amounts: Mapping[str, Money]) -> Floats:
    return np.array(list(amounts.values()), dtype=np.float64) / MONEY_ONE


# ---- other readings of the same fills ----------------------------------------------------------


def variants(record: RunRecord, books: Books) -> list[form.Variant]:
    """The result as run, without its best events, at twice the cost and without doubtful prices."""
    trips, seed = books.trips, record.manifest.seed
    events = by_event(trips)

    def variant(name: str, amounts: dict[str, Money], note: str = "") -> form.Variant:
        total = format_units(sum(amounts.values()), MONEY_DECIMALS)
        return form.Variant(name, total, interval_of(_floats(amounts), seed), note)

    best = sorted(events, key=lambda event: (-events[event], event))[:BEST]
    rest = {event: pnl for event, pnl in events.items() if event not in best}
    dearer, unknown = extra_costs(record)
    doubled = dict(events)
    for token, extra in dearer.items():
        doubled[token] = doubled.get(token, 0) - extra
    note = "spread, impact and fees doubled, decisions unchanged"
    if unknown:
        note += f"; {unknown:,} fills without a mid pay only the fee twice"
    clean = by_event([trip for trip in trips if not trip.suspect])
    return [
        variant("as run", events),
        variant(f"without its best {len(best)} events", rest),
        variant("at twice the cost", doubled, note),
        variant("without trades near unquoted prices", clean),
    ]


def extra_costs(record: RunRecord) -> tuple[dict[str, Money], int]:
    """What each event's fills would have cost more, to the unit, and how many knew no mid.

    A fill that was worse than the mid is as much worse again, no further than a price can go; one
    that was better stays where it was. Fees are paid twice.
    """
    markets = {market.id: market for market in record.markets}
    found: dict[str, Money] = {}
    unknown = 0
    for row in record.fills:
        market = markets[row.fill.market]
        event = market.group or market.id
        unknown += row.mid is None
        found[event] = found.get(event, 0) + row.fill.fee + _dearer(row, market)
    return found, unknown


def _dearer(row: FillRecord, market: Market) -> Money:
    fill = row.fill
    if row.mid is None:
        return 0
    fair: Price = row.mid if fill.token == market.yes.id else market.price_one - row.mid
    if fill.side == Side.BUY:
        price = min(fill.price + max(fill.price - fair, 0), market.price_one)
        return cost_of(price, fill.size, market.divisor) - cost_of(
            fill.price, fill.size, market.divisor
        )
    price = max(fill.price - max(fair - fill.price, 0), 0)
    return proceeds_of(fill.price, fill.size, market.divisor) - proceeds_of(
        price, fill.size, market.divisor
    )


# ---- what is simulated -------------------------------------------------------------------------


def _ended(trips: list[Trip]) -> Floats:
    """Results in the order they were known; those left open come last, at the bid."""
    order = sorted(trips, key=lambda t: (t.closed is None, t.closed or 0, t.n))
    return np.array([trip.pnl for trip in order], dtype=np.float64) / MONEY_ONE


def holdings_of(record: RunRecord) -> tuple[Holdings, float, float]:
    """All purchases in markets that outcomes decided, what they cost with fees and what they pay.

    Markets that were annulled or split, and purchases without a known mid, stand apart.
    """
    markets = {market.id: market for market in record.markets}
    kinds = {group.id: group.kind for group in record.groups}
    numbers: dict[str, int] = {}
    columns: dict[str, int] = {}
    rows: list[tuple[float, bool, float, float, int, int, bool]] = []
    cost = paid = 0.0
    for fill, _, mid, decision in record.fills:
        market, ended = markets[fill.market], record.resolutions.get(fill.market)
        if fill.side != Side.BUY or mid is None or not market.binary:
            continue
        if ended is None or ended.kind is not ResolutionKind.WINNER:
            continue
        said = decision.intent.probability if decision is not None else None
        first = fill.token == market.yes.id
        claimed = float("nan") if said is None else said if first else 1.0 - said
        kind = kinds.get(market.group, GroupKind.INDEPENDENT)
        alone = kind is GroupKind.INDEPENDENT
        key = f"market {market.id}" if alone else f"event {market.group}"
        size = fill.size / 10**market.size_decimals
        rows.append(
            (
                size,
                first,
                mid / market.price_one,
                claimed,
                numbers.setdefault(market.id, len(numbers)),
                columns.setdefault(key, len(columns)),
                kind is GroupKind.EXCLUSIVE,
            )
        )
        cost += (cost_of(fill.price, fill.size, market.divisor) + fill.fee) / MONEY_ONE
        paid += size * ended.payouts[0 if first else 1] / PAYOUT_ONE
    return _holdings(rows), cost, paid


def _holdings(rows: list[tuple[float, bool, float, float, int, int, bool]]) -> Holdings:
    table = np.array(rows, dtype=np.float64).reshape(-1, 7).T
    return Holdings(
        pays=table[0],
        first=table[1] > 0,
        market=table[2],
        claimed=table[3],
        number=table[4].astype(np.int64),
        column=table[5].astype(np.int64),
        exclusive=table[6] > 0,
    )


def _band(record: RunRecord, trips: list[Trip], seed: int) -> list[tuple[int, float, float]]:
    """Around start cash plus what was realised: 90 % of the resampled events."""
    events = {event: n for n, event in enumerate(by_event(trips))}
    if len(events) < 2 or not len(record.equity_ts):
        return []
    first, last = int(record.equity_ts[0]), int(record.equity_ts[-1])
    if last <= first:
        return []
    at = [first + (last - first) * k // (BAND_POINTS - 1) for k in range(BAND_POINTS)]
    steps = np.zeros((len(events), BAND_POINTS))
    for trip in trips:
        end = last if trip.closed is None else trip.closed
        place = min(-(-(end - first) * (BAND_POINTS - 1) // (last - first)), BAND_POINTS - 1)
        steps[events[trip.event], max(place, 0)] += trip.pnl / MONEY_ONE
    low, high = band(np.cumsum(steps, axis=1), seed)
    start = record.start_cash / MONEY_ONE
    return [
        (ts, start + float(a), start + float(b)) for ts, a, b in zip(at, low, high, strict=True)
    ]
