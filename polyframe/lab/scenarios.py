"""Worst cases replayed: the same run with one thing gone wrong at the worst moment for it.

Each is the replay itself with other settings of the simulated exchange, or over data in which
something else happened. The moment is chosen with hindsight, by what the run held and had resting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

import numpy as np

from polyframe.domain.market import Resolution
from polyframe.domain.units import MINUTE, MONEY_DECIMALS, SECOND, Money, Ns, format_units
from polyframe.errors import PolyframeError
from polyframe.exchanges.sim.exchange import SimExchange
from polyframe.exchanges.sim.settings import SimSettings
from polyframe.lab.bands import fall_of, result_of
from polyframe.lab.cells import rounded
from polyframe.lab.fills_seen import Seen
from polyframe.lab.making_form import Scenario
from polyframe.lab.moments import gap_at, moment_of, stake_at
from polyframe.lab.record import BookRun, RunRecord
from polyframe.lab.replays import tripled
from polyframe.lab.tape_overlay import gapped, silenced
from polyframe.lab.texts import some
from polyframe.lab.trips import fold
from polyframe.lab.worst import losing, peak_at, peak_of
from polyframe.runtime.overriding import with_sim
from polyframe.runtime.recorded import Recorded
from polyframe.runtime.settings import Config
from polyframe.runtime.tape_data import Played

OUTAGE: Ns = 10 * MINUTE
SILENCE: Ns = MINUTE
PART = 4
"""Neither lasts longer than this part of the run."""
MOST = 20.0
"""of a multiplier, as the settings have it"""

NO_BOOKS = "does not apply: a run over prices has no quotes resting in a book"
NO_FEED = "does not apply: between two rows of recorded prices nothing is heard anyway"
NO_REST = "does not apply: no quote ever rested"
NOTHING_HELD = "does not apply: nothing was held of a market that resolves"


class Again(Protocol):
    """Makes the run with other settings or other data."""

    def __call__(self, config: Config, data: Recorded | None = None, /) -> RunRecord:
        """Its record."""


class Run(NamedTuple):
    """The run that something happens to."""

    config: Config
    data: Recorded
    record: RunRecord
    again: Again

    @property
    def sim(self) -> SimSettings:
        """The settings of its simulated exchange."""
        return SimSettings.model_validate(self.config.venue.sim)

    @property
    def books(self) -> tuple[Played, BookRun] | None:
        """Its tape and what it did there; None for a run over prices."""
        if self.data.tape is None or self.record.book is None:
            return None
        return self.data.tape, self.record.book


class Found(NamedTuple):
    """The replay (None where it does not apply), a note, and when what happened was over."""

    record: RunRecord | None
    note: str
    over: Ns | None = None


def scenarios_of(config: Config, data: Recorded, record: RunRecord, again: Again) -> list[Scenario]:
    """Every worst case: what the run would have come to, or why it does not apply."""
    run = Run(config, data, record, again)
    return [_replayed(name, case, run) for name, case in CASES.items()]


def _replayed(name: str, case: Callable[[Run], Found], run: Run) -> Scenario:
    try:
        found = case(run)
    except PolyframeError as error:
        found = Found(None, f"could not be replayed: {error.message}")
    made, start = found.record, run.record.start_cash
    if made is None:
        return Scenario(name, note=found.note)
    pnl, was = result_of(made), result_of(run.record)
    note = found.note if pnl <= was else f"{found.note}; this once it helped"
    soon = None if found.over is None else _apart(run.record, made, found.over + MINUTE)
    return Scenario(
        name, _money(pnl), _money(pnl - was),
        None if soon is None else _money(soon), pnl / start if start else None,
        len(made.fills), _money(fall_of(made)), note,
    )  # fmt: skip


def _apart(was: RunRecord, now: RunRecord, ts: Ns) -> Money | None:
    """The difference in equity at the first sample from a moment on, None after the last."""
    at = int(np.searchsorted(was.equity_ts, ts, side="left"))
    if at >= len(was.equity_ts):
        return None
    other = int(np.searchsorted(now.equity_ts, was.equity_ts[at], side="right")) - 1
    return int(now.equity[max(other, 0)]) - int(was.equity[at])


def _money(amount: Money) -> str:
    return format_units(amount, MONEY_DECIMALS)


def _when(ts: Ns) -> str:
    return f"{datetime.fromtimestamp(ts // SECOND, UTC):%Y-%m-%d %H:%M:%S} UTC"


# ---- what happens to any run ---------------------------------------------------------------------


def _resolved(run: Run) -> Found:
    """Everything held ends at once, when most is at stake, each event at its minimum."""
    books, quotes = fold(run.record), run.record.book
    peak = peak_of(books)
    if quotes is not None and peak is not None:
        ts = stake_at(run.record, quotes, Seen(books.columns, quotes.mids))
        at = int(np.searchsorted(books.entries.ts, ts, side="right")) - 1
        peak = peak_at(books, at) if at >= 0 else peak
    held = [] if peak is None else [row for row in peak.held if row.market.binary]
    if peak is None or not held:
        return Found(None, NOTHING_HELD)
    # Once the fill that made the peak is known: up to there the run is the same.
    ts = peak.ts + max(SECOND, 2 * run.sim.response)
    winners = losing(run.record, held)
    markets = {row.market.id: row.market for row in held}
    ended = {
        id: Resolution.winner(market, winners[id], ts)
        for id, market in markets.items()
        if id not in run.data.resolutions or run.data.resolutions[id].known_at > ts
    }
    data = replace(run.data, resolutions={**run.data.resolutions, **ended})
    note = f"{some(len(ended), 'market')} held when most was at stake, {_when(ts)}"
    return Found(run.again(run.config, data), note)


def _latency(run: Run) -> Found:
    again = run.again(with_sim(run.config, tripled(run.sim)))
    return Found(again, "orders, cancels and answers")


def _fees(run: Run) -> Found:
    twice = {"fee_multiplier": min(2 * run.sim.fee_multiplier, MOST)}
    note = "decisions follow"
    if not fold(run.record).columns.fills.fee.any():
        note = f"{note}; no fee was paid"
    return Found(run.again(with_sim(run.config, twice)), note)


# ---- what happens to quotes ----------------------------------------------------------------------


def _gap(run: Run) -> Found:
    books = run.books
    if books is None:
        return Found(None, NO_BOOKS)
    tape, quotes = books
    found = gap_at(run.record, quotes, Seen(fold(run.record).columns, quotes.mids))
    if found is None:
        return Found(None, NO_REST)
    gap, moment = found
    markets = list(run.record.markets)
    overlaid = gapped(tape, gap, markets, SimExchange(SimExchange.Config.model_validate(
        run.config.venue.sim)))  # fmt: skip
    market = markets[gap.market]
    way = "up" if gap.by > 0 else "down"
    note = (
        f"{market.id} goes {way} by {market.show_price(abs(gap.by))} at once and stays there, "
        f"{_when(gap.ts)}; {rounded(moment.resting)} shares rested on that side"
    )
    return Found(run.again(run.config, replace(run.data, tape=overlaid)), note, gap.ts)


class Cut(NamedTuple):
    """A stretch of time at which to be cut off is worst; what rested then, in words."""

    tape: Played
    start: Ns
    end: Ns
    note: str


def _cut(run: Run, most: Ns) -> Cut | str:
    """The worst stretch of at most so long, or why there is none."""
    if run.books is None:
        return NO_BOOKS
    tape, quotes = run.books
    lasts = min(most, (tape.end - tape.start) // PART)
    moment = moment_of(run.record, quotes, lasts)
    if moment is None:
        return NO_REST
    rested = f"{rounded(moment.resting)} shares of {run.record.markets[moment.market].id} rested"
    note = f"for {_long(lasts)} from {_when(moment.ts)} {{}}; {rested}"
    return Cut(tape, moment.ts, moment.ts + lasts, note)


def _outage(run: Run) -> Found:
    cut = _cut(run, OUTAGE)
    if isinstance(cut, str):
        return Found(None, cut)
    spans = sorted([*run.sim.outages, (cut.start, cut.end)])
    again = run.again(with_sim(run.config, {"outages": spans}))
    return Found(again, cut.note.format("orders, cancels and answers wait for its end"), cut.end)


def _silence(run: Run) -> Found:
    cut = _cut(run, SILENCE)
    if isinstance(cut, str):
        return Found(None, NO_FEED if cut == NO_BOOKS else cut)
    data = replace(run.data, tape=silenced(cut.tape, cut.start, cut.end))
    again = run.again(run.config, data)
    return Found(again, cut.note.format("no book is heard of; then all of it at once"), cut.end)


def _long(span: Ns) -> str:
    seconds = span // SECOND
    return f"{seconds // 60} min" if seconds >= 120 and seconds % 60 == 0 else f"{seconds} s"


CASES: dict[str, Callable[[Run], Found]] = {
    "correlated positions all lose": _resolved,
    "a gap through the quotes": _gap,
    "venue away, quotes resting": _outage,
    "latency three times": _latency,
    "fees twice": _fees,
    "the feed is silent": _silence,
}
