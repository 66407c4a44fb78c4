"""The next bar that matters, beside a walk in plain Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polyframe.kernels import bars_nb as nb
from polyframe.kernels import tables_nb as t
from polyframe.kernels.signals_nb import ENTER, EXIT, WAKE, matters, next_row

bits = st.sampled_from([0, 0, ENTER, EXIT, WAKE, ENTER | EXIT, ENTER | WAKE])


def plain(bits: int, shares: int) -> bool:
    """As a person would say it."""
    wakes, leaves, enters = bool(bits & WAKE), bool(bits & EXIT), bool(bits & ENTER)
    return wakes or (leaves if shares else enters)


@given(bits, st.sampled_from([0, 1, 10**12]))
def test_a_signal_matters_when_it_changes_what_is_held(signal: int, shares: int) -> None:
    assert bool(matters(signal, shares)) == plain(signal, shares)


@given(st.data())
def test_the_next_row_is_the_first_that_a_plain_walk_finds(data: st.DataObject) -> None:
    markets, strategies = data.draw(st.integers(1, 3)), data.draw(st.integers(0, 2))
    rows = data.draw(st.integers(0, 30))
    ts = np.sort(
        np.array(data.draw(st.lists(st.integers(0, 20), min_size=rows, max_size=rows)), np.int64)
    )
    ints = lambda lo, hi, n: data.draw(st.lists(st.integers(lo, hi), min_size=n, max_size=n))  # noqa: E731
    market = np.array(ints(0, markets - 1, rows), np.int32)
    signals = np.array(
        data.draw(st.lists(bits, min_size=rows * strategies, max_size=rows * strategies)), np.uint8
    ).reshape(strategies, rows)
    shares = np.array(ints(0, 1, strategies * markets), np.int64).reshape(strategies, markets)
    book = np.zeros((markets, nb.B_SIZE_OF), np.int64)
    book[:, nb.B_TOKEN] = 2 * np.arange(markets)
    tokens = np.zeros((t.T_SIZE_OF, strategies + 1, 2 * markets), np.int64)
    tokens[t.T_SHARES, :strategies, ::2] = shares
    cursor, until = data.draw(st.integers(0, rows)), data.draw(st.integers(0, 21))
    stop = data.draw(st.integers(cursor, rows))
    found = next_row(ts, market, signals, cursor, stop, until, book, tokens)
    expected = next(
        (
            row
            for row in range(cursor, stop)
            if ts[row] <= until
            and any(
                plain(int(signals[k, row]), int(shares[k, market[row]])) for k in range(strategies)
            )
        ),
        stop,
    )
    assert found == expected
