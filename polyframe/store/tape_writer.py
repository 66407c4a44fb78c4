"""Writing a tape: rows go to the end of one file and become columns when the segment is sealed."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from polyframe.domain.units import Ns
from polyframe.errors import DataError, GapError
from polyframe.store.durable import FileSink, storage_error, sync_directory, sync_file
from polyframe.store.tape import INFO, ColumnInfo, Segment, SegmentInfo, segment_name
from polyframe.store.tape_rows import COLUMNS, ROW, TapeKind, first_fault, npy_header

_ROW = struct.Struct("<qqqqqiBbBx")
_ROWS = "rows.bin"
_LISTS = "lists.jsonl"
_BUFFER = 1 << 16
_CHUNK = 1 << 20


class Part(NamedTuple):
    """A segment that is complete but not sealed yet; :func:`seal_part` does it, in any thread."""

    path: Path
    number: int


class RecoveredPart(NamedTuple):
    """What a crash left, now sealed; ``segment`` is None when no row was complete."""

    number: int
    segment: Segment | None
    dropped_bytes: int


class TapeWriter:
    """Appends rows to a tape, segment after segment.

    Opening a tape for writing first seals what a crash left, up to the last complete row (see
    ``recovered``). The driver decides when a segment is long enough and calls :meth:`seal`.
    """

    def __init__(self, path: Path, instruments: Sequence[str]) -> None:
        self.path = path
        if len(set(instruments)) < len(instruments):
            raise DataError(f"tape {path}: an instrument is named twice", expected="unique names")
        self.recovered = recover_parts(path)
        sealed = sorted(p for p in path.glob("segment-*") if p.is_dir() and not p.suffix)
        last = Segment(sealed[-1]) if sealed else None
        self._number = last.number + 1 if last else 0
        self._last_ts: Ns | None = last.last_ts if last else None
        self._instruments: dict[str, int] = {name: i for i, name in enumerate(instruments)}
        self._names: dict[str, int] = {}
        self._unlisted: list[tuple[str, str]] = [("instrument", name) for name in instruments]
        self._rows = 0
        self._buffer = bytearray()
        self._sink: FileSink | None = None
        self._lists: FileSink | None = None
        self._unsynced = self._unsynced_lists = False

    @property
    def position(self) -> tuple[int, int]:
        """The ``(segment, row)`` that the next row will have."""
        return self._number, self._rows

    def instrument(self, name: str) -> int:
        """The index of an instrument, which is listed if it is new."""
        return self._list("instrument", self._instruments, name)

    def name(self, text: str) -> int:
        """1 + the index of a wallet or reason, for ``aux``."""
        return self._list("name", self._names, text) + 1

    def row(
        self,
        ts: Ns,
        kind: TapeKind,
        instrument: int,
        price: int,
        size: int = 0,
        *,
        side: int = 0,
        ts_venue: Ns = 0,
        flag: int = 0,
        aux: int = 0,
    ) -> None:
        """Appends one row.

        Raises:
            DataError: it breaks a rule of the tape, or the disk refused.
        """
        last = self._last_ts
        if last is not None and ts < last:
            raise self._late(ts, last)
        if not 0 <= instrument < len(self._instruments) or not -1 <= side <= 1 or size < 0:
            raise DataError(
                f"tape {self.path}: instrument {instrument}, side {side}, size {size}",
                expected=f"an instrument below {len(self._instruments)}, a side of -1, 0 or 1, a "
                "size of at least 0",
            )
        try:
            packed = _ROW.pack(
                ts, ts_venue, price, size, aux, instrument, TapeKind(kind), side, flag
            )
        except (struct.error, ValueError) as error:
            raise DataError(f"tape {self.path}: a row cannot be stored: {error}") from error
        self._buffer += packed
        self._rows += 1
        self._last_ts = ts
        if len(self._buffer) >= _BUFFER:
            self.flush()

    def append(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Appends many rows; columns that are not given are 0.

        Shapes: all (n,). Nothing is written when one row is wrong.

        Raises:
            DataError: a column is unknown, no array of integers or too short, or a row breaks a
                rule of the tape.
        """
        rows = self._to_rows(columns)
        if not len(rows):
            return
        views = {name: rows[name] for name in COLUMNS}
        fault = first_fault(views, len(self._instruments), len(self._names), self._last_ts)
        if fault is not None:
            raise DataError(
                f"tape {self.path}: row {fault.row} of {len(rows)} cannot be written: {fault.what}",
                expected="rows sorted by ts that keep the tape's rules",
                hint="sort and check the data before it is written",
            )
        self._buffer += rows.tobytes()
        self._rows += len(rows)
        self._last_ts = int(rows["ts"][-1])
        self.flush()

    def flush(self, *, sync: bool = False) -> None:
        """Hands all rows to the operating system; with ``sync`` they are on the disk on return.

        Raises:
            DataError: the disk refused; the rows are kept for the next try.
        """
        if not self._rows:
            return
        if self._sink is None or self._lists is None:
            self._sink, self._lists = self._start()
        if self._unlisted:  # first, so that no stored row names what is not stored
            lines = [msgspec.json.encode(entry) + b"\n" for entry in self._unlisted]
            self._lists.append(b"".join(lines), sync=False)
            self._unlisted.clear()
            self._unsynced_lists = True
        if sync and self._unsynced_lists:
            self._lists.append(b"", sync=True)
            self._unsynced_lists = False
        if self._buffer or (sync and self._unsynced):
            self._sink.append(bytes(self._buffer), sync=sync)
            self._buffer.clear()
            self._unsynced = not sync

    def roll(self) -> Part | None:
        """Ends the segment and begins the next; cheap. None when the segment has no rows."""
        if not self._rows:
            return None
        self.flush()
        part = Part(self._part_path(), self._number)
        self._release()
        self._number += 1
        self._rows = 0
        self._names = {}
        self._unlisted = [("instrument", name) for name in self._instruments]
        return part

    def seal(self) -> Segment | None:
        """Ends the segment and makes it final. Its number and digest belong into the journal."""
        part = self.roll()
        return None if part is None else seal_part(part)

    def close(self) -> Segment | None:
        """Seals what is there and gives the files back."""
        segment = self.seal()
        self._release()
        return segment

    def abandon(self) -> None:
        """Gives the files back without sealing: the next writer does it."""
        self.flush()
        self._release()

    def _list(self, what: str, known: dict[str, int], text: str) -> int:
        index = known.get(text)
        if index is None:
            index = known[text] = len(known)
            self._unlisted.append((what, text))
        return index

    def _late(self, ts: Ns, last: Ns) -> DataError:
        return DataError(
            f"tape {self.path}: a row of ts {ts} after one of ts {last}",
            expected="rows in the order in which they were known",
            hint="sort the data by ts before it is written",
        )

    def _part_path(self) -> Path:
        return self.path / f"{segment_name(self._number)}.part"

    def _start(self) -> tuple[FileSink, FileSink]:
        part = self._part_path()
        rows = FileSink(part / _ROWS, new=True)
        try:
            lists = FileSink(part / _LISTS, new=True)
        except BaseException:
            rows.close()
            raise
        sync_directory(self.path)
        return rows, lists

    def _release(self) -> None:
        for sink in (self._sink, self._lists):
            if sink is not None:
                sink.close()
        self._sink = self._lists = None

    def _to_rows(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        unknown = set(columns) - set(COLUMNS)
        missing = {"ts", "kind", "instrument", "price"} - set(columns)
        if unknown or missing:
            raise DataError(
                f"tape {self.path}: columns {sorted(unknown)} are unknown, {sorted(missing)} are "
                "missing",
                expected=f"ts, kind, instrument and price, and any of {', '.join(COLUMNS)}",
            )
        length = len(columns["ts"])
        rows = np.zeros(length, ROW)
        for name, values in columns.items():
            array = np.asarray(values)
            if array.shape != (length,) or array.dtype.kind not in "iu":
                raise DataError(
                    f"tape {self.path}: column {name} is {array.dtype} of shape {array.shape}",
                    expected=f"integers of shape ({length},)",
                )
            limits = np.iinfo(COLUMNS[name])
            if length and (int(array.min()) < limits.min or int(array.max()) > limits.max):
                raise DataError(
                    f"tape {self.path}: column {name} has {array.min()} to {array.max()}",
                    expected=f"{limits.min} to {limits.max}",
                )
            rows[name] = array
        return rows


def recover_parts(path: Path) -> tuple[RecoveredPart, ...]:
    """Seals every segment that a stopped writer left, up to its last complete row.

    Raises:
        UserError: another process is still writing it.
        GapError: its complete rows break the rules of the tape.
    """
    for leftover in path.glob("segment-*.sealing"):
        _remove(leftover)
    found = []
    for part in sorted(path.glob("segment-*.part")):
        number = int(part.stem.rpartition("-")[2])
        if (path / segment_name(number)).exists():  # stopped after the rename
            _remove(part)
            continue
        found.append(_recover_part(Part(part, number)))
    return tuple(found)


def _recover_part(part: Part) -> RecoveredPart:
    file = part.path / _ROWS
    dropped = 0
    if file.is_file():
        sink = FileSink(file, new=False)  # refused while its writer lives
        try:
            kinds = _map_rows(file)["kind"]
            # A file system may lengthen a file before the bytes arrive; a stop then leaves zeros.
            filled = np.flatnonzero(kinds)
            keep = (int(filled[-1]) + 1 if len(filled) else 0) * ROW.itemsize
            dropped = sink.size - keep
            if dropped:
                sink.cut(keep)
        finally:
            sink.close()
    if not file.is_file() or file.stat().st_size == 0:
        _remove(part.path)
        return RecoveredPart(part.number, None, dropped)
    return RecoveredPart(part.number, seal_part(part), dropped)


def seal_part(part: Part) -> Segment:
    """Makes a complete segment final and returns it.

    Raises:
        GapError: its rows break the rules of the tape.
        DataError: the disk refused; the part is still there.
    """
    rows = _map_rows(part.path / _ROWS)
    instruments, names = _read_lists(part.path / _LISTS)
    views = {name: rows[name] for name in COLUMNS}
    fault = first_fault(views, len(instruments), len(names))
    if fault is not None:
        raise GapError(
            f"{part.path / _ROWS} {fault}",
            expected="rows as the writer wrote them",
            hint=f"move it away and go on with the next segment: mv '{part.path}' "
            f"'{part.path}.damaged'",
        )
    staging = part.path.with_suffix(".sealing")
    final = part.path.with_name(segment_name(part.number))
    try:
        staging.mkdir()
        columns = {name: _write_column(staging, name, rows[name]) for name in COLUMNS}
        info = SegmentInfo(
            segment=part.number,
            rows=len(rows),
            instruments=instruments,
            names=names,
            first_ts=int(rows["ts"][0]),
            last_ts=int(rows["ts"][-1]),
            columns=columns,
        )
        _write_file(staging / INFO, [msgspec.json.format(msgspec.json.encode(info))])
        sync_directory(staging)
        staging.rename(final)
        sync_directory(final.parent)
    except OSError as error:
        raise storage_error("sealed", part.path, error) from error
    _remove(part.path)
    return Segment(final)


def _map_rows(file: Path) -> NDArray[Any]:
    rows = file.stat().st_size // ROW.itemsize
    if not rows:
        return np.zeros(0, ROW)
    return np.memmap(file, ROW, "r", shape=(rows,))


def _read_lists(file: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    lists: dict[str, list[str]] = {"instrument": [], "name": []}
    # A line cut short by a crash was never used: it is stored before the first row that names it.
    whole, _, _ = file.read_bytes().rpartition(b"\n") if file.is_file() else (b"", b"", b"")
    try:
        for line in whole.splitlines():
            what, text = msgspec.json.decode(line, type=tuple[str, str])
            lists[what].append(text)
    except (msgspec.DecodeError, KeyError) as error:
        raise GapError(f"{file} is damaged: {error}", expected="one listed name a line") from error
    return tuple(lists["instrument"]), tuple(lists["name"])


def _write_column(directory: Path, name: str, values: NDArray[Any]) -> ColumnInfo:
    dtype = COLUMNS[name]
    header = npy_header(dtype, len(values))
    chunks = (values[at : at + _CHUNK].tobytes() for at in range(0, len(values), _CHUNK))
    return ColumnInfo(dtype.str, _write_file(directory / f"{name}.npy", chain((header,), chunks)))


def _write_file(path: Path, chunks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    with path.open("xb") as file:
        for chunk in chunks:
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        sync_file(file.fileno())
    return digest.hexdigest()


def _remove(directory: Path) -> None:
    for file in directory.iterdir():
        os.unlink(file)
    directory.rmdir()
    sync_directory(directory.parent)
