"""What a tape shows, against dictionaries."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from polyframe.kernels import book_nb
from polyframe.kernels import survey_nb as nb

STEPS, TICK, DISTANCES = 20, 100, 4
BEGIN, END, CLEAR, LEVEL, TRADE = 5, 6, 9, 4, 7


def twin(rows, low, high):
    books, whole = {1: {}, -1: {}}, False
    best_bid, best_ask, held, depth = [], [], [], np.zeros((2, DISTANCES))
    for n, (ts, kind, side, price, size) in enumerate(rows):
        if kind in (BEGIN, CLEAR):
            books, whole = {1: {}, -1: {}}, False
        elif kind == END:
            whole = True
        elif kind == LEVEL:
            if price % TICK or not 0 < price < STEPS * TICK:
                return n, best_bid, best_ask, held, depth
            books[side][price // TICK] = size
        live = {side: [k for k, size in book.items() if size] for side, book in books.items()}
        bid, ask = max(live[1], default=0), min(live[-1], default=STEPS + 1)
        span = rows[n + 1][0] - ts if n + 1 < len(rows) and whole else 0
        best_bid.append(bid)
        best_ask.append(ask)
        held.append(span)
        if span and bid >= ask:
            return n, best_bid, best_ask, held, depth
        if span and bid and ask <= STEPS and low <= bid + ask <= high:
            for d in range(DISTANCES):
                depth[0, d] += books[1].get(bid - d, 0) * span
                depth[1, d] += books[-1].get(ask + d, 0) * span
    return nb.GOOD, best_bid, best_ask, held, depth


LEVELS = st.tuples(
    st.just(LEVEL),
    st.sampled_from([1, -1]),
    st.sampled_from([*range(100, 2_000, 100), 0, 150, 2_000]),
    st.sampled_from([0, 0, 3, 50]),
)
SANE = st.builds(
    lambda side, step, size: (LEVEL, side, (step if side > 0 else step + 10) * TICK, size),
    st.sampled_from([1, -1]), st.integers(1, 9), st.sampled_from([0, 3, 50]),
)  # fmt: skip
MARKS = st.sampled_from([(BEGIN, 0, 0, 0), (END, 0, 0, 0), (CLEAR, 0, 0, 0), (TRADE, 1, 500, 3)])


# Mostly books that can be: what cannot ends the run, and marks empty the book.
ROWS = st.integers(0, 29).flatmap(lambda n: LEVELS if n == 0 else MARKS if n == 1 else SANE)


@settings(max_examples=400)
@given(
    rows=st.lists(st.tuples(st.integers(0, 5), ROWS), max_size=60),
    begun=st.sampled_from([True, True, False]),
    low=st.sampled_from([0, 0, 14]),
    high=st.integers(14, 30),
)
def test_tops_and_depth(rows, begun, low, high):
    steps = [(0, (END, 0, 0, 0)), *rows] if begun else rows
    ts = np.cumsum([gap for gap, _ in steps], dtype=np.int64)
    told = [(int(t), *row) for t, (_, row) in zip(ts, steps, strict=True)]
    columns = [np.array(c, np.int64) for c in zip(*told, strict=True)] or [
        np.zeros(0, np.int64) for _ in range(5)
    ]
    for column in columns:
        column.flags.writeable = False
    state = np.zeros(book_nb.K_SIZE_OF, np.int64)
    state[[book_nb.K_TICK, book_nb.K_ONE]] = TICK, STEPS * TICK
    bids, asks = np.zeros(STEPS + 1, np.int64), np.zeros(STEPS + 1, np.int64)
    book_nb.wipe(state, bids, asks)
    found = [np.zeros(len(told), np.int64) for _ in range(3)]
    depth = np.zeros((2, DISTANCES))
    bad = nb.survey(state, bids, asks, *columns, low, high, *found, depth)
    where, *wanted, stood = twin(told, low, high)
    assert bad == where
    n = len(wanted[0])
    assert [column[:n].tolist() for column in found] == wanted
    assert depth.tolist() == stood.tolist()
