"""Many sets of parameters in one pass: each is what a run of its own is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from polyframe.errors import ConfigError, UserError
from polyframe.lab import sample_tape
from polyframe.lab.backtest import Loaded, load, played_again
from polyframe.lab.record import RunRecord
from polyframe.lab.synth import sample_dir
from polyframe.lab.trials import play_sets, slices, with_values
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config

PYTHON = """
from polyframe import SECOND, Every, PluginConfig, QuoteLevel, Quotes, Strategy, Subscription


class Plain(Strategy):
    books = True

    class Config(PluginConfig):
        away: int = 100

    def subscribe(self, markets):
        return Subscription(wake=(Every(30 * SECOND),))

    def on_wake(self, event, view):
        token = view.markets()[0].yes.id
        book = view.book(token)
        if book.bid > self.config.away:
            level = QuoteLevel(book.bid - self.config.away, 10_000_000)
            yield Quotes(token=token, bids=(level,))
"""
MAKER = "MarketMaker"
SETS: list[dict[str, Any]] = [
    {}, {"base_ticks": 0, "aversion": 0.5}, {"size": 20.0}, {"model": "avellaneda_stoikov"},
    {"hard": 0.5, "soft": 0.3, "flatten_at": 0.7, "capital": 300.0},
]  # fmt: skip


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("user")
    (folder / "strategies").mkdir()
    (folder / "strategies" / "plain.py").write_text(PYTHON)
    return Registry.load(folder)


def loaded(registry: Registry, strategy: str, **more: Any) -> Loaded:
    values = {
        "account": {"cash": "1000"}, "strategies": [{"use": strategy}],
        "data": {"tape": sample_tape.NAME}, **more,
    }  # fmt: skip
    return load(Config.model_validate(values), registry, sample_tape.tape_sample_dir())


@pytest.fixture(scope="module")
def makers(registry: Registry) -> Loaded:
    return loaded(registry, MAKER)


def fills_of(record: RunRecord) -> list[Any]:
    return [(fill.fill, fill.mid) for fill in record.fills]


def alike(run: Loaded, strategy: str, sets: list[dict[str, Any]], **how: Any) -> int:
    """How many fills there were in all, each set's being those of a run of its own."""
    trials = play_sets(run, strategy, sets, measure=fills_of, **how)
    for values, trial in zip(sets, trials, strict=True):
        alone = played_again(run, with_values(run.config, strategy, values))
        assert trial.values == values
        assert np.array_equal(trial.equity_ts, alone.equity_ts)
        assert np.array_equal(trial.equity, alone.equity)
        assert trial.measured == fills_of(alone)
        assert trial.fills == len(alone.fills)
        assert trial.profit == int(alone.equity[-1]) - alone.start_cash
    return sum(trial.fills for trial in trials)


@pytest.mark.parametrize(("threads", "rows"), [(1, 977), (2, 100_000), (2, 4_001)])
def test_each_set_is_a_run_of_its_own(makers: Loaded, threads: int, rows: int) -> None:
    assert alike(makers, MAKER, SETS, threads=threads, rows=rows) > 100


def test_a_strategy_in_python_too(registry: Registry) -> None:
    run = loaded(registry, "Plain")
    assert alike(run, "Plain", [{"away": 0}, {"away": 200}], rows=5_000) > 0


def test_prices_are_one_slice(registry: Registry) -> None:
    config = Config.model_validate({"strategies": [{"use": "LLMForecast"}]})
    run = load(config, registry, sample_dir())
    assert len(list(slices(run, 10))) == 1
    alike(run, "LLMForecast", [{}, {"min_edge": 0.08}])


def test_what_differs_gives_other_results(makers: Loaded) -> None:
    one, two = play_sets(makers, MAKER, [{"size": 10.0}, {"size": 40.0}])
    assert one.profit != two.profit
    assert one.measured is None


def test_what_cannot_be_is_named(makers: Loaded) -> None:
    with pytest.raises(ConfigError, match="no strategy 'Maker'"):
        play_sets(makers, "Maker", [{}])
    with pytest.raises(ConfigError, match=r"set 2: .*sise"):
        play_sets(makers, MAKER, [{}, {"sise": 3}])
    with pytest.raises(UserError, match="-1 threads"):
        play_sets(makers, MAKER, [{}], threads=-1)
    assert play_sets(makers, MAKER, []) == []
