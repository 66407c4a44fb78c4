"""A town: what the present finds in it, how it goes on, who earns what, and the same every time."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import pytest

from polyframe.domain.units import DAY, HOUR, MINUTE, SECOND
from polyframe.sandbox.agents.crowd import Crowd
from polyframe.sandbox.agents.people import INFORMED, MAKER, NOISE, WHALE, people
from polyframe.sandbox.opening import Town, town
from polyframe.sandbox.venue.history import Deal
from polyframe.sandbox.venue.market import BOTH
from polyframe.sandbox.venue.records import PRICE_ONE, State
from polyframe.sandbox.venue.venue import Venue
from polyframe.sandbox.world import World
from polyframe.sandbox.worlds.made import made

NOW = 1_795_291_200 * SECOND


def history(place: Town) -> str:
    """A digest of all that happened and of all that rests."""
    venue, digest = place.venue, hashlib.sha256()
    for wallet in sorted(venue.accounts.wallets):
        digest.update(repr(venue.history.rows(wallet)).encode())
        digest.update(repr(venue.accounts.wallets[wallet].money).encode())
    for market in venue.markets.values():
        digest.update(repr((market.condition_id, market.state, market.levels(0))).encode())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def place() -> Town:
    return town(1, now=NOW, markets=40)


def test_the_present_finds_markets_in_every_part_of_their_life(place: Town) -> None:
    states = Counter(market.state for market in place.venue.markets.values())
    assert states[State.OPEN] >= 20
    assert states[State.RESOLVED] >= 5
    assert states[State.DISPUTED] >= 1
    assert states[State.PROPOSED] >= 1
    open = [s for s in place.world.open_subjects() if s.occasion.chain is None]
    assert all(subject.occasion.plot.closes > NOW - 45 * MINUTE for subject in open)
    assert place.venue.now == NOW
    assert place.venue.audit(full=True).exact


def test_resolved_markets_ended_as_they_had_to(place: Town) -> None:
    for subject in place.world.catalogue.subjects.values():
        if subject.market is not None and subject.market.closed:
            assert subject.market.winner == subject.winner
            assert subject.market.resolved_at <= NOW


def test_books_stand_around_what_is_believed(place: Town) -> None:
    away = []
    for subject in place.world.open_subjects():
        market = subject.market
        assert market is not None
        if market.bid and market.ask < PRICE_ONE:
            middle = (market.bid + market.ask) / 2 / PRICE_ONE
            away.append(abs(middle - place.world.fair(subject)) * PRICE_ONE / market.tick)
            levels = market.levels(0)
            assert len(levels.bids) >= 2 or levels.bids[0][0] <= 5 * market.tick
    assert len(away) >= 15
    assert np.median(away) < 1.5
    assert max(away) < 8


def test_the_crowd_left_something_to_look_at(place: Town) -> None:
    venue = place.venue
    kinds = Counter(
        act.kind
        for wallet in venue.accounts.wallets
        for act in venue.history.acts(wallet, limit=9**9)
    )
    assert kinds["TRADE"] > 1_000
    assert {"DEPOSIT", "REDEEM", "SPLIT", "MERGE", "CONVERSION", "REWARD"} <= set(kinds)
    deals = list(venue.history.newest())
    assert NOW - deals[0].at < 10 * MINUTE
    assert deals[-1].at < NOW - 2 * DAY
    assert len({deal.condition_id for deal in deals}) > 30
    holders = [len(venue.history.holders(s.tokens[0])) for s in place.world.open_subjects()]
    assert np.median(holders) >= 2
    traded = [s for s in place.world.open_subjects() if venue.history.market_volume(s.condition_id)]
    assert len(traded) > 20
    for subject in traded:
        points = venue.history.prices(subject.tokens[0], NOW - 10 * DAY, NOW, HOUR)
        opened = max(subject.occasion.plot.opened, NOW - 10 * DAY)
        assert len(points) >= (NOW - opened) // HOUR - 2


def test_chances_of_an_exclusive_event_stay_together(place: Town) -> None:
    for occasion in place.world.catalogue.occasions.values():
        if occasion.neg_risk and occasion.plot.complete and not occasion.closed:
            total = sum(place.world.fair(subject) for subject in occasion.subjects)
            assert total == pytest.approx(1.0, abs=0.03)


def test_equal_seeds_give_equal_histories_and_others_do_not() -> None:
    towns = [town(seed, now=NOW, markets=8, days=2) for seed in (5, 5, 6)]
    assert history(towns[0]) == history(towns[1]) != history(towns[2])
    towns[0].venue.advance(NOW + 10 * MINUTE)
    for minute in range(1, 11):  # in other steps
        towns[1].venue.advance(NOW + minute * MINUTE)
    assert history(towns[0]) == history(towns[1])
    assert towns[0].venue.audit(full=True).exact


def test_a_world_never_runs_out(place: Town) -> None:
    fresh = town(2, now=NOW, markets=14)
    venue = fresh.venue
    alone = sum(s.occasion.chain is None for s in fresh.world.open_subjects())
    venue.keep_pace(100_000.0)
    for day in range(1, 7):
        venue.advance(NOW + day * DAY)
        venue.drain()
    states = Counter(market.state for market in venue.markets.values())
    assert states[State.RESOLVED] > 400
    late = [s for s in fresh.world.open_subjects() if s.occasion.chain is None]
    assert len(late) >= alone - 6  # those listed this minute are not open yet
    assert venue.audit(full=True).exact
    newest = max(market.listed_at for market in venue.markets.values())
    assert venue.now - newest < HOUR


def test_a_series_has_one_question_running_and_one_to_come() -> None:
    fresh = town(2, now=NOW, markets=6)
    venue, chains = fresh.venue, fresh.world.catalogue.chains
    assert set(chains) == {"coin-a-updown-15m", "coin-b-updown-1h"}
    venue.keep_pace(1_000.0)
    for quarter in range(1, 9):
        venue.advance(NOW + quarter * 15 * MINUTE + 2 * MINUTE)
        open = [o for o in chains["coin-a-updown-15m"].events if o.subjects[0].trading]
        begins = sorted(o.plot.opened + o.plot.life // 2 for o in open)
        assert len(begins) == 2
        assert begins[0] <= venue.now < begins[1]
    over = [o for o in chains["coin-a-updown-15m"].events if o.closed]
    assert all(o.subjects[0].market.proposals == 0 for o in over)
    assert all(
        o.subjects[0].market.resolved_at - o.plot.closes == MINUTE
        for o in over
        if o.plot.opened > NOW
    )


def test_a_new_market_is_in_the_catalogue_before_it_has_a_book() -> None:
    fresh = town(2, now=NOW, markets=6)
    seen = set()
    for second in range(0, 16 * 60, 2):
        fresh.venue.advance(NOW + second * SECOND)
        seen |= {m.condition_id for m in fresh.venue.markets.values() if m.state is State.LISTED}
    assert seen
    assert all(fresh.venue.markets[cid].state is not State.LISTED for cid in list(seen)[:1])


def test_disputes_end_with_the_right_answer() -> None:
    fresh = town(1, now=NOW, markets=16)
    disputed = [m for m in fresh.venue.markets.values() if m.state is State.DISPUTED]
    fresh.venue.keep_pace(100_000.0)
    fresh.venue.advance(NOW + 3 * DAY)
    for market in disputed:
        subject = fresh.world.catalogue.by_condition[market.condition_id]
        assert market.winner == subject.winner
        assert market.disputes == 1


def test_the_faster_time_passes_the_less_often_the_crowd_acts_in_it() -> None:
    def trades(speed: float, length: int) -> float:
        fresh = town(4, now=NOW, markets=12)
        fresh.venue.keep_pace(speed)
        fresh.venue.advance(NOW + length)
        deals = [d for d in fresh.venue.history.newest() if d.at > NOW and d.taker]
        return len(deals) / (length / SECOND)

    slow, fast = trades(1.0, 10 * MINUTE), trades(1_000.0, 3 * HOUR)
    assert slow > 0.1
    assert 5 < slow / fast < 400
    assert fast * 1_000 > slow  # outside, it looks busier, not dead


def test_a_pace_that_changes_wakes_everybody_again() -> None:
    fresh = town(4, now=NOW, markets=12)
    fresh.venue.keep_pace(1_000.0)
    fresh.venue.keep_pace(1.0)
    fresh.venue.advance(NOW + 5 * MINUTE)
    assert sum(d.at > NOW for d in fresh.venue.history.newest()) > 10


def test_what_a_market_does_to_its_crowd_when_it_is_paused_and_opened() -> None:
    fresh = town(4, now=NOW, markets=12)
    subject = max(fresh.world.open_subjects(), key=lambda s: s.weight)
    fresh.venue.keep_pace(200.0)
    fresh.venue.pause_market(subject.condition_id)
    fresh.venue.advance(NOW + 20 * MINUTE)
    before = fresh.venue.history.market_volume(subject.condition_id)
    fresh.venue.open_market(subject.condition_id)
    fresh.venue.advance(NOW + 3 * HOUR)
    assert fresh.venue.history.market_volume(subject.condition_id) > before


# ---- who earns what ----------------------------------------------------------------------------


def test_people_are_those_of_the_seed() -> None:
    one, two = people(1), people(1)
    assert [p.address for p in one.everybody] == [p.address for p in two.everybody]
    assert {p.kind for p in one.everybody} == {NOISE, MAKER, INFORMED, WHALE}
    assert {p.skill for p in one.of(WHALE)} >= {0.0, 0.5}
    assert all(p.confidence > 0 for p in one.of(WHALE))
    assert not {p.address for p in one.everybody} & {p.address for p in people(2).everybody}


def test_skill_shows_in_the_wallets_that_have_it() -> None:
    """Gain for each pUSD spent: below nothing without skill, and more with more of it."""
    crowd = people(9, noises=5, informed=(), whales=(0.0,) * 8 + (0.1,) * 6 + (0.5,) * 8)
    fresh = town(9, now=NOW, markets=110, data="generator", days=18, crowd=crowd)
    history, edges = fresh.venue.history, {0.0: [0, 0], 0.1: [0, 0], 0.5: [0, 0]}
    wins = Counter()
    for person in crowd.of(WHALE):
        held = history.positions(wallet=person.address)
        gain, spent = edges[person.skill]
        own = history.profit(person.address)
        edges[person.skill] = [gain + own, spent + sum(p.spent + p.fees for p in held)]
        wins[person.skill] += own > 0
    edge = {skill: gain / spent for skill, (gain, spent) in edges.items()}
    assert edge[0.0] < 0.0 < edge[0.5]
    assert edge[0.0] < edge[0.1] < edge[0.5]
    assert edge[0.5] > 0.1
    assert wins[0.5] >= 7
    assert wins[0.0] <= 4
    assert fresh.venue.audit(full=True).exact


def test_an_annulled_market_pays_one_half_for_every_share() -> None:
    plot = next(p for n in range(400) if (p := made(7, n)).asks[0].winner == BOTH)
    venue = Venue(now=NOW)
    world = World(venue, 7)
    world.endless = False
    crowd = Crowd(world, people(7))
    crowd.warm()
    venue.hurry(60)
    world.play([plot.moved(NOW)])
    venue.advance(NOW + plot.life + 4 * DAY)
    (subject,) = world.catalogue.subjects.values()
    assert subject.market is not None
    assert (subject.market.winner, subject.market.proposals) == (BOTH, 1)
    redeemed = [
        act
        for person in crowd.people.everybody
        for act in venue.history.acts(person.address, kinds=["REDEEM"])
    ]
    assert redeemed
    assert all(act.money == act.size // 2 for act in redeemed)
    assert venue.audit(full=True).exact


def test_rows_of_a_trade_agree_with_each_other(place: Town) -> None:
    by_trade: dict[str, list[Deal]] = {}
    for deal in place.venue.history.newest():
        by_trade.setdefault(deal.trade_id, []).append(deal)
    for deals in list(by_trade.values())[:500]:
        taker = [deal for deal in deals if deal.taker]
        makers = [deal for deal in deals if not deal.taker]
        assert len(taker) == 1
        assert sum(deal.size for deal in makers) == taker[0].size
        assert {deal.transaction_hash for deal in deals} == {taker[0].transaction_hash}
