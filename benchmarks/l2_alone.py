"""One measurement of the L2 workload in a process of its own, so that its memory is its own.

``python -m benchmarks.l2_alone '{"do": ..., ...}'`` prints what it found as one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

SPEC = dict[str, Any]
Found = dict[str, Any]


def brought_in(spec: SPEC) -> Found:
    """Imports event files into a new catalogue."""
    from benchmarks.l2_stream import bytes_of, imported, with_market, write_events
    from polyframe.store.catalogue import Catalogue

    file, into = Path(spec["stream"]), Path(spec["catalogue"])
    files = write_events(file, spec["events"], into.with_suffix(".events"), spec.get("times", 1))
    with_market(into, file)
    began = time.perf_counter()
    report = imported(files, into)
    seconds = time.perf_counter() - began
    for one in files:
        one.unlink()
    tape = Catalogue.open(into).tape(report.source)
    return {"seconds": seconds, "rows": report.rows, "bytes": bytes_of(tape)}


def opened(spec: SPEC) -> Found:
    """Opens a stored stream, first alone, then as a backtest does; nothing was opened before."""
    from polyframe.runtime.recorded import recorded
    from polyframe.runtime.settings import Config
    from polyframe.store.catalogue import Catalogue
    from polyframe.store.tape import Tape

    place = Catalogue.open(spec["catalogue"]).tapes()[spec["source"]]
    began = time.perf_counter()
    rows = sum(len(segment.columns["ts"]) for segment in Tape.open(place))
    mapped = time.perf_counter() - began
    began = time.perf_counter()
    recorded(Catalogue.open(spec["catalogue"]), Config(), tape=spec["source"])
    return {"seconds": mapped, "rows": rows, "catalogue_s": time.perf_counter() - began}


def played(spec: SPEC) -> Found:
    """Plays the stream with a strategy, several times; the memory is that of the first run."""
    from benchmarks.l2_runs import L2Setup, fills_of

    setup = L2Setup(spec)
    runs = []
    for n in range(spec.get("runs", 1)):
        run = setup.play()
        if n == 0:
            first = {"rss_mb": rss_mb(), **setup.facts(run)}
            if "fills_to" in spec:
                import numpy as np

                np.save(spec["fills_to"], fills_of(run.record))
        runs.append(run)
        run.forget()
    return first | {
        "seconds": [run.replay for run in runs],
        "whole": [run.whole for run in runs],
        "strategy": [run.strategy for run in runs],
    }


def varied(spec: SPEC) -> Found:
    """Plays several variants of a run in turn, so that a slow moment falls on all of them."""
    from benchmarks.l2_runs import L2Setup

    setups = [L2Setup({**spec, **variant}) for variant in spec["variants"]]
    steps: list[int] = []
    journals: list[int] = []
    found: list[dict[str, list[float]]] = [{"seconds": [], "strategy": []} for _ in setups]
    for _ in range(spec["runs"]):
        for setup, times in zip(setups, found, strict=True):
            run = setup.play()
            times["seconds"].append(run.replay)
            times["strategy"].append(run.strategy)
            steps.append(run.steps)
            journals.append(run.journal)
    return {"variants": found, "steps": max(steps), "journal": max(journals)}


def begun(spec: SPEC) -> Found:
    """What a process pays besides ``import numba`` before its first result.

    ``kernels`` are the modules with machine code that the run is known to need: they are loaded
    first, and timed by themselves. Without them all of it is one time.
    """
    clock = time.perf_counter
    start = clock()
    import numba  # noqa: F401 - this is what is timed

    numba_s, began = clock() - start, clock()
    for module in spec.get("kernels", ()):
        import_module(module)
    kernels_s, began = clock() - began, clock()
    from benchmarks.l2_runs import L2Setup
    from polyframe.api.quoting import kernel_of

    setup = L2Setup(spec)
    imports_s, began = clock() - began, clock()
    kernel_of(setup.registry.get("strategy", spec["strategy"])())
    own_s, began = clock() - began, clock()
    setup.play()
    whole = clock() - start - numba_s
    return {
        "seconds": kernels_s + own_s if "kernels" in spec else whole, "whole_s": whole,
        "numba_s": numba_s, "user_kernel_s": own_s, "imports_s": imports_s,
        "run_s": clock() - began,
        "kernels": [name for name in sys.modules if name.startswith("polyframe.kernels.")],
    }  # fmt: skip


def sets(spec: SPEC) -> Found:
    """Plays many parameter sets in one pass, and each alone; how many of them differ."""
    import numpy as np

    from benchmarks.l2_runs import L2Setup
    from polyframe.lab.backtest import played_again
    from polyframe.lab.trials import play_sets, with_values

    setup = L2Setup(spec)
    name, rng = spec["strategy"], np.random.default_rng(1)
    half, skew = rng.uniform(0.5, 4, spec["sets"]), rng.uniform(0, 6, spec["sets"])
    wanted = [{"half": float(a), "skew": float(z)} for a, z in zip(half, skew, strict=True)]
    play_sets(setup.loaded, name, wanted[:2])
    found: Found = {"seconds": {}, "fills": 0, "unlike": 0}
    for threads in (1, 0):
        times = []
        for _ in range(spec["runs"]):
            began = time.perf_counter()
            trials = play_sets(setup.loaded, name, wanted, threads=threads)
            times.append(time.perf_counter() - began)
        found["seconds"][str(threads)] = times
    for values, trial in zip(wanted, trials, strict=True):
        alone = played_again(setup.loaded, with_values(setup.loaded.config, name, values))
        same = np.array_equal(alone.equity, trial.equity) and len(alone.fills) == trial.fills
        found["unlike"] += not same
        found["fills"] += trial.fills
    return found | {"rss_mb": rss_mb()}


def rss_mb() -> float:
    """The greatest memory since this program began: a child inherits its parent's figure."""
    status = Path("/proc/self/status")
    if status.is_file():
        words: Iterable[str] = status.read_text().splitlines()
        return next(round(int(w.split()[1]) / 1024, 1) for w in words if w.startswith("VmHWM"))
    from benchmarks.figures import peak_rss_mb

    return peak_rss_mb()


DO = {
    "import": brought_in,
    "open": opened,
    "play": played,
    "vary": varied,
    "begin": begun,
    "sets": sets,
}

if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    answer = DO[asked["do"]](asked)
    print(json.dumps({"rss_mb": rss_mb(), **answer}))
