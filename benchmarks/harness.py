"""The peers' harness: a scratch copy of it, its data, and its scripts run in the peers' own venvs.

``$POLYFRAME_BENCH`` names the harness's folder (default: ``../shared/bench`` beside the checkout),
``$POLYFRAME_PEERS`` a folder with one virtual environment a peer (default: its ``venvs``).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.figures import Figure, missing

CHECKOUT = Path(__file__).resolve().parent.parent
SECONDS = 900


class Peer(NamedTuple):
    """One peer: its name, its environment's folder, its script and how large its run is.

    Without a folder it runs in this environment.
    """

    name: str
    venv: str
    script: str
    quick: int
    full: int
    runs: int = 1
    more: tuple[str, ...] = ()
    """further arguments of its script"""


class Harness:
    """A scratch copy of the harness, because its scripts write beside themselves."""

    def __init__(self, scratch: Path) -> None:
        self.source = Path(os.environ.get("POLYFRAME_BENCH", CHECKOUT.parent / "shared" / "bench"))
        self.here = scratch / "harness"
        self.data = Path(os.environ.get("PERF_DATA", scratch / "data"))
        self.venvs = Path(os.environ.get("POLYFRAME_PEERS", self.source / "venvs"))

    @property
    def absent(self) -> str:
        """Why nothing can be run, empty when something can."""
        if (self.source / "common.py").is_file():
            return ""
        return f"no harness at {self.source.name}: set POLYFRAME_BENCH"

    def prepare(self, *, markets: int, bars: int) -> Path:
        """Copies the scripts and generates the bars where they are not there; the bars' file."""
        self._copy()
        found = self.data / "bars.npz"
        if not found.is_file():
            size = ["--l2", "1000", "--trades", "1000", "--markets", str(markets)]
            self.run(Path(sys.executable), "gen_data.py", [*size, "--bars", str(bars)])
        return found

    def stream(self, events: int) -> Path:
        """Copies the scripts; the file of a stream of at least so many book events and trades."""
        self._copy()
        found = self.data / "l2.npz"
        if _events(found) < events:
            self.data = self.here.parent / "data"  # what the harness was given stays as it is
            found = self.data / "l2.npz"
            size = ["--l2", str(events), "--trades", "1000", "--markets", "50"]
            self.run(Path(sys.executable), "gen_data.py", size)
        return found

    def python(self, peer: Peer) -> Path | None:
        """The interpreter of a peer's environment, None where that is not there."""
        if not peer.venv:
            return Path(sys.executable)
        found = self.venvs / peer.venv / "bin" / "python"
        return found if found.is_file() else None

    def _copy(self) -> None:
        if not self.here.is_dir():
            self.here.mkdir(parents=True)
            for script in self.source.glob("*.py"):
                shutil.copy(script, self.here / script.name)
            strategies = self.here / "ft"
            strategies.mkdir()
            own = CHECKOUT / "benchmarks" / "strategies" / "freqtrade_ema_cross.py"
            shutil.copy(own, strategies / "EmaCross.py")

    def run(self, python: Path, script: str, arguments: Sequence[str]) -> str:
        """What a script of the harness prints."""
        self.data.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [str(python), str(self.here / script), *arguments],
            cwd=self.here,
            env={**os.environ, "PERF_DATA": str(self.data)},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
        return done.stdout

    def rows(self, peers: Sequence[Peer], *workloads: str, quick: bool) -> Iterator[Figure]:
        """Each peer's own rows of these workloads, or why there are none."""
        for peer in peers:
            python = self.python(peer)
            if python is None:
                yield self.lacking(peer, workloads[0])
                continue
            size = ["--events", str(peer.quick if quick else peer.full), "--runs", str(peer.runs)]
            try:
                printed = self.run(python, peer.script, [*size, *peer.more])
            except (subprocess.SubprocessError, OSError) as error:
                yield missing(peer.name, workloads[0], why(error))
                continue
            yield from (_figure(row) for row in _json_rows(printed) if row["workload"] in workloads)

    def lacking(self, peer: Peer, workload: str) -> Figure:
        """The row of a peer that is not installed."""
        return missing(peer.name, workload, f"no environment {peer.venv}: POLYFRAME_PEERS")


def in_scratch(
    workload: str, rows: Callable[[Harness, Path], Iterator[Figure]]
) -> Iterator[Figure]:
    """What a benchmark measures with the harness in a temporary folder; a row where it is not."""
    with tempfile.TemporaryDirectory() as scratch:
        harness = Harness(Path(scratch))
        if harness.absent:
            yield missing("polyframe", workload, harness.absent)
            return
        yield from rows(harness, Path(scratch))


def _events(file: Path) -> int:
    if not file.is_file():
        return 0
    with np.load(file) as stream:
        return len(stream["kind"])


def _json_rows(printed: str) -> Iterator[dict[str, Any]]:
    for line in printed.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def _figure(row: dict[str, Any]) -> Figure:
    known = ("peer", "workload", "events", "unit", "seconds", "setup_s", "rss_mb", "py")
    wanted = (
        "trades",
        "fills",
        "inv",
        "cash",
        "pnl",
        "steps",
        "result",
        "min_s",
        "max_s",
        "version",
    )
    return Figure(
        **{name: row[name] for name in known}, more={k: row[k] for k in wanted if k in row}
    )


def why(error: Exception) -> str:
    """The last line that a failed script said."""
    said = getattr(error, "stderr", None) or str(error)
    lines = said.strip().splitlines()
    return f"the harness does not run: {lines[-1][:120] if lines else type(error).__name__}"
