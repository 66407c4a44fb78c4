"""Who meets whom at which price, who pays what, and what is told of it."""

from __future__ import annotations

import pytest
from venue_town import ANN, BOB, CEM, DEE, DOLLAR, POLITICS, SHARE, Town

from polyframe.sandbox.venue.records import (
    BUY,
    SELL,
    BookMoved,
    BookShown,
    FeeTerms,
    OrderTold,
    Placed,
    Refused,
    TradeTold,
)


def trade_of(town: Town, placed: object):
    assert isinstance(placed, Placed), placed
    (told,) = [t.trade for t in town.told(TradeTold) if t.status == "MATCHED" and t.trade.makers]
    return told


def test_a_buyer_meets_a_seller_at_the_price_that_rested() -> None:
    town = Town()
    town.venue.split(BOB, town.id, 20 * SHARE)
    town.rest(BOB, town.yes, SELL, 5_000, 20)
    placed = town.send(ANN, town.yes, BUY, 5_500, 10)
    assert (placed.status, placed.making, placed.taking) == ("matched", 5 * DOLLAR, 10 * SHARE)
    assert (town.money(ANN), town.shares(ANN, town.yes)) == (9_995 * DOLLAR, 10 * SHARE)
    assert (town.money(BOB), town.shares(BOB, town.yes)) == (9_985 * DOLLAR, 10 * SHARE)
    assert town.market.collateral == 20 * SHARE
    town.sound()


def test_two_buyers_of_both_outcomes_mint_a_pair() -> None:
    town = Town()
    town.rest(BOB, town.no, BUY, 4_800, 10)
    placed = town.send(ANN, town.yes, BUY, 5_500, 10)
    (fill,) = trade_of(town, placed).makers
    assert (fill.token_id, fill.side, fill.price, fill.money) == (town.no, BUY, 4_800, 4_800_000)
    assert placed.making == 5_200_000
    assert (town.shares(ANN, town.yes), town.shares(BOB, town.no)) == (10 * SHARE, 10 * SHARE)
    assert town.market.supply == [10 * SHARE] * 2
    town.sound()


def test_two_sellers_of_both_outcomes_merge_a_pair() -> None:
    town = Town()
    town.venue.split(ANN, town.id, 10 * SHARE)
    town.venue.split(BOB, town.id, 10 * SHARE)
    town.rest(BOB, town.no, SELL, 4_800, 10)
    placed = town.send(ANN, town.yes, SELL, 5_000, 10)
    assert (placed.making, placed.taking) == (10 * SHARE, 5_200_000)
    assert town.market.supply == [10 * SHARE] * 2
    assert (town.money(ANN), town.money(BOB)) == (9_995_200_000, 9_994_800_000)
    town.sound()


def test_one_order_may_meet_all_kinds_price_before_time() -> None:
    town = Town()
    town.venue.split(BOB, town.id, 50 * SHARE)
    late = town.rest(BOB, town.yes, SELL, 5_200, 10)
    minted = town.rest(CEM, town.no, BUY, 4_800, 10)  # the same price, later
    best = town.rest(DEE, town.no, BUY, 4_900, 10)
    town.venue.drain()
    placed = town.send(ANN, town.yes, BUY, 5_200, 25)
    first, second = [t.trade for t in town.told(TradeTold) if t.status == "MATCHED"]
    assert [(f.order_id, f.size) for f in first.makers] == [(best, 10 * SHARE)]
    assert [(f.order_id, f.size) for f in second.makers] == [
        (late, 10 * SHARE),
        (minted, 5 * SHARE),
    ]
    assert (first.price, second.price) == (5_100, 5_200)
    assert (first.bucket, second.bucket) == (0, 1)
    assert first.transaction_hash == second.transaction_hash == placed.hashes[0]
    assert placed.trade_ids == (first.id, second.id)
    assert town.venue.book(town.yes).asks == ((5_200, 5 * SHARE),)
    town.sound()


def test_what_is_left_of_a_limit_order_rests() -> None:
    town = Town()
    town.rest(BOB, town.no, BUY, 5_000, 10)
    placed = town.send(ANN, town.yes, BUY, 5_000, 25)
    assert (placed.status, placed.taking) == ("matched", 10 * SHARE)
    assert town.venue.book(town.yes).bids == ((5_000, 15 * SHARE),)
    assert town.venue.book(town.no).asks == ((5_000, 15 * SHARE),)
    assert town.venue.balance(ANN).reserved == 7_500_000


