"""Builds the report of a run from its record."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from polyframe.domain.units import (
    DAY,
    MONEY_DECIMALS,
    MONEY_ONE,
    Money,
    Ns,
    format_units,
)
from polyframe.errors import InvariantError
from polyframe.lab import schema as form
from polyframe.lab.baselines import baselines_of
from polyframe.lab.columns import UNKNOWN, Columns, costs
from polyframe.lab.decided import NONE, UNSTATED, decisions_of, rejections_of
from polyframe.lab.logs import ReviewLog
from polyframe.lab.making import making_of
from polyframe.lab.metrics import (
    daily,
    drawdown,
    equity_metrics,
)
from polyframe.lab.record import Judgement, RunRecord
from polyframe.lab.robustness import by_event, robustness_of, stakes_by_event, weighted_n
from polyframe.lab.scores import bins_of, interval_of, judged_of, scores_of
from polyframe.lab.told import close_reasons, round_trips_of, slice_of, slices, trades_of
from polyframe.lab.trips import Books, fold, spread_paid

MIN_EVENTS = 30
MIN_DAYS = 60
"""Below either, annualised ratios say more about luck than about the strategy."""

CURVE_POINTS = 400


def show(amount: Money) -> str:
    """Money as exact decimal text."""
    return format_units(amount, MONEY_DECIMALS)


def moment(ts: Ns) -> str:
    """A time as ISO 8601 UTC text, to the microsecond."""
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ts // 1000)
    return when.isoformat().replace("+00:00", "Z")


@contextmanager
def _no_cycles() -> Iterator[None]:
    """Lets the collector of cycles rest: a report is many rows and no cycle."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@_no_cycles()
def build(record: RunRecord, *, run: str, created: datetime, trials: int = 1) -> form.Report:
    """The report of a run; ``trials`` counts the different runs that were tried on its data.

    Raises:
        InvariantError: fills, settlements, left-open positions and equity do not agree to the unit.
    """
    books = fold(record)
    equity_end = books.cash + sum(row.value for row in record.left_open)
    if len(record.equity) and int(record.equity[-1]) != equity_end:
        raise InvariantError(
            f"the last equity is {int(record.equity[-1])}, cash {books.cash} and open positions "
            f"make {equity_end}"
        )
    columns, trips = books.columns, books.trips
    judged = judged_of(columns)
    decisions, panels = decisions_of(columns)
    believed = columns.belief_at(trips.market, trips.opened)
    return form.Report(
        schema=form.SCHEMA,
        run=run,
        created=created.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        hash=record.manifest.hash,
        synthetic=record.manifest.data.synthetic,
        manifest=msgspec.to_builtins(record.manifest),
        summary=_summary(record, books, equity_end, trials),
        trades=trades_of(books),
        round_trips=round_trips_of(books),
        by_category=slices(trips, [columns.markets[m].category for m in trips.market.tolist()]),
        by_reason=slices(trips, close_reasons(books)),
        by_market=slices(trips, [columns.markets[m].id for m in trips.market.tolist()]),
        left_open=_left_open(record),
        denials=dict(sorted(record.denials.items())),
        refusals=dict(sorted(record.refusals.items())),
        forecasts=form.Forecasts(
            record.forecasts.joined,
            record.forecasts.late,
            record.forecasts.missed,
            record.forecasts.superseded,
            dict(sorted(record.forecasts.by_source.items())),
        ),
        quality=_quality(books),
        calibration=bins_of(judged),
        equity=_curve(record),
        notes=list(record.notes),
        timings=dict(record.timings),
        by_forecaster=slices(
            trips, [_word(columns.heard, n, "source", NONE) for n in believed.tolist()]
        ),
        by_confidence=slices(
            trips, [_word(columns.heard, n, "confidence", UNSTATED) for n in believed.tolist()]
        ),
        rejected=rejections_of(record),
        paid=_paid(columns),
        decisions=decisions,
        panels=panels,
        baselines=baselines_of(columns, judged, (equity_end - record.start_cash) / MONEY_ONE),
        robustness=robustness_of(books, moment),
        making=making_of(books, equity_end - record.start_cash),
        scenarios=list(record.scenarios),
    )


def _quality(books: Books) -> form.Quality:
    trips, seen = books.trips, books.columns.record.unquoted
    everything = np.ones(len(trips), dtype=np.bool_)
    return form.Quality(
        seen.rows,
        seen.flagged,
        seen.refused,
        all=slice_of("all fills", trips, everything),
        near=slice_of("near unquoted prices", trips, trips.suspect),
        without=slice_of("without them", trips, ~trips.suspect),
    )


def _word(heard: Sequence[Judgement], belief: int, what: str, otherwise: str) -> str:
    """A word of the forecast that stood when a round trip was opened."""
    return NONE if belief < 0 else str(getattr(heard[belief], what)) or otherwise


def _paid(columns: Columns) -> list[form.Paid]:
    """Rewards and rebates by strategy, event and kind."""
    event = {
        market.id: columns.events[number]
        for market, number in zip(columns.markets, columns.event_of.tolist(), strict=True)
    }
    sums: dict[tuple[str, str, str], Money] = {}
    for each in columns.record.rewards:
        key = (each.ledger, event[each.market], each.what)
        sums[key] = sums.get(key, 0) + each.amount
    return [form.Paid(*key, show(amount)) for key, amount in sorted(sums.items())]


