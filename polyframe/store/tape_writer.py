"""Writing a tape: rows go to the end of one file and become columns when the segment is sealed."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from polyframe.domain.units import Ns
from polyframe.errors import DataError
from polyframe.store.durable import FileSink, sync_directory
from polyframe.store.tape import Segment, segment_name
from polyframe.store.tape_rows import COLUMNS, ROW, TapeKind, first_fault
from polyframe.store.tape_seal import LISTS, ROWS, Part, recover_parts, seal_part

_ROW = struct.Struct("<qqqqqiBbBx")
_KINDS = frozenset(int(kind) for kind in TapeKind)
_BUFFER = 1 << 16
_STRIPE = 1 << 15  # rows laid side by side at once: they should stay in the processor's cache


class TapeWriter:
    """Appends rows to a tape, segment after segment.

    Opening a tape for writing first seals what a crash left, up to the last complete row (see
    ``recovered``). The driver decides when a segment is long enough and calls :meth:`seal`.
    """

    def __init__(self, path: Path, instruments: Sequence[str], *, first: int = 0) -> None:
        """``first`` is the number of the first segment of a directory that has none yet."""
        self.path = path
        if len(set(instruments)) < len(instruments):
            raise DataError(f"tape {path}: an instrument is named twice", expected="unique names")
        self.recovered = recover_parts(path)
        sealed = sorted(p for p in path.glob("segment-*") if p.is_dir() and not p.suffix)
        last = Segment(sealed[-1]) if sealed else None
        self._number = last.number + 1 if last else first
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
        if (
            not 0 <= instrument < len(self._instruments)
            or kind not in _KINDS
            or not -1 <= side <= 1
            or size < 0
        ):
            raise DataError(
                f"tape {self.path}: kind {kind}, instrument {instrument}, side {side}, size {size}",
                expected=f"a TapeKind, an instrument below {len(self._instruments)}, a side of -1, "
                "0 or 1, a size of at least 0",
            )
        try:
            packed = _ROW.pack(ts, ts_venue, price, size, aux, instrument, kind, side, flag)
        except struct.error as error:
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
        whole = self._checked(columns)
        rows = len(whole["ts"])
        for start in range(0, rows, _STRIPE):
            stop = min(start + _STRIPE, rows)
            packed = np.zeros(stop - start, ROW)
            for name, values in whole.items():
                packed[name] = values[start:stop]
            self._buffer += packed.tobytes()
            self._rows += stop - start
            self._last_ts = int(packed["ts"][-1])
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
        rows = FileSink(part / ROWS, new=True)
        try:
            lists = FileSink(part / LISTS, new=True)
        except BaseException:
            rows.close()
            (part / ROWS).unlink()
            raise
        sync_directory(self.path)
        return rows, lists

    def _release(self) -> None:
        for sink in (self._sink, self._lists):
            if sink is not None:
                sink.close()
        self._sink = self._lists = None

    def _checked(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        unknown = set(columns) - set(COLUMNS)
        missing = {"ts", "kind", "instrument", "price"} - set(columns)
        if unknown or missing:
            raise DataError(
                f"tape {self.path}: columns {sorted(unknown)} are unknown, {sorted(missing)} are "
                "missing",
                expected=f"ts, kind, instrument and price, and any of {', '.join(COLUMNS)}",
            )
        rows = len(columns["ts"])
        whole = {
            name: self._exact(name, columns[name], rows)
            if name in columns
            else np.broadcast_to(np.zeros((), dtype), (rows,))
            for name, dtype in COLUMNS.items()
        }
        fault = first_fault(whole, len(self._instruments), len(self._names), self._last_ts)
        if fault is not None:
            raise DataError(
                f"tape {self.path}: row {fault.row} of {rows} cannot be written: {fault.what}",
                expected="rows sorted by ts that keep the tape's rules",
                hint="sort and check the data before it is written",
            )
        return whole

    def _exact(self, name: str, values: NDArray[Any], rows: int) -> NDArray[Any]:
        array = np.asarray(values)
        if array.shape != (rows,) or array.dtype.kind not in "iu":
            raise DataError(
                f"tape {self.path}: column {name} is {array.dtype} of shape {array.shape}",
                expected=f"integers of shape ({rows},)",
            )
        limits = np.iinfo(COLUMNS[name])
        if rows and (int(array.min()) < limits.min or int(array.max()) > limits.max):
            raise DataError(
                f"tape {self.path}: column {name} has {array.min()} to {array.max()}",
                expected=f"{limits.min} to {limits.max}",
            )
        return array.astype(COLUMNS[name], copy=False)
