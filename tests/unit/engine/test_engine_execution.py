"""A parent carried out in slices: it reserves, its children draw on it, no cap is ever passed."""

from __future__ import annotations

import pytest
from engine_desk import Desk, intent, market, told
from hypothesis import given
from hypothesis import strategies as st

from polyframe.api.execution import Child, ExecutionStyle
from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.orders import OrderState, TimeInForce
from polyframe.domain.units import SECOND, to_units
from polyframe.domain.wishes import CancelOrder, WakeAt
from polyframe.engine.execution import TIMER
from polyframe.errors import PluginError
from polyframe.protections.max_stake import MaxStake
from polyframe.protections.min_edge import MinEdge
from polyframe.protections.open_positions import OpenPositions

SHARE = 1_000_000


class Slices(ExecutionStyle):
    """A parent in ``n`` equal slices, one every ten seconds."""

    n = 4

    def work(self, parent, view):
        lot = view.market(parent.order.token).lot
        started, every = parent.started, 10 * SECOND
        due = min((view.now - started) // every + 1, self.n)
        share = max(parent.order.size // self.n // lot * lot, lot)
        wanted = parent.order.size if due == self.n else share * due
        size = min(wanted - parent.filled - parent.working, parent.free)
        if size > 0:
            yield Child(price=parent.order.price, size=size)
        if due < self.n:
            yield WakeAt(started + due * every)


class Hand(ExecutionStyle):
    """Does what a test puts into its hand; remembers the parents it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[object] = []
        self.seen: list[tuple[int, int, int]] = []

    def work(self, parent, view):
        self.seen.append((parent.filled, parent.working, parent.free))
        steps, self.steps = self.steps, []
        return steps


def child(size: float, price: str = "0.50", **more) -> Child:
    return Child(price=to_units(price, 4), size=int(size * SHARE), **more)


def hand(**more) -> tuple[Desk, Hand]:
    style = Hand()
    desk = Desk(styles={"hand": style}, **more)
    desk.book("A", "0.48", "0.50")
    return desk, style


def shown(effects) -> list[str]:
    return [t for e in effects if (t := told(e))]


def begin(desk: Desk, style: Hand, *steps, size: str = "10", words: tuple[str, ...] = ()) -> list:
    style.steps = list(steps)
    return desk.wish("alice", intent("buy", "A.yes", "0.50", size, "style=hand", *words))


def wake(desk: Desk, style: Hand, *steps, parent: str = "s-1") -> list:
    style.steps = list(steps)
    return desk.step(ev.TimerFired(desk.later(), "alice", TIMER + parent))


def money(desk: Desk) -> tuple[int, int]:
    state = desk.engine.state
    return state.reserved[0], state.cash[0]


# ---- the usual way -----------------------------------------------------------------------------


def test_a_parent_goes_out_in_slices_and_is_confirmed_when_all_is_filled():
    desk = Desk(styles={"slices": Slices()})
    desk.book("A", "0.48", "0.50")
    start = desk.now + SECOND
    found = [
        shown(desk.wish("alice", intent("buy", "A.yes", "0.50", "10", "style=slices"))),
    ]
    sent, now = 2, start
    for at in (10, 20, 30):
        found.append(shown(desk.fill(f"s-{sent}", found[-1][-1].split()[4], "0.50")))
        now = start + at * SECOND
        desk.now = now
        found.append(shown(desk.step(ev.TimerFired(now, "alice", TIMER + "s-1"))))
        sent += 1
    found.append(shown(desk.fill("s-5", "4", "0.50")))
    assert found == [
        ["reviewed 10/10", "parent 1 10", "reviewed 2/2", "submit 2 buy A.yes 2 @ 0.5"],
        ["booked 2", "changed 2 confirmed"],
        ["reviewed 2/2", "submit 3 buy A.yes 2 @ 0.5"],
        ["booked 2", "changed 3 confirmed"],
        ["reviewed 2/2", "submit 4 buy A.yes 2 @ 0.5"],
        ["booked 2", "changed 4 confirmed"],
        ["reviewed 4/4", "submit 5 buy A.yes 4 @ 0.5"],
        ["changed 1 confirmed", "booked 4", "changed 5 confirmed"],
    ]
    assert not desk.engine.state.orders
    assert money(desk) == (0, to_units("95", 6))


def test_the_venue_never_sees_a_parent():
    desk, style = hand()
    effects = begin(desk, style, child(4), child(3))
    parents = [e.order.id for e in effects if isinstance(e, fx.ParentApproved)]
    sent = [e for e in effects if isinstance(e, fx.SubmitOrder)]
    assert parents == ["s-1"]
    assert [(e.order.id, e.order.parent) for e in sent] == [("s-2", "s-1"), ("s-3", "s-1")]
    assert all(e.approved.sealed_by(desk.seal) for e in sent)


def test_a_style_is_asked_for_a_wake():
    desk, style = hand()
    at = desk.now + 77 * SECOND
    effects = begin(desk, style, WakeAt(at), WakeAt(1))
    timers = [(e.ledger, e.key, e.at) for e in effects if isinstance(e, fx.SetTimer)]
    assert desk.engine.timers == {("alice", "style:s-1"): desk.now}
    # A moment that has passed is now.
    assert timers == [("alice", "style:s-1", at), ("alice", "style:s-1", desk.now)]


def test_an_intent_needs_a_style_that_exists():
    desk, _ = hand()
    with pytest.raises(PluginError, match="asks for execution style 'twap'") as caught:
        desk.wish("alice", intent("buy", "A.yes", "0.50", "10", "style=twap"))
    assert caught.value.expected == "one of: hand"


# ---- reservations --------------------------------------------------------------------------------


def test_a_parent_reserves_once_and_its_children_draw_on_it():
    desk, style = hand()
    begin(desk, style)
    whole, _ = money(desk)
    assert whole == 5 * SHARE + 1
    wake(desk, style, child(4))
    # Each order reserves one unit for the rounding of its parts.
    assert money(desk)[0] == whole + 1
    wake(desk, style, child(6))
    assert money(desk)[0] == whole + 1
    desk.step(ev.OrderRejected(desk.later(), "s-2", "no"))
    assert money(desk)[0] == whole + 1
    desk.fill("s-3", "6", "0.50")
    assert money(desk) == (2 * SHARE + 1, to_units("97", 6))
    assert style.seen[-1] == (6 * SHARE, 0, 4 * SHARE)


def test_a_sold_parent_reserves_shares():
    desk, style = hand()
    desk.play("""
        alice buy A.yes 0.50 10 | reviewed 10/10; submit 1 buy A.yes 10 @ 0.5
        fill 1 10 0.50          | booked 10; changed 1 confirmed
    """)
    style.steps = [child(4, "0.48")]
    desk.wish("alice", intent("sell", "A.yes", "0.48", "10", "style=hand"))
    assert desk.engine.state.reserved_shares[0, 0] == 10 * SHARE
    assert shown(wake(desk, style, child(6, "0.48"), parent="s-2"))[-1].startswith("submit 4 sell")
    desk.fill("s-3", "4", "0.48")
    desk.fill("s-4", "6", "0.48")
    assert desk.engine.state.reserved_shares[0, 0] == 0
    assert desk.engine.state.shares[0, 0] == 0
    assert not desk.engine.state.orders


def test_a_parent_that_takes_all_the_cash_still_goes_out_in_slices():
    desk = Desk(styles={"slices": Slices()}, cash="10.000001")
    desk.book("A", "0.48", "0.50")
    effects = desk.wish("alice", intent("buy", "A.yes", "0.50", "20", "style=slices"))
    # The rest of the parent and its child each need a unit for rounding; two lots make room for it.
    assert shown(effects)[1:] == [
        "parent 1 20", "reviewed 3/5 by Balance", "submit 2 buy A.yes 3 @ 0.5",
    ]  # fmt: skip
    desk.now += 60 * SECOND
    while sent := [o.order for o in desk.engine.state.orders.values() if o.order.parent]:
        desk.fill(sent[0].id, str(sent[0].size // SHARE), "0.50")
        assert desk.engine.state.cash[0] >= desk.engine.state.reserved[0]
    assert not desk.engine.state.orders
    assert money(desk) == (0, 1)


@pytest.mark.parametrize("ending", ["rejected 2 no", "cancelled 2", "expired 2"])
def test_a_child_that_ends_gives_back_what_is_left_of_it(ending):
    desk, style = hand()
    begin(desk, style, child(6))
    desk.play("fill 2 2 0.50 | booked 2; changed 2 partial")
    assert style.seen[-1] == (2 * SHARE, 4 * SHARE, 4 * SHARE)
    desk.play(f"{ending} | changed 2 {ending.split()[0]}")
    assert style.seen[-1] == (2 * SHARE, 0, 8 * SHARE)
    assert shown(wake(desk, style, child(8)))[-1] == "submit 3 buy A.yes 8 @ 0.5"
    desk.play("fill 3 8 0.50 | changed 1 confirmed; booked 8; changed 3 confirmed")


def test_a_provisional_child_ends_its_parent_too():
    desk, style = hand()
    begin(desk, style, child(10))
    effects = desk.fill("s-2", "10", "0.50", final=False)
    assert shown(effects) == ["changed 1 confirmed", "booked 10", "changed 2 matched"]
    assert money(desk)[0] == 0


# ---- what a child may not ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (child(10.5), "more than is left of the parent"),
        (child(11), "more than is left of the parent"),
        (child(1, "0.51"), "worse than the parent's price limit"),
        (child(0), "a size that is not above zero"),
        (child(-1), "a size that is not above zero"),
    ],
)
def test_a_child_beyond_its_parent_is_denied(wanted, reason):
    desk, style = hand()
    review = begin(desk, style, wanted)[-1]
    assert review.permitted == 0
    (verdict,) = review.verdicts
    assert (verdict.protection, verdict.reason) == ("parent", reason)
    assert money(desk)[0] == 5 * SHARE + 1
    assert list(desk.engine.state.orders) == ["s-1"]


def test_what_is_left_counts_children_at_work_in_the_same_step():
    desk, style = hand()
    found = shown(begin(desk, style, child(6), child(5), child(4)))
    assert found[2:] == [
        "reviewed 6/6", "submit 2 buy A.yes 6 @ 0.5", "reviewed 0/5 by parent",
        "reviewed 4/4", "submit 4 buy A.yes 4 @ 0.5",
    ]  # fmt: skip


def test_a_better_price_is_welcome():
    desk, style = hand()
    assert shown(begin(desk, style, child(10, "0.49")))[-1] == "submit 2 buy A.yes 10 @ 0.49"


def test_a_child_passes_the_venues_rules_again():
    desk, style = hand()
    assert shown(begin(desk, style, child(2.5), child(2, "0.495")))[2:] == [
        "reviewed 2/2.5 by VenueRules", "submit 2 buy A.yes 2 @ 0.5",
        "reviewed 0/2 by VenueRules",
    ]  # fmt: skip
    desk.book("A", "0", "0", trusted=False)
    assert shown(wake(desk, style, child(2))) == ["reviewed 0/2 by TrustedBook"]
    desk.book("A", "0.48", "0.50")
    assert shown(wake(desk, style, child(2)))[-1].startswith("submit")


def test_the_edge_is_checked_again_for_a_child():
    class Grows(MinEdge):
        """Asks for more edge at every look; the compiled limit stays."""

    desk, style = hand(protections=[Grows(MinEdge.Config(edge=0.04))])
    begin(desk, style, child(2), words=("edge=0.05",))
    # A stricter limit comes into force while the parent is at work.
    door = desk.engine.parts.door
    index = 6
    assert door.limit("min_edge") == 40_000
    door.limits[:, index] = 60_000
    assert shown(wake(desk, style, child(2))) == ["reviewed 0/2 by Grows"]
    door.limits[:, index] = 50_000
    assert shown(wake(desk, style, child(2)))[-1].startswith("submit")


def test_a_denied_child_leaves_the_parents_reservation_as_it_was():
    desk, style = hand()
    begin(desk, style)
    before = desk.engine.checkpoint(), money(desk)
    wake(desk, style, child(2, "0.495"), child(99), child(3, "0.60"))
    assert money(desk) == before[1]
    o = desk.engine.state.orders["s-1"]
    assert (o.working, o.filled, o.remaining) == (0, 0, 10 * SHARE)


# ---- kill, halts, cancels ------------------------------------------------------------------------


def test_kill_stops_parent_and_children():
    desk, style = hand()
    begin(desk, style, child(4, tif=TimeInForce.GTC))
    desk.play("kill | halted by kill; cancel parent 1; cancel 2")
    asked = len(style.seen)
    wake(desk, style, child(2))
    assert len(style.seen) == asked, "a parent that is being cancelled is not worked on"
    desk.play("""
        fill 2 1 0.50 | booked 1; changed 2 partial
        cancelled 2   | changed 2 cancelled; changed 1 cancelled
    """)
    assert money(desk) == (0, to_units("99.5", 6))
    assert not desk.engine.state.orders


def test_a_parent_without_children_ends_at_once_when_killed():
    desk, style = hand()
    begin(desk, style)
    desk.play("kill | halted by kill; cancel parent 1; changed 1 cancelled")
    assert money(desk)[0] == 0
    assert shown(wake(desk, style, child(2))) == []


def test_a_pause_denies_children_of_what_is_bought_and_lets_sales_go_on():
    desk, style = hand()
    desk.play("""
        alice buy A.yes 0.50 10 | reviewed 10/10; submit 1 buy A.yes 10 @ 0.5
        fill 1 10 0.50          | booked 10; changed 1 confirmed
    """)
    desk.wish("alice", intent("sell", "A.yes", "0.48", "10", "style=hand"))
    desk.play("pause | halted by pause")
    assert shown(wake(desk, style, child(10, "0.48"), parent="s-2"))[-1].startswith("submit 3 sell")


def test_the_cancel_of_a_parent_cancels_its_children_first():
    desk, style = hand()
    begin(desk, style, child(4, tif=TimeInForce.GTC), child(3, tif=TimeInForce.GTC))
    assert shown(desk.wish("alice", CancelOrder("s-1"))) == [
        "cancel parent 1",
        "cancel 2",
        "cancel 3",
    ]
    desk.play("""
        fill 2 4 0.50 | booked 4; changed 2 confirmed
        cancelled 3   | changed 3 cancelled; changed 1 cancelled
    """)
    assert money(desk) == (0, to_units("98", 6))
    assert desk.wish("alice", CancelOrder("s-1"))[0].reason.startswith("no such open order")


def test_the_end_of_a_parent_is_folded_like_everything_else():
    desk, style = hand()
    begin(desk, style, child(4), child(3))
    desk.wish("alice", CancelOrder("s-1"))
    desk.play("""
        cancelled 2   | changed 2 cancelled
        cancelled 3   | changed 3 cancelled; changed 1 cancelled
    """)
    twin, _ = hand()
    for at, (event, effects) in enumerate(desk.log[1:], start=1):
        twin.engine.fold(event, effects)
        if at == len(desk.log) - 2:
            assert twin.engine.state.orders["s-1"].cancelling
    assert list(twin.engine.state.orders) == []
    assert list(twin.engine.state.reserved) == list(desk.engine.state.reserved) == [0, 0, 0]


def test_a_style_cancels_only_children_of_its_own_parent():
    desk, style = hand()
    desk.play("bob buy A.yes 0.40 5 resting | reviewed 5/5; submit 1 buy A.yes 5 @ 0.4")
    begin(desk, style, child(4, tif=TimeInForce.GTC))
    cancels = CancelOrder("s-1"), CancelOrder("s-99"), CancelOrder("s-3")
    assert shown(wake(desk, style, *cancels, parent="s-2")) == ["cancel 3"]


def test_a_resolution_ends_parents():
    from polyframe.domain.market import Resolution

    desk, style = hand()
    begin(desk, style, child(4))
    effects = desk.step(
        ev.MarketResolved(desk.later(), Resolution.winner(market("A"), 0, desk.now))
    )
    assert shown(effects) == ["cancel parent 1", "cancel 2"]
    desk.play("cancelled 2 | changed 2 cancelled; changed 1 cancelled")
    assert money(desk)[0] == 0


# ---- styles that do wrong ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step",
    [
        None, 5, "buy", object(), intent("buy", "A.yes", "0.50", "1"),
        Child(price=5_000.0, size=SHARE), Child(price=5_000, size=1.5),
        Child(price=5_000, size=True), Child(price=5_000, size=float("nan")),
        Child(price=5_000, size=None), Child(price="5000", size=SHARE),
        Child(price=5_000, size=2**62), Child(price=-(2**70), size=SHARE),
        Child(price=5_000, size=SHARE, tif="FAK"), Child(price=5_000, size=SHARE, ttl=1.5),
        Child(price=5_000, size=SHARE, post_only=1), Child(price=5_000, size=SHARE, reason=7),
        WakeAt(1.5), WakeAt(2**80), CancelOrder(5),
        type("MyChild", (Child,), {}, frozen=True)(price=5_000, size=SHARE),
    ],
)  # fmt: skip
def test_what_is_no_step_is_refused_by_name(step):
    desk, style = hand()
    with pytest.raises(PluginError, match="style hand answered"):
        begin(desk, style, step)
    assert not any(o.order.parent for o in desk.engine.state.orders.values())


class Raises(ExecutionStyle):
    """Fails inside its generator, where nobody but the wrapper can see it."""

    def work(self, parent, view):
        yield child(1)
        raise KeyError("gone")


class Endless(ExecutionStyle):
    def work(self, parent, view):
        while True:
            yield WakeAt(1)


class NoIterable(ExecutionStyle):
    def work(self, parent, view):
        return 5


class Spins(ExecutionStyle):
    def work(self, parent, view):
        while True:
            yield from ()


@pytest.mark.parametrize(
    ("style", "message"),
    [
        (Raises(), r"Raises\.work \(alice\) raised KeyError: 'gone', at .*_execution\.py:\d+"),
        (Endless(), "more than 1,000 things at once"),
        (NoIterable(), r"NoIterable\.work \(alice\) raised TypeError"),
        (Spins(), r"Spins\.work \(alice\) did not end within 0\.2 s"),
    ],
)
def test_a_style_that_fails_is_named_with_its_place(style, message):
    desk = Desk(styles={"hand": style})
    desk.book("A", "0.48", "0.50")
    wish = intent("buy", "A.yes", "0.50", "10", "style=hand")
    with desk.setup.calls.watch(0.2), pytest.raises(PluginError, match=message):
        desk.wish("alice", wish)


def test_a_style_that_fails_at_approval_disables_its_strategy_in_live():
    desk = Desk(styles={"hand": Raises()}, disable_on_error=True)
    desk.book("A", "0.48", "0.50")
    assert shown(desk.wish("alice", intent("buy", "A.yes", "0.50", "10", "style=hand"))) == [
        "reviewed 10/10", "parent 1 10", "disabled alice", "cancel parent 1",
        "changed 1 cancelled",
    ]  # fmt: skip
    assert money(desk)[0] == 0


def test_a_style_that_fails_later_disables_its_strategy_in_live():
    class Late(Hand):
        def work(self, parent, view):
            if view.now > parent.started:
                raise KeyError("gone")
            return [child(4, tif=TimeInForce.GTC)]

    for event in ("fill 2 1 0.50", "rejected 2 no"):
        desk = Desk(styles={"hand": Late()}, disable_on_error=True)
        desk.book("A", "0.48", "0.50")
        desk.wish("alice", intent("buy", "A.yes", "0.50", "10", "style=hand"))
        ended = "changed 1 cancelled" if event.startswith("rejected") else "cancel 2"
        ended = f"cancel parent 1; {ended}"
        first = (
            "changed 2 rejected" if event.startswith("rejected") else "booked 1; changed 2 partial"
        )
        desk.play(f"{event} | {first}; disabled alice; {ended}")


# ---- caps, always --------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.builds(
            child,
            st.integers(-1, 14),
            st.sampled_from(("0.48", "0.49", "0.50", "0.51")),
            tif=st.sampled_from((TimeInForce.FAK, TimeInForce.GTC)),
        ),
        st.builds(CancelOrder, st.sampled_from([f"s-{n}" for n in range(1, 9)])),
    ),
    max_size=4,
)
ANSWERS = st.lists(
    st.tuples(
        st.sampled_from(("fill", "fill", "part", "reject", "cancel", "wake", "pull", "more")),
        st.integers(0, 7),
        STEPS,
    ),
    max_size=25,
)


@given(STEPS, ANSWERS, st.sampled_from((0, 40_000)))
def test_caps_hold_and_nothing_leaks_whatever_a_style_and_the_venue_do(first, answers, rate):
    style = Hand()
    desk = Desk(
        markets=[market("A", fee=rate)],
        styles={"hand": style},
        cash="20",
        protections=[
            MaxStake(MaxStake.Config(stake=6)),
            OpenPositions(OpenPositions.Config(markets=1)),
        ],
    )
    desk.book("A", "0.48", "0.50")
    begin(desk, style, *first)
    for what, which, steps in answers:
        answer(desk, style, what, which, steps)
        check(desk)
    while orders := [o for o in desk.engine.state.orders.values() if not o.order.style]:
        desk.step(ev.OrderCancelled(desk.later(), orders[0].order.id))
    for o in list(desk.engine.state.orders.values()):
        desk.wish("alice", CancelOrder(o.order.id))
    state = desk.engine.state
    assert not state.orders
    assert list(state.reserved) == [0, 0, 0]
    assert not any(state.reserved_shares[r, t] for r in range(3) for t in range(2))
    assert state.if_yes[0, 0] == state.shares[0, 0]
    assert state.if_no[0, 0] == 0


def answer(desk: Desk, style: Hand, what: str, which: int, steps: list) -> None:
    state = desk.engine.state
    style.steps = list(steps)
    if what == "more":
        desk.wish("alice", intent("buy", "A.yes", "0.50", str(which + 1), "style=hand"))
        return
    parents = [o for o in state.orders.values() if o.order.style]
    if what in ("wake", "pull"):
        if parents and what == "wake":
            wake(desk, style, *steps, parent=parents[which % len(parents)].order.id)
        elif parents:
            desk.wish("alice", CancelOrder(parents[which % len(parents)].order.id))
        return
    children = [o for o in state.orders.values() if o.order.parent]
    if not children:
        return
    o = children[which % len(children)]
    if what == "reject":
        desk.step(ev.OrderRejected(desk.later(), o.order.id, "no"))
    elif what == "cancel":
        desk.step(ev.OrderCancelled(desk.later(), o.order.id))
    else:
        size = o.remaining if what == "fill" else max(o.remaining // 2 // SHARE, 1) * SHARE
        m = desk.engine.context.universe.markets[0]
        fee = m.taker_fee(o.order.price, size)
        price = f"0.{o.order.price // 100}"
        desk.fill(o.order.id, str(size // SHARE), price, fee=str(fee / 1e6))


def check(desk: Desk) -> None:
    state = desk.engine.state
    orders = list(state.orders.values())
    slack = 11 * len(orders)
    for row in (0, state.account):
        assert state.cash[row] - state.reserved[row] >= 0
        # Exact but for what is reserved beside each order for the rounding of its parts.
        assert state.at_risk_market(row, 0) - slack <= 6 * SHARE
        assert state.open_markets[row] <= 1
    for parent in (o for o in orders if o.order.style):
        children = [o for o in orders if o.order.parent == parent.order.id]
        assert parent.working == sum(o.order.size - o.filled for o in children)
        assert parent.remaining >= 0
        assert parent.filled + parent.working <= parent.order.size
        assert all(o.order.price <= parent.order.price for o in children)
        assert parent.state in (OrderState.PENDING, OrderState.PARTIAL)
    assert sum(o.reserved for o in orders) == state.reserved[0]
