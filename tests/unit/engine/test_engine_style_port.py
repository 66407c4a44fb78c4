"""The port of execution styles: what they remember, how they end a parent, the edge of children."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest
from engine_desk import Desk, intent, market, told

from polyframe.api.execution import Child, ExecutionStyle
from polyframe.api.parts import edge_at
from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.market import FeeSchedule
from polyframe.domain.orders import Kind, Side, TimeInForce
from polyframe.domain.units import SECOND, to_units
from polyframe.domain.wishes import CancelOrder, Intent, WakeAt
from polyframe.engine.admission import leaves_open
from polyframe.engine.engine import Engine
from polyframe.engine.execution import TIMER
from polyframe.engine.setup import Player
from polyframe.errors import PluginError
from polyframe.protections.min_edge import MinEdge
from polyframe.sizers.fixed import FixedSizer

SHARE = 1_000_000
PARENT = "style=hand"


class Counts(ExecutionStyle):
    """Sends a share at every call and remembers how often it was called."""

    class State(msgspec.Struct):
        calls: int = 0
        seen: list[int] = []

    def work(self, parent, view):
        parent.state.calls += 1
        parent.state.seen.append(parent.filled)
        if parent.state.calls == 4:
            yield CancelOrder(parent.order.id, "four calls")
        yield Child(price=parent.order.price, size=SHARE, tif=TimeInForce.GTC)
        yield WakeAt(view.now + SECOND)


class Once(ExecutionStyle):
    """Sends what a test gave it, once a call."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = []
        self.edges = []

    def work(self, parent, view):
        at = view.market(parent.order.token)
        self.edges.append(edge_at(parent, at, parent.order.price))
        steps, self.steps = self.steps, []
        return steps


def desk_with(style, **more) -> Desk:
    desk = Desk(styles={"hand": style}, **more)
    desk.book("A", "0.48", "0.50")
    return desk


def fire(desk: Desk, parent: str = "s-1"):
    return desk.step(ev.TimerFired(desk.later(), "alice", TIMER + parent))


def shown(effects) -> list[str]:
    return [t for e in effects if (t := told(e))]


def buy(*words: str, price: str = "0.50", size: str = "10") -> Intent:
    return intent("buy", "A.yes", price, size, PARENT, *words)


# ---- what a style remembers ----------------------------------------------------------------------


def test_a_style_remembers_each_parent_apart():
    desk = desk_with(Counts())
    desk.wish("alice", buy(), buy())
    fire(desk, "s-1")
    states = {
        id: msgspec.msgpack.decode(o.memory, type=Counts.State)
        for id, o in desk.engine.state.orders.items()
        if o.order.style
    }
    assert {id: s.calls for id, s in states.items()} == {"s-1": 2, "s-3": 1}
    assert Counts.State().calls == 0, "the class's own default is untouched"


def test_what_it_remembers_is_an_effect_and_survives_restore_and_fold():
    desk = desk_with(Counts())
    effects = desk.wish("alice", buy())
    saved = [e for e in effects if isinstance(e, fx.StateSaved)]
    assert [(e.ledger, e.parent) for e in saved] == [("alice", "s-1")]
    fire(desk)
    restored = Engine(desk.setup)
    restored.restore(desk.engine.checkpoint())
    twin = desk_with(Counts())
    for event, made in desk.log[len(twin.log) :]:
        twin.engine.fold(event, made)
    for engine in (restored, twin.engine):
        parent, original = engine.state.orders["s-1"], desk.engine.state.orders["s-1"]
        assert parent.memory == original.memory
        assert parent.basis == original.basis > 0
    last = ev.TimerFired(desk.later(), "alice", TIMER + "s-1")
    expected = shown(desk.engine.step(last))
    assert expected
    assert shown(restored.step(last)) == shown(twin.engine.step(last)) == expected


def test_what_did_not_change_is_not_saved_again():
    class Still(Counts):
        def work(self, parent, view):
            return [WakeAt(view.now + SECOND)]

    desk = desk_with(Still())
    first = [e for e in desk.wish("alice", buy()) if isinstance(e, fx.StateSaved)]
    assert len(first) == 1
    assert not [e for e in fire(desk) if isinstance(e, fx.StateSaved)]


