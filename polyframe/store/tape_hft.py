"""Recordings in hftbacktest's layout as rows of a tape."""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from tokenize import TokenError
from typing import Any, NamedTuple
from warnings import catch_warnings
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.units import Ns
from polyframe.errors import DataError
from polyframe.store.tape_amounts import exact_units
from polyframe.store.tape_recording import GAP, Lookup, Recording, silences
from polyframe.store.tape_rows import COLUMNS, TapeFlag, TapeKind, off_grid
from polyframe.store.tape_times import in_range

EVENT = np.dtype(
    [
        ("ev", "<u8"), ("exch_ts", "<i8"), ("local_ts", "<i8"), ("px", "<f8"), ("qty", "<f8"),
        ("order_id", "<u8"), ("ival", "<i8"), ("fval", "<f8"),
    ]
)  # fmt: skip
"""One event. Source: hftbacktest 2.4, ``types.event_dtype``."""

DEPTH, TRADE, CLEAR, SNAPSHOT = 1, 2, 3, 4
KNOWN = {
    DEPTH: TapeKind.LEVEL, TRADE: TapeKind.TRADE, CLEAR: TapeKind.CLEAR, SNAPSHOT: TapeKind.LEVEL
}  # fmt: skip
LOCAL, BUY, SELL = 1 << 30, 1 << 29, 1 << 28

SILENCE = 0
"""no gap by default: the layout has a snapshot at the start at most"""

Columns = dict[str, NDArray[Any]]


class Scale(NamedTuple):
    """The decimals of an instrument's prices and sizes."""

    price: int = 4
    size: int = 6


def convert(
    files: Sequence[Path], lookup: Lookup, recording: Recording, silence: Ns = SILENCE
) -> Iterator[Columns]:
    """The rows of these files, file after file; they must follow one another in time.

    Raises:
        DataError: an event cannot be, a price is off the market's tick, or a file is of another
            layout.
    """
    market = lookup.only
    assert market is not None  # the command asks for it
    scale = Scale(market.price_decimals, market.size_decimals)
    instrument = recording.instrument(market)
    before: Ns = 0
    for path in files:
        events = read_events(path)
        recording.rows[path.name] = len(events)
        _timed(path, events)
        columns = tape_columns(path.name, events, instrument, scale)
        if before and len(columns["ts"]) and columns["aux"][0] == 0:
            # A later file goes on with the book of the one before, it does not begin an empty one.
            columns = {name: values[2:] for name, values in columns.items()}
        left = int((events["ev"] & LOCAL == 0).sum())
        recording.note("events that never reached the recorder", left)
        off = off_grid(columns["kind"], columns["price"], market.tick)
        if len(off):
            price = market.show_price(int(columns["price"][off[0]]))
            raise DataError(
                f"{path}: a level stands at {price}, {len(off)} levels are off the tick of "
                f"{market.show_price(market.tick)}",
                expected="prices on the market's tick",
                hint="state the tick that was in force: --tick",
            )
        if not len(columns["ts"]):
            continue
        yield _with_gaps(columns, recording, silence, before or int(columns["ts"][0]))
        before = int(columns["ts"][-1])


def _timed(path: Path, events: NDArray[Any]) -> None:
    """Refuses times of other decades; an exchange that does not tell its own may have written 0."""
    for name in ("local_ts", "exch_ts"):
        unsaid = name == "exch_ts"
        some = events[name][(events["ev"] & LOCAL) != 0]
        in_range(str(path), some, name, "ns", unsaid=unsaid, first=0, row="recorded event")


def _with_gaps(columns: Columns, recording: Recording, silence: Ns, before: Ns) -> Columns:
    """The columns with a CLEAR row where nothing came for too long, be it since the last file."""
    at = silences(np.r_[before, columns["ts"]], silence)
    if not len(at):
        return columns
    recording.cleared(GAP, len(at))
    made = {name: np.insert(values, at, 0) for name, values in columns.items()}
    new = at + np.arange(len(at))
    made["ts"][new] = np.r_[before, columns["ts"]][at] + silence
    made["instrument"][new] = columns["instrument"][at]
    made["kind"][new] = int(TapeKind.CLEAR)
    made["aux"][new] = recording.reason(GAP)
    inside = new > 0
    made["flag"][new[inside] - 1] = 0  # whatever was to follow did not
    return made


def read_events(file: Path) -> NDArray[Any]:
    """The events of a ``.npz`` (its array ``data``) or ``.npy`` file.

    Raises:
        DataError: it cannot be read, or holds something else.
    """
    hint = "copy it again from where it was made; polyframe data import tape FILE --format FORMAT "
    hint += "names another form"
    try:
        with file.open("rb") as stream, catch_warnings(action="ignore"):
            found = np.load(stream, allow_pickle=False)
            rows = found["data"] if isinstance(found, np.lib.npyio.NpzFile) else found
    except UNREADABLE as error:
        told = (
            "has no array named data" if isinstance(error, KeyError) else f"cannot be read: {error}"
        )
        raise DataError(
            f"{file} {told}", expected="a whole .npz file with an array named data, or .npy",
            hint=hint,
        ) from None  # fmt: skip
    if rows.dtype.names != EVENT.names or rows.ndim != 1:
        raise DataError(
            f"{file} holds {rows.dtype} of shape {rows.shape}",
            expected=f"events with the fields {', '.join(EVENT.names or ())}", hint=hint,
        )  # fmt: skip
    for name in EVENT.names or ():
        if rows.dtype[name].kind not in ("iu" if EVENT[name].kind in "iu" else "iuf"):
            raise DataError(
                f"{file}: field {name} holds {rows.dtype[name]}", expected=str(EVENT[name]),
                hint=hint,
            )  # fmt: skip
    return np.asarray(rows)


