"""The compiled spread model against a slow, obvious twin."""

import math
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from polyframe.domain.quality import UNQUOTED, Flag
from polyframe.kernels import match_nb, spread_nb

ZONES = (np.array([10_000, 100_000, 500_000]), np.array([2_000, 20_000, 10_000]))
YOUNG = (np.array([3, 6]), np.array([30_000, 15_000]))
JUMP = 250_000
WEIGHT, EMPTY = 40_811, 100_000
REFUSED, BREAKS = int(UNQUOTED), int(Flag.GAP)


def twin(rows, ticks, window, least, cap_ppm, stress_ppm):
    """Bid and ask a row, with a list of all changes and a textbook covariance in integers."""
    chain = {m: [] for m in range(len(ticks))}
    pairs = {m: [] for m in range(len(ticks))}
    born = dict.fromkeys(chain)
    jump = dict.fromkeys(chain, 0)
    last = dict.fromkeys(chain)
    empty = dict.fromkeys(chain, 0)
    out = []
    for now, (m, price, flag) in enumerate(rows):
        gone = bool(flag & REFUSED) or not 0 < price < 10_000
        empty[m] = math.floor(
            empty[m] + Fraction((1_000_000 * gone - empty[m]) * WEIGHT, 1_000_000)
        )
        if gone:
            chain[m], born[m] = [], None
            out.append((0, 0))
            continue
        if flag & BREAKS:
            chain[m] = []
        elif born[m] is None and last[m] is not None:
            jump[m] = max(jump[m], abs(price - last[m]))
        born[m], last[m] = now if born[m] is None else born[m], price
        chain[m].append(price)
        if len(chain[m]) >= 2:
            jump[m] = max(abs(chain[m][-1] - chain[m][-2]), jump[m] * 3 // 4)
        if len(chain[m]) >= 3:
            a, b, c = chain[m][-3:]
            pairs[m].append((c - b, b - a))
        seen = pairs[m][-window:]
        tail = min(price, 10_000 - price) / 10_000
        half = 20 if tail <= 0.01 else 200 if tail <= 0.1 else 100
        half = max(half, ticks[m])
        if len(pairs[m]) >= least:
            n = len(seen)
            cov = n * sum(x * y for x, y in seen) - sum(x for x, _ in seen) * sum(
                y for _, y in seen
            )
            if cov < 0:
                half = max(half, math.ceil(math.sqrt(-cov) / n))
        age = now - born[m]
        half = max(half, 300 if age < 3 else 150 if age < 6 else 0, math.ceil(jump[m] / 4))
        half = max(min(half, cap_ppm * 10_000 // 1_000_000), ticks[m])
        part = math.ceil(Fraction(empty[m] * EMPTY, 1_000_000))
        half = max(half, math.ceil(Fraction(part * 10_000, 1_000_000)))
        half = math.ceil(half * stress_ppm / 1_000_000)
        out.append((below(price, half, ticks[m]), above(price, half, ticks[m])))
    return out


def below(price, half, tick):
    ladder = [p for p in range(tick, 10_000, tick) if p <= price - half]
    if ladder:
        return ladder[-1]
    return tick if tick <= price - tick else 0


def above(price, half, tick):
    ladder = [p for p in range(tick, 10_000, tick) if p >= price + half]
    if ladder:
        return ladder[0]
    return 10_000 - tick if 10_000 - tick >= price + tick else 0


def compiled(rows, ticks, window, least, cap_ppm, stress_ppm, young=YOUNG, jump=JUMP, empty=EMPTY):
    n = len(rows)
    bid, ask = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    columns = list(zip(*rows, strict=True)) if rows else ((), (), ())
    spread_nb.quote(
        np.arange(n, dtype=np.int64),
        np.array(columns[0], np.int32),
        np.array(columns[1], np.int64),
        np.array(columns[2], np.uint8),
        np.array(ticks, np.int64),
        np.full(len(ticks), 10_000, np.int64),
        *ZONES,
        *young,
        window,
        least,
        jump,
        WEIGHT,
        empty,
        cap_ppm,
        stress_ppm,
        REFUSED,
        BREAKS,
        bid,
        ask,
    )
    return list(zip(bid.tolist(), ask.tolist(), strict=True))


ROW = st.tuples(
    st.integers(0, 1),
    st.one_of(st.integers(-1, 10_001), st.integers(4_800, 5_200), st.integers(1, 120)),
    st.sampled_from([0, 0, 0, 0, int(Flag.FLAT), int(Flag.NEAR), int(Flag.GAP)]),
)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(ROW, max_size=40),
    ticks=st.tuples(st.sampled_from([1, 10, 25, 100]), st.sampled_from([10, 100])),
    window=st.integers(2, 12),
    least=st.integers(1, 6),
    stress=st.sampled_from([500_000, 1_000_000, 1_500_001, 3_000_000]),
)
def test_equals_the_twin(rows, ticks, window, least, stress):
    least = min(least, window)
    args = (rows, ticks, window, least, 100_000, stress)
    assert compiled(*args) == twin(*args)


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(ROW, max_size=40), tick=st.sampled_from([1, 10, 100]))
def test_never_crossed_never_better_than_the_mid_and_on_the_grid(rows, tick):
    for (_, price, flag), (bid, ask) in zip(
        rows, compiled(rows, (tick, tick), 8, 2, 100_000, 1_000_000), strict=True
    ):
        if flag & REFUSED:
            assert (bid, ask) == (0, 0)
        for quote in (bid, ask):
            assert quote == 0 or (tick <= quote <= 10_000 - tick and quote % tick == 0)
        assert bid == 0 or bid <= price - tick
        assert ask == 0 or ask >= price + tick


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(ROW, min_size=2, max_size=40), cut=st.integers(1, 39))
def test_a_quote_depends_on_nothing_later(rows, cut):
    whole = compiled(rows, (10, 10), 8, 2, 100_000, 1_000_000)
    part = compiled(rows[:cut], (10, 10), 8, 2, 100_000, 1_000_000)
    assert whole[: len(part)] == part


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(ROW, max_size=40))
def test_yes_and_no_are_treated_alike(rows):
    mirrored = [(m, 10_000 - p, flag) for m, p, flag in rows]
    here = compiled(rows, (10, 100), 8, 2, 100_000, 1_000_000)
    there = compiled(mirrored, (10, 100), 8, 2, 100_000, 1_000_000)
    flipped = [(10_000 - a if a else 0, 10_000 - b if b else 0) for b, a in there]
    assert here == flipped


