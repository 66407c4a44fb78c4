"""Answers given by hand or by a fault: the event's other markets follow them, and time goes on."""

from __future__ import annotations

import pytest

from polyframe.domain.units import DAY, HOUR, MINUTE
from polyframe.sandbox.faults import install, read
from polyframe.sandbox.opening import Playground, Town, town
from polyframe.sandbox.venue.records import State
from polyframe.sandbox.worlds.catalogue import Occasion

NOW = 1_800_000_000 * 10**9


@pytest.fixture
def made() -> Town:
    found = town(21, now=NOW, markets=8, days=1)
    found.venue.keep_pace(500_000)  # days in a second: the crowd takes long strides
    return found


def exclusive(made: Town) -> Occasion:
    """An event of which one market wins, with three of them open and its end a day away."""
    for subject in made.world.open_subjects():
        occasion = subject.occasion
        trading = [one for one in occasion.subjects if one.trading]
        if occasion.neg_risk and len(trading) > 2 and occasion.plot.closes > NOW + DAY:
            return occasion
    raise AssertionError("no such event in this town")


@pytest.mark.parametrize("truth", [True, False])
def test_once_a_market_has_won_the_others_have_lost(made: Town, truth: bool) -> None:
    occasion = exclusive(made)
    subjects = [one for one in occasion.subjects if one.trading]
    winner = next(one for one in subjects if (one.winner == 0) is truth)
    made.venue.resolve(winner.condition_id, 0)
    others = [one for one in subjects if one is not winner]
    assert winner.winner == 0
    assert all(one.winner == 1 and made.world.fair(one) == 0.001 for one in others)
    made.venue.advance(made.venue.now + 4 * HOUR)
    for one in others:
        assert one.market is not None
        assert one.market.winner == 1
    made.venue.advance(occasion.plot.closes + 4 * DAY)
    assert made.venue.audit(full=True).exact


def test_the_last_market_of_a_complete_event_wins(made: Town) -> None:
    occasion = exclusive(made)
    subjects = [one for one in occasion.subjects if one.trading]
    assert all(one.market and one.market.listing.complete for one in subjects)
    drawn = next((one for one in subjects if one.winner == 0), subjects[0])
    made.venue.resolve(drawn.condition_id, 1)
    shared = sum(made.world.fair(one) for one in subjects if one is not drawn)
    assert shared == pytest.approx(1.0, abs=0.1)
    made.venue.advance(occasion.plot.closes + 4 * DAY)
    won = [one.market.winner for one in subjects if one.market is not None]
    assert won.count(0) == 1
    assert None not in won


def test_a_proposal_that_another_answer_rules_out_is_answered_all_the_same(made: Town) -> None:
    first, second, *_ = [one for one in exclusive(made).subjects if one.trading]
    made.venue.propose(second.condition_id, 0)
    made.venue.resolve(first.condition_id, 0)
    made.venue.advance(made.venue.now + 4 * HOUR)
    assert second.market is not None
    assert second.market.winner == 1


async def test_a_disputed_answer_that_is_not_the_drawn_one_ends_nothing() -> None:
    async with Playground(seed=21, markets=8, days=1, now=NOW, paused=True) as ground:
        occasion = exclusive(ground.town)
        wrong = next(one for one in occasion.subjects if one.trading and one.winner == 1)
        fault = {"fault": "dispute", "answer": "yes", "duration": 600}
        install(ground, read({**fault, "target": {"market": wrong.condition_id}}))
        ground.step(HOUR)
        ground.step(occasion.plot.closes + 4 * DAY - ground.venue.now)
        assert wrong.market is not None
        assert (wrong.market.winner, wrong.winner) == (0, 0)
        assert all(
            one.market is not None and one.market.state is State.RESOLVED
            for one in occasion.subjects
        )
        assert ground.venue.audit(full=True).exact
        ground.step(MINUTE)
