"""Markouts against a search through all mids."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polyframe.kernels import markout_nb as nb


def columns(rows, width):
    found = [np.array(c, np.int64) for c in zip(*rows, strict=True)] or [
        np.zeros(0, np.int64)
    ] * width
    for column in found:
        column.flags.writeable = False
    return found


def twin(fill, mids, horizon, stale):
    ts, side, price = fill
    moment = ts + horizon
    known = [(at, mid) for at, mid in mids if at <= moment]
    if not known or moment - known[-1][0] > stale or all(at < moment for at, _ in mids):
        return nb.MISSING
    return side * (known[-1][1] - 2 * price)


TIMES = st.integers(0, 200)


@given(
    fills=st.lists(st.tuples(TIMES, st.sampled_from([1, -1]), st.integers(1, 99)), max_size=20),
    mids=st.lists(st.tuples(TIMES, st.integers(2, 198)), max_size=30),
    horizon=st.integers(0, 60),
    stale=st.integers(0, 80),
)
def test_markouts(fills, mids, horizon, stale) -> None:
    fills, mids = sorted(fills, key=lambda f: f[0]), sorted(mids, key=lambda m: m[0])
    out = np.zeros(len(fills), np.int64)
    nb.markouts(*columns(fills, 3), *columns(mids, 2), horizon, stale, out)
    assert out.tolist() == [twin(fill, mids, horizon, stale) for fill in fills]
