"""Bars played in compiled code and step by step: the same orders, verdicts, fills and equity."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polyframe.domain import effects as fx
from polyframe.domain.market import FeeSchedule, Group, GroupKind, Market, Resolution, Token
from polyframe.domain.units import HOUR, MINUTE
from polyframe.lab.collect import Collector, left_open
from polyframe.runtime import build
from polyframe.runtime.compiled import CompiledFeed
from polyframe.runtime.logged import LateReview
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.store.bar_columns import BarColumns, sorted_bars
from polyframe.store.forecasts import ForecastTable
from polyframe.store.journal import JournalWriter
from polyframe.store.timeline import PriceColumns

START = 1_767_225_600_000_000_000
FEES = (FeeSchedule(), FeeSchedule(40_000), FeeSchedule(250_000, 2))

STRATEGY = """
from polyframe import Strategy


class Random(Strategy):
    timeframe = "5m"
    startup_bars = 3
    slippage = {slippage}
    max_open = {max_open}

    def features(self, bars):
        n = (bars["close"] * 10_000).round().astype(int)
        bars["enter"] = n % 3 == 0
        bars["exit"] = n % 4 == 1
        {stated}
        return bars
"""
STATED = (
    "pass",
    'bars["probability"] = (bars["close"] + 0.06 * ((n % 5) - 1)).clip(0.01, 0.99)',
    'bars["edge"] = ((n % 7) - 1) / 50',
)
GUARDS = ("MaxStake", "DailyLoss", "OpenPositions", "KillSwitch", "PriceBand", "MinEdge")


def bars_of(rng: np.random.Generator, markets: int, length: int) -> BarColumns:
    """Wandering bars with holes, jumps and gaps between a close and the next open."""
    rows: list[tuple[int, ...]] = []
    for m in range(markets):
        price = int(rng.integers(2000, 8000))
        for k in range(length):
            if rng.random() < 0.1:
                continue
            opened = int(np.clip(price + rng.integers(-60, 61), 20, 9980))
            price = int(np.clip(opened + rng.integers(-150, 151), 20, 9980))
            if rng.random() < 0.02:
                price = int(rng.integers(100, 9900))
            start = START + k * 5 * MINUTE
            low, high = min(opened, price), max(opened, price)
            rows.append((start + 5 * MINUTE - 1, start, m, opened, high, low, price, 10**6))
    columns = [np.array(column, np.int64) for column in zip(*rows, strict=True)]
    small = [columns[i].astype(np.int32) for i in range(2, 7)]
    return sorted_bars(BarColumns(columns[0], columns[1], *small, columns[7], 5 * MINUTE))


def recorded(seed: int, markets: int, length: int) -> build.Recorded:
    rng = np.random.default_rng(seed)
    end = START + length * 5 * MINUTE
    listed = [
        Market(
            id=f"m{m}", question=f"Will {m} happen?", group=f"g{m // 2}" if m % 3 else "",
            tokens=(Token(f"y{m}", "Yes"), Token(f"n{m}", "No")), category="politics",
            fee=FEES[(m + seed) % len(FEES)], opened=START,
            closes=end - int(rng.integers(0, 3)) * HOUR,
        )
        for m in range(markets)
    ]  # fmt: skip
    groups: dict[str, list[str]] = {}
    for market in listed:
        if market.group:
            groups.setdefault(market.group, []).append(market.id)
    outcomes = {
        market.id: Resolution(
            market.id, (1_000_000, 0) if rng.random() < 0.5 else (0, 1_000_000),
            market.closes + HOUR, market.closes + HOUR,
        )
        for market in listed
        if rng.random() < 0.7
    }  # fmt: skip
    none = np.zeros(0, np.int64)
    return build.Recorded(
        listed,
        [Group(id, tuple(ids), GroupKind.EXCLUSIVE) for id, ids in groups.items()],
        outcomes,
        PriceColumns(none, none.astype(np.int32), none, none.astype(np.uint8)),
        ForecastTable(()),
        bars=bars_of(rng, markets, length),
    )


def played(registry: Registry, data: build.Recorded, values: dict[str, Any], path: str) -> Any:
    values = {**values, "backtest": {**values.get("backtest", {}), "path": path}}
    collector = Collector()
    halts: list[fx.TradingHalted] = []

    def watch(event: Any, effects: Any) -> None:
        collector.watch(event, effects)
        halts.extend(e for e in effects if isinstance(e, fx.TradingHalted))

    made = build.replay(
        Config.model_validate(values), registry, data, session="s",
        journal=JournalWriter.null(), watch=watch, tables=True,
    )  # fmt: skip
    collector.engine = made.engine
    made.replay.run()
    collector.take(made.replay.feed)
    return made, collector, halts


def whole(review: Any) -> Any:
    """A review as the engine says it."""
    return review.whole() if isinstance(review, LateReview) else review


def booked(told: Collector) -> list[tuple[Any, Any]]:
    """Every fill and what it realised, whoever told it."""
    log = told.fill_log({})
    late = [] if log.late is None else [log.late.booked(k) for k in range(len(log.late))]
    return log.listed(
        [(one.fill, one.realised) for one in told.fills], [(one.fill, one.realised) for one in late]
    )


def same(registry: Registry, data: build.Recorded, values: dict[str, Any]) -> Counter[str]:
    fast, told, halted = played(registry, data, values, "auto")
    slow, seen, stopped = played(registry, data, values, "python")
    assert isinstance(fast.replay.feed, CompiledFeed), fast.parts.notes
    assert not isinstance(slow.replay.feed, CompiledFeed)
    assert [whole(review) for review in told.review_log()] == seen.reviews
    assert booked(told) == [(one.fill, one.realised) for one in seen.fills]
    assert told.settlements == seen.settlements
    assert told.review_log().objections() == seen.review_log().objections()
    assert told.denials() == seen.denials()
    assert told.refusals == seen.refusals
    assert halted == stopped
    assert left_open(fast) == left_open(slow)
    for a, b in zip(fast.replay.feed.equity(), slow.replay.feed.equity(), strict=True):
        np.testing.assert_array_equal(a, b)
    for name in ("orders", "fills", "refused_unquoted", "spread_paid", "fees", "till"):
        assert getattr(fast.broker.stats, name) == getattr(slow.broker.stats, name), name
    for a, b in zip(told.fill_log({}), seen.fill_log({}), strict=True):
        assert (a.fill, a.quality, a.mid) == (b.fill, b.quality, b.mid)
        assert whole(a.decision) == b.decision
    tables, other = fast.engine.state.tables, slow.engine.state.tables
    for name in ("account", "tokens", "markets", "events", "kinds"):
        np.testing.assert_array_equal(getattr(tables, name), getattr(other, name), err_msg=name)
    counts: Counter[str] = Counter(told.denials())
    counts["fills"] = len(told.fill_log({}))
    counts["halts"] = len(halted)
    return counts


def registry_of(folder: Any, *, slippage: float, max_open: int | None, stated: int) -> Registry:
    strategies = folder / "strategies"
    strategies.mkdir(exist_ok=True)
    text = STRATEGY.format(slippage=slippage, max_open=max_open, stated=STATED[stated])
    (strategies / "random_bars.py").write_text(text)
    return Registry.load(folder)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 10_000),
    markets=st.integers(1, 8),
    slippage=st.sampled_from([0.0, 0.01, 0.05]),
    max_open=st.sampled_from([None, 1, 3]),
    stated=st.integers(0, 2),
    stake=st.sampled_from([2, 10, 60]),
    latency=st.sampled_from([0, 250, 400_000]),
    spread=st.sampled_from(["model", "none"]),
    cash=st.sampled_from([40, 1000]),
    daily=st.sampled_from([5, 30, 500]),
    at_end=st.booleans(),
)  # fmt: skip
def test_both_paths_do_the_same(tmp_path_factory, seed, markets, slippage, max_open, stated,
                                stake, latency, spread, cash, daily, at_end):  # fmt: skip
    folder = tmp_path_factory.mktemp("user")
    registry = registry_of(folder, slippage=slippage, max_open=max_open, stated=stated)
    values = {
        "account": {"cash": cash},
        "strategies": [{"use": "Random"}],
        "sizer": {"use": "FixedSizer", "config": {"stake": stake}},
        "protections": [
            {"use": "*", "enabled": False},
            {"use": "DailyLoss", "config": {"loss": daily}},
            {"use": "MaxStake", "config": {"stake": 50}},
        ],
        "backtest": {"close_at_end": at_end},
        "venue": {"sim": {"latency_entry_ms": latency, "spread": spread}},
    }
    same(registry, recorded(seed, markets, 160), values)
