"""Turns SIGTERM into an orderly end: what is open is closed, what is half written is removed."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

TERMINATED = 143
"""The exit code of a command that SIGTERM ended."""


@dataclass
class Ending:
    """Whether the command was asked to end."""

    asked: bool = False


@contextmanager
def orderly() -> Iterator[Ending]:
    """While entered, the first SIGTERM raises KeyboardInterrupt; a second one kills at once.

    Off the main thread, where no handler can be set, SIGTERM stays as it is.
    """
    ending = Ending()
    if threading.current_thread() is not threading.main_thread():
        yield ending
        return
    owner = os.getpid()

    def end(number: int, frame: object) -> None:  # noqa: ARG001 - the signature of a handler
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if os.getpid() != owner:  # a forked worker has nothing of its own to put in order
            os.kill(os.getpid(), number)
            return
        ending.asked = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield ending
    finally:
        signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)


@contextmanager
def cancelled(task: asyncio.Task[Any]) -> Iterator[None]:
    """While entered, the first SIGTERM cancels a task, and is passed on when that has ended.

    What a handler raises, whatever runs in the event loop just then has to deal with: a server
    takes it for a failure of one request, and goes on.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, heard = task.get_loop(), False

    def end(number: int, frame: object) -> None:  # noqa: ARG001 - the signature of a handler
        nonlocal heard
        heard = True
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        loop.call_soon_threadsafe(task.cancel)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)
        if heard:
            signal.raise_signal(signal.SIGTERM)
