"""The figures of the order-book simulator on a short stream: their form, and the same fills."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FIELDS = {"peer", "workload", "events", "unit", "seconds", "rate", "setup_s", "rss_mb", "py"}
EVENTS = 4_000


@pytest.fixture(scope="module")
def rows(root: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows by peer and workload."""
    source = Path(os.environ.get("POLYFRAME_BENCH", root.parent / "shared" / "bench"))
    if not (source / "common.py").is_file():
        pytest.skip("the peers' harness is not there: POLYFRAME_BENCH names it")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "l2", "--quick", "--json"],
        cwd=root,
        env={**os.environ, "POLYFRAME_BENCH_EVENTS": str(EVENTS)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len({(row["peer"], row["workload"]) for row in found}) == len(found)
    return {(row["peer"], row["workload"]): row for row in found}


def test_every_row_has_the_shared_form(rows) -> None:
    for row in rows.values():
        assert set(row) >= FIELDS
        if row["seconds"] is None:
            assert row["note"]
        elif row["seconds"] > 0:
            # Rates are told to a tenth, seconds to a millionth.
            least = 0.06 * row["seconds"] + 1e-6 * row["rate"]
            assert row["rate"] * row["seconds"] == pytest.approx(row["events"], rel=1e-3, abs=least)


def test_what_was_asked_is_measured(rows) -> None:
    own = {workload: row for (peer, workload), row in rows.items() if peer == "polyframe"}
    assert own["l2-mm/500ms: compiled, every guard"]["events"] == EVENTS
    for part in ("engine", "strategy", "guards", "journal", "the book"):
        assert own[f"l2-mm, Python: {part}"]["unit"] == "steps"
    assert {"import as a tape", "open the stored stream", "memory of a compiled run"} <= set(own)
    assert [row["events"] for name, row in own.items() if name.endswith(" events")] == [400, EVENTS]
    assert own["l2-mm: the book alone"]["fills"] == 0


def test_both_ways_and_the_bare_loop_fill_alike(rows) -> None:
    bare = rows["bare-numba", "l2-mm/500ms"]
    if bare["seconds"] is None:
        pytest.skip(f"the bare loop does not run here: {bare['note']}")
    assert bare["fills"] > 10
    for way in ("compiled, every guard", "Python, every guard, record orders"):
        own = rows["polyframe", f"l2-mm/500ms: {way}"]
        assert [own[k] for k in ("fills", "inv", "cash")] == [
            bare[k] for k in ("fills", "inv", "cash")
        ]


@pytest.mark.parametrize("cadence", [500, 100])
def test_every_fill_is_hftbacktests(rows, cadence: int) -> None:
    name = f"l2-mm/{cadence}ms: fills beside hftbacktest's"
    absent = rows.get(("hftbacktest", name))
    if absent is not None:
        pytest.skip(f"hftbacktest is not there: {absent['note']}")
    row = rows["polyframe", name]
    assert (row["mismatches"], row["fills"]) == (0, row["events"])
    assert row["events"] > 10
    assert row["note"].startswith("0 mismatches")


def test_a_fill_that_differs_is_a_mismatch(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(root))
    from benchmarks.l2 import differing

    fills = np.array([[5, 1, 40, 50], [7, -1, 42, 50], [9, 1, 39, 50]])
    assert differing(fills, fills[::-1]) == (3, 3, 0)
    for column in range(4):
        other = fills.copy()
        other[1, column] += 1
        assert differing(fills, other) == (3, 3, 1)
    # A fill that is missing shifts those behind it.
    assert differing(fills, fills[:2])[2] == 1
    assert differing(fills[:0], fills)[2] == 3
