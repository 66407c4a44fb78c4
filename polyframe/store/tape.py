"""The tape: market data in columns, memory-mapped, in sealed segments.

::

    tape/
      segment-00000000/      sealed: never changes again
        segment.json         rows, instruments, names, first and last ts, SHA-256 of every column
        ts.npy kind.npy ...  one array a column
      segment-00000001.part/ being written: rows one after the other, made into columns when sealed
"""

from __future__ import annotations

import hashlib
import mmap
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from polyframe.domain.units import Ns
from polyframe.errors import DataError, GapError
from polyframe.store.tape_rows import COLUMNS, FORMAT, NPY_HEADER, TapeFlag, TapeKind, first_fault


class ColumnInfo(msgspec.Struct, frozen=True):
    dtype: str
    sha256: str


class SegmentInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What ``segment.json`` says."""

    format: int = FORMAT
    segment: int
    rows: int
    instruments: tuple[str, ...]
    names: tuple[str, ...] = ()
    first_ts: Ns
    last_ts: Ns
    columns: dict[str, ColumnInfo]
    sealed: bool = True


INFO = "segment.json"
AT_ONCE = 1 << 18
"""rows that are looked at together"""


def segment_name(number: int) -> str:
    """The directory of a sealed segment."""
    return f"segment-{number:08d}"


class Segment:
    """One sealed segment. Columns are mapped read-only when first used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._info_bytes = _read_info(path)
        self.info = _decode_info(path, self._info_bytes)
        self.number = self.info.segment
        self.rows = self.info.rows
        self.instruments = self.info.instruments
        self.names = self.info.names
        self.first_ts = self.info.first_ts
        self.last_ts = self.info.last_ts
        self._check_sizes()

    @property
    def digest(self) -> str:
        """SHA-256 in hex of ``segment.json``, which holds those of the columns."""
        return hashlib.sha256(self._info_bytes).hexdigest()

    @cached_property
    def columns(self) -> dict[str, NDArray[Any]]:
        """All columns by name, memory-mapped.

        Raises:
            GapError: a column has another type or length than it was sealed with.
        """
        return {name: self._map(name, dtype) for name, dtype in COLUMNS.items()}

    def __getitem__(self, column: str) -> NDArray[Any]:
        return self.columns[column]

    def __len__(self) -> int:
        return self.rows

    def forget(self) -> None:
        """Lets go of the memory of rows that were looked at; who looks again has them again.

        Mapped columns stay valid. What others have mapped, too, stays theirs.
        """
        for column in self.__dict__.get("columns", {}).values():
            pages = getattr(column, "_mmap", None)
            if pages is not None and hasattr(pages, "madvise"):  # not every system can
                pages.madvise(mmap.MADV_DONTNEED)

    def verify(self) -> None:
        """Proves every column against its hash and its rules.

        Raises:
            GapError: a column was edited, or its rows break the rules of the tape.
        """
        self._prove_hashes()
        fault = first_fault(self.columns, len(self.instruments), len(self.names))
        if fault is not None:
            raise self._damage(self.path, str(fault), "rows that keep the tape's rules")
        if (self["ts"][0], self["ts"][-1]) != (self.first_ts, self.last_ts):
            raise self._damage(self.path / INFO, "does not name the first and last ts", "them")

    def prove_playable(self) -> None:
        """Proves what a replay relies on: columns as they were sealed, rows in the order of time.

        It leaves the rules of single rows to :meth:`verify`: whoever sealed them held to those.

        Raises:
            GapError: a column was edited.
        """
        self._prove_hashes()
        index = self["instrument"]
        self._prove_order()
        if self.rows and not 0 <= index.min() <= index.max() < len(self.instruments):
            found = f"names instrument {index.max() if index.min() >= 0 else index.min()}"
            listed = f"one of the {len(self.instruments)} listed"
            raise self._damage(self._file("instrument"), found, listed)
        self.forget()

    def _prove_order(self) -> None:
        ts = self["ts"]
        for begin in range(0, self.rows, AT_ONCE):
            part = ts[begin : begin + AT_ONCE + 1]
            late = np.flatnonzero(part[1:] < part[:-1]) + 1
            if len(late):
                found = f"has a row {begin + late[0]} whose ts is before that of the row above"
                raise self._damage(self._file("ts"), found, "rows in the order of time")

    def _prove_hashes(self) -> None:
        for name in COLUMNS:
            path = self._file(name)
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != self.info.columns[name].sha256:
                raise self._damage(path, f"has SHA-256 {found}", self.info.columns[name].sha256)

    def _file(self, name: str) -> Path:
        return self.path / f"{name}.npy"

    def _check_sizes(self) -> None:
        for name, dtype in COLUMNS.items():
            path = self._file(name)
            wanted = NPY_HEADER + self.rows * dtype.itemsize
            found = path.stat().st_size if path.is_file() else 0
            if found != wanted:
                raise self._damage(path, f"has {found} bytes", f"{wanted} for {self.rows} rows")

    def _map(self, name: str, dtype: np.dtype[Any]) -> NDArray[Any]:
        path = self._file(name)
        try:
            array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise self._damage(path, f"cannot be mapped ({error})", "a .npy file") from error
        if array.dtype != dtype or array.shape != (self.rows,):
            raise self._damage(
                path, f"holds {array.shape} {array.dtype.str}", f"({self.rows},) {dtype.str}"
            )
        return array

    def _damage(self, path: Path, found: str, expected: str) -> GapError:
        return GapError(
            f"{path} {found}: the segment was cut or edited after it was sealed",
            expected=expected,
            hint=f"restore {self.path.name} from a backup, or import or record its data again",
        )


