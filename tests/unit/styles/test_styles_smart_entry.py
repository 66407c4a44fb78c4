"""SmartEntry: takes what is worth it, posts otherwise, keeps out of a book that leans."""

from __future__ import annotations

import pytest
from style_desk import ASKS, BIDS, START, StyleDesk, intent

from polyframe.domain.orders import Kind
from polyframe.domain.units import SECOND


def begun(
    edge="0.05", size="60", limit="0.51", bids=BIDS, asks=ASKS, kind=Kind.DIRECTIONAL, **more
) -> StyleDesk:
    desk = StyleDesk("SmartEntry", **more)
    desk.ladder(bids, asks)
    desk.first = desk.order("buy", limit, size, f"edge={edge}", kind=kind)
    return desk


def test_it_takes_when_the_mean_price_is_worth_it_and_posts_when_it_is_not():
    # 40 at 0.50 and 20 at 0.51 are 0.5033 on average, 0.51 is the limit that the edge is of.
    assert begun("0.08").first == ["2 buy A.yes 60 @ 0.51 FAK"]
    assert begun("0.0735").first == ["2 buy A.yes 60 @ 0.51 FAK"]
    assert begun("0.0725").first == ["2 buy A.yes 60 @ 0.48 post"]


def test_it_takes_no_more_than_stands_within_the_limit():
    desk = begun("0.2", "300")
    assert desk.first == ["2 buy A.yes 100 @ 0.51 FAK"]
    desk.got(2, 100, "0.50")
    desk.ladder(BIDS, [("0.52", 300)])
    assert desk.run(2) == ["3 buy A.yes 200 @ 0.49 post"], "and posts the rest"


def test_no_more_is_taken_than_keeps_the_predicted_slippage_within_its_cap():
    asks = [("0.50", 10), ("0.51", 60)]
    # Half of two cents, and 0.02 times 60 of 70: 0.0271.
    assert begun("0.2", asks=asks, slippage_cap=0.0272).first == ["2 buy A.yes 60 @ 0.51 FAK"]
    # A tick less: 59.8 shares, but 1 would be left that nobody takes.
    assert begun("0.2", asks=asks, slippage_cap=0.0271).first == ["2 buy A.yes 55 @ 0.51 FAK"]
    assert begun("0.2", asks=asks, slippage_cap=0.0199).first == ["2 buy A.yes 34 @ 0.51 FAK"]
    assert begun("0.2", asks=asks, slippage_cap=0.011).first == ["2 buy A.yes 60 @ 0.48 post"]
    assert begun("0.2", asks=asks, slippage_cap=0.01).first == ["2 buy A.yes 60 @ 0.48 post"]


def test_a_gap_is_not_crossed_when_that_costs_too_much():
    gap, near = [("0.50", 30), ("0.54", 60)], [("0.50", 30), ("0.53", 60)]
    model = {"slippage": (0, 0.001, 0, 0.05), "imbalance": -1}
    first = begun("0.2", limit="0.54", asks=gap, **model).first
    assert first[0].endswith("@ 0.5 FAK")
    assert begun("0.2", limit="0.54", asks=near, **model).first == ["2 buy A.yes 60 @ 0.53 FAK"]


# ---- the book leans ------------------------------------------------------------------------------


@pytest.mark.parametrize(("own", "leans"), [(24, True), (25, False), (26, False)])
def test_it_does_not_buy_below_an_imbalance_of_minus_six_tenths(own, leans):
    # (25 - 100) / 125 is exactly -0.6.
    desk = begun(bids=[("0.48", own)], asks=[("0.50", 100)], limit="0.49")
    assert desk.first == ([] if leans else ["2 buy A.yes 60 @ 0.48 post"])
    if leans:
        desk.ladder([("0.48", 100)], [("0.50", 100)])
        assert desk.run(2) == ["2 buy A.yes 60 @ 0.48 post"]


def test_a_book_that_comes_to_lean_pulls_what_rests():
    desk = begun(bids=[("0.48", 100)], asks=[("0.49", 100)], limit="0.48")
    desk.ladder([("0.48", 10)], [("0.49", 100)])
    assert desk.run(2) == ["cancel 2: the book leans"]
    assert desk.say("cancelled 2") == ["changed 2 cancelled"]
    assert desk.run(20) == []


def test_an_exit_does_not_wait_for_the_book():
    desk = StyleDesk("SmartEntry")
    desk.ladder([("0.48", 500)], [("0.50", 10)])
    desk.wish("alice", intent("buy", "A.yes", "0.50", "20"))
    desk.fill("s-1", "20", "0.50")
    assert desk.order("sell", "0.40", "20", kind=Kind.EXIT) == ["3 sell A.yes 20 @ 0.48 FAK"]
    # The same sale that is no exit waits: whoever offers with it is few.
    other = StyleDesk("SmartEntry")
    other.ladder([("0.48", 500)], [("0.50", 10)])
    other.wish("alice", intent("buy", "A.yes", "0.50", "20"))
    other.fill("s-1", "20", "0.50")
    assert other.order("sell", "0.40", "20") == []


def test_two_ticks_of_the_microprice_pull_what_rests():
    desk = begun(bids=[("0.48", 100)], asks=[("0.50", 100)], limit="0.49")
    desk.ladder([("0.49", 100)], [("0.51", 100)])
    assert desk.run(2) == [], "one tick is not two"
    desk.ladder([("0.50", 100)], [("0.52", 100)])
    assert desk.run(2) == ["cancel 2: the book moved"]
    assert desk.say("cancelled 2")[-1] == "3 buy A.yes 60 @ 0.49 post"


# ---- patience and accidents ----------------------------------------------------------------------


def test_its_patience_ends_and_nothing_is_taken_then():
    desk = begun()
    assert desk.run(299) == []
    assert desk.run(1) == ["cancel 2: its time is over"]
    assert desk.say("cancelled 2") == [
        "changed 2 cancelled", "cancel parent 1: its time is over", "changed 1 cancelled",
    ]  # fmt: skip


def test_it_ends_before_the_close():
    desk = begun(session={"closes": START + 80 * SECOND})
    assert desk.run(20) == ["cancel 2: its time is over"]


@pytest.mark.parametrize(("bids", "asks"), [([], ASKS), (BIDS, [])])
def test_a_side_without_anybody_is_waited_for(bids, asks):
    desk = begun(bids=bids, asks=asks)
    assert desk.first == []
    desk.ladder(BIDS, ASKS)
    assert desk.run(2) == ["2 buy A.yes 60 @ 0.48 post"]


def test_sizes_that_nobody_said_are_no_reason_to_take():
    desk = begun("0.3", bids=[("0.48", 0)], asks=[("0.50", 0)])
    assert desk.first == ["2 buy A.yes 60 @ 0.48 post"]


def test_what_is_refused_is_tried_again_ever_more_slowly():
    desk = begun()
    sent = []
    for order in range(2, 6):
        desk.say(f"rejected {order} no")
        before = desk.now
        while not desk.run(0.5):
            pass
        sent.append(round((desk.now - before) / SECOND, 1))
    assert sent == [2.0, 4.0, 8.0, 16.0]


def test_an_order_that_only_posts_never_takes():
    desk = StyleDesk("SmartEntry")
    desk.ladder(BIDS, ASKS)
    assert desk.order("buy", "0.51", "60", "edge=0.3", post_only=True) == [
        "2 buy A.yes 60 @ 0.48 post"
    ]
