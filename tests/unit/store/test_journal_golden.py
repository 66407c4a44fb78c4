"""Golden files: what was recorded once is read for ever."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
from journal_cases import EFFECT_TYPES, EVENT_TYPES, golden

from polyframe.store.framing import TailKind
from polyframe.store.journal import JournalReader
from polyframe.store.records import Checkpoint, Closed, Resumed, SegmentSealed, Step
from polyframe.store.tape import COLUMNS, Tape, TapeKind

GOLDEN = golden()
DIRECTORY = Path(__file__).parents[2] / "golden"
JOURNAL = DIRECTORY / "journal-v1.bin"
TAPE = DIRECTORY / "tape-v1"


def fields(value: object) -> object:
    """A struct as nested (type name, fields), so that every field is compared, with its type."""
    if isinstance(value, msgspec.Struct):
        names = value.__struct_fields__
        return (type(value).__name__, {name: fields(getattr(value, name)) for name in names})
    if isinstance(value, tuple | list):
        return [fields(item) for item in value]
    return (type(value).__name__, value)


def test_the_golden_journal_is_whole() -> None:
    verified = JournalReader(JOURNAL).verify()
    assert verified.tail.kind is TailKind.CLOSED
    assert verified.steps == len(GOLDEN.EVENTS)
    assert verified.blocks == 7


def test_the_golden_header_reads_field_by_field() -> None:
    assert fields(JournalReader(JOURNAL).header) == fields(GOLDEN.HEADER)


def test_the_golden_steps_read_field_by_field() -> None:
    steps = list(JournalReader(JOURNAL).steps())
    assert len(steps) == len(GOLDEN.STEPS)
    for seq, (step, (event, effects)) in enumerate(zip(steps, GOLDEN.STEPS, strict=True), 1):
        assert (step.seq, step.ts) == (seq, event.ts)
        assert fields(step.event) == fields(event)
        assert fields(step.effects) == fields(effects)


def test_the_golden_marks_stand_where_they_were_written() -> None:
    marks = [(i, r) for i, r in enumerate(JournalReader(JOURNAL)) if type(r) is not Step]
    after, resumed = GOLDEN.CHECKPOINT_AFTER, GOLDEN.RESUMED_AFTER
    assert marks == [
        (after, Checkpoint(after, GOLDEN.STATE)),
        (after + 1, SegmentSealed(*GOLDEN.SEALED)),
        (resumed + 2, Resumed(GOLDEN.HEADER)),
        (len(GOLDEN.EVENTS) + 3, Closed(len(GOLDEN.EVENTS))),
    ]


def test_every_type_is_in_the_golden_journal() -> None:
    steps = list(JournalReader(JOURNAL).steps())
    found = {type(step.event) for step in steps}
    found |= {type(effect) for step in steps for effect in step.effects}
    assert found == {*EVENT_TYPES, *EFFECT_TYPES}, "add these to make.py and write a golden file"


def test_every_golden_field_has_a_value_of_its_own() -> None:
    """A field left at its default would decode right even if it were never stored."""
    left: set[tuple[str, str]] = set()
    given: set[tuple[str, str]] = set()

    def walk(value: object) -> None:
        if isinstance(value, tuple):
            for item in value:
                walk(item)
        elif isinstance(value, msgspec.Struct):
            for field in msgspec.structs.fields(value):
                key = (type(value).__name__, field.name)
                is_default = getattr(value, field.name) == field.default
                (left if is_default else given).add(key)
                walk(getattr(value, field.name))

    walk(GOLDEN.STEPS)
    assert left - given == {("SubmitOrder", "approved")}, "give these a value in make.py"


def test_the_golden_tape_reads_column_by_column() -> None:
    tape = Tape.open(TAPE)
    tape.verify()
    assert [s.rows for s in tape] == [GOLDEN.FIRST_SEGMENT, len(GOLDEN.TAPE) - GOLDEN.FIRST_SEGMENT]
    assert tape.instruments == (GOLDEN.YES, GOLDEN.NO)
    assert all(s.names == GOLDEN.NAMES for s in tape)
    order = ["ts", "kind", "instrument", "price", "size", "side", "ts_venue", "flag", "aux"]
    assert set(order) == set(COLUMNS)
    for place, name in enumerate(order):
        column = tape.column(name)
        assert column.dtype == COLUMNS[name]
        np.testing.assert_array_equal(column, GOLDEN.column(place))
    assert set(tape.column("kind").tolist()) == set(TapeKind)


def test_the_script_still_writes_what_it_wrote(tmp_path: Path) -> None:
    GOLDEN.write_journal(tmp_path / "j")
    GOLDEN.write_tape(tmp_path / "tape")
    assert list(JournalReader(tmp_path / "j")) == list(JournalReader(JOURNAL))
    written, kept = Tape.open(tmp_path / "tape"), Tape.open(TAPE)
    assert [s.digest for s in written] == [s.digest for s in kept]
