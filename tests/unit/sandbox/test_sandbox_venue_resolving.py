"""Answers, and what tokens are worth without a book: split, merge, redeem, convert."""

from __future__ import annotations

import pytest
from venue_town import ANN, BOB, CEM, DOLLAR, EVENT, HOUR, MINUTE, SHARE, START, Town, listing

from polyframe.errors import UserError
from polyframe.sandbox.venue.records import (
    BUY,
    MarketMoved,
    MarketResolved,
    Placed,
    Refused,
    State,
)
from polyframe.sandbox.venue.venue import Venue


def test_a_proposed_answer_stands_after_two_hours() -> None:
    town = Town()
    id = town.sign(ANN, town.yes, BUY, 5 * DOLLAR, 10 * SHARE, key="ann").order_id
    town.venue.propose(town.id, 1)
    assert town.market.state is State.PROPOSED
    assert town.venue.order(id).status == "CANCELED_MARKET_RESOLVED"
    town.later(2 * HOUR - 1)
    assert town.market.winner is None
    town.later(1)
    assert (town.market.winner, town.market.closed) == (1, True)
    told = town.venue.drain()
    assert [t.new for t in told if isinstance(t, MarketMoved)] == ["proposed", "resolved"]
    assert [t.winner for t in told if isinstance(t, MarketResolved)] == [1]


def test_a_disputed_answer_waits_for_another_one() -> None:
    town = Town()
    town.venue.propose(town.id, 1)
    town.later(HOUR)
    town.venue.dispute(town.id)
    town.later(10 * HOUR)
    assert town.market.state is State.DISPUTED
    town.venue.propose(town.id, 0)
    town.later(90 * MINUTE)
    assert town.market.winner is None  # the first proposal's time is long over
    town.later(30 * MINUTE)
    assert (town.market.winner, town.market.disputes, town.market.proposals) == (0, 1, 2)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (["resolve", "resolve"], "is resolved and cannot become resolved"),
        (["resolve", "propose"], "is resolved and cannot become proposed"),
        (["dispute"], "is open and cannot become disputed"),
        (["propose", "open_market"], "is proposed and cannot become open"),
        (["open_market"], "is open and cannot become open"),
    ],
)
def test_a_market_goes_its_way_and_no_other(steps: list[str], said: str) -> None:
    town = Town()

    def go(step: str) -> None:
        getattr(town.venue, step)(town.id, *((0,) if step in {"resolve", "propose"} else ()))

    for step in steps[:-1]:
        go(step)
    with pytest.raises(UserError, match=said):
        go(steps[-1])


def test_an_answer_is_one_of_three() -> None:
    with pytest.raises(UserError, match="no answer 2"):
        Town().venue.resolve(Town().id, 2)


@pytest.mark.parametrize(("winner", "paid"), [(0, (7, 0)), (1, (0, 4)), (-1, (3.5, 2))])
def test_shares_of_a_resolved_market_are_paid_out(winner: int, paid: tuple[float, float]) -> None:
    town = Town()
    town.rest(BOB, town.no, BUY, 5_000, 7)
    town.send(ANN, town.yes, BUY, 5_000, 7)
    town.venue.merge(BOB, town.id, 1)  # nothing to merge
    assert town.venue.redeem(ANN, town.id) == Refused("the market is not resolved yet")
    town.venue.split(CEM, town.id, 4 * SHARE)
    town.venue.resolve(town.id, winner)
    assert town.venue.redeem(ANN, town.id) == paid[0] * DOLLAR
    assert town.venue.redeem(CEM, town.id) == 4 * DOLLAR
    assert town.venue.redeem(ANN, town.id) == 0
    assert town.shares(ANN, town.yes) == 0
    town.sound()


def test_half_a_unit_is_paid_to_nobody_and_is_not_lost() -> None:
    town = Town()
    town.venue.split(ANN, town.id, 3)
    town.venue.resolve(town.id, -1)
    assert town.venue.redeem(ANN, town.id) == 2
    audit = town.venue.audit(full=True)
    assert (audit.collateral, town.market.dust, audit.faults) == (1, 2, ())


