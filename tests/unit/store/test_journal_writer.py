"""What is written: levels, blocks, durability, resuming."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_cases import EFFECT_TYPES, EVENT_TYPES, file_limit, golden, header, steps
from msgspec import structs

from polyframe.domain.effects import RequestCancel, SetTimer, WishRefused
from polyframe.domain.events import (
    CashMoved,
    FeedLost,
    OrderExpired,
    SessionEnded,
    SessionStarted,
    TimerFired,
)
from polyframe.errors import DataError, InvariantError, UserError
from polyframe.store.framing import Flag, TailKind
from polyframe.store.journal import (
    MAX_AGE,
    MAX_BYTES,
    MAX_RECORDS,
    JournalReader,
    JournalWriter,
    encoded,
)
from polyframe.store.records import (
    LEVELS,
    Checkpoint,
    Closed,
    RecordLevel,
    Resumed,
    SegmentSealed,
    Step,
    types_at,
)

GOLDEN = golden()


class Clock:
    """A monotonic clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


def timer(ts: int) -> TimerFired:
    return TimerFired(ts, "alpha", "k")


@pytest.mark.parametrize("clock", [None, Clock()])
@pytest.mark.parametrize("words", [3, 900, 5_000])
def test_steps_that_are_encoded_already_are_written_as_others(
    tmp_path: Path, words: int, clock: Clock | None
) -> None:
    """Whatever a call brings: blocks are sealed by the same records."""
    told = JournalWriter.create(tmp_path / "told", header(RecordLevel.ORDERS), clock=clock)
    added = JournalWriter.create(tmp_path / "added", header(RecordLevel.ORDERS), clock=clock)
    waiting: list[tuple[int, bytes]] = []
    for seq in range(1, 2_501):
        text = "w" * (words + seq % 7)
        refused = () if seq % 5 == 0 else (WishRefused(seq, "alpha", "Quotes", text),)
        told.step(timer(seq), refused)
        if refused:
            waiting.append((seq, encoded(Step(seq, seq, None, refused))))
        if seq % 311 == 0 or seq == 2_500:
            data = b"".join(part for _, part in waiting)
            ends = np.cumsum([len(part) for _, part in waiting])
            added.add(memoryview(data), ends, np.array([number for number, _ in waiting]))
            added.pass_to(seq)
            waiting.clear()
            assert added.seq == told.seq
            assert added.digest == told.digest
    told.close()
    added.close()
    assert (tmp_path / "told").read_bytes() == (tmp_path / "added").read_bytes()
    with pytest.raises(InvariantError, match="closed journal"):
        added.add(memoryview(b""), np.zeros(0, np.int64), np.zeros(0, np.int64))


def test_steps_that_are_encoded_already_come_after_the_others(tmp_path: Path) -> None:
    with JournalWriter.create(tmp_path / "j", header(RecordLevel.ORDERS)) as writer:
        writer.pass_to(5)
        data = encoded(Step(5, 1, None, ()))
        with pytest.raises(InvariantError, match="step 5 was recorded after step 5"):
            writer.add(memoryview(data), np.array([len(data)]), np.array([5]))


def test_every_event_and_effect_has_a_level() -> None:
    assert set(LEVELS) == {*EVENT_TYPES, *EFFECT_TYPES}


def test_levels_contain_each_other() -> None:
    none, orders, everything = (types_at(level) for level in RecordLevel)
    assert none == {SessionStarted, SessionEnded}
    assert none < orders < everything == {*EVENT_TYPES, *EFFECT_TYPES}


@pytest.mark.parametrize("level", list(RecordLevel))
def test_a_level_keeps_its_types_and_nothing_else(tmp_path: Path, level: RecordLevel) -> None:
    kept = types_at(level)
    with JournalWriter.create(tmp_path / "j", header(level)) as writer:
        for event in GOLDEN.EVENTS:
            writer.step(event, GOLDEN.EFFECTS)
            assert writer.enabled(type(event)) == (type(event) in kept)
    got = list(JournalReader(tmp_path / "j").steps())
    wanted_effects = [type(e) for e in GOLDEN.EFFECTS if type(e) in kept]
    wanted = [
        (seq, event.ts, event if type(event) in kept else None)
        for seq, event in enumerate(GOLDEN.EVENTS, 1)
        if type(event) in kept or wanted_effects
    ]
    assert [(s.seq, s.ts, s.event) for s in got] == wanted
    assert all([type(e) for e in s.effects] == wanted_effects for s in got)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(steps, max_size=6), st.sets(st.integers(0, 5)))
def test_random_steps_round_trip(tmp_path: Path, run: list, seals: set[int]) -> None:
    path = tmp_path / "j"
    path.unlink(missing_ok=True)
    with JournalWriter.create(path, header()) as writer:
        for i, (event, effects) in enumerate(run):
            assert writer.step(event, effects) == i + 1
            if i in seals:
                writer.seal_block()
        digest_before_end = writer.digest
    reader = JournalReader(path)
    assert reader.header == header()
    got = list(reader)
    assert got[:-1] == [Step(i, e.ts, e, fx) for i, (e, fx) in enumerate(run, 1)]
    assert got[-1] == Closed(len(run))
    verified = reader.verify(digest_before_end)
    assert verified.steps == len(run)
    assert verified.tail.kind is TailKind.CLOSED
    assert verified.digest == writer.digest


