"""Forecasts scored against the market, one vote an event."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from polyframe.domain.market import ResolutionKind
from polyframe.lab import schema as form
from polyframe.lab.metrics import bin_of, bootstrap_mean
from polyframe.lab.record import Judgement, RunRecord

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BINS = 10
FLOOR = 1e-6
"""A market mid of 0 or 1 is scored as this far from it: its log loss would be infinite."""


class Judged(NamedTuple):
    """A forecast, the mid beside it, what happened (1 or 0) and the event it belongs to."""

    forecast: float
    market: float
    happened: float
    event: str


def interval_of(values: Floats, seed: int, *, trials: int = 1) -> form.Interval:
    """The mean over events with its bootstrap interval, in the report's form.

    With several trials the interval holds for all of them at once: 95 % becomes 1 - 5 % / trials.

    Shapes: (events,). Units: those of the values.
    """
    level = 1.0 - 0.05 / trials
    found = bootstrap_mean(values, seed=seed, level=level)
    known = not math.isnan(found.low)
    return form.Interval(
        0.0 if math.isnan(found.mean) else found.mean,
        found.low if known else None,
        found.high if known else None,
        found.n,
        level,
    )


def judgements_of(record: RunRecord) -> list[Judged]:
    """All forecasts of markets that ended with a winner, with what happened."""
    return _judge(record)[0]


def _judge(record: RunRecord) -> tuple[list[Judged], int]:
    markets = {market.id: market for market in record.markets}
    rows, excluded = [], 0
    for given in record.judgements or _from_fills(record):
        market, ended = markets[given.market], record.resolutions.get(given.market)
        if ended is None or ended.kind is not ResolutionKind.WINNER:
            excluded += 1
            continue
        mid = min(max(given.mid, FLOOR), 1.0 - FLOOR)
        happened = 1.0 if ended.payouts[0] else 0.0
        rows.append(Judged(given.probability, mid, happened, market.group or market.id))
    return rows, excluded


def _from_fills(record: RunRecord) -> list[Judgement]:
    """Without the forecasts themselves: the probabilities that filled orders were decided with."""
    markets = {market.id: market for market in record.markets}
    rows, seen = [], set()
    for fill, _, mid, decision in record.fills:
        said = decision.intent.probability if decision is not None else None
        if decision is None or said is None or mid is None or decision.order in seen:
            continue
        seen.add(decision.order)
        market = markets[fill.market]
        yes = said if fill.token == market.yes.id else 1.0 - said
        rows.append(Judgement(market.id, decision.ts, yes, mid / market.price_one))
    return rows


def scores_of(record: RunRecord, seed: int) -> form.Scores:
    """Brier and log scores of forecasts and market, averaged within events, then over events."""
    rows, excluded = _judge(record)
    basis: Literal["all forecasts delivered", "forecasts that led to a fill"] = (
        "all forecasts delivered" if record.judgements else "forecasts that led to a fill"
    )
    if not rows:
        return form.Scores(0, 0, excluded, basis, None, None, None, None, None)
    names, event = np.unique([row.event for row in rows], return_inverse=True)
    forecast = np.array([row.forecast for row in rows])
    market = np.array([row.market for row in rows])
    happened = np.array([row.happened for row in rows])

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
    )


def bins_of(rows: list[Judged]) -> list[form.Bin]:
    """The calibration table: one row a tenth of the scale that has forecasts."""
    if not rows:
        return []
    forecast = np.array([row.forecast for row in rows])
    market = np.array([row.market for row in rows])
    happened = np.array([row.happened for row in rows])
    which = bin_of(forecast, BINS)
    table = []
    for k in range(BINS):
        inside = which == k
        if inside.any():
            table.append(
                form.Bin(
                    k / BINS,
                    (k + 1) / BINS,
                    int(inside.sum()),
                    float(forecast[inside].mean()),
                    float(market[inside].mean()),
                    float(happened[inside].mean()),
                    len({rows[n].event for n in np.flatnonzero(inside)}),
                )
            )
    return table
