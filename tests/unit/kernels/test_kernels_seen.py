"""What a quote kernel sees and wants, against plain sentences over the same tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.kernels import barmatch_nb as bm
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import book_nb as b
from polyframe.kernels import guards_nb as g
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import seen_nb
from polyframe.kernels import seencolumns_nb as s
from polyframe.kernels import tables_nb as t

MARKETS, STEPS, LEDGERS = 3, 40, 2
ONE, SHARE = 10_000, 1_000_000


class Tables:
    """Tables filled at random, the books so that bids and asks are where their best prices say."""

    def __init__(self, rng: np.random.Generator, *, base: int, binary: bool) -> None:
        def drawn(*shape: int, high: int = 10**9) -> np.ndarray:
            return rng.integers(0, high, shape)

        self.book = drawn(MARKETS, nb.B_SIZE_OF)
        self.book[:, nb.B_TRUSTED] = rng.integers(0, 2, MARKETS)
        self.book[:, nb.B_TOKENS] = 2 if binary else 1
        self.book[:, nb.B_TOKEN] = np.arange(MARKETS) * 2
        self.desk = drawn(MARKETS, c.D_SIZE_OF)
        self.desk[:, b.K_TICK], self.desk[:, b.K_BASE] = 250, base
        self.levels = drawn(2 * MARKETS, STEPS) * rng.integers(0, 2, (2 * MARKETS, STEPS))
        self.levels[:, 0] = 0
        for m in range(MARKETS):
            middle = int(rng.integers(1, STEPS))
            self.levels[2 * m, middle:] = 0
            self.levels[2 * m + 1, :middle] = 0
            bids, asks = (np.flatnonzero(self.levels[2 * m + k]) for k in (0, 1))
            self.desk[m, b.K_BID] = bids[-1] if len(bids) else 0
            self.desk[m, b.K_ASK] = asks[0] if len(asks) else STEPS
        self.rules = drawn(MARKETS, bm.R_SIZE_OF)
        self.rules[:, bm.R_ONE], self.rules[:, bm.R_SIZE_ONE] = ONE, SHARE
        self.account = drawn(t.A_SIZE_OF, LEDGERS)
        self.tokens = drawn(t.T_SIZE_OF, LEDGERS, 2 * MARKETS)
        self.marks = drawn(LEDGERS, nb.E_SIZE_OF)
        self.traits = drawn(MARKETS, t.K_SIZE_OF)
        self.traits[:, t.K_CLOSES] *= rng.integers(0, 2, MARKETS)
        self.traits[0, t.K_FORECAST] = g.MISSING
        self.terms = rng.random((MARKETS, seen_nb.REWARDS))

    def see(self, m: int, row: int, now: int, depth: int) -> np.ndarray:
        out = np.full(s.SEEN_SIZE_OF, -7.0)
        seen_nb.see(
            out, m, row, now, self.book, self.desk, self.levels, self.rules, self.account,
            self.tokens, self.marks, self.traits, self.terms, depth,
        )  # fmt: skip
        return out

    def plain(self, m: int, row: int, now: int) -> dict[int, float]:
        """The same by name."""
        book, own, rule, k = self.book[m], self.desk[m], self.rules[m], 2 * m
        bids, asks = (self.levels[2 * m + side] for side in (0, 1))
        binary, trusted = book[nb.B_TOKENS] == 2, bool(book[nb.B_TRUSTED])
        shares, cost = self.tokens[t.T_SHARES, row], self.tokens[t.T_COST, row]
        closes, forecast = self.traits[m, [t.K_CLOSES, t.K_FORECAST]]
        free = self.account[t.A_CASH, row] - self.account[t.A_RESERVED, row]
        spread, size, day, rebate = self.terms[m]
        return {
            s.NOW: now / 1e9,
            s.BID: book[nb.B_BID] / ONE if trusted else 0.0,
            s.ASK: book[nb.B_ASK] / ONE if trusted else 0.0,
            s.BID_SIZE: max([0, *bids[bids > 0][-1:]]) / SHARE,
            s.ASK_SIZE: max([0, *asks[asks > 0][:1]]) / SHARE,
            s.YES: shares[k] / SHARE,
            s.NO: shares[k + 1] / SHARE if binary else 0.0,
            s.YES_COST: cost[k] / 1e6,
            s.NO_COST: cost[k + 1] / 1e6 if binary else 0.0,
            s.CASH: free / 1e6,
            s.EQUITY: self.marks[row, nb.E_NOW] / 1e6,
            s.TICK: 250 / ONE,
            s.MIN_SIZE: rule[bm.R_MIN_SIZE] / SHARE,
            s.CLOSES: closes / 1e9 if closes else math.inf,
            s.LAST: own[c.D_TRADE_PRICE] / ONE,
            s.BOUGHT: own[c.D_BOUGHT] / SHARE,
            s.SOLD: own[c.D_SOLD] / SHARE,
            s.TRADES: own[c.D_TRADES],
            s.FORECAST: math.nan if m == 0 else forecast / 1e6,
            s.FEE_RATE: rule[bm.R_RATE] / 1e6,
            s.FEE_EXPONENT: rule[bm.R_EXPONENT],
            s.OWN_BOUGHT: book[nb.B_OWN_BOUGHT] / SHARE,
            s.OWN_SOLD: book[nb.B_OWN_SOLD] / SHARE,
            s.OWN_FILLS: book[nb.B_OWN_FILLS],
            s.OWN_PRICE: book[nb.B_OWN_PRICE] / ONE,
            s.OWN_SIDE: book[nb.B_OWN_SIDE],
            s.ONE: 1.0 if binary else math.inf,
            s.REWARD_SPREAD: spread,
            s.REWARD_SIZE: size,
            s.REWARD_DAY: day,
            s.REBATE: rebate,
        }

    def ladder(self, m: int) -> list[float]:
        """The five best levels of both sides: bid, its size, ask, its size."""
        rows = [[0.0] * 4 for _ in range(s.DEPTH)]
        for side, order in ((0, reversed), (1, iter)):
            steps = list(order(np.flatnonzero(self.levels[2 * m + side]).tolist()))
            for at, step in enumerate(steps[: s.DEPTH]):
                price = (step * 250 + self.desk[m, b.K_BASE]) / ONE
                rows[at][2 * side : 2 * side + 2] = price, self.levels[2 * m + side, step] / SHARE
        return [value for row in rows for value in row]


@given(st.integers(0, 10**6), st.sampled_from([0, 70_000]), st.booleans(), st.booleans())
def test_a_kernel_sees_what_the_tables_hold(seed, base, binary, depth):
    tables = Tables(np.random.default_rng(seed), base=base, binary=binary)
    for m in range(MARKETS):
        out = tables.see(m, seed % LEDGERS, 10**18 + seed, int(depth))
        for name, value in tables.plain(m, seed % LEDGERS, 10**18 + seed).items():
            np.testing.assert_equal(out[name], float(value), err_msg=str(name))
        wanted = tables.ladder(m) if depth else [-7.0] * (4 * s.DEPTH)
        assert out[s.LEVELS :].tolist() == wanted


AMOUNTS = st.one_of(
    st.sampled_from([0.0, -1.0, math.nan, math.inf, 0.00005, 1e9, 1e12]), st.floats(0.0, 20.0)
)
SIDES = st.sampled_from([1.0, -1.0, 0.0])
ROWS = st.tuples(st.sampled_from([0.0, 1.0, 2.0]), SIDES, AMOUNTS, AMOUNTS)
WANTED = st.lists(ROWS, min_size=s.MOST_QUOTES, max_size=s.MOST_QUOTES)


def sound(row: tuple[float, float, float, float], outcomes: int) -> bool:
    outcome, side, price, size = row
    return (
        0 <= outcome < outcomes and side != 0 and 0 <= price < 1e9 and 0 <= size < 1e12
    )  # NaN is in no range


@given(WANTED, st.integers(-1, s.MOST_QUOTES + 3), st.integers(1, 2))
def test_rows_that_can_be_no_quotes_are_refused(wanted, n, outcomes):
    rows = np.array(wanted, np.float64)
    if n <= s.MOST_QUOTES and all(sound(row, outcomes) for row in wanted[: max(n, 0)]):
        seen_nb.check(rows, n, outcomes)
        return
    with pytest.raises(ValueError, match="quote"):
        seen_nb.check(rows, n, outcomes)


@given(WANTED, st.integers(0, s.MOST_QUOTES))
def test_quotes_are_read_bids_first_and_what_is_zero_is_left_out(wanted, n):
    wanted = [row if sound(row, 2) else (0.0, 1.0, 0.0, 0.0) for row in wanted]
    rows = np.array(wanted, np.float64)
    for outcome in (0, 1):
        out = np.zeros((s.MOST_QUOTES, 3), np.int64)
        found = seen_nb.read(rows, n, outcome, ONE, SHARE, out)
        quotes = [
            (int(side), math.floor(price * ONE + 0.5), math.floor(size * SHARE + 0.5))
            for own, side, price, size in wanted[:n]
            if own == outcome and price > 0 and size > 0
        ]
        assert out[:found].tolist() == [list(q) for q in sorted(quotes, key=lambda q: -q[0])]
