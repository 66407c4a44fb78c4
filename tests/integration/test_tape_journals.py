"""The journals of a compiled run over a tape and of the same run step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tape_cases import STRATEGY, quoters, tape_data
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
    return quoters(tmp_path_factory.mktemp("user"))


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


OPEN = [{"use": "*", "enabled": False}, {"use": "MaxStake"}]


@pytest.mark.parametrize("seed", range(8))
def test_both_ways_write_the_same_journal(registry: Registry, tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = tape_data(tmp_path, seed, int(rng.integers(1, 4)), 700, int(rng.integers(1, 4)))
    values = drawn(rng, seed)
    values["protections"] = OPEN
    # Sizes and cash with which orders are sent on every stream.
    values["account"]["cash"] = "2000"
    values["strategies"][0]["config"]["times"] = (1.0, 1.000371)[seed % 2]
    if seed % 2:
        values["strategies"][0]["config"]["over"] = int(rng.integers(1, 20))
    fast, digest = journal(registry, data, values, "auto", tmp_path / "fast")
    slow, other = journal(registry, data, values, "python", tmp_path / "slow")
    for n, (a, b) in enumerate(zip(fast, slow, strict=False)):
        assert a == b, f"record {n}"
    assert len(fast) == len(slow)
    assert digest == other
    assert (tmp_path / "fast").read_bytes() == (tmp_path / "slow").read_bytes()
    told = {type(effect) for step in fast if isinstance(step, Step) for effect in step.effects}
    assert {fx.OrderReviewed, fx.SubmitOrder, fx.RequestCancel} <= told


@pytest.mark.parametrize(("seed", "over"), [(116, 6), (124, 0)])
def test_what_was_sold_before_anybody_heard_of_it_is_not_redeemed(
    registry: Registry, tmp_path: Path, seed: int, over: int
) -> None:
    """The market resolves while the answer to a sale is on its way."""
    rng = np.random.default_rng(seed)
    data = tape_data(tmp_path, seed, int(rng.integers(1, 4)), 700, int(rng.integers(1, 4)))
    values = {**drawn(rng, seed), "protections": OPEN}
    values["strategies"][0]["config"]["over"] = over
    fast, digest = journal(registry, data, values, "auto", tmp_path / "fast")
    _, other = journal(registry, data, values, "python", tmp_path / "slow")
    assert digest == other
    settled = [e for s in fast if isinstance(s, Step) for e in s.effects]
    assert any(isinstance(effect, fx.PositionSettled) for effect in settled)


HALTING = [
    {"use": "*", "enabled": False},
    {"use": "DailyLoss", "config": {"loss": "3"}},
    {"use": "DrawdownKill", "config": {"drawdown": 0.02}},
]


@pytest.mark.parametrize("seed", [21, 39, 45, 50, 53, 54, 55, 56, 57])
def test_a_limit_that_a_fill_crosses_is_a_step_of_its_own(
    registry: Registry, tmp_path: Path, seed: int
) -> None:
    """The loop stops after the fill, the engine halts, the loop goes on: the moment is cut into
    up to three steps, nothing else differs."""
    rng = np.random.default_rng(seed)
    data = tape_data(tmp_path, seed, int(rng.integers(1, 4)), 700, int(rng.integers(1, 4)))
    values = {**drawn(rng, seed), "protections": HALTING}
    fast, _ = journal(registry, data, values, "auto", tmp_path / "fast")
    slow, _ = journal(registry, data, values, "python", tmp_path / "slow")
    ours, theirs = (
        [(step.ts, effect) for step in records if isinstance(step, Step) for effect in step.effects]
        for records in (fast, slow)
    )
    assert any(isinstance(effect, fx.TradingHalted) for _, effect in ours)
    assert ours == theirs
    events = [
        [step.event for step in records if isinstance(step, Step) and step.event is not None]
        for records in (fast, slow)
    ]
    assert events[0] == events[1]
    halts = sum(isinstance(effect, fx.TradingHalted) for _, effect in ours)
    assert 0 <= fast[-1].seq - slow[-1].seq <= 2 * halts


def woken_by(what: str) -> dict[str, Any]:
    return {"strategies": [{"use": "RandomQuotes", "config": {"wake": what}}]}


def test_what_keeps_a_run_from_being_compiled_is_said(tmp_path: Path, registry: Registry) -> None:
    data = tape_data(tmp_path / "tape", 1, 1, 50, 1)
    folder = tmp_path / "user"
    for kind, name, text in (
        ("strategies", "random_quotes", STRATEGY), ("protections", "in_python", PROTECTION),
    ):  # fmt: skip
        (folder / kind).mkdir(parents=True)
        (folder / kind / f"{name}.py").write_text(text)
    own = Registry.load(folder)
    values = drawn(np.random.default_rng(1), 1)
    for found, more, why in (
        (own, {"protections": [{"use": "InPython"}]},
         "protection InPython has no compiled guard"),
        (registry, {"backtest": {"record": "all"}}, "backtest.record all keeps every wake"),
        (registry, woken_by("wallets"), "RandomQuotes follows wallets"),
        (registry, woken_by("answers"), "RandomQuotes is woken by answers"),
        (registry, woken_by("end"), "RandomQuotes is woken at the end"),
    ):  # fmt: skip
        config = Config.model_validate({**values, **more})
        made = build.replay(config, found, data, session="s", journal=JournalWriter.null())
        assert not isinstance(made.replay.feed, CompiledTapeFeed)
        assert made.parts.notes[-1] == f"the tape went through the engine step by step: {why}"
        made.replay.run()


PROTECTION = """
from polyframe import Kind, Protection


