"""How a journal lies in its file: a header, then blocks, each chained to all before it.

::

    header  magic 8 | length u32 | payload | SHA-256 of all that
    block   head 28 | check 8 | payload | SHA-256(previous digest, head, payload)
    head    magic 4 | number u32 | flags u32 | records u32 | seq u64 | length u32

All integers are little-endian. ``check`` is the start of SHA-256(previous digest, head): it tells a
head that was written here, whose payload the file lost, from one that was edited or moved.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from enum import IntFlag, StrEnum
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from polyframe.errors import GapError
from polyframe.store.durable import open_to_read
from polyframe.store.records import FORMAT, Header

_FILE_MAGIC = b"PFJRNL\r\n"  # the line end shows a file that went through a text-mode copy
_BLOCK_MAGIC = b"PBLK"
_LENGTH = struct.Struct("<I")
_HEAD = struct.Struct("<4sIIIQI")
_CHECK = 8
_DIGEST = 32
_CHUNK = 1 << 20
_SHOWN = 16


class Flag(IntFlag):
    """What a block holds, told without decoding it."""

    NONE = 0
    CHECKPOINT = 1
    """one checkpoint and nothing else"""
    CLOSED = 2
    """its last record ends the journal"""


class Head(NamedTuple):
    """A block's description. ``seq`` is the number of steps made when it was sealed."""

    number: int
    flags: Flag
    records: int
    seq: int
    length: int


class Position(NamedTuple):
    """A place between two blocks from which reading can go on.

    ``number`` is that of the next block, ``digest`` that of the one before, ``seq`` and ``closed``
    describe the journal up to here.
    """

    offset: int
    number: int
    digest: bytes
    seq: int
    closed: bool


class Block(NamedTuple):
    """One whole, authentic block with the positions before and after it."""

    head: Head
    payload: bytes
    start: Position
    end: Position


class TailKind(StrEnum):
    """How a journal's file ends."""

    CLOSED = "closed"
    """on purpose, with an end mark"""
    OPEN = "open"
    """after a whole block, without an end mark: still being written, or stopped hard"""
    TORN = "torn"
    """inside a block whose writing was cut short"""


class Tail(NamedTuple):
    """How the file ends; ``torn_bytes`` after ``position`` belong to no whole block."""

    kind: TailKind
    position: Position
    torn_bytes: int


def pack_header(payload: bytes) -> tuple[bytes, bytes]:
    """The header's bytes and its digest, with which the chain starts."""
    head = _FILE_MAGIC + _LENGTH.pack(len(payload)) + payload
    digest = hashlib.sha256(head).digest()
    return head + digest, digest


def pack_block(previous: bytes, head: Head, payload: bytes | bytearray) -> tuple[bytes, bytes]:
    """A block's bytes and its digest."""
    before, digest = frame(previous, head, payload)
    return b"".join((before, payload, digest)), digest


def frame(previous: bytes, head: Head, payload: bytes | bytearray) -> tuple[bytes, bytes]:
    """What stands before a block's payload, and its digest, which stands after it."""
    packed = _HEAD.pack(
        _BLOCK_MAGIC, head.number, int(head.flags), head.records, head.seq, head.length
    )
    chain = hashlib.sha256(previous + packed)
    check = chain.digest()[:_CHECK]
    chain.update(payload)
    return packed + check, chain.digest()


def read_header(path: Path) -> tuple[Header, Position]:
    """The header and where the first block starts.

    Raises:
        DataError: no such file.
        GapError: no journal, an incomplete or edited header, or a format of another version.
    """
    with open_to_read(path) as file:
        start = file.read(len(_FILE_MAGIC) + _LENGTH.size)
        if not start.startswith(_FILE_MAGIC):
            if _FILE_MAGIC.startswith(start[: len(_FILE_MAGIC)]):
                raise _short_header(path)
            raise GapError(
                f"{path} is no journal, or its first bytes were edited: it begins {start[:8]!r}",
                expected=f"{_FILE_MAGIC!r}",
                hint="restore it from a backup",
            )
        if len(start) < len(_FILE_MAGIC) + _LENGTH.size:
            raise _short_header(path)
        (length,) = _LENGTH.unpack(start[len(_FILE_MAGIC) :])
        rest = file.read(min(length, _CHUNK) + _DIGEST)
    payload, digest = rest[:length], rest[length:]
    if length > _CHUNK or len(rest) < length + _DIGEST:
        raise _short_header(path)
    if hashlib.sha256(start + payload).digest() != digest:
        raise GapError(
            f"{path}: the header does not have the hash that it was written with",
            expected="an unedited journal",
            hint="restore it from a backup",
        )
    header = _decode_header(path, payload)
    offset = len(start) + len(rest)
    return header, Position(offset, 0, digest, 0, False)


