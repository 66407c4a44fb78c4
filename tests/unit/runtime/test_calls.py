"""The wrapper around plugin calls."""

from __future__ import annotations

import inspect
import signal
import sys
import threading
import time

import numpy as np
import pytest

from polyframe.domain.orders import ApprovedOrder, Order, Side, TimeInForce
from polyframe.domain.wishes import AskForecast, Intent, QuoteLevel, Quotes, WakeAt
from polyframe.errors import InvariantError, PluginError
from polyframe.runtime.calls import MOST_WISHES, PluginCalls


def line_of(function, text: str) -> int:
    lines, first = inspect.getsourcelines(function)
    return first + next(i for i, line in enumerate(lines) if text in line)


class Idea:
    """One method a behaviour."""

    def nothing(self, event, view):
        return None

    def empty(self, event, view):
        return ()

    def yields(self, event, view):
        yield WakeAt(event)
        yield AskForecast("m")

    def returns_list(self, event, view):
        return [WakeAt(1)]

    def lone(self, event, view):
        return WakeAt(1)

    def garbage(self, event, view):
        yield WakeAt(1)
        yield "buy!"

    def text(self, event, view):
        return "buy"

    def number(self, event, view):
        return 7

    async def waits(self, event, view):
        return ()

    def many(self, event, view):
        for i in range(event):
            yield WakeAt(i)

    def endless(self, event, view):
        while True:
            yield WakeAt(1)

    def raises(self, event, view):
        return self._deep({})

    def _deep(self, nothing):
        return nothing["missing"]

    def elsewhere(self, event, view):
        return int("seven")  # raised in compiled code, reported on this line

    def leaves(self, event, view):
        sys.exit(0)

    def loops(self, event, view):
        while True:
            try:
                time.sleep(0.001)
            except Exception:  # noqa: BLE001
                continue

    def forges(self, event, view):
        order = Order("1", "a", "m", "t", Side.BUY, 1, 1, TimeInForce.FAK, 0)
        return ApprovedOrder(order, 0, object())

    def gives(self, event, view):
        return [event]


@pytest.fixture
def calls() -> PluginCalls:
    return PluginCalls()


def test_wishes_come_out_in_the_order_they_were_yielded(calls):
    assert calls.invoke("a", Idea().yields, 5, None) == [WakeAt(5), AskForecast("m")]
    assert calls.invoke("a", Idea().returns_list, 5, None) == [WakeAt(1)]


def test_no_wish_is_an_empty_list(calls):
    assert calls.invoke("a", Idea().empty, 0, None) == []
    assert calls.invoke("a", Idea().nothing, 0, None) == []


def test_who_quotes_many_markets_may_wish_for_as_much_as_that_takes():
    calls = PluginCalls(tokens=400)
    assert len(calls.invoke("a", Idea().many, 1_600, None)) == 1_600
    with pytest.raises(PluginError, match=r"more than 1,600 wishes"):
        calls.invoke("a", Idea().many, 1_601, None)


def test_a_thousand_wishes_pass_and_one_more_is_refused(calls):
    assert len(calls.invoke("a", Idea().many, MOST_WISHES, None)) == MOST_WISHES
    with pytest.raises(PluginError, match=r"more than 1,000 wishes"):
        calls.invoke("a", Idea().many, MOST_WISHES + 1, None)
    with pytest.raises(PluginError, match=r"more than 1,000 wishes"):
        calls.invoke("a", Idea().endless, 0, None)


@pytest.mark.parametrize(
    ("method", "found", "line"),
    [
        ("garbage", "yielded str 'buy!'", 'yield "buy!"'),
        ("text", "yielded str 'b'", "def text"),
        ("lone", "returned WakeAt", "def lone"),
        ("number", "returned int 7", "def number"),
        ("waits", "is async", "def waits"),
    ],
)
def test_what_is_no_wish_is_named_with_its_line(calls, method, found, line):
    function = getattr(Idea, method)
    with pytest.raises(PluginError) as caught:
        calls.invoke("mine", getattr(Idea(), method), 0, None)
    assert f"Idea.{method} (mine)" in caught.value.message
    assert found in caught.value.message
    assert f"{__file__}:{line_of(function, line)}" in caught.value.message
    assert caught.value.expected


