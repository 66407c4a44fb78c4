"""PostFirst: posts, steps towards the limit, takes while it pays."""

from __future__ import annotations

import pytest
from style_desk import ASKS, BIDS, FREE, START, StyleDesk, intent

from polyframe.domain import events as ev
from polyframe.domain.market import FeeSchedule
from polyframe.domain.orders import Kind
from polyframe.domain.units import SECOND
from polyframe.domain.wishes import CancelOrder
from polyframe.protections.min_edge import MinEdge


def begun(bids=BIDS, asks=ASKS, *, limit="0.51", size="20", **more) -> StyleDesk:
    desk = StyleDesk("PostFirst", **more)
    desk.ladder(bids, asks)
    desk.order("buy", limit, size, "edge=0.05")
    return desk


def test_it_posts_with_the_best_steps_a_tick_and_takes_at_the_limit():
    desk = StyleDesk("PostFirst")
    desk.ladder([("0.46", 100)], [("0.48", 40), ("0.49", 60)])
    assert desk.order("buy", "0.49", "20", "edge=0.05") == ["2 buy A.yes 20 @ 0.46 post"]
    assert desk.run(899) == []
    assert desk.run(1) == ["cancel 2: moves towards the limit"]
    assert desk.say("cancelled 2") == ["changed 2 cancelled", "3 buy A.yes 20 @ 0.47 post"]
    # One tick further it would take: it stays, and keeps its place.
    assert desk.run(178) == []
    assert desk.run(1) == ["cancel 3: time to take"]
    assert desk.say("cancelled 3") == ["changed 3 cancelled", "4 buy A.yes 20 @ 0.49 FAK"]
    desk.got(4, 12, "0.48")
    assert desk.say("cancelled 4") == [
        "changed 4 cancelled", "cancel parent 1: could not be taken", "changed 1 cancelled",
    ]  # fmt: skip
    assert desk.engine.state.reserved[0] == 0


def test_in_a_wide_spread_it_is_a_tick_better_and_follows_others_up_to_the_limit():
    desk = begun([("0.40", 9)], [("0.50", 9)], limit="0.45")
    assert desk.engine.state.orders["s-2"].order.price == 4_100
    desk.ladder([("0.41", 9)], [("0.50", 9)])
    assert desk.run(15) == [], "whoever stands with the best stays"
    desk.ladder([("0.43", 9)], [("0.50", 9)])
    assert desk.run(15) == ["cancel 2: moves towards the limit"]
    assert desk.say("cancelled 2")[-1] == "3 buy A.yes 20 @ 0.44 post"
    desk.ladder([("0.47", 9)], [("0.50", 9)])
    assert desk.run(15) == ["cancel 3: moves towards the limit"]
    assert desk.say("cancelled 3")[-1] == "4 buy A.yes 20 @ 0.45 post"


@pytest.mark.parametrize(("spread", "price"), [("0.42", "0.4"), ("0.43", "0.41")])
def test_three_ticks_make_a_wide_spread(spread, price):
    desk = StyleDesk("PostFirst")
    desk.ladder([("0.40", 9)], [(spread, 9)])
    assert desk.order("buy", "0.45", "20", "edge=0.05") == [f"2 buy A.yes 20 @ {price} post"]


def test_a_sale_mirrors_a_purchase():
    desk = StyleDesk("PostFirst")
    desk.ladder(BIDS, ASKS)
    desk.wish("alice", intent("buy", "A.yes", "0.50", "20"))
    desk.fill("s-1", "20", "0.50")
    assert desk.order("sell", "0.46", "20") == ["3 sell A.yes 20 @ 0.5 post"]
    assert desk.run(900) == ["cancel 3: moves towards the limit"]
    assert desk.say("cancelled 3")[-1] == "4 sell A.yes 20 @ 0.49 post"


# ---- turning taker -------------------------------------------------------------------------------


def taken(desk: StyleDesk, seconds: float = 1_080) -> list[str]:
    desk.run(seconds)
    return desk.say("cancelled 2")[1:]


def test_the_edge_after_a_fee_that_rose_allows_only_a_better_price():
    desk = begun(session={"fee": FREE})
    desk.step(ev.FeesChanged(desk.later(), "A", FeeSchedule(rate=70_000)))
    assert taken(desk) == ["3 buy A.yes 20 @ 0.5 FAK"]


def test_nothing_is_taken_when_no_edge_is_left_after_the_fee():
    desk = begun(session={"fee": FREE})
    desk.step(ev.FeesChanged(desk.later(), "A", FeeSchedule(rate=90_000)))
    assert taken(desk)[0] == "cancel parent 1: no edge is left after the fee"


