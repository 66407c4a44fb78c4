"""A compiled run's journal, written from the numbers of its log and from what it tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tape_cases import quoters, tape_data
from test_tape_compiled import drawn
from test_tape_hosted import STRATEGY
from test_tape_hosted import settings as hosted

from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.effects import Effect
from polyframe.domain.events import Event
from polyframe.domain.orders import OrderState
from polyframe.domain.verdict import Ruling
from polyframe.runtime import build, tape_records
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.runtime.tape_compiled import CompiledTapeFeed
from polyframe.store.journal import JournalReader, JournalWriter
from polyframe.store.records import Header, RecordLevel

OPEN = [{"use": "*", "enabled": False}, {"use": "MaxStake"}]
SEEDS = range(10)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("user")
    quoters(folder)
    (folder / "strategies" / "random_quotes_only.py").write_text(STRATEGY)
    return Registry.load(folder)


def drawn_run(seed: int, folder: Path) -> tuple[build.Recorded, dict[str, Any]]:
    """A stream and settings: every third run is decided in Python, every other one is free."""
    rng = np.random.default_rng(seed)
    data = tape_data(folder, seed, int(rng.integers(1, 4)), 700, int(rng.integers(1, 4)))
    values = (hosted if seed % 3 == 0 else drawn)(rng, seed)
    if seed % 2:
        values |= {"protections": OPEN, "account": {"cash": "2000"}}
        values["strategies"][0]["config"] |= {"times": 1.0, "over": int(rng.integers(1, 20))}
    return data, values


class Watched:
    """Notes what a run told."""

    def __init__(self) -> None:
        self.counts: Counter[Any] = Counter()

    def __call__(self, event: Event, effects: Sequence[Effect]) -> None:
        """Counts one step."""
        kinds = self.counts
        kinds[type(event)] += 1
        if isinstance(event, ev.Woken):
            kinds[event.reason] += bool(effects)
        if isinstance(event, ev.TimerFired):
            kinds["timer"] += bool(effects)
        for effect in effects:
            kinds[type(effect)] += 1
            if isinstance(effect, fx.OrderChanged):
                kinds[effect.state] += 1
            if isinstance(effect, fx.OrderReviewed):
                kinds.update(verdict.ruling for verdict in effect.verdicts)
                kinds["out of range"] += len(effect.verdicts) == 1 and not effect.permitted
            if isinstance(effect, fx.SubmitOrder):
                kinds[effect.order.side, effect.order.tif, effect.order.post_only] += 1


def journal(
    registry: Registry, data: build.Recorded, values: dict[str, Any], path: Path,
    watch: Watched | None,
) -> tuple[bytes, int]:  # fmt: skip
    """The bytes of a run's journal, and how many steps it says it took."""
    header = Header(
        polyframe="0", api=1, code="", plugins="", session="s", seed=0, config="", universe="",
        level=RecordLevel.ORDERS, created=0,
    )  # fmt: skip
    writer = JournalWriter.create(path, header)
    config = Config.model_validate(values)
    made = build.replay(config, registry, data, session="s", journal=writer, watch=watch)
    assert isinstance(made.replay.feed, CompiledTapeFeed), made.parts.notes
    made.replay.run()
    assert made.replay.steps == writer.seq
    return path.read_bytes(), writer.seq


def test_numbers_and_objects_give_the_same_bytes(registry: Registry, tmp_path: Path) -> None:
    watched = Watched()
    for seed in SEEDS:
        data, values = drawn_run(seed, tmp_path / str(seed))
        told, steps = journal(registry, data, values, tmp_path / f"told-{seed}", watched)
        straight, count = journal(registry, data, values, tmp_path / f"straight-{seed}", None)
        assert steps == count, f"seed {seed}"
        if told != straight:
            pairs = zip(
                *(JournalReader(tmp_path / f"{name}-{seed}") for name in ("told", "straight")),
                strict=True,
            )
            for one, other in pairs:
                assert one == other, f"seed {seed}"
        assert told == straight, f"seed {seed}"
    wanted = {
        ev.WakeReason.MOVED, ev.WakeReason.TRADED, "timer",
        ev.OrderAccepted, ev.OrderFilled, ev.OrderRejected, ev.OrderCancelled, ev.CancelRejected,
        ev.OrderExpired, fx.OrderReviewed, fx.SubmitOrder, fx.RequestCancel, fx.WishRefused,
        fx.FillBooked, OrderState.LIVE, OrderState.PARTIAL, OrderState.CONFIRMED, Ruling.DENY,
        Ruling.SHRINK, "out of range",
    }  # fmt: skip
    assert not {kind for kind in wanted if not watched.counts[kind]}
    sent = {kind for kind in watched.counts if isinstance(kind, tuple)}
    assert len(sent) == 8, "both sides, with and without an expiry, post-only and not"


@pytest.mark.parametrize(("block", "room"), [(1, 64), (7, 9_000)])
def test_bytes_do_not_depend_on_how_many_are_written_at_a_time(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, room: int
) -> None:
    for seed in (3, 4, 5):
        data, values = drawn_run(seed, tmp_path / str(seed))
        whole = journal(registry, data, values, tmp_path / f"whole-{seed}", None)
        with monkeypatch.context() as sizes:
            sizes.setattr(tape_records, "BLOCK", block)
            sizes.setattr(tape_records, "ROOM", room)
            parts = journal(registry, data, values, tmp_path / f"parts-{seed}", None)
        assert whole == parts, f"seed {seed}"
