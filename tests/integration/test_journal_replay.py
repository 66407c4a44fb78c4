"""A whole backtest is recorded, audited byte for byte and recovered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from polyframe.domain.effects import Effect, FillBooked, SubmitOrder
from polyframe.domain.events import Event, SessionStarted
from polyframe.kernels import bars_nb
from polyframe.lab.synth import sample_dir
from polyframe.runtime import build
from polyframe.runtime.config import validated
from polyframe.runtime.plugins import Registry
from polyframe.store.audit import audit
from polyframe.store.catalogue import Catalogue
from polyframe.store.framing import TailKind
from polyframe.store.journal import JournalReader, JournalWriter
from polyframe.store.records import Header, RecordLevel
from polyframe.store.recovery import recover

SESSION = "01JXYZ0000000000000000ABCD"
CONFIG = {
    "version": 1,
    "account": {"cash": "1000"},
    "strategies": [{"use": "LLMForecast"}],
    "forecasters": {"default": {"use": "Recorded"}},
    "backtest": {"record": "all", "missing": "skip"},
}


class Desk:
    """Builds the same backtest again and again."""

    def __init__(self) -> None:
        self.config = validated(CONFIG)
        self.registry = Registry.load(entry_points=False, safe=True)
        self.data = build.recorded(Catalogue.open(sample_dir()), self.config)

    def session(self, journal: JournalWriter) -> build.Session:
        return build.replay(self.config, self.registry, self.data, session=SESSION, journal=journal)


class OnTape:
    """An engine whose books are moved to where they stood before each event."""

    def __init__(self, session: build.Session) -> None:
        self.engine, self.feed = session.engine, session.replay.feed

    def step(self, event: Event) -> Sequence[Effect]:
        self.feed.seek(event)
        return self.engine.step(event)

    def fold(self, event: Event, effects: Sequence[Effect]) -> None:
        self.feed.seek(event)
        self.engine.fold(event, effects)

    def checkpoint(self) -> bytes:
        return self.engine.checkpoint()

    def restore(self, state: bytes) -> None:
        self.engine.restore(state)


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


@pytest.fixture(scope="module")
def recorded(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, build.Session]:
    path = tmp_path_factory.mktemp("journal") / "run.journal"
    header = Header(
        polyframe="0",
        api=1,
        code="",
        plugins="",
        session=SESSION,
        seed=desk.config.session.seed,
        config="",
        universe="",
        level=RecordLevel.ALL,
        created=0,
    )
    with JournalWriter.create(path, header) as journal:
        session = desk.session(journal)
        session.replay.run()
    return path, session


def test_the_journal_of_a_backtest_is_whole(recorded: tuple[Path, build.Session]) -> None:
    path, session = recorded
    verified = JournalReader(path).verify()
    assert verified.tail.kind is TailKind.CLOSED
    assert verified.steps == session.replay.steps
    kinds = {type(e) for step in JournalReader(path).steps() for e in step.effects}
    assert {SubmitOrder, FillBooked} <= kinds


def test_executing_a_backtest_again_gives_the_same_effects(
    desk: Desk, recorded: tuple[Path, build.Session]
) -> None:
    path, session = recorded
    result = audit(JournalReader(path), lambda _: OnTape(desk.session(JournalWriter.null())))
    assert result.difference is None, str(result.difference)
    assert result.steps == session.replay.steps


def resumed(desk: Desk, state: bytes) -> dict[str, Any]:
    """The state of an engine that goes on from a checkpoint.

    The prices at which a book last woke somebody are left out: folding arms no wake condition, the
    start after it does, so that the first price after a recovery may wake once more.
    """
    engine = desk.session(JournalWriter.null()).engine
    engine.restore(state)
    engine.step(SessionStarted(engine.context.now, SESSION, resumed=True))
    saved = msgspec.msgpack.decode(engine.checkpoint())
    wakes = np.frombuffer(saved["wakes"], np.int64).reshape(-1, bars_nb.W_SIZE_OF).copy()
    wakes[:, [bars_nb.W_BID, bars_nb.W_ASK]] = 0
    return {**saved, "wakes": wakes.tolist()}


def test_folding_a_backtest_gives_the_same_state(
    desk: Desk, recorded: tuple[Path, build.Session]
) -> None:
    path, session = recorded
    fresh = OnTape(desk.session(JournalWriter.null()))
    result = recover(JournalReader(path), fresh)
    assert result.folded == session.replay.steps
    got = resumed(desk, fresh.checkpoint())
    wanted = resumed(desk, session.engine.checkpoint())
    assert {name for name in wanted if got[name] != wanted[name]} == set()
    assert session.engine.state.totals(session.engine.state.account).realised != 0
