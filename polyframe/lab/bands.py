"""The same tape under three beliefs about the queue: what fills are worth depends on it most.

Each band is a whole replay with another setting of the simulated exchange, in which the strategy
decides anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from polyframe.domain.units import MONEY_DECIMALS, Money, format_units
from polyframe.errors import InvariantError
from polyframe.exchanges.sim.settings import SimSettings
from polyframe.lab.fills_seen import Seen
from polyframe.lab.making import markout_a_minute, ratio
from polyframe.lab.making_form import Band
from polyframe.lab.metrics import drawdown
from polyframe.lab.quoted import inventory_of
from polyframe.lab.record import RunRecord
from polyframe.lab.trips import fold
from polyframe.runtime.overriding import with_sim
from polyframe.runtime.settings import Config

SMALL = 20_000
"""A run that went step by step has its bands without being asked up to so many steps."""
HOW = "not run; polyframe backtest --bands runs it"

Again = Callable[[Config], RunRecord]


class Belief(NamedTuple):
    """Settings of the simulated exchange under a name, and what they mean."""

    name: str
    sim: Mapping[str, Any]
    note: str


BELIEFS = (
    Belief(
        "pessimistic",
        {"queue": "risk_averse", "partial_fills": True},
        "only trades bring an order forward, whoever cancels stood behind it",
    ),
    Belief(
        "realistic",
        {"queue": "power", "queue_power": 3.0, "partial_fills": True},
        "cancels come mostly from the longer part of the queue",
    ),
    Belief(
        "optimistic",
        {"queue": "log", "partial_fills": True},
        "cancels come from before and behind it nearly alike",
    ),
)
"""Source: the queue models that hftbacktest documents; the cautious one is the one to decide by."""


def bands_of(config: Config, record: RunRecord, again: Again, wanted: bool | None,
             steps: int) -> list[Band]:  # fmt: skip
    """A row a belief; the run's own figures stand for the one that it was made with.

    ``wanted`` None: where it costs little. What was not run says how to.
    """
    if record.book is None:
        return []
    cheap = record.book.compiled or steps <= SMALL
    run = cheap if wanted is None else wanted
    now = SimSettings.model_validate(config.venue.sim)
    rows = []
    for belief in BELIEFS:
        queue = str(belief.sim["queue"]) + (" 3" if "queue_power" in belief.sim else "")
        if all(getattr(now, name) == value for name, value in belief.sim.items()):
            rows.append(band_of(belief, queue, record, own=True))
        elif run:
            rows.append(band_of(belief, queue, again(with_sim(config, belief.sim))))
        else:
            rows.append(Band(belief.name, queue, note=_why_not(record, steps, wanted)))
    if not any(row.own for row in rows):
        rows.append(band_of(Belief("as run", {}, "the settings of this run"),
                            now.queue, record, own=True))  # fmt: skip
    return rows


def _why_not(record: RunRecord, steps: int, wanted: bool | None) -> str:
    if wanted is not None:
        return HOW
    took = record.timings.get("replay", 0.0)
    return f"{HOW}, some {took:.0f} s each: the run went step by step, {steps:,} of them"


def band_of(belief: Belief, queue: str, record: RunRecord, *, own: bool = False) -> Band:
    """One run as a row.

    Raises:
        InvariantError: it did not play a tape.
    """
    run = record.book
    if run is None:
        raise InvariantError("a band of a run without recorded books")
    books = fold(record)
    seen = Seen(books.columns, run.mids)
    largest, shown = 0.0, "0"
    for m in seen.traded:
        market = record.markets[m]
        most, least, _ = inventory_of(record, seen, m).extremes
        held = max(most, -least)
        if held / 10**market.size_decimals > largest:
            largest, shown = held / 10**market.size_decimals, market.show_size(held)
    return Band(
        belief.name, queue,
        pnl=_money(result_of(record)),
        spread=_money(int(seen.spread.sum())),
        fills=len(seen),
        fill_ratio=ratio(int((run.own.filled > 0).sum()), int((run.own.accepted > 0).sum())),
        traded=_money(int(seen.notional.sum())),
        markout=markout_a_minute(seen),
        largest=shown,
        drawdown=_money(fall_of(record)),
        own=own,
        note=belief.note,
    )  # fmt: skip


def result_of(record: RunRecord) -> Money:
    """What a run earned, positions that are left at the bid."""
    return int(record.equity[-1]) - record.start_cash if len(record.equity) else 0


def fall_of(record: RunRecord) -> Money:
    """The deepest fall of its equity."""
    return drawdown(np.asarray(record.equity_ts), np.asarray(record.equity)).amount


def _money(amount: Money) -> str:
    return format_units(amount, MONEY_DECIMALS)
