"""Observers: told after the step, isolated, time-boxed."""

from __future__ import annotations

import time

import pytest
import structlog

from polyframe import Observer, hookimpl
from polyframe.domain.effects import TradingHalted
from polyframe.domain.events import SessionEnded, SessionStarted
from polyframe.runtime.calls import PluginCalls
from polyframe.runtime.observe import HOOK_OF, Observers
from polyframe.runtime.plugins import Registry
from polyframe.runtime.vetting import OBSERVING

START = SessionStarted(1, "s")
HALT = TradingHalted(2, "guard", "reason")


@pytest.fixture
def registry() -> Registry:
    return Registry()


def test_every_past_tense_hook_has_its_moment():
    assert set(HOOK_OF.values()) == OBSERVING


def test_hooks_and_observers_hear_what_they_listen_to(registry):
    heard: list[object] = []

    class Hooks:
        @hookimpl
        def session_started(self, event):
            heard.append(("hook", event))

        @hookimpl
        def trading_halted(self):
            heard.append(("bare", None))

    class Watcher(Observer):
        def trading_halted(self, effect):
            heard.append(("observer", effect))

    registry.hooks.register(Hooks())
    observers = Observers(registry, [Watcher()])
    observers.notify(START, [HALT])
    observers.notify(SessionEnded(3, "done"), [])
    assert heard == [("hook", START), ("bare", None), ("observer", HALT)]


def test_one_that_raises_is_logged_and_the_others_hear(registry):
    heard: list[object] = []

    class Bad(Observer):
        def session_started(self, event):
            raise RuntimeError("mine")

    class Good(Observer):
        def session_started(self, event):
            heard.append(event)

    observers = Observers(registry, [Bad(), Good()])
    with structlog.testing.capture_logs() as logs:
        observers.notify(START, [])
        observers.notify(START, [])
    assert heard == [START, START]
    assert [listener.errors for listener in observers.listeners] == [2, 0]
    assert [log["event"] for log in logs] == ["observer failed"] * 2
    assert "Bad.session_started" in str(logs[0]["error"])


def test_one_that_is_slow_again_and_again_is_not_called_any_more(registry):
    calls: list[float] = []

    class Slow(Observer):
        def session_started(self, event):
            calls.append(time.perf_counter())
            time.sleep(0.02)

    observers = Observers(registry, [Slow()], budget_seconds=0.01, strikes=2)
    with structlog.testing.capture_logs() as logs:
        for _ in range(5):
            observers.notify(START, [])
    assert len(calls) == 2
    assert [log["event"] for log in logs] == ["observer is slow", "observer disabled"]
    (listener,) = observers.listeners
    assert listener.disabled


def test_one_that_never_ends_is_interrupted(registry):
    class Endless(Observer):
        def session_started(self, event):
            while True:
                time.sleep(0.001)

    calls = PluginCalls()
    observers = Observers(registry, [Endless()], calls=calls)
    with calls.watch(0.1), structlog.testing.capture_logs() as logs:
        observers.notify(START, [])
    assert "did not end within 0.1 s" in str(logs[0]["error"])