def test_split_and_merge_are_each_other_s_reverse() -> None:
    town = Town()
    assert town.venue.split(ANN, town.id, 5 * SHARE) is None
    assert (town.money(ANN), town.shares(ANN, town.no)) == (9_995 * DOLLAR, 5 * SHARE)
    assert town.venue.merge(ANN, town.id, 5 * SHARE) is None
    assert (town.money(ANN), town.shares(ANN, town.no)) == (10_000 * DOLLAR, 0)
    assert town.market.collateral == 0
    town.sound()


@pytest.mark.parametrize("size", [0, -5, 2**70])
@pytest.mark.parametrize("what", ["split", "merge"])
def test_a_size_that_makes_no_sense_is_refused(what: str, size: int) -> None:
    town = Town()
    assert isinstance(getattr(town.venue, what)(ANN, town.id, size), Refused)
    assert isinstance(town.venue.withdraw(ANN, size), Refused)
    town.sound()


def test_nobody_splits_or_merges_more_than_he_has() -> None:
    town = Town(money=5)
    assert town.venue.split(ANN, town.id, 6 * SHARE) == Refused("insufficient balance: 5 of 6")
    assert town.venue.merge(ANN, town.id, 1) == Refused("insufficient balance: 0 of 0.000001")


# ---- neg-risk events -------------------------------------------------------------------------


def event(outcomes: int = 3, *, complete: bool = True) -> Venue:
    """An event of so many markets, of which Ann and Bob have thirty pairs each."""
    venue = Venue(now=START)
    for number in range(1, outcomes + 1):
        market = venue.list_market(
            listing(number, neg_risk=True, neg_risk_market_id=EVENT, complete=complete)
        )
        for who in (ANN, BOB):
            venue.fund(who, 30 * DOLLAR)
            assert venue.split(who, market.condition_id, 30 * SHARE) is None
    return venue


def ids(venue: Venue, *numbers: int) -> list[str]:
    return [list(venue.markets)[number - 1] for number in numbers]


