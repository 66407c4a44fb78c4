"""Whole random streams played by the compiled simulator and by a slow plain one: the same answers.

After every moment of a stream both must agree on every answer of the venue (fills with their prices
and fees, refusals, ends, and when each is known), on every book, on what stands before each own
order in its queue, on the best prices told, and on who was woken by what.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from l2_driver import WHY, WORDS
from l2_streams import QUEUES, Chance, Stream
from l2_twin import Row
from l2_twin_book import BUY, Own, Rules, Venue, Wishes

from polyframe.kernels import acts_nb
from polyframe.kernels import l2columns_nb as c

SEEDS = 60
HUNDRED = 100_000_000
"""shares"""


@pytest.mark.parametrize("block", range(6))
def test_streams_are_played_alike(block: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(block * SEEDS, (block + 1) * SEEDS):
        stream = Chance(random.Random(seed)).stream()
        twin, desk = stream.run()
        assert desk.answers == twin.answers, f"seed {seed}"
        seen.update(answer.kind for answer in twin.answers)
        seen.update(answer.why for answer in twin.answers if answer.why)
        seen["heard"] += len(twin.heard)
        seen["maker"] += sum(answer.maker for answer in twin.answers if answer.kind == "filled")
        seen["fee"] += sum(answer.fee > 0 for answer in twin.answers)
        seen[stream.venue.queue] += 1
    wanted = {*WORDS.values(), *WHY.values(), *QUEUES, "heard", "maker", "fee"} - {""}
    assert {name for name in wanted if not seen[name]} == set(), "what no stream of these showed"


@settings(max_examples=60)
@given(at_random=st.randoms(use_true_random=False))
def test_any_short_stream_is_played_alike(at_random: random.Random) -> None:
    Chance(at_random).stream(rows=24).run()


def test_a_best_price_within_a_snapshot_brings_nobody_forward() -> None:
    def snapshot(ts: int, *within: Row) -> list[Row]:
        bid, ask = (
            (ts, "level", 0, side, 5_000 - 100 * side, HUNDRED, False, 0) for side in (1, -1)
        )
        marks = ((ts, name, 0, 0, 0, 0, False, 0) for name in ("begin", "finish"))
        begin, finish = marks
        return [begin, *within, bid, ask, finish]

    quote = (5, "quote", 0, BUY, 4_900, HUNDRED // 2, False, 0)
    less = (5, "level", 0, BUY, 4_900, HUNDRED // 5, False, 0)
    rows = [*snapshot(0), *snapshot(5, quote, less), (6, "wallet", 0, 0, 0, 0, False, 0)]
    wishes = Wishes([[0]], [[0]], [0])
    sends = [(1, Own(1, 0, BUY, 4_900, 5_000_000))]
    twin, _ = Stream([Rules()], Venue(), rows, wishes, sends).run()
    assert twin.books[0].own[0].front == HUNDRED


ACTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.booleans()), max_size=60)


@given(acts=ACTS)
def test_what_is_under_way_comes_in_the_order_of_its_time_its_kind_and_its_sending(acts) -> None:
    table = np.zeros((64, acts_nb.A_SIZE_OF), np.int64)
    at = np.zeros(c.C_SIZE_OF, np.int64)
    heap: list[tuple[int, int, int]] = []
    for number, (ts, what, taken) in enumerate(acts):
        acts_nb.push(table, at, ts, what, number + 100, number)
        heapq.heappush(heap, (ts, what, number))
        if taken:
            assert list(table[0, [acts_nb.A_TS, acts_nb.A_WHAT, acts_nb.A_NUMBER]]) == list(heap[0])
            assert table[0, acts_nb.A_ABOUT] == heap[0][2] + 100
            acts_nb.drop(table, at)
            heapq.heappop(heap)
    assert at[c.C_ACTS] == len(heap)
    while heap:
        assert table[0, acts_nb.A_NUMBER] == heapq.heappop(heap)[2]
        acts_nb.drop(table, at)
