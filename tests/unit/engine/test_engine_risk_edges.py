"""Numbers at the edge of what can be: the door answers, it never breaks."""

from __future__ import annotations

import msgspec
import pytest
from engine_desk import Desk, market
from hypothesis import given
from hypothesis import strategies as st

from polyframe.domain import effects as fx
from polyframe.domain.orders import Kind, Side, TimeInForce
from polyframe.domain.wishes import Intent, QuoteLevel, Quotes
from polyframe.engine.risk import Draft
from polyframe.errors import InvariantError
from polyframe.kernels import tables_nb
from polyframe.protections.max_stake import MaxStake
from polyframe.protections.min_edge import MinEdge
from polyframe.protections.price_band import PriceBand

MOST = 2**62 - 1
EXTREME = st.one_of(
    st.sampled_from((-MOST, -1, 0, 1, 100, 10_000, 10_001, 10**13, 10**13 + 1, MOST)),
    st.integers(-MOST, MOST),
)


def guarded() -> Desk:
    made = Desk(
        markets=[market("A", fee=40_000)],
        protections=[MaxStake(), PriceBand(), MinEdge(MinEdge.Config(edge=0))],
    )
    made.book("A", "0.48", "0.50")
    return made


def untouched(desk: Desk) -> None:
    state = desk.engine.state
    assert list(state.reserved) == [0, 0, 0]
    assert list(state.cash) == [100_000_000, 100_000_000, 200_000_000]
    assert not state.tables.markets[: tables_nb.M_CATEGORY_CAP].any()
    assert not state.orders


@given(
    EXTREME, EXTREME, st.sampled_from(Side), st.sampled_from(Kind),
    st.one_of(st.none(), st.floats()), st.one_of(st.none(), st.floats()),
)  # fmt: skip
def test_no_intent_breaks_the_door_or_passes_its_caps(price, size, side, kind, edge, probability):
    desk = guarded()
    wish = Intent(
        token="A.yes", side=side, price=price, size=size, kind=kind, edge=edge,
        probability=probability, tif=TimeInForce.GTC,
    )  # fmt: skip
    effects = desk.wish("alice", wish)
    sent = [e for e in effects if isinstance(e, fx.SubmitOrder)]
    if not sent:
        untouched(desk)
        return
    (order,) = sent
    assert 100 <= order.order.price <= 9_900
    assert 0 < order.order.size <= size
    assert order.reserved <= 50_000_000
    assert desk.engine.state.cash[0] >= desk.engine.state.reserved[0]


@given(EXTREME, EXTREME, st.booleans())
def test_no_quote_breaks_the_door(price, size, bid):
    desk = guarded()
    level = (QuoteLevel(price, size),)
    wish = Quotes(token="A.yes", bids=level if bid else (), asks=() if bid else level)
    effects = desk.wish("alice", wish)
    if not any(isinstance(e, fx.SubmitOrder) for e in effects):
        untouched(desk)
    assert desk.engine.state.cash[0] >= desk.engine.state.reserved[0]


@pytest.mark.parametrize(
    ("price", "size"),
    [(-1, 10**6), (10_001, 10**6), (5_000, 0), (5_000, -1), (5_000, 10**13 + 1), (MOST, MOST)],
)
def test_out_of_range_is_denied_by_the_venues_rules(price, size):
    desk = guarded()
    draft = Draft(0, 0, Side.BUY, price, size, Kind.DIRECTIONAL, 0.1, None)
    ruled = desk.engine.parts.door.review(draft, desk.now)
    assert ruled.permitted == 0
    assert [v.protection for v in ruled.verdicts] == ["VenueRules"]
    assert not ruled.reduces


@pytest.mark.parametrize("edge", [1e300, 1e18, float("inf"), float("-inf"), float("nan"), -1e300])
def test_an_edge_beyond_all_bounds_is_an_edge_or_none(edge):
    desk = guarded()
    wish = Intent(token="A.yes", side=Side.BUY, price=5_000, size=2 * 10**6, edge=edge)
    review, *rest = desk.wish("alice", wish)
    believable = edge in (1e300, 1e18)
    assert (review.permitted > 0) is believable
    assert bool(rest) is believable


def test_the_most_shares_at_the_greatest_price_are_counted_exactly():
    rich = Desk(markets=[market("A")], cash="200000000")
    rich.book("A", "0.98", "0.99")
    wish = Intent(token="A.yes", side=Side.BUY, price=9_900, size=10**13)
    (_, sent) = rich.wish("alice", wish)
    assert sent.order.size == 10**13
    assert sent.reserved == 9_900_000_000_000 + 1
    # Three of them: the next does not fit and is cut, nothing overflows.
    for _ in range(25):
        rich.wish("alice", wish)
    state = rich.engine.state
    assert 0 <= state.cash[0] - state.reserved[0] < 2 * 990_000


def test_nobody_but_a_review_of_the_same_step_lets_an_order_through():
    desk = guarded()
    door = desk.engine.parts.door
    draft = Draft(0, 0, Side.BUY, 5_000, 10 * 10**6, Kind.DIRECTIONAL, 0.1, None)
    ruled = door.review(draft, desk.now)
    _review, sent = desk.wish(
        "alice", Intent(token="A.yes", side=Side.BUY, price=5_000, size=10**6, edge=0.1)
    )
    for size in (ruled.permitted + 1, 0, -1):
        with pytest.raises(InvariantError, match="more than was permitted"):
            door.approve(msgspec.structs.replace(sent.order, size=size), ruled)


def test_what_is_left_below_the_minimum_is_not_sent():
    from engine_desk import intent

    desk = Desk(
        markets=[msgspec.structs.replace(market("A"), min_size=5_000_000)],
        protections=[MaxStake(MaxStake.Config(stake=2))],
    )
    desk.book("A", "0.48", "0.50")
    (review,) = desk.wish("alice", intent("buy", "A.yes", "0.50", "10"))
    assert review.permitted == 0
    assert review.verdicts[-1].reason == "an order of at least 5 shares; 2 is left"
