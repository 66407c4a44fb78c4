"""Ends plugin calls that do not end by themselves, at almost no cost to those that do.

The wrapper writes down which call runs; a timer looks a few times per limit whether it is still the
same one. On the main thread of a POSIX system the timer is a signal, which arrives inside the
plugin's own frame. Elsewhere a thread raises in the plugin's thread, at its next bytecode.

Neither can end a call that holds the interpreter inside compiled code, nor one that catches
BaseException in a loop.
"""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LOOKS = 4
"""How often the timer looks within one limit. A call ends at most a quarter of the limit late."""


class Overrun(BaseException):
    """Raised inside a plugin that runs too long.

    No subclass of Exception: a plugin's own ``except Exception`` must not swallow it.
    """

    limit = 0.0


class Running:
    """Which plugin call runs now. ``serial`` counts calls, an empty ``owner`` means none runs."""

    __slots__ = ("owner", "serial")

    def __init__(self) -> None:
        self.serial = 0
        self.owner = ""


class _Looks:
    """Counts how many looks in a row found the same call."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.seen = -1
        self.count = 0

    def overdue(self) -> bool:
        running = self.running
        if not running.owner or running.serial != self.seen:
            self.seen = running.serial
            self.count = 0
            return False
        self.count += 1
        return self.count >= LOOKS


@contextmanager
def watch(running: Running, limit: float) -> Iterator[None]:
    """Watches the calls noted in ``running`` while entered. A limit of 0 watches nothing."""
    if limit <= 0:
        yield
    elif hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
        with _by_signal(running, limit):
            yield
    else:
        with _by_thread(running, limit):
            yield


@contextmanager
def _by_signal(running: Running, limit: float) -> Iterator[None]:
    looks = _Looks(running)
    overrun = type("Overrun", (Overrun,), {"limit": limit})

    def look(_signum: int, _frame: FrameType | None) -> None:
        if looks.overdue():
            looks.count = 0
            raise overrun

    interval = limit / LOOKS
    handler = signal.signal(signal.SIGALRM, look)
    delay, repeat = signal.setitimer(signal.ITIMER_REAL, interval, interval)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, delay, repeat)


@contextmanager
def _by_thread(running: Running, limit: float) -> Iterator[None]:
    looks = _Looks(running)
    overrun = type("Overrun", (Overrun,), {"limit": limit})
    target = ctypes.c_ulong(threading.get_ident())
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(limit / LOOKS):
            if looks.overdue():
                looks.count = 0
                ctypes.pythonapi.PyThreadState_SetAsyncExc(target, ctypes.py_object(overrun))

    thread = threading.Thread(target=look, name="plugin-watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
