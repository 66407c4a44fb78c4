"""TWAP: equal parts in equal pauses, the rest carried on, all of it in the last."""

from __future__ import annotations

import pytest
from style_desk import ASKS, BIDS, START, StyleDesk, intent

from polyframe.domain import events as ev
from polyframe.domain.units import SECOND

DEEP = [("0.50", 4_000), ("0.51", 6_000)]


def begun(size="100", asks=DEEP, limit="0.52", **more) -> StyleDesk:
    desk = StyleDesk("TWAP", **{"jitter": 0, **more})
    desk.ladder(BIDS, asks)
    desk.first = desk.order("buy", limit, size)
    return desk


def test_five_slices_thirty_seconds_apart_and_what_was_missed_is_carried_on():
    desk = begun()
    assert desk.first == ["2 buy A.yes 20 @ 0.52 FAK"]
    desk.got(2, 20, "0.50")
    assert desk.run(28) == []
    assert desk.run(1) == ["3 buy A.yes 20 @ 0.52 FAK"]
    assert desk.say("cancelled 3") == ["changed 3 cancelled"]
    # 80 are left for three slices.
    assert desk.run(29) == ["4 buy A.yes 26 @ 0.52 FAK"]
    desk.got(4, 7, "0.50")
    desk.say("cancelled 4")
    assert desk.run(28) == ["5 buy A.yes 36 @ 0.52 FAK"]
    desk.got(5, 36, "0.50")
    assert desk.run(29) == ["6 buy A.yes 37 @ 0.52 FAK"]
    desk.got(6, 30, "0.50")
    assert desk.say("cancelled 6") == [
        "changed 6 cancelled", "cancel parent 1: the last slice found no more",
        "changed 1 cancelled",
    ]  # fmt: skip
    assert desk.engine.state.reserved[0] == 0
    assert desk.run(1_000) == []


def pauses(jitter: float, seed: int = 0) -> list[float]:
    desk = begun(size="500", jitter=jitter)
    desk.engine.context.step += seed
    found = []
    for order in range(3, 7):
        before = desk.now
        while not (sent := desk.run(0.25)):
            pass
        assert sent[0].startswith(f"{order} buy")
        found.append((desk.now - before) / SECOND)
    return found


def test_the_pauses_vary_by_up_to_the_jitter_and_are_the_same_in_every_replay():
    found = [p for seed in range(6) for p in pauses(0.3, seed)]
    assert min(found) >= 20.9
    assert max(found) <= 39.3
    assert max(found) - min(found) > 8, "they do vary"
    assert pauses(0.3) == pauses(0.3)
    assert set(pauses(0)) == {30.0}


def test_a_slice_takes_at_most_its_share_of_what_stands_near():
    # Within two cents of 0.50 there are 400 shares: a tenth is 40.
    desk = begun(size="500", asks=ASKS)
    assert desk.first == ["2 buy A.yes 40 @ 0.52 FAK"]
    desk.got(2, 40, "0.51")
    assert desk.run(29) == ["3 buy A.yes 40 @ 0.52 FAK"]
    desk.got(3, 40, "0.51")
    desk.ladder(BIDS, [("0.50", 30)])
    assert desk.run(29) == [], "a tenth of 30 is below the minimum"
    desk.ladder(BIDS, [("0.50", 90)])
    assert desk.run(30) == ["4 buy A.yes 9 @ 0.52 FAK"]
    desk.got(4, 9, "0.50")
    assert desk.run(29) == ["5 buy A.yes 411 @ 0.52 FAK"], "the last asks for all that is left"


def test_with_urgency_the_parts_are_those_of_almgren_and_chriss():
    # The reference's case: 1000 in five parts over 10, kappa 0.3; two units of time a slice.
    desk = begun(size="1000", asks=[("0.50", 9_000)], urgency=0.6)
    sent, lines = [], desk.first
    for order in range(2, 7):
        sent.append(int(lines[-1].split()[3]))
        desk.got(order, sent[-1], "0.50")
        lines = desk.run(30)
    assert sent == [454, 252, 143, 87, 64]
    assert sum(sent) == 1_000