def test_the_door_looks_at_the_edge_of_the_taker_again():
    desk = begun(
        session={"fee": FREE, "protections": [MinEdge(MinEdge.Config(edge=0.045))]}, min_edge=0.0
    )
    desk.step(ev.FeesChanged(desk.later(), "A", FeeSchedule(rate=40_000)))
    assert taken(desk) == ["reviewed 0/20 by MinEdge"]
    assert desk.run(15) == ["cancel parent 1: could not be taken", "changed 1 cancelled"]


def test_what_would_cost_too_much_beyond_the_mid_is_not_taken():
    # Half the spread costs 0.01, 100 shares of the 100 near cost 0.02, the gap behind them 0.01.
    asks = [("0.50", 40), ("0.51", 60), ("0.56", 500)]
    desk = begun(asks=asks, limit="0.60", size="400", slippage_cap=0.031)
    assert taken(desk) == ["3 buy A.yes 100 @ 0.6 FAK"]
    wide = [("0.55", 40), ("0.56", 500)]
    assert taken(begun(asks=wide, limit="0.60", size="400"))[0] == (
        "cancel parent 1: its predicted slippage is above the cap"
    )
    unknown = [("0.55", 0)]
    assert taken(begun(asks=unknown, limit="0.60", size="400")) == ["3 buy A.yes 400 @ 0.6 FAK"]


def test_an_exit_is_taken_without_an_edge_and_whatever_it_costs():
    desk = StyleDesk("PostFirst")
    desk.ladder([("0.49", 5), ("0.40", 500)], ASKS)
    desk.wish("alice", intent("buy", "A.yes", "0.50", "20"))
    desk.fill("s-1", "20", "0.50")
    desk.order("sell", "0.40", "20", "edge=-0.1", kind=Kind.EXIT)
    desk.run(1_080)
    assert desk.say("cancelled 3")[-1] == "4 sell A.yes 20 @ 0.4 FAK"


def test_an_order_that_only_posts_is_never_taken():
    desk = StyleDesk("PostFirst")
    desk.ladder(BIDS, ASKS)
    desk.order("buy", "0.51", "20", "edge=0.05", post_only=True)
    assert taken(desk)[0] == "cancel parent 1: the order only posts"


def test_beyond_the_limit_there_is_nothing_to_take():
    desk = begun(limit="0.49")
    assert taken(desk)[0] == "cancel parent 1: nobody within the limit"


# ---- accidents -----------------------------------------------------------------------------------


def test_an_empty_or_distrusted_side_is_waited_for():
    desk = begun([], ASKS)
    assert desk.run(100) == []
    desk.ladder(BIDS, ASKS)
    assert desk.run(15) == ["2 buy A.yes 20 @ 0.48 post"]
    desk.ladder([], [], trusted=False)
    assert desk.run(900) == []
    assert taken(desk)[0] == "cancel parent 1: nobody within the limit"


def test_a_rest_below_the_minimum_ends_the_order():
    desk = begun()
    desk.got(2, 17, "0.48")
    assert taken(desk)[0] == "cancel parent 1: what is left is below the venue's minimum"


def test_what_is_filled_in_part_goes_on_with_the_rest():
    desk = begun()
    desk.got(2, 8, "0.48")
    assert taken(desk) == ["3 buy A.yes 12 @ 0.51 FAK"]


def test_a_post_that_is_refused_is_tried_again_ever_more_slowly():
    desk = begun()
    desk.say("rejected 2 crosses")
    assert desk.run(13) == []
    assert desk.run(2) == ["3 buy A.yes 20 @ 0.48 post"]
    desk.say("rejected 3 crosses")
    assert desk.run(28) == []
    assert desk.run(2) == ["4 buy A.yes 20 @ 0.48 post"]


def test_a_finer_tick_is_used_at_once():
    desk = begun()
    desk.step(ev.TickSizeChanged(desk.later(), "A", 10))
    desk.ladder([("0.483", 100)], [("0.49", 9)])
    assert desk.run(15) == ["cancel 2: moves towards the limit"]
    assert desk.say("cancelled 2")[-1] == "3 buy A.yes 20 @ 0.484 post"


def test_near_the_close_all_of_it_is_over_a_minute_before():
    desk = begun(session={"closes": START + 120 * SECOND})
    assert desk.run(57) == ["cancel 2: moves towards the limit"]
    assert desk.run(15) == []
    assert desk.say("cancelled 2")[-1].endswith("FAK")
    assert desk.now < START + 120 * SECOND


def test_a_cancel_of_the_parent_pulls_the_child():
    desk = begun()
    assert desk.shown(desk.wish("alice", CancelOrder("s-1", "away"))) == [
        "cancel parent 1: away", "cancel 2: away",
    ]  # fmt: skip
    assert desk.run(2_000) == []
    assert desk.say("cancelled 2") == ["changed 2 cancelled", "changed 1 cancelled"]
    assert desk.engine.state.reserved[0] == 0
