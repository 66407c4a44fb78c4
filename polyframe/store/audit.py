"""Audit: the recorded events are executed again and every effect is compared byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import zip_longest
from typing import NamedTuple, Protocol

import msgspec

from polyframe.domain.effects import Effect, storable
from polyframe.domain.events import Event, Woken
from polyframe.errors import GapError
from polyframe.store.framing import Tail
from polyframe.store.journal_reader import JournalReader
from polyframe.store.records import Header, SegmentSealed, Step
from polyframe.store.recovery import require_all
from polyframe.store.tape import Tape

_encoder = msgspec.msgpack.Encoder(enc_hook=storable)


class Stepping(Protocol):
    """The part of an engine that an audit needs; its books stand on the tape as they did then."""

    def step(self, event: Event) -> Iterable[Effect]:
        """What one event leads to."""


class Difference(NamedTuple):
    """The first step whose effects are not those recorded.

    ``place`` counts effects from 0; ``expected`` was recorded, ``got`` came out now; None stands
    where one of them has no effect left.
    """

    seq: int
    event: Event
    place: int
    expected: Effect | None
    got: Effect | None

    def __str__(self) -> str:
        return (
            f"step {self.seq}, effect {self.place} differs\n"
            f"  event:    {self.event!r}\n"
            f"  recorded: {self._show(self.expected)}\n"
            f"  now:      {self._show(self.got)}"
        )

    @staticmethod
    def _show(effect: Effect | None) -> str:
        return "nothing" if effect is None else repr(effect)


class Audited(NamedTuple):
    """The result. ``steps`` were identical before ``difference``, which is None when all were."""

    steps: int
    effects: int
    difference: Difference | None
    tail: Tail | None


def audit(reader: JournalReader, make_engine: Callable[[Header], Stepping]) -> Audited:
    """Executes a journal again from its start with an engine made for its header.

    Raises:
        UserError: the journal was not recorded at level ``all``.
        GapError: the journal was edited.
    """
    require_all(reader, "audited")
    engine = make_engine(reader.header)
    steps = effects = 0
    for step in reader.steps():
        if step.event is None:
            raise GapError(f"{reader.path}: step {step.seq} has no event")
        got = tuple(engine.step(step.event))
        difference = _compare(step, step.event, got)
        if difference is not None:
            return Audited(steps, effects, difference, None)
        steps += 1
        effects += len(got)
    return Audited(steps, effects, None, reader.tail)


def _compare(step: Step, event: Event, got: tuple[Effect, ...]) -> Difference | None:
    if _encoder.encode(step.effects) == _encoder.encode(got):
        return None
    pairs = enumerate(zip_longest(step.effects, got))
    return next(
        Difference(step.seq, event, place, expected, now)
        for place, (expected, now) in pairs
        if _encoder.encode(expected) != _encoder.encode(now)
    )


def check_tape(reader: JournalReader, tape: Tape) -> int:
    """Proves that a tape is the one a journal speaks of, and returns the segments compared.

    Every sealed segment must have the recorded digest and every wake must lie on the tape. The
    segments' own columns are proven by :meth:`Segment.verify`.

    Raises:
        GapError: a segment is missing, another one, or too short.
    """
    compared = 0
    for record in reader:
        match record:
            case SegmentSealed(number, sha256):
                found = tape.segment(number).digest
                if found != sha256:
                    raise GapError(
                        f"segment {number} of tape {tape.path} has digest {found}",
                        expected=f"{sha256}, as journal {reader.path} recorded it",
                        hint="restore the tape that belongs to this journal",
                    )
                compared += 1
            case Step(seq, _, Woken(segment=number, row=row)):
                rows = tape.segment(number).rows
                if not 0 <= row < rows:
                    raise GapError(
                        f"step {seq} was woken at row {row} of segment {number}, which has {rows}",
                        expected="the tape that belongs to this journal",
                        hint=f"compare {tape.path} with its backup",
                    )
    return compared
