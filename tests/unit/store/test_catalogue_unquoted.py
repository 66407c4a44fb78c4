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
    adjoining,
    contradictions,
    flag_prices,
    islands,
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
        # a book that fills slowly moves the mid a little before it makes a price
        ([5000, 5000, 5000, 5400, 5800, 7500, 7000], "L L L F F . ."),
        ([5000, 5000, 5600, 5900, 5500, 7500, 7000], "L L . . . . ."),
        # one side of the book runs empty: towards one half and back, at any level
        ([9500, 9600, 8000, 8100, 9400, 9600], ". . P P . ."),
        ([500, 600, 3200, 3300, 1900, 700, 600], ". . P P P . ."),
        ([500, 600, 3200, 3300, 2900, 3100, 3300], ". . . . . . ."),
        # away from one half and back is not what an empty side does
        ([7000, 7100, 9000, 9000, 7000, 7100], ". . . . . ."),
        # a few rows between two unquoted stretches
        ([5000, 5000, 7000, 7500, 5000, 5000, 7000], "L L P P RP RP ."),
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


TIMELINES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 60), st.integers(0, 20)), min_size=1, max_size=90
)


@given(
    TIMELINES,
    st.sampled_from([DEFAULT_RULES.still_band, DEFAULT_RULES.rest_band]),
    st.sampled_from([DEFAULT_RULES.still_for, DEFAULT_RULES.rest_for]),
    st.sampled_from([4000, 1600]),
)
def test_still_agrees_with_its_slow_twin(
    drawn: list[tuple[int, int, int]], band: int, long: int, base: int
) -> None:
    rows = sorted({(m, t): p for m, t, p in drawn}.items())
    market = np.array([k[0] for k, _ in rows], np.int64)
    ts = np.array([k[1] for k, _ in rows], np.int64) * HOUR // 2
    price = np.array([base + 25 * p for _, p in rows], np.int64)
    slow = np.zeros(len(rows), bool)
    for i in range(len(rows)):
        for j in range(i, len(rows)):
            window = price[i : j + 1]
            enough = j - i + 1 >= DEFAULT_RULES.still_rows
            if market[j] != market[i]:
                break
            if enough and ts[j] - ts[i] >= long:
                inside = np.abs(window - HALF).max() <= band
                if inside and window.max() - window.min() <= DEFAULT_RULES.still_range:
                    slow[i : j + 1] = True
                break
    assert still(market, ts, price, band, long, DEFAULT_RULES).tolist() == slow.tolist()


@given(st.lists(st.integers(0, 90), min_size=24, max_size=60), st.sampled_from([8_000, 2_000]))
def test_a_price_that_rests_for_a_day_is_found_and_one_that_moves_is_not(
    noise: list[int], level: int
) -> None:
    resting = [level + n for n in noise]
    resting += [resting[-1]]  # 24 hours have 25 ends
    assert all(f & Flag.FLAT for f in flags_of(resting))
    moving = [level + 150 * (i % 2) for i in range(len(noise))]
    assert not any(flags_of(moving))
    assert not any(flags_of(resting[:24]))


STRETCHES = st.lists(
    st.tuples(st.sampled_from(["dead", "close", "far"]), st.integers(1, 9)), min_size=1, max_size=12
)


def timeline(stretches: list[tuple[str, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Prices, starts and flags of one market out of stretches of a kind."""
    kinds = [kind for kind, n in stretches for _ in range(n)]
    price = np.array([{"dead": 5_000, "close": 5_900, "far": 7_000}[k] for k in kinds], np.int64)
    flags = np.array([Flag.RELAPSE if k == "dead" else 0 for k in kinds], np.uint8)
    starts = np.zeros(len(kinds), np.bool_)
    starts[0] = True
    return price, starts, flags


@given(STRETCHES)
def test_adjoining_agrees_with_its_slow_twin(stretches: list[tuple[str, int]]) -> None:
    price, starts, flags = timeline(stretches)
    slow = [False] * len(price)
    for i, p in enumerate(price):
        if p == 7_000 or flags[i]:
            continue
        low = max([j + 1 for j in range(i) if price[j] == 7_000], default=0)
        high = min([j for j in range(i, len(price)) if price[j] == 7_000], default=len(price))
        slow[i] = np.count_nonzero(flags[low:high]) * 2 >= high - low
    assert adjoining(price, starts, flags, DEFAULT_RULES).tolist() == slow


@given(STRETCHES, st.integers(1, 8))
def test_islands_agree_with_their_slow_twin(stretches: list[tuple[str, int]], rows: int) -> None:
    _, starts, flags = timeline(stretches)
    dead = flags > 0
    slow = [False] * len(flags)
    for i in np.flatnonzero(~dead):
        before = [j for j in range(i) if dead[j]]
        after = [j for j in range(i, len(dead)) if dead[j]]
        slow[i] = bool(before and after) and after[0] - before[-1] - 1 <= rows
    assert islands(starts, flags, rows).tolist() == slow


def test_an_island_needs_both_shores_in_its_own_market() -> None:
    starts = np.array([True, False, False, True, False, False])
    flags = np.array([Flag.FLAT, 0, 0, 0, 0, Flag.FLAT], np.uint8)
    assert not islands(starts, flags, 6).any()


@given(
    live_prices(),
    st.integers(1, DEFAULT_RULES.spike_rows),
    st.integers(1_500, 5_500),
    st.data(),
)
def test_an_empty_side_is_found_at_any_level(
    prices: list[int], long: int, level: int, data: st.DataObject
) -> None:
    at = data.draw(st.integers(1, len(prices) - 1))
    for mirrored in (False, True):
        live = [p + 1_500 for p in prices]  # 0.90 and more
        planted = [*live[:at], *[level] * long, *live[at:]]
        if mirrored:
            planted = [10_000 - p for p in planted]
        dead = [bool(f & UNQUOTED) for f in flags_of(planted)]
        assert all(dead[at : at + long])
        assert not any(dead[:at])
        assert not any(dead[at + long :])


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
