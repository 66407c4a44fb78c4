"""Strategies on bars, from the catalogue's columns to the fills."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from polyframe import DataError, PluginError
from polyframe.domain import effects as fx
from polyframe.domain.events import BarSignalled, Event
from polyframe.domain.market import Market, Resolution, Token
from polyframe.domain.units import DAY, HOUR, MINUTE, SECOND
from polyframe.kernels.signals_nb import WAKE
from polyframe.lab.prefix import prefixes
from polyframe.runtime import build
from polyframe.runtime.barfeed import BarFeed
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.store.audit import audit
from polyframe.store.bar_columns import BarColumns
from polyframe.store.forecasts import ForecastTable
from polyframe.store.journal import JournalReader, JournalWriter
from polyframe.store.records import Header, RecordLevel
from polyframe.store.timeline import PriceColumns

START = 1_767_225_600 * SECOND
BARE = {
    "latency_entry_ms": 0, "latency_cancel_ms": 0, "latency_response_ms": 0, "fees": "none",
    "spread": "none", "depth_shares": 1_000_000, "max_age_ms": 10**9,
}  # fmt: skip

BACKTEST: dict[str, Any] = {}
ALONE = {"use": "*", "enabled": False}
"""no guard but those that always rule and those that are named"""
"""Settings of every run."""

STRATEGIES = '''
from polyframe import Intent, Side, Strategy, TimeInForce, as_known, resample


class EmaCross(Strategy):
    """Long while the short mean is above the long one."""

    timeframe = "1m"
    startup_bars = 50
    slippage = 0.0

    def features(self, bars):
        close = bars["close"]
        up = close.ewm(span=12, adjust=False).mean() > close.ewm(span=26, adjust=False).mean()
        was = up.shift(1, fill_value=False)
        bars["enter"] = up & ~was
        bars["exit"] = was & ~up
        return bars


class Levels(Strategy):
    """Asks on every bar; on_bar hears of some."""

    timeframe = "1m"
    slippage = 0.02

    def features(self, bars):
        mean = bars["close"].rolling(5).mean()
        bars["enter"] = bars["close"] > mean
        bars["exit"] = bars["close"] < mean
        bars["wake"] = bars["close"] > 0.8
        return bars

    def on_bar(self, event, view):
        if view.position(event.token).free:
            yield Intent(token=event.token, side=Side.SELL, reason="high")


class Hours(Strategy):
    timeframe = "1h"
    slippage = 0.5

    def features(self, bars):
        bars["enter"] = bars["close"] > bars["close"].shift(1)
        bars["exit"] = bars["close"] < bars["close"].shift(1)
        return bars


class Stopped(Hours):
    stop_loss = 0.10


class Leaving(Hours):
    def custom_exit(self, position, view):
        return "dear" if view.book(position.token).bid >= 6000 else None


class Resting(Strategy):
    """Bids at 0.40 after the first bar and waits."""

    timeframe = "1h"

    def on_bar(self, event, view):
        if not view.orders() and not view.positions():
            yield Intent(token=event.token, side=Side.BUY, price=4000, size=10**7,
                         tif=TimeInForce.GTC)


class Blind(Strategy):
    def features(self, bars):
        return bars


class Peeking(Strategy):
    timeframe = "1m"
    slippage = 0.5

    def features(self, bars):
        bars["enter"] = bars["close"].shift(-3) > bars["close"]
        bars["exit"] = ~bars["enter"]
        return bars
'''


@pytest.fixture(autouse=True, params=["auto", "python"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """In compiled code where that can be, and step by step: nothing may differ."""
    chosen: str = request.param
    monkeypatch.setitem(BACKTEST, "path", chosen)
    return chosen


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("user") / "strategies"
    folder.mkdir()
    (folder / "bar_cases.py").write_text(STRATEGIES)
    return Registry.load(folder.parent)


def market(n: int, **changed: Any) -> Market:
    values = {"tick": 10, "lot": 1, "min_size": 1, "opened": START, "closes": START + 1000 * DAY}
    tokens = (Token(f"y{n}", "Yes"), Token(f"n{n}", "No"))
    return Market(id=f"m{n}", question=f"{n}?", tokens=tokens, **{**values, **changed})


def bars_of(prices: Any, interval: int = MINUTE, keep: Any = None) -> BarColumns:
    """Bars of integers (markets, bars, 4): open, high, low, close."""
    table = np.asarray(prices, np.int64)
    markets, count = table.shape[:2]
    start = START + interval * np.tile(np.arange(count, dtype=np.int64), (markets, 1))
    index = np.tile(np.arange(markets, dtype=np.int32)[:, None], (1, count))
    order = np.lexsort((index.ravel(), start.ravel()))
    o, h, low, c = (table[:, :, k].ravel()[order].astype(np.int32) for k in range(4))
    begin = start.ravel()[order]
    bars = BarColumns(
        begin + interval - 1, begin, index.ravel()[order], o, h, low, c,
        np.zeros(len(o), np.int64), interval,
    )  # fmt: skip
    return bars if keep is None else bars.take(keep)


def walk(markets: int, count: int, seed: int) -> Any:
    """Bars of a random walk whose open may lie apart from the close before."""
    rng = np.random.default_rng(seed)
    table = np.zeros((markets, count, 4), np.int64)
    for m in range(markets):
        last = int(rng.integers(200, 800))
        for k in range(count):
            path = last + np.cumsum(rng.integers(-15, 16, 5)) + int(rng.integers(-5, 6))
            path = np.clip(path, 2, 998)
            table[m, k] = np.array([path[0], path.max(), path.min(), path[-1]]) * 10
            last = int(path[-1])
    return table


def recorded(bars: BarColumns | None, markets: Sequence[Market], **rest: Any) -> build.Recorded:
    prices = rest.pop("prices", None)
    if prices is None:
        assert bars is not None
        prices = PriceColumns(
            bars.ts, bars.market, bars.close.astype(np.int64), np.zeros(len(bars), np.uint8)
        )
    values: dict[str, Any] = {"groups": (), "resolutions": {}, **rest}
    return build.Recorded(
        markets=markets, prices=prices, forecasts=ForecastTable([], {}), bars=bars, **values
    )


def config(*names: str, sim: Any = BARE, stake: str = "100", **rest: Any) -> Config:
    sizer = {"use": "FixedSizer", "config": {"stake": stake}}
    backtest = {**BACKTEST, **rest.pop("backtest", {})}
    return Config.model_validate(
        {
            "account": {"cash": "10000000"},
            "strategies": [{"use": name, "sizer": sizer} for name in names],
            "protections": [ALONE],
            "venue": {"sim": sim},
            "backtest": backtest,
            **rest,
        }
    )


class Ran:
    """A replay that was played, and all that came of it."""

    def __init__(
        self, config: Config, registry: Registry, data: build.Recorded, feed: Any = None
    ) -> None:
        self.events: list[Event] = []
        self.effects: list[Any] = []

        def watch(event: Event, effects: Sequence[Any]) -> None:
            self.events.append(event)
            self.effects += effects

        self.made = build.replay(
            config, registry, data, session="S", journal=JournalWriter.null(), watch=watch
        )
        if feed is not None:
            assert isinstance(self.made.replay.feed, BarFeed)
            self.made.replay.feed = feed(self.made.engine, self.made.replay.feed.rows)
        self.made.replay.run()

    def of(self, kind: type[Any]) -> list[Any]:
        return [effect for effect in self.effects if isinstance(effect, kind)]

    @property
    def fills(self) -> list[Any]:
        return [effect.fill for effect in self.of(fx.FillBooked)]

    @property
    def told(self) -> list[bytes]:
        """All effects as they are stored."""
        return [msgspec.msgpack.encode(effect, enc_hook=fx.storable) for effect in self.effects]

    @property
    def result(self) -> float:
        return (int(self.made.replay.feed.equity()[1][-1]) - 10**13) / 1e6


# ---- the reference workload ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def workload(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """500 markets of bars as the peers' harness makes them, of which some are asked for."""
    source = shared / "bench"
    if not (source / "gen_data.py").exists():
        pytest.skip("the peers' harness is not at hand")
    folder = tmp_path_factory.mktemp("bench")
    for name in ("gen_data.py", "common.py"):
        shutil.copy(source / name, folder / name)
    sys.path.insert(0, str(folder))
    try:
        import gen_data  # type: ignore[import-not-found]

        yield gen_data.gen_bars
    finally:
        sys.path.remove(str(folder))


