"""A process is killed while it records; what it had said to be on the disk is there."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from journal_cases import LedgerEngine, header

from polyframe.store.audit import audit, check_tape
from polyframe.store.framing import TailKind
from polyframe.store.journal import JournalReader, JournalWriter
from polyframe.store.recovery import recover
from polyframe.store.tape import Tape, TapeKind
from polyframe.store.tape_writer import TapeWriter

RECORDER = """
import sys
from itertools import count
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from journal_cases import LedgerEngine, header, session
from polyframe.domain.events import WakeReason, Woken
from polyframe.store.journal import JournalWriter
from polyframe.store.tape import TapeKind
from polyframe.store.tape_writer import TapeWriter

home = Path(sys.argv[1])
tape = TapeWriter(home / "tape", ("yes",))
journal = JournalWriter.create(home / "journal", header(), durable=True)
engine = LedgerEngine()
events = session(5)[:-1]
for event in events:
    journal.step(event, engine.step(event))
for ts in count(events[-1].ts):
    segment, row = tape.position
    tape.row(ts, TapeKind.PRICE, 0, 5_000)
    woken = Woken(ts, WakeReason.MOVED, "yes", segment, row)
    journal.step(woken, engine.step(woken))
    if ts % 7 == 0:
        tape.flush(sync=True)
        journal.seal_block()
        print(journal.seq, journal.digest, flush=True)
    if row == 100:
        sealed = tape.seal()
        journal.segment_sealed(sealed.number, sealed.digest)
        journal.checkpoint(engine.checkpoint())
"""


@pytest.mark.parametrize("lines", [1, 40])
def test_a_killed_recorder_is_recovered_and_goes_on(tmp_path: Path, lines: int) -> None:
    words = [sys.executable, "-c", RECORDER, str(tmp_path), str(Path(__file__).parent)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as recorder:
        assert recorder.stdout is not None
        said = [recorder.stdout.readline().split() for _ in range(lines)]
        recorder.kill()
        said += [line.split() for line in recorder.stdout.read().splitlines() if len(line) > 66]
    assert recorder.returncode == -signal.SIGKILL

    tape = TapeWriter(tmp_path / "tape", ("yes",))  # seals what was left
    reader = JournalReader(tmp_path / "journal")
    seq, digest = said[-1]
    verified = reader.verify(digest)
    assert verified.steps >= int(seq)
    assert verified.tail.kind in (TailKind.OPEN, TailKind.TORN)
    engine = LedgerEngine()
    recovered = recover(reader, engine)
    assert recovered.seq == verified.steps
    assert (recovered.checkpoint is not None) == (lines == 40)
    whole = Tape.open(tmp_path / "tape")
    whole.verify()
    on_disk = [step for step in reader.steps() if step.seq <= int(seq)]
    last = on_disk[-1].event
    assert whole.place(last.segment, last.row) == last.ts - whole.column("ts")[0]

    with JournalWriter.resume(tmp_path / "journal", header()) as journal:
        assert journal.seq == recovered.seq
        tape.row(last.ts + 10**6, TapeKind.PRICE, 0, 5_100)
        segment = tape.close()
        assert segment is not None
        journal.segment_sealed(segment.number, segment.digest)
    assert check_tape(reader, Tape.open(tmp_path / "tape")) >= 1
    assert audit(reader, lambda _: LedgerEngine()).difference is None
