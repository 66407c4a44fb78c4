"""Reward samples against dictionaries of orders, and the figures of the venue's formula."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.kernels import barmatch_nb as bm
from polyframe.kernels import book_nb as b
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import rewards_nb as nb
from polyframe.quant.rewards import reward_points

ONE, TICK, SHARE = 10_000, 100, 1_000_000
STEPS = ONE // TICK + 1
LEVELS = st.dictionaries(st.integers(1, 99), st.integers(1, 40), max_size=8)
ORDERS = st.lists(
    st.tuples(st.sampled_from((1, -1)), st.integers(1, 99), st.integers(1, 40), st.integers(0, 1)),
    max_size=6,
)


class Desk:
    """One market's tables with a book and own orders of two ledgers."""

    def __init__(self, bids, asks, orders, spread, least, boost=1.0) -> None:
        self.desk = np.zeros((1, c.D_SIZE_OF + 2 * c.EARNED_OF), np.int64)
        self.levels = np.zeros((2, STEPS), np.int64)
        book = self.desk[0, : b.K_SIZE_OF]
        book[[b.K_TICK, b.K_ONE]] = TICK, ONE
        b.wipe(book, *self.levels)
        for side, levels in ((1, bids), (-1, asks)):
            for price, size in levels.items():
                b.rest(book, *self.levels, side, price, size * SHARE)
        book[b.K_WHOLE] = 1
        self.orders = np.zeros((max(len(orders), 1), c.V_SIZE_OF), np.int64)
        for k, (side, price, size, ledger) in enumerate(orders):
            row = self.orders[k]
            row[[c.V_SIDE, c.V_PRICE, c.V_OPEN]] = side, price * TICK, size * SHARE
            row[c.V_LEDGER] = ledger
            row[c.V_NEXT] = k + 2 if k + 1 < len(orders) else 0
        self.desk[0, c.D_FIRST] = 1 if orders else 0
        self.rule = np.zeros(c.U_SIZE_OF, np.int64)
        self.rule[[bm.R_ONE, bm.R_ENDS]] = ONE, bm.NEVER
        self.rule[c.U_SPREAD] = 2 * spread * TICK
        self.rule[c.U_LEAST] = least * SHARE
        self.rule[c.U_BOOST] = round(boost * 1_000_000)

    def look(self, ts: int = 0) -> list[int]:
        nb.look(ts, 0, self.rule, self.orders, self.desk, self.levels)
        return self.desk[0, c.D_SIZE_OF :].tolist()


def twin(bids, asks, orders, spread, least, boost) -> list[int]:
    """Both ledgers' shares of a sample, in exact fractions."""
    buys = [p for p, size in bids.items() if size >= least]
    sells = [p for p, size in asks.items() if size >= least]
    buys += [p for side, p, size, _ in orders if side > 0 and size >= least]
    sells += [p for side, p, size, _ in orders if side < 0 and size >= least]
    crossed = bool(bids and asks and max(bids) >= min(asks))
    if crossed or not buys or not sells or not orders or max(buys) >= min(sells):
        return [0, 0]
    mid = Fraction(max(buys) + min(sells), 2)

    def score(side: int, price: int, size: int) -> Fraction:
        away = (mid - price) * side
        if size < least or not 0 <= away < spread:
            return Fraction(0)
        return ((spread - away) / spread) ** 2 * Fraction(boost) * size

    def sums(found) -> tuple[Fraction, Fraction]:
        both = {1: Fraction(0), -1: Fraction(0)}
        for side, price, size in found:
            both[side] += score(side, price, size)
        return both[1], both[-1]

    central = 10 <= mid <= 90
    others = sums([(1, *pair) for pair in bids.items()] + [(-1, *pair) for pair in asks.items()])
    theirs = min(others) + ((max(others) - min(others)) / 3 if central else 0)
    whole = sums([order[:3] for order in orders])
    mine = max(min(whole), max(whole) / 3) if central else min(whole)
    if not mine:
        return [0, 0]
    share = mine / (mine + theirs)
    parts = [sum(sums([o[:3] for o in orders if o[3] == k])) / sum(whole) for k in (0, 1)]
    return [math.floor(share * part * c.SHARE_ONE) for part in parts]


