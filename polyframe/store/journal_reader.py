"""Reading a journal: nothing is given out before its block is proven."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from polyframe.errors import GapError, InvariantError
from polyframe.store.framing import Block, BlockWalk, Position, Tail, read_header
from polyframe.store.records import Record, RecordLevel, Step

_decoder = msgspec.msgpack.Decoder(list[Record])


class Verified(NamedTuple):
    """A whole journal: what is in it, how it ends and the hash over all of it."""

    blocks: int
    records: int
    steps: int
    tail: Tail
    digest: str


class JournalReader:
    """Reads one journal; every block is proven before a record of it is given.

    Raises:
        DataError: no such file.
        GapError: no journal, or its header is incomplete or edited.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header, self.start = read_header(path)
        self.tail: Tail | None = None
        """How the file ends, known once it was read to the end."""

    def __iter__(self) -> Iterator[Record]:
        return self.records()

    def blocks(self, start: Position | None = None) -> Iterator[Block]:
        """The whole blocks, from the beginning or from the ``end`` of one read earlier.

        Raises:
            GapError: a block was edited, removed or moved; all before it were given.
        """
        walk = BlockWalk(self.path, start or self.start)
        yield from walk
        self.tail = walk.tail

    def records(self, start: Position | None = None) -> Iterator[Record]:
        """The records in order.

        Raises:
            GapError: as for :meth:`blocks`, or a step is missing.
        """
        for block in self.blocks(start):
            yield from self.decode(block)

    def steps(self, start: Position | None = None) -> Iterator[Step]:
        """The recorded steps in order."""
        return (record for record in self.records(start) if type(record) is Step)

    def decode(self, block: Block) -> list[Record]:
        """The records of one block.

        Raises:
            GapError: they are not what the block's head says, or a newer version wrote them.
        """
        where = f"{self.path}: block {block.head.number} at byte {block.start.offset}"
        try:
            records = _decoder.decode(block.payload)
        except msgspec.DecodeError as error:
            raise GapError(
                f"{where} cannot be read: {error}",
                expected="records that this version knows",
                hint=f"read it with polyframe {self.header.polyframe} or later",
            ) from error
        if len(records) != block.head.records:
            raise GapError(f"{where} has {len(records)} records", expected=f"{block.head.records}")
        self._check_order(where, records, block.start.seq, block.head.seq)
        return records

    def verify(self, digest: str = "") -> Verified:
        """Proves the journal: every hash, every record, every step number.

        A file cut exactly between two blocks looks like a session that was stopped hard. Whoever
        kept the ``digest`` of a :class:`JournalWriter` can tell the two apart by passing it: then
        the journal must reach at least as far.

        Raises:
            GapError: with the block, the byte and what to do.
        """
        blocks = records = steps = 0
        found = digest in ("", self.start.digest.hex())
        last = self.start.digest
        for block in self.blocks():
            decoded = self.decode(block)
            blocks += 1
            records += len(decoded)
            steps += sum(type(record) is Step for record in decoded)
            last = block.end.digest
            found = found or last.hex() == digest
        if not found:
            raise GapError(
                f"{self.path} has no block with the hash {digest}: its end was cut off, or it is "
                "another journal",
                expected="the hash that the session reported",
                hint="restore it from a backup",
            )
        if self.tail is None:
            raise InvariantError(f"{self.path} was read to its end without finding it")
        return Verified(blocks, records, steps, self.tail, last.hex())

    def _check_order(self, where: str, records: list[Record], before: int, after: int) -> None:
        every = self.header.level is RecordLevel.ALL
        seq = before
        for record in records:
            if type(record) is Step:
                if record.seq <= seq or (every and record.seq != seq + 1):
                    raise GapError(f"{where}: step {record.seq} follows step {seq}")
                seq = record.seq
        if seq > after or (every and seq != after):
            raise GapError(f"{where} ends with step {seq}", expected=f"step {after}")
