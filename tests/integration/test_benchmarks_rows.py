"""The benchmarks' frame: rows in the agreed form, and a missing harness is a row, not an error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

FIELDS = {"peer", "workload", "events", "unit", "seconds", "rate", "setup_s", "rss_mb", "py"}


def benchmarks(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=root,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_every_listed_benchmark_is_a_module_that_measures(root: Path) -> None:
    names = benchmarks(root, "--list").stdout.split()
    assert {"peers", "size", "startup"} <= set(names)
    for name in names:
        assert "def measure(quick: bool)" in (root / "benchmarks" / f"{name}.py").read_text()


def test_a_row_has_the_shared_form(root: Path) -> None:
    done = benchmarks(root, "startup", "--quick", "--json")
    rows = {row["workload"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0, done.stderr
    assert "from polyframe import Strategy" in rows
    for row in rows.values():
        assert set(row) >= FIELDS
        assert row["seconds"] > 0
        assert abs(row["rate"] * row["seconds"] - row["events"]) < 0.1


def test_an_absent_harness_is_a_row_that_says_so(root: Path, tmp_path: Path) -> None:
    done = benchmarks(root, "peers", "--quick", "--json", POLYFRAME_BENCH=str(tmp_path))
    (row,) = map(json.loads, done.stdout.splitlines())
    assert (done.returncode, row["seconds"], row["rate"]) == (0, None, None)
    assert "POLYFRAME_BENCH" in row["note"]


def test_a_harness_that_fails_is_a_row_that_says_so(root: Path, tmp_path: Path) -> None:
    (tmp_path / "bench_bare.py").write_text("raise SystemExit('no such peer')")
    (tmp_path / "gen_data.py").write_text("")
    done = benchmarks(root, "peers", "--quick", "--json", POLYFRAME_BENCH=str(tmp_path))
    (row,) = map(json.loads, done.stdout.splitlines())
    assert row["note"] == "the harness does not run: no such peer"


def test_a_name_that_is_none_is_refused_with_those_there_are(root: Path) -> None:
    done = benchmarks(root, "warp")
    assert done.returncode == 2
    assert "no benchmark 'warp'; there are" in done.stderr