GROWN = (np.empty(0, np.int64), np.empty(0, np.int64))


def halves(rows, **more):
    got = compiled(rows, (10, 10), 12, 4, 500_000, 1_000_000, **more)
    return [(ask - bid) // 2 for bid, ask in got]


def test_a_bouncing_price_widens_and_a_trending_one_does_not():
    bounce = [(0, 5_000 + 150 * (-1) ** k, 0) for k in range(20)]
    trend = [(0, 4_000 + 50 * k, 0) for k in range(20)]
    # Changes of +-300 in turn have a covariance of -90,000 with their predecessors.
    assert halves(bounce, young=GROWN)[-1] == 300
    assert halves(trend, young=GROWN)[-1] == 100


def test_a_change_across_an_unquoted_stretch_is_a_jump_but_no_bounce():
    calm = [(0, 5_000, 0)] * 6
    hole = [(0, 5_000, int(Flag.FLAT))]
    rows = [*calm, *hole, (0, 2_000, 0), (0, 2_000, 0), *hole, (0, 8_000, 0), (0, 8_000, 0)]
    assert halves(rows, young=GROWN, empty=0, jump=0)[-1] == 100
    assert halves(rows, young=GROWN, empty=0)[7:] == [750, 570, 0, 1_500, 1_130]


def test_a_change_across_missing_hours_is_news():
    rows = [(0, 5_000, 0)] * 3 + [(0, 5_000, int(Flag.FLAT)), (0, 2_000, BREAKS), (0, 2_000, 0)]
    assert halves(rows, young=GROWN, empty=0)[4:] == [100, 100]


def test_a_young_book_is_wide_and_young_again_after_an_unquoted_row():
    rows = [(0, 5_000, 0)] * 8 + [(0, 5_000, int(Flag.FLAT))] + [(0, 5_000, 0)] * 4
    assert halves(rows, empty=0) == [300] * 3 + [150] * 3 + [100] * 2 + [0] + [300] * 3 + [150]


def test_a_book_that_keeps_vanishing_is_wide_until_it_stays():
    gone, here = (0, 5_000, int(Flag.FLAT)), (0, 5_000, 0)
    rows = [gone] * 60 + [here] * 60
    wide = halves(rows, young=GROWN, empty=200_000)[60:]
    # 60 rows without a quote: 1 - exp(-60 / 24) of the share; then a 24th of the rest a row.
    left = [math.exp(-k / 24) * (1 - math.exp(-60 / 24)) for k in (1, 25, 60)]
    assert [wide[0], wide[24], wide[59]] == [math.ceil(share * 200) * 10 for share in left]
    assert wide == sorted(wide, reverse=True)
    flicker = halves([gone, here] * 60, young=GROWN, empty=200_000)
    assert 950 < flicker[-1] < 1_050
    other = compiled([gone, (1, 5_000, 0)] * 30, (10, 10), 12, 4, 500_000, 1_000_000, young=GROWN)
    assert other[-1] == (4_900, 5_100)


@given(st.lists(st.booleans(), max_size=300), st.integers(1, 1_000_000))
def test_the_share_stays_a_share(rows, weight):
    share = 0
    for gone in rows:
        before, share = share, spread_nb.faded_share(share, gone, weight)
        assert 0 <= share <= 1_000_000
        assert share >= before if gone else share <= before


def test_a_jump_widens_and_fades():
    rows = [(0, 5_000, 0)] * 2 + [(0, 7_000, 0)] * 6
    got = compiled(rows, (10, 10), 12, 12, 500_000, 1_000_000, young=GROWN)
    assert [(ask - bid) // 2 for bid, ask in got][1:] == [100, 500, 380, 290, 220, 160, 120]


PRICES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=30)


@settings(max_examples=150, deadline=None)
@given(
    quotes=PRICES, start=st.integers(0, 30), limit=st.integers(1, 60), side=st.sampled_from([1, -1])
)
def test_first_through_equals_the_twin(quotes, start, limit, side):
    found = [
        i
        for i, (bid, ask) in enumerate(quotes)
        if i >= start and ((side == 1 and 0 < ask < limit) or (side == -1 and bid > limit))
    ]
    bid = np.array([q[0] for q in quotes], np.int64)
    ask = np.array([q[1] for q in quotes], np.int64)
    got = match_nb.first_through(bid, ask, start, len(quotes), side, limit)
    assert got == (found[0] if found else -1)
