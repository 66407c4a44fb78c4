"""Rows told apart by market, against numpy's own sorting."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polyframe.quant.split import by_code, last_rows

CODES = st.lists(st.integers(0, 6), max_size=60).map(lambda rows: np.array(rows, np.int32))


@given(codes=CODES)
def test_rows_stand_code_by_code_in_their_order(codes) -> None:
    order, spans = by_code(codes, 7)
    np.testing.assert_array_equal(order, np.argsort(codes, kind="stable"))
    assert [span.stop - span.start for span in spans] == np.bincount(codes, minlength=7).tolist()
    for code, span in enumerate(spans):
        assert (codes[order[span]] == code).all()


@given(codes=CODES)
def test_the_last_row_of_each_code_that_has_one(codes) -> None:
    wanted = sorted(int(np.flatnonzero(codes == code)[-1]) for code in set(codes.tolist()))
    assert last_rows(codes, 7).tolist() == wanted
