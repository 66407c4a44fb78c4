"""A declarative strategy over bars, beside the peers of the shared harness in the same run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numba import int64, njit, types

from benchmarks.figures import Figure, figure, peak_rss_mb, timed
from benchmarks.harness import Harness, Peer, in_scratch
from benchmarks.limits import UNLIMITED
from polyframe.domain.market import FeeSchedule, Market, Token
from polyframe.domain.units import MINUTE
from polyframe.kernels import guards_nb as g
from polyframe.kernels import review_nb
from polyframe.lab.backtest import Loaded, TemporaryJournal, played
from polyframe.lab.columns import Columns
from polyframe.lab.record import (
    Code,
    ConfigUsed,
    DataSlice,
    ForecastsUsed,
    Manifest,
    PluginsUsed,
    RunRecord,
)
from polyframe.lab.summary import build as build_report
from polyframe.runtime import build
from polyframe.runtime.bars import strategy_bars
from polyframe.runtime.calls import PluginCalls
from polyframe.runtime.compiled import CompiledFeed
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.runtime.signals import signals_of
from polyframe.store.bar_columns import BarColumns
from polyframe.store.forecasts import ForecastTable
from polyframe.store.journal import JournalWriter
from polyframe.store.records import RecordLevel
from polyframe.store.timeline import PriceColumns

WORKLOAD = "bars-ema"
BARS = 5_000
TARGETS = {"bars/s": 1_500_000, "x freqtrade": 70, "x backtesting.py": 8, "MB": 600}
PEERS = (
    Peer("freqtrade", "freq", "bench_freqtrade.py", 25_000, 100_000),
    Peer("backtesting.py", "btpy", "bench_backtestingpy.py", 50_000, 250_000),
    Peer("vectorbt", "vbt", "bench_vectorbt.py", 250_000, 2_500_000),
)


@njit(
    types.void(
        g.VECTOR, review_nb.TABLE, review_nb.TABLE, review_nb.TABLE, g.VECTOR, review_nb.TABLE,
        int64,
    )
)  # fmt: skip
def _rule(order, numbers, limits, applies, scope, permitted, times):  # type: ignore[no-untyped-def]
    """All guards, on both rows, so many times."""
    for _ in range(times):
        review_nb.review_both(order, numbers, limits, applies, scope, permitted, 0, 1, 0)


FREE: dict[str, Any] = {
    "sim": {
        "latency_entry_ms": 0, "latency_response_ms": 0, "latency_cancel_ms": 0, "spread": "none",
        "fees": "none", "depth_shares": 1_000_000, "max_age_ms": 10**9,
    }
}  # fmt: skip
"""What the harness assumes: the next open, nothing for it, as much as one wants."""


@dataclass(frozen=True)
class Played:
    """One run with its time and what came of it."""

    seconds: float
    record: RunRecord
    trades: int
    pnl: float


def measure(quick: bool) -> Iterator[Figure]:
    """The workload alone in a process of its own, its parts, sizes, default limits, the peers."""
    yield from in_scratch(WORKLOAD, partial(_rows, quick=quick))


def _rows(harness: Harness, scratch: Path, *, quick: bool) -> Iterator[Figure]:
    file = harness.prepare(markets=500, bars=BARS)
    markets = 50 if quick else 500
    own = _alone(file, markets)
    yield own
    # Before this process grows: a child begins with its parent's peak of memory.
    for peer in harness.rows(PEERS, WORKLOAD, quick=quick):
        if own.rate and peer.rate:
            peer.more["polyframe_x"] = round(own.rate / peer.rate, 1)
        yield peer
    yield from _parts(file, markets, scratch)
    for count in (20, 100) if quick else (20, 500, 5000):
        yield _sized(file, count, scratch)


def _alone(file: Path, markets: int) -> Figure:
    """The workload in a fresh process, so that its memory is its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bars", str(file), str(markets)],
        capture_output=True, text=True, check=True, env=os.environ, timeout=900,
    )  # fmt: skip
    seconds, rss, trades, pnl, bars = done.stdout.split()[-5:]
    return figure(
        WORKLOAD, float(bars), float(seconds), unit="bars", rss_mb=float(rss), trades=int(trades),
        pnl=float(pnl), note=f"targets: {TARGETS}",
    )  # fmt: skip


