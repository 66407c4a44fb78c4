"""Planted placeholders are found; prices somebody stood behind are left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.domain.quality import UNQUOTED, Flag
from polyframe.domain.units import HOUR, MINUTE
from polyframe.store.unquoted import (
    DEFAULT_RULES,
    HALF,
    Ladder,
    UnquotedRules,
    contradictions,
    flag_prices,
    still,
)

NO_NEIGHBOURS = replace(DEFAULT_RULES, near_rows=0)


def flags_of(prices: list[int], rules: UnquotedRules = NO_NEIGHBOURS) -> list[Flag]:
    n = len(prices)
    found = flag_prices(
        np.zeros(n, np.int64), np.arange(n) * HOUR, np.array(prices, np.int64), (), rules
    )
    return [Flag(int(f)) for f in found]


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        # leading halves, then a living market
        ([5000, 5000, 7000, 7400], "L L . ."),
        # an empty book hops around one half
        ([7000, 5000, 4950, 5050, 5000, 7000, 7400], ". FRP FP FP FRP . ."),
        # a single half between far prices is a relapse, and a spike when the sides agree
        ([8000, 8200, 5000, 8100, 8300], ". . RP . ."),
        ([8000, 6500, 5000, 3500, 2000], ". . R . ."),
        # passing through in small steps is honest
        ([5300, 5150, 5000, 4850, 4500], ". . . . ."),
        # up to near one half and back, never exactly there
        ([1000, 900, 4600, 4700, 1000, 800], ". . P P . ."),
        # a drift that stays is no spike
        ([1000, 900, 4600, 6300, 8000], ". . . . ."),
        # standing still a bit further out
        ([4000, 4050, 4000, 4000, 4050, 4000, 2000], "F F F F F F ."),
        ([4000, 4200, 4000, 3800, 4100, 4300, 2000], ". . . . . . ."),
        # far from one half a price may stand still for ever
        ([9500] * 12, " ".join("." * 12)),
    ],
)
def test_shapes(prices: list[int], expected: str) -> None:
    short = {"L": Flag.LEADING, "F": Flag.FLAT, "R": Flag.RELAPSE, "P": Flag.SPIKE}
    want = []
    for cell in expected.split():
        bits = Flag.NONE
        for letter in cell.replace(".", ""):
            bits |= short[letter]
        want.append(bits)
    found = flags_of(prices)
    leading_halves = [p == HALF and i < 2 and prices[0] == HALF for i, p in enumerate(prices)]
    assert [
        f & ~Flag.FLAT if lead else f for f, lead in zip(found, leading_halves, strict=True)
    ] == want


def live_prices() -> st.SearchStrategy[list[int]]:
    """Prices that move every hour and keep away from one half."""
    return st.lists(st.integers(0, 60), min_size=8, max_size=60).map(
        lambda moves: [7500 + 100 * (i % 2) + 5 * m for i, m in enumerate(moves)]
    )


@given(live_prices(), st.data())
def test_every_planted_stretch_is_found_and_nothing_else(
    prices: list[int], data: st.DataObject
) -> None:
    at = data.draw(st.integers(1, len(prices) - 2))
    long = data.draw(st.integers(4, 30))
    hops = data.draw(st.lists(st.sampled_from([4950, 5000, 5050]), min_size=long, max_size=long))
    planted = [*prices[:at], *hops, *prices[at:]]
    dead = [bool(f & UNQUOTED) for f in flags_of(planted)]
    assert all(dead[at : at + long])
    assert not any(dead[:at])
    assert not any(dead[at + long :])


@given(live_prices(), st.data())
def test_rows_around_an_unquoted_one_are_near(prices: list[int], data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(prices) - 1))
    found = flags_of([*prices[:at], HALF, *prices[at:]], DEFAULT_RULES)
    near = [i for i, f in enumerate(found) if f & Flag.NEAR]
    assert found[at] & Flag.RELAPSE
    assert not found[at] & Flag.NEAR
    assert near == [i for i in range(at - 3, at + 4) if i != at and 0 <= i < len(found)]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(0, 20)), max_size=80))
def test_still_agrees_with_its_slow_twin(rows: list[tuple[int, int, int]]) -> None:
    rows = sorted({(m, t): p for m, t, p in rows}.items())  # type: ignore[assignment]
    if not rows:
        return
    market = np.array([k[0] for k, _ in rows], np.int64)
    ts = np.array([k[1] for k, _ in rows], np.int64) * HOUR // 2
    price = np.array([4000 + 25 * p for _, p in rows], np.int64)
    slow = np.zeros(len(rows), bool)
    for i in range(len(rows)):
        for j in range(i, len(rows)):
            window = price[i : j + 1]
            enough = j - i + 1 >= DEFAULT_RULES.still_rows
            if market[j] != market[i]:
                break
            if enough and ts[j] - ts[i] >= DEFAULT_RULES.still_for:
                if window.max() - window.min() <= DEFAULT_RULES.still_range:
                    slow[i : j + 1] = True
                break
    assert still(market, ts, price, DEFAULT_RULES).tolist() == slow.tolist()


def ladder_flags(table: list[list[int]], rules: UnquotedRules = NO_NEIGHBOURS) -> list[list[bool]]:
    """Rows are hours, columns strikes in ascending order; which cells contradict the ladder."""
    hours, width = len(table), len(table[0])
    market = np.repeat(np.arange(width), hours)
    ts = np.tile(np.arange(hours) * HOUR, width)
    price = np.array(table, np.int64).T.reshape(-1)
    ladder = Ladder(list(range(width)), [float(k) for k in range(width)])
    found = flag_prices(market, ts, price, [ladder], rules)
    return ((found & Flag.LADDER) != 0).reshape(width, hours).T.tolist()


def test_the_row_that_contradicts_most_siblings_is_blamed() -> None:
    assert ladder_flags([[9500, 9000, 1500, 7000, 6000, 2000]]) == [
        [False, False, True, False, False, False]
    ]


def test_among_equals_the_one_nearer_one_half_is_blamed() -> None:
    assert ladder_flags([[1000, 4700]]) == [[False, True]]
    assert ladder_flags([[5600, 9900]]) == [[True, False]]


def test_small_contradictions_are_noise() -> None:
    assert ladder_flags([[9000, 9250, 9300]]) == [[False, False, False]]


@given(
    st.lists(st.integers(50, 9950), min_size=3, max_size=12),
    st.data(),
)
def test_a_monotone_ladder_is_clean_and_a_planted_level_is_found(
    prices: list[int], data: st.DataObject
) -> None:
    fair = sorted(prices, reverse=True)
    assert not any(ladder_flags([fair])[0])
    at = data.draw(st.integers(1, len(fair) - 1))
    planted = list(fair)
    planted[at] = fair[0] + DEFAULT_RULES.ladder_slack + 1  # above every lower strike
    if planted[at] > 10_000:
        return
    left = [p for p, bad in zip(planted, ladder_flags([planted])[0], strict=True) if not bad]
    assert len(left) < len(planted)
    assert all(b - a <= DEFAULT_RULES.ladder_slack for i, a in enumerate(left) for b in left[i:])


def test_an_untrusted_row_blames_nobody() -> None:
    market = np.array([0, 1, 2])
    ts = np.zeros(3, np.int64)
    price = np.array([9000, 5000, 8000])
    ladder = Ladder([0, 1, 2], [1.0, 2.0, 3.0])
    trusted = np.array([True, False, True])
    bad = contradictions(market, ts, price, trusted, ladder, DEFAULT_RULES)
    assert bad.tolist() == [False, True, False]


def test_holes_are_marked() -> None:
    ts = np.array([0, 1, 2, 9, 10]) * HOUR
    found = flag_prices(np.zeros(5, np.int64), ts, np.array([9000, 9100, 9000, 9100, 9000]))
    assert ((found & Flag.GAP) != 0).tolist() == [False, False, False, True, False]


def test_minute_data_is_not_flat_for_being_dense() -> None:
    n = 60
    found = flag_prices(np.zeros(n, np.int64), np.arange(n) * MINUTE, np.full(n, 5100, np.int64))
    assert not found.any()


def test_no_rows_no_flags() -> None:
    empty = np.zeros(0, np.int64)
    assert len(flag_prices(empty, empty, empty)) == 0
