"""Files of measured latencies: what they say, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from polyframe.errors import ConfigError
from polyframe.exchanges.sim.probes import probes_of
from polyframe.exchanges.sim.settings import SimSettings
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import latency_nb

MS = 1_000_000


def settings(path: Path, text: str = "", **more: object) -> SimSettings:
    if text:
        path.write_text(text)
    return SimSettings.model_validate({"latency_probes": str(path), **more})


def test_without_a_file_each_leg_is_a_constant() -> None:
    table, counts = probes_of(SimSettings(latency_entry_ms=7, latency_feed_ms=3))
    assert counts.tolist() == [1] * c.LEGS
    assert table[1::2, 0].tolist() == [7 * MS, 300 * MS, 100 * MS, 3 * MS]


def test_legs_in_ms_or_ns_and_cancels_like_orders(tmp_path: Path) -> None:
    text = "ts_ms,entry_ms,feed_ns\n1000,1.5,7\n2000.5,2,9\n"
    table, counts = probes_of(settings(tmp_path / "p.csv", text))
    assert counts[[c.ENTRY, c.CANCELLING, c.FEED, c.RESPONSE]].tolist() == [2, 2, 2, 1]
    assert table[2 * c.ENTRY].tolist() == [1_000 * MS, 2_000 * MS + 500_000]
    assert table[2 * c.ENTRY + 1].tolist() == [1_500_000, 2 * MS]
    assert table[2 * c.CANCELLING + 1].tolist() == table[2 * c.ENTRY + 1].tolist()
    assert table[2 * c.FEED + 1].tolist() == [7, 9]
    assert table[2 * c.RESPONSE + 1, 0] == 100 * MS


def test_parquet_says_the_same_and_stress_multiplies_it(tmp_path: Path) -> None:
    pq.write_table(pa.table({"ts_ns": [5, 6], "response_ns": [10, 21]}), tmp_path / "p.parquet")
    table, _ = probes_of(settings(tmp_path / "p.parquet", latency_multiplier=1.5))
    assert table[2 * c.RESPONSE + 1].tolist() == [15, 32]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ts_ns,entry_ms\n2,1\n1,1\n", "goes back in time in row 2"),
        ("ts_ns,entry_ms\n1,-1\n", "has entry -1000000 ns in row 1"),
        ("ts_ns,entry_ms\n1,86400001\n", "not from 0 to a day"),
        ("ts_ns,entry_ms\n1,quick\n", "no number"),
        ("ts_ns,entry_ms\n1,\n", "an empty cell in entry_ms"),
        ("ts_ns,entry_ms\n1,inf\n", "no number"),
        ("ts_ns\n1\n", "has the columns ts_ns"),
        ("entry_ms\n1\n", "has the columns entry_ms"),
        ("ts_ns,entry_ms,entry_ns\n1,1,1\n", "has both entry_ns and entry_ms"),
        ("ts_ns,entry_ms,way_ms\n1,1,1\n", "has a column 'way_ms'"),
        ("ts_ns,entry_ms\n", "no"),
        ("ts_ns,entry_ms\n1,2,3\n", "cannot be read"),
    ],
)
def test_what_is_no_file_of_probes_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as refused:
        probes_of(settings(tmp_path / "p.csv", text))
    assert "latency_probes" in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"which is no file"):
        probes_of(settings(tmp_path / "none.csv"))


def test_no_row_is_seen_before_the_one_above_it() -> None:
    ts = np.array([0, 100], np.int64)
    took = np.array([50, 0], np.int64)
    rows = np.arange(0, 120, 10)
    out = np.zeros(len(rows), np.int64)
    for column in (ts, took, rows):
        column.flags.writeable = False
    last = latency_nb.late(ts, took, rows, 62, out)
    wanted = []
    before = 62
    for now in rows.tolist():
        before = max(before, now + latency_nb.at(ts, took, now))
        wanted.append(before)
    assert out.tolist() == wanted
    assert last == wanted[-1]
    assert out[0] == 62
