"""Leaks of every kind are found; honest features pass."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from polyframe.errors import PluginError
from polyframe.lab.causal import recursion, truncation


def frame(seed: int = 0, bars: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    close = 0.5 + np.cumsum(rng.normal(0, 0.002, bars))
    index = pd.date_range("2026-01-01", periods=bars, freq="1h", tz="UTC")
    opened = np.append(close[:1], close[:-1])
    values = {"open": opened, "high": close + 0.01, "low": close - 0.01, "close": close}
    return pd.DataFrame({**values, "volume": 1.0}, index=index)


FRAMES = {"m1": frame(1), "m2": frame(2)}


def cut(features, frames=FRAMES, cuts=20):
    return truncation(features, frames, cuts=cuts, rng=np.random.default_rng(1))


def ema(bars):
    bars["ema"] = bars["close"].ewm(span=12, adjust=False).mean()
    bars["enter"] = bars["close"] > bars["ema"]
    bars["exit"] = ~bars["enter"]
    return bars


def rolling(bars):
    bars["mean"] = bars["close"].rolling(24).mean()
    bars["rank"] = bars["close"].expanding().rank(pct=True)
    bars["past"] = bars["close"].shift(3)
    bars["enter"] = bars["close"] > bars["mean"]
    return bars


@pytest.mark.parametrize("features", [ema, rolling])
def test_honest_features_pass(features):
    found = cut(features)
    assert found.clean
    assert (found.cuts, found.markets) == (20, 2)
    assert "enter" in found.columns


def future(bars):
    bars["next"] = bars["close"].shift(-1)
    bars["enter"] = bars["next"] > bars["close"]
    return bars


def centred(bars):
    bars["smooth"] = bars["close"].rolling(11, center=True).mean()
    bars["enter"] = bars["close"] < bars["smooth"]
    return bars


def normalised(bars):
    bars["z"] = (bars["close"] - bars["close"].mean()) / bars["close"].std()
    bars["enter"] = bars["z"] < -1
    return bars


def filled_back(bars):
    bars["level"] = bars["close"].where(bars["close"] > bars["close"].shift(1)).bfill()
    bars["enter"] = bars["level"] > bars["close"]
    return bars


def daily(bars):
    bars["day"] = bars["close"].resample("1D").last().reindex(bars.index, method="ffill")
    bars["enter"] = bars["day"] > bars["close"]
    return bars


@pytest.mark.parametrize(
    ("features", "column"),
    [
        (future, "next"),
        (centred, "smooth"),
        (normalised, "z"),
        (filled_back, "level"),
        (daily, "day"),
    ],
)
def test_a_look_ahead_is_found_with_its_column(features, column):
    found = cut(features)
    leaks = {leak.column: leak for leak in found.leaks}
    assert column in leaks
    leak = leaks[column]
    assert 0 < leak.changed <= found.cuts
    assert leak.first is not None
    assert leak.first.market in FRAMES
    assert leak.first.whole != leak.first.cut


def test_a_leak_into_a_reserved_column_comes_first():
    assert cut(future).leaks[0].column == "enter"
    assert cut(future).leaks[0].reserved


def test_a_column_that_only_exists_with_the_future_is_a_leak():
    def late(bars):
        if len(bars) == 300:
            bars["more"] = 1.0
        return bars

    assert [leak.column for leak in cut(late).leaks] == ["more"]


def test_chance_is_named():
    rng = np.random.default_rng()

    def noisy(bars):
        bars["noise"] = rng.normal(size=len(bars))
        return bars

    found = cut(noisy)
    assert found.unstable == ("noise",)
    assert not found.clean


def test_memory_of_other_markets_is_named():
    seen: list[float] = []

    def remembering(bars):
        first = float(bars["close"].iloc[0])
        if first not in seen:
            seen.append(first)
        bars["others"] = float(len(seen))
        return bars

    assert cut(remembering).remembering == ("others",)


def test_prices_that_come_back_changed_are_named():
    def overwriting(bars):
        bars["close"] = bars["close"].rolling(3).mean()
        return bars

    assert cut(overwriting).overwritten == ("close",)


@pytest.mark.parametrize(
    "answer", [lambda bars: None, lambda bars: bars.dropna().iloc[1:], lambda bars: bars[::-1]]
)
def test_an_answer_over_other_rows_is_refused(answer):
    with pytest.raises(PluginError, match="features answered"):
        cut(answer)


def test_too_few_bars_are_refused():
    with pytest.raises(PluginError, match="no market has 8 bars, the longest has 5"):
        cut(ema, {"m": frame(3, 5)})


def needs(startup: int, features=ema, **options):
    return recursion(
        features, {"m": frame(5, 3000)}, startup=startup, rows=20,
        rng=np.random.default_rng(1), **options,
    )  # fmt: skip


def test_a_recursive_indicator_needs_more_history_than_its_span():
    found = needs(6, tolerance=1e-6)
    assert [length.bars for length in found.lengths][:4] == [6, 12, 24, 48]
    off = [length.off["ema"] for length in found.lengths]
    assert off == sorted(off, reverse=True)
    assert found.enough is not None
    assert found.enough > 24


def test_a_window_needs_its_length_and_no_more():
    found = needs(6, rolling)
    first = found.lengths[0]
    assert first.off["mean"] == 1.0
    short = [length.bars for length in found.lengths if length.off["mean"] > 1e-9]
    assert short == [6, 12]


def test_signals_that_change_are_counted():
    def since_start(bars):
        bars["enter"] = np.arange(len(bars)) % 7 == 0
        return bars

    found = needs(10, since_start)
    assert found.enough is None
    assert all(length.signals > 0 for length in found.lengths)


def test_a_history_too_short_to_compare_gives_no_lengths():
    found = recursion(ema, {"m": frame(1, 10)}, startup=50, rows=5, rng=np.random.default_rng(1))
    assert found.lengths == []
    assert found.enough is None
