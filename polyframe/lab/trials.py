"""Plays a recording once for many sets of a strategy's parameters.

Each set has a session of its own: money, books, orders, guards. They are played side by side, a
slice of the recording at a time, so that each of its rows is read once for all of them however long
it is, and on as many threads as there are cores where the strategy is compiled.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.units import Money, Ns
from polyframe.errors import ConfigError, UserError
from polyframe.lab.backtest import Loaded, ready_to_play, record_of
from polyframe.lab.collect import Collector
from polyframe.lab.record import RunRecord
from polyframe.runtime import build
from polyframe.runtime.feed import NEVER
from polyframe.runtime.settings import Config
from polyframe.runtime.tape_mids import Mids, read_mids
from polyframe.store.journal import JournalWriter

Measure = Callable[[RunRecord], Any]

SLICE = 1 << 18
"""Rows of a recording that one session plays before the next one does: of a long one they are read
from the disk once for all of them, and of most sessions the tables stay in the cache meanwhile."""
TOGETHER = 32
"""Sessions that are played side by side: so many books and logs are in memory at once."""


@dataclass(frozen=True)
class Trial:
    """What came of one set of parameters.

    Attributes:
        values: the set.
        profit: what the account's equity gained.
        orders: how many were sent.
        fills: how many of them were executed, parts counted.
        equity_ts: when the equity was sampled, as a run of its own samples it.
        equity: the samples; both (samples,) int64.
        measured: what the caller makes of the run's record, None where it asked for nothing.
    """

    values: Mapping[str, Any]
    profit: Money
    orders: int
    fills: int
    equity_ts: NDArray[np.int64]
    equity: NDArray[np.int64]
    measured: Any = None


def with_values(config: Config, strategy: str, values: Mapping[str, Any]) -> Config:
    """The configuration with other parameters for one strategy.

    Raises:
        ConfigError: no strategy has that name.
    """
    names = [entry.name or entry.use for entry in config.strategies]
    if strategy not in names:
        raise ConfigError(
            f"no strategy {strategy!r} in this configuration", expected=" or ".join(names)
        )
    changed = [
        entry.model_copy(update={"config": {**entry.config, **values}}) if name == strategy
        else entry
        for name, entry in zip(names, config.strategies, strict=True)
    ]  # fmt: skip
    return config.model_copy(update={"strategies": changed})


def play_sets(
    loaded: Loaded,
    strategy: str,
    sets: Sequence[Mapping[str, Any]],
    *,
    threads: int = 0,
    rows: int = SLICE,
    call_limit: float = 10.0,
    measure: Measure | None = None,
) -> list[Trial]:
    """Plays what was loaded once for each set of parameters; in their order.

    Each gives what a run of its own gives. ``threads`` is how many play at once, 0 as many as there
    are cores; a strategy in Python uses one. ``measure`` is asked about the record of each run,
    which then is let go.

    Raises:
        ConfigError: no such strategy, or parameters that it refuses.
        UserError: numbers of threads or rows that cannot be.
    """
    if threads < 0 or rows < 1:
        raise UserError(
            f"{threads} threads and slices of {rows} rows",
            expected="no less than 0 threads and 1 row",
        )
    count = max(1, min(threads or os.cpu_count() or 1, len(sets)))
    parts = [sets[k : k + TOGETHER] for k in range(0, len(sets), TOGETHER)]
    stops = list(slices(loaded, rows))
    found: list[Trial] = []
    for part in parts:
        sessions = [
            _ready(loaded, strategy, values, number)
            for number, values in enumerate(part, len(found) + 1)
        ]
        if measure is not None and loaded.tape is not None and loaded.mids is None:
            made = sessions[0].made
            loaded = replace(loaded, mids=read_mids(loaded.tape, made.markets, made.parts.exchange))
        hands = [sessions[k::count] for k in range(count)]
        with ThreadPoolExecutor(count) as pool:
            for done in [pool.submit(_play, hand, stops, call_limit) for hand in hands]:
                done.result()
        found += [session.result(loaded.mids, measure) for session in sessions]
    return found


def slices(loaded: Loaded, rows: int) -> Iterator[Ns]:
    """The moments up to which a recording is played at a time; the last is after everything."""
    if loaded.tape is not None:
        for segment in loaded.tape.tape.segments:
            yield from segment["ts"][rows - 1 :: rows].tolist()
    yield NEVER


class _Session:
    """A session under way with one set of parameters."""

    def __init__(
        self, loaded: Loaded, values: Mapping[str, Any], made: build.Session, collector: Collector
    ) -> None:
        self.loaded, self.values, self.made, self.collector = loaded, values, made, collector

    def result(self, mids: Mids | None, measure: Measure | None) -> Trial:
        """What came of it."""
        made, config = self.made, self.loaded.config
        measured = None
        if measure is None:
            made.replay.feed.account()
        else:
            mine = replace(self.loaded, mids=mids)
            measured = measure(record_of(mine, made, self.collector, {}))
        equity_ts, equity = made.replay.feed.equity()
        start, stats = sum(config.allocations().values()), made.broker.stats  # type: ignore[attr-defined]
        profit = int(equity[-1]) - start if len(equity) else 0
        return Trial(
            self.values, profit, int(stats.orders), int(stats.fills), equity_ts, equity, measured
        )


def _ready(loaded: Loaded, strategy: str, values: Mapping[str, Any], number: int) -> _Session:
    mine = replace(loaded, config=with_values(loaded.config, strategy, values))
    try:
        return _Session(mine, values, *ready_to_play(mine, JournalWriter.null()))
    except ConfigError as error:
        raise ConfigError(
            f"set {number}: {error.message}", expected=error.expected, hint=error.hint
        ) from None


def _play(sessions: Sequence[_Session], stops: Sequence[Ns], call_limit: float) -> None:
    """Plays sessions slice by slice; each plays a slice before the next one does."""
    with ExitStack() as stack:
        for session in sessions:
            stack.callback(session.made.replay.let_go)
        for session in sessions:
            with session.made.calls.watch(call_limit):
                session.made.replay.begin()
        for stop in stops:
            for session in sessions:
                with session.made.calls.watch(call_limit):
                    session.made.replay.play(stop)
        for session in sessions:
            with session.made.calls.watch(call_limit):
                session.made.replay.end()
