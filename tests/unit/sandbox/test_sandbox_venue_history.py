"""What can be read of the past: trades, activity, positions, profits, prices, volumes."""

from __future__ import annotations

import pytest
from venue_town import (
    ANN,
    BOB,
    CEM,
    DAY,
    DOLLAR,
    EVENT,
    HOUR,
    MINUTE,
    POLITICS,
    SECOND,
    SHARE,
    START,
    Town,
    from_history,
    listing,
)

from polyframe.errors import UserError
from polyframe.sandbox.venue.history import Point
from polyframe.sandbox.venue.records import BUY, SELL


def traded(**terms: object) -> Town:
    """Ann bought ten YES at 0.50 from Bob's bid for NO and sold four of them to Cem at 0.60."""
    town = Town(**terms)
    town.rest(BOB, town.no, BUY, 5_000, 10)
    town.send(ANN, town.yes, BUY, 5_000, 10)
    town.later(HOUR)
    town.rest(CEM, town.yes, BUY, 6_000, 5)
    town.send(ANN, town.yes, SELL, 6_000, 4, order_type="FAK")
    return town


def position(town: Town, who: str, token: str):
    (found,) = [p for p in town.venue.history.positions(wallet=who) if p.token_id == token]
    return found


# ---- trades ----------------------------------------------------------------------------------


def test_both_sides_of_a_trade_are_rows_that_share_its_transaction() -> None:
    town = traded()
    rows = town.venue.history.deals(taker_only=False)
    assert [(r.wallet, r.side, r.price, r.size, r.taker) for r in rows] == [
        (CEM, BUY, 6_000, 4 * SHARE, False),
        (ANN, SELL, 6_000, 4 * SHARE, True),
        (BOB, BUY, 5_000, 10 * SHARE, False),
        (ANN, BUY, 5_000, 10 * SHARE, True),
    ]
    assert rows[0].transaction_hash == rows[1].transaction_hash != rows[2].transaction_hash
    assert rows[2].token_id == town.no


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 2),
        ({"wallet": ANN.upper().replace("X", "x")}, 2),
        ({"wallet": BOB}, 0),
        ({"wallet": BOB, "taker_only": False}, 1),
        ({"side": SELL}, 1),
        ({"least_money": 3 * DOLLAR}, 1),
        ({"least_size": 5 * SHARE}, 1),
        ({"start": START + 1}, 1),
        ({"until": START}, 1),
        ({"markets": [listing().condition_id]}, 2),
        ({"markets": ["0x5"]}, 0),
        ({"markets": ["0x5", listing().condition_id]}, 2),
        ({"limit": 1}, 1),
        ({"offset": 1}, 1),
        ({"offset": 9}, 0),
    ],
)
def test_trades_are_filtered(query: dict[str, object], count: int) -> None:
    assert len(traded().venue.history.deals(**query)) == count


def test_only_as_many_rows_are_kept_as_the_venue_is_set_up_for() -> None:
    from polyframe.sandbox.venue.settings import Settings

    town = traded(settings=Settings(kept_trades=3, mined_after=0, jitter=0))
    assert len(town.venue.history.deals(taker_only=False)) == 3


# ---- activity --------------------------------------------------------------------------------


def test_activity_names_everything_a_wallet_did() -> None:
    town = traded()
    town.venue.split(ANN, town.id, 3 * SHARE)
    town.venue.merge(ANN, town.id, SHARE)
    town.venue.withdraw(ANN, DOLLAR)
    town.venue.resolve(town.id, 0)
    town.venue.redeem(ANN, town.id)
    history = town.venue.history
    acts = [(a.kind, a.size, a.money) for a in reversed(history.acts(ANN))]
    assert acts == [
        ("DEPOSIT", 10_000 * DOLLAR, 10_000 * DOLLAR),
        ("TRADE", 10 * SHARE, 5 * DOLLAR),
        ("TRADE", 4 * SHARE, 2_400_000),
        ("SPLIT", 3 * SHARE, 3 * DOLLAR),
        ("MERGE", SHARE, DOLLAR),
        ("WITHDRAWAL", DOLLAR, DOLLAR),
        ("REDEEM", 8 * SHARE, 8 * DOLLAR),
        ("REDEEM", 2 * SHARE, 0),
    ]
    assert [a.kind for a in history.acts(ANN, kinds=["SPLIT", "MERGE"])] == ["MERGE", "SPLIT"]
    assert [a.kind for a in history.acts(ANN, side=SELL)] == ["TRADE"]
    assert len(history.acts(ANN, start=START + HOUR)) == 6
    assert len(history.acts(ANN, until=START)) == 2
    assert len(history.acts(ANN, markets=[town.id], limit=3, offset=5)) == 1
    assert history.acts("0x5") == []
    assert from_history(town.venue, ANN) == town.money(ANN)


