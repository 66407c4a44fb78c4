"""What the door makes of protections that users write: the strictest wins, failures deny."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from engine_desk import ALWAYS, Desk, Puppet, intent, told

from polyframe.api.protection import Halt, Protection
from polyframe.api.subscription import Every, Moved, Subscription
from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.orders import Kind
from polyframe.domain.units import DAY
from polyframe.domain.verdict import Ruling, Verdict
from polyframe.domain.wishes import WakeAt
from polyframe.engine.risk import Guarded
from polyframe.errors import PluginError
from polyframe.protections.max_stake import MaxStake
from polyframe.protections.min_edge import MinEdge
from polyframe.protections.open_positions import OpenPositions

SHARE = 1_000_000


class Says(Protection):
    """Answers whatever a test wants."""

    answer: object = None

    def review(self, proposal, view):
        if callable(self.answer):
            return self.answer(self, proposal)
        return self.answer


def saying(answer, name: str = "Says", **members) -> Protection:
    made = type(name, (Says,), members)()
    made.answer = answer
    return made


def reviewed(protection: Protection, *words: str) -> fx.OrderReviewed:
    desk = Desk(protections=[protection])
    desk.book("A", "0.40", "0.42")
    effects = desk.wish("alice", intent("buy", "A.yes", "0.42", "10", *words))
    return next(e for e in effects if isinstance(e, fx.OrderReviewed))


def verdict_of(review: fx.OrderReviewed, name: str = "Says") -> Verdict:
    (found,) = [v for v in review.verdicts if v.protection == name]
    return found


@pytest.mark.parametrize(
    ("answer", "permitted", "ruling"),
    [
        (lambda p, order: p.allow(order), 10, Ruling.ALLOW),
        (lambda p, order: p.shrink(order, 4 * SHARE, "enough"), 4, Ruling.SHRINK),
        (lambda p, order: p.shrink(order, 4 * SHARE + 1, "odd"), 4, Ruling.SHRINK),
        (lambda p, order: p.shrink(order, SHARE - 1, "too little"), 0, Ruling.SHRINK),
        (lambda p, order: p.shrink(order, 99 * SHARE, "more"), 10, Ruling.ALLOW),
        (lambda p, order: p.shrink(order, 0, "none"), 0, Ruling.DENY),
        (lambda p, order: p.shrink(order, -1, "less"), 0, Ruling.DENY),
        (lambda p, order: p.deny("no"), 0, Ruling.DENY),
        (Verdict("Says", Ruling.DENY, 10 * SHARE), 0, Ruling.DENY),
        (Verdict("Says", Ruling.ALLOW, 10**18), 10, Ruling.ALLOW),
        (Verdict("Says", Ruling.ALLOW, 3 * SHARE), 3, Ruling.SHRINK),
    ],
)
def test_a_verdict_of_ones_own_counts(answer, permitted, ruling):
    review = reviewed(saying(answer))
    assert review.permitted == permitted * SHARE
    assert verdict_of(review).ruling is ruling


def fails(error: BaseException):
    def review(protection, proposal):
        raise error

    return review


@pytest.mark.parametrize(
    "answer",
    [
        fails(ValueError("broken")),
        fails(SystemExit(0)),
        fails(RecursionError()),
        None,
        "allow",
        10 * SHARE,
        object(),
        Verdict("Says", Ruling.ALLOW, -1),
        Verdict("Says", Ruling.ALLOW, True),
        Verdict("Says", Ruling.ALLOW, float("nan")),
        Verdict("Says", Ruling.ALLOW, float("inf")),
        Verdict("Says", Ruling.ALLOW, 10.0 * SHARE),
        Verdict("Says", Ruling.ALLOW, "10"),
        Verdict("Says", Ruling.ALLOW, None),
        Verdict("Says", 0, 10 * SHARE),
        Verdict("Says", 2, 10 * SHARE),
        Verdict("Says", "allow", 10 * SHARE),
        Verdict("Says", Ruling.ALLOW, 10 * SHARE, reason=5),
        lambda p, order: order,
    ],
)
def test_what_is_no_verdict_denies(answer):
    review = reviewed(saying(answer))
    assert review.permitted == 0
    found = verdict_of(review)
    assert (found.ruling, found.size, found.binding) == (Ruling.DENY, 0, True)
    assert found.reason


def test_the_reason_names_what_was_raised():
    assert "raised ValueError: my fault, at " in (
        verdict_of(reviewed(saying(fails(ValueError("my fault"))))).reason
    )


def test_a_protection_cannot_speak_in_anothers_name():
    review = reviewed(saying(Verdict("Balance", Ruling.DENY, 0)))
    assert verdict_of(review).ruling is Ruling.DENY
    assert verdict_of(review, "Balance").ruling is Ruling.ALLOW


def test_outside_its_kinds_a_protection_is_not_asked_but_recorded():
    arbitrage_only = saying(
        fails(AssertionError("was asked")), applies_to=frozenset({Kind.ARBITRAGE})
    )
    review = reviewed(arbitrage_only)
    assert review.permitted == 10 * SHARE
    assert verdict_of(review).ruling is Ruling.NOT_APPLICABLE
    assert pair(arbitrage_only)[0].permitted == 0


def test_the_same_holds_for_compiled_guards():
    for review in pair(MinEdge()):
        assert verdict_of(review, "MinEdge").ruling is Ruling.NOT_APPLICABLE
        assert review.permitted == 10 * SHARE


def test_an_arbitrage_of_one_leg_is_a_direction():
    review = reviewed(MinEdge(), "kind=arbitrage")
    assert review.intent.kind is Kind.DIRECTIONAL
    assert verdict_of(review, "MinEdge").ruling is Ruling.DENY


def pair(*protections):
    """The reviews of both outcomes of a market bought together."""
    desk = Desk(protections=list(protections))
    desk.book("A", "0.40", "0.42")
    legs = (("A.yes", "0.42"), ("A.no", "0.60"))
    wishes = [intent("buy", token, price, "10", "kind=arbitrage") for token, price in legs]
    return [e for e in desk.wish("alice", *wishes) if isinstance(e, fx.OrderReviewed)]


def test_the_order_of_protections_changes_nothing():
    found = set()
    makers = [
        lambda: saying(lambda p, o: p.shrink(o, 7 * SHARE, "a"), "First"),
        lambda: saying(lambda p, o: p.shrink(o, 5 * SHARE, "b"), "Second"),
        lambda: saying(lambda p, o: p.allow(o), "Third"),
        lambda: MaxStake(MaxStake.Config(stake=3)),
    ]
    for order in itertools.permutations(makers):
        desk = Desk(protections=[make() for make in order])
        desk.book("A", "0.40", "0.42")
        review = desk.wish("alice", intent("buy", "A.yes", "0.42", "10"))[0]
        said = frozenset((v.protection, v.ruling, v.size) for v in review.verdicts)
        found.add((review.permitted, said))
    assert len(found) == 1
    assert next(iter(found))[0] == 5 * SHARE


# ---- never trap a position ---------------------------------------------------------------------


@pytest.mark.parametrize("answer", [lambda p, o: p.deny("no exits"), fails(ValueError("x")), None])
def test_risk_does_not_bind_on_what_reduces_exposure_but_is_recorded(answer):
    protection = saying(lambda p, o: p.allow(o))
    desk = Desk(protections=[protection])
    desk.play("""
        book A 0.40 0.42         |
        alice buy A.yes 0.42 10  | reviewed 10/10; submit 1 buy A.yes 10 @ 0.42
        fill 1 10 0.42           | booked 10; changed 1 confirmed
    """)
    protection.answer = answer
    review, *_ = desk.wish("alice", intent("sell", "A.yes", "0.40", "10"))
    assert review.permitted == 10 * SHARE
    found = verdict_of(review)
    assert (found.ruling, found.binding) == (Ruling.DENY, False)
    # The other side of the same market: it adds nothing to what can be lost.
    review, *_ = desk.wish("alice", intent("buy", "A.no", "0.60", "5"))
    assert review.permitted == 5 * SHARE
    assert not verdict_of(review).binding
    review, *_ = desk.wish("alice", intent("buy", "A.yes", "0.42", "5"))
    assert review.permitted == 0


def test_venue_rules_bind_on_exits_too():
    desk = Desk()
    desk.play("""
        book A 0.40 0.42            |
        alice buy A.yes 0.42 10     | reviewed 10/10; submit 1 buy A.yes 10 @ 0.42
        fill 1 10 0.42              | booked 10; changed 1 confirmed
        alice sell A.yes 1 10       | reviewed 0/10 by VenueRules
        alice sell A.yes 0.40 11    | reviewed 10/11 by Balance; submit 2 sell A.yes 10 @ 0.4
    """)
    review = desk.log[-1][1][0]
    assert all(v.binding for v in review.verdicts if v.protection != "KillSwitch")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"scope": "venue"}, "Mine has scope 'venue' but no compiled guard"),
        ({"kernel": "mine"}, "Mine names guard 'mine', which does not exist"),
        (
            {"kernel": "max_stake", "limits": lambda self: {"most": 1}},
            "Mine sets limit 'most', which does not exist",
        ),
    ],
)
def test_a_protection_that_cannot_be_installed_is_refused(members, message):
    with pytest.raises(PluginError, match=message) as caught:
        Desk(protections=[type("Mine", (Protection,), members)()])
    assert caught.value.expected


# ---- whose limits ------------------------------------------------------------------------------


def stake(amount: int) -> MaxStake:
    return MaxStake(MaxStake.Config(stake=amount))


def test_a_limit_for_one_strategy_stands_over_the_general_one():
    Desk(guarded=[Guarded(stake(8), None), Guarded(stake(2), ("alice",))]).play("""
        book A 0.48 0.50         |
        alice buy A.yes 0.50 12  | reviewed 2/12 by MaxStake; submit 1 buy A.yes 2 @ 0.5
        bob buy A.yes 0.50 10    | reviewed 10/10; submit 2 buy A.yes 10 @ 0.5
    """)


def test_the_accounts_limit_holds_whatever_one_strategy_may():
    Desk(guarded=[Guarded(stake(2), None), Guarded(stake(8), ("alice",))]).play("""
        book A 0.48 0.50         |
        alice buy A.yes 0.50 12  | reviewed 2/12 by MaxStake; submit 1 buy A.yes 2 @ 0.5
    """)


def test_a_limit_for_one_strategy_alone_binds_neither_the_others_nor_the_account():
    Desk(guarded=[Guarded(stake(2), ("alice",))]).play("""
        book A 0.48 0.50         |
        alice buy A.yes 0.50 12  | reviewed 2/12 by MaxStake; submit 1 buy A.yes 2 @ 0.5
        bob buy A.yes 0.50 12    | reviewed 12/12; submit 2 buy A.yes 12 @ 0.5
    """)


def test_a_protection_of_ones_own_for_one_strategy_is_not_asked_about_others():
    mine = saying(lambda p, o: p.deny("no"))
    Desk(guarded=[Guarded(mine, ("alice",))]).play("""
        book A 0.48 0.50         |
        alice buy A.yes 0.50 2   | reviewed 0/2 by Says
        bob buy A.yes 0.50 2     | reviewed 2/2; submit 1 buy A.yes 2 @ 0.5
    """)


def test_counts_are_per_strategy_and_for_the_account():
    two = OpenPositions(OpenPositions.Config(markets=2))
    one = OpenPositions(OpenPositions.Config(markets=1))
    Desk(guarded=[Guarded(two, None), Guarded(one, ("alice",))]).play("""
        book A 0.48 0.50         |
        book B 0.48 0.50         |
        alice buy A.yes 0.50 2   | reviewed 2/2; submit 1 buy A.yes 2 @ 0.5
        alice buy B.yes 0.50 2   | reviewed 0/2 by OpenPositions
        bob buy B.yes 0.50 2     | reviewed 2/2; submit 2 buy B.yes 2 @ 0.5
        bob buy A.yes 0.50 2     | reviewed 2/2; submit 3 buy A.yes 2 @ 0.5
    """)


# ---- halts -------------------------------------------------------------------------------------


class Halts(Protection):
    """Halts when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.next: Halt | None = None

    def observe(self, event, view):
        halt, self.next = self.next, None
        return halt