UNREADABLE = (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error, lzma.LZMAError,
              NotImplementedError, RuntimeError, TokenError, TypeError, OverflowError, MemoryError,
              SyntaxError, struct.error)  # fmt: skip
"""What numpy and zipfile raise about files that were cut, packed otherwise or never theirs."""


def tape_columns(file: str, events: NDArray[Any], instrument: int, scale: Scale) -> Columns:
    """The rows that these events become, in the order in which they were known.

    What never reached the recorder is left out. A book begins empty, as that library has it,
    unless the file begins with a snapshot; levels of one are put between the marks of a snapshot. A
    cleared side makes a book untrusted until the next.

    Shapes: events (n,), columns (m,). Units: see ``tape_rows``.

    Raises:
        DataError: an unknown kind, a time that goes back, a price or size that is no number, is
            negative or has more decimals than the scale.
    """
    seen = events[(events["ev"] & LOCAL) != 0]
    kind = (seen["ev"] & 0xFF).astype(np.int64)
    _check(file, seen, kind)
    side = np.where(seen["ev"] & BUY != 0, 1, np.where(seen["ev"] & SELL != 0, -1, 0))
    columns = {
        "ts": seen["local_ts"].astype(np.int64),
        "ts_venue": seen["exch_ts"].astype(np.int64),
        "price": _scaled(file, "px", seen["px"], scale.price),
        "size": _scaled(file, "qty", seen["qty"], scale.size),
        "kind": np.array([0, *map(KNOWN.__getitem__, (DEPTH, TRADE, CLEAR, SNAPSHOT))])[kind],
        "side": np.where(kind == CLEAR, 0, side),
    }
    for name in ("price", "size"):
        columns[name][kind == CLEAR] = 0
    marked = _marked(columns, kind)
    marked["instrument"] = np.full(len(marked["ts"]), instrument, np.int32)
    return {name: values.astype(COLUMNS[name]) for name, values in marked.items()}


def _check(file: str, seen: NDArray[Any], kind: NDArray[np.int64]) -> None:
    unknown = np.flatnonzero((kind < DEPTH) | (kind > SNAPSHOT))
    late = np.flatnonzero(np.diff(seen["local_ts"]) < 0) + 1
    for rows, what, expected in (
        (unknown, "is of an unknown kind", "depth, trade, clear or snapshot events"),
        (late, "was known before the one above it", "events in the order of local_ts"),
    ):
        if len(rows):
            raise DataError(
                f"{file}: event {int(rows[0])} {what}", expected=expected,
                hint="polyframe data import tape FILE --format FORMAT names another form",
            )  # fmt: skip


def _scaled(file: str, name: str, values: NDArray[np.float64], decimals: int) -> NDArray[np.int64]:
    """The exact whole number of units behind each float."""
    whole, bad = exact_units(values, decimals)
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"{file}: {name} of event {row} is {values[row]!r}",
            expected=f"a number of 0 or more with at most {decimals} decimals",
            hint="state more decimals for this instrument",
        )
    return whole


def _marked(columns: Columns, kind: NDArray[np.int64]) -> Columns:
    """The columns with the marks of each run of snapshot rows, or of an empty one at the start."""
    n = len(kind)
    inside = kind == SNAPSHOT
    edge = np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8))
    begins, ends = np.flatnonzero(edge == 1), np.flatnonzero(edge == -1) - 1
    counts = ends - begins + 1
    at = np.concatenate([begins, ends + 1]).astype(np.int64)
    marks = [TapeKind.SNAPSHOT_BEGIN] * len(begins) + [TapeKind.SNAPSHOT_END] * len(ends)
    sizes = np.concatenate([counts, counts]).astype(np.int64)
    if n and not inside[0]:
        at = np.concatenate([[0, 0], at])
        marks = [TapeKind.SNAPSHOT_BEGIN, TapeKind.SNAPSHOT_END, *marks]
        sizes = np.concatenate([[0, 0], sizes])
    order = np.argsort(at, kind="stable")
    at = at[order].astype(np.int64)
    made = {name: np.insert(values, at, 0) for name, values in columns.items()}
    place = at + np.arange(len(at))
    source = np.minimum(at, max(n - 1, 0))
    # A closing mark is known with the last of its levels, an opening one with the first.
    closing = np.array(marks, np.int64)[order] == TapeKind.SNAPSHOT_END
    source = np.where(closing & (sizes[order] > 0), at - 1, source)
    for name in ("ts", "ts_venue"):
        made[name][place] = columns[name][source] if n else 0
    made["kind"][place] = np.array(marks, np.int64)[order]
    made["aux"] = np.zeros(len(made["ts"]), np.int64)
    made["aux"][place] = sizes[order]
    made["flag"] = _more(made["ts"], made["kind"])
    return made


def _more(ts: NDArray[np.int64], kind: NDArray[Any]) -> NDArray[np.uint8]:
    """Nobody is woken within a snapshot, or between rows that were known in one moment."""
    same = np.zeros(len(ts), np.bool_)
    same[:-1] = ts[1:] == ts[:-1]
    begun = np.cumsum(kind == TapeKind.SNAPSHOT_BEGIN) - np.cumsum(kind == TapeKind.SNAPSHOT_END)
    found: NDArray[np.uint8] = np.where(same | (begun > 0), int(TapeFlag.MORE), 0).astype(np.uint8)
    return found