# ---- positions -------------------------------------------------------------------------------


def test_a_position_knows_its_average_and_what_was_realized() -> None:
    town = traded(fees=POLITICS)
    found = position(town, ANN, town.yes)
    assert (found.size, found.cost, found.average) == (6 * SHARE, 3 * DOLLAR, 5_000)
    assert (found.bought, found.spent, found.fees) == (10 * SHARE, 5 * DOLLAR, 100_000)
    assert found.realized == 400_000 - 38_400
    assert (found.opened, found.changed) == (START, START + HOUR)


def test_a_second_buy_moves_the_average() -> None:
    town = traded()
    town.rest(BOB, town.no, BUY, 2_000, 6)
    town.send(ANN, town.yes, BUY, 8_000, 6)
    assert position(town, ANN, town.yes).average == 6_500


def test_a_closed_position_stays_with_what_it_made() -> None:
    town = traded()
    town.rest(CEM, town.yes, BUY, 4_000, 6)
    town.send(ANN, town.yes, SELL, 4_000, 6)
    found = position(town, ANN, town.yes)
    assert (found.size, found.cost, found.average, found.realized) == (0, 0, 0, 0)
    assert from_history(town.venue, ANN) == town.money(ANN)


def test_a_split_costs_one_half_each_and_a_conversion_moves_the_cost() -> None:
    town = Town()
    town.venue.split(ANN, town.id, 7)
    assert [position(town, ANN, t).cost for t in (town.yes, town.no)] == [3, 4]
    markets = [
        town.venue.list_market(listing(n, neg_risk=True, neg_risk_market_id=EVENT))
        for n in (2, 3, 4)
    ]
    for each in markets:
        town.venue.split(ANN, each.condition_id, 10 * SHARE)
    ids = [market.condition_id for market in markets]
    town.venue.convert(ANN, EVENT, ids[:1], 10 * SHARE)
    costs = [position(town, ANN, m.listing.tokens[0]).cost for m in markets]
    assert costs == [5 * DOLLAR, 7_500_000, 7_500_000]
    town.venue.convert(ANN, EVENT, ids[1:], 10 * SHARE)
    assert from_history(town.venue, ANN) == town.money(ANN)


def test_positions_are_found_by_wallet_by_market_or_both() -> None:
    town = traded()
    history = town.venue.history
    assert len(history.positions(market=town.id)) == 3
    assert len(history.positions(wallet=ANN, market="0x5")) == 0
    with pytest.raises(UserError, match="without a wallet and without a market"):
        history.positions()


def test_holders_are_listed_largest_first() -> None:
    town = traded()
    held = town.venue.history.holders(town.yes)
    assert [(p.wallet, p.size) for p in held] == [(ANN, 6 * SHARE), (CEM, 4 * SHARE)]
    assert len(town.venue.history.holders(town.yes, limit=1)) == 1
    assert town.venue.history.holders("5") == []


# ---- profits ---------------------------------------------------------------------------------


def test_profits_of_all_add_up_to_the_fees() -> None:
    town = traded(fees=POLITICS)
    history = town.venue.history
    assert sum(history.profit(who) for who in (ANN, BOB, CEM)) == -town.venue.audit().fees
    town.venue.resolve(town.id, 1)
    assert sum(history.profit(who) for who in (ANN, BOB, CEM)) == -town.venue.audit().fees
    assert history.profit(BOB) == 5 * DOLLAR
    assert (history.value(BOB), history.value(ANN)) == (10 * DOLLAR, 0)


