"""Trades, round trips and slices of the result in the report's form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from polyframe.domain.units import HOUR
from polyframe.lab import schema as form
from polyframe.lab.columns import UNKNOWN, added
from polyframe.lab.texts import amounts, mixed_amounts, moments
from polyframe.lab.trips import LEFT_OPEN, Books, Trips

if TYPE_CHECKING:
    from polyframe.lab.columns import Bools

PAYOUT_DECIMALS = 6
_SIDES = {1: "buy", -1: "sell", 0: "settle"}


def trades_of(books: Books) -> list[form.Trade]:
    """One row a fill and a settlement, in time order."""
    e, columns = books.entries, books.columns
    if not len(e):
        return []
    market = columns.market_of[e.token]
    rows = [columns.markets[m] for m in market.tolist()]
    prices = np.array([m.price_decimals for m in columns.markets], dtype=np.int64)[market]
    sizes = np.array([m.size_decimals for m in columns.markets], dtype=np.int64)[market]
    settles = e.side == 0
    fills = columns.fills
    orders = ["", *columns.log.orders()]
    quality = np.append(fills.quality, 0)[e.fill]  # UNKNOWN is the place of the last
    known = ~settles & (np.append(fills.mid, UNKNOWN)[e.fill] != UNKNOWN)
    fair = np.where(known, np.append(columns.fair, 0)[e.fill], 0)
    mids = mixed_amounts(fair, prices)
    return list(
        map(
            form.Trade,
            range(1, len(e) + 1),
            moments(e.ts),
            e.ts.tolist(),
            [books.ledgers[k] for k in e.ledger.tolist()],
            [m.id for m in rows],
            [m.question for m in rows],
            [columns.tokens[k] for k in e.token.tolist()],
            [columns.outcomes[k] for k in e.token.tolist()],
            [_SIDES[k] for k in e.side.tolist()],
            mixed_amounts(e.price, np.where(settles, PAYOUT_DECIMALS, prices)),
            mixed_amounts(e.size, sizes),
            amounts(np.where(settles, 0, e.money)),
            books.reasons,
            amounts(np.where(settles, e.money, 0)),
            amounts(e.cash),
            quality.tolist(),
            (e.trip + 1).tolist(),
            [orders[k + 1] for k in e.fill.tolist()],
            [text if there else None for text, there in zip(mids, known.tolist(), strict=True)],
        )
    )


def round_trips_of(books: Books) -> list[form.RoundTrip]:
    """One row a holding from flat to flat."""
    t, columns = books.trips, books.columns
    if not len(t):
        return []
    rows = [columns.markets[m] for m in t.market.tolist()]
    sizes = np.array([m.size_decimals for m in columns.markets], dtype=np.int64)[t.market]
    ended = t.closed != UNKNOWN
    ends = moments(np.where(ended, t.closed, 0))
    hours = ((t.closed - t.opened) / HOUR).tolist()
    bought = t.bought * columns.one[t.market].astype(np.float64)
    entry = np.divide(
        t.paid * columns.divisor[t.market].astype(np.float64), bought,
        out=np.zeros(len(t)), where=bought != 0,
    )  # fmt: skip
    there = ended.tolist()
    return list(
        map(
            form.RoundTrip,
            range(1, len(t) + 1),
            [books.ledgers[k] for k in t.ledger.tolist()],
            [m.id for m in rows],
            [m.question for m in rows],
            [columns.events[k] for k in t.event.tolist()],
            [m.category for m in rows],
            [columns.tokens[k] for k in t.token.tolist()],
            [columns.outcomes[k] for k in t.token.tolist()],
            moments(t.opened),
            [text if over else None for text, over in zip(ends, there, strict=True)],
            [value if over else None for value, over in zip(hours, there, strict=True)],
            mixed_amounts(t.bought, sizes),
            entry.tolist(),
            amounts(t.paid + t.fees),
            amounts(t.fees),
            amounts(t.pnl),
            [books.reasons[k] for k in t.begin.tolist()],
            close_reasons(books),
            t.suspect.tolist(),
        )
    )


def close_reasons(books: Books) -> list[str]:
    """How each round trip ended."""
    t = books.trips
    pairs = zip(t.end.tolist(), (t.closed != UNKNOWN).tolist(), strict=True)
    return [books.reasons[k] if over else LEFT_OPEN for k, over in pairs]


# ---- slices ------------------------------------------------------------------------------------


def slice_of(name: str, trips: Trips, rows: Bools) -> form.Slice:
    """Some of the round trips as one slice."""
    found = slices(trips, [name] * len(trips), rows)
    return found[0] if found else form.Slice(name, 0, 0, 0, "0", "0", "0", None)


def slices(trips: Trips, names: Sequence[str], rows: Bools | None = None) -> list[form.Slice]:
    """One slice a name, the best result first. ``names`` has one for each round trip."""
    place: dict[str, int] = {}
    codes = np.fromiter(
        (place.setdefault(name, len(place)) for name in names), dtype=np.int64, count=len(names)
    )
    picked = np.arange(len(codes)) if rows is None else np.flatnonzero(rows)
    codes, count = codes[picked], len(place)
    if not len(codes):
        return []
    pnl, fees = trips.pnl[picked], trips.fees[picked]
    staked = added(codes, trips.paid[picked] + fees, count)
    total = added(codes, pnl, count)
    number = np.bincount(codes, minlength=count).tolist()
    won = np.bincount(codes, weights=pnl > 0, minlength=count).astype(np.int64).tolist()
    pairs = np.unique(codes * (int(trips.event.max()) + 1) + trips.event[picked])
    events = np.bincount(pairs // (int(trips.event.max()) + 1), minlength=count).tolist()
    texts = zip(
        amounts(staked), amounts(added(codes, fees, count)), amounts(total),
        staked.tolist(), total.tolist(), strict=True,
    )  # fmt: skip
    made = [
        form.Slice(name, number[k], events[k], won[k], paid, fee, result, t / s if s else None)
        for (name, k), (paid, fee, result, s, t) in zip(place.items(), texts, strict=True)
        if number[k]
    ]
    results = total.tolist()
    return sorted(made, key=lambda row: (-results[place[row.name]], row.name))