def test_the_reference_strategy_trades_as_the_harness_says(
    workload: Any, registry: Registry
) -> None:
    o, h, low, c, _ = workload(10, 5000, 11)
    table = np.rint(np.stack([o, h, low, c], axis=2) * 10_000).astype(np.int64)
    markets = [market(n) for n in range(10)]
    chosen = config("EmaCross", backtest={"close_at_end": True})
    ran = Ran(chosen, registry, recorded(bars_of(table), markets))
    sold = [fill for fill in ran.fills if fill.side < 0]
    assert len(sold) == 861
    assert len(ran.fills) == 2 * 861
    # Money is rounded against us, by less than a millionth a fill.
    assert 678.6475 - 1e-6 * len(ran.fills) < ran.result <= 678.6475
    assert {fill.reason for fill in sold} == {"signal", "end of data"}
    # A signal that asks for what is there already stops nobody.
    events = [event for event in ran.events if isinstance(event, BarSignalled)]
    assert len(events) == len([fill for fill in ran.fills if fill.reason == "signal"])


# ---- skipping changes nothing --------------------------------------------------------------------


class EveryRow(BarFeed):
    """Stops at every row and hands every bar over, whether it can matter or not."""

    def advance(self, until: int, stop_row: int | None = None) -> Event | None:
        rows = self.rows
        while not self._waiting and self.cursor < len(rows.ts) and rows.ts[self.cursor] <= until:
            row = self.cursor
            woken = super(BarFeed, self).advance(until, row + 1)
            self._waiting.extend(self._all(row))
            if woken is not None:
                return woken
        return self._waiting.popleft() if self._waiting else None

    def _all(self, row: int) -> list[BarSignalled]:
        """With the bit that wakes set every signal is an event; the engine decides alone."""
        rows, asked = self.rows, self.rows.signals
        self.rows = replace(rows, signals=np.where(asked != 0, asked | WAKE, 0).astype(np.uint8))
        events = self._signals(row)
        self.rows = rows
        index = self.engine.state.ledger_index
        return [
            msgspec.structs.replace(event, wake=bool(asked[index[event.ledger], row] & WAKE))
            for event in events
        ]


