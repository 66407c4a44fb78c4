"""From a match to the chain: what moves when, and what a failure leaves behind."""

from __future__ import annotations

from venue_town import ANN, BOB, CEM, DOLLAR, POLITICS, SECOND, SHARE, Town

from polyframe.sandbox.venue.records import BUY, SELL, Refused, TradeTold
from polyframe.sandbox.venue.settings import Settings
from polyframe.sandbox.venue.settling import is_final

SLOW = Settings(
    mined_after=2 * SECOND, confirmed_after=4 * SECOND, retry_after=3 * SECOND, jitter=0
)


def matched(settings: Settings = SLOW) -> Town:
    """A town in which Ann just bought ten YES at 0.50 from Bob, who bid for NO."""
    town = Town(settings, fees=POLITICS)
    town.rest(BOB, town.no, BUY, 5_000, 10)
    town.rest(BOB, town.no, BUY, 4_000, 10)
    return town


def statuses(town: Town) -> list[str]:
    return [told.status for told in town.told(TradeTold)]


def test_money_and_shares_move_when_the_transaction_is_mined() -> None:
    town = matched()
    town.send(ANN, town.yes, BUY, 5_000, 10)
    balance = town.venue.balance(ANN)
    assert (balance.balance, balance.matched) == (10_000 * DOLLAR, 5_100_000)
    assert town.shares(ANN, town.yes) == 0
    assert isinstance(town.send(ANN, town.yes, SELL, 5_000, 10), Refused)
    town.later(2 * SECOND)
    assert town.money(ANN) == 10_000 * DOLLAR - 5_100_000
    assert town.shares(ANN, town.yes) == town.shares(BOB, town.no) == 10 * SHARE
    assert town.venue.balance(ANN).matched == 0
    town.later(4 * SECOND)
    assert statuses(town) == ["MATCHED", "MINED", "CONFIRMED"]
    town.sound()


def test_matched_money_cannot_be_used_twice() -> None:
    town = Town(SLOW, money=10)
    town.rest(BOB, town.no, BUY, 5_000, 10)
    town.send(ANN, town.yes, BUY, 5_000, 10)
    refused = town.send(ANN, town.yes, BUY, 5_000, 11)
    assert isinstance(refused, Refused)
    assert "sum of matched orders: 5000000" in refused.text


def test_a_failed_match_leaves_every_balance_as_it_was() -> None:
    town = matched()
    people = [(who, token) for who in (ANN, BOB) for token in (None, town.yes, town.no)]
    before = [town.venue.balance(*each).balance for each in people]
    town.venue.settling.doom()
    town.send(ANN, town.yes, BUY, 6_000, 20)  # two prices, one transaction
    town.later(60 * SECOND)
    assert statuses(town) == ["MATCHED"] * 2 + ["RETRYING"] * 2 + ["FAILED"] * 2
    assert [town.venue.balance(*each).balance for each in people] == before
    assert town.venue.balance(ANN).matched == town.venue.balance(BOB).matched == 0
    assert town.venue.audit().fees == 0
    assert town.venue.history.deals() == []
    town.sound()
    town.rest(BOB, town.no, BUY, 5_000, 10)
    town.send(ANN, town.yes, BUY, 5_000, 10)
    town.later(60 * SECOND)
    assert statuses(town)[-1] == "CONFIRMED"


def test_a_retried_match_goes_through_later() -> None:
    town = matched(Settings(mined_after=SECOND, retry_after=SECOND, jitter=0, retrying=1.0))
    town.send(ANN, town.yes, BUY, 5_000, 10)
    town.later(60 * SECOND)
    assert statuses(town) == ["MATCHED", "RETRYING", "MINED", "CONFIRMED"]


def test_all_matches_fail_where_the_venue_is_set_up_so() -> None:
    town = matched(Settings(failing=1.0))
    town.send(ANN, town.yes, BUY, 5_000, 10)
    town.later(60 * SECOND)
    assert statuses(town)[-1] == "FAILED"


def test_a_part_of_the_matches_fails_that_is_near_the_one_asked_for() -> None:
    town = matched(Settings(failing=0.3, mined_after=0, retry_after=0, confirmed_after=0))
    for _ in range(300):
        town.rest(BOB, town.no, BUY, 5_000, 5)
        town.send(ANN, town.yes, BUY, 5_000, 5)
    last = [told.status for told in town.told(TradeTold) if is_final(told.trade)]
    assert 60 < last.count("FAILED") < 120
    town.sound()


def test_a_wallet_that_moves_away_what_a_match_needs_makes_it_fail() -> None:
    town = Town(SLOW, money=20)
    town.rest(BOB, town.no, BUY, 5_000, 10)
    town.send(ANN, town.yes, BUY, 5_000, 10)
    assert town.venue.withdraw(ANN, 16 * DOLLAR) is None
    town.later(60 * SECOND)
    assert statuses(town)[-1] == "FAILED"
    assert (town.money(ANN), town.money(BOB)) == (4 * DOLLAR, 20 * DOLLAR)
    town.sound()


def test_a_seller_who_merges_his_shares_away_makes_it_fail() -> None:
    town = Town(SLOW)
    town.venue.split(BOB, town.id, 10 * SHARE)
    town.rest(BOB, town.yes, SELL, 5_000, 10)
    town.send(ANN, town.yes, BUY, 5_000, 10)
    town.venue.merge(BOB, town.id, 5 * SHARE)
    town.later(60 * SECOND)
    assert statuses(town)[-1] == "FAILED"
    town.sound()


def test_a_match_may_be_mined_after_its_market_was_resolved() -> None:
    town = matched()
    town.send(ANN, town.yes, BUY, 5_000, 10)
    town.venue.resolve(town.id, 0)
    town.later(2 * SECOND)
    assert town.venue.redeem(ANN, town.id) == 10 * DOLLAR
    assert town.venue.redeem(BOB, town.id) == 0
    town.sound()


def test_a_settlement_s_delay_varies_within_its_jitter() -> None:
    town = matched(Settings(mined_after=SECOND, jitter=SECOND))
    for _ in range(20):
        town.rest(CEM, town.no, BUY, 5_000, 5)
        town.send(ANN, town.yes, BUY, 5_000, 5)
    sent = town.venue.now
    town.later(60 * SECOND)
    delays = [told.at - sent for told in town.told(TradeTold) if told.status == "MINED"]
    assert len(set(delays)) > 10
    assert all(SECOND <= delay <= 2 * SECOND for delay in delays)