def has(venue: Venue, who: str) -> list[tuple[int, int]]:
    """(YES, NO) of each market, in shares."""
    return [
        tuple(venue.balance(who, token).balance // SHARE for token in market.listing.tokens)
        for market in venue.markets.values()
    ]


def test_no_of_k_outcomes_becomes_money_and_yes_of_all_others() -> None:
    venue = event()
    assert venue.convert(ANN, EVENT, ids(venue, 1, 2), 10 * SHARE) is None
    assert has(venue, ANN) == [(30, 20), (30, 20), (40, 30)]
    assert venue.balance(ANN).balance == 10 * DOLLAR
    audit = venue.audit(full=True)
    assert (audit.credit, audit.faults) == (20 * DOLLAR, ())


def test_no_of_one_outcome_becomes_yes_of_all_others_and_no_money() -> None:
    venue = event()
    assert venue.convert(ANN, EVENT, ids(venue, 2), 10 * SHARE) is None
    assert has(venue, ANN) == [(40, 30), (30, 20), (40, 30)]
    assert venue.balance(ANN).balance == 0
    assert venue.audit(full=True).exact


def test_no_of_all_outcomes_becomes_money_alone() -> None:
    venue = event()
    assert venue.convert(ANN, EVENT, ids(venue, 1, 2, 3), 10 * SHARE) is None
    assert has(venue, ANN) == [(30, 20)] * 3
    assert venue.balance(ANN).balance == 20 * DOLLAR
    assert venue.audit(full=True).exact


@pytest.mark.parametrize("winner", [1, 2, 3])
@pytest.mark.parametrize("chosen", [(1,), (1, 2), (3, 2), (1, 2, 3)])
def test_a_conversion_is_worth_the_same_whoever_wins(winner: int, chosen: tuple[int, ...]) -> None:
    venue = event()
    assert venue.convert(ANN, EVENT, ids(venue, *chosen), 10 * SHARE) is None
    order = [number for number in (1, 2, 3) if number != winner]
    for number in (order[0], winner, order[1]):
        venue.resolve(*ids(venue, number), 0 if number == winner else 1)
        assert venue.audit(full=True).exact
    for who in (ANN, BOB):
        for each in venue.markets:
            venue.redeem(who, each)
        assert venue.balance(who).balance == 90 * DOLLAR
    audit = venue.audit(full=True)
    assert (audit.credit, audit.collateral, audit.faults) == (0, 0, ())


def test_conversions_go_on_after_an_outcome_is_out() -> None:
    venue = event(4)
    venue.convert(ANN, EVENT, ids(venue, 1), 5 * SHARE)
    venue.resolve(*ids(venue, 4), 1)
    assert venue.audit(full=True).credit == 10 * DOLLAR
    assert venue.convert(BOB, EVENT, ids(venue, 1, 2), 5 * SHARE) is None
    assert isinstance(venue.convert(BOB, EVENT, ids(venue, 1, 4), 5 * SHARE), Refused)
    assert venue.audit(full=True).exact
    venue.resolve(*ids(venue, 2), 0)
    venue.resolve(*ids(venue, 1), 1)
    venue.resolve(*ids(venue, 3), 1)
    for who in (ANN, BOB):
        for each in venue.markets:
            venue.redeem(who, each)
        assert venue.balance(who).balance == 120 * DOLLAR
    assert venue.audit(full=True).credit == 0


def test_exactly_one_market_of_an_event_wins() -> None:
    venue = event()
    with pytest.raises(UserError, match="never pays one half"):
        venue.resolve(*ids(venue, 1), -1)
    venue.resolve(*ids(venue, 1), 1)
    venue.resolve(*ids(venue, 2), 1)
    with pytest.raises(UserError, match="only one of its event that can still win"):
        venue.resolve(*ids(venue, 3), 1)
    venue.resolve(*ids(venue, 3), 0)
    other = event()
    other.resolve(*ids(other, 1), 0)
    with pytest.raises(UserError, match="another market of its event has won"):
        other.propose(*ids(other, 2), 0)
    assert isinstance(other.convert(ANN, EVENT, ids(other, 2), SHARE), Refused)


def test_a_proposal_that_has_become_impossible_does_not_become_final() -> None:
    venue = event()
    venue.propose(*ids(venue, 1), 0)
    venue.resolve(*ids(venue, 2), 0)
    venue.advance(START + 10 * HOUR)
    assert venue.markets[ids(venue, 1)[0]].state is State.PROPOSED


def test_an_event_that_is_not_complete_may_be_won_by_nobody_and_is_not_converted() -> None:
    venue = event(complete=False)
    assert isinstance(venue.convert(ANN, EVENT, ids(venue, 1), SHARE), Refused)
    for each in list(venue.markets):
        venue.resolve(each, 1)
    assert venue.audit(full=True).exact


def test_an_outcome_cannot_join_an_event_that_was_converted() -> None:
    venue = event()
    venue.convert(ANN, EVENT, ids(venue, 1), SHARE)
    with pytest.raises(UserError, match="too late to its event"):
        venue.list_market(listing(9, neg_risk=True, neg_risk_market_id=EVENT))


@pytest.mark.parametrize("wrong", [[], ["0x5"], [1, 1, "0x5"]])
def test_only_markets_of_the_event_are_converted(wrong: list[object]) -> None:
    venue = event()
    chosen = [ids(venue, each)[0] if isinstance(each, int) else str(each) for each in wrong]
    assert isinstance(venue.convert(ANN, EVENT, chosen, SHARE), Refused)
    assert isinstance(venue.convert(ANN, "0xelse", ids(venue, 1), SHARE), Refused)
    assert isinstance(venue.convert(ANN, EVENT, ids(venue, 1), 31 * SHARE), Refused)
    assert venue.audit(full=True).credit == 0


def test_what_was_converted_can_be_traded() -> None:
    venue = event()
    venue.convert(ANN, EVENT, ids(venue, 1, 2), 10 * SHARE)
    venue.fund(CEM, 100 * DOLLAR)
    token = list(venue.markets.values())[2].listing.tokens[0]
    assert isinstance(venue.submit(CEM, token, BUY, 5_000, 40 * SHARE), Placed)
    assert venue.submit(ANN, token, "SELL", 5_000, 40 * SHARE).status == "matched"
    venue.advance(START + HOUR)
    assert venue.balance(CEM, token).balance == 40 * SHARE
    assert venue.audit(full=True).exact
