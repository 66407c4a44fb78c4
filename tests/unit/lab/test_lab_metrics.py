"""Figures of merit against reference vectors, slow twins and what they mean."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.domain.units import DAY, HOUR
from polyframe.errors import DataError
from polyframe.lab import metrics
from polyframe.lab.score_form import Interval


def test_equity_metrics_reproduce_the_reference(vectors) -> None:
    group = vectors["equity_metrics"]
    for case in group["cases"]:
        given_, wanted = case["in"], case["out"]
        found = metrics.equity_metrics(given_["equity"], given_["periods_per_year"])
        assert set(wanted) == set(found._fields)
        for name, value in wanted.items():
            assert getattr(found, name) == pytest.approx(value, rel=group["tolerance"]), name


@pytest.mark.parametrize("equity", [[], [1, 2], [1, 0, 2], [1, math.nan, 2], [1, -1, 2]])
def test_series_without_ratios_are_refused(equity) -> None:
    with pytest.raises(DataError, match="no ratios"):
        metrics.equity_metrics(equity, 365)


def test_ratios_of_a_flat_series_are_unknown_not_infinite() -> None:
    found = metrics.equity_metrics([5.0, 5.0, 5.0], 365)
    assert math.isnan(found.sharpe)
    assert math.isnan(found.calmar)
    assert found.max_drawdown == 0.0


@given(st.lists(st.integers(1, 1_000), min_size=1, max_size=60))
def test_drawdown_agrees_with_looking_at_every_pair(values) -> None:
    ts = np.arange(len(values), dtype=np.int64) * HOUR
    found = metrics.drawdown(ts, np.array(values, dtype=np.int64))
    assert found.amount == max(max(values[: n + 1]) - v for n, v in enumerate(values))
    assert values[found.peak] - values[found.trough] == found.amount
    assert found.peak <= found.trough
    # Water: from a peak to the first value that reaches it again, or to the end.
    wet, longest, n = 0, 0, 0
    while n < len(values) - 1:
        if values[n + 1] >= values[n]:
            n += 1
            continue
        back = next((k for k in range(n + 1, len(values)) if values[k] >= values[n]), None)
        end = len(values) - 1 if back is None else back
        wet, longest, n = wet + end - n, max(longest, end - n), end
    assert (found.under_water, found.longest) == (wet * HOUR, longest * HOUR)


def test_daily_values_carry_quiet_days_forward() -> None:
    ts = np.array([HOUR, 2 * HOUR, 3 * DAY + HOUR], dtype=np.int64)
    assert metrics.daily(ts, np.array([10, 11, 12])).tolist() == [11, 11, 11, 12]


def test_so_few_events_tell_nothing_whatever_they_show() -> None:
    few = Interval(0.2, 0.2, 0.2, 5)
    enough = Interval(0.2, 0.1, 0.3, 6)
    assert few.verdict == "not distinguishable from zero"
    assert enough.verdict == "above zero"
    # Allowing for many trials takes more of them.
    assert Interval(0.2, 0.1, 0.3, 6, 1 - 0.05 / 27).verdict == "not distinguishable from zero"
