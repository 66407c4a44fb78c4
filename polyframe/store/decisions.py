"""The decision log: what a journal says of each decision, from looking at a market to its end.

A projection: rows are made of the journal's records as they are read, and nothing is kept but what
open orders and questions need. Every row names the place in the journal that proves it. There is
no second log.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from polyframe.store.decision_log import Decision, Proof
from polyframe.store.decision_rows import DecisionRows
from polyframe.store.framing import Block
from polyframe.store.journal_reader import JournalReader
from polyframe.store.records import Record, Step


def proof_of(block: Block, step: int) -> Proof:
    """The place of a step's record."""
    return Proof(step, block.head.number, block.start.offset, block.end.digest.hex())


def decisions(reader: JournalReader) -> Iterator[Decision]:
    """The rows of a journal in order, each with its proof. Memory does not grow with the journal.

    Raises:
        GapError: the journal was edited; all rows before that block were given.
    """
    log = DecisionRows()
    for block in reader.blocks():
        for record in reader.decode(block):
            yield from proven(log, record, block)


def proven(log: DecisionRows, record: Record, block: Block) -> Iterator[Decision]:
    """The rows of one record of a block, each with its proof."""
    if type(record) is Step:
        proof = proof_of(block, record.seq)
        for row in log.rows(record):
            yield msgspec.structs.replace(row, proof=proof)
