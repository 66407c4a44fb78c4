"""Recorded latencies: how long messages took to the venue and back, and the feed from it, by time.

A file has a row for each probe: when it was taken, and what each leg took.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.units import DAY, MILLISECOND
from polyframe.errors import ConfigError
from polyframe.exchanges.sim.settings import PPM, SimSettings
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import latency_nb

Ints = NDArray[np.int64]
LEGS = {"entry": c.ENTRY, "cancel": c.CANCELLING, "response": c.RESPONSE, "feed": c.FEED}
UNITS = {"_ns": 1, "_ms": MILLISECOND}
EXPECTED = (
    "columns ts_ns or ts_ms (UTC since 1970) and at least one of entry, cancel, response and feed, "
    "each with _ns or _ms"
)


def probes_of(settings: SimSettings) -> tuple[Ints, Ints]:
    """The kernels' table of probes, and how many each leg has; a leg without any is a constant.

    Cancels take as long as orders where the file says nothing of them.

    Raises:
        ConfigError: the file is missing, or no file of probes.
    """
    told = _read(settings.latency_probes) if settings.latency_probes else {}
    if "entry" in told and "cancel" not in told:
        told["cancel"] = told["entry"]
    constant = {"entry": settings.entry, "cancel": settings.cancel,
                "response": settings.response, "feed": settings.feed}  # fmt: skip
    legs = {}
    for name in LEGS:
        ts, took = np.zeros(1, np.int64), np.array([constant[name]], np.int64)
        if name in told:
            ts, took = told["ts"], -(-told[name] * settings.latency_stress // PPM)
        # An outage is the venue's: it keeps nobody from seeing the market.
        legs[name] = (ts, took) if name == "feed" else _stopped(ts, took, settings.outages)
    counts = np.array([len(legs[name][0]) for name in LEGS], np.int64)
    table = np.zeros((2 * c.LEGS, counts.max()), np.int64)
    for name, leg in LEGS.items():
        table[2 * leg, : counts[leg]], table[2 * leg + 1, : counts[leg]] = legs[name]
    return table, counts


def _stopped(ts: Ints, took: Ints, outages: Sequence[tuple[int, int]]) -> tuple[Ints, Ints]:
    """What is sent in an outage takes until its end, and as long as ever then."""
    for start, end in outages:
        before, then, after = (int(latency_nb.at(ts, took, at)) for at in (start - 1, start, end))
        kept = (ts < start - 1) | (ts > end)
        ts = np.concatenate([ts[kept], [start - 1, start, end]])
        took = np.concatenate([took[kept], [before, then + end - start, after]])
        order = np.argsort(ts, kind="stable")
        ts, took = ts[order], took[order]
    return ts, took


def _read(name: str) -> dict[str, Ints]:
    """The columns of a file, in ns."""
    path = Path(name)
    if not path.is_file():
        raise ConfigError(
            f"venue.sim.latency_probes names {name!r}, which is no file",
            expected="a CSV or Parquet file of recorded latencies",
        )
    columns = _columns(path)
    found: dict[str, Ints] = {}
    for leg in ("ts", *LEGS):
        there = [leg + unit for unit in UNITS if leg + unit in columns]
        if len(there) > 1:
            raise _bad(name, f"has both {there[0]} and {there[1]}")
        if there:
            found[leg] = _whole(name, there[0], columns[there[0]])
    unknown = sorted(set(columns) - {leg + unit for leg in ("ts", *LEGS) for unit in UNITS})
    if unknown:
        raise _bad(name, f"has a column {unknown[0]!r}")
    if "ts" not in found or len(found) < 2:
        raise _bad(name, f"has the columns {', '.join(sorted(columns)) or 'none'}")
    _check(name, found)
    return found


def _columns(path: Path) -> dict[str, Any]:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    try:
        if path.suffix == ".parquet":
            import pyarrow.parquet as pq  # noqa: PLC0415

            table = pq.read_table(path)
        else:
            from pyarrow import csv  # noqa: PLC0415

            table = csv.read_csv(path)
    except (pa.ArrowException, OSError) as error:
        raise _bad(str(path), f"cannot be read: {error}") from None
    return {name: table.column(name) for name in table.column_names}


def _whole(name: str, column: str, values: Any) -> Ints:
    """A column in whole ns, parts of one rounded up."""
    unit = UNITS[column[-3:]]
    if values.null_count:
        raise _bad(name, f"has an empty cell in {column}")
    try:
        told = values.to_numpy()
        if told.dtype.kind in "iu":
            return np.ascontiguousarray(told.astype(np.int64) * unit)
        exact = np.asarray(told, np.float64)
    except (TypeError, ValueError):
        raise _bad(name, f"has something in {column} that is no number") from None
    if not np.isfinite(exact).all():
        raise _bad(name, f"has something in {column} that is no number")
    whole = np.floor(exact).astype(np.int64)
    return whole * unit + np.ceil((exact - whole) * unit).astype(np.int64)


def _check(name: str, found: dict[str, Ints]) -> None:
    ts = found["ts"]
    if not len(ts):
        raise _bad(name, "has no row")
    back = np.flatnonzero(np.diff(ts) < 0)
    if len(back):
        raise _bad(name, f"goes back in time in row {int(back[0]) + 2}")
    for leg, took in found.items():
        out = np.flatnonzero((took < 0) | (took > DAY)) if leg != "ts" else np.zeros(0)
        if len(out):
            row = int(out[0])
            raise _bad(name, f"has {leg} {int(took[row])} ns in row {row + 1}, not from 0 to a day")


def _bad(name: str, what: str) -> ConfigError:
    return ConfigError(f"venue.sim.latency_probes: {name} {what}", expected=EXPECTED)