def test_the_same_steps_give_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        GOLDEN.write_journal(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_block_ends_with_its_thousandth_record(tmp_path: Path) -> None:
    writer = JournalWriter.create(tmp_path / "j", header())
    for ts in range(2 * MAX_RECORDS + 1):
        writer.step(timer(ts), ())
    blocks = list(JournalReader(tmp_path / "j").blocks())
    assert [b.head.records for b in blocks] == [MAX_RECORDS, MAX_RECORDS]
    writer.close()
    assert [b.head.records for b in JournalReader(tmp_path / "j").blocks()][2:] == [1, 1]


def test_a_block_ends_when_it_is_large(tmp_path: Path) -> None:
    with JournalWriter.create(tmp_path / "j", header()) as writer:
        for ts in range(3):
            writer.step(FeedLost(ts, ("t",), "x" * (MAX_BYTES // 2 + 1)), ())
        assert [b.head.records for b in JournalReader(tmp_path / "j").blocks()] == [2]


def test_a_block_ends_when_it_is_a_second_old(tmp_path: Path) -> None:
    clock = Clock()
    reader = None
    with JournalWriter.create(tmp_path / "j", header(), clock=clock) as writer:
        reader = JournalReader(tmp_path / "j")
        writer.step(timer(1), ())
        clock.now += MAX_AGE - 1
        writer.step(timer(2), ())
        writer.seal_if_due()
        assert not list(reader.blocks())
        clock.now += 1
        writer.step(timer(3), ())
        assert [b.head.records for b in reader.blocks()] == [3]
        writer.step(timer(4), ())
        clock.now += MAX_AGE
        writer.seal_if_due()
        assert [b.head.records for b in reader.blocks()] == [3, 1]
        writer.seal_if_due()
    assert [b.head.records for b in reader.blocks()] == [3, 1, 1]


def test_sealing_an_empty_block_writes_nothing(tmp_path: Path) -> None:
    with JournalWriter.create(tmp_path / "j", header(), durable=True) as writer:
        size = (tmp_path / "j").stat().st_size
        first = writer.seal_block()
        assert (tmp_path / "j").stat().st_size == size
        writer.step(timer(1), ())
        assert (tmp_path / "j").stat().st_size == size
        second = writer.seal_block()
        assert (tmp_path / "j").stat().st_size > size
        assert second != first


def test_a_checkpoint_and_a_segment_stand_between_the_steps(tmp_path: Path) -> None:
    with JournalWriter.create(tmp_path / "j", header()) as writer:
        writer.step(timer(1), (RequestCancel("o"),))
        writer.checkpoint(b"\x00state")
        writer.segment_sealed(3, "ab")
        writer.step(timer(2), ())
    reader = JournalReader(tmp_path / "j")
    assert list(reader) == [
        Step(1, 1, timer(1), (RequestCancel("o"),)),
        Checkpoint(1, b"\x00state"),
        SegmentSealed(3, "ab"),
        Step(2, 2, timer(2)),
        Closed(2),
    ]
    flags = [b.head.flags for b in reader.blocks()]
    assert flags == [Flag.NONE, Flag.CHECKPOINT, Flag.NONE, Flag.CLOSED]


def test_reading_goes_on_where_it_ended(tmp_path: Path) -> None:
    writer = JournalWriter.create(tmp_path / "j", header())
    writer.step(timer(1), ())
    writer.seal_block()
    reader = JournalReader(tmp_path / "j")
    end = list(reader.blocks())[-1].end
    writer.step(timer(2), ())
    writer.close()
    assert list(reader.records(end)) == [Step(2, 2, timer(2)), Closed(2)]


def test_the_null_writer_counts_and_keeps_nothing(tmp_path: Path) -> None:
    writer = JournalWriter.null()
    for event in GOLDEN.EVENTS:
        writer.step(event, GOLDEN.EFFECTS)
    writer.seal_block()
    writer.close()
    assert writer.seq == len(GOLDEN.EVENTS)
    assert not writer.enabled(OrderExpired)


def test_what_cannot_be_stored_is_our_bug_and_leaves_no_trace(tmp_path: Path) -> None:
    with JournalWriter.create(tmp_path / "j", header()) as writer:
        writer.step(timer(1), ())
        with pytest.raises(InvariantError, match="cannot be stored"):
            writer.step(CashMoved(2, "alpha", 2**70, "too much"), ())
        with pytest.raises(InvariantError, match="cannot be stored"):
            writer.step(timer(3), (WishRefused(3, "alpha", object(), "?"),))  # type: ignore[arg-type]
        with pytest.raises(InvariantError, match="cannot be stored"):
            writer.step(timer(3), (SetTimer("\udc80", "k", 1),))
        writer.step(timer(4), ())
    assert list(JournalReader(tmp_path / "j").steps()) == [
        Step(1, 1, timer(1)),
        Step(2, 4, timer(4)),
    ]


def test_a_closed_journal_takes_nothing(tmp_path: Path) -> None:
    writer = JournalWriter.create(tmp_path / "j", header())
    writer.close()
    writer.close()
    with pytest.raises(InvariantError, match="closed journal"):
        writer.step(timer(1), ())


def test_an_existing_journal_is_never_overwritten(tmp_path: Path) -> None:
    JournalWriter.create(tmp_path / "j", header()).close()
    before = (tmp_path / "j").read_bytes()
    with pytest.raises(UserError, match="exists already"):
        JournalWriter.create(tmp_path / "j", header())
    assert (tmp_path / "j").read_bytes() == before


def test_a_failure_leaves_the_records_without_an_end_mark(tmp_path: Path) -> None:
    def fail() -> None:
        with JournalWriter.create(tmp_path / "j", header()) as writer:
            writer.step(timer(1), ())
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        fail()
    reader = JournalReader(tmp_path / "j")
    assert [type(r) for r in reader] == [Step]
    assert reader.verify().tail.kind is TailKind.OPEN


# ---- resuming ------------------------------------------------------------------------------


def test_a_resumed_journal_is_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with JournalWriter.create(path, header()) as writer:
        writer.step(timer(1), ())
    newer = structs.replace(header(), code="2")
    with JournalWriter.resume(path, newer) as writer:
        assert writer.seq == 1
        writer.step(timer(2), ())
    assert list(JournalReader(path)) == [
        Step(1, 1, timer(1)),
        Closed(1),
        Resumed(newer),
        Step(2, 2, timer(2)),
        Closed(2),
    ]
    assert JournalReader(path).verify().tail.kind is TailKind.CLOSED


def test_resuming_sets_a_torn_block_aside(tmp_path: Path) -> None:
    path = tmp_path / "j"
    writer = JournalWriter.create(path, header())
    writer.step(timer(1), ())
    writer.seal_block()
    whole = path.stat().st_size
    writer.step(timer(2), ())
    writer.abandon()
    torn = path.read_bytes()[whole:-5]
    path.write_bytes(path.read_bytes()[:-5])
    with JournalWriter.resume(path, header()) as writer:
        assert writer.seq == 1
        writer.step(timer(9), ())
    assert [s.ts for s in JournalReader(path).steps()] == [1, 9]
    assert (tmp_path / f"j.torn-{whole}").read_bytes() == torn


def test_another_session_or_level_is_not_resumed(tmp_path: Path) -> None:
    JournalWriter.create(tmp_path / "j", header()).close()
    for other in (header(session="02"), header(RecordLevel.ORDERS)):
        with pytest.raises(UserError, match="session 01S at level all"):
            JournalWriter.resume(tmp_path / "j", other)


def test_two_writers_of_one_journal_are_refused(tmp_path: Path) -> None:
    with (
        JournalWriter.create(tmp_path / "j", header()),
        pytest.raises(UserError, match="another process"),
    ):
        JournalWriter.resume(tmp_path / "j", header())


# ---- a disk that refuses --------------------------------------------------------------------


def test_a_refused_write_is_taken_back_and_can_be_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "j"
    writer = JournalWriter.create(path, header(), durable=True)
    writer.step(timer(1), ())
    writer.seal_block()
    size = path.stat().st_size
    writer.step(timer(2), ())
    with file_limit(size + 20), pytest.raises(DataError, match="could not be written") as caught:
        writer.seal_block()
    assert caught.value.hint == f"df -h '{tmp_path}'"
    assert path.stat().st_size == size
    with file_limit(size + 20), pytest.raises(DataError):
        writer.checkpoint(b"state")
    writer.seal_block()
    with file_limit(path.stat().st_size + 20), pytest.raises(DataError):
        writer.checkpoint(b"state")
    writer.step(timer(3), ())
    writer.close()
    assert list(JournalReader(path)) == [
        Step(1, 1, timer(1)),
        Step(2, 2, timer(2)),
        Step(3, 3, timer(3)),
        Closed(3),
    ]


def test_a_directory_that_is_a_file_is_the_users_matter(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="is a file"):
        JournalWriter.create(tmp_path / "file" / "j", header())
    with pytest.raises(DataError, match="could not be made"):
        JournalWriter.create(tmp_path / "file" / "below" / "j", header())


def test_a_journal_whose_header_finds_no_room_is_not_left_behind(tmp_path: Path) -> None:
    with file_limit(50), pytest.raises(DataError, match="could not be written at byte 0"):
        JournalWriter.create(tmp_path / "j", header())
    JournalWriter.create(tmp_path / "j", header()).close()


def test_a_header_that_cannot_be_stored_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be stored"):
        JournalWriter.create(tmp_path / "j", structs.replace(header(), seed=2**70))
    assert list(tmp_path.iterdir()) == []