@pytest.mark.parametrize("value", [object(), 2**70, "seven"])
def test_a_state_that_cannot_be_saved_names_its_style(value):
    class Bad(Counts):
        def work(self, parent, view):
            parent.state.calls = value
            return []

    with pytest.raises(PluginError, match="the state of Bad cannot be saved"):
        desk_with(Bad()).wish("alice", buy())


# ---- the end of a parent -------------------------------------------------------------------------


def test_a_style_ends_its_parent_and_nothing_after_that_is_done():
    style = Once()
    style.steps = [CancelOrder("s-1", "enough"), Child(price=5_000, size=SHARE)]
    desk = desk_with(style)
    assert shown(desk.wish("alice", buy())) == [
        "reviewed 10/10", "parent 1 10", "cancel parent 1", "changed 1 cancelled",
    ]  # fmt: skip
    assert desk.engine.state.reserved[0] == 0
    assert desk.log[-1][1][-1].reason == "enough"


def test_children_end_before_the_parent_that_its_style_ends():
    style = Once()
    style.steps = [Child(price=5_000, size=SHARE, tif=TimeInForce.GTC)]
    desk = desk_with(style)
    desk.wish("alice", buy())
    style.steps = [CancelOrder("s-1", "enough")]
    assert shown(fire(desk)) == ["cancel parent 1", "cancel 2"]
    desk.play("cancelled 2 | changed 2 cancelled; changed 1 cancelled")
    assert desk.engine.state.reserved[0] == 0


# ---- edges of children ---------------------------------------------------------------------------


@dataclass
class Found:
    """A child's review."""

    permitted: int
    edge: float | None


def reviewed(effects) -> Found:
    (review,) = [e for e in effects if isinstance(e, fx.OrderReviewed) and e.parent]
    order = [e.order.edge for e in effects if isinstance(e, fx.SubmitOrder)]
    assert order in ([], [review.edge])
    assert review.intent.edge == review.edge
    return Found(review.permitted, review.edge)


def given(child: Child, *words: str, side: str = "buy", rate: int = 40_000, **more) -> Found:
    style = Once()
    desk = desk_with(style, markets=[market("A", fee=rate)], **more)
    if side == "sell":
        desk.play("""
            alice buy A.yes 0.50 10 | reviewed 10/10; submit 1 buy A.yes 10 @ 0.5
            fill 1 10 0.50          | booked 10; changed 1 confirmed
        """)
    style.steps = [child]
    price = "0.50" if side == "buy" else "0.48"
    return reviewed(desk.wish("alice", intent(side, "A.yes", price, "10", PARENT, *words)))


def test_at_the_limit_a_taker_has_exactly_the_edge_that_was_approved():
    for edge in ("0.05", "0.1", "0.07", "0.041"):
        assert given(Child(price=5_000, size=SHARE), f"edge={edge}").edge == float(edge)


def test_a_better_price_and_a_maker_gain_more():
    fee = 0.04 * 0.25
    cheaper = 0.04 * 0.48 * 0.52
    taker = given(Child(price=4_800, size=SHARE), "edge=0.05").edge
    maker = given(
        Child(price=4_800, size=SHARE, tif=TimeInForce.GTC, post_only=True), "edge=0.05"
    ).edge
    assert taker == pytest.approx(0.05 + 0.02 + fee - cheaper)
    assert maker == pytest.approx(0.05 + 0.02 + fee)


def test_a_probability_gives_the_edge_at_the_childs_own_price():
    found = given(Child(price=4_900, size=SHARE), "p=0.60").edge
    assert found == pytest.approx(0.60 - 0.49 - 0.04 * 0.49 * 0.51)


def test_a_sale_gains_more_at_a_higher_price():
    found = given(Child(price=4_900, size=SHARE), "p=0.40", side="sell").edge
    assert found == pytest.approx(0.49 - 0.04 * 0.49 * 0.51 - 0.40)


def test_without_an_edge_there_is_none():
    assert given(Child(price=4_900, size=SHARE)).edge is None


def test_a_fee_that_rose_since_takes_from_the_edge_of_takers_only():
    style = Once()
    desk = desk_with(
        style, markets=[market("A", fee=0)], protections=[MinEdge(MinEdge.Config(edge=0.04))]
    )
    desk.wish("alice", buy("edge=0.045"))
    assert style.edges[-1] == 0.045
    desk.step(ev.FeesChanged(desk.later(), "A", FeeSchedule(rate=40_000)))
    style.steps = [Child(price=5_000, size=SHARE)]
    taker = reviewed(fire(desk))
    assert (taker.permitted, taker.edge) == (0, pytest.approx(0.035))
    assert style.edges[-1] == pytest.approx(0.035)
    style.steps = [Child(price=5_000, size=SHARE, tif=TimeInForce.GTC, post_only=True)]
    maker = reviewed(fire(desk))
    assert (maker.permitted, maker.edge) == (SHARE, 0.045)