def _summary(record: RunRecord, books: Books, equity_end: Money, trials: int) -> form.Summary:
    trips, seed = books.trips, record.manifest.seed
    values = by_event(books) / 10**MONEY_DECIMALS
    interval = interval_of(values, seed)
    first, last = _span(record)
    done = trips.pnl[trips.closed != UNKNOWN]
    gains, losses = int(done[done > 0].sum()), -int(done[done < 0].sum())
    staked = int((trips.paid + trips.fees).sum())
    pnl = equity_end - record.start_cash
    exposure, peak = _exposure(record, books)
    days, reviews = (last - first) / DAY, ReviewLog.of(record.reviews)
    return form.Summary(
        per_event=interval,
        verdict=interval.verdict,
        effective_n=len(values),
        start=moment(first) if last else None,
        end=moment(last) if last else None,
        days=days,
        start_cash=show(record.start_cash),
        end_cash=show(books.cash),
        end_equity=show(equity_end),
        pnl=show(pnl),
        pnl_share=pnl / record.start_cash if record.start_cash else 0.0,
        fees=show(int(trips.fees.sum())),
        spread_and_impact=show(spread_paid(books.columns)),
        turnover=show(_turnover(books)),
        reviewed=len(reviews),
        denied=reviews.denied,
        shrunk=reviews.shrunk,
        fills=len(record.fills),
        round_trips=len(done),
        win_rate=int((done > 0).sum()) / len(done) if len(done) else None,
        profit_factor=gains / losses if losses else None,
        expectancy=show((gains - losses) // len(done)) if len(done) else None,
        staked=show(staked),
        return_on_stake=int(trips.pnl.sum()) / staked if staked else None,
        markets_traded=len(np.unique(trips.market)),
        left_open=len(record.left_open),
        drawdown=_drawdown(record),
        exposure=exposure,
        peak_exposure=peak,
        ratios=_ratios(record, len(values), days),
        scores=scores_of(books.columns, seed),
        trials=trials,
        adjusted=interval_of(values, seed, trials=trials) if trials > 1 else None,
        weighted_n=weighted_n(stakes_by_event(books)),
    )


def _span(record: RunRecord) -> tuple[Ns, Ns]:
    if len(record.equity_ts):
        return int(record.equity_ts[0]), int(record.equity_ts[-1])
    return record.manifest.data.first, record.manifest.data.last


def _turnover(books: Books) -> Money:
    f = books.columns.fills
    return int(costs(f.price, f.size, books.columns.divisor[f.market]).sum())


def _exposure(record: RunRecord, books: Books) -> tuple[float, float]:
    """Time-weighted and greatest cost of positions over start cash."""
    first, last = _span(record)
    ts, cost = books.entries.ts, books.held_cost
    if not len(ts) or not record.start_cash:
        return 0.0, 0.0
    end = max(last, int(ts[-1]))
    area = float(np.sum(cost * np.diff(ts, append=end).astype(np.float64)))
    span = max(end - min(first, int(ts[0])), 1)
    return area / span / record.start_cash, int(cost.max()) / record.start_cash


def _drawdown(record: RunRecord) -> form.Drawdown:
    ts, equity = np.asarray(record.equity_ts), np.asarray(record.equity)
    depth = drawdown(ts, equity)
    span = int(ts[-1] - ts[0]) if ts.size else 0
    fell = depth.amount > 0
    return form.Drawdown(
        show(depth.amount),
        depth.share,
        moment(int(ts[depth.peak])) if fell else None,
        moment(int(ts[depth.trough])) if fell else None,
        depth.under_water / span if span else 0.0,
        depth.longest / DAY,
    )


def _ratios(record: RunRecord, events: int, days: float) -> form.Ratios:
    if events < MIN_EVENTS or days < MIN_DAYS:
        return form.Ratios(
            withheld=f"{events} independent events over {days:.0f} days; "
            f"given from {MIN_EVENTS} events and {MIN_DAYS} days"
        )
    series = daily(np.asarray(record.equity_ts), np.asarray(record.equity))
    if int(series.min()) <= 0:
        return form.Ratios(withheld="equity fell to zero or below")
    found = equity_metrics(series.astype(np.float64), 365)
    return form.Ratios(_known(found.sharpe), _known(found.sortino), _known(found.calmar))


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _left_open(record: RunRecord) -> list[form.OpenPosition]:
    markets = {token.id: market for market in record.markets for token in market.tokens}
    rows = []
    for row in record.left_open:
        market = markets[row.token]
        rows.append(
            form.OpenPosition(
                row.ledger,
                market.id,
                market.question,
                row.token,
                next(t.outcome for t in market.tokens if t.id == row.token),
                market.show_size(row.shares),
                show(row.cost),
                show(row.value),
            )
        )
    return rows


def _curve(record: RunRecord) -> list[tuple[int, str]]:
    n = len(record.equity_ts)
    rows = np.unique(np.linspace(0, n - 1, min(n, CURVE_POINTS)).round().astype(np.int64))
    return [(int(record.equity_ts[i]), show(int(record.equity[i]))) for i in rows] if n else []
