"""Builds the report of a run from its record."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Literal

import msgspec
import numpy as np

from polyframe.domain.effects import PositionSettled
from polyframe.domain.market import Market
from polyframe.domain.orders import Side
from polyframe.domain.units import (
    DAY,
    HOUR,
    MONEY_DECIMALS,
    MONEY_ONE,
    Money,
    Ns,
    cost_of,
    format_units,
)
from polyframe.errors import InvariantError
from polyframe.lab import schema as form
from polyframe.lab.baselines import baselines_of
from polyframe.lab.decided import NONE, UNSTATED, Beliefs, decisions_of, rejections_of
from polyframe.lab.metrics import (
    daily,
    drawdown,
    equity_metrics,
)
from polyframe.lab.record import RunRecord
from polyframe.lab.robustness import by_event, robustness_of, stakes_by_event, weighted_n
from polyframe.lab.scores import bins_of, interval_of, judgements_of, scores_of
from polyframe.lab.trips import Books, Entry, Trip, fold, spread_paid

MIN_EVENTS = 30
MIN_DAYS = 60
"""Below either, annualised ratios say more about luck than about the strategy."""

CURVE_POINTS = 400
PAYOUT_DECIMALS = 6


def show(amount: Money) -> str:
    """Money as exact decimal text."""
    return format_units(amount, MONEY_DECIMALS)


def moment(ts: Ns) -> str:
    """A time as ISO 8601 UTC text, to the microsecond."""
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ts // 1000)
    return when.isoformat().replace("+00:00", "Z")


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
    judged = judgements_of(record)
    trips = books.trips
    beliefs = Beliefs(record.judgements)
    told = cache(moment)
    decisions, panels = decisions_of(record, beliefs, told)
    return form.Report(
        schema=form.SCHEMA,
        run=run,
        created=created.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        hash=record.manifest.hash,
        synthetic=record.manifest.data.synthetic,
        manifest=msgspec.to_builtins(record.manifest),
        summary=_summary(record, books, equity_end, trials),
        trades=[_trade(n, entry, trips, told) for n, entry in enumerate(books.entries, 1)],
        round_trips=[_round_trip(trip, told) for trip in trips],
        by_category=_slices(trips, lambda trip: trip.market.category),
        by_reason=_slices(trips, lambda trip: trip.close_reason),
        by_market=_slices(trips, lambda trip: trip.market.id),
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
        quality=form.Quality(
            record.unquoted.rows,
            record.unquoted.flagged,
            record.unquoted.refused,
            all=_slice("all fills", trips),
            near=_slice("near unquoted prices", [t for t in trips if t.suspect]),
            without=_slice("without them", [t for t in trips if not t.suspect]),
        ),
        calibration=bins_of(judged),
        equity=_curve(record),
        notes=list(record.notes),
        timings=dict(record.timings),
        by_forecaster=_slices(trips, lambda trip: _believed(beliefs, trip, "source", NONE)),
        by_confidence=_slices(trips, lambda trip: _believed(beliefs, trip, "confidence", UNSTATED)),
        rejected=rejections_of(record),
        decisions=decisions,
        panels=panels,
        baselines=baselines_of(record, judged, (equity_end - record.start_cash) / MONEY_ONE),
        robustness=robustness_of(record, books, told),
    )


def _believed(beliefs: Beliefs, trip: Trip, what: str, otherwise: str) -> str:
    """A word of the forecast that stood when a round trip was opened."""
    belief = beliefs.at(trip.market.id, trip.opened)
    return str(getattr(belief, what)) or otherwise if belief else NONE


def _summary(record: RunRecord, books: Books, equity_end: Money, trials: int) -> form.Summary:
    trips, seed = books.trips, record.manifest.seed
    per_event, stakes = by_event(trips), stakes_by_event(trips)
    values = np.array(list(per_event.values()), dtype=np.float64) / 10**MONEY_DECIMALS
    interval = interval_of(values, seed)
    first, last = _span(record)
    done = [trip for trip in trips if trip.closed is not None]
    gains = sum(trip.pnl for trip in done if trip.pnl > 0)
    losses = -sum(trip.pnl for trip in done if trip.pnl < 0)
    staked = sum(trip.paid + trip.fees for trip in trips)
    pnl = equity_end - record.start_cash
    exposure, peak = _exposure(record, books)
    days = (last - first) / DAY
    return form.Summary(
        per_event=interval,
        verdict=interval.verdict,
        effective_n=len(per_event),
        start=moment(first) if last else None,
        end=moment(last) if last else None,
        days=days,
        start_cash=show(record.start_cash),
        end_cash=show(books.cash),
        end_equity=show(equity_end),
        pnl=show(pnl),
        pnl_share=pnl / record.start_cash if record.start_cash else 0.0,
        fees=show(sum(trip.fees for trip in trips)),
        spread_and_impact=show(spread_paid(list(record.fills), books)),
        turnover=show(_turnover(record, books)),
        reviewed=len(record.reviews),
        denied=sum(1 for r in record.reviews if r.permitted == 0),
        shrunk=sum(1 for r in record.reviews if 0 < r.permitted < r.asked),
        fills=len(record.fills),
        round_trips=len(done),
        win_rate=sum(1 for t in done if t.pnl > 0) / len(done) if done else None,
        profit_factor=gains / losses if losses else None,
        expectancy=show((gains - losses) // len(done)) if done else None,
        staked=show(staked),
        return_on_stake=sum(t.pnl for t in trips) / staked if staked else None,
        markets_traded=len({trip.market.id for trip in trips}),
        left_open=len(record.left_open),
        drawdown=_drawdown(record),
        exposure=exposure,
        peak_exposure=peak,
        ratios=_ratios(record, len(per_event), days),
        scores=scores_of(record, seed),
        trials=trials,
        adjusted=interval_of(values, seed, trials=trials) if trials > 1 else None,
        weighted_n=weighted_n(stakes),
    )


def _span(record: RunRecord) -> tuple[Ns, Ns]:
    if len(record.equity_ts):
        return int(record.equity_ts[0]), int(record.equity_ts[-1])
    return record.manifest.data.first, record.manifest.data.last


def _turnover(record: RunRecord, books: Books) -> Money:
    markets = {trip.token: trip.market for trip in books.trips}
    return sum(
        cost_of(f.fill.price, f.fill.size, markets[f.fill.token].divisor) for f in record.fills
    )


def _exposure(record: RunRecord, books: Books) -> tuple[float, float]:
    """Time-weighted and greatest cost of positions over start cash."""
    first, last = _span(record)
    if not books.held_cost or not record.start_cash:
        return 0.0, 0.0
    points = [*books.held_cost, (max(last, books.held_cost[-1][0]), 0)]
    area = sum(cost * (later - ts) for (ts, cost), (later, _) in pairwise(points))
    span = max(points[-1][0] - min(first, points[0][0]), 1)
    peak = max(cost for _, cost in books.held_cost)
    return area / span / record.start_cash, peak / record.start_cash


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


def _trade(n: int, entry: Entry, trips: Sequence[Trip], told: Callable[[Ns], str]) -> form.Trade:
    trip, what = trips[entry.trip - 1], entry.what
    market = trip.market
    side: Literal["buy", "sell", "settle"]
    order, mid = "", None
    if isinstance(what, PositionSettled):
        side, price, fee, quality = "settle", format_units(what.payout, PAYOUT_DECIMALS), 0, 0
        shares, payout = what.shares, what.received
    else:
        side = "buy" if what.fill.side == Side.BUY else "sell"
        price, fee, quality = market.show_price(what.fill.price), what.fill.fee, what.quality
        shares, payout, order = what.fill.size, 0, what.fill.order
        if what.mid is not None:
            fair = what.mid if trip.token == market.yes.id else market.price_one - what.mid
            mid = market.show_price(fair)
    return form.Trade(
        n=n,
        time=told(entry.ts),
        ts=entry.ts,
        ledger=trip.ledger,
        market=market.id,
        question=market.question,
        token=trip.token,
        outcome=_outcome(market, trip.token),
        side=side,
        price=price,
        shares=market.show_size(shares),
        fee=show(fee),
        reason=entry.reason,
        payout=show(payout),
        cash=show(entry.cash),
        quality=int(quality),
        trip=entry.trip,
        order=order,
        mid=mid,
    )


def _outcome(market: Market, token: str) -> str:
    return next(t.outcome for t in market.tokens if t.id == token)


def _round_trip(trip: Trip, told: Callable[[Ns], str]) -> form.RoundTrip:
    market = trip.market
    bought = trip.bought * market.price_one
    return form.RoundTrip(
        n=trip.n,
        ledger=trip.ledger,
        market=market.id,
        question=market.question,
        event=trip.event,
        category=market.category,
        token=trip.token,
        outcome=_outcome(market, trip.token),
        opened=told(trip.opened),
        closed=None if trip.closed is None else told(trip.closed),
        hours=None if trip.closed is None else (trip.closed - trip.opened) / HOUR,
        shares=market.show_size(trip.bought),
        entry=trip.paid * market.divisor / bought if bought else 0.0,
        staked=show(trip.paid + trip.fees),
        fees=show(trip.fees),
        pnl=show(trip.pnl),
        entry_reason=trip.entry_reason,
        close_reason=trip.close_reason,
        near_unquoted=trip.suspect,
    )


def _slice(name: str, trips: Iterable[Trip]) -> form.Slice:
    rows = list(trips)
    staked, pnl = sum(t.paid + t.fees for t in rows), sum(t.pnl for t in rows)
    return form.Slice(
        name=name,
        trips=len(rows),
        events=len({t.event for t in rows}),
        won=sum(1 for t in rows if t.pnl > 0),
        staked=show(staked),
        fees=show(sum(t.fees for t in rows)),
        pnl=show(pnl),
        return_on_stake=pnl / staked if staked else None,
    )


def _slices(trips: Sequence[Trip], key: Callable[[Trip], str]) -> list[form.Slice]:
    """One slice a key, the best result first."""
    groups: dict[str, list[Trip]] = {}
    for trip in trips:
        groups.setdefault(key(trip), []).append(trip)
    order = sorted(groups, key=lambda name: (-sum(t.pnl for t in groups[name]), name))
    return [_slice(name, groups[name]) for name in order]


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
                _outcome(market, row.token),
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