class InPython(Protection):
    applies_to = frozenset({Kind.QUOTE})

    def review(self, proposal, view):
        return self.allow(proposal)
"""


BELIEVING = """
from polyframe import MILLISECOND, PluginConfig, Quoter, quote_kernel, seen


@quote_kernel
def believing(sight, own, p, wanted):
    fair = sight[seen.FORECAST]
    if not 0.0 < fair < 1.0 or sight[seen.BID] <= 0.0 or sight[seen.ASK] <= 0.0:
        return 0
    n = 0
    for outcome in range(2):
        price = (fair if outcome == 0 else 1.0 - fair) - p[0]
        touch = sight[seen.ASK] if outcome == 0 else 1.0 - sight[seen.BID]
        price = min(price, touch - sight[seen.TICK])
        if price > 0.0:
            wanted[n, seen.W_OUTCOME] = outcome
            wanted[n, seen.W_SIDE] = 1
            wanted[n, seen.W_PRICE] = price
            wanted[n, seen.W_SIZE] = 20.0
            n += 1
    return n


class Believing(Quoter):
    class Config(PluginConfig):
        away: float = 0.01
        every_ms: int = 700

    quote = believing
    refresh = 300 * MILLISECOND
    on_own_fill = True

    def __init__(self, config=None):
        super().__init__(config)
        self.forecast_every = self.config.every_ms * MILLISECOND

    def parameters(self):
        return [self.config.away]
"""
WANDERS = """
from polyframe import Forecast, Forecaster


class Wanders(Forecaster):
    pure = True

    async def forecast(self, question, evidence, snapshot, as_of):
        p = 0.3 + as_of // 1_000_000 * 7919 % 400 / 1000
        return Forecast(question.market, p, as_of, "wanders")
"""


@pytest.mark.parametrize(
    ("seed", "every"),
    [(0, 600), (1, 700), (2, 1300), (3, 600), (4, 700), (5, 1300), (6, 100), (7, 200), (8, 300)],
)
def test_forecasts_are_asked_for_and_seen_alike(tmp_path: Path, seed: int, every: int) -> None:
    folder = tmp_path / "user"
    for kind, name, text in (
        ("strategies", "believing", BELIEVING), ("forecasters", "wanders", WANDERS),
    ):  # fmt: skip
        (folder / kind).mkdir(parents=True)
        (folder / kind / f"{name}.py").write_text(text)
    own = Registry.load(folder)
    data = tape_data(tmp_path, seed, 2, 700, 2)
    values = {
        "account": {"cash": "2000"}, "forecasters": {"default": {"use": "Wanders"}},
        # With 600 and no latency a timer, an answer and a forecast meet at one moment; below 300
        # the strategy's own timer was set before that of the forecasts.
        "strategies": [{"use": "Believing", "config": {"every_ms": every}}],
        "venue": {"sim": dict.fromkeys(
            ("latency_entry_ms", "latency_response_ms", "latency_cancel_ms"), (0, 100)[seed % 2],
        )},
        "protections": OPEN,
    }  # fmt: skip
    fast, digest = journal(own, data, values, "auto", tmp_path / "fast")
    slow, other = journal(own, data, values, "python", tmp_path / "slow")
    for n, (a, b) in enumerate(zip(fast, slow, strict=False)):
        assert a == b, f"record {n}"
    assert digest == other
    told = [type(effect) for step in fast if isinstance(step, Step) for effect in step.effects]
    assert told.count(fx.RequestForecast) > 10
    assert told.count(fx.SubmitOrder) > 10
    assert fx.FillBooked in told
