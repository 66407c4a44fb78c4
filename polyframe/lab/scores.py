"""Forecasts scored against the market, one vote an event."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from polyframe.lab import schema as form
from polyframe.lab.columns import UNKNOWN, Columns, Told, integers
from polyframe.lab.metrics import RESAMPLES, Interval, bin_of, bootstrap_mean
from polyframe.lab.score_form import enough_events

if TYPE_CHECKING:
    from polyframe.lab.columns import Bools, Floats, Ints

MANY = 1_000
"""With more events fewer resamples are drawn: the ends of the interval are as steady."""
LEAST = 2_000
NEVER = 2**63 - 1
BINS = 10
FLOOR = 1e-6
"""A market mid of 0 or 1 is scored as this far from it: its log loss would be infinite."""


@lru_cache(maxsize=16)
def _interval(values: bytes, seed: int, level: float) -> Interval:
    """One bootstrap for the same figures, which stand in several tables."""
    column = np.frombuffer(values, dtype=np.float64)
    resamples = RESAMPLES if len(column) <= MANY else max(LEAST, RESAMPLES * MANY // len(column))
    return bootstrap_mean(column, seed=seed, level=level, resamples=resamples)


class Judged(NamedTuple):
    """Forecasts, the mid beside each, what happened (1 or 0) and the event it belongs to.

    Shapes: (forecasts,) each. Units: probabilities.
    """

    forecast: Floats
    market: Floats
    happened: Floats
    event: Ints

    def __len__(self) -> int:
        return len(self.forecast)


def interval_of(values: Floats, seed: int, *, trials: int = 1) -> form.Interval:
    """The mean over events with its bootstrap interval, in the report's form.

    With several trials the interval holds for all of them at once: 95 % becomes 1 - 5 % / trials.

    Shapes: (events,). Units: those of the values.
    """
    level = 1.0 - 0.05 / trials
    found = _interval(np.ascontiguousarray(values, dtype=np.float64).tobytes(), seed, level)
    # Resampling so few events cannot widen an interval as far as many trials ask for.
    known = not math.isnan(found.low) and (trials == 1 or enough_events(found.n, level))
    return form.Interval(
        0.0 if math.isnan(found.mean) else found.mean,
        found.low if known else None,
        found.high if known else None,
        found.n,
        level,
    )


def judged_of(columns: Columns) -> Judged:
    """All forecasts of markets that ended with a winner, with what happened.

    Without the forecasts themselves: the probabilities that filled orders were decided with.
    Questions that ended before the model's knowledge does are left out.
    """
    told = _told(columns)
    return _judged(columns, told, columns.winner[told.market] & ~_contaminated(columns, told))


def _judged(columns: Columns, told: Told, which: Bools) -> Judged:
    rows = np.flatnonzero(which)
    market = told.market[rows]
    return Judged(
        told.probability[rows],
        np.clip(told.mid[rows], FLOOR, 1.0 - FLOOR),
        columns.happened[market].astype(np.float64),
        columns.event_of[market],
    )


def _told(columns: Columns) -> Told:
    if columns.record.judgements:
        return columns.told
    fills, seen = columns.fills, set()
    rows, orders = [], columns.log.orders()
    for n in np.flatnonzero((fills.mid != UNKNOWN) & ~np.isnan(fills.said)).tolist():
        order = orders[n]
        if order not in seen:
            seen.add(order)
            rows.append(n)
    market, said = fills.market[rows], fills.said[rows]
    chance = np.where(fills.first[rows], said, 1.0 - said)
    return Told(market, fills.ts[rows], chance, fills.mid[rows] / columns.one[market])


def _contaminated(columns: Columns, told: Told) -> Bools:
    """Which forecasts are of questions that ended before their model's knowledge does."""
    ended = columns.record.resolutions
    known = [ended[m.id].known_at if m.id in ended else NEVER for m in columns.markets]
    cutoff = np.zeros(len(told.ts), dtype=np.int64)
    if columns.record.judgements:
        cutoff = integers((row.cutoff for row in columns.record.judgements), len(told.ts))
    found: Bools = np.array(known, dtype=np.int64)[told.market] <= cutoff
    return found


def scores_of(columns: Columns, seed: int) -> form.Scores:
    """Brier and log scores of forecasts and market, averaged within events, then over events."""
    rows, told = judged_of(columns), _told(columns)
    tainted = _contaminated(columns, told)
    apart = _apart(columns, told, tainted, seed)
    given = bool(columns.record.judgements)
    excluded = int((~columns.winner[told.market]).sum())
    basis: Literal["all forecasts delivered", "forecasts that led to a fill"] = (
        "all forecasts delivered" if given else "forecasts that led to a fill"
    )
    if not len(rows):
        return form.Scores(0, 0, excluded, basis, None, None, None, None, None, apart)
    names, event = _named(columns, rows)
    forecast, market, happened = rows.forecast, rows.market, rows.happened

    def by_event(
        values: Floats,
    ) -> Floats:
        return np.bincount(event, weights=values) / np.bincount(event)

    def log_score(p: Floats) -> float:
        return float(by_event(-np.log(np.where(happened > 0.5, p, 1.0 - p))).mean())

    own, theirs = by_event((forecast - happened) ** 2), by_event((market - happened) ** 2)
    return form.Scores(
        scored=len(rows),
        events=len(names),
        excluded=excluded,
        basis=basis,
        brier_forecast=float(own.mean()),
        brier_market=float(theirs.mean()),
        log_forecast=log_score(forecast),
        log_market=log_score(market),
        advantage=interval_of(theirs - own, seed),
        contaminated=apart,
    )


def _named(columns: Columns, rows: Judged) -> tuple[Ints, Ints]:
    """By name, so that events are resampled in an order of their own, not of the record's."""
    place = np.empty(len(columns.events), dtype=np.int64)
    place[np.argsort(np.array(columns.events, dtype=np.str_))] = np.arange(len(columns.events))
    names, event = np.unique(place[rows.event], return_inverse=True)
    return names, event


def _apart(
    columns: Columns, told: Told, tainted: Bools, seed: int
) -> form.ContaminatedScores | None:
    rows = _judged(columns, told, tainted & columns.winner[told.market])
    if not len(rows):
        return None
    names, event = _named(columns, rows)
    own, theirs = (
        np.bincount(event, weights=(p - rows.happened) ** 2) / np.bincount(event)
        for p in (rows.forecast, rows.market)
    )
    return form.ContaminatedScores(
        forecasts=len(rows),
        events=len(names),
        brier_forecast=float(own.mean()),
        brier_market=float(theirs.mean()),
        advantage=interval_of(theirs - own, seed),
        fills=int(np.isin(columns.fills.market, told.market[tainted]).sum()),
    )


def bins_of(rows: Judged) -> list[form.Bin]:
    """The calibration table: one row a tenth of the scale that has forecasts."""
    if not len(rows):
        return []
    which = bin_of(rows.forecast, BINS)
    table = []
    for k in range(BINS):
        inside = which == k
        if inside.any():
            table.append(
                form.Bin(
                    k / BINS,
                    (k + 1) / BINS,
                    int(inside.sum()),
                    float(rows.forecast[inside].mean()),
                    float(rows.market[inside].mean()),
                    float(rows.happened[inside].mean()),
                    len(np.unique(rows.event[inside])),
                )
            )
    return table
