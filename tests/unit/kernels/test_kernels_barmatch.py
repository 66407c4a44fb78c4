"""The compiled venue against the simulator's own book and the standard heap."""

from __future__ import annotations

import heapq

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.domain.market import FeeSchedule, Market, Token
from polyframe.domain.orders import Side
from polyframe.exchanges.sim.depth import Depth
from polyframe.kernels import barcolumns_nb as c
from polyframe.kernels import barheap_nb as hp
from polyframe.kernels import barmatch_nb as bm

ONE = 10_000
SECOND = 10**9


def rules(level=10**8, step=100, levels=3, stop=3, ends=bm.NEVER, rate=0, exponent=1):
    row = np.zeros(bm.R_SIZE_OF, np.int64)
    row[bm.R_ONE] = row[bm.R_DIVISOR] = row[bm.R_MAX_PRICE] = ONE
    row[bm.R_LEVEL], row[bm.R_STEP], row[bm.R_LEVELS] = level, step, levels
    row[bm.R_STOP], row[bm.R_ENDS], row[bm.R_RATE] = stop, ends, rate
    row[bm.R_EXPONENT] = exponent
    return row


@given(
    st.sampled_from([Side.BUY, Side.SELL]),
    st.integers(1, ONE - 1),
    st.integers(1, ONE - 1),
    st.integers(1, 10**9),
    st.integers(1, 10**8),
    st.integers(1, 300),
    st.integers(1, 5),
)
def test_a_walk_takes_what_the_simulator_s_book_gives(side, best, limit, size, level, step, levels):
    exact = Depth(level, step, levels).walk(side, best, limit, size, 0, ONE)
    filled, average, why = bm.walk(int(side), best, limit, size, rules(level, step, levels))
    assert (filled, average) == (exact.size, exact.average)
    assert {bm.FILLED: "", bm.LIMIT: "limit", bm.DEPTH: "depth"}[int(why)] == exact.stopped


OPENS = np.array([0, 60, 120], np.int64) * SECOND


def executed(now, *, side=1, limit=6000, size=10**7, entry=0, age=3600, give_up=bm.NEVER, own=None,
             bid=(5000, 5100, 5200), ask=(5010, 5110, 5210)):  # fmt: skip
    out = np.zeros(bm.F_SIZE_OF, np.int64)
    bm.execute(
        OPENS, np.array(bid, np.int64), np.array(ask, np.int64),
        rules() if own is None else own, 0, side, limit, size, now, entry, age * SECOND,
        give_up, out,
    )  # fmt: skip
    return out


def test_an_order_executes_on_the_next_open_at_its_price():
    out = executed(59 * SECOND)
    assert (out[bm.F_AT], out[bm.F_ROW], out[bm.F_PRICE]) == (60 * SECOND, 1, 5110)
    assert (out[bm.F_SIZE], out[bm.F_WHY]) == (10**7, bm.FILLED)


def test_latency_can_cost_an_open():
    assert executed(59 * SECOND, entry=2 * SECOND)[bm.F_ROW] == 2


def test_a_gap_beyond_the_limit_fills_nothing():
    out = executed(59 * SECOND, limit=5050)
    assert (out[bm.F_SIZE], out[bm.F_WHY]) == (0, bm.LIMIT)


def test_an_open_without_a_quote_fills_nothing():
    assert executed(59 * SECOND, ask=(5010, 0, 5210))[bm.F_WHY] == bm.NOBODY


def test_after_the_last_open_the_market_is_closed():
    assert executed(121 * SECOND)[bm.F_WHY] == bm.CLOSED


@pytest.mark.parametrize(("ends", "why"), [(59, bm.CLOSED), (61, bm.FILLED)])
def test_an_order_that_arrives_after_the_end_is_refused(ends, why):
    own = rules(ends=ends * SECOND)
    assert executed(59 * SECOND, own=own)[bm.F_WHY] == why


def test_an_open_too_far_away_is_given_up():
    out = executed(61 * SECOND, age=10)
    assert (out[bm.F_WHY], out[bm.F_AT]) == (bm.STALE, 71 * SECOND)


def test_a_cancel_that_reaches_the_venue_first_wins():
    out = executed(61 * SECOND, give_up=100 * SECOND)
    assert (out[bm.F_WHY], out[bm.F_AT], out[bm.F_SIZE]) == (bm.PULLED, 100 * SECOND, 0)
    assert executed(61 * SECOND, give_up=121 * SECOND)[bm.F_WHY] == bm.FILLED
    assert executed(61 * SECOND, give_up=120 * SECOND)[bm.F_WHY] == bm.FILLED
    assert executed(61 * SECOND, entry=SECOND, give_up=61 * SECOND)[bm.F_WHY] == bm.FILLED


def test_a_purchase_below_a_dollar_is_refused():
    assert executed(59 * SECOND, size=10**6)[bm.F_WHY] == bm.SMALL
    assert executed(59 * SECOND, size=10**6, side=-1, limit=100)[bm.F_WHY] == bm.FILLED


@pytest.mark.parametrize("exponent", [1, 2])
def test_the_fee_is_the_market_s(exponent):
    market = Market(
        id="m", question="?", tokens=(Token("y", "Yes"), Token("n", "No")),
        fee=FeeSchedule(40_000, exponent),
    )  # fmt: skip
    out = executed(59 * SECOND, own=rules(rate=40_000, exponent=exponent))
    assert out[bm.F_FEE] == market.taker_fee(5110, 10**7)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=60))
def test_answers_come_in_the_order_of_time_then_of_sending(steps):
    heap, at = np.zeros((64, 2), np.int64), np.zeros(c.C_SIZE_OF, np.int64)
    exact: list[tuple[int, int]] = []
    for n, (known, take) in enumerate(steps):
        if take and exact:
            assert hp.pop(heap, at) == heapq.heappop(exact)[1]
        hp.push(heap, at, known, n)
        heapq.heappush(exact, (known, n))
    while exact:
        assert heap[0, 0] == exact[0][0]
        assert hp.pop(heap, at) == heapq.heappop(exact)[1]
    assert at[c.C_WAITING] == 0