def _parts(file: Path, markets: int, scratch: Path) -> Iterator[Figure]:
    data = loaded_bars(file, markets)
    bars = float(len(data.bars or ()))
    setup = Setup(scratch, data)
    run = setup.play(UNLIMITED)
    strategy = setup.registry.get("strategy", "EmaCross")()
    base = strategy_bars(data, strategy, len(data.markets))
    indicators = timed(
        lambda: signals_of(PluginCalls(), "EmaCross", strategy, base, data.markets), 3
    ).median
    guards, reviews = setup.guards()
    report = timed(
        lambda: build_report(run.record, run="r", created=datetime.now(UTC)), 1, warm=0
    ).median
    whole, build_, replay = run.seconds, run.record.timings["build"], run.record.timings["replay"]
    for name, seconds in (
        ("indicators", indicators),
        ("set-up", build_ - indicators),
        ("engine", replay - guards),
        ("guards", guards),
        ("records", whole - build_ - replay),
    ):
        yield figure(
            f"{WORKLOAD}: {name}", bars, seconds, unit="bars", share=round(seconds / whole, 3)
        )
    yield figure(f"{WORKLOAD}: report", run.trades, report, unit="trades", note="beside the run")
    kept = setup.play(UNLIMITED, RecordLevel.ORDERS)
    yield figure(
        f"{WORKLOAD}: with a journal", bars, kept.seconds, unit="bars",
        note="record: orders, every review, fill and verdict on disk",
    )  # fmt: skip
    limited = setup.play({})
    denied = dict(Counter(limited.record.denials).most_common(6))
    yield figure(
        f"{WORKLOAD}: default limits", bars, limited.seconds, unit="bars", trades=limited.trades,
        note=f"{reviews:,} reviews; denials: {denied}",
    )  # fmt: skip


def _sized(file: Path, markets: int, scratch: Path) -> Figure:
    """Fewer or more markets: the engine's cost follows trades, features are called for each."""
    data = loaded_bars(file, markets, total=BARS * 20 if markets <= 20 else BARS * 500)
    run = Setup(scratch, data).play(UNLIMITED)
    bars = float(len(data.bars or ()))
    return figure(
        f"{WORKLOAD}: {markets} markets", bars, run.seconds, unit="bars", trades=run.trades,
        engine_us_a_trade=round(run.record.timings["replay"] / max(run.trades, 1) * 1e6, 1),
        set_up_s=round(run.record.timings["build"], 2),
    )  # fmt: skip


