"""Recovery: an engine brought back to where its journal ends, by folding recorded facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from polyframe.domain.effects import Effect
from polyframe.domain.events import Event
from polyframe.errors import GapError, UserError
from polyframe.store.framing import Block, Flag, Tail
from polyframe.store.journal_reader import JournalReader
from polyframe.store.records import Checkpoint, RecordLevel


class Recoverable(Protocol):
    """The part of an engine that recovery needs. No method of it calls a strategy.

    Tape rows are not in the journal: who folds an engine with books on a tape first moves them to
    where they stood at the event (a :class:`Woken` names the row).
    """

    def restore(self, state: bytes) -> None:
        """Takes the state of a checkpoint.

        Raises:
            DataError: the state is not one of this engine.
        """

    def fold(self, event: Event, effects: Sequence[Effect]) -> None:
        """Takes over what one recorded step did.

        Raises:
            InvariantError: the facts contradict the state.
        """

    def checkpoint(self) -> bytes:
        """The whole state, for the journal."""


class Recovered(NamedTuple):
    """What was done. ``checkpoint`` is the step of the state restored, None without one."""

    checkpoint: int | None
    folded: int
    seq: int
    tail: Tail


def recover(reader: JournalReader, engine: Recoverable) -> Recovered:
    """Restores the last checkpoint into a fresh engine and folds the steps after it.

    The whole chain is proven before the engine is touched. A torn tail is left out: it was never
    acted upon, since a block is sealed before anything is sent.

    Raises:
        UserError: the journal was not recorded at level ``all``.
        GapError: the journal was edited or has no steps where it must.
    """
    require_all(reader, "recovered")
    last: Block | None = None
    for block in reader.blocks():
        if block.head.flags & Flag.CHECKPOINT:
            last = block
    start, seq = reader.start, 0
    if last is not None:
        start, seq = last.end, last.head.seq
        engine.restore(_state(reader, last))
    folded = 0
    for step in reader.steps(start):
        if step.event is None:
            raise GapError(f"{reader.path}: step {step.seq} has no event")
        engine.fold(step.event, step.effects)
        folded += 1
        seq = step.seq
    tail = reader.tail
    if tail is None:
        raise GapError(f"{reader.path} was not read to its end")
    return Recovered(None if last is None else last.head.seq, folded, seq, tail)


def _state(reader: JournalReader, block: Block) -> bytes:
    match reader.decode(block):
        case [Checkpoint() as checkpoint]:
            return checkpoint.state
    raise GapError(
        f"{reader.path}: block {block.head.number} at byte {block.start.offset} is marked as a "
        "checkpoint and holds none"
    )


def require_all(reader: JournalReader, wanted: str) -> None:
    """Refuses a journal that does not hold everything.

    Raises:
        UserError: its level is not ``all``.
    """
    level = reader.header.level
    if level is not RecordLevel.ALL:
        raise UserError(
            f"{reader.path} was recorded at level {level.value} and cannot be {wanted}",
            expected="a journal of level all",
            hint='set "record": "all" in the configuration and run again',
        )