def halting(halt: Halt) -> Desk:
    guard = Halts()
    desk = Desk(protections=[guard])
    desk.book("A", "0.48", "0.50")
    desk.book("B", "0.48", "0.50")
    guard.next = halt
    desk.play("book A 0.48 0.50 | halted by Halts")
    return desk


def permitted(desk: Desk) -> dict[tuple[str, str], bool]:
    found = {}
    for name, m in itertools.product(("alice", "bob"), "AB"):
        review, *_ = desk.wish(name, intent("buy", f"{m}.yes", "0.50", "1"))
        found[name, m] = review.permitted > 0
    return found


@pytest.mark.parametrize(
    ("where", "stopped"),
    [
        ({}, {("alice", "A"), ("alice", "B"), ("bob", "A"), ("bob", "B")}),
        ({"ledger": "alice"}, {("alice", "A"), ("alice", "B")}),
        ({"market": "A"}, {("alice", "A"), ("bob", "A")}),
        ({"ledger": "bob", "market": "B"}, {("bob", "B")}),
    ],
)
def test_a_halt_blocks_where_it_says(where, stopped):
    found = permitted(halting(Halt(reason="test", **where)))
    assert {place for place, free in found.items() if not free} == stopped


def test_a_halt_ends_at_its_time_and_not_before():
    guard = Halts()
    desk = Desk(protections=[guard])
    desk.book("A", "0.48", "0.50")
    until = desk.now + 10 * 10**9
    guard.next = Halt(reason="test", until=until)
    desk.book("A", "0.48", "0.50")
    desk.now = until - 10**9 - 1
    desk.play("alice buy A.yes 0.50 1 | reviewed 0/1 by KillSwitch")
    assert desk.now == until - 1
    desk.now = until - 10**9
    desk.play("alice buy A.yes 0.50 1 | reviewed 1/1; submit 1 buy A.yes 1 @ 0.5")


