"""How many orders went out lately, against a list that is counted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polyframe.kernels import pace_nb
from polyframe.kernels import tables_nb as t


@given(
    gaps=st.lists(st.integers(0, 5), max_size=80),
    ring=st.integers(1, 40),
    back=st.integers(-2, 200),
)
def test_orders_since_a_moment(gaps, ring, back) -> None:
    account = np.zeros((t.A_SIZE_OF, 2), np.int64)
    pace = np.zeros((2, ring), np.int64)
    times = np.cumsum(gaps).tolist()
    for ts in times:
        pace_nb.sent(account, pace, 0, ts, 1)
    moment = (times[-1] if times else 0) - back
    wanted = min(sum(ts > moment for ts in times), ring)
    for row in (0, 1):
        assert pace_nb.since(pace, row, int(account[t.A_ORDERS, row]), moment) == wanted


@given(
    steps=st.lists(st.tuples(st.integers(0, 5), st.integers(-3, 9)), max_size=60),
    ring=st.integers(1, 20),
)
def test_where_one_asked_last_changes_nothing(steps, ring) -> None:
    account = np.zeros((t.A_SIZE_OF, 2), np.int64)
    pace = np.zeros((2, ring), np.int64)
    asked = np.zeros(1, np.int64)
    now = 0
    for gap, back in steps:
        now += gap
        pace_nb.sent(account, pace, 0, now, 1)
        count = int(account[t.A_ORDERS, 0])
        # Backwards, too: some ask about a moment that lies before the one asked about last.
        wanted = pace_nb.since(pace, 0, count, now - back)
        assert pace_nb.lately(pace, 0, count, now - back, asked, 0) == wanted
