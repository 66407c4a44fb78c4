"""Exits in whole backtests on the simulated venue: gaps, partial fills, skipping and the report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polyframe import ConfigError, PluginError
from polyframe.domain.market import FeeSchedule, Market, Resolution, Token
from polyframe.domain.orders import Kind, Side
from polyframe.domain.units import DAY, HOUR, MINUTE
from polyframe.lab.collect import Collector
from polyframe.runtime import build
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.store.forecasts import ForecastTable
from polyframe.store.journal import JournalWriter
from polyframe.store.timeline import PriceColumns

START = 1_767_225_600_000_000_000

STRATEGY = """
from polyframe import DAY, HOUR, MINUTE, Exits, Intent, Moved, PortfolioTrailing, Side, Strategy
from polyframe import Subscription, Trailing, WakeAt


class Holds(Strategy):
    {declared}

    def on_start(self, event, view):
        yield WakeAt(view.now + 30 * MINUTE, "buy")

    def on_wake(self, event, view):
        if getattr(event, "key", "") == "buy":
            for market in view.markets():
                yield Intent(token=market.yes.id, side=Side.BUY, price=9_000, size=40_000_000,
                             probability=0.99)
            if len(view.positions()) < 2 and view.now < {last}:
                yield WakeAt(view.now + 90 * MINUTE, "buy")


class Visits(Holds):
    def subscribe(self, markets):
        return Subscription(wake=(Moved(1),))
