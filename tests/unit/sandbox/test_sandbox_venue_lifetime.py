"""How long orders live: cancels, expiry, heartbeats, and what a market's delay does to them."""

from __future__ import annotations

import pytest
from venue_town import ANN, BOB, CEM, DOLLAR, MINUTE, SECOND, SHARE, START, Town, listing

from polyframe.sandbox.venue.records import BUY, SELL, OrderTold, Placed, Refused

NOW = START // SECOND


def sign(town: Town, key: str = "ann", who: str = ANN, price: int = 5_000, **more: object) -> str:
    """A signed bid for ten YES, resting; its id."""
    placed = town.sign(who, town.yes, BUY, price * 1_000, 10 * SHARE, key=key, **more)
    assert isinstance(placed, Placed), placed
    return placed.order_id


# ---- cancelling ------------------------------------------------------------------------------


def test_a_key_cancels_its_own_orders_and_is_told_why_others_stay() -> None:
    town = Town()
    mine, other, filled = sign(town), sign(town, "bob", BOB, 4_900), sign(town, price=5_500)
    town.send(CEM, town.no, BUY, 4_500, 10)
    done = town.venue.cancel("ann", [mine, mine, other, filled, "0x5"])
    assert done.canceled == (mine,)
    assert done.not_canceled == {
        other: "Order not found or already canceled",
        filled: "already canceled or matched",
        "0x5": "Order not found or already canceled",
    }
    assert town.venue.cancel("ann", [mine]).not_canceled == {mine: "already canceled or matched"}
    assert town.venue.book(town.yes).bids == ((4_900, 10 * SHARE),)
    assert town.venue.balance(ANN).reserved == 0
    town.sound()


def test_orders_are_cancelled_by_market_by_token_or_all() -> None:
    town = Town()
    second = town.venue.list_market(listing(2)).listing
    yes = sign(town)
    no = town.sign(ANN, town.no, BUY, 4 * DOLLAR, 10 * SHARE, key="ann").order_id
    far = town.sign(ANN, second.tokens[0], BUY, 4 * DOLLAR, 10 * SHARE, key="ann").order_id
    assert town.venue.cancel_market("ann", asset_id=town.no).canceled == (no,)
    assert town.venue.cancel_market("ann", market=town.id).canceled == (yes,)
    assert town.venue.cancel_market("ann", "0x5").canceled == ()
    again = sign(town)
    assert town.venue.cancel_all("ann").canceled == (far, again)
    assert town.venue.cancel_all("nobody").canceled == ()
    town.sound()


def test_a_closed_order_can_still_be_asked_for_and_is_forgotten_in_time() -> None:
    from polyframe.sandbox.venue.settings import Settings

    town = Town(Settings(kept_orders=3))
    ids = [sign(town) for _ in range(5)]
    town.venue.cancel_all("ann")
    known = [town.venue.order(id) for id in ids]
    assert known[:2] == [None, None]
    assert [order.status for order in known[2:] if order] == ["CANCELED"] * 3


def test_a_wallet_that_moves_its_money_loses_its_newest_orders() -> None:
    town = Town(money=20)
    old, new = sign(town), sign(town)
    assert town.venue.withdraw(ANN, 12 * DOLLAR) is None
    assert [o.id for o in town.venue.orders_of("ann")] == [old]
    assert town.venue.order(new).status == "CANCELED_NOT_ENOUGH_BALANCE"
    town.sound()


def test_a_wallet_that_moves_its_shares_loses_the_orders_that_sell_them() -> None:
    town = Town()
    town.venue.split(ANN, town.id, 20 * SHARE)
    sell = town.rest(ANN, town.yes, SELL, 6_000, 15)
    other = town.rest(ANN, town.no, SELL, 6_000, 10)
    bid = town.rest(ANN, town.yes, BUY, 1_000, 10)
    town.venue.merge(ANN, town.id, 10 * SHARE)
    left = [o.id for o in town.venue.orders_of(town.venue.wallet(ANN).owner)]
    assert left == [other, bid]
    assert sell not in left
    town.sound()


# ---- expiry ----------------------------------------------------------------------------------


def test_a_gtd_order_ends_a_minute_before_its_stated_time() -> None:
    town = Town()
    id = sign(town, order_type="GTD", expiration=NOW + 200)
    town.later(140 * SECOND - 1)
    assert town.venue.order(id).open
    town.venue.drain()
    town.later(1)
    assert town.venue.order(id).status == "CANCELED_EXPIRED_ORDER"
    (told,) = town.told(OrderTold)
    assert (told.kind, told.status, told.at) == (
        "CANCELLATION",
        "CANCELED_EXPIRED_ORDER",
        START + 140 * SECOND,
    )
    assert town.venue.balance(ANN).reserved == 0