@pytest.mark.parametrize(
    ("first", "second", "stands"),
    [(DAY, 2 * DAY, 2 * DAY), (2 * DAY, DAY, 2 * DAY), (0, DAY, 0), (DAY, 0, 0)],
)
def test_the_longer_of_two_halts_stands(first, second, stands):
    guard = Halts()
    desk = Desk(protections=[guard])
    for after in (first, second):
        guard.next = Halt(reason="test", until=desk.now + 10**12 + after if after else 0)
        start = desk.now
        desk.book("A", "0.48", "0.50")
        desk.now = start
    (halt,) = desk.engine.parts.door.halts.values()
    assert halt.until == (desk.now + 10**12 + stands if stands else 0)


def test_a_halt_pulls_entries_that_rest_leaves_exits_and_is_told():
    guard = Halts()
    desk = Desk(protections=[guard])
    desk.play("""
        book A 0.48 0.50                |
        alice buy A.yes 0.50 10         | reviewed 10/10; submit 1 buy A.yes 10 @ 0.5
        fill 1 10 0.50                  | booked 10; changed 1 confirmed
        alice buy A.yes 0.40 5 resting  | reviewed 5/5; submit 2 buy A.yes 5 @ 0.4
        alice sell A.yes 0.60 5 resting | reviewed 5/5; submit 3 sell A.yes 5 @ 0.6
    """)
    guard.next = Halt(reason="test", ledger="alice")
    desk.play("book A 0.48 0.50 | halted by Halts; cancel 2")
    assert [type(p.told[-1]).__name__ for p in desk.puppets.values() if p.told] == ["TradingHalted"]
    desk.play("alice sell A.yes 0.48 5 | reviewed 5/5; submit 4 sell A.yes 5 @ 0.48")


