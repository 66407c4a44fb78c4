"""Latency between probes, against exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polyframe.kernels import latency_nb as nb

MS = 1_000_000
PROBES = st.lists(
    st.tuples(st.integers(1, 10**12), st.integers(0, 10**10)), min_size=1, max_size=12
)


def columns(probes):
    ts = np.cumsum([gap for gap, _ in probes]).astype(np.int64)
    took = np.array([value for _, value in probes], np.int64)
    for column in (ts, took):
        column.flags.writeable = False
    return ts, took


@given(probes=PROBES, now=st.integers(-(10**12), 2 * 10**13))
def test_between_probes_the_line_before_and_after_them_they_themselves(probes, now) -> None:
    ts, took = columns(probes)
    found = nb.at(ts, took, now)
    after = int(np.searchsorted(ts, now, side="right"))
    if after == 0 or after == len(ts):
        assert found == took[0 if after == 0 else -1]
        return
    a, b = after - 1, after
    part = Fraction(now - int(ts[a]), int(ts[b] - ts[a]))
    exact = int(took[a]) + part * (int(took[b]) - int(took[a]))
    # Floats hold 53 bits: the last of ten thousand million ns may differ.
    assert abs(found - math.ceil(exact)) <= 2


def test_a_single_probe_is_a_constant() -> None:
    ts, took = columns([(5, 250 * MS)])
    assert {nb.at(ts, took, now) for now in (-1, 5, 10**15)} == {250 * MS}
