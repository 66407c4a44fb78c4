"""What the venue pays its makers, and when."""

from __future__ import annotations

import pytest
from venue_town import (
    ANN,
    BOB,
    CEM,
    DAY,
    DOLLAR,
    HOUR,
    MINUTE,
    POLITICS,
    REWARDS,
    SECOND,
    SHARE,
    START,
    Town,
)

from polyframe.quant.rewards import reward_points
from polyframe.sandbox.venue.records import BUY, SELL, FeeTerms, RewardTerms

MIDNIGHT = (START // DAY + 1) * DAY
TODAY = START // DAY


def until_midnight(town: Town) -> None:
    town.venue.advance(MIDNIGHT)


def earned(town: Town, kind: str, day: int = TODAY) -> dict[str, int]:
    rows = town.venue.paying.earned(day)
    assert all(row.day == day and row.condition_id == town.id for row in rows)
    return {row.address: row.money for row in rows if row.kind == kind}


# ---- liquidity rewards -----------------------------------------------------------------------


def quoting(**more: object) -> Town:
    """Ann and Bob quote both sides of a market that pays a dollar a minute."""
    town = Town(rewards=REWARDS, **more)
    town.rest(ANN, town.yes, BUY, 4_900, 100)
    town.rest(ANN, town.no, BUY, 4_900, 100)  # an offer of YES at 0.51
    town.rest(BOB, town.yes, BUY, 4_800, 100)
    town.rest(BOB, town.no, BUY, 4_800, 100)
    return town


def test_points_follow_the_venue_s_formula() -> None:
    town = quoting()
    points = town.venue.paying.points(town.market)
    for who, price in ((ANN, 0.49), (BOB, 0.48)):
        want = reward_points(0.5, 0.03, 10, [(price, 100)], [(1 - price, 100)])
        assert points[who] / SHARE == pytest.approx(want.least)


def test_a_minute_s_pool_is_shared_and_a_day_s_is_paid_at_its_end() -> None:
    town = quoting()
    money = town.money(ANN)
    before = town.venue.audit().deposited
    until_midnight(town)
    rows = earned(town, "REWARD")
    minutes = (MIDNIGHT - START) // MINUTE
    points = {ANN: (2 / 3) ** 2, BOB: (1 / 3) ** 2}
    for who, own in points.items():
        share = own / sum(points.values())
        assert rows[who] == pytest.approx(minutes * share * DOLLAR, abs=2 * share * DOLLAR)
    assert town.money(ANN) - money == rows[ANN]
    assert town.venue.audit().deposited - before == sum(rows.values())
    (paid,) = town.venue.history.acts(ANN, kinds=["REWARD"])
    assert (paid.money, paid.at, paid.condition_id) == (rows[ANN], MIDNIGHT, town.id)
    town.sound()


def test_today_is_known_before_it_is_paid_and_tomorrow_begins_at_nothing() -> None:
    town = quoting()
    town.later(10 * MINUTE)
    assert 5 * DOLLAR < sum(earned(town, "REWARD").values()) < 12 * DOLLAR
    assert not any(row.paid for row in town.venue.paying.today())
    until_midnight(town)
    assert all(row.paid for row in town.venue.paying.earned(TODAY))
    assert town.venue.paying.today() == []


def test_less_than_a_dollar_a_day_is_not_paid() -> None:
    town = Town(rewards=RewardTerms(DOLLAR // 2, 10 * SHARE, 300))
    town.rest(ANN, town.yes, BUY, 4_900, 100)
    town.rest(ANN, town.no, BUY, 4_900, 100)
    money = town.money(ANN)
    until_midnight(town)
    assert town.money(ANN) == money
    assert [row.paid for row in town.venue.paying.earned(TODAY)] == [False]


@pytest.mark.parametrize(
    ("price", "shares", "scores"),
    [(4_900, 10, True), (4_900, 9, False), (4_700, 10, True), (4_699, 10, False)],
)
def test_an_order_scores_if_it_is_large_and_near_enough(price, shares, scores) -> None:
    town = Town(rewards=REWARDS, tick=1)
    town.rest(BOB, town.yes, BUY, 4_900, 50)
    town.rest(BOB, town.no, BUY, 4_900, 50)
    id = town.sign(ANN, town.yes, BUY, price * shares * 100, shares * SHARE).order_id
    assert town.venue.scoring(id) is (scores and price > 4_700)
    assert not town.venue.scoring("0x5")
    town.venue.cancel_all(ANN)
    assert not town.venue.scoring(id)


def test_one_side_alone_scores_a_third_near_the_middle_and_nothing_at_the_ends() -> None:
    for middle, counts in ((5_000, True), (500, False)):
        town = Town(rewards=REWARDS)
        town.rest(ANN, town.yes, BUY, middle - 100, 30)
        town.rest(BOB, town.no, BUY, 10_000 - middle - 100, 30)
        points = town.venue.paying.points(town.market)
        assert set(points) == ({ANN, BOB} if counts else set())
        if counts:
            assert points[ANN] / SHARE == pytest.approx(30 * (2 / 3) ** 2 / 3)


def test_an_order_younger_than_the_market_asks_does_not_score() -> None:
    town = Town(rewards=RewardTerms(DOLLAR, 10 * SHARE, 300, min_age=4))
    town.rest(ANN, town.yes, BUY, 4_900, 50)
    town.rest(ANN, town.no, BUY, 4_900, 50)
    assert town.venue.paying.points(town.market) == {}
    town.later(4 * SECOND)
    assert set(town.venue.paying.points(town.market)) == {ANN}


def test_a_paused_market_pays_nothing() -> None:
    town = quoting()
    town.venue.pause_market(town.id)
    until_midnight(town)
    assert earned(town, "REWARD") == {}


# ---- rebates ---------------------------------------------------------------------------------


def test_makers_share_a_quarter_of_the_fees_by_what_their_fills_would_have_paid() -> None:
    town = Town(fees=POLITICS)
    town.rest(ANN, town.no, BUY, 5_000, 1_000)
    town.rest(BOB, town.no, BUY, 4_000, 1_000)
    money = town.money(ANN)
    town.send(CEM, town.yes, BUY, 6_000, 2_000)
    fees = town.venue.audit().fees
    assert fees == 10_000_000 + 9_600_000
    until_midnight(town)
    rows = earned(town, "MAKER_REBATE")
    pool = fees // 4
    assert rows[ANN] == pytest.approx(pool * 10 / 19.6, abs=1)
    assert rows[BOB] == pytest.approx(pool * 9.6 / 19.6, abs=1)
    assert sum(rows.values()) <= pool
    assert town.venue.audit().fees == fees - sum(rows.values())
    assert town.money(ANN) == money - 500 * DOLLAR + rows[ANN]
    (paid,) = town.venue.history.acts(ANN, kinds=["MAKER_REBATE"])
    assert paid.money == rows[ANN]
    town.sound()


@pytest.mark.parametrize("fees", [FeeTerms(), FeeTerms(rate=40_000)])
def test_no_fee_or_no_share_of_it_is_no_rebate(fees: FeeTerms) -> None:
    town = Town(fees=fees)
    town.rest(ANN, town.no, BUY, 5_000, 1_000)
    town.send(CEM, town.yes, BUY, 5_000, 1_000)
    until_midnight(town)
    assert earned(town, "MAKER_REBATE") == {}


def test_a_failed_match_pays_no_rebate() -> None:
    town = Town(fees=POLITICS)
    town.venue.settling.doom()
    town.rest(ANN, town.no, BUY, 5_000, 1_000)
    town.send(CEM, town.yes, BUY, 5_000, 1_000)
    until_midnight(town)
    assert town.venue.paying.earned(TODAY) == []
    town.sound()


# ---- interest --------------------------------------------------------------------------------


def test_both_outcomes_earn_interest_by_the_hour() -> None:
    town = Town(holding_rate=40_000, money=1_000_000)
    town.venue.split(ANN, town.id, 876_000 * SHARE)
    town.rest(BOB, town.yes, BUY, 3_900, 10)
    town.rest(BOB, town.no, BUY, 5_900, 10)  # the mid is 0.40, and 0.60 for NO
    until_midnight(town)
    hours = MIDNIGHT // HOUR - START // HOUR - 1  # the one at midnight belongs to tomorrow
    (row,) = [r for r in town.venue.paying.earned(TODAY) if r.kind == "YIELD"]
    assert (row.address, row.money) == (ANN, hours * 4 * DOLLAR)
    (paid,) = town.venue.history.acts(ANN, kinds=["YIELD"])
    assert paid.money == row.money
    town.sound()


def test_a_sale_s_fee_comes_out_of_what_it_brings() -> None:
    town = Town(fees=POLITICS)
    town.venue.split(ANN, town.id, 100 * SHARE)
    town.rest(BOB, town.yes, BUY, 5_000, 100)
    town.send(ANN, town.yes, SELL, 5_000, 100)
    assert town.money(ANN) == 9_900 * DOLLAR + 49 * DOLLAR
