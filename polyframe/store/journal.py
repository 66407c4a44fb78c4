"""The journal of one session: an append-only file of steps in hash-chained blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import msgspec
import numpy as np
from numpy.typing import NDArray

from polyframe.domain.effects import Effect, storable
from polyframe.domain.events import Event
from polyframe.domain.units import SECOND, Ns
from polyframe.errors import DataError, InvariantError, UserError
from polyframe.store.durable import FileSink, NullSink, Sink
from polyframe.store.framing import (
    BlockWalk,
    Flag,
    Head,
    Position,
    Tail,
    frame,
    pack_header,
    read_header,
)
from polyframe.store.journal_reader import JournalReader, Verified
from polyframe.store.records import (
    Checkpoint,
    Closed,
    Header,
    Record,
    RecordLevel,
    Resumed,
    SegmentSealed,
    Step,
    types_at,
)

MAX_RECORDS = 1_000
MAX_BYTES = 1 << 20
MAX_AGE: Ns = SECOND
"""A block is sealed at the latest with so many records, so many bytes, or at this age."""

_ARRAY = b"\xdd\x00\x00\x00\x00"  # msgpack: an array whose 32-bit length is filled in at the seal

Ints = NDArray[np.int64]

_encoder = msgspec.msgpack.Encoder(enc_hook=storable)
encoded: Callable[[object], bytes] = _encoder.encode
"""A record, or a part of one, as a journal has it."""
_decoder = msgspec.msgpack.Decoder(list[Record])

Clock = Callable[[], Ns]


class JournalWriter:
    """Writes one journal.

    ``clock`` is a monotonic clock in ns for the age rule; without one blocks are sealed by their
    size and by :meth:`seal_block` alone, so that the same steps give the same bytes. With
    ``durable`` a sealed block is on the disk when the call returns.
    """

    def __init__(
        self,
        sink: Sink,
        level: RecordLevel,
        start: Position,
        *,
        durable: bool = False,
        clock: Clock | None = None,
    ) -> None:
        types = types_at(level)
        self.level = level
        self.enabled: Callable[[type], bool] = types.__contains__
        """``enabled(type(event))`` says whether this level keeps it."""
        self._types = types
        self._all = level is RecordLevel.ALL
        self._keeps_effects = level is not RecordLevel.NONE
        self._sink = sink
        self._durable = durable
        self._clock = clock
        self._number = start.number
        self._digest = start.digest
        self._seq = start.seq
        self._buffer = bytearray(_ARRAY)
        self._records = 0
        self._due: Ns = 0
        self._open = True

    @classmethod
    def create(
        cls, path: Path, header: Header, *, durable: bool = False, clock: Clock | None = None
    ) -> JournalWriter:
        """A new journal. Its header is written at once.

        Raises:
            UserError: the file exists, or the header has a value that cannot be stored.
            DataError: the disk refused; no file is left.
        """
        data, digest = pack_header(_encode_header(header))
        sink = FileSink(path, new=True)
        try:
            sink.append(data, sync=durable)
        except DataError:
            sink.close()
            path.unlink()
            raise
        start = Position(len(data), 0, digest, 0, False)
        return cls(sink, header.level, start, durable=durable, clock=clock)

    @classmethod
    def resume(
        cls, path: Path, header: Header, *, durable: bool = False, clock: Clock | None = None
    ) -> JournalWriter:
        """An existing journal, to be gone on with after its last whole block.

        Bytes of a block whose writing was cut short are moved to ``<path>.torn-<offset>``.

        Raises:
            GapError: the journal was edited.
            UserError: it is another session's, has another level or is being written.
        """
        old, start = read_header(path)
        if (old.session, old.level) != (header.session, header.level):
            raise UserError(
                f"{path} is the journal of session {old.session} at level {old.level.value}",
                expected=f"session {header.session} at level {header.level.value}",
                hint="start a new session, or resume with the settings it was started with",
            )
        sink = FileSink(path, new=False)
        try:
            tail = _walk_to_end(BlockWalk(path, start))
            if tail.torn_bytes:
                _set_torn_aside(path, tail)
                sink.cut(tail.position.offset)
            writer = cls(sink, old.level, tail.position, durable=durable, clock=clock)
            writer._add(Resumed(header))
            writer.seal_block()
        except BaseException:
            sink.close()
            raise
        return writer

    @classmethod
    def null(cls) -> JournalWriter:
        """A writer that keeps nothing but counts its steps."""
        return cls(NullSink(), RecordLevel.NONE, Position(0, 0, b"", 0, False))

    @property
    def seq(self) -> int:
        """The number of steps made, recorded or not."""
        return self._seq

    @property
    def digest(self) -> str:
        """The hash, in hex, of all sealed blocks: whoever knows it can prove the journal whole."""
        return self._digest.hex()

    def step(self, event: Event, effects: Sequence[Effect]) -> int:
        """Records one step as far as the level goes, and returns its number.

        Raises:
            InvariantError: a value that cannot be stored; nothing was recorded.
            DataError: the disk refused; the records are kept for the next try.
        """
        self._seq = seq = self._seq + 1
        known = type(event) in self._types
        if not self._keeps_effects:
            effects = ()
        if not known and not effects:
            return seq
        kept = tuple(effects)
        if kept and not self._all:
            kept = tuple(effect for effect in kept if type(effect) in self._types)
        if known or kept:
            try:
                self._add(Step(seq, event.ts, event if known else None, kept))
            except InvariantError:
                self._seq = seq - 1
                raise
        return seq

    def add(self, data: memoryview, ends: Ints, numbers: Ints) -> None:
        """Records steps that are encoded already, as :meth:`step` would have.

        ``ends`` says where in ``data`` each ends, ``numbers`` which steps they are.

        Raises:
            InvariantError: the journal is closed, or a step is not after the one before.
            DataError: the disk refused.
        """
        if not self._open:
            raise InvariantError("steps were recorded in a closed journal")
        if len(numbers) and numbers[0] <= self._seq:
            raise InvariantError(f"step {numbers[0]} was recorded after step {self._seq}")
        first = begin = 0
        while first < len(ends):
            new = self._records == 0
            wanted = begin + MAX_BYTES - len(self._buffer)
            last = min(
                int(np.searchsorted(ends, wanted)) + 1, first + MAX_RECORDS - self._records,
                len(ends),
            )  # fmt: skip
            end = int(ends[last - 1])
            self._buffer += data[begin:end]
            self._records += last - first
            self._seq = int(numbers[last - 1])
            self._seal_if_full(new=new)
            first, begin = last, end

    def pass_to(self, seq: int) -> None:
        """Counts steps that are not recorded, up to a number."""
        self._seq = max(self._seq, seq)

    def checkpoint(self, state: bytes) -> None:
        """Records the engine's whole state after the last step, in a block of its own."""
        self._seal_alone(Checkpoint(self._seq, state), Flag.CHECKPOINT)

    def segment_sealed(self, segment: int, sha256: str) -> None:
        """Records that a tape segment is final."""
        self._add(SegmentSealed(segment, sha256))

    def seal_block(self) -> str:
        """Closes the open block and returns the chain's hash. Called before every POST."""
        if self._records:
            self._seal(Flag.NONE)
        return self.digest

    def seal_if_due(self) -> None:
        """Closes the open block when it is a second old: for a driver with nothing to do."""
        if self._records and self._clock is not None and self._clock() >= self._due:
            self._seal(Flag.NONE)

    def close(self) -> None:
        """Ends the journal with an end mark. A second call does nothing."""
        if self._open:
            self._seal_alone(Closed(self._seq), Flag.CLOSED)
            self._release()

    def abandon(self) -> None:
        """Keeps what is there without an end mark: the session failed, or goes on later."""
        if self._open:
            try:
                self.seal_block()
            finally:
                self._release()

    def __enter__(self) -> JournalWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def _add(self, record: Record) -> None:
        new = self._records == 0
        self._encode(record)
        self._seal_if_full(new=new)

    def _seal_if_full(self, *, new: bool) -> None:
        """Closes the open block when it is large or old enough; ``new``: it was begun just now."""
        clock = self._clock
        if clock is not None:
            now = clock()
            if new:
                self._due = now + MAX_AGE
            elif now >= self._due:
                self._seal(Flag.NONE)
                return
        if self._records >= MAX_RECORDS or len(self._buffer) >= MAX_BYTES:
            self._seal(Flag.NONE)

    def _encode(self, record: Record) -> None:
        if not self._open:
            raise InvariantError(f"a {type(record).__name__} was recorded in a closed journal")
        buffer = self._buffer
        length = len(buffer)
        try:
            _encoder.encode_into(record, buffer, -1)
        except (NotImplementedError, OverflowError, TypeError, ValueError) as error:
            del buffer[length:]
            raise InvariantError(
                f"a record cannot be stored ({error}): {record!r}",
                expected="integers of 64 bits, text, and the values of the domain",
            ) from error
        self._records += 1

    def _seal(self, flags: Flag) -> None:
        buffer = self._buffer
        buffer[1:5] = self._records.to_bytes(4, "big")
        head = Head(self._number, flags, self._records, self._seq, len(buffer))
        before, digest = frame(self._digest, head, buffer)
        self._sink.append(before, buffer, digest, sync=self._durable)
        self._number += 1
        self._digest = digest
        self._clear()

    def _seal_alone(self, record: Record, flag: Flag) -> None:
        self.seal_block()
        self._encode(record)
        try:
            self._seal(flag)
        except DataError:
            self._clear()  # or a second try would leave it twice, or in a block without its flag
            raise

    def _clear(self) -> None:
        self._records = 0
        self._buffer = bytearray(_ARRAY)

    def _release(self) -> None:
        self._open = False
        self._sink.close()


def _encode_header(header: Header) -> bytes:
    try:
        return msgspec.msgpack.encode(header)
    except (OverflowError, TypeError, ValueError) as error:
        raise UserError(
            f"the header of session {header.session!r} cannot be stored: {error}",
            expected="text and integers of 64 bits",
            hint=f"choose another seed than {header.seed}",
        ) from error


def _walk_to_end(walk: BlockWalk) -> Tail:
    for _ in walk:
        pass
    if walk.tail is None:
        raise InvariantError(f"{walk.path} was read to its end without finding it")
    return walk.tail


def _set_torn_aside(path: Path, tail: Tail) -> None:
    aside = path.with_name(f"{path.name}.torn-{tail.position.offset}")
    with path.open("rb") as file:
        file.seek(tail.position.offset)
        aside.write_bytes(file.read(tail.torn_bytes))


__all__ = [
    "JournalReader",
    "JournalWriter",
    "Verified",
]
