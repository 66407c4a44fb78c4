"""Iceberg: a part is shown, and the next when that is filled."""

from __future__ import annotations

import pytest
from style_desk import ASKS, BIDS, START, StyleDesk

from polyframe.domain.units import SECOND
from polyframe.domain.wishes import CancelOrder


def begun(size="2000", limit="0.49", *words, **more) -> StyleDesk:
    desk = StyleDesk("Iceberg", **more)
    desk.ladder(BIDS, ASKS)
    desk.first = desk.order("buy", limit, size, *(words or ("resting",)))
    return desk


def shown(line: str) -> int:
    return int(line.split()[3])


def test_a_fifth_is_shown_and_the_next_part_when_it_is_filled():
    desk = begun(jitter=0)
    assert desk.first == ["2 buy A.yes 400 @ 0.49 GTC"]
    assert desk.got(2, 399, "0.49") == []
    assert desk.got(2, 1, "0.49") == ["changed 2 confirmed", "3 buy A.yes 400 @ 0.49 GTC"]
    for order in (3, 4, 5):
        desk.got(order, 400, "0.49")
    assert desk.got(6, 400, "0.49") == ["changed 1 confirmed", "changed 6 confirmed"]
    assert desk.run(10_000) == []
    assert desk.engine.state.reserved[0] == 0


def test_no_two_parts_are_equal():
    desk = begun("4000")
    parts = [shown(desk.first[0])]
    while sum(parts) < 4_000:
        lines = desk.got(len(parts) + 1, parts[-1], "0.49")
        parts.append(shown(lines[-1]))
    assert all(0.7 * 800 <= part <= 1.3 * 800 for part in parts[:-1])
    assert len(set(parts)) == len(parts)
    assert sum(parts) == 4_000


@pytest.mark.parametrize(
    ("size", "limit", "sent"),
    [
        ("1000", "0.50", "2 buy A.yes 200 @ 0.5 GTC"),
        ("999", "0.50", "2 buy A.yes 999 @ 0.5 GTC"),
    ],
)
def test_from_five_hundred_dollars_on(size, limit, sent):
    assert begun(size, limit, jitter=0).first == [sent]


def test_below_that_an_order_that_takes_goes_out_as_it_is():
    desk = begun("100", "0.51", "p=0.9")
    assert desk.first == ["2 buy A.yes 100 @ 0.51 FAK"]
    desk.got(2, 40, "0.50")
    assert desk.say("cancelled 2") == [
        "changed 2 cancelled", "cancel parent 1: it took what it could", "changed 1 cancelled",
    ]  # fmt: skip


def test_a_part_is_never_below_the_minimum_and_a_rest_goes_with_the_last():
    desk = begun("12", jitter=0, from_notional=0)
    assert desk.first == ["2 buy A.yes 5 @ 0.49 GTC"]
    assert desk.got(2, 5, "0.49")[-1] == "3 buy A.yes 7 @ 0.49 GTC"


def test_an_order_that_takes_rests_five_minutes():
    desk = begun("2000", "0.49", "p=0.9", jitter=0)
    assert desk.first == ["2 buy A.yes 400 @ 0.49 GTC"]
    assert desk.run(299) == []
    assert desk.run(1) == ["cancel 2: its time is over"]
    assert desk.say("cancelled 2") == [
        "changed 2 cancelled", "cancel parent 1: its time is over", "changed 1 cancelled",
    ]  # fmt: skip


def test_an_expiry_and_the_close_end_it():
    desk = begun(jitter=0, session={"closes": START + 400 * SECOND})
    assert desk.run(335) == []
    assert desk.run(5) == ["cancel 2: its time is over"]
    desk = StyleDesk("Iceberg", jitter=0)
    desk.ladder(BIDS, ASKS)
    desk.order("buy", "0.49", "2000", "resting", ttl=100 * SECOND)
    assert desk.run(99) == []
    assert desk.run(1) == ["cancel 2: its time is over"]


def test_without_an_end_it_rests_and_sets_no_timer_for_ever():
    desk = begun(jitter=0)
    assert desk.run(50_000) == []
    assert not desk.engine.timers


def test_a_refused_part_is_tried_again_ever_more_slowly():
    desk = begun(jitter=0)
    pauses, order = [], 2
    for _ in range(4):
        desk.say(f"rejected {order} no")
        before, order = desk.now, order + 1
        while not desk.run(1):
            pass
        pauses.append(round((desk.now - before) / SECOND))
    assert pauses == [4, 9, 19, 39]


def test_an_order_that_only_posts_posts_each_part():
    desk = StyleDesk("Iceberg", jitter=0)
    desk.ladder(BIDS, ASKS)
    first = desk.order("buy", "0.49", "2000", "resting", post_only=True)
    assert first == ["2 buy A.yes 400 @ 0.49 post"]


def test_a_cancel_of_the_parent_pulls_what_is_shown():
    desk = begun(jitter=0)
    desk.got(2, 100, "0.49")
    desk.wish("alice", CancelOrder("s-1"))
    assert desk.say("cancelled 2") == ["changed 2 cancelled", "changed 1 cancelled"]
