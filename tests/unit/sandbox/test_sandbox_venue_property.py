"""Whatever many people do to the venue, every unit stays accounted for at every step."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from venue_town import (
    ANN,
    BOB,
    CEM,
    DAY,
    DEE,
    DOLLAR,
    EVENT,
    POLITICS,
    REWARDS,
    SECOND,
    SHARE,
    START,
    from_history,
    listing,
)

from polyframe.errors import UserError
from polyframe.sandbox.venue.records import BUY, SELL
from polyframe.sandbox.venue.settings import Settings
from polyframe.sandbox.venue.venue import Venue

PEOPLE = (ANN, BOB, CEM, DEE)
MARKETS = (
    listing(1, fees=POLITICS, rewards=REWARDS, auto_tick=True),
    listing(2, fees=POLITICS, seconds_delay=2, tick=10, holding_rate=40_000),
    listing(3, fees=POLITICS, neg_risk=True, neg_risk_market_id=EVENT, taker_delay_ms=250),
    listing(4, neg_risk=True, neg_risk_market_id=EVENT, tick=25),
    listing(5, neg_risk=True, neg_risk_market_id=EVENT),
)
WHO = st.sampled_from(PEOPLE)
WHICH = st.integers(0, len(MARKETS) - 1)
CENTS = st.one_of(st.integers(1, 99), st.sampled_from((48, 49, 50, 51, 52)))
AMOUNTS = st.one_of(st.integers(1, 300 * SHARE), st.sampled_from((1, SHARE, 50 * SHARE)))

ORDERS = st.tuples(
    st.just("order"),
    WHO,
    WHICH,
    st.integers(0, 1),
    st.sampled_from((BUY, SELL)),
    CENTS,
    st.integers(1, 200),
    st.sampled_from(("GTC", "GTC", "GTC", "GTD", "FAK", "FOK")),
    st.booleans(),
)
OTHERS = st.one_of(
    st.tuples(st.sampled_from(("split", "merge", "withdraw", "fund")), WHO, WHICH, AMOUNTS),
    st.tuples(st.just("convert"), WHO, st.sets(st.integers(2, 4)), AMOUNTS),
    st.tuples(st.just("redeem"), WHO, WHICH),
    st.tuples(st.just("cancel"), WHO, st.one_of(st.none(), WHICH)),
    st.tuples(st.just("beat"), WHO),
    st.tuples(st.just("doom")),
    st.tuples(
        st.just("wait"),
        st.sampled_from((SECOND // 4, SECOND, 3 * SECOND, 20 * SECOND, 7_300 * SECOND, DAY)),
    ),
    st.tuples(st.sampled_from(("pause_market", "open_market", "start_game", "dispute")), WHICH),
    st.tuples(st.sampled_from(("propose", "resolve")), WHICH, st.integers(-1, 1)),
)
ACTS = st.lists(st.one_of(ORDERS, ORDERS, ORDERS, OTHERS), max_size=40)


class Crowd:
    """Carries out acts, whatever comes of them."""

    def __init__(self, **more: object) -> None:
        self.venue = Venue(Settings(failing=0.1, retrying=0.1, **more), now=START)
        for each in MARKETS:
            self.venue.list_market(each)
        for who in PEOPLE:
            self.venue.fund(who, 500 * DOLLAR)
            for each in MARKETS:
                self.venue.split(who, each.condition_id, 40 * SHARE)

    def do(self, act: tuple) -> object:
        name, *rest = act
        try:
            return getattr(self, name, lambda *args: self._market(name, *args))(*rest)
        except UserError:
            return "refused"

    def order(self, who, which, outcome, side, cents, shares, kind, post_only):
        seconds = self.venue.now // SECOND + 90 if kind == "GTD" else 0
        budget = shares * DOLLAR if side == BUY and kind in {"FAK", "FOK"} else 0
        token = MARKETS[which].tokens[outcome]
        return self.venue.submit(
            who,
            token,
            side,
            cents * 100,
            shares * SHARE,
            order_type=kind,
            expiration=seconds,
            post_only=post_only and kind == "GTC" and shares % 2 == 0,
            budget=budget,
        )

    def split(self, who, which, amount):
        return self.venue.split(who, MARKETS[which].condition_id, amount)

    def merge(self, who, which, amount):
        return self.venue.merge(who, MARKETS[which].condition_id, amount)

    def withdraw(self, who, which, amount):
        return self.venue.withdraw(who, amount)

    def fund(self, who, which, amount):
        return self.venue.fund(who, amount)

    def convert(self, who, chosen, amount):
        ids = [MARKETS[which].condition_id for which in sorted(chosen)]
        return self.venue.convert(who, EVENT, ids, amount)

    def redeem(self, who, which):
        return self.venue.redeem(who, MARKETS[which].condition_id)

    def cancel(self, who, which):
        market = None if which is None else MARKETS[which].condition_id
        return self.venue.cancel_market(self.venue.wallet(who).owner, market)

    def beat(self, who):
        return self.venue.heartbeat(self.venue.wallet(who).owner, "")

    def doom(self):
        return self.venue.settling.doom()

    def wait(self, ns):
        return self.venue.advance(self.venue.now + ns)

    def _market(self, name, which, *rest):
        return getattr(self.venue, name)(MARKETS[which].condition_id, *rest)

    def sound(self) -> None:
        assert self.venue.audit().faults == ()
        assert self.venue.audit(full=True).faults == ()
        for who in PEOPLE:
            assert self.venue.balance(who).balance == from_history(self.venue, who)


@settings(max_examples=150)
@given(ACTS)
def test_every_unit_is_accounted_for_after_every_act(acts) -> None:
    crowd = Crowd()
    for act in acts:
        crowd.do(act)
        crowd.sound()
    crowd.wait(DAY)
    crowd.sound()


@settings(max_examples=40)
@given(ACTS)
def test_when_all_is_resolved_and_redeemed_nothing_is_left_but_fees_and_dust(acts) -> None:
    crowd = Crowd()
    for act in acts:
        crowd.do(act)
    crowd.wait(20 * SECOND)
    answers = [[(which, winner) for winner in (0, 1)] for which in range(len(MARKETS))]
    for which, winner in [pair for pairs in answers for pair in pairs]:
        crowd.do(("resolve", which, winner))
    for who in PEOPLE:
        for which in range(len(MARKETS)):
            crowd.do(("redeem", who, which))
    audit = crowd.venue.audit(full=True)
    dust = sum(market.dust for market in crowd.venue.markets.values())
    assert audit.faults == ()
    assert audit.credit == audit.matched == audit.reserved == 0
    assert 2 * audit.collateral == dust
    assert audit.wallets + audit.fees + audit.collateral == audit.deposited


@settings(max_examples=20)
@given(ACTS)
def test_the_same_acts_give_the_same_answers_and_the_same_events(acts) -> None:
    one, two = Crowd(seed=3), Crowd(seed=3)
    for act in acts:
        assert one.do(act) == two.do(act)
    assert one.venue.drain() == two.venue.drain()


@settings(max_examples=60)
@given(ACTS)
def test_levels_told_one_after_another_make_up_the_book(acts) -> None:
    from polyframe.sandbox.venue.records import BookMoved

    crowd = Crowd()
    books: dict[str, dict[str, dict[int, int]]] = {}
    for act in acts:
        crowd.do(act)
        for told in crowd.venue.drain():
            if not isinstance(told, BookMoved):
                continue
            book = books.setdefault(told.condition_id, {BUY: {}, SELL: {}})
            for change in told.changes:
                book[change.side].pop(change.price, None)
                if change.size:
                    book[change.side][change.price] = change.size
            assert told.bid == max(book[BUY], default=0)
            assert told.ask == min(book[SELL], default=10_000)
    for each in MARKETS:
        book = books.get(each.condition_id, {BUY: {}, SELL: {}})
        levels = crowd.venue.book(each.tokens[0])
        assert (dict(levels.bids), dict(levels.asks)) == (book[BUY], book[SELL])
        mirror = crowd.venue.book(each.tokens[1])
        assert mirror.asks == tuple((10_000 - p, s) for p, s in levels.bids)
        assert mirror.bids == tuple((10_000 - p, s) for p, s in levels.asks)
