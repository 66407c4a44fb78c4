"""Tells observers what happened, after the step. Nothing they do can reach the session.

Each one is called on its own. What it raises is logged and counted; one that takes too long, again
and again, is not called any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from polyframe.api.objective import Observer
from polyframe.domain.effects import (
    Effect,
    FillBooked,
    OrderChanged,
    OrderReviewed,
    PositionSettled,
    TradingHalted,
)
from polyframe.domain.events import Event, ForecastMade, SessionEnded, SessionStarted
from polyframe.runtime.calls import PluginCalls
from polyframe.runtime.plugins import Registry

HOOK_OF: dict[type, str] = {
    SessionStarted: "session_started",
    ForecastMade: "forecast_made",
    OrderReviewed: "order_reviewed",
    OrderChanged: "order_changed",
    FillBooked: "fill_booked",
    PositionSettled: "market_resolved",
    TradingHalted: "trading_halted",
    SessionEnded: "session_ended",
}
"""The past-tense hook of each event and effect that has one."""


class Listener:
    """One hook implementation, with what went wrong in it so far."""

    def __init__(self, owner: str, hook: str, function: Callable[..., Any], takes: bool) -> None:
        self.owner = owner
        self.hook = hook
        self.function = function
        self.takes = takes
        self.errors = 0
        self.overruns = 0
        self.disabled = False


class Observers:
    """Everybody who listens in one session.

    A call longer than ``budget_seconds`` is an overrun; after ``strikes`` of them the listener is
    disabled. One that does not end is interrupted while ``calls.watch`` is entered.
    """

    def __init__(
        self,
        registry: Registry,
        observers: Sequence[Observer] = (),
        *,
        calls: PluginCalls | None = None,
        clock: Callable[[], float] = time.perf_counter,
        budget_seconds: float = 0.05,
        strikes: int = 3,
    ) -> None:
        self._calls = calls or PluginCalls()
        self._clock = clock
        self._budget = budget_seconds
        self._strikes = strikes
        self._of: dict[type, list[Listener]] = {}
        for kind, hook in HOOK_OF.items():
            found = [*_hooked(registry, hook), *_methods(observers, hook)]
            if found:
                self._of[kind] = found

    @property
    def listeners(self) -> list[Listener]:
        """Every implementation, with its counts."""
        return [listener for found in self._of.values() for listener in found]

    def notify(self, event: Event, effects: Iterable[Effect]) -> None:
        """Passes on what one step was and led to."""
        if not self._of:
            return
        self._tell(event)
        for effect in effects:
            self._tell(effect)

    def _tell(self, happened: Any) -> None:
        for listener in self._of.get(type(happened), ()):
            if not listener.disabled:
                self._call(listener, happened)

    def _call(self, listener: Listener, happened: Any) -> None:
        started = self._clock()
        try:
            arguments = (happened,) if listener.takes else ()
            self._calls.call(listener.owner, listener.function, *arguments)
        except Exception as error:  # noqa: BLE001 - an observer must not reach the session
            listener.errors += 1
            _warn("observer failed", owner=listener.owner, hook=listener.hook, error=error)
        spent = self._clock() - started
        if spent > self._budget:
            listener.overruns += 1
            listener.disabled = listener.overruns >= self._strikes
            _warn(
                "observer disabled" if listener.disabled else "observer is slow",
                owner=listener.owner,
                hook=listener.hook,
                seconds=round(spent, 3),
                budget=self._budget,
                overruns=listener.overruns,
            )


def _warn(text: str, **facts: Any) -> None:
    import structlog  # noqa: PLC0415 - a tenth of a second, for what seldom happens

    structlog.get_logger("polyframe.observers").warning(text, **facts)


def _hooked(registry: Registry, hook: str) -> list[Listener]:
    caller = getattr(registry.hooks.hook, hook)
    return [
        Listener(impl.plugin_name, hook, impl.function, bool(impl.argnames))
        for impl in caller.get_hookimpls()
    ]


def _methods(observers: Sequence[Observer], hook: str) -> list[Listener]:
    return [
        Listener(type(observer).__name__, hook, getattr(observer, hook), takes=True)
        for observer in observers
        if hasattr(observer, hook)
    ]
