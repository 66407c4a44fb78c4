"""The mids of recorded books against dictionaries of levels, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
from book_tapes import MARKETS, tape_of
from hypothesis import given, settings
from hypothesis import strategies as st

from polyframe.exchanges.sim.exchange import SimExchange
from polyframe.runtime import tape_mids
from polyframe.runtime.tape_mids import Mids, read_mids
from polyframe.store.tape import TapeKind

K = TapeKind


def quoted(kind: int, inside: bool) -> bool:
    """A best price counts where no snapshot is being told."""
    return kind in (K.QUOTE_BID, K.QUOTE_ASK) and not inside


def twin(rows: list[tuple[int, ...]]) -> dict[int, list[tuple[int, int]]]:
    """Every change of bid + ask at the ends of updates."""
    books = {m: {1: {}, -1: {}} for m in range(2)}
    whole, inside, deep, tick = [False] * 2, [False] * 2, [False] * 2, [100] * 2
    found: dict[int, list[tuple[int, int]]] = {0: [], 1: []}
    for n, (ts, m, kind, side, price, size, more) in enumerate(rows):
        if m > 1:
            pass
        elif kind == K.LEVEL and price % tick[m] == 0 and 0 < price < 10_000:
            books[m][side].pop(price, None)
            if size:
                books[m][side][price] = size
        elif kind in (K.SNAPSHOT_BEGIN, K.CLEAR):
            books[m], whole[m], inside[m] = {1: {}, -1: {}}, False, kind == K.SNAPSHOT_BEGIN
            deep[m] = False
        elif kind == K.SNAPSHOT_END and inside[m]:
            whole[m], inside[m], deep[m] = True, False, True
        elif kind == K.TICK and price != tick[m]:
            if tick[m] % price:
                books[m], whole[m], inside[m] = {1: {}, -1: {}}, False, False
                deep[m] = False
            tick[m] = price
        elif quoted(kind, inside[m]) and price % tick[m] == 0 and price < 10_000:
            way = 1 if kind == K.QUOTE_BID else -1
            behind = books[m][way] if deep[m] and price and size else {}
            books[m][way] = {p: s for p, s in behind.items() if (p - price) * way < 0}
            if price and size:
                books[m][way][price] = size
            whole[m] = True
        if more and n + 1 < len(rows):
            continue
        for k in range(2):
            bids, asks = books[k][1], books[k][-1]
            there = whole[k] and bids and asks and max(bids) < min(asks)
            mid = max(bids) + min(asks) if there else 0
            if mid != (found[k][-1][1] if found[k] else 0):
                found[k].append((ts, mid))
    return found


ROWS = st.tuples(
    st.integers(0, 3), st.integers(0, 2),
    st.sampled_from([*[K.LEVEL] * 12, K.SNAPSHOT_BEGIN, *[K.SNAPSHOT_END] * 3, K.CLEAR, K.TRADE,
                     K.TICK, K.QUOTE_BID, K.QUOTE_ASK]),
    st.sampled_from([1, -1]), st.integers(1, 99), st.integers(0, 3), st.booleans(),
)  # fmt: skip


def drawn(rows: list[tuple[Any, ...]]) -> list[tuple[int, ...]]:
    """Rows whose times ascend, whole in both markets at first."""
    start = [(0, m, K.SNAPSHOT_BEGIN, 0, 0, 0, True) for m in range(2)]
    ends = [(0, m, K.SNAPSHOT_END, 0, 0, 0, True) for m in range(2)]
    out: list[tuple[int, ...]] = [*start, *ends]
    ts = 1
    for gap, m, kind, side, level, size, more in rows:
        ts += 0 if out[-1][6] else gap
        priced = kind in (K.LEVEL, K.QUOTE_BID, K.QUOTE_ASK)
        told = priced or kind == K.TRADE
        price = 100 * level if priced else level if told else 0
        if kind == K.TICK:
            price = 1 if level % 2 else 100
        way = side if kind in (K.LEVEL, K.TRADE) else 0
        out.append((ts, m, int(kind), way, price, size * 1_000_000 if told else 0, more))
    return [tuple(int(v) for v in row) for row in [*out[:-1], (*out[-1][:6], False)]]


def read(rows: list[tuple[int, ...]], cuts: int = 1) -> Mids:
    return read_mids(tape_of(rows, cuts), MARKETS, SimExchange(SimExchange.Config()))


@settings(max_examples=150, deadline=None)
@given(st.lists(ROWS, min_size=3, max_size=60), st.integers(1, 3))
def test_mids_are_those_of_plain_books(rows, cuts) -> None:
    made = drawn(rows)
    found, expected = read(made, cuts), twin(made)
    for m in range(2):
        # Of several changes at one moment the last one stands.
        moments = np.unique([row[0] for row in made])
        stands = [next((v for t, v in reversed(expected[m]) if t <= ts), 0) for ts in moments]
        assert found.at(m, moments).tolist() == stands


def test_a_full_table_goes_on_where_it_stopped(monkeypatch) -> None:
    rows = [(0, 0, K.SNAPSHOT_BEGIN, 0, 0, 0, 1), (0, 0, K.LEVEL, -1, 9000, 1, 1),
            (0, 0, K.SNAPSHOT_END, 0, 0, 0, 0)]  # fmt: skip
    rows += [(n, 0, K.LEVEL, 1, 100 * n, 1, 0) for n in range(1, 80)]
    whole = read(rows)
    monkeypatch.setattr(tape_mids, "ROOM", 5)
    small = read(rows)
    expected = [9000 + 100 * n for n in range(1, 80)]
    assert whole.twice[0].tolist() == small.twice[0].tolist() == expected


def test_before_and_at_a_moment() -> None:
    rows = [(5, 0, K.SNAPSHOT_BEGIN, 0, 0, 0, 1), (5, 0, K.LEVEL, 1, 4000, 1, 1),
            (5, 0, K.LEVEL, -1, 4200, 1, 1), (5, 0, K.SNAPSHOT_END, 0, 0, 0, 0),
            (9, 0, K.LEVEL, 1, 4100, 1, 0)]  # fmt: skip
    found = read(rows)
    moments = np.array([4, 5, 6, 9, 10])
    assert found.at(0, moments).tolist() == [0, 8200, 8200, 8300, 8300]
    assert found.before(0, moments).tolist() == [0, 0, 8200, 8200, 8300]
    assert found.at(1, moments).tolist() == [0] * 5
