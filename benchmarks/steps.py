"""What one step of the engine costs, part by part, and a whole backtest of the sample."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, figure, timed
from benchmarks.peers import bare_loop
from polyframe import (
    FeeSchedule,
    Intent,
    Market,
    Quote,
    Side,
    Strategy,
    TimeInForce,
    Token,
    View,
)
from polyframe.domain import events as ev
from polyframe.domain.effects import Effect
from polyframe.domain.events import Event
from polyframe.domain.orders import Seal
from polyframe.engine.engine import Engine
from polyframe.engine.risk import Guarded
from polyframe.engine.setup import Player, Setup
from polyframe.kernels import guards_nb as g
from polyframe.kernels import review_nb
from polyframe.runtime.calls import PluginCalls
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import ALWAYS, DEFAULT_GUARDS
from polyframe.sizers.fixed import FixedSizer
from polyframe.store.journal import JournalWriter
from polyframe.store.records import Header, RecordLevel

START = 1_767_225_600_000_000_000
MARKETS = 20


class Idle(Strategy):
    """Is told and wants nothing."""

    def on_wake(self, event: ev.TimerFired, view: View):
        return ()


class Buyer(Strategy):
    """Wants one order at every wake."""

    def on_wake(self, event: ev.TimerFired, view: View):
        yield Intent(
            token="m0.yes",
            side=Side.BUY,
            price=5_000,
            size=10_000_000,
            probability=0.6,
            tif=TimeInForce.FAK,
        )


def made(strategy: Strategy, registry: Registry, *, guards: bool = True) -> Engine:
    """A session of 20 markets with every default guard."""
    markets = [
        Market(
            f"m{i}",
            f"Will {i}?",
            (Token(f"m{i}.yes", "Yes"), Token(f"m{i}.no", "No")),
            fee=FeeSchedule(40_000),
        )
        for i in range(MARKETS)
    ]
    names = DEFAULT_GUARDS if guards else ALWAYS
    guarded = [Guarded(registry.get("protection", name)(), None) for name in names]
    engine = Engine(
        Setup(
            session="bench",
            seed=0,
            markets=markets,
            players=[Player("p", strategy, FixedSizer(), 10**12)],
            guarded=guarded,
            calls=PluginCalls(),
            seal=Seal(),
        )
    )
    engine.step(ev.SessionStarted(START, "bench"))
    for market in markets:
        quote = Quote(market.yes.id, 4_800, 10**9, 5_000, 10**9, START)
        engine.step(ev.BookUpdated(START, quote))
    return engine


def measure(quick: bool) -> Iterator[Figure]:
    """A row a part; ``us`` is microseconds a step (or a call)."""
    n, runs = (20_000, 3) if quick else (100_000, 5)
    registry = Registry.load(None, entry_points=False, safe=True)
    silent = [ev.TimerFired(START + i, "nobody", "") for i in range(n)]
    timers = [ev.TimerFired(START + i, "p", "") for i in range(n)]
    yield _row("no-op step, nobody listens", _steps(Strategy(), registry, silent), n, runs)
    yield _row("step with an idle strategy", _steps(Idle(), registry, timers), n, runs)
    quotes = [
        ev.BookUpdated(START + i, Quote("m0.yes", 4_800 + i % 2, 10**9, 5_000, 10**9, START + i))
        for i in range(n)
    ]
    yield _row("quote into the book", _steps(Strategy(), registry, quotes), n, runs)
    yield from _orders(registry, n // 4, runs)
    yield _row("all guards, one call", _guards(n), n, runs, unit="calls")
    yield from _journal(registry, n // 4, runs)
    yield from _sample(registry, 1 if quick else 3)
    yield from bare_loop(quick)


def _row(
    workload: str, work: Callable[[], None], n: int, runs: int, unit: str = "steps", **more: object
) -> Figure:
    times = timed(work, runs)
    us = round(times.median / n * 1e6, 3)
    return figure(workload, n, times.median, unit=unit, us=us, **more, **times.spread())


def _steps(strategy: Strategy, registry: Registry, events: list[Event]) -> Callable[[], None]:
    engine = made(strategy, registry)

    def run() -> None:
        step = engine.step
        for event in events:
            step(event)

    return run


def _orders(registry: Registry, n: int, runs: int) -> Iterator[Figure]:
    """An intent reviewed, reserved and sent, then refused by the venue: two steps an order."""
    for guards, name in ((False, "venue guards only"), (True, "all default guards")):
        engine = made(Buyer(), registry, guards=guards)

        def run(engine: Engine = engine) -> None:
            for i in range(n):
                engine.step(ev.TimerFired(START + i, "p", ""))
                for order in list(engine.state.orders):
                    engine.step(ev.OrderRejected(START + i, order, "no"))

        yield _row(f"intent to order and back, {name}", run, n, runs, unit="orders")


def _guards(n: int) -> Callable[[], None]:
    order = np.ones(g.O_SIZE_OF, dtype=np.int64)
    state, limits = np.ones(g.S_SIZE_OF, np.int64), np.ones(g.L_SIZE_OF, np.int64)
    applies = np.full(len(g.GUARDS), 15, np.int64)
    scope, permitted = np.ones(len(g.GUARDS), np.int64), np.zeros(len(g.GUARDS), np.int64)

    def run() -> None:
        for _ in range(n):
            review_nb.review(order, state, limits, applies, scope, permitted)

    return run


def _journal(registry: Registry, n: int, runs: int) -> Iterator[Figure]:
    """The same steps written at each record level."""
    engine = made(Buyer(), registry)
    recorded: list[tuple[Event, list[Effect]]] = []
    for i in range(n // 2):
        wake = ev.TimerFired(START + i, "p", "")
        recorded.append((wake, engine.step(wake)))
        for order in list(engine.state.orders):
            refused = ev.OrderRejected(START + i, order, "no")
            recorded.append((refused, engine.step(refused)))
    for level in RecordLevel:
        header = Header(
            polyframe="", api=1, code="", plugins="", session="bench", seed=0, config="",
            universe="", level=level, created=START,
        )  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            files = iter(range(10_000))

            def run(
                header: Header = header, folder: str = folder, files: Iterator[int] = files
            ) -> None:
                path = Path(folder) / f"{next(files)}.bin"
                with JournalWriter.create(path, header) as journal:
                    for event, effects in recorded:
                        journal.step(event, effects)

            yield _row(f"journal a step, record {level.value}", run, len(recorded), runs)


def _sample(registry: Registry, runs: int) -> Iterator[Figure]:
    """The default backtest: load, replay and report of the shipped synthetic markets."""
    from polyframe.lab.backtest import run
    from polyframe.lab.synth import sample_dir
    from polyframe.runtime.settings import Config

    config = Config().choosing(["LLMForecast"])
    times = timed(lambda: run(config, registry, sample_dir(), runs=None), runs)
    record = times.result.record
    rows = record.unquoted.rows
    replay = record.timings["replay"]
    yield figure(
        "default backtest, end to end", rows, times.median, unit="price rows",
        orders=len(record.reviews), fills=len(record.fills), **times.spread(),
    )  # fmt: skip
    yield figure("default backtest, replay alone", rows, replay, unit="price rows")
