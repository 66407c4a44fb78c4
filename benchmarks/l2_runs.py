"""One run of the L2 workload through the whole of polyframe, from a catalogue to its record."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.l2_stream import CENT, TICK
from benchmarks.limits import UNLIMITED
from polyframe.lab.backtest import TemporaryJournal, load, played
from polyframe.lab.columns import Columns
from polyframe.lab.record import RunRecord
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.store.records import RecordLevel

WHOLE: dict[str, Any] = {
    "sim": {
        "latency_entry_ms": 0, "latency_response_ms": 0, "latency_cancel_ms": 0, "fees": "none",
        "queue": "risk_averse", "partial_fills": False,
    }
}  # fmt: skip
"""What the harness assumes: no latency, no fees, whole fills once the queue before us is gone."""

QUOTED: dict[str, dict[str, Any]] = {
    "Liquidity": {"liquidity": 1e-6},
    "Spread": {"spread": 0.99},
    "EvidenceQuality": {"quality": 1e-6},
    "Timeline": {"last_hours": 0, "first_days": 3650},
}
"""Settings of guards that ask for what this stream does not say, besides ``UNLIMITED``."""


@dataclass
class Run:
    """One run with its times and what came of it."""

    replay: float
    whole: float
    strategy: float
    steps: int
    journal: int
    """bytes that the run wrote"""
    record: Any

    def forget(self) -> None:
        """Lets the record go, so that the next run has room."""
        self.record = None


class L2Setup:
    """The strategy, its registry and the loaded catalogue, ready to be played again and again."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.user_data = Path(spec["user_data"])
        folder = self.user_data / "strategies"
        if not folder.is_dir():
            folder.mkdir(parents=True)
            shutil.copy(Path(__file__).parent / "strategies" / "l2_maker.py", folder)
        self.registry = Registry.load(self.user_data)
        self.level = RecordLevel(spec.get("record", "none"))
        began = time.perf_counter()
        self.loaded = load(self.config(), self.registry, Path(spec["catalogue"]))
        self.seconds = time.perf_counter() - began

    def config(self) -> Config:
        """The run's configuration; every default guard, or only those that always guard."""
        spec = self.spec
        limits: list[dict[str, Any]] = [{"use": "*", "enabled": False}]
        if spec.get("guards", "all") == "all":
            limits = [{"use": n, "config": c} for n, c in {**UNLIMITED, **QUOTED}.items()]
        return Config.model_validate(
            {
                "account": {"cash": 100_000_000},
                "strategies": [
                    {"use": spec["strategy"], "config": {"cadence_ms": spec.get("cadence", 500)}}
                ],
                "sizer": {"use": "FixedSizer"},
                "protections": limits,
                "venue": WHOLE,
                "data": {"tape": spec["source"]},
                "backtest": {"record": self.level.value},
            }
        )

    def play(self) -> Run:
        """One run: its replay alone, and the whole from plugins to record."""
        spent = [0.0]
        cls = self.registry.get("strategy", self.spec["strategy"])
        plain = cls.on_wake
        if self.spec.get("time_strategy"):
            cls.on_wake = _timed(plain, spent)
        try:
            with (
                tempfile.TemporaryDirectory() as runs,
                TemporaryJournal(Path(runs), self.loaded, self.level) as (journal, written),
            ):
                began = time.perf_counter()
                record, steps = played(self.loaded, journal, call_limit=600.0)
                whole = time.perf_counter() - began
                size = 0 if written is None else written.stat().st_size
        finally:
            cls.on_wake = plain
        return Run(record.timings["replay"], whole, spent[0], steps, size, record)

    def facts(self, run: Run) -> dict[str, Any]:
        """What came of a run, in plain values."""
        _, side, tick, shares = fills_of(run.record).T
        return {
            "fills": len(side), "inv": int((side * shares).sum()),
            "cash": round(-int((side * tick * shares).sum()) * TICK, 2),
            "steps": run.steps, "orders": len(run.record.reviews), "setup_s": self.seconds,
            "denied": dict(run.record.denials), "refused": dict(run.record.refusals),
            "notes": list(run.record.notes),
        }  # fmt: skip


def _timed(plain: Callable[..., Iterable[Any]], spent: list[float]) -> Callable[..., Any]:
    def on_wake(self: Any, event: Any, view: Any) -> list[Any]:
        began = time.perf_counter()
        wishes = list(plain(self, event, view))
        spent[0] += time.perf_counter() - began
        return wishes

    return on_wake


def fills_of(record: RunRecord) -> NDArray[np.int64]:
    """Every fill as the harness's single book has it: time, side, tick, shares.

    A bought NO at p is a sold YES at 1 - p. Shapes: (fills, 4).
    """
    fills = Columns(record).fills
    (market,) = record.markets
    buy = np.where(fills.first, fills.buy, ~fills.buy)
    price = np.where(fills.first, fills.price, market.price_one - fills.price)
    shares = fills.size // 10**market.size_decimals
    return np.stack([fills.ts, np.where(buy, 1, -1), price // CENT, shares], axis=1).astype(
        np.int64
    )