def test_an_exception_names_the_deepest_line_of_the_plugins_own_file(calls):
    with pytest.raises(PluginError) as caught:
        calls.invoke("mine", Idea().raises, 0, None)
    assert "Idea.raises (mine) raised KeyError: 'missing'" in caught.value.message
    assert f"{__file__}:{line_of(Idea._deep, 'missing')}" in caught.value.message
    assert isinstance(caught.value.__cause__, KeyError)

    with pytest.raises(PluginError) as caught:
        calls.invoke("mine", Idea().elsewhere, 0, None)
    assert f"{__file__}:{line_of(Idea.elsewhere, 'seven')}" in caught.value.message


def test_a_plugin_cannot_end_the_program(calls):
    with pytest.raises(PluginError, match="SystemExit"):
        calls.invoke("mine", Idea().leaves, 0, None)


def test_a_forged_approval_is_the_plugins_fault(calls):
    with pytest.raises(PluginError, match="no seal of a risk door"):
        calls.invoke("mine", Idea().forges, 0, None)


def test_a_broken_invariant_of_the_engine_stays_what_it_is(calls):
    scope = {"__name__": "polyframe.engine.probe", "InvariantError": InvariantError}
    exec("def look():\n    raise InvariantError('books')", scope)

    class Looks:
        def on_bar(self, event, view):
            return view()

    with pytest.raises(InvariantError, match="books"):
        calls.invoke("mine", Looks().on_bar, 0, scope["look"])


def test_fields_of_wishes_must_hold_what_they_say(calls):
    def given(wish):
        return calls.invoke("mine", Idea().gives, wish, None)[0]

    good = Intent(token="t", side=Side.BUY, size=1_000_000, price=5000, probability=0.6)
    assert given(good) is good
    for wrong in (
        Intent(token=5, side=Side.BUY),
        Intent(token="t", side="BUY"),
        Intent(token="t", side=Side.BUY, size=1.5),
        Intent(token="t", side=Side.BUY, price=True),
        Intent(token="t", side=Side.BUY, size=2**62),
        Quotes(token="t", bids=((1, 2),)),
        Quotes(token="t", bids=(QuoteLevel(0.5, 1),)),
        WakeAt(1.5),
    ):
        with pytest.raises(PluginError, match=r"Idea.gives \(mine\) yielded (Intent|Quote|WakeAt)"):
            given(wrong)


def test_numpy_numbers_become_plain_ones(calls):
    wish = Intent(token="t", side=Side.BUY, size=np.int64(5), probability=np.float64(0.25))
    (got,) = calls.invoke("mine", Idea().gives, wish, None)
    assert type(got.size) is int
    assert type(got.probability) is float
    assert (got.size, got.probability) == (5, 0.25)


def test_a_call_that_does_not_end_is_interrupted_where_it_loops(calls):
    before = signal.getsignal(signal.SIGALRM)
    started = time.monotonic()
    with calls.watch(0.2), pytest.raises(PluginError, match=r"did not end within 0\.2 s") as caught:
        calls.invoke("mine", Idea().loops, 0, None)
    assert time.monotonic() - started < 2
    assert __file__ in caught.value.message
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_many_short_calls_are_left_alone(calls):
    ended = time.monotonic() + 0.5
    count = 0
    with calls.watch(0.1):
        while time.monotonic() < ended:
            calls.invoke("mine", Idea().empty, 0, None)
            count += 1
    assert count > 1000


def test_outside_the_main_thread_a_thread_watches(calls):
    caught: list[BaseException] = []

    def work() -> None:
        try:
            with calls.watch(0.2):
                calls.invoke("mine", Idea().loops, 0, None)
        except PluginError as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert "did not end within 0.2 s" in str(caught[0])


def test_other_ports_are_called_through_the_same_wrapper(calls):
    class Guard:
        def review(self, proposal, view):
            return proposal + view

        def limits(self):
            return 1 / 0

    assert calls.call("guard", Guard().review, 1, 2) == 3
    with pytest.raises(PluginError, match="ZeroDivisionError"):
        calls.call("guard", Guard().limits)
