"""Columns of amounts and times as the exact texts that one by one would give."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polyframe.domain.units import format_units
from polyframe.lab.columns import added, numbered
from polyframe.lab.summary import moment
from polyframe.lab.texts import amounts, mixed_amounts, moments

INTS = st.lists(st.integers(-(2**62), 2**62), max_size=20)


@given(INTS, st.integers(0, 8))
def test_amounts_are_those_of_the_units(values, decimals) -> None:
    column = np.array(values, dtype=np.int64)
    assert amounts(column, decimals) == [format_units(v, decimals) for v in values]


@given(st.lists(st.tuples(st.integers(-(10**9), 10**9), st.sampled_from([2, 4, 6])), max_size=9))
def test_decimals_may_differ_by_row(rows) -> None:
    values, places = (np.array([row[k] for row in rows], dtype=np.int64) for k in (0, 1))
    assert mixed_amounts(values, places) == [format_units(v, d) for v, d in rows]


@given(st.lists(st.integers(0, 4 * 10**18), max_size=20))
def test_moments_are_iso_texts(times) -> None:
    assert moments(np.array(times, dtype=np.int64)) == [moment(ts) for ts in times]


@given(st.lists(st.integers(0, 5), max_size=20))
def test_numbers_count_in_the_order_of_appearance(values) -> None:
    seen = list(dict.fromkeys(values))
    column = np.array(values, dtype=np.int64)
    assert numbered(column).tolist() == [seen.index(v) for v in values]
    big = np.full(len(values), 2**60, dtype=np.int64)
    assert added(column, big // 16, 6).tolist() == [values.count(k) * 2**56 for k in range(6)]