def _short_header(path: Path) -> GapError:
    return GapError(
        f"{path} ends inside its header: it was cut or edited there, or nothing was recorded",
        expected="a complete header",
        hint=f"restore it from a backup, or remove it: rm '{path}'",
    )


class _Version(msgspec.Struct):
    format: int
    polyframe: str = "?"


def _decode_header(path: Path, payload: bytes) -> Header:
    try:
        version = msgspec.msgpack.decode(payload, type=_Version)
        if version.format != FORMAT:
            raise GapError(
                f"{path} has journal format {version.format}",
                expected=f"format {FORMAT}",
                hint=f"read it with polyframe {version.polyframe}, which wrote it",
            )
        return msgspec.msgpack.decode(payload, type=Header)
    except msgspec.DecodeError as error:
        raise GapError(f"{path}: the header cannot be read: {error}") from error


class BlockWalk:
    """The whole blocks of a journal, one after the other, each proven before it is given.

    ``tail`` says how the file ended once the walk is over.
    """

    def __init__(self, path: Path, start: Position) -> None:
        self.path = path
        self.position = start
        self.tail: Tail | None = None

    def __iter__(self) -> Iterator[Block]:
        with open_to_read(self.path) as file:
            size = file.seek(0, 2)
            file.seek(self.position.offset)
            while self.tail is None:
                block = self._next(file, size)
                if block is not None:
                    self.position = block.end
                    yield block

    def _next(self, file: BinaryIO, size: int) -> Block | None:
        at = self.position
        left = size - at.offset
        if left <= 0:
            if left < 0:
                raise self._damage("was cut away: the file ends before it")
            return self._end(TailKind.CLOSED if at.closed else TailKind.OPEN, 0)
        raw = file.read(_HEAD.size + _CHECK)
        if len(raw) < _HEAD.size + _CHECK:
            if _BLOCK_MAGIC.startswith(raw[: len(_BLOCK_MAGIC)]) or not any(raw):
                return self._end(TailKind.TORN, left)
            raise self._damage("does not begin like a block")
        packed, check = raw[: _HEAD.size], raw[_HEAD.size :]
        chain = hashlib.sha256(at.digest + packed)
        if chain.digest()[:_CHECK] != check:
            # A file system may lengthen a file before the bytes arrive; a stop then leaves zeros.
            if not any(raw) and _only_zeros(file):
                return self._end(TailKind.TORN, left)
            raise self._damage(f"is not the block that was written here{_calls_itself(packed)}")
        _, number, flags, records, seq, length = _HEAD.unpack(packed)
        if left < len(raw) + length + _DIGEST:
            return self._end(TailKind.TORN, left)
        payload = file.read(length)
        chain.update(payload)
        digest = chain.digest()
        written = file.read(_DIGEST)
        if written != digest:
            raise self._damage(
                f"does not have the hash that it was written with ({written.hex()[:_SHOWN]}, its "
                f"bytes give {digest.hex()[:_SHOWN]})"
            )
        head = Head(number, Flag(flags), records, seq, length)
        offset = at.offset + len(raw) + length + _DIGEST
        end = Position(offset, number + 1, digest, seq, bool(flags & Flag.CLOSED))
        return Block(head, payload, at, end)

    def _end(self, kind: TailKind, torn: int) -> Block | None:
        self.tail = Tail(kind, self.position, torn)
        return None

    def _damage(self, what: str) -> GapError:
        at = self.position
        path = self.path
        return GapError(
            f"{path}: block {at.number} at byte {at.offset}, after step {at.seq}, {what}; from "
            "there on the journal was edited, or a part of it was removed, moved or lost",
            expected="an unbroken chain of hashes",
            hint=f"restore it from a backup; blocks before {at.number} are intact and can be saved "
            f"with: head -c {at.offset} '{path}' > '{path}.intact'",
        )


def _calls_itself(packed: bytes) -> str:
    """What a head that does not belong here says of itself, where it is one at all."""
    magic, number, _, _, seq, _ = _HEAD.unpack(packed)
    return f": it calls itself block {number}, up to step {seq}" if magic == _BLOCK_MAGIC else ""


def _only_zeros(file: BinaryIO) -> bool:
    while chunk := file.read(_CHUNK):
        if any(chunk):
            return False
    return True
