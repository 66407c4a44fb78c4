"""The tables that a compiled run over a tape writes."""

from __future__ import annotations

import numpy as np
import pytest

from polyframe.kernels import l2logs_nb as lg
from polyframe.runtime.tape_log import Log

COUNTS = {
    "reviews": lg.N_REVIEWS, "told": lg.N_TOLD, "pulled": lg.N_PULLED, "cases": lg.N_CASES,
}  # fmt: skip


@pytest.mark.parametrize("most", [1, 50_000, 3_000_000])
def test_there_is_room_for_what_one_moment_of_many_markets_brings(most: int) -> None:
    """However little of a table is full: else the loop would ask for room again, for ever."""
    log = Log()
    for name, count in COUNTS.items():
        log.plan[count] = 3
        getattr(log, name)[:3] = np.arange(3)[:, None]
    log.grow(most)
    for name, count in COUNTS.items():
        table = getattr(log, name)
        assert len(table) - log.plan[count] > most
        np.testing.assert_array_equal(log.rows(name, count)[:, 0], [0, 1, 2])


def test_tables_with_room_stay_where_they_are() -> None:
    log = Log()
    before = log.tables
    log.grow(1)
    assert all(a is b for a, b in zip(before, log.tables, strict=True))
