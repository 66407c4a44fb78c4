"""The harness's L2 stream as a catalogue with one tape, made by the importer that users have."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import Market, Token
from polyframe.domain.units import DAY, MILLISECOND, SECOND
from polyframe.store.catalogue import Catalogue
from polyframe.store.tape import Tape
from polyframe.store.tape_hft import BUY, DEPTH, EVENT, LOCAL, SELL, SNAPSHOT, TRADE
from polyframe.store.tape_import import TapeReport, import_tape
from polyframe.store.tape_rows import COLUMNS
from polyframe.store.tape_symbols import symbol_rows

SOURCE = "harness"
YES, NO = "yes", "no"
TICK, CENT = 0.01, 100
"""a tick as the harness has it and in price units"""
LEVEL = 1
"""the harness's kind of an event that sets a level; any other is a trade"""
OFFSET = MILLISECOND // 2
"""Decisions of the workload fall so much after its first event plus whole cadences."""

BLOCK = 500_000
"""events of a file: an import holds one file at a time"""

Stream = dict[str, NDArray[Any]]


def stream_of(file: Path, events: int) -> Stream:
    """The first events of the harness's stream."""
    with np.load(file) as stored:
        return {name: stored[name][:events] for name in ("ts", "kind", "side", "tick", "qty")}


def events_of(stream: Stream, later: int = 0) -> NDArray[Any]:
    """The stream in hftbacktest's layout, all times so much later.

    The events of the first moment are the snapshot with which the stream begins. A session begins
    with its first row, and decisions half a millisecond beside the data: so the snapshot is known
    half a millisecond later, which is before anything else happens.
    """
    first = stream["ts"] == stream["ts"][0]
    events = np.zeros(len(first), EVENT)
    what = np.where(first, SNAPSHOT, np.where(stream["kind"] == LEVEL, DEPTH, TRADE))
    events["ev"] = (what | LOCAL | np.where(stream["side"] > 0, BUY, SELL)).astype(np.uint64)
    ts = stream["ts"] + later
    events["exch_ts"], events["local_ts"] = ts, ts + np.where(first, OFFSET, 0)
    events["px"], events["qty"] = stream["tick"] * TICK, stream["qty"]
    return events


def write_events(file: Path, events: int, folder: Path, times: int = 1) -> list[Path]:
    """The stream's events, repeated so many times, as files of a few hundred thousand each.

    No file ends within a moment, so that the rows of one update stay together.
    """
    folder.mkdir(parents=True)
    stream = stream_of(file, events)
    ts = stream["ts"]
    span = int(ts[-1] - ts[0]) // SECOND * SECOND + 2 * SECOND
    cuts = np.searchsorted(ts, ts[BLOCK::BLOCK]).tolist()
    made = []
    for k in range(times):
        whole = events_of(stream, k * span)
        for begin, stop in pairwise([0, *cuts, len(whole)]):
            made.append(folder / f"events-{len(made):04d}.npy")
            np.save(made[-1], whole[begin:stop])
    return made


def with_market(catalogue: Path, file: Path) -> Catalogue:
    """A new catalogue that knows the workload's market."""
    start = int(stream_of(file, 1)["ts"][0])
    found = Catalogue.create(catalogue)
    market = Market(
        id="bench", question="Will it?", tokens=(Token(YES, "Yes"), Token(NO, "No")), tick=CENT
    )
    rows = symbol_rows(market, SOURCE).assign(
        token_1=NO, outcome_1="No", opened=start - DAY, closes=start + 90 * DAY
    )
    found.write_markets(rows, {"file": "", "sha256": "", "source": SOURCE, "rows": 1})
    return found


def imported(files: list[Path], catalogue: Path) -> TapeReport:
    """Imports event files as a user would: ``data import tape --format hftbacktest``."""
    return import_tape(files, catalogue, format="hftbacktest", market="bench", source=SOURCE)


def bytes_of(tape: Tape) -> int:
    """What a stored stream takes on disk, and in memory when all of it is mapped."""
    return len(tape) * sum(kind.itemsize for kind in COLUMNS.values())
