"""The journals of a compiled run over a tape and of the same run step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tape_cases import STRATEGY, tape_data
from test_tape_compiled import drawn

from polyframe.domain import effects as fx
from polyframe.runtime import build
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.runtime.tape_compiled import CompiledTapeFeed
from polyframe.store.journal import JournalReader, JournalWriter
from polyframe.store.records import Header, RecordLevel, Step


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("user")
    (folder / "strategies").mkdir()
    (folder / "strategies" / "random_quotes.py").write_text(STRATEGY)
    return Registry.load(folder)


def journal(
    registry: Registry, data: build.Recorded, values: dict[str, Any], way: str, path: Path
) -> tuple[list[Any], str]:
    """The records of a run's journal and its digest."""
    header = Header(
        polyframe="0", api=1, code="", plugins="", session="s", seed=0, config="", universe="",
        level=RecordLevel.ORDERS, created=0,
    )  # fmt: skip
    writer = JournalWriter.create(path, header)
    config = Config.model_validate({**values, "backtest": {"path": way}})
    made = build.replay(config, registry, data, session="s", journal=writer, tables=True)
    assert isinstance(made.replay.feed, CompiledTapeFeed) == (way == "auto"), made.parts.notes
    made.replay.run()
    return list(JournalReader(path)), writer.digest


@pytest.mark.parametrize("seed", range(8))
def test_both_ways_write_the_same_journal(registry: Registry, tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = tape_data(tmp_path, seed, int(rng.integers(1, 4)), 700, int(rng.integers(1, 4)))
    values = drawn(rng, seed)
    values["protections"] = [{"use": "*", "enabled": False}, {"use": "MaxStake"}]
    fast, digest = journal(registry, data, values, "auto", tmp_path / "fast")
    slow, other = journal(registry, data, values, "python", tmp_path / "slow")
    for n, (a, b) in enumerate(zip(fast, slow, strict=False)):
        assert a == b, f"record {n}"
    assert len(fast) == len(slow)
    assert digest == other
    assert (tmp_path / "fast").read_bytes() == (tmp_path / "slow").read_bytes()
    told = {type(effect) for step in fast if isinstance(step, Step) for effect in step.effects}
    assert {fx.OrderReviewed, fx.SubmitOrder, fx.RequestCancel} <= told
