"""Recovery folds to the very state, audit executes to the very effects."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_cases import LEDGER, LedgerEngine, header, session

from polyframe.domain.effects import SetTimer, SubmitOrder
from polyframe.domain.events import CashMoved, TimerFired, WakeReason, Woken
from polyframe.errors import GapError, UserError
from polyframe.store.audit import audit, check_tape
from polyframe.store.framing import TailKind
from polyframe.store.journal import JournalReader, JournalWriter
from polyframe.store.records import RecordLevel, Step
from polyframe.store.recovery import recover
from polyframe.store.tape import Tape, TapeKind
from polyframe.store.tape_writer import TapeWriter

tmp = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def run(path: Path, trades: int, checkpoints: set[int], level=RecordLevel.ALL) -> LedgerEngine:
    engine = LedgerEngine()
    with JournalWriter.create(path, header(level)) as writer:
        for i, event in enumerate(session(trades), 1):
            effects = engine.step(event)
            if any(type(effect) is SubmitOrder for effect in effects):
                writer.seal_block()
            writer.step(event, effects)
            if i in checkpoints:
                writer.checkpoint(engine.checkpoint())
    return engine


@tmp
@given(st.integers(0, 12), st.sets(st.integers(1, 38), max_size=3))
def test_recovery_gives_the_state_of_the_run(
    tmp_path: Path, trades: int, checkpoints: set[int]
) -> None:
    path = tmp_path / "j"
    path.unlink(missing_ok=True)
    engine = run(path, trades, checkpoints)
    fresh = LedgerEngine()
    result = recover(JournalReader(path), fresh)
    total = 3 * trades + 2
    last = max((c for c in checkpoints if c <= total), default=None)
    assert fresh.checkpoint() == engine.checkpoint()
    assert fresh.portfolio.imbalance(LEDGER) == 0
    assert result.checkpoint == last
    assert result.folded == total - (last or 0)
    assert result.seq == total
    assert result.tail.kind is TailKind.CLOSED
    assert fresh.stepped == 0  # nothing was decided again


def test_recovery_after_a_stop_inside_a_block(tmp_path: Path) -> None:
    path = tmp_path / "j"
    run(path, 8, {7})
    blocks = list(JournalReader(path).blocks())
    cut = blocks[-2]
    data = path.read_bytes()
    assert cut.start.seq < cut.end.seq
    for size in (cut.start.offset + 1, cut.end.offset - 1):
        path.write_bytes(data[:size])
        fresh, expected = LedgerEngine(), LedgerEngine()
        result = recover(JournalReader(path), fresh)
        for event in session(8)[: cut.start.seq]:
            expected.step(event)
        assert result.tail.kind is TailKind.TORN
        assert result.tail.torn_bytes == size - cut.start.offset
        assert result.seq == cut.start.seq
        assert fresh.checkpoint() == expected.checkpoint()


def test_an_edited_journal_does_not_touch_the_engine(tmp_path: Path) -> None:
    path = tmp_path / "j"
    run(path, 8, {7})
    data = bytearray(path.read_bytes())
    data[-60] ^= 1
    path.write_bytes(data)
    fresh = LedgerEngine()
    with pytest.raises(GapError):
        recover(JournalReader(path), fresh)
    assert fresh.checkpoint() == LedgerEngine().checkpoint()


@pytest.mark.parametrize("level", [RecordLevel.NONE, RecordLevel.ORDERS])
def test_lesser_levels_can_be_neither_recovered_nor_audited(
    tmp_path: Path, level: RecordLevel
) -> None:
    run(tmp_path / "j", 2, {3}, level)
    reader = JournalReader(tmp_path / "j")
    with pytest.raises(UserError, match=f"level {level.value} and cannot be recovered"):
        recover(reader, LedgerEngine())
    with pytest.raises(UserError, match=f"level {level.value} and cannot be audited"):
        audit(reader, lambda _: LedgerEngine())


def test_a_run_resumed_from_its_journal_ends_like_one_that_never_stopped(tmp_path: Path) -> None:
    path = tmp_path / "j"
    events = session(10)
    whole = LedgerEngine()
    for event in events:
        whole.step(event)
    engine = LedgerEngine()
    writer = JournalWriter.create(path, header())
    for event in events[:17]:
        writer.step(event, engine.step(event))
    writer.abandon()
    engine = LedgerEngine()
    done = recover(JournalReader(path), engine).seq
    with JournalWriter.resume(path, header()) as writer:
        for event in events[done:]:
            writer.step(event, engine.step(event))
    assert engine.checkpoint() == whole.checkpoint()
    result = audit(JournalReader(path), lambda _: LedgerEngine())
    assert result.difference is None
    assert result.steps == len(events)


# ---- audit -----------------------------------------------------------------------------------


def test_an_audit_of_the_same_engine_finds_nothing(tmp_path: Path) -> None:
    run(tmp_path / "j", 10, {4, 20})
    seen = []

    def make(found):
        seen.append(found)
        return LedgerEngine()

    result = audit(JournalReader(tmp_path / "j"), make)
    assert seen == [header()]
    assert result.difference is None
    assert result.steps == 32
    assert result.effects == 10 * 3 + 10 + 1
    assert result.tail is not None


def test_an_audit_shows_the_first_step_that_differs(tmp_path: Path) -> None:
    run(tmp_path / "j", 10, set())
    result = audit(JournalReader(tmp_path / "j"), lambda _: LedgerEngine(stake_limit=1_000_004))
    difference = result.difference
    assert difference is not None
    assert result.steps == difference.seq - 1 == 13  # the fifth purchase
    assert difference.place == 0
    assert difference.expected.permitted == 1_000_005
    assert difference.got.permitted == 1_000_004
    assert "step 14, effect 0 differs" in str(difference)
    assert "permitted=1000005" in str(difference)
    assert "permitted=1000004" in str(difference)


class Forgetful(LedgerEngine):
    """Leaves out the timer, or adds one."""

    def __init__(self, extra: bool) -> None:
        super().__init__()
        self.extra = extra

    def step(self, event):
        effects = super().step(event)
        if self.extra:
            return (*effects, SetTimer(LEDGER, "extra", 1)) if effects else effects
        return tuple(e for e in effects if type(e) is not SetTimer)


@pytest.mark.parametrize(("extra", "place"), [(False, 2), (True, 3)])
def test_a_missing_or_added_effect_is_a_difference(tmp_path: Path, extra: bool, place: int) -> None:
    run(tmp_path / "j", 3, set())
    difference = audit(JournalReader(tmp_path / "j"), lambda _: Forgetful(extra)).difference
    assert difference is not None
    assert (difference.seq, difference.place) == (2, place)
    assert (difference.got is None) is not extra
    assert "nothing" in str(difference)


# ---- journal and tape ------------------------------------------------------------------------


def both(tmp_path: Path, row: int) -> JournalReader:
    tape = TapeWriter(tmp_path / "tape", ("a",))
    with JournalWriter.create(tmp_path / "j", header()) as writer:
        for ts in range(3):
            tape.row(ts, TapeKind.PRICE, 0, 5_000 + ts)
        writer.step(Woken(2, WakeReason.MOVED, "a", 0, row), ())
        segment = tape.close()
        assert segment is not None
        writer.segment_sealed(segment.number, segment.digest)
    return JournalReader(tmp_path / "j")


def test_the_tape_of_a_journal_is_proven(tmp_path: Path) -> None:
    reader = both(tmp_path, 2)
    assert check_tape(reader, Tape.open(tmp_path / "tape")) == 1


def test_a_wake_beyond_the_tape_is_found(tmp_path: Path) -> None:
    with pytest.raises(GapError, match="row 3 of segment 0, which has 3"):
        check_tape(both(tmp_path, 3), Tape.open(tmp_path / "tape"))


def test_another_tape_is_found(tmp_path: Path) -> None:
    reader = both(tmp_path, 2)
    other = TapeWriter(tmp_path / "other", ("a",))
    for ts in range(3):
        other.row(ts, TapeKind.PRICE, 0, 5_001 + ts)
    other.close()
    with pytest.raises(GapError, match="has digest"):
        check_tape(reader, Tape.open(tmp_path / "other"))


def test_a_step_without_its_event_is_a_gap(tmp_path: Path) -> None:
    with JournalWriter.create(tmp_path / "j", header()) as writer:
        writer.step(CashMoved(1, LEDGER, 1, "x"), ())
        writer._add(Step(2, 2, None))  # what no writer of level all ever does
        writer._seq = 2
    with pytest.raises(GapError, match="step 2 has no event"):
        recover(JournalReader(tmp_path / "j"), LedgerEngine())
    with pytest.raises(GapError, match="step 2 has no event"):
        audit(JournalReader(tmp_path / "j"), lambda _: LedgerEngine())


def test_steps_of_a_timer_leave_no_effects(tmp_path: Path) -> None:
    with JournalWriter.create(tmp_path / "j", header()) as writer:
        writer.step(TimerFired(1, LEDGER, "k"), LedgerEngine().step(TimerFired(1, LEDGER, "k")))
    assert list(JournalReader(tmp_path / "j").steps()) == [Step(1, 1, TimerFired(1, LEDGER, "k"))]
