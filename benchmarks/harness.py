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
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.figures import Figure, missing

CHECKOUT = Path(__file__).resolve().parent.parent
SECONDS = 900


class Peer(NamedTuple):
    """One peer: its name, its environment's folder, its script and how large its run is."""

    name: str
    venv: str
    script: str
    quick: int
    full: int


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
        if not self.here.is_dir():
            self.here.mkdir(parents=True)
            for script in self.source.glob("*.py"):
                shutil.copy(script, self.here / script.name)
            strategies = self.here / "ft"
            strategies.mkdir()
            own = CHECKOUT / "benchmarks" / "strategies" / "freqtrade_ema_cross.py"
            shutil.copy(own, strategies / "EmaCross.py")
        found = self.data / "bars.npz"
        if not found.is_file():
            size = ["--l2", "1000", "--trades", "1000", "--markets", str(markets)]
            self.run(Path(sys.executable), "gen_data.py", [*size, "--bars", str(bars)])
        return found

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

    def rows(self, peers: Sequence[Peer], workload: str, *, quick: bool) -> Iterator[Figure]:
        """Each peer's own rows of a workload, or why there are none."""
        for peer in peers:
            python = self.venvs / peer.venv / "bin" / "python"
            if not python.is_file():
                yield missing(peer.name, workload, f"no environment {peer.venv}: POLYFRAME_PEERS")
                continue
            events = peer.quick if quick else peer.full
            try:
                printed = self.run(python, peer.script, ["--events", str(events), "--runs", "1"])
            except (subprocess.SubprocessError, OSError) as error:
                yield missing(peer.name, workload, _why(error))
                continue
            yield from (_figure(row) for row in _json_rows(printed) if row["workload"] == workload)


def _json_rows(printed: str) -> Iterator[dict[str, Any]]:
    for line in printed.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def _figure(row: dict[str, Any]) -> Figure:
    known = ("peer", "workload", "events", "unit", "seconds", "setup_s", "rss_mb", "py")
    wanted = ("trades", "pnl", "version")
    return Figure(
        **{name: row[name] for name in known}, more={k: row[k] for k in wanted if k in row}
    )


def _why(error: Exception) -> str:
    said = getattr(error, "stderr", None) or str(error)
    lines = said.strip().splitlines()
    return f"the harness does not run: {lines[-1][:120] if lines else type(error).__name__}"