def test_a_wallet_may_meet_itself() -> None:
    town = Town(fees=POLITICS)
    town.venue.split(ANN, town.id, 10 * SHARE)
    town.rest(ANN, town.yes, SELL, 5_000, 10)
    placed = town.send(ANN, town.yes, BUY, 5_000, 10)
    assert placed.status == "matched"
    assert town.money(ANN) == 9_990 * DOLLAR - 100_000
    assert town.shares(ANN, town.yes) == 10 * SHARE
    town.sound()


# ---- kinds of orders -------------------------------------------------------------------------

FOK = "order couldn't be fully filled. FOK orders are fully filled or killed."
FAK = (
    "no orders found to match with FAK order. FAK orders are partially filled or killed if no "
    "match is found."
)


def test_a_market_buy_spends_its_money_at_better_prices_too() -> None:
    town = Town()
    town.rest(BOB, town.no, BUY, 200, 100)  # YES at 0.98
    placed = town.sign(ANN, town.yes, BUY, 4_950_000, 5 * SHARE, "FAK")
    assert (placed.making, placed.taking) == (4_950_000, 5_051_020)


def test_fok_is_all_or_nothing_and_fak_takes_what_there_is() -> None:
    town = Town()
    town.rest(BOB, town.no, BUY, 5_000, 10)
    assert town.market_buy(ANN, town.yes, 5_000, 5.01) == Refused(FOK)
    assert town.venue.book(town.yes).asks == ((5_000, 10 * SHARE),)
    placed = town.market_buy(ANN, town.yes, 5_000, 8, "FAK")
    assert (placed.making, placed.taking) == (5 * DOLLAR, 10 * SHARE)
    assert town.market_buy(ANN, town.yes, 5_000, 8, "FAK") == Refused(FAK)
    assert town.market_buy(ANN, town.yes, 5_000, 8) == Refused(FOK)
    assert town.venue.book(town.yes).bids == ()
    town.sound()


def test_a_market_sell_counts_shares() -> None:
    town = Town()
    town.venue.split(ANN, town.id, 50 * SHARE)
    town.rest(BOB, town.yes, BUY, 5_000, 10)
    kill = town.send(ANN, town.yes, SELL, 4_000, 20, order_type="FOK")
    assert kill == Refused(FOK)
    placed = town.send(ANN, town.yes, SELL, 4_000, 20, order_type="FAK")
    assert (placed.making, placed.taking) == (10 * SHARE, 5 * DOLLAR)
    assert town.shares(ANN, town.yes) == 40 * SHARE


# ---- fees ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "price", "shares", "fee"),
    [
        (70_000, 5_000, 100, 1_750_000),
        (50_000, 5_000, 100, 1_250_000),
        (40_000, 5_000, 100, 1_000_000),
        (40_000, 1_000, 10, 36_000),
        (0, 5_000, 100, 0),
        (40_000, 3_300, 7.77, 68_720),  # 0.0687179, to five decimals
        (40_000, 9_900, 5.05, 2_000),  # 0.0019998
    ],
)
def test_the_taker_pays_by_the_curve_on_top_of_a_buy_and_out_of_a_sell(
    rate, price, shares, fee
) -> None:
    town = Town(fees=FeeTerms(rate=rate), min_size=SHARE)
    size = round(shares * SHARE)
    spent = price * size // 10_000
    town.venue.split(BOB, town.id, size)
    town.venue.split(CEM, town.id, size)
    town.rest(BOB, town.yes, SELL, price, shares)
    before = town.money(ANN), town.money(BOB)
    town.send(ANN, town.yes, BUY, price, shares)
    assert before[0] - town.money(ANN) == spent + fee
    assert town.money(BOB) - before[1] == spent
    town.rest(DEE, town.yes, BUY, price, shares)
    money = town.money(CEM)
    town.send(CEM, town.yes, SELL, price, shares)
    assert town.money(CEM) - money == spent - fee
    assert town.venue.audit().fees == 2 * fee
    town.sound()


def test_fees_are_taken_price_by_price() -> None:
    town = Town(fees=POLITICS)
    town.rest(BOB, town.no, BUY, 5_000, 100)
    town.rest(BOB, town.no, BUY, 4_000, 100)
    town.send(ANN, town.yes, BUY, 6_000, 200)
    assert [t.trade.fee for t in town.told(TradeTold) if t.status == "MATCHED"] == [
        1_000_000,
        960_000,
    ]