def test_expiry_leaves_an_order_alone_that_ended_before() -> None:
    town = Town()
    id = sign(town, order_type="GTD", expiration=NOW + 200)
    town.venue.cancel("ann", [id])
    town.later(10 * MINUTE)
    assert town.venue.order(id).status == "CANCELED"


# ---- the dead man ----------------------------------------------------------------------------


def test_a_key_that_stops_beating_loses_all_its_orders() -> None:
    town = Town()
    mine, other = sign(town), sign(town, "bob", BOB)
    beat = town.venue.heartbeat("ann", "")
    for _ in range(6):
        town.later(5 * SECOND)
        beat = town.venue.heartbeat("ann", beat.heartbeat_id)
        assert beat.error == ""
    assert town.venue.order(mine).open
    town.later(15 * SECOND)
    assert town.venue.order(mine).status == "CANCELED"
    assert town.venue.order(other).open
    assert town.venue.balance(ANN).reserved == 0


def test_an_armed_key_is_cancelled_between_ten_and_fifteen_seconds_after_its_last_beat() -> None:
    town = Town()
    mine = sign(town)
    town.venue.heartbeat("ann", "")
    town.later(10 * SECOND - 1)
    assert town.venue.order(mine).open
    town.later(5 * SECOND)
    assert not town.venue.order(mine).open


def test_beats_are_counted_in_the_time_of_whoever_sends_them() -> None:
    town = Town()
    town.venue.keep_pace(100.0)
    mine = sign(town)
    beat = town.venue.heartbeat("ann", "")
    for _ in range(3):
        town.later(500 * SECOND)
        beat = town.venue.heartbeat("ann", beat.heartbeat_id)
    assert town.venue.order(mine).open
    town.later(1_500 * SECOND)
    assert not town.venue.order(mine).open


@pytest.mark.parametrize("paces", [(100.0, 1.0), (1.0, 100.0), (0.5, 1_000.0), (3.0, 0.001)])
def test_a_pace_that_changes_between_a_beat_and_its_check_counts_from_then_on(
    paces: tuple[float, float],
) -> None:
    before, after = paces
    town = Town()
    town.venue.keep_pace(before)
    mine = sign(town)
    town.venue.heartbeat("ann", "")
    town.later(int(3 * SECOND * before))
    town.venue.keep_pace(after)
    town.venue.keep_pace(after)
    town.later(int(6_999_999_000 * after))
    assert town.venue.order(mine).open
    town.later(int(2_000 * after) + 1)
    assert not town.venue.order(mine).open


def test_a_wrong_beat_is_answered_with_the_right_id() -> None:
    town = Town()
    first = town.venue.heartbeat("ann", "")
    wrong = town.venue.heartbeat("ann", "nonsense")
    assert (wrong.heartbeat_id, wrong.error) == (first.heartbeat_id, "Invalid Heartbeat ID")
    restarted = town.venue.heartbeat("ann", "")
    assert restarted.error == "Invalid Heartbeat ID"
    assert town.venue.heartbeat("ann", restarted.heartbeat_id).error == ""


def test_after_the_dead_man_struck_the_key_can_be_armed_again() -> None:
    town = Town()
    town.venue.heartbeat("ann", "")
    town.later(20 * SECOND)
    mine = sign(town)
    town.later(MINUTE)
    assert town.venue.order(mine).open
    assert town.venue.heartbeat("ann", "").error == ""
    town.later(20 * SECOND)
    assert not town.venue.order(mine).open


def test_a_key_that_never_beat_and_sends_an_id_is_told_one_and_is_not_armed() -> None:
    town = Town()
    mine = sign(town)
    told = town.venue.heartbeat("ann", "left over")
    assert told.error == "Invalid Heartbeat ID"
    town.later(MINUTE)
    assert town.venue.order(mine).open
    assert town.venue.heartbeat("ann", told.heartbeat_id).error == ""


# ---- a market's delay ------------------------------------------------------------------------


def test_a_marketable_order_waits_and_is_matched_with_what_is_there_then() -> None:
    town = Town(seconds_delay=3)
    town.rest(BOB, town.no, BUY, 5_000, 10)
    placed = town.sign(ANN, town.yes, BUY, 6 * DOLLAR, 10 * SHARE, key="ann")
    assert (placed.status, placed.ready_at, placed.making) == ("delayed", 0, 0)
    assert town.venue.balance(ANN).reserved == 6 * DOLLAR
    assert town.venue.cancel("ann", [placed.order_id]).canceled == ()
    town.rest(BOB, town.no, BUY, 6_000, 10)  # a better one comes in time
    town.later(3 * SECOND)
    assert town.venue.order(placed.order_id).status == "MATCHED"
    assert town.money(ANN) == 9_996 * DOLLAR
    kinds = [(t.kind, t.status) for t in town.told(OrderTold)]
    assert kinds == [("PLACEMENT", "DELAYED"), ("UPDATE", "MATCHED")]
    town.sound()