def loaded_bars(file: Path, markets: int, total: int = 0) -> build.Recorded:
    """The harness's bars as recorded data; more markets than it has are cut out of longer ones."""
    with np.load(file) as z:
        ts = z["ts"]
        have, whole = z["open"].shape
        length = min(whole, total // markets) if total else whole
        parts = whole // length

        def column(name: str, scale: int, kind: type) -> Any:
            values = z[name][:, : parts * length].reshape(have * parts, length)[:markets]
            return np.rint(values.T.ravel() * scale).astype(kind)

        prices = [column(name, 10_000, np.int32) for name in ("open", "high", "low", "close")]
        volume = column("volume", 10**6, np.int64)
    count = min(markets, have * parts)
    start = np.repeat(ts[:length].astype(np.int64), count)
    market = np.tile(np.arange(count, dtype=np.int32), length)
    bars = BarColumns(start + MINUTE - 1, start, market, *prices, volume, MINUTE)
    listed = [
        Market(
            id=f"m{n}", question=f"Will {n} happen?", tick=1, lot=1, min_size=1, fee=FeeSchedule(),
            tokens=(Token(f"y{n}", "Yes"), Token(f"n{n}", "No")), category="politics",
            opened=int(ts[0]),
        )
        for n in range(count)
    ]  # fmt: skip
    none = np.zeros(0, np.int64)
    empty = PriceColumns(none, none.astype(np.int32), none, none.astype(np.uint8))
    return build.Recorded(listed, [], {}, empty, ForecastTable(()), bars=bars)


class Setup:
    """The strategy, its registry and the data, ready to be played."""

    def __init__(self, scratch: Path, data: build.Recorded) -> None:
        folder = scratch / "user_data" / "strategies"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(__file__).parent / "strategies" / "ema_cross.py", folder)
        self.registry = Registry.load(scratch / "user_data")
        self.data = data
        self.runs = scratch / "runs"

    def config(self, limits: dict[str, dict[str, Any]]) -> Config:
        """The run's configuration: 100 a trade, ten million in all, nothing for costs."""
        known = {found.name for found in self.registry.all("protection")}
        return Config.model_validate(
            {
                "account": {"cash": 10_000_000},
                "strategies": [{"use": "EmaCross"}],
                "sizer": {"use": "FixedSizer", "config": {"stake": 100}},
                "protections": [
                    {"use": name, "config": config}
                    for name, config in limits.items()
                    if name in known
                ],
                "venue": FREE,
                "backtest": {"close_at_end": True, "record": "none"},
            }
        )

    def play(
        self, limits: dict[str, dict[str, Any]], level: RecordLevel = RecordLevel.NONE
    ) -> Played:
        """One run end to end, from bars in memory to its record."""
        config = self.config(limits)
        ts = self.data.bars.ts if self.data.bars is not None else np.zeros(2, np.int64)
        manifest = Manifest(
            Code("benchmark", ""), PluginsUsed(""), ConfigUsed(""),
            DataSlice("", "harness", len(self.data.markets), int(ts[0]), int(ts[-1]), True),
            ForecastsUsed(""), 0,
        )  # fmt: skip
        began = time.perf_counter()
        loaded = Loaded(config, self.registry, self.data, manifest, 0.0)
        with TemporaryJournal(self.runs, loaded, level) as (journal, _):
            record, _ = played(loaded, journal, call_limit=600.0)
        seconds = time.perf_counter() - began
        bought = int(Columns(record).fills.buy.sum())
        return Played(seconds, record, bought, (int(record.equity[-1]) - record.start_cash) / 1e6)

    def guards(self) -> tuple[float, int]:
        """Seconds that the guards of a compiled run take, and how often they ruled."""
        made = build.replay(
            self.config(UNLIMITED), self.registry, self.data, session="s",
            journal=JournalWriter.null(),
        )  # fmt: skip
        feed = made.replay.feed
        if not isinstance(feed, CompiledFeed):
            raise SystemExit(f"the run is not compiled: {made.parts.notes}")
        made.replay.run()
        _, order, _, scope, numbers, limits, applies, permitted = feed.door
        reviews = feed.reviews
        began = time.perf_counter()
        _rule(order, numbers, limits, applies, scope, permitted, reviews)
        return time.perf_counter() - began, reviews


def main(arguments: list[str]) -> None:
    """Plays the workload five times, a small one first; prints what ``_alone`` reads.

    The peak of memory is that of the first run, the time the median of all five.
    """
    file, markets = Path(arguments[0]), int(arguments[1])
    with tempfile.TemporaryDirectory() as scratch:
        Setup(Path(scratch), loaded_bars(file, 2)).play(UNLIMITED)
        setup = Setup(Path(scratch), loaded_bars(file, markets))
        seconds, peaks = [], []
        for _ in range(5):
            run = setup.play(UNLIMITED)
            seconds.append(run.seconds)
            peaks.append(peak_rss_mb())
            trades, pnl = run.trades, run.pnl
            del run
    print(sorted(seconds)[2], peaks[0], trades, pnl, len(setup.data.bars or ()))


if __name__ == "__main__":
    main(sys.argv[1:])