"""


def registry(folder: Path, declared: str, last: int = 0) -> Registry:
    (folder / "strategies").mkdir(exist_ok=True)
    (folder / "strategies" / "holds.py").write_text(STRATEGY.format(declared=declared, last=last))
    return Registry.load(folder)


def data(*prices: list[int], step: int = 10 * MINUTE, resolved: bool = False) -> build.Recorded:
    """Markets with a price every ten minutes, in hundredths; 0 leaves a row out."""
    rows = sorted(
        (START + i * step, m, cents * 100)
        for m, series in enumerate(prices)
        for i, cents in enumerate(series)
        if cents
    )
    end = START + max(map(len, prices)) * step
    markets = [
        Market(
            f"m{m}", f"Will {m}?", (Token(f"y{m}", "Yes"), Token(f"n{m}", "No")),
            fee=FeeSchedule(rate=40_000), opened=START, closes=end,
        )
        for m in range(len(prices))
    ]  # fmt: skip
    outcomes = {m.id: Resolution.winner(m, 0, end + HOUR) for m in markets if resolved}
    ts, market, price = (np.array(c, np.int64) for c in zip(*rows, strict=True))
    columns = PriceColumns(ts, market.astype(np.int32), price, np.zeros(len(rows), np.uint8))
    return build.Recorded(markets, [], outcomes, columns, ForecastTable(()))


def run(found: Registry, recorded: build.Recorded, use: str = "Holds", exits=None, spread="none"):
    collector = Collector()
    config = Config.model_validate(
        {
            "strategies": [{"use": use, "name": "own", "exits": exits or {}}],
            "sizer": {"use": "FixedSizer"},
            "protections": [{"use": "*", "enabled": False}],
            "venue": {"sim": {"spread": spread}},
        }
    )
    made = build.replay(
        config, found, recorded, session="s", journal=JournalWriter.null(), watch=collector.watch
    )
    collector.engine = made.engine
    made.replay.run()
    return made, collector


def sales(collector: Collector) -> list[tuple[str, float, int]]:
    """Reason, price and moment (minutes from the start) of every sale."""
    fills = [e.fill for e in collector.fills if e.fill.side == Side.SELL]
    return [(f.reason, f.price / 1e4, (f.ts - START) // MINUTE) for f in fills]


def test_a_gap_fills_at_the_next_executable_price_and_not_at_the_stop(tmp_path):
    prices = [50] * 30 + [20] + [18] * 30
    _, collector = run(registry(tmp_path, "stop_loss = 0.20"), data(prices))
    ((reason, price, minute),) = sales(collector)
    assert reason == "stop_loss"
    # The jump is seen at minute 300; the row after it is the first that can be traded.
    assert minute == 310
    assert price == 0.18, "not at 0.40, where the stop stands"
    review = collector.reviews[-1]
    assert (review.intent.kind, review.intent.reason) == (Kind.EXIT, "stop_loss")


def test_without_a_price_to_trade_at_the_stop_waits_for_one(tmp_path):
    prices = [50] * 30 + [20] + [0] * 300 + [10] * 20
    made, collector = run(registry(tmp_path, "stop_loss = 0.20"), data(prices))
    ((_, price, minute),) = sales(collector)
    assert price == 0.10
    assert minute >= 3310
    tried = [o for o in collector.reviews if o.intent.kind is Kind.EXIT]
    assert len(tried) < 16, "no storm of attempts in the hole"
    assert made.engine.parts.bound[0].view.positions() == []


def test_parts_are_sold_by_age_and_by_gain(tmp_path):
    declared = (
        "max_holding = ((4 * HOUR, 1 / 4), (8 * HOUR, 1 / 4))\n"
        "    take_profit = ((0.20, 1 / 4), (0.40, 1 / 4))"
    )
    prices = [50] * 40 + [65] * 40 + [75] * 40
    _, collector = run(registry(tmp_path, declared), data(prices))
    sold = [(reason, minute // 60) for reason, _, minute in sales(collector)]
    assert sold == [("max_holding", 4), ("take_profit", 6), ("max_holding", 8), ("take_profit", 13)]
    assert [e.fill.size for e in collector.fills if e.fill.side == Side.SELL] == [10_000_000] * 4


def test_the_configuration_overrides_the_strategy(tmp_path):
    found = registry(tmp_path, "stop_loss = 0.20")
    prices = [50] * 30 + [38] * 30 + [20] * 10
    assert sales(run(found, data(prices))[1])[0][2] == 310
    assert sales(run(found, data(prices), exits={"stop_loss": 0.5})[1])[0][2] == 610
    assert sales(run(found, data(prices), exits={"stop_loss": None})[1]) == []
    later = run(found, data(prices), exits={"stop_loss": None, "max_holding_hours": 5})[1]
    assert [s[0] for s in sales(later)] == ["max_holding"]


@pytest.mark.parametrize(
    ("exits", "words"),
    [
        ({"stop_los": 0.2}, "strategies[0].exits.stop_los is no exit"),
        ({"stop_loss": 1.5}, "strategies[0].exits.stop_loss is 1.5"),
        ({"max_holding_hours": -4}, "strategies[0].exits.max_holding_hours is -4"),
        ({"max_holding_hours": [[8, 0.5], [4, 0.5]]}, "thresholds that ascend"),
        ({"max_holding_hours": [[4, 0.8], [8, 0.5]]}, "at most 1 in all, they make 1.3"),
        ({"take_profit": [[0.1]]}, "strategies[0].exits.take_profit[0] is [0.1]"),
        ({"trailing": {"distance": 0.1, "arm": -0.1}}, "strategies[0].exits.trailing.arm is -0.1"),
        ({"trailing": {"width": 0.1}}, "strategies[0].exits.trailing.width is no setting"),
        ({"stop_loss": "a"}, "strategies[0].exits.stop_loss is 'a'"),
        ({"stop_loss": {"at": 1}}, "strategies[0].exits.stop_loss is {'at': 1}"),
        ({"portfolio_trailing": {"under": 5}}, "one of: under_hours"),
        ({"thesis": {"forecaster": "nobody"}}, "exits on a thesis of forecaster 'nobody'"),
    ],
)
def test_nonsense_in_the_configuration_is_refused_with_its_place(tmp_path, exits, words):
    with pytest.raises(ConfigError) as error:
        run(registry(tmp_path, "stop_loss = 0.20"), data([50] * 5), exits=exits)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ("stop_loss = float('nan')", "Holds.stop_loss is nan"),
        ("stop_loss = -0.2", "Holds.stop_loss is -0.2"),
        ("stop_loss = 1.01", "Holds.stop_loss is 1.01"),
        ("stop_loss = True", "Holds.stop_loss is True"),
        ("trailing = Trailing(distance=0.1, arm=-0.05)", "Holds.trailing.arm is -0.05"),
        ("trailing = Trailing()", "Holds.trailing is Trailing"),
        ("max_holding = ((8 * HOUR, 0.5), (4 * HOUR, 0.5))", "Holds.max_holding is"),
        ("max_holding = ((4 * HOUR, 0.7), (8 * HOUR, 0.7))", "they make 1.4"),
        ("max_holding = 4.5", "Holds.max_holding is 4.5"),
        ("max_open = 0", "Holds.max_open is 0"),
        ("exits = 0.2", "Holds.exits is 0.2"),
        ("exits = Exits(breakeven=0.0)", "Holds.exits.breakeven is 0.0"),
        ("position_adjustment = 1", "Holds.position_adjustment is 1"),
    ],
)
def test_nonsense_in_a_class_is_refused_when_it_is_loaded(tmp_path, declared, words):
    with pytest.raises(PluginError) as error:
        registry(tmp_path, declared).get("strategy", "Holds")
    assert words in str(error.value)
    assert "holds.py" in str(error.value)


DECLARED = st.sampled_from(
    (
        "stop_loss = 0.10",
        "exits = Exits.default()",
        "trailing = 0.05\n    take_profit = ((0.05, 0.5), (0.2, 0.5))",
        "trailing = Trailing(atr=3.0, period=5, arm=0.02)\n    breakeven = 0.03",
        "max_holding = ((2 * HOUR, 0.5), (3 * HOUR, 0.3))\n    stop_loss = 0.3",
        "portfolio_trailing = PortfolioTrailing(under=HOUR, gain=0.01, distance=0.02)",
        "near_resolution = 6 * HOUR\n    breakeven = 0.02\n    position_adjustment = False",
    )
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(declared=DECLARED, seed=st.integers(0, 10_000), holes=st.sampled_from((0.0, 0.3)))
def test_skipping_rows_and_visiting_each_gives_the_same_trades(
    tmp_path_factory, declared, seed, holes
):
    rng = np.random.default_rng(seed)
    series = []
    for _ in range(2):
        walk = np.clip(50 + np.cumsum(rng.normal(0, 2, 150)), 5, 88).astype(int)
        walk[rng.random(150) < holes] = 0
        series.append([50, *walk.tolist()])
    found = registry(tmp_path_factory.mktemp("user"), declared, START + DAY // 2)
    recorded = data(*series, resolved=True)
    skipped, one = run(found, recorded, "Holds", spread="model")
    visited, other = run(found, recorded, "Visits", spread="model")
    assert visited.replay.steps > skipped.replay.steps
    assert one.fills, "something was traded"
    assert one.fills == other.fills
    assert [s.token for s in one.settlements] == [s.token for s in other.settlements]
    for a, b in zip(
        skipped.replay.feed.equity(), visited.replay.feed.equity(), strict=True
    ):  # fmt: skip
        np.testing.assert_array_equal(a, b)
    for a, b in zip(
        skipped.engine.state.exits.tables[::2], visited.engine.state.exits.tables[::2], strict=True
    ):
        np.testing.assert_array_equal(a, b)
