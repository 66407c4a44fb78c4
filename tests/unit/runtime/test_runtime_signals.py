"""Features computed for all bars at once and bar by bar, and what of an answer is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe import BarClosed, PluginError, Strategy, as_known, resample
from polyframe.domain.units import HOUR, MINUTE
from polyframe.kernels.signals_nb import ENTER, EXIT, WAKE
from polyframe.runtime.calls import PluginCalls
from polyframe.runtime.signals import Rolling, frames_of, signals_of
from polyframe.store.bar_columns import BarColumns
from polyframe.testing.builders import START, build_market

MARKETS = [build_market("a"), build_market("b")]
SHARE = 10**6


def bars_of(closes: dict[int, list[int]], interval: int = HOUR) -> BarColumns:
    """Bars whose open is the close before, by market."""
    rows = []
    for m, values in closes.items():
        for k, close in enumerate(values):
            opened = values[k - 1] if k else close
            start = START + k * interval
            rows.append((start + interval - 1, start, m, opened, close))
    rows.sort()
    ts, start, market, opened, close = (np.array(c, np.int64) for c in zip(*rows, strict=True))
    small = [c.astype(np.int32) for c in (market, opened, np.maximum(opened, close),
                                          np.minimum(opened, close), close)]  # fmt: skip
    return BarColumns(ts, start, *small, np.full(len(ts), 3 * SHARE), interval)


def asked(strategy: Strategy, bars: BarColumns) -> Any:
    return signals_of(PluginCalls(), type(strategy).__name__, strategy, bars, MARKETS)


class Cross(Strategy):
    """Short mean over long mean."""

    timeframe = "1h"
    startup_bars = 3

    def features(self, bars):
        up = bars["close"].rolling(2).mean() > bars["close"].rolling(4).mean()
        was = up.shift(1, fill_value=False)
        bars["enter"] = up & ~was
        bars["exit"] = was & ~up
        bars["probability"] = bars["close"].rolling(2).mean().where(bars["enter"])
        return bars

    def on_bar(self, event, view):
        return ()


class Plain(Strategy):
    timeframe = "1h"
    startup_bars = 1

    def on_bar(self, event, view):
        return ()


def test_features_get_fractions_shares_and_the_last_moment_of_each_bar() -> None:
    frames = frames_of(bars_of({0: [5000, 6000], 1: [100]}), MARKETS)
    a = frames["a"]
    assert a.index[0] == pd.Timestamp(START + HOUR - 1, tz="UTC")
    assert list(a.columns) == ["open", "high", "low", "close", "volume"]
    assert a["close"].tolist() == [0.5, 0.6]
    assert a["volume"].tolist() == [3.0, 3.0]
    assert frames["b"]["close"].tolist() == [0.01]


def test_startup_bars_give_no_signal_and_the_rest_do() -> None:
    class Always(Strategy):
        timeframe = "1h"
        startup_bars = 2

        def features(self, bars):
            bars["enter"] = True
            return bars

    found = asked(Always(), bars_of({0: [5000] * 4, 1: [5000] * 3}))
    assert found.bits.tolist() == [0, 0, 0, 0, ENTER, ENTER, ENTER]


def test_without_features_every_bar_wakes_whoever_listens() -> None:
    assert asked(Plain(), bars_of({0: [5000] * 3})).bits.tolist() == [0, WAKE, WAKE]
    assert asked(Strategy(), bars_of({0: [5000] * 3})).bits.tolist() == [0, 0, 0]


def test_columns_of_other_names_wake_on_every_bar_too() -> None:
    class Means(Plain):
        def features(self, bars):
            bars["mean"] = bars["close"].mean()
            return bars

    assert asked(Means(), bars_of({0: [5000] * 3})).bits.tolist() == [0, WAKE, WAKE]


class Answering(Strategy):
    """Answers what a test puts into its hand."""

    timeframe = "1h"

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer

    def features(self, bars):
        return self.answer(bars)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda b: None, "answered NoneType"),
        (lambda b: b.iloc[1:], "answered 2 rows for 3 bars"),
        (lambda b: b.reset_index(drop=True), "indexed otherwise"),
        (lambda b: b.drop(columns="open"), "changed the column open"),
        (lambda b: b.assign(close=b["close"] + 0.1), "changed the column close"),
        (lambda b: b.assign(enter=1), "column enter has type int64"),
        (lambda b: b.assign(exit=1.0), "column exit has type float64"),
        (lambda b: b.assign(wake=[True, None, True]), "column wake has type object and 1 missing"),
        (lambda b: b.assign(probability=1.2), "column probability is 1.2 in row 0"),
        (lambda b: b.assign(edge=-2.0), "column edge is -2 in row 0"),
        (lambda b: b.assign(probability="high"), "column probability has type"),
        (lambda b: pd.concat([b, b[["open"]]], axis=1), "of one name|changed the column open"),
        (lambda b: 1 / 0, "raised ZeroDivisionError"),
    ],
)
def test_an_answer_that_cannot_be_used_names_class_market_and_what_was_expected(
    answer: Any, said: str
) -> None:
    with pytest.raises(PluginError, match=said) as error:
        asked(Answering(answer), bars_of({1: [5000, 5100, 5200]}))
    assert "Answering.features (market b)" in str(error.value)
    if "raised" not in said:
        assert error.value.expected


def test_changing_the_bars_in_place_is_found() -> None:
    def spoil(bars):
        bars.loc[bars.index[0], "close"] = 0.9
        return bars

    with pytest.raises(PluginError, match="changed the column close"):
        asked(Answering(spoil), bars_of({0: [5000, 5100]}))


def test_nothing_stated_is_none() -> None:
    found = asked(Answering(lambda b: b.assign(enter=True, edge=np.nan)), bars_of({0: [5000]}))
    assert found.probability is None
    assert np.isnan(found.edge[0])


# ---- bar by bar ----------------------------------------------------------------------------------


def one_by_one(strategy: Strategy, bars: BarColumns, window: int = 0) -> list[Any]:
    rolling = Rolling(PluginCalls(), type(strategy).__name__, strategy, MARKETS, window=window)
    events = []
    for k in range(len(bars)):
        token = MARKETS[bars.market[k]].yes.id
        bar = BarClosed(
            int(bars.ts[k]), token, int(bars.open[k]), int(bars.high[k]), int(bars.low[k]),
            int(bars.close[k]), int(bars.volume[k]), bars.interval,
        )  # fmt: skip
        events.append(rolling.closed(bar))
    return events


def compared(strategy: Strategy, bars: BarColumns, window: int) -> None:
    bulk = asked(strategy, bars)
    events = one_by_one(strategy, bars, window)
    for k, event in enumerate(events):
        bits = int(bulk.bits[k])
        assert (event is None) == (bits == 0)
        if event is not None:
            got = ENTER * event.enter + EXIT * event.exit + WAKE * event.wake
            assert got == bits
            stated = bulk.probability[k] if bulk.probability is not None else np.nan
            expected = None if np.isnan(stated) else pytest.approx(stated)
            assert event.probability == expected


prices = st.lists(st.integers(1, 9999), min_size=1, max_size=25)


@given(prices, prices)
def test_bar_by_bar_gives_what_all_at_once_gives(a: list[int], b: list[int]) -> None:
    compared(Cross(), bars_of({0: a, 1: b}), window=6)
    compared(Plain(), bars_of({0: a, 1: b}), window=2)


class TwoFrames(Strategy):
    """Enters in an hour that began above the hours before."""

    timeframe = "15m"

    def features(self, bars):
        hours = resample(bars, "1h")
        hours["mean"] = hours["close"].rolling(2).mean()
        bars["enter"] = bars["close"] > as_known(bars, hours)["mean"]
        return bars


@given(prices)
def test_longer_bars_are_known_alike_bar_by_bar(closes: list[int]) -> None:
    compared(TwoFrames(), bars_of({0: closes}, 15 * MINUTE), window=100)