def test_a_sale_of_dust_never_costs_more_than_it_brings() -> None:
    town = Town(fees=FeeTerms(rate=999_999))
    town.venue.split(ANN, town.id, 5 * SHARE)
    town.rest(BOB, town.yes, BUY, 100, 5)
    before = town.money(ANN)
    town.send(ANN, town.yes, SELL, 100, 5, order_type="FAK")
    assert town.money(ANN) >= before
    town.sound()


# ---- what is told ----------------------------------------------------------------------------


def test_a_signed_order_hears_of_its_placement_its_fills_and_its_end() -> None:
    town = Town()
    resting = town.sign(ANN, town.yes, BUY, 5 * DOLLAR, 10 * SHARE, key="ann")
    town.sign(BOB, town.no, BUY, 2 * DOLLAR, 4 * SHARE, "FAK", key="bob")
    told = town.told(OrderTold)
    assert [(t.owner, t.kind, t.matched, t.status) for t in told] == [
        ("ann", "PLACEMENT", 0, "LIVE"),
        ("bob", "PLACEMENT", 0, "LIVE"),
        ("ann", "UPDATE", 4 * SHARE, "LIVE"),
        ("bob", "UPDATE", 4 * SHARE, "MATCHED"),
    ]
    town.venue.cancel("ann", [resting.order_id])
    (end,) = town.told(OrderTold)
    assert (end.kind, end.status, end.matched) == ("CANCELLATION", "CANCELED", 4 * SHARE)
    assert len(end.trades) == 1


def test_a_killed_order_is_told_with_its_reason() -> None:
    town = Town()
    answer = town.sign(ANN, town.yes, BUY, 5 * DOLLAR, 10 * SHARE, "FOK", key="ann")
    assert answer == Refused(FOK)
    (told,) = town.told(OrderTold)
    assert (told.kind, told.status) == ("CANCELLATION", f"CANCELED_{FOK}")


def test_what_is_left_of_a_fak_order_is_told_as_cancelled() -> None:
    town = Town()
    town.rest(BOB, town.no, BUY, 5_000, 10)
    town.venue.drain()
    town.sign(ANN, town.yes, BUY, 8 * DOLLAR, 16 * SHARE, "FAK", key="ann")
    kinds = [(t.kind, t.status) for t in town.told(OrderTold)]
    assert kinds == [("PLACEMENT", "LIVE"), ("UPDATE", "MATCHED"), ("CANCELLATION", "CANCELED")]


def test_the_book_is_told_level_by_level_in_yes_price() -> None:
    town = Town()
    town.rest(BOB, town.no, BUY, 4_000, 10)
    (told,) = town.told(BookMoved)
    (change,) = told.changes
    assert (change.side, change.price, change.size) == (SELL, 6_000, 10 * SHARE)
    assert (told.bid, told.ask) == (0, 6_000)
    town.send(ANN, town.yes, BUY, 6_000, 25)
    moved, shown = [t for t in town.venue.drain() if isinstance(t, BookMoved | BookShown)]
    assert isinstance(shown, BookShown)
    assert [(c.side, c.price, c.size) for c in moved.changes] == [
        (SELL, 6_000, 0),
        (BUY, 6_000, 15 * SHARE),
    ]


def test_the_last_trade_is_seen_from_either_token() -> None:
    town = Town()
    assert town.venue.last_trade(town.yes) is None
    town.rest(BOB, town.no, BUY, 4_000, 10)
    town.send(ANN, town.yes, BUY, 6_000, 10)
    assert town.venue.last_trade(town.yes) == (6_000, BUY)
    assert town.venue.last_trade(town.no) == (4_000, SELL)


def test_a_key_sees_its_orders_and_trades_and_nobody_else_s() -> None:
    town = Town()
    resting = town.sign(ANN, town.yes, BUY, 5 * DOLLAR, 10 * SHARE, key="ann")
    town.sign(BOB, town.no, BUY, 2 * DOLLAR, 4 * SHARE, "FAK", key="bob")
    venue = town.venue
    assert [o.id for o in venue.orders_of("ann")] == [resting.order_id]
    assert venue.orders_of("ann", market="0x1") == venue.orders_of("bob") == []
    assert [o.id for o in venue.orders_of("ann", asset_id=town.yes)] == [resting.order_id]
    (trade,) = venue.trades_of("ann")
    assert venue.trades_of("bob") == [trade]
    assert venue.trades_of("ann", asset_id=town.yes) == [trade]
    assert venue.trades_of("ann", asset_id=town.no) == []
    assert venue.trades_of("cem") == []
