"""Sealing: the rows of a segment become columns that never change again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from polyframe.errors import GapError
from polyframe.store.durable import FileSink, storage_error, sync_directory, sync_file
from polyframe.store.tape import INFO, ColumnInfo, Segment, SegmentInfo, segment_name
from polyframe.store.tape_rows import COLUMNS, ROW, first_fault, npy_header

ROWS = "rows.bin"
LISTS = "lists.jsonl"
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
    file = part.path / ROWS
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
    rows = _map_rows(part.path / ROWS)
    instruments, names = _read_lists(part.path / LISTS)
    views = {name: rows[name] for name in COLUMNS}
    fault = first_fault(views, len(instruments), len(names))
    if fault is not None:
        raise GapError(
            f"{part.path / ROWS} {fault}",
            expected="rows as the writer wrote them",
            hint=f"move it away and go on with the next segment: mv '{part.path}' "
            f"'{part.path}.damaged'",
        )
    staging = part.path.with_suffix(".sealing")
    final = part.path.with_name(segment_name(part.number))
    try:
        if staging.exists():  # an earlier try failed
            _remove(staging)
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
