"""Timeframes and longer bars, as a strategy uses them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe import DataError, as_known, resample
from polyframe.domain.units import DAY, HOUR, MINUTE
from polyframe.quant.bars import timeframe_ns, timeframe_text

START = 1_767_225_600_000_000_000


def frame(minutes: list[int], closes: list[float], step: int = 5) -> pd.DataFrame:
    """Bars of ``step`` minutes that begin so many minutes after the start."""
    ends = START + np.array(minutes, dtype=np.int64) * MINUTE + step * MINUTE - 1
    close = np.array(closes)
    return pd.DataFrame(
        {"open": close - 0.01, "high": close + 0.02, "low": close - 0.02, "close": close,
         "volume": 1.0},
        index=pd.DatetimeIndex(pd.to_datetime(ends, unit="ns", utc=True), name="ts"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "ns"), [("1m", MINUTE), ("15m", 15 * MINUTE), ("4h", 4 * HOUR), ("1d", DAY)]
)
def test_a_timeframe_is_a_number_and_a_unit(text: str, ns: int) -> None:
    assert timeframe_ns(text) == ns
    assert timeframe_text(ns) == text


@pytest.mark.parametrize("text", ["", "m", "0m", "1w", "1.5h", "-1m", "1h ", "60s", None])
def test_what_is_no_timeframe_is_refused(text: object) -> None:
    with pytest.raises(DataError, match="is none"):
        timeframe_ns(text)  # type: ignore[arg-type]


def test_an_hour_is_made_of_its_bars_and_the_unfinished_one_is_left_out() -> None:
    bars = frame([0, 5, 55, 60, 115, 120], [0.5, 0.6, 0.4, 0.7, 0.8, 0.9])
    hours = resample(bars, "1h")
    assert [t.value for t in hours.index] == [START + HOUR - 1, START + 2 * HOUR - 1]
    assert hours["open"].tolist() == pytest.approx([0.49, 0.69])
    assert hours["high"].tolist() == pytest.approx([0.62, 0.82])
    assert hours["low"].tolist() == pytest.approx([0.38, 0.68])
    assert hours["close"].tolist() == pytest.approx([0.4, 0.8])
    assert hours["volume"].tolist() == [3.0, 2.0]


def test_a_longer_bar_is_seen_from_its_end_on_and_not_before() -> None:
    bars = frame([0, 30, 55, 60, 90, 115, 120], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    seen = as_known(bars, resample(bars, "1h"))["close"]
    assert seen.isna().tolist() == [True, True, False, False, False, False, False]
    assert seen.dropna().tolist() == pytest.approx([0.3, 0.3, 0.3, 0.6, 0.6])
    assert seen.index.equals(bars.index)


def test_an_hour_that_ended_in_a_hole_is_seen_at_the_next_bar() -> None:
    bars = frame([0, 60], [0.1, 0.2])
    seen = as_known(bars, resample(bars, "1h"))["close"]
    assert seen.isna().tolist() == [True, False]


@given(
    st.lists(st.tuples(st.integers(0, 80), st.floats(0.1, 0.9)), min_size=2, max_size=50,
             unique_by=lambda row: row[0]),
    st.integers(1, 50), st.sampled_from(["15m", "1h", "4h"]),
)  # fmt: skip
def test_nothing_seen_changes_when_later_bars_are_taken_away(
    rows: list[tuple[int, float]], cut: int, timeframe: str
) -> None:
    rows = sorted(rows)
    bars = frame([5 * k for k, _ in rows], [c for _, c in rows])
    whole = as_known(bars, resample(bars, timeframe)).iloc[:cut]
    part = bars.iloc[:cut]
    pd.testing.assert_frame_equal(
        whole, as_known(part, resample(part, timeframe)), check_dtype=False
    )


def test_frames_that_are_no_bars_are_refused() -> None:
    bars = frame([0, 5], [0.1, 0.2])
    with pytest.raises(DataError, match="indexed by RangeIndex"):
        resample(bars.reset_index(drop=True), "1h")
    with pytest.raises(DataError, match="longer bars are not in ascending time"):
        as_known(bars, bars.iloc[::-1])