# ---- what fails ----------------------------------------------------------------------------------


class FailingGuard(Protection):
    def observe(self, event, view):
        if isinstance(event, ev.BookUpdated):
            raise ValueError("cannot look")


def test_a_guard_that_cannot_observe_stops_a_backtest_with_its_place():
    desk = Desk(protections=[FailingGuard()])
    with pytest.raises(PluginError, match=r"FailingGuard.observe raised ValueError") as caught:
        desk.book("A", "0.48", "0.50")
    assert "test_engine_door.py:" in caught.value.message


def test_a_guard_that_cannot_observe_halts_a_live_session():
    Desk(protections=[FailingGuard()], disable_on_error=True).play("""
        book A 0.48 0.50        | halted by FailingGuard
        alice buy A.yes 0.50 1  | reviewed 0/1 by KillSwitch
        bob buy A.yes 0.50 1    | reviewed 0/1 by KillSwitch
    """)


def test_an_observation_that_is_no_halt_counts_as_a_failure():
    guard = type("Muddled", (Protection,), {"observe": lambda self, event, view: "stop!"})
    with pytest.raises(PluginError, match=r"Muddled\.observe answered 'stop!'"):
        Desk(protections=[guard()])
    desk = Desk(protections=[guard()], disable_on_error=True)
    desk.play("""
        book A 0.48 0.50        | halted by Muddled
        alice buy A.yes 0.50 1  | halted by Muddled; reviewed 0/1 by KillSwitch
    """)


class Fragile(Puppet):
    """Raises when told to."""

    broken = False

    def on_wake(self, event, view):
        if self.broken:
            raise ZeroDivisionError("division by zero")
        return super().on_wake(event, view)