@given(
    bids=LEVELS, asks=LEVELS, orders=ORDERS, spread=st.integers(1, 12), least=st.integers(0, 25),
    boost=st.sampled_from((1.0, 2.0, 0.5)), low=st.integers(2, 98),
)  # fmt: skip
def test_a_sample_gives_every_ledger_its_share(
    bids, asks, orders, spread, least, boost, low
) -> None:
    # Around one price, so that most books are sound and most orders near the mid.
    bids = {p: s for p, s in bids.items() if p < low}
    asks = {p: s for p, s in asks.items() if p > low}
    orders = [o for o in orders if (o[1] - low) * o[0] < 0]
    found = Desk(bids, asks, orders, spread, least, boost).look()
    wanted = twin(bids, asks, orders, spread, least, boost)
    assert found[0] == pytest.approx(wanted[0], abs=2)
    assert found[c.EARNED_OF] == pytest.approx(wanted[1], abs=2)
    assert found[0] + found[c.EARNED_OF] <= c.SHARE_ONE
    assert found[1:4] == [0, 0, 0]


@given(bids=LEVELS, asks=LEVELS, cut=st.integers(0, 2**16 - 1))
def test_no_split_of_the_others_among_makers_scores_more(bids, asks, cut) -> None:
    levels = [(1, p, s) for p, s in bids.items()] + [(-1, p, s) for p, s in asks.items()]
    groups: list[list[tuple[int, int, int]]] = [[], []]
    for k, level in enumerate(levels):
        groups[cut >> k & 1].append(level)

    def least(found) -> float:
        both = [[(p / 100, float(s)) for side, p, s in found if side == way] for way in (1, -1)]
        return reward_points(0.5, 0.12, 0.0, *both).least

    whole = reward_points(
        0.5, 0.12, 0.0, [(p / 100, float(s)) for p, s in bids.items()],
        [(p / 100, float(s)) for p, s in asks.items()],
    )  # fmt: skip
    most = nb.most_counted(whole.one, whole.two, 1)
    assert sum(least(group) for group in groups) <= most * (1 + 1e-9) + 1e-9


def test_the_figures_of_the_venue_s_formula(vectors) -> None:
    seen = 0
    for case in vectors["liquidity_rewards"]["cases"]:
        given_, wanted = case["in"], case["out"]
        if "s_cents" in given_:
            found = nb.points(
                round(2 * given_["s_cents"] * TICK), round(2 * given_["v_cents"] * TICK), 1,
                round(given_["b"] * 1e6),
            )  # fmt: skip
            assert found == pytest.approx(wanted["S"], abs=1e-10)
        else:
            # Sizes in shares: a bid for NO is an offer of YES at one minus its price.
            one = [*given_["yes_bids"], *([1 - p, s] for p, s in given_["no_asks"])]
            two = [*given_["yes_asks"], *([1 - p, s] for p, s in given_["no_bids"])]
            sums = []
            for side, levels in ((1, one), (-1, two)):
                total = 0.0
                for price, size in levels:
                    away = round(2 * (given_["mid"] - price) * side * ONE)
                    if size >= given_["min_size"]:
                        most = round(2 * given_["v_cents"] * TICK)
                        total += nb.points(away, most, round(size), 1_000_000)
                sums.append(total)
            assert sums == pytest.approx([wanted["Q_one"], wanted["Q_two"]], abs=1e-9)
            assert nb.counted(*sums, 1) == pytest.approx(wanted["Q_min"], abs=1e-9)
        seen += 1
    assert seen == len(vectors["liquidity_rewards"]["cases"]) > 0


def test_a_book_that_is_not_to_be_trusted_earns_nothing() -> None:
    def desk() -> Desk:
        return Desk({49: 10}, {51: 10}, [(1, 49, 10, 0), (-1, 51, 10, 0)], 3, 5)

    assert desk().look()[0] == c.SHARE_ONE // 2
    for column, value in ((b.K_WHOLE, 0), (c.D_INSIDE, 1)):
        unsound = desk()
        unsound.desk[0, column] = value
        assert unsound.look() == [0] * 8
    over = desk()
    over.rule[bm.R_ENDS] = 5
    assert over.look(5) == [0] * 8


def test_odd_days_have_columns_of_their_own() -> None:
    desk = Desk({49: 10}, {51: 10}, [(1, 49, 10, 1), (-1, 51, 10, 1)], 3, 5)
    assert desk.look(nb.DAY + 1) == [0, 0, 0, 0, 0, 0, c.SHARE_ONE // 2, 0]


def test_one_sample_a_minute_never_at_its_ends() -> None:
    moments = [nb.moment_of(minute) for minute in range(29_453_760, 29_453_760 + 3_000)]
    assert all(m // nb.MINUTE == 29_453_760 + k for k, m in enumerate(moments))
    offsets = np.array([m % nb.MINUTE for m in moments])
    assert offsets.min() > 0
    # As likely in one tenth of the minute as in another: 300 of 3,000 each, five deviations wide.
    counts, _ = np.histogram(offsets, bins=10, range=(0, nb.MINUTE))
    assert abs(counts - 300).max() < 82
    for a, z in pairwise(moments):
        assert nb.next_sample(a) == z
        assert nb.next_sample(a - 1) == a
