"""Market making on a recorded order book, beside the peers of the shared harness in the same run.

Every measurement is made in a process of its own, one after another. ``$POLYFRAME_BENCH_EVENTS``
cuts the stream to so many events; ``benchmarks.harness`` says where the harness and peers are.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import Figure, figure, missing
from benchmarks.harness import CHECKOUT, Harness, Peer, in_scratch, why
from benchmarks.l2_stream import TICK

WORKLOAD = "l2-mm"
SETS, SET_EVENTS = 32, 1_000_000
EVENTS = int(os.environ.get("POLYFRAME_BENCH_EVENTS", "5000000"))
MB = 1 << 20
CADENCES = (500, 100)
HFT = Peer("hftbacktest", "hft", "bench_hftbacktest.py", 500_000, 5_000_000, 5)
BARE = Peer("bare-numba", "", "bench_bare.py", 500_000, 5_000_000, 5)
NAUTILUS = Peer("nautilus+queue", "nautilus", "bench_nautilus.py", 50_000, 500_000, 1, ("--queue",))
FILLS = CHECKOUT / "benchmarks" / "strategies" / "hftbacktest_fills.py"
COMPILED, PYTHON, WATCHER = "CompiledMaker", "PythonMaker", "Watcher"
TARGETS = {
    "open_s": 0.05, "rss_x": 1.5, "compiled ev/s": 50e6, "x hftbacktest": 5, "python ev/s": 1e6,
    "x nautilus": 40, "beyond import numba s": 0.5, "trials/s": 400,
}  # fmt: skip
SECONDS = 1800


def measure(quick: bool) -> Iterator[Figure]:
    """The stream stored and opened, played each way, beside the peers; fills, parts, sizes."""
    yield from in_scratch(WORKLOAD, partial(_rows, quick=quick))


def _rows(harness: Harness, scratch: Path, *, quick: bool) -> Iterator[Figure]:
    bench = Bench(harness, scratch, quick)
    yield from bench.compiling()
    yield from bench.storing()
    yield from bench.playing()
    for cadence in CADENCES:
        yield bench.same_fills(cadence)
    yield from bench.python_parts()
    yield from bench.compiled_parts()
    yield from bench.sizes()
    yield from bench.many_sets()


def medians(seconds: list[float]) -> dict[str, float]:
    """The least and the greatest of several runs, as all rows here have them."""
    return {"min_s": round(min(seconds), 6), "max_s": round(max(seconds), 6)}


class Bench:
    """The rows of one run; what one measured, another compares itself with."""

    def __init__(self, harness: Harness, scratch: Path, quick: bool) -> None:
        self.harness, self.scratch, self.quick = harness, scratch, quick
        self.events = min(EVENTS, 500_000) if quick else EVENTS
        self.runs = 3 if quick else 5
        self.made: dict[Path, dict[str, Any]] = {}
        self.file = harness.stream(self.events)

    # ---- measurements --------------------------------------------------------------------------

    def alone(self, do: str, *, cache: Path | None = None, **more: Any) -> dict[str, Any]:
        """What ``benchmarks.l2_alone`` finds in a fresh process."""
        spec = {"do": do, "source": "harness", "user_data": str(self.scratch / "user"), **more}
        environment = dict(os.environ)
        if cache is not None:
            environment["NUMBA_CACHE_DIR"] = str(cache)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.l2_alone", json.dumps(spec, default=str)],
            capture_output=True, text=True, check=False, env=environment, cwd=CHECKOUT,
            timeout=SECONDS,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{do} {more} failed:\n{done.stderr}")
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    def stored(self, events: int, times: int = 1) -> tuple[Path, dict[str, Any]]:
        """A catalogue with the stream's first events, repeated; and how it was imported."""
        place = self.scratch / f"stream-{events}x{times}"
        if place not in self.made:
            words = {"stream": self.file, "events": events, "times": times}
            self.made[place] = self.alone("import", catalogue=place, **words)
        return place, self.made[place]

    @cached_property
    def main(self) -> tuple[Path, dict[str, Any]]:
        """The workload's stream."""
        return self.stored(self.events)

    def played(self, strategy: str, runs: int = 0, **more: Any) -> dict[str, Any]:
        """Runs of a strategy over the workload's stream."""
        spec = {"catalogue": self.main[0], "strategy": strategy, "runs": runs or self.runs, **more}
        return self.alone("play", **spec)

    @cached_property
    def walk(self) -> dict[str, Any]:
        """The loop without orders."""
        return self.played(WATCHER, guards="venue")

    @cached_property
    def compiled(self) -> dict[str, Any]:
        """The quote kernel with every guard."""
        return self.played(COMPILED, fills_to=self.scratch / "fills-500.npy")

    @cached_property
    def python(self) -> dict[str, Any]:
        """The Python strategy with every guard and a journal."""
        return self.played(PYTHON, 1 if self.quick else 3, record="orders")

    def row(self, name: str, found: dict[str, Any], events: int = 0, **more: Any) -> Figure:
        """A figure of the events a second of some runs."""
        seconds = found["seconds"]
        return figure(
            name, events or self.events, statistics.median(seconds), rss_mb=found["rss_mb"],
            setup_s=found["setup_s"], **{name: found[name] for name in ("fills", "inv", "cash")},
            **medians(seconds), **more,
        )  # fmt: skip

    # ---- rows ----------------------------------------------------------------------------------

    def compiling(self) -> Iterator[Figure]:
        """What the first process pays for machine code, and what the second."""
        more: dict[str, Any] = {"catalogue": self.stored(1_000)[0], "strategy": COMPILED}
        # In a quick run the kernels of this checkout are compiled already, if ever they were.
        cache = None if self.quick else self.scratch / "cache"
        for which, note in (
            ("first", "user kernel compiled" if self.quick else "everything compiled"),
            ("second", f"kernels, user's too; target {TARGETS['beyond import numba s']} s"),
        ):
            found = self.alone("begin", cache=cache, **more)
            more["kernels"] = found["kernels"]
            parts = ", ".join(
                f"{name} {found[key]:.2f} s"
                for name, key in (
                    ("user kernel", "user_kernel_s"), ("other imports and loading", "imports_s"),
                    ("all to the result", "whole_s"), ("import numba itself", "numba_s"),
                )
            )  # fmt: skip
            yield figure(
                f"{which} process, beyond import numba", 1, found["seconds"], unit="processes",
                rss_mb=found["rss_mb"], note=f"{note}; {parts}",
            )  # fmt: skip

    def storing(self) -> Iterator[Figure]:
        """Importing the stream, opening it, and the memory of a run beside its size."""
        place, made = self.main
        size = made["bytes"] / MB
        yield figure(
            "import as a tape", self.events, made["seconds"], rss_mb=made["rss_mb"],
            note=f"{size:.1f} MB on disk",
        )  # fmt: skip
        found = self.alone("open", catalogue=place)
        yield figure(
            "open the stored stream", 1, found["seconds"], unit="tapes", rss_mb=found["rss_mb"],
            note=f"target {TARGETS['open_s']} s; {found['catalogue_s']:.2f} s with the catalogue "
            "checked and its markets read",
        )  # fmt: skip
        # Without a stream there are Python, numba and the kernels: what is left is the run's.
        empty = self.alone("play", catalogue=self.stored(1_000)[0], strategy=COMPILED)["rss_mb"]
        rss = self.compiled["rss_mb"]
        yield figure(
            "memory of a compiled run", round(size, 1), None, unit="MB", rss_mb=rss,
            rss_x=round(rss / size, 2),
            note=f"peak of a fresh process over the stream's size, target {TARGETS['rss_x']}; "
            f"{empty} MB with 1,000 events",
        )  # fmt: skip

    def playing(self) -> Iterator[Figure]:
        """The workload each way, then the peers."""
        compiled, python = self.compiled, self.python
        yield self.row(f"{WORKLOAD}: the book alone", self.walk, note="advance, no orders")
        one = self.row(
            f"{WORKLOAD}/500ms: compiled, every guard", compiled, orders=compiled["orders"],
            note=f"target {TARGETS['compiled ev/s']:,.0f} a second",
        )  # fmt: skip
        yield one
        two = self.row(
            f"{WORKLOAD}/500ms: Python, every guard, record orders", python, steps=python["steps"],
            us=_us(_middle(python, "seconds"), python["steps"]),
            note=f"target {TARGETS['python ev/s']:,.0f} a second",
        )  # fmt: skip
        yield two
        other = self.played(COMPILED, cadence=100, fills_to=self.scratch / "fills-100.npy")
        yield self.row(f"{WORKLOAD}/100ms: compiled, every guard", other, orders=other["orders"])
        yield from self._peers(one, two)

    def _peers(self, compiled: Figure, python: Figure) -> Iterator[Figure]:
        each = [f"{WORKLOAD}/{cadence}ms" for cadence in CADENCES]
        names = (*each, f"{each[0]}/lat0", "book-walk", "elapse-only/500ms")
        peers = [peer._replace(quick=min(peer.quick, self.events), full=min(peer.full, self.events))
                 for peer in (BARE, HFT, NAUTILUS)]  # fmt: skip
        for row in self.harness.rows(peers, *names, quick=self.quick):
            told = row.more.pop("result", None)
            if isinstance(told, list):  # of the bare loop: fills, inventory, cash in ticks, ...
                row.more.update(fills=told[0], inv=told[1], cash=round(told[2] * TICK, 2))
            if row.rate and row.workload.startswith(f"{WORKLOAD}/500ms"):
                row.more["compiled_x"] = round((compiled.rate or 0) / row.rate, 3)
                row.more["python_x"] = round((python.rate or 0) / row.rate, 3)
            yield row

    def same_fills(self, cadence: int) -> Figure:
        """Every fill beside hftbacktest's own: time, side, tick, shares."""
        name = f"{WORKLOAD}/{cadence}ms: fills beside hftbacktest's"
        python = self.harness.python(HFT)
        if python is None:
            return self.harness.lacking(HFT, name)
        theirs = self.scratch / f"hftbacktest-{cadence}.npy"
        words = [str(self.file), str(self.events), str(cadence), str(theirs)]
        try:
            version = self.harness.run(python, str(FILLS), words).split()[-1]
        except (subprocess.SubprocessError, OSError) as error:
            return missing(HFT.name, name, why(error))
        found = differing(np.load(self.scratch / f"fills-{cadence}.npy"), np.load(theirs))
        ours, other, mismatches = found
        return figure(
            name, ours, None, unit="fills", rss_mb=0.0, fills=other, mismatches=mismatches,
            note=f"{mismatches} mismatches with hftbacktest {version}, row by row",
        )  # fmt: skip

    def varied(self, events: int, strategy: str, *variants: dict[str, Any]) -> dict[str, Any]:
        """Seconds of variants of a run that are played in turn."""
        place = self.main[0] if events == self.events else self.stored(events)[0]
        runs = 1 if self.quick and strategy == PYTHON else self.runs
        return self.alone("vary", catalogue=place, strategy=strategy, runs=runs, variants=variants)

    def python_parts(self) -> Iterator[Figure]:
        """Microseconds a step of the Python path, by what is left out."""
        tenth = self.events // 10
        found = self.varied(
            tenth, PYTHON, {"record": "orders", "time_strategy": True}, {}, {"guards": "venue"},
            {"strategy": WATCHER},
        )  # fmt: skip
        steps = found["steps"]
        whole, unrecorded, free, walk = (_middle(one, "seconds") for one in found["variants"])
        strategy = _middle(found["variants"][0], "strategy")
        written = f"{found['journal'] / MB:.3f} MB written"
        for part, seconds, how in (
            ("all of it", whole, "measured"),
            ("engine", free - strategy - walk, "what is left"),
            ("strategy", strategy, "a clock around on_wake"),
            ("guards", unrecorded - free, "every default guard less those that always guard"),
            ("journal", whole - unrecorded, f"record orders less record none; {written}"),
            ("the book", walk, "the loop without orders"),
        ):
            yield figure(
                f"{WORKLOAD}, Python: {part}", steps, seconds, unit="steps", rss_mb=0.0,
                us=_us(seconds, steps), note=how,
            )  # fmt: skip

    def compiled_parts(self) -> Iterator[Figure]:
        """Microseconds a reviewed order of the compiled path, by what is left out."""
        orders = self.compiled["orders"]
        found = self.varied(
            self.events, COMPILED, {}, {"guards": "venue"}, {"record": "orders"},
            {"strategy": WATCHER},
        )  # fmt: skip
        whole, free, recorded, walk = (_middle(one, "seconds") for one in found["variants"])
        written = f"{found['journal'] / MB:.3f} MB written"
        for part, seconds, how in (
            ("all of it", whole, "measured"),
            ("the book", walk, "the loop without orders"),
            ("quotes, orders, fills", free - walk, "what is left"),
            ("guards", whole - free, "every default guard less those that always guard"),
            ("journal", recorded - whole, f"besides: record orders less record none; {written}"),
        ):
            yield figure(
                f"{WORKLOAD}, compiled: {part}", orders, seconds, unit="orders", rss_mb=0.0,
                us=_us(seconds, orders), note=how,
            )  # fmt: skip

    def sizes(self) -> Iterator[Figure]:
        """The same work on streams of different lengths."""
        scales = [(self.events // 10, 1), (self.events, 1)]
        if not self.quick:
            scales.append((self.events, 10))
        base = 0.0
        for events, times in scales:
            count = events * times
            place = self.main[0] if count == self.events else self.stored(events, times)[0]
            found = self.played(COMPILED, 3, catalogue=place)
            row = self.row(f"{WORKLOAD}/500ms: {count:,} events", found, count)
            base = base or (row.rate or 0.0)
            row.more["rate_x"] = round((row.rate or 0.0) / base, 2)
            yield row

    def many_sets(self) -> Iterator[Figure]:
        """Many parameter sets in one pass over the stream."""
        events, sets = (min(self.events, 100_000), 4) if self.quick else (SET_EVENTS, SETS)
        found = self.alone(
            "sets", catalogue=self.stored(events)[0], strategy=COMPILED, sets=sets,
            runs=1 if self.quick else 3,
        )  # fmt: skip
        for threads, words in (("1", "one thread"), ("0", "a thread a core")):
            seconds = found["seconds"][threads]
            yield figure(
                f"{sets} parameter sets in one pass, {words}", sets, statistics.median(seconds),
                unit="trials", rss_mb=found["rss_mb"], fills=found["fills"], **medians(seconds),
                note=f"{events:,} events; {found['unlike']} of {sets} differ from runs of their "
                f"own; target {TARGETS['trials/s']:,} trials a second",
            )  # fmt: skip


def differing(ours: Any, theirs: Any) -> tuple[int, int, int]:
    """How many fills there are on both sides, and how many rows of the longer list differ.

    Both are sorted by time first: within one moment the order is not told.
    """
    own, other = (fills[np.lexsort(fills.T[::-1])] for fills in (ours, theirs))
    shared = min(len(own), len(other))
    unlike = int((own[:shared] != other[:shared]).any(axis=1).sum())
    return len(own), len(other), unlike + max(len(own), len(other)) - shared


def _middle(found: dict[str, Any], name: str) -> float:
    return float(statistics.median(found[name]))


def _us(seconds: float, count: int) -> float:
    return round(seconds / max(count, 1) * 1e6, 3)