def test_an_order_that_rests_does_not_wait() -> None:
    town = Town(seconds_delay=3)
    assert town.send(ANN, town.yes, BUY, 5_000, 10).status == "live"


@pytest.mark.parametrize(
    ("terms", "status"), [({"seconds_delay": 2}, "unmatched"), ({"taker_delay_ms": 250}, "live")]
)
def test_what_is_not_met_after_the_delay_rests(terms: dict[str, int], status: str) -> None:
    town = Town(**terms)
    maker = town.rest(BOB, town.no, BUY, 5_000, 10)
    placed = town.sign(ANN, town.yes, BUY, 5 * DOLLAR, 10 * SHARE, key="ann")
    town.venue.cancel(town.venue.wallet(BOB).owner, [maker])
    town.later(3 * SECOND)
    assert town.venue.outcome(placed.order_id).status == status
    assert town.venue.order(placed.order_id).status == "LIVE"
    assert town.venue.cancel("ann", [placed.order_id]).canceled == (placed.order_id,)


def test_a_held_call_is_answered_when_the_delay_is_over() -> None:
    town = Town(taker_delay_ms=250)
    town.rest(BOB, town.no, BUY, 5_000, 10)
    placed = town.sign(ANN, town.yes, BUY, 5 * DOLLAR, 10 * SHARE, "FOK")
    assert placed.ready_at == START + SECOND // 4
    assert town.venue.outcome(placed.order_id).status == "delayed"
    town.later(SECOND // 4)
    answer = town.venue.outcome(placed.order_id)
    assert (answer.status, answer.making, answer.taking) == ("matched", 5 * DOLLAR, 10 * SHARE)
    assert len(answer.trade_ids) == 1


def test_a_deferred_call_is_not_held() -> None:
    town = Town(taker_delay_ms=250)
    town.rest(BOB, town.no, BUY, 5_000, 10)
    placed = town.sign(ANN, town.yes, BUY, 5 * DOLLAR, 10 * SHARE, "FOK", defer=True)
    assert (placed.status, placed.ready_at) == ("delayed", 0)


def test_a_delayed_fok_order_is_killed_when_the_book_has_gone() -> None:
    town = Town(taker_delay_ms=250)
    maker = town.rest(BOB, town.no, BUY, 5_000, 10)
    placed = town.sign(ANN, town.yes, BUY, 5 * DOLLAR, 10 * SHARE, "FOK", key="ann")
    town.venue.cancel(town.venue.wallet(BOB).owner, [maker])
    town.later(SECOND)
    assert isinstance(town.venue.outcome(placed.order_id), Refused)
    assert town.venue.order(placed.order_id).status.startswith("CANCELED_order couldn't be fully")
    assert town.venue.balance(ANN).reserved == 0
    assert [t.kind for t in town.told(OrderTold)] == ["PLACEMENT", "CANCELLATION"]


def test_a_delayed_order_ends_with_its_market() -> None:
    town = Town(seconds_delay=3)
    town.rest(BOB, town.no, BUY, 5_000, 10)
    placed = town.sign(ANN, town.yes, BUY, 5 * DOLLAR, 10 * SHARE, key="ann")
    town.venue.resolve(town.id, 0)
    assert town.venue.order(placed.order_id).status == "CANCELED_MARKET_RESOLVED"
    town.later(3 * SECOND)
    town.sound()


def test_a_delayed_order_of_a_paused_market_is_cancelled_when_it_is_due() -> None:
    town = Town(seconds_delay=3)
    town.rest(BOB, town.no, BUY, 5_000, 10)
    placed = town.sign(ANN, town.yes, BUY, 5 * DOLLAR, 10 * SHARE, key="ann")
    town.venue.pause_market(town.id)
    town.later(3 * SECOND)
    assert town.venue.order(placed.order_id).status == "CANCELED"
    town.sound()


def test_a_delayed_order_that_can_no_longer_pay_is_cancelled() -> None:
    town = Town(money=10, seconds_delay=3)
    town.rest(BOB, town.no, BUY, 5_000, 10)
    placed = town.sign(ANN, town.yes, BUY, 5 * DOLLAR, 10 * SHARE, key="ann")
    town.venue.withdraw(ANN, 8 * DOLLAR)
    assert town.venue.order(placed.order_id).status == "CANCELED_NOT_ENOUGH_BALANCE"
    town.later(3 * SECOND)
    town.sound()


def test_nothing_is_known_of_an_order_nobody_sent() -> None:
    assert Town().venue.outcome("0x5") == Refused("Order not found", 404)


# ---- games -----------------------------------------------------------------------------------


def test_a_book_is_cleared_when_its_game_begins() -> None:
    town = Town(clear_book_on_start=True, game_start=START + MINUTE)
    id = sign(town)
    town.later(MINUTE - 1)
    assert town.venue.order(id).open
    town.later(1)
    assert town.venue.order(id).status == "CANCELED"
    assert town.market.accepting