def test_in_live_a_strategy_that_raises_is_disabled_and_the_others_go_on():
    fragile = Fragile()
    desk = Desk(strategies={"alice": fragile}, disable_on_error=True)
    desk.play("""
        book A 0.48 0.50                |
        alice buy A.yes 0.50 10         | reviewed 10/10; submit 1 buy A.yes 10 @ 0.5
        fill 1 10 0.50                  | booked 10; changed 1 confirmed
        alice buy A.yes 0.40 5 resting  | reviewed 5/5; submit 2 buy A.yes 5 @ 0.4
        bob buy A.yes 0.40 5 resting    | reviewed 5/5; submit 3 buy A.yes 5 @ 0.4
    """)
    fragile.broken = True
    effects = desk.wish("alice")
    assert [t for e in effects if (t := told(e))] == ["disabled alice", "cancel 2"]
    (disabled,) = [e for e in effects if isinstance(e, fx.StrategyDisabled)]
    assert "Fragile.on_wake (alice) raised ZeroDivisionError" in disabled.reason
    fragile.broken = False
    desk.play("""
        alice buy A.yes 0.50 1  |
        bob buy A.yes 0.50 1    | reviewed 1/1; submit 4 buy A.yes 1 @ 0.5
        cancelled 2             | changed 2 cancelled
        close ledger=alice      | reviewed 10/10; submit 5 sell A.yes 10 @ 0.48
    """)


def test_in_a_backtest_the_same_failure_stops_the_run():
    fragile = Fragile()
    fragile.broken = True
    desk = Desk(strategies={"alice": fragile})
    with pytest.raises(PluginError, match=r"test_engine_door.py:\d+"):
        desk.wish("alice")


def test_a_sizer_that_answers_nonsense_disables_its_strategy_in_live():
    from polyframe.api.sizer import Sizer

    for answer in (-1, 1.5, True, None, "10"):
        sizer = type("Odd", (Sizer,), {"size": lambda self, i, p, v, a=answer: a})()
        desk = Desk(sizer=sizer, disable_on_error=True)
        desk.play("""
            book A 0.48 0.50       |
            alice buy A.yes 0.50 - | disabled alice
            bob buy A.yes 0.50 1   | reviewed 1/1; submit 1 buy A.yes 1 @ 0.5
        """)


WRONG_SUBSCRIPTIONS = [
    None, "prices", 5, Subscription(tokens=5), Subscription(wake=5),
    Subscription(wake=(Moved("x"),)), Subscription(wake=(Moved(0.5),)),
    Subscription(wake=(Moved(0),)), Subscription(wake=(Moved(2**62),)),
    Subscription(wake=(Every(0),)), Subscription(wake=(Every(-5),)),
    Subscription(wake=(Every("1h"),)), Subscription(wake=("moved",)),
]  # fmt: skip


@pytest.mark.parametrize("answer", WRONG_SUBSCRIPTIONS)
def test_a_subscription_that_is_none_is_named_and_in_live_costs_its_strategy_only(answer):
    def listener() -> Puppet:
        return type("Listener", (Puppet,), {"subscribe": lambda self, markets: answer})()

    with pytest.raises(PluginError, match=r"Listener\.subscribe answered"):
        Desk(strategies={"alice": listener()})
    desk = Desk(strategies={"alice": listener()}, disable_on_error=True)
    desk.play("""
        book A 0.48 0.50        |
        alice buy A.yes 0.50 1  |
        bob buy A.yes 0.50 1    | reviewed 1/1; submit 1 buy A.yes 1 @ 0.5
    """)


class Notes(msgspec.Struct):
    thing: object = None


@pytest.mark.parametrize("thing", [object(), 2**80, "\udc80", lambda: None])
def test_a_state_that_cannot_be_saved_is_named_and_in_live_costs_its_strategy_only(thing):
    class Hoarder(Puppet):
        State = Notes

        def on_wake(self, event, view):
            self.state.thing = thing
            return ()

    with pytest.raises(PluginError, match="the state of alice cannot be saved"):
        Desk(strategies={"alice": Hoarder()}).wish("alice")
    desk = Desk(strategies={"alice": Hoarder()}, disable_on_error=True)
    assert [t for e in desk.wish("alice") if (t := told(e))] == ["disabled alice"]


@pytest.mark.parametrize("key", ["every:0", "every:abc", "style:s-1"])
def test_timers_of_the_engine_cannot_be_set_by_a_strategy(key):
    desk = Desk()
    (refused,) = desk.wish("alice", WakeAt(desk.now + 1, key))
    assert (refused.wish, refused.subject) == ("WakeAt", key)
    assert desk.engine.timers == {}


def test_every_session_of_the_desk_has_the_guards_that_are_always_there():
    assert {type(p).__name__ for p in ALWAYS} == {
        "KillSwitch", "VenueRules", "Balance", "TrustedBook",
    }  # fmt: skip
