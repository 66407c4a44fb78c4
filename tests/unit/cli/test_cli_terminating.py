"""SIGTERM ends a command in order, whatever it is doing just then."""

from __future__ import annotations

import asyncio
import signal
from typing import NoReturn

import pytest

from polyframe.cli.terminating import cancelled, orderly


def test_the_first_sigterm_interrupts() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with orderly() as ending:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert ending.asked
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_task_is_cancelled_although_a_request_takes_the_signal_for_its_own_failure() -> None:
    closed: list[str] = []

    async def serve() -> NoReturn:
        try:
            while True:
                try:
                    signal.raise_signal(signal.SIGTERM)
                    await asyncio.sleep(30)
                except (KeyboardInterrupt, OSError):
                    pass  # as servers do with what goes wrong in one request
        finally:
            closed.append("in order")

    async def run() -> None:
        task = asyncio.create_task(serve())
        with cancelled(task):
            await task

    with orderly() as ending, pytest.raises(KeyboardInterrupt):
        asyncio.run(run())
    assert ending.asked
    assert closed == ["in order"]


def test_without_a_signal_nothing_is_passed_on() -> None:
    async def run() -> str:
        task = asyncio.create_task(asyncio.sleep(0, "done"))
        with cancelled(task):
            return await task

    before = signal.getsignal(signal.SIGTERM)
    with orderly() as ending:
        assert asyncio.run(run()) == "done"
        assert not ending.asked
    assert signal.getsignal(signal.SIGTERM) is before


async def test_off_the_main_thread_no_handler_is_set() -> None:
    async def run() -> object:
        task = asyncio.create_task(asyncio.sleep(0))
        with cancelled(task):
            return signal.getsignal(signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    assert await asyncio.to_thread(asyncio.run, run()) is before