@pytest.mark.parametrize(("seed", "loss"), [(0, "15"), (1, "1000"), (2, "15"), (3, "1000")])
@pytest.mark.parametrize("sim", [BARE, {}, {"latency_entry_ms": 90_000, "depth_shares": 400.0}])
def test_skipping_rows_and_visiting_each_gives_the_same(
    registry: Registry, seed: int, loss: str, sim: dict[str, Any]
) -> None:
    markets = [market(n) for n in range(3)]
    data = recorded(bars_of(walk(3, 200, seed)), markets)
    protections = [
        ALONE,
        {"use": "MaxStake", "config": {"stake": "60"}},
        {"use": "DailyLoss", "config": {"loss": loss}},
        {"use": "OpenPositions", "config": {"markets": 2}},
    ]
    chosen = config("Levels", "EmaCross", sim=sim, stake="40", protections=protections)
    fast, slow = Ran(chosen, registry, data), Ran(chosen, registry, data, EveryRow)
    assert len(fast.fills) >= 2
    assert fast.told == slow.told
    assert len(fast.events) < len(slow.events)
    for mine, other in zip(
        fast.made.replay.feed.equity(), slow.made.replay.feed.equity(), strict=True
    ):
        assert mine.tolist() == other.tolist()


# ---- what a decision executes on -----------------------------------------------------------------


def hours(*rows: tuple[int, int, int, int], **rest: Any) -> build.Recorded:
    return recorded(bars_of([rows], HOUR), [market(0)], **rest)


