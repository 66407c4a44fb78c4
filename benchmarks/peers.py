"""Peers on the shared workload: runs their own harness where it is, and says so where it is not.

``$POLYFRAME_BENCH`` names the harness's folder (default: ``../shared/bench`` beside the checkout),
``$PERF_DATA`` the folder of its generated data (default: made in a temporary folder).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, missing

CHECKOUT = Path(__file__).resolve().parent.parent
PEER, BARE = "bare-numba", "bench_bare.py"
QUICK_EVENTS, EVENTS = 500_000, 5_000_000
SECONDS = 600


def measure(quick: bool) -> Iterator[Figure]:
    """The rows of the harness's bare numba loop."""
    yield from bare_loop(quick)


def bare_loop(quick: bool, workloads: tuple[str, ...] = ()) -> Iterator[Figure]:
    """The bare compiled loop as rows of the same run; all its workloads when none is named."""
    harness = Path(os.environ.get("POLYFRAME_BENCH", CHECKOUT.parent / "shared" / "bench"))
    if not (harness / BARE).is_file():
        yield missing(PEER, "all", f"no harness at {harness.name}: set POLYFRAME_BENCH")
        return
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(os.environ.get("PERF_DATA", scratch))
        events = QUICK_EVENTS if quick else EVENTS
        try:
            if not (data / "l2.npz").is_file():
                small = ["--l2", str(events), "--markets", "50", "--trades", "1000"]
                _run(harness, "gen_data.py", data, small if quick else ["--l2", str(events)])
            printed = _run(harness, BARE, data, ["--events", str(events)])
        except (subprocess.SubprocessError, OSError) as error:
            yield missing(PEER, "all", _why(error))
            return
    for line in printed.splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            # The harness also times memory and file reads, some of them at a fixed size.
            if row["peer"] == PEER and (not workloads or row["workload"] in workloads):
                yield _figure(row)


def _run(harness: Path, script: str, data: Path, arguments: list[str]) -> str:
    data.mkdir(parents=True, exist_ok=True)
    cache = str(data / "numba-cache")
    done = subprocess.run(
        [sys.executable, str(harness / script), *arguments],
        cwd=data,
        env={
            **os.environ,
            "PERF_DATA": str(data),
            "NUMBA_CACHE_DIR": cache,
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    return done.stdout


def _figure(row: dict[str, object]) -> Figure:
    known = ("peer", "workload", "events", "unit", "seconds", "setup_s", "rss_mb", "py")
    more = {k: v for k, v in row.items() if k not in known and k not in {"rate", "result"}}
    return Figure(**{name: row[name] for name in known}, more=more)  # type: ignore[arg-type]


def _why(error: Exception) -> str:
    said = getattr(error, "stderr", None) or str(error)
    return f"the harness does not run: {said.strip().splitlines()[-1][:120]}"
