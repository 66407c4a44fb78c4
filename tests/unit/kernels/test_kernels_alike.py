"""Correlated markets, against the textbook's formula on the same samples."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polyframe.domain.units import HOUR
from polyframe.kernels import alike_nb
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import tables_nb as t

WINDOW = 96 * HOUR
START = 500_000 * HOUR


class Twin:
    """All mids there ever were, by hour."""

    def __init__(self, markets: int = 2) -> None:
        self.book = np.zeros((markets, nb.B_SIZE_OF), dtype=np.int64)
        self.history = np.zeros((markets, 4), dtype=np.int32)
        self.grid = np.zeros((markets, nb.GRID), dtype=np.int32)
        self.mids: list[dict[int, int]] = [{} for _ in range(markets)]

    def quote(self, m: int, ts: int, bid: int, ask: int, trusted: int = 1) -> None:
        nb.set_quote(self.book, self.history, self.grid, m, ts, bid, ask, trusted)
        if trusted and bid and ask:
            self.mids[m][ts // HOUR] = bid + ask

    def correlation(self, now: int, window: int, samples: int) -> float:
        hour = now // HOUR
        newest = max(max(mids, default=0) for mids in self.mids)
        first = max(hour - min(window // HOUR, nb.GRID) + 1, newest - nb.GRID + 1)
        common = [h for h in range(first, hour + 1) if all(h in mids for mids in self.mids)]
        if len(common) < max(samples, 3):
            return 0.0
        a, b = ([mids[h] for h in common] for mids in self.mids)
        x, y = np.diff(a).astype(float), np.diff(b).astype(float)
        if x.std() == 0.0 or y.std() == 0.0:
            return 0.0
        return float(np.corrcoef(x, y)[0, 1])


QUOTES = st.lists(
    st.tuples(
        st.integers(0, 1), st.integers(0, 3 * HOUR), st.integers(1, 60), st.integers(0, 9)
    ),
    min_size=20,
    max_size=200,
)  # fmt: skip


@given(QUOTES, st.sampled_from((WINDOW, 20 * HOUR, 500 * HOUR)), st.sampled_from((3, 8, 24)))
def test_the_correlation_is_that_of_the_common_hours(quotes, window, samples):
    twin, now = Twin(), START
    for m, wait, bid, flaw in quotes:
        now += wait
        twin.quote(m, now, 0 if flaw == 0 else bid * 100, bid * 100 + 100, int(flaw != 1))
        found = alike_nb.correlation(twin.grid, twin.book, 0, 1, now, window, samples)
        assert math.isclose(found, twin.correlation(now, window, samples), abs_tol=1e-9)


def walk(twin: Twin, steps: list[tuple[int, ...]]) -> int:
    """One quote an hour for each market, moved by the steps."""
    mids = [5_000] * len(twin.mids)
    for hour, moves in enumerate(steps):
        for m, move in enumerate(moves):
            mids[m] += move
            twin.quote(m, START + hour * HOUR, mids[m] - 100, mids[m] + 100)
    return START + (len(steps) - 1) * HOUR


class Rows:
    """Tables of one row in which some markets are open."""

    def __init__(self, markets: int, open_markets: list[int]) -> None:
        self.account = np.zeros((t.A_SIZE_OF, 1), dtype=np.int64)
        self.markets = np.zeros((t.M_SIZE_OF, 1, markets), dtype=np.int64)
        self.traits = np.zeros((markets, t.K_SIZE_OF), dtype=np.int64)
        self.traits[:, t.K_EVENT] = np.arange(markets)
        self.account[t.A_OPEN_MARKETS, 0] = len(open_markets)
        self.markets[t.M_OPEN, 0, : len(open_markets)] = open_markets

    def count(self, twin: Twin, m: int, now: int, *, enough: int = 1, above: int = 700_000) -> int:
        return int(
            alike_nb.count(
                twin.grid, twin.book, self.account, self.markets, self.traits, 0, m, now,
                enough, above, 24, WINDOW,
            )
        )  # fmt: skip


def test_markets_that_move_together_or_against_each_other_are_counted():
    r = np.random.default_rng(1)
    moves = [int(x) * 10 for x in r.integers(-9, 10, size=40)]
    other = [int(x) * 10 for x in r.integers(-9, 10, size=40)]
    twin = Twin(4)
    now = walk(twin, [(x, x, -x, y) for x, y in zip(moves, other, strict=True)])
    assert Rows(4, [1, 2, 3]).count(twin, 0, now, enough=3) == 2
    assert Rows(4, [1, 3]).count(twin, 0, now, enough=1) == 1
    assert Rows(4, [3]).count(twin, 0, now) == 0
    assert Rows(4, [0, 1]).count(twin, 0, now, enough=2) == 1, "itself is not another"


def test_one_event_is_correlated_whatever_its_prices_do_and_few_markets_are_not_looked_at():
    twin, rows = Twin(3), Rows(3, [1, 2])
    assert rows.count(twin, 0, START) == 0
    rows.traits[:, t.K_EVENT] = 0
    assert rows.count(twin, 0, START, enough=2) == 2
    assert rows.count(twin, 0, START, enough=3) == 0


def test_too_few_common_hours_say_nothing():
    steps = [(x, x) for x in (10, -10, 20, -20) * 6]
    for n, found in ((23, 0), (24, 1)):
        twin = Twin(2)
        now = walk(twin, steps[:n])
        assert Rows(2, [1]).count(twin, 0, now) == found