def _read_info(path: Path) -> bytes:
    try:
        return (path / INFO).read_bytes()
    except OSError as error:
        raise GapError(
            f"{path / INFO} cannot be read: {error.strerror}",
            expected="a sealed tape segment",
            hint=f"restore {path.name} from a backup, or import or record its data again",
        ) from error


class _Version(msgspec.Struct):
    format: int


def _decode_info(path: Path, data: bytes) -> SegmentInfo:
    try:
        version = msgspec.json.decode(data, type=_Version).format
        if version != FORMAT:
            raise GapError(
                f"{path} has tape format {version}",
                expected=f"format {FORMAT}",
                hint="read it with the polyframe version that wrote it",
            )
        info = msgspec.json.decode(data, type=SegmentInfo)
    except msgspec.DecodeError as error:
        raise GapError(
            f"{path / INFO} is damaged: {error}",
            expected="the file as it was sealed",
            hint=f"restore {path.name} from a backup",
        ) from error
    if len(set(info.instruments)) < len(info.instruments):
        raise GapError(f"{path / INFO} names an instrument twice")
    named = {name: column.dtype for name, column in info.columns.items()}
    if named != {name: dtype.str for name, dtype in COLUMNS.items()} or info.rows <= 0:
        raise GapError(f"{path / INFO} names columns {named} and {info.rows} rows")
    if segment_name(info.segment) != path.name:
        raise GapError(f"{path} says it is segment {info.segment}", expected=path.name)
    return info


