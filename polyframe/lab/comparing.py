"""Runs side by side: each with its uncertainty, and whether their difference is more than luck.

What is compared are events. An event that one run traded and another did not counts for the other
as nothing won and nothing lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec
import numpy as np

from polyframe.lab.schema import Interval, Paid, Report, RoundTrip
from polyframe.lab.scores import interval_of
from polyframe.quant.significance import bootstrap_mean

LEVEL = 0.95
APART = "distinguishable"
NOT_APART = "not distinguishable"


class Line(msgspec.Struct, frozen=True):
    """One run, or one strategy's part of a run. Null what it does not define.

    ``low`` and ``high`` are the interval of ``pnl``: that of the mean result of an event, times the
    events.
    """

    name: str
    run: str = ""
    reused: bool = False
    failed: str = ""
    """why there is no result"""
    pnl: str | None = None
    pnl_share: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: str = ""
    per_event: Interval | None = None
    effective_n: int = 0
    trips: int = 0
    fills: int = 0
    win_rate: float | None = None
    profit_factor: float | None = None
    drawdown: str | None = None
    drawdown_share: float | None = None
    fees: str = "0"
    exposure: float | None = None
    best: bool = False
    """better than every other line, and distinguishably so"""


class Difference(msgspec.Struct, frozen=True):
    """How much more the leader made than another line, paired by event.

    ``level`` is that of the interval: wide enough for all the comparisons with the leader together.
    """

    leader: str
    other: str
    events: int
    pnl: float
    low: float | None
    high: float | None
    level: float
    verdict: str


class Comparison(msgspec.Struct, frozen=True):
    """Lines from the best result to the worst, those that failed last."""

    lines: list[Line]
    differences: list[Difference]
    leader: str | None = None
    distinguishable: bool = False
    """whether the leader stands apart from every other line"""
    trials: int = 1
    """different runs on this data that are stored, these included"""


def compared(
    reports: Mapping[str, Report], failed: Mapping[str, str], *, reused: Iterable[str] = ()
) -> Comparison:
    """The comparison of runs that were made on the same data.

    ``failed`` says of each run without a report why there is none.
    """
    again = set(reused)
    lines = [_line_of(name, report, name in again) for name, report in reports.items()]
    lines.sort(key=lambda line: -Decimal(line.pnl or 0))
    differences = _differences([line.name for line in lines], reports)
    apart = bool(differences) and all(d.verdict == APART for d in differences)
    if apart:
        lines[0] = msgspec.structs.replace(lines[0], best=True)
    lines += [Line(name, failed=why) for name, why in failed.items()]
    leader = lines[0].name if reports else None
    trials = max((report.summary.trials for report in reports.values()), default=1)
    return Comparison(lines, differences, leader, apart, trials)


def _line_of(name: str, report: Report, reused: bool) -> Line:
    s = report.summary
    low, high = _of_all(s.per_event, s.effective_n)
    return Line(
        name, report.run, reused,
        pnl=s.pnl, pnl_share=s.pnl_share, low=low, high=high, verdict=s.verdict,
        per_event=s.per_event, effective_n=s.effective_n, trips=s.round_trips, fills=s.fills,
        win_rate=s.win_rate, profit_factor=s.profit_factor, drawdown=s.drawdown.amount,
        drawdown_share=s.drawdown.share, fees=s.fees, exposure=s.exposure,
    )  # fmt: skip


def _of_all(interval: Interval, events: int) -> tuple[float | None, float | None]:
    if interval.low is None or interval.high is None:
        return None, None
    return interval.low * events, interval.high * events


def _differences(names: Sequence[str], reports: Mapping[str, Report]) -> list[Difference]:
    """The leader against each other line, at a level that holds for all of them together."""
    if len(names) < 2:
        return []
    level = 1.0 - (1.0 - LEVEL) / (len(names) - 1)
    seed = max(int(report.manifest["seed"]) for report in reports.values())
    results = {name: results_by_event(r.round_trips, r.paid) for name, r in reports.items()}
    leader = names[0]
    return [
        _difference(leader, other, results[leader], results[other], level, seed)
        for other in names[1:]
    ]


def _difference(
    leader: str,
    other: str,
    own: Mapping[str, Decimal],
    its: Mapping[str, Decimal],
    level: float,
    seed: int,
) -> Difference:
    events = sorted(own.keys() | its.keys())
    zero = Decimal(0)
    gaps = np.array([float(own.get(e, zero) - its.get(e, zero)) for e in events])
    found = bootstrap_mean(gaps, seed=seed, level=level)
    known = len(events) > 1
    low, high = (found.low * found.n, found.high * found.n) if known else (None, None)
    apart = low is not None and high is not None and (low > 0 or high < 0)
    return Difference(
        leader, other, len(events), float(gaps.sum()), low, high, level,
        APART if apart else NOT_APART,
    )  # fmt: skip


def results_by_event(trips: Iterable[RoundTrip], paid: Iterable[Paid] = ()) -> dict[str, Decimal]:
    """The result of each event, positions left open at the bid, rewards and rebates included."""
    results: dict[str, Decimal] = {}
    for trip in trips:
        results[trip.event] = results.get(trip.event, Decimal(0)) + Decimal(trip.pnl)
    for each in paid:
        results[each.event] = results.get(each.event, Decimal(0)) + Decimal(each.amount)
    return results


def by_ledger(report: Report, cash: Mapping[str, int]) -> list[Line]:
    """One line a strategy of a run on one account; ``cash`` is what each began with.

    Drawdown and exposure belong to the account and are left out.

    Units: money in millionths.
    """
    seed = int(report.manifest["seed"])
    trips: dict[str, list[RoundTrip]] = {name: [] for name in cash}
    for trip in report.round_trips:
        trips.setdefault(trip.ledger, []).append(trip)
    paid = {name: [each for each in report.paid if each.ledger == name] for name in trips}
    fills = [trade.ledger for trade in report.trades if trade.side != "settle"]
    lines = [
        _ledger_line(name, rows, paid[name], fills.count(name), cash.get(name, 0), seed)
        for name, rows in trips.items()
    ]
    return sorted(lines, key=lambda line: -Decimal(line.pnl or 0))


def _ledger_line(
    name: str, rows: Sequence[RoundTrip], paid: Sequence[Paid], fills: int, cash: int, seed: int
) -> Line:
    results = results_by_event(rows, paid)
    values = np.array([float(value) for value in results.values()])
    interval = interval_of(values, seed)
    low, high = _of_all(interval, interval.events)
    pnls = [Decimal(trip.pnl) for trip in rows if trip.closed is not None]
    gains, losses = sum(p for p in pnls if p > 0), -sum(p for p in pnls if p < 0)
    total = sum(results.values(), Decimal(0))
    return Line(
        name, pnl=f"{total:f}", pnl_share=float(total) * 1e6 / cash if cash else None,
        low=low, high=high, verdict=interval.verdict, per_event=interval,
        effective_n=interval.events, trips=len(pnls), fills=fills,
        win_rate=sum(p > 0 for p in pnls) / len(pnls) if pnls else None,
        profit_factor=float(gains / losses) if losses else None,
        fees=f"{sum((Decimal(trip.fees) for trip in rows), Decimal(0)):f}",
    )  # fmt: skip