def test_small_orders_have_fewer_slices_and_no_rest():
    desk = begun(size="12")
    assert desk.first == ["2 buy A.yes 5 @ 0.52 FAK"]
    desk.got(2, 5, "0.50")
    # Another 5 would leave 2, which no venue takes.
    assert desk.run(30) == ["3 buy A.yes 7 @ 0.52 FAK"]
    assert begun(size="9").first == ["2 buy A.yes 9 @ 0.52 FAK"]


def test_a_cheap_purchase_is_worth_a_dollar_at_least():
    desk = StyleDesk("TWAP", jitter=0)
    desk.ladder([("0.04", 900)], [("0.05", 9_000)])
    assert desk.order("buy", "0.05", "60") == ["2 buy A.yes 20 @ 0.05 FAK"]


def test_a_sale_of_any_rest_is_taken():
    desk = StyleDesk("TWAP", jitter=0)
    desk.ladder([("0.48", 5_000)], DEEP)
    desk.wish("alice", intent("buy", "A.yes", "0.50", "7"))
    desk.fill("s-1", "7", "0.50")
    assert desk.order("sell", "0.47", "7") == ["3 sell A.yes 1 @ 0.47 FAK"]


@pytest.mark.parametrize(("bids", "asks", "trusted"), [
    (BIDS, [], True), (BIDS, [("0.53", 9)], True), (BIDS, DEEP, False), ([], [], True),
])  # fmt: skip
def test_slices_without_anybody_to_trade_with_are_left_out(bids, asks, trusted):
    desk = StyleDesk("TWAP", jitter=0)
    desk.ladder(BIDS, [])
    assert desk.order("buy", "0.52", "100") == []
    desk.ladder(bids, asks, trusted=trusted)
    assert desk.run(119) == []
    assert desk.run(2) == [
        "cancel parent 1: nothing could be had in the last slice", "changed 1 cancelled",
    ]  # fmt: skip


def test_it_joins_when_somebody_comes():
    desk = begun(asks=[])
    desk.run(45)
    desk.ladder(BIDS, DEEP)
    assert desk.run(30) == ["2 buy A.yes 33 @ 0.52 FAK"]


def test_before_the_close_the_slices_come_closer_together():
    desk = begun(session={"closes": START + 110 * SECOND})
    found = [desk.first[0]]
    while len(found) < 5:
        order = found[-1].split()[0]
        desk.say(f"rejected {order} no")
        found += [line for line in desk.run(1) if "FAK" in line]
        assert desk.now < START + 60 * SECOND
    assert found[-1] == "6 buy A.yes 100 @ 0.52 FAK"


def test_what_is_refused_goes_into_the_later_slices():
    desk = begun()
    assert desk.say("rejected 2 no") == ["changed 2 rejected"]
    assert desk.run(29) == ["3 buy A.yes 25 @ 0.52 FAK"]


def test_a_coarser_tick_lowers_the_limit():
    desk = StyleDesk("TWAP", jitter=0)
    desk.step(ev.TickSizeChanged(desk.later(), "A", 10))
    desk.ladder(BIDS, DEEP)
    assert desk.order("buy", "0.519", "100") == ["2 buy A.yes 20 @ 0.519 FAK"]
    desk.step(ev.TickSizeChanged(desk.later(), "A", 100))
    desk.ladder(BIDS, DEEP)
    assert desk.run(30) == ["3 buy A.yes 20 @ 0.51 FAK"]


def test_an_order_that_only_posts_is_not_for_it():
    desk = StyleDesk("TWAP")
    desk.ladder(BIDS, DEEP)
    assert desk.order("buy", "0.52", "100", post_only=True)[0].startswith(
        "cancel parent 1: the order only posts"
    )
