"""Turns SIGTERM into an orderly end: what is open is closed, what is half written is removed."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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