def test_a_decision_at_the_close_executes_at_the_next_open(registry: Registry) -> None:
    data = hours((5000,) * 4, (5000, 5200, 5000, 5200), (5300, 5300, 5300, 5300), (5300,) * 4)
    (fill,) = Ran(config("Hours"), registry, data).fills
    assert (fill.price, fill.ts) == (5300, START + 2 * HOUR)


def test_latency_does_not_cost_a_bar_and_is_waited_for(registry: Registry) -> None:
    data = hours((5000,) * 4, (5000, 5200, 5000, 5200), (5300, 5300, 5300, 5300), (5300,) * 4)
    sim = {**BARE, "latency_entry_ms": 250, "latency_response_ms": 100}
    ran = Ran(config("Hours", sim=sim), registry, data)
    (fill,) = ran.fills
    assert (fill.price, fill.ts) == (5300, START + 2 * HOUR + 250_000_000)


def test_an_open_beyond_the_slippage_is_let_go(registry: Registry) -> None:
    table = walk(1, 60, 3)
    close = np.r_[np.full(5, 5000), np.full(55, 5500)]
    table[0, :, :] = close[:, None]
    table[0, 6, 0], table[0, 6, 1] = 5800, 5800
    ran = Ran(config("Levels"), registry, recorded(bars_of(table), [market(0)]))
    # 5500 asks to buy at 5700 at most; the next bar opens at 5800, the one after at 5500.
    first = ran.of(fx.OrderChanged)[:3]
    assert [change.reason for change in first if change.reason] == ["killed: limit"]
    assert ran.fills[0].price == 5500


def test_an_exit_takes_whatever_the_next_open_bids(registry: Registry) -> None:
    data = hours(
        (5000,) * 4, (5000, 5200, 5000, 5200), (5200, 5200, 4000, 4000), (100, 100, 100, 100),
        (100,) * 4,
    )  # fmt: skip
    bought, sold = Ran(config("Hours"), registry, data).fills
    assert (bought.price, sold.price, sold.reason) == (5200, 100, "signal")


@pytest.mark.parametrize(("low", "fills"), [(4000, 0), (3990, 1)])
def test_a_limit_that_rests_fills_when_a_later_bar_trades_through_it(
    registry: Registry, low: int, fills: int
) -> None:
    data = hours((5000,) * 4, (5000, 5000, low, 4500), (4500, 4500, 4500, 4500))
    found = Ran(config("Resting"), registry, data).fills
    assert len(found) == fills
    for fill in found:
        # The bar says not when; that it happened is known at its end.
        assert (fill.price, fill.ts, fill.maker) == (4000, START + 2 * HOUR - 1, True)


def test_a_resting_limit_does_not_profit_from_the_bar_it_was_decided_on(
    registry: Registry,
) -> None:
    data = hours((5000, 5000, 3000, 5000), (5000,) * 4, (5000,) * 4)
    assert Ran(config("Resting"), registry, data).fills == []


def test_half_the_spread_must_be_traded_through_too(registry: Registry) -> None:
    sim = {**BARE, "spread": "model", "half_spread_floor": [[0.5, 0.02]], "young_half_spread": []}
    barely = hours((5000,) * 4, (5000, 5000, 3850, 5000), (5000,) * 4)
    through = hours((5000,) * 4, (5000, 5000, 3700, 5000), (5000,) * 4)
    assert Ran(config("Resting", sim=sim), registry, barely).fills == []
    assert len(Ran(config("Resting", sim=sim), registry, through).fills) == 1


def test_a_declared_stop_is_carried_out_whatever_the_signals_say(registry: Registry) -> None:
    # Only a rising hour follows the fall: no signal asks to sell.
    data = hours(
        (5000,) * 4, (5000, 5200, 5000, 5200), (5200,) * 4, (4000, 5200, 4000, 5200), (5200,) * 4,
        (4500, 4500, 4500, 4500), (4400,) * 4, (4400,) * 4,
    )  # fmt: skip
    bought, sold = Ran(config("Stopped"), registry, data).fills[:2]
    assert (bought.price, sold.price, sold.reason) == (5200, 4400, "stop_loss")


