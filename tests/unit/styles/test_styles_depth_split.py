"""DepthSplit: takes a part of the depth, waits, stops at the price cap."""

from __future__ import annotations

import pytest
from style_desk import ASKS, BIDS, START, StyleDesk, intent

from polyframe.domain.units import SECOND


def begun(size="300", limit="0.52", asks=ASKS, **more) -> StyleDesk:
    desk = StyleDesk("DepthSplit", **more)
    desk.ladder(BIDS, asks)
    desk.first = desk.order("buy", limit, size)
    return desk


def test_each_child_takes_a_quarter_of_what_stands_within_two_cents():
    desk = begun()
    assert desk.first == ["2 buy A.yes 100 @ 0.52 FAK"]
    desk.got(2, 100, "0.50")
    assert desk.run(3) == []
    desk.ladder(BIDS, [("0.50", 40), ("0.51", 60)])
    assert desk.run(1) == ["3 buy A.yes 25 @ 0.52 FAK"]
    desk.got(3, 25, "0.50")
    desk.ladder(BIDS, ASKS)
    assert desk.run(4) == ["4 buy A.yes 100 @ 0.52 FAK"]
    desk.got(4, 100, "0.50")
    # Another 70 would do; the rest of 5 is not left behind.
    assert desk.run(4) == ["5 buy A.yes 75 @ 0.52 FAK"]
    assert desk.got(5, 75, "0.50") == ["changed 1 confirmed", "changed 5 confirmed"]
    assert desk.run(1_000) == []


def test_a_child_pays_no_more_than_two_cents_beyond_the_best():
    assert begun(limit="0.60").first == ["2 buy A.yes 100 @ 0.52 FAK"]
    assert begun(limit="0.60", reach=0.03).first == ["2 buy A.yes 225 @ 0.53 FAK"]
    assert begun(limit="0.50").first == ["2 buy A.yes 10 @ 0.5 FAK"], "only what it may take counts"


def test_it_stops_at_the_price_cap():
    desk = begun()
    desk.got(2, 100, "0.50")
    desk.ladder(BIDS, [("0.53", 500)])
    assert desk.run(5) == [
        "cancel parent 1: the best price is beyond the limit", "changed 1 cancelled",
    ]  # fmt: skip
    assert begun(limit="0.49").first[0] == "cancel parent 1: the best price is beyond the limit"


@pytest.mark.parametrize(("asks", "trusted"), [([], True), (ASKS, False), ([("0.50", 16)], True)])
def test_a_book_that_is_missing_or_too_thin_is_waited_for_five_times(asks, trusted):
    desk = StyleDesk("DepthSplit")
    desk.ladder(BIDS, [])
    assert desk.order("buy", "0.52", "300") == []
    desk.ladder(BIDS, asks, trusted=trusted)
    assert desk.run(24.9) == []
    assert desk.run(0.2) == ["cancel parent 1: nothing was had 5 times", "changed 1 cancelled"]


def test_children_that_find_nothing_end_it_and_a_fill_begins_anew():
    desk = begun(tries=2)
    desk.say("rejected 2 no")
    assert desk.run(5) == ["3 buy A.yes 100 @ 0.52 FAK"]
    desk.got(3, 100, "0.50")
    assert desk.run(5) == ["4 buy A.yes 100 @ 0.52 FAK"]
    desk.say("cancelled 4")
    assert desk.run(5) == ["5 buy A.yes 100 @ 0.52 FAK"]
    desk.say("cancelled 5")
    assert desk.run(5) == ["cancel parent 1: nothing was had 2 times", "changed 1 cancelled"]


def test_it_waits_for_a_child_without_asking_again():
    desk = begun()
    desk.run(4)
    assert desk.run(3_600) == []
    assert not desk.engine.timers


def test_a_best_price_of_unknown_size_is_taken_whole():
    assert begun(asks=[("0.50", 0)]).first == ["2 buy A.yes 300 @ 0.52 FAK"]


def test_a_rest_below_the_minimum_ends_it():
    desk = begun("103")
    assert desk.first == ["2 buy A.yes 103 @ 0.52 FAK"]
    desk.got(2, 100, "0.50")
    desk.say("cancelled 2")
    assert desk.run(5) == [
        "cancel parent 1: what is left is below the venue's minimum", "changed 1 cancelled",
    ]  # fmt: skip


def test_a_sale_takes_from_the_bids_to_the_last_share():
    desk = StyleDesk("DepthSplit")
    desk.ladder([("0.48", 40), ("0.47", 40)], ASKS)
    desk.wish("alice", intent("buy", "A.yes", "0.50", "22"))
    desk.fill("s-1", "22", "0.50")
    assert desk.order("sell", "0.40", "22") == ["3 sell A.yes 20 @ 0.46 FAK"]
    desk.got(3, 20, "0.48")
    assert desk.run(5) == ["4 sell A.yes 2 @ 0.46 FAK"]


def test_it_ends_before_the_close():
    desk = begun(session={"closes": START + 10 * SECOND})
    desk.got(2, 100, "0.50")
    assert desk.run(5) == ["cancel parent 1: its time is over", "changed 1 cancelled"]