def test_standings_rank_by_profit_or_by_volume() -> None:
    town = traded()
    town.venue.resolve(town.id, 1)
    history = town.venue.history
    by_profit = history.standings()
    assert [(s.rank, s.wallet) for s in by_profit] == [(1, BOB), (2, CEM), (3, ANN)]
    by_volume = history.standings(by="volume")
    assert [(s.wallet, s.volume) for s in by_volume] == [
        (ANN, 7_400_000),
        (BOB, 5 * DOLLAR),
        (CEM, 2_400_000),
    ]
    assert [s.rank for s in history.standings(limit=1, offset=2)] == [3]


def test_a_day_s_profit_and_volume_leave_out_what_was_before() -> None:
    town = traded()
    whole = town.venue.history.profit(ANN)
    town.venue.advance((START // DAY + 1) * DAY + HOUR)
    today = town.venue.now
    assert town.venue.history.profit(ANN, today) == 0
    assert town.venue.history.volume(ANN, today) == 0
    town.venue.resolve(town.id, 0)
    assert town.venue.history.profit(ANN, today) == town.venue.history.profit(ANN) - whole
    assert town.venue.history.volume(ANN, START) == 7_400_000


# ---- prices and volumes ----------------------------------------------------------------------


def test_the_price_is_the_mid_or_the_last_trade_where_the_spread_is_wide() -> None:
    town = Town()
    current = town.venue.history.current
    assert current(town.yes) == current(town.no) == 5_000
    town.rest(BOB, town.no, BUY, 6_900, 10)
    town.rest(BOB, town.yes, BUY, 2_500, 10)
    assert (current(town.yes), current(town.no)) == (2_800, 7_200)
    town.send(ANN, town.yes, BUY, 3_100, 10)
    assert current(town.yes) == 3_100
    town.venue.resolve(town.id, -1)
    assert current(town.no) == 5_000


def test_prices_are_kept_by_the_minute_and_read_by_the_bucket() -> None:
    town = Town()
    first = (START // MINUTE + 1) * MINUTE
    town.rest(BOB, town.yes, BUY, 4_000, 10)
    town.rest(BOB, town.no, BUY, 5_800, 10)
    town.venue.advance(first + 2 * MINUTE + SECOND)
    town.rest(BOB, town.yes, BUY, 4_100, 10)
    town.venue.advance(first + 4 * MINUTE)
    points = town.venue.history.prices(town.yes, START, first + 4 * MINUTE, MINUTE)
    assert [p.at for p in points] == [first + k * MINUTE for k in range(5)]
    assert [p.price for p in points] == [4_100, 4_100, 4_100, 4_150, 4_150]
    other = town.venue.history.prices(town.no, START, first + 4 * MINUTE, 2 * MINUTE)
    assert {p.price for p in other} <= {5_900, 5_850}
    assert all(p.at % (2 * MINUTE) == 0 for p in other)
    assert town.venue.history.prices(town.yes, 0, START - DAY, MINUTE) == []


def test_prices_from_elsewhere_can_be_remembered() -> None:
    town = Town()
    trend = town.venue.history.trend
    for day, price in ((3, 3_000), (2, 4_000), (1, 4_000)):
        trend.remember(town.id, START - day * DAY, price)
    assert trend.since(town.id, START - 4 * DAY) is None
    assert trend.since(town.id, START - DAY) == 4_000
    start = START // DAY * DAY
    points = town.venue.history.prices(town.no, start - 3 * DAY, start, DAY)
    assert points == [
        Point(start - 2 * DAY, 7_000),
        Point(start - DAY, 6_000),
        Point(start, 6_000),
    ]


def test_volume_is_counted_by_the_hour() -> None:
    town = traded()
    history = town.venue.history
    assert town.market.volume == history.market_volume(town.id) == 7_400_000
    assert history.market_volume(town.id, START + HOUR) == 2_400_000
    assert history.market_volume("0x5") == 0