# ---- how intents and children agree --------------------------------------------------------------


def test_a_child_of_an_order_that_only_posts_may_not_take():
    style = Once()
    desk = desk_with(style)
    style.steps = [Child(price=4_800, size=SHARE, tif=TimeInForce.GTC)]
    posting = msgspec.structs.replace(buy(), post_only=True)
    (review,) = [e for e in desk.wish("alice", posting) if getattr(e, "parent", "") == "s-1"]
    assert [v.reason for v in review.verdicts] == ["may take, its parent only posts"]
    style.steps = [Child(price=4_800, size=SHARE, tif=TimeInForce.GTC, post_only=True)]
    assert shown(fire(desk))[-1] == "submit 3 buy A.yes 1 @ 0.48"


@pytest.mark.parametrize(
    ("change", "open"),
    [
        ({}, True), ({"tif": TimeInForce.GTC, "ttl": 5}, True), ({"kind": Kind.EXIT}, True),
        ({"tif": TimeInForce.FOK}, False), ({"post_only": True}, False),
        ({"kind": Kind.ARBITRAGE}, False),
    ],
)  # fmt: skip
def test_a_default_style_leaves_alone_what_says_how_it_is_carried_out(change, open):
    said = msgspec.structs.replace(Intent(token="A.yes", side=Side.BUY), **change)
    assert leaves_open(said) is open


class Whole(ExecutionStyle):
    """One child of everything; its reason tells whose it is."""

    def __init__(self, mark: str) -> None:
        super().__init__()
        self.mark = mark

    def work(self, parent, view):
        if parent.free and not parent.working:
            yield Child(price=parent.order.price, size=parent.free, reason=self.mark)


def two_players(**alice) -> Desk:
    desk = Desk(styles={"whole": Whole("session")})
    players = [
        Player("alice", desk.puppets["alice"], FixedSizer(), to_units("100", 6), **alice),
        Player("bob", desk.puppets["bob"], FixedSizer(), to_units("100", 6)),
    ]
    desk.setup = msgspec.structs.replace(desk.setup, players=players)
    desk.engine = Engine(desk.setup)
    desk.step(ev.SessionStarted(desk.now, "s"))
    desk.book("A", "0.48", "0.50")
    return desk


def sent(effects) -> list[tuple[str, str]]:
    return [(e.order.parent, e.order.reason) for e in effects if isinstance(e, fx.SubmitOrder)]


def test_a_strategys_own_style_is_its_default_and_stands_before_the_sessions():
    desk = two_players(style="whole", styles={"whole": Whole("own")})
    bare, named = (
        intent("buy", "A.yes", "0.50", "5"),
        intent("buy", "A.yes", "0.50", "5", "style=whole"),
    )
    assert sent(desk.wish("alice", bare)) == [("s-1", "own")]
    assert sent(desk.wish("alice", named)) == [("s-3", "own")]
    assert sent(desk.wish("bob", bare)) == [("", "")]
    assert sent(desk.wish("bob", named)) == [("s-6", "session")]
    fok = msgspec.structs.replace(bare, tif=TimeInForce.FOK)
    assert sent(desk.wish("alice", fok)) == [("", "")]


def test_a_style_of_its_own_needs_no_style_of_the_session():
    desk = two_players(style="mine", styles={"mine": Whole("own")})
    assert sent(desk.wish("alice", intent("buy", "A.yes", "0.50", "5"))) == [("s-1", "own")]
    with pytest.raises(PluginError, match="'mine'") as caught:
        desk.wish("bob", intent("buy", "A.yes", "0.50", "5", "style=mine"))
    assert caught.value.expected == "one of: whole"


def test_a_mistyped_style_is_refused_with_the_nearest():
    desk = two_players()
    with pytest.raises(PluginError, match="style 'whoel'") as caught:
        desk.wish("bob", intent("buy", "A.yes", "0.50", "5", "style=whoel"))
    assert caught.value.expected == "whole?"
