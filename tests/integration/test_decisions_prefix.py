"""Decisions do not change when later data is taken away, unless they were made of it."""

from __future__ import annotations

import numpy as np
import pytest

from polyframe.lab.prefix import prefixes, until
from polyframe.lab.synth import sample_dir
from polyframe.runtime import build
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.store.catalogue import Catalogue

PEEKING = """
from polyframe import HOUR, Every, Intent, Side, Strategy, Subscription


class Peeking(Strategy):
    known = {}

    def subscribe(self, markets):
        return Subscription(wake=(Every(24 * HOUR),))

    def on_wake(self, event, view):
        for market in view.markets()[:3]:
            # What the last run saw of this market decides what this one does.
            last = Peeking.known.get(market.id, 0)
            Peeking.known[market.id] = max(last, view.now)
            if last <= view.now and not view.position(market.yes.id).shares:
                yield Intent(token=market.yes.id, side=Side.BUY, size=10**7, probability=0.9)
"""


@pytest.fixture(scope="module")
def catalogue():
    return Catalogue.open(sample_dir())


def config(name: str) -> Config:
    return Config.model_validate(
        {"strategies": [{"use": name}], "data": {"timerange": "2026-09-01..2026-09-14"}}
    )


def test_the_shipped_strategy_decides_alike_on_less_data(catalogue, tmp_path):
    registry = Registry.load(tmp_path)
    chosen = config("LLMForecast")
    data = build.recorded(catalogue, chosen)
    found = prefixes(chosen, registry, data, cuts=4, rng=np.random.default_rng(3))
    assert found.decisions > 50
    assert found.differences == ()


def test_data_until_a_moment_holds_nothing_later(catalogue):
    data = build.recorded(catalogue, config("LLMForecast"))
    moment = int(data.prices.ts[len(data.prices.ts) // 2])
    part = until(data, moment)
    assert int(part.prices.ts[-1]) <= moment
    assert all(r.known_at <= moment for r in part.resolutions.values())
    assert all(f.known_at <= moment for f in part.forecasts.rows)
    assert len(part.markets) == len(data.markets)


def test_a_strategy_that_keeps_something_between_runs_is_found(catalogue, tmp_path):
    folder = tmp_path / "strategies"
    folder.mkdir()
    (folder / "peeking.py").write_text(PEEKING)
    registry = Registry.load(tmp_path)
    chosen = config("Peeking")
    data = build.recorded(catalogue, chosen)
    found = prefixes(chosen, registry, data, cuts=3, rng=np.random.default_rng(1))
    assert found.differences
    first = found.differences[0]
    assert first.ts < first.cut
    assert "buy " in first.whole + first.part