class Tape:
    """All sealed segments of a directory as one long tape.

    A row is named by ``(segment, row)``, which never changes, or by its place on this tape.
    """

    def __init__(self, path: Path, segments: tuple[Segment, ...]) -> None:
        self.path = path
        self.segments = segments
        self._starts: list[int] = [0]
        for before, segment in zip((None, *segments[:-1]), segments, strict=True):
            if before is not None:
                _check_neighbours(path, before, segment)
            self._starts.append(self._starts[-1] + segment.rows)
        self.rows = self._starts[-1]

    @classmethod
    def open(cls, path: Path) -> Tape:
        """Maps a tape; what is still being written is not part of it.

        Raises:
            DataError: no such directory, or nothing sealed in it.
            GapError: a segment is missing, cut, of another format, or out of order.
        """
        found = sorted(p for p in path.glob("segment-*") if p.is_dir() and not p.suffix)
        if not found:
            part = next(path.glob("segment-*.part"), None)
            raise DataError(
                f"{path} holds no sealed tape segment" + (f", only {part.name}" if part else ""),
                expected="directories named segment-00000000, ...",
                hint="end the recording, or open it for writing once: that seals what a crash left"
                if part
                else f"ls '{path}'",
            )
        return cls(path, tuple(Segment(p) for p in found))

    def __len__(self) -> int:
        return self.rows

    def __iter__(self) -> Iterator[Segment]:
        return iter(self.segments)

    @cached_property
    def instruments(self) -> tuple[str, ...]:
        """All instruments, in the order in which segments name them."""
        return tuple(dict.fromkeys(name for s in self.segments for name in s.instruments))

    def segment(self, number: int) -> Segment:
        """A segment by its number.

        Raises:
            GapError: it is not on this tape.
        """
        index = number - self.segments[0].number
        if not 0 <= index < len(self.segments):
            raise GapError(
                f"{self.path} has no segment {number}",
                expected=f"{self.segments[0].number} to {self.segments[-1].number}",
                hint="restore it from a backup",
            )
        return self.segments[index]

    def locate(self, place: int) -> tuple[int, int]:
        """The ``(segment, row)`` of a place on this tape.

        Raises:
            DataError: the tape is shorter.
        """
        if not 0 <= place < self.rows:
            raise DataError(f"{self.path} has no row {place}", expected=f"0 to {self.rows - 1}")
        index = bisect_right(self._starts, place) - 1
        return self.segments[index].number, place - self._starts[index]

    def place(self, segment: int, row: int) -> int:
        """The place on this tape of a ``(segment, row)``.

        Raises:
            GapError: the tape has no such segment.
            DataError: the segment has no such row.
        """
        found = self.segment(segment)
        if not 0 <= row < found.rows:
            raise DataError(f"{found.path} has no row {row}", expected=f"0 to {found.rows - 1}")
        return self._starts[segment - self.segments[0].number] + row

    def column(self, name: str) -> NDArray[Any]:
        """One column of the whole tape: the mapped one if there is one segment, else a copy.

        ``instrument`` is given as an index into :attr:`instruments`.
        """
        if len(self.segments) == 1:
            return self.segments[0][name]
        if name != "instrument":
            return np.concatenate([segment[name] for segment in self.segments])
        place = {instrument: i for i, instrument in enumerate(self.instruments)}
        parts = []
        for segment in self.segments:
            lookup = np.array([place[i] for i in segment.instruments], COLUMNS["instrument"])
            parts.append(lookup[segment["instrument"]])
        return np.concatenate(parts)

    def row_at(self, ts: Ns) -> int:
        """The place of the first row later than ``ts`` (``rows`` when there is none)."""
        index = bisect_right([segment.last_ts for segment in self.segments], ts)
        if index == len(self.segments):
            return self.rows
        column = self.segments[index]["ts"]
        return self._starts[index] + int(np.searchsorted(column, ts, side="right"))

    def verify(self) -> None:
        """Proves every segment.

        Raises:
            GapError: the first one that was edited.
        """
        for segment in self.segments:
            segment.verify()


def _check_neighbours(path: Path, before: Segment, after: Segment) -> None:
    if after.number != before.number + 1:
        raise GapError(
            f"{path}: {segment_name(before.number + 1)} is missing",
            expected="all segments between the first and the last",
            hint="restore it from a backup, or move later segments away",
        )
    if after.first_ts < before.last_ts:
        raise GapError(
            f"{after.path} begins at {after.first_ts}, before {before.path.name} ends",
            expected=f"a first ts of at least {before.last_ts}",
            hint="import the data again, sorted by time",
        )


__all__ = ["COLUMNS", "Segment", "SegmentInfo", "Tape", "TapeFlag", "TapeKind", "segment_name"]
