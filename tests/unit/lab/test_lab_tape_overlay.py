"""A gap and a silence written into a tape of a few rows."""

from __future__ import annotations

import numpy as np
import pytest
from book_tapes import MARKETS, rows_of, tape_of

from polyframe.exchanges.sim.exchange import SimExchange
from polyframe.lab.moments import how_far
from polyframe.lab.tape_overlay import Gap, gapped, silenced
from polyframe.runtime.tape_mids import read_mids
from polyframe.store.tape import TapeKind as K

BID, ASK = 1, -1
EXCHANGE = SimExchange(SimExchange.Config())
ROWS = [
    (0, 0, K.SNAPSHOT_BEGIN, 0, 0, 0, 1), (0, 0, K.LEVEL, BID, 4_800, 5, 1),
    (0, 0, K.LEVEL, BID, 300, 9, 1), (0, 0, K.LEVEL, ASK, 5_000, 7, 1),
    (0, 0, K.SNAPSHOT_END, 0, 0, 0, 0),
    (0, 1, K.SNAPSHOT_BEGIN, 0, 0, 0, 1), (0, 1, K.LEVEL, BID, 1_000, 1, 1),
    (0, 1, K.LEVEL, ASK, 2_000, 1, 1), (0, 1, K.SNAPSHOT_END, 0, 0, 0, 0),
    (10, 0, K.LEVEL, BID, 4_900, 3, 0), (20, 0, K.TRADE, ASK, 4_900, 3, 1),
    (20, 0, K.LEVEL, BID, 4_900, 0, 0), (30, 1, K.LEVEL, BID, 1_100, 2, 0),
    (40, 0, K.LEVEL, BID, 300, 0, 0), (50, 0, K.QUOTE_BID, 0, 4_700, 4, 0),
]  # fmt: skip
ROWS = [tuple(int(v) for v in row) for row in ROWS]


@pytest.mark.parametrize("cuts", [1, 3, 5])
def test_a_gap_moves_one_book_at_once_and_for_good(cuts) -> None:
    made = gapped(tape_of(ROWS, cuts), Gap(0, 11, -1_100), MARKETS, EXCHANGE)
    found = rows_of(made)
    assert found[:10] == ROWS[:10]
    # What stood is there 11 cents lower, as one update; what would stand below zero is gone.
    assert found[10:15] == [
        (20, 0, K.SNAPSHOT_BEGIN, 0, 0, 0, 1), (20, 0, K.LEVEL, BID, 3_700, 5, 1),
        (20, 0, K.LEVEL, BID, 3_800, 3, 1), (20, 0, K.LEVEL, ASK, 3_900, 7, 1),
        (20, 0, K.SNAPSHOT_END, 0, 0, 0, 0),
    ]  # fmt: skip
    assert found[15:17] == [(20, 0, K.TRADE, ASK, 3_800, 3, 1), (20, 0, K.LEVEL, BID, 3_800, 0, 0)]
    assert found[17] == ROWS[12]  # the other market is as it was
    assert found[18][4] == 10_000  # no price of any book
    assert found[19] == (50, 0, K.QUOTE_BID, 0, 3_600, 4, 0)
    mids = read_mids(made, MARKETS, EXCHANGE)
    was = read_mids(tape_of(ROWS), MARKETS, EXCHANGE)
    at = np.array([0, 15, 20, 45, 50])
    assert (was.at(0, at) - mids.at(0, at)).tolist() == [0, 0, 2_200, 2_200, 2_200]
    np.testing.assert_array_equal(mids.at(1, at), was.at(1, at))


def test_a_gap_begins_with_an_update() -> None:
    """Its moment is that of the first update from then on."""
    rows = [(row[0], *row[1:6], 1 if row[0] == 10 else row[6]) for row in ROWS]
    found = rows_of(gapped(tape_of(rows), Gap(0, 15, 1_100), MARKETS, EXCHANGE))
    first = next(n for n, row in enumerate(found) if n > 8 and row[2] == K.SNAPSHOT_BEGIN)
    assert found[first][0] == 30
    assert found[:first] == rows[:12]


def test_trades_and_best_prices_stay_within_the_prices_there_are() -> None:
    found = rows_of(gapped(tape_of(ROWS), Gap(0, 11, -5_000), MARKETS, EXCHANGE))
    trades = [row for row in found if row[2] == K.TRADE]
    assert [row[4] for row in trades] == [100]
    assert found[-1] == (50, 0, K.QUOTE_BID, 0, 0, 0, 0)


@pytest.mark.parametrize("cuts", [1, 2, 4])
def test_a_silence_is_one_late_update(cuts) -> None:
    found = rows_of(silenced(tape_of(ROWS, cuts), 10, 40))
    assert found[:9] == ROWS[:9]
    assert [row[0] for row in found[9:]] == [40, 40, 40, 40, 40, 50]
    assert [row[1:6] for row in found] == [row[1:6] for row in ROWS]
    # All but the last of those that were late belong to one update.
    assert [row[6] for row in found[9:]] == [1, 1, 1, 0, 0, 0]


def test_a_silence_in_which_nothing_happened_changes_nothing() -> None:
    played = tape_of(ROWS)
    assert rows_of(silenced(played, 31, 40)) == ROWS
    assert silenced(played, 31, 40).tape.segments[0] is played.tape.segments[0]


def test_how_far_a_gap_goes() -> None:
    """Ten ticks beyond the own quote, upwards to whole ticks, two ticks before the end."""
    mid = np.array([2 * 5_000, 2 * 5_050, 2 * 5_000, 2 * 900])
    quote = np.array([4_800, 4_950, 0, 800])
    assert how_far(mid, quote, BID, 100, 10_000).tolist() == [1_200, 1_100, 1_000, 700]
    assert how_far(mid[:1], np.array([5_200]), ASK, 100, 10_000).tolist() == [1_200]
    # Without bounds 2 % of the price, where that is more than ten ticks.
    assert how_far(np.array([2 * 6_000_000]), np.array([5_999_000]), BID, 1, 0).tolist() == [
        121_000
    ]