def test_custom_exit_is_asked_on_bars(registry: Registry) -> None:
    data = hours(
        (5000,) * 4, (5000, 5200, 5000, 5200), (5200,) * 4, (6000,) * 4, (6100,) * 4, (6100,) * 4
    )
    bought, sold = Ran(config("Leaving"), registry, data).fills[:2]
    assert (bought.price, sold.price, sold.reason) == (5200, 6100, "custom:dear")


# ---- the end -------------------------------------------------------------------------------------


def test_what_is_left_open_is_valued_at_the_last_close(registry: Registry) -> None:
    data = hours((5000,) * 4, (5000, 5200, 5000, 5200), (5200, 5600, 5200, 5600))
    ran = Ran(config("Hours"), registry, data)
    (fill,) = ran.fills
    assert ran.made.engine.parts.bound[0].view.positions()
    assert ran.result == pytest.approx(fill.size / 1e6 * 0.04, abs=1e-4)


def test_close_at_end_sells_at_the_last_close_and_enters_no_more(registry: Registry) -> None:
    data = hours((5000,) * 4, (5000, 5200, 5000, 5200), (5200, 5600, 5200, 5600))
    for sim in (BARE, {**BARE, "latency_entry_ms": 250, "latency_cancel_ms": 300}):
        chosen = config("Hours", sim=sim, backtest={"close_at_end": True})
        bought, sold = Ran(chosen, registry, data).fills
        assert (sold.price, sold.reason, sold.size) == (5600, "end of data", bought.size)
    rising = hours((5000,) * 4, (5000, 5200, 5000, 5200))
    assert Ran(config("Hours", backtest={"close_at_end": True}), registry, rising).fills == []


def test_an_outcome_on_record_settles_and_nothing_is_sold(registry: Registry) -> None:
    known = START + 3 * HOUR + 1
    resolution = Resolution.winner(market(0), 0, known)
    data = hours(
        (5000,) * 4, (5000, 5200, 5000, 5200), (5200, 5600, 5200, 5600),
        resolutions={"m0": resolution},
    )  # fmt: skip
    ran = Ran(config("Hours", backtest={"close_at_end": True}), registry, data)
    (fill,) = ran.fills
    (settled,) = ran.of(fx.PositionSettled)
    assert (settled.shares, settled.payout) == (fill.size, 1_000_000)
    assert ran.result == pytest.approx(fill.size / 1e6 * (1 - 0.52), abs=1e-4)


# ---- longer bars, bars of prices -----------------------------------------------------------------


def test_hours_of_minutes_decide_when_the_hour_ends(registry: Registry) -> None:
    minutes = np.full((1, 240, 4), 5000)
    minutes[0, 60:120] = 5200
    minutes[0, 120] = 5300
    ran = Ran(config("Hours"), registry, recorded(bars_of(minutes), [market(0)]))
    first = ran.fills[0]
    assert (first.price, first.ts) == (5300, START + 2 * HOUR)
    signal = next(event for event in ran.events if isinstance(event, BarSignalled))
    assert (signal.ts, signal.bar.interval) == (START + 2 * HOUR - 1, HOUR)
    assert (signal.bar.open, signal.bar.close) == (5200, 5200)


def test_an_hour_that_ends_in_a_hole_is_heard_of_when_it_ends(registry: Registry) -> None:
    minutes = np.full((1, 240, 4), 5000)
    minutes[0, 60:] = 5200
    keep = np.ones(240, np.bool_)
    keep[100:130] = False
    ran = Ran(config("Hours"), registry, recorded(bars_of(minutes, keep=keep), [market(0)]))
    signal = next(event for event in ran.events if isinstance(event, BarSignalled))
    assert signal.ts == START + 2 * HOUR - 1
    assert ran.fills[0].ts == START + 130 * MINUTE


def prices_of(rows: Sequence[tuple[int, int, int]]) -> PriceColumns:
    ts, index, price = (np.array(column, np.int64) for column in zip(*sorted(rows), strict=True))
    return PriceColumns(
        START + ts * MINUTE, index.astype(np.int32), price, np.zeros(len(ts), np.uint8)
    )


