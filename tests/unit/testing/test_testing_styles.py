"""Each check of the styles' suite finds the fault it is there for."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from polyframe import (
    SECOND,
    CancelOrder,
    Child,
    ExecutionStyle,
    PluginError,
    TimeInForce,
    WakeAt,
    part_of,
    price_within,
)
from polyframe.testing import StyleSuite, built_in

COUNTER = itertools.count()


class Sound(ExecutionStyle):
    """One child of everything, then the end."""

    class State(msgspec.Struct):
        sent: bool = False

    def work(self, parent, view):
        if parent.state.sent or parent.order.post_only:
            if not parent.working:
                yield CancelOrder(parent.order.id, "done")
            return
        parent.state.sent = True
        yield WakeAt(view.now + SECOND)
        yield from self.send(parent, view)

    def send(self, parent, view):
        market = view.market(parent.order.token)
        price = price_within(parent, market, parent.order.price)
        size = part_of(parent, market, parent.free, price or 1, taking=True) if price else 0
        if size:
            yield Child(price=price, size=size)


class Twice(Sound):
    """Gives away what is free two times over."""

    def send(self, parent, view):
        yield from super().send(parent, view)
        yield from super().send(parent, view)


class Beyond(Sound):
    """Pays a tick more than the limit."""

    def send(self, parent, view):
        for child in super().send(parent, view):
            worse = child.price + parent.order.side * view.market(parent.order.token).tick
            yield msgspec.structs.replace(child, price=worse)


class OffTick(Sound):
    """Has never heard of ticks."""

    def send(self, parent, view):
        for child in super().send(parent, view):
            yield msgspec.structs.replace(child, price=child.price - 3 * parent.order.side)


class Crumbs(Sound):
    """Leaves a rest that no venue takes."""

    def send(self, parent, view):
        for child in super().send(parent, view):
            lot = view.market(parent.order.token).lot
            yield msgspec.structs.replace(child, size=max(child.size - lot, lot))


class Tiny(Sound):
    """Sends one lot at a time."""

    def send(self, parent, view):
        for child in super().send(parent, view):
            yield msgspec.structs.replace(child, size=view.market(parent.order.token).lot)


class Crossed(Sound):
    """Posts what only takes."""

    def send(self, parent, view):
        for child in super().send(parent, view):
            yield msgspec.structs.replace(child, post_only=True)


class Forgets(Sound):
    """Asks for no wake and has no child where the first part is impossible."""

    def work(self, parent, view):
        yield from (step for step in super().work(parent, view) if isinstance(step, Child))


class Rests(Sound):
    """Leaves its child standing until the market ends."""

    def work(self, parent, view):
        for step in super().work(parent, view):
            if isinstance(step, Child):
                yield msgspec.structs.replace(step, tif=TimeInForce.GTC)
        yield WakeAt(view.now + 3_600 * SECOND)


class Idle(ExecutionStyle):
    """Ends everything at once."""

    def work(self, parent, view):
        yield CancelOrder(parent.order.id, "no")


class Keeps(Sound):
    """Remembers in itself."""

    def __init__(self, config=None):
        super().__init__(config)
        self.seen = []

    def work(self, parent, view):
        self.seen.append(parent.order.id)
        yield from super().work(parent, view)


class Random(Sound):
    """Does something else each time."""

    def send(self, parent, view):
        if next(COUNTER) % 3:
            yield from super().send(parent, view)


class Lost(Sound):
    """Goes on by a count that no checkpoint saves."""

    calls = 0

    def work(self, parent, view):
        self.calls += 1
        if self.calls % 5 == 0:
            yield CancelOrder(parent.order.id, "fifth")
        yield from super().work(parent, view)


def suite(cls) -> StyleSuite:
    return type("Suite", (StyleSuite,), {"plugin": cls})()


@pytest.mark.parametrize(
    ("cls", "check"),
    [
        (Twice, "it_never_gives_more_than_is_free_nor_passes_the_limit"),
        (Beyond, "it_never_gives_more_than_is_free_nor_passes_the_limit"),
        (OffTick, "its_children_are_orders_that_a_venue_takes"),
        (Crumbs, "its_children_are_orders_that_a_venue_takes"),
        (Tiny, "its_children_are_orders_that_a_venue_takes"),
        (Crossed, "its_children_are_orders_that_a_venue_takes"),
        (Forgets, "it_ends_or_wakes"),
        (Idle, "it_gets_something_done"),
        (Keeps, "it_keeps_nothing_outside_its_state"),
        (Random, "the_same_events_give_the_same_children"),
        (Lost, "a_restart_at_any_event_changes_nothing"),
    ],
)
def test_the_check_finds_the_fault(cls, check):
    with pytest.raises(AssertionError):
        getattr(suite(cls), f"test_{check}")()


@pytest.mark.parametrize("cls", [Sound, Rests])
def test_a_sound_style_passes(cls):
    for name in (n for n in dir(StyleSuite) if n.startswith("test_")):
        if name != "test_it_uses_public_names_only":
            getattr(suite(cls), name)()


def test_a_timer_for_ever_is_no_wake():
    class ForEver(Sound):
        def work(self, parent, view):
            yield WakeAt(2**62)

    with pytest.raises(PluginError, match="WakeAt"):
        suite(ForEver).test_it_ends_or_wakes()


def test_the_universe_has_what_styles_stumble_over():
    asked = [
        call
        for seed in StyleSuite.seeds
        for call in suite(built_in("execution_style", "TWAP")).watched(seed=seed)[1]
    ]
    assert {call.market.tick for call in asked} == {100, 10}
    assert {call.market.fee.rate for call in asked} == {50_000, 70_000}
    assert {call.parent.order.side for call in asked} == {1, -1}
    assert any(0 < call.parent.filled < call.parent.order.size for call in asked)
    assert any(call.parent.order.expires for call in asked)
    assert any(call.parent.order.post_only for call in asked)
    assert {call.parent.order.size for call in asked} >= {5_000_000, 1_200_000_000}