def test_prices_alone_make_bars_and_orders_execute_on_the_prices(registry: Registry) -> None:
    rows = [(10, 0, 5000), (70, 0, 5200), (125, 0, 5300), (190, 0, 5300), (250, 0, 5300)]
    ran = Ran(config("Hours"), registry, recorded(None, [market(0)], prices=prices_of(rows)))
    (fill,) = ran.fills
    assert (fill.price, fill.ts) == (5300, START + 125 * MINUTE)
    signal = next(event for event in ran.events if isinstance(event, BarSignalled))
    assert signal.ts == START + 2 * HOUR - 1


def test_a_market_without_bars_has_those_of_its_prices(registry: Registry) -> None:
    bars = bars_of([[(5000,) * 4, (5000, 5200, 5000, 5200), (5300,) * 4, (5300,) * 4]], HOUR)
    rows = [(10, 1, 3000), (70, 1, 3200), (125, 1, 3300), (239, 1, 3300)]
    data = recorded(bars, [market(0), market(1)], prices=prices_of(rows))
    fills = {fill.market: fill for fill in Ran(config("Hours"), registry, data).fills}
    assert (fills["m0"].price, fills["m0"].ts) == (5300, START + 2 * HOUR)
    assert (fills["m1"].price, fills["m1"].ts) == (3300, START + 125 * MINUTE)


# ---- the journal ---------------------------------------------------------------------------------


class OnBars:
    """An engine whose books are moved to where they stood before each event."""

    def __init__(self, made: build.Session) -> None:
        self.engine, self.feed = made.engine, made.replay.feed

    def step(self, event: Event) -> Sequence[Any]:
        self.feed.seek(event)
        return self.engine.step(event)


def test_a_run_on_bars_is_audited_byte_for_byte(registry: Registry, tmp_path: Path) -> None:
    chosen = config("Levels", "Hours", sim={})
    data = recorded(bars_of(walk(3, 300, 9)), [market(n) for n in range(3)])
    header = Header(
        polyframe="0", api=1, code="", plugins="", session="S", seed=0, config="", universe="",
        level=RecordLevel.ALL, created=0,
    )  # fmt: skip

    def made(journal: JournalWriter) -> build.Session:
        return build.replay(chosen, registry, data, session="S", journal=journal)

    with JournalWriter.create(tmp_path / "run", header) as journal:
        made(journal).replay.run()
    reader = JournalReader(tmp_path / "run")
    found = audit(reader, lambda _: OnBars(made(JournalWriter.null())))
    assert found.difference is None
    assert any(isinstance(step.event, BarSignalled) for step in reader.steps())


# ---- refusals and honesty ------------------------------------------------------------------------


def test_bars_longer_than_the_timeframe_are_refused(registry: Registry) -> None:
    with pytest.raises(DataError, match="wants bars of 1m, recorded are 1h") as error:
        Ran(config("EmaCross"), registry, hours((5000,) * 4, (5000,) * 4))
    assert "multiple of 1h" in str(error.value)


def test_features_without_a_timeframe_are_refused(registry: Registry) -> None:
    with pytest.raises(PluginError, match="Blind has features and no timeframe"):
        Ran(config("Blind"), registry, hours((5000,) * 4))


def test_cutting_the_bars_finds_features_that_look_ahead(registry: Registry) -> None:
    data = recorded(bars_of(walk(2, 150, 5)), [market(0), market(1)])
    rng = np.random.default_rng(1)
    assert prefixes(config("Levels"), registry, data, cuts=5, rng=rng).differences == ()
    assert prefixes(config("Peeking"), registry, data, cuts=5, rng=rng).differences


def test_a_purchase_far_from_the_last_close_is_not_stopped_by_that_close(registry) -> None:
    # Bought at 0.60 while the last close is 0.10: what stood before is no loss on it.
    flat = [[900] * 4, [1000] * 4] + [[6000] * 4] * 4 + [[3000] * 4] * 3
    ran = Ran(config("Stopped"), registry, recorded(bars_of([flat], HOUR), [market(0)]))
    bought, sold = ran.fills[:2]
    assert (int(bought.side), bought.price) == (1, 6000)
    assert (int(sold.side), sold.price) == (-1, 3000)
    assert sold.ts - bought.ts == 5 * HOUR
