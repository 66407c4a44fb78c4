"""The venue's time passes as fast as it is told to, or stands still."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sandbox_stall import MILLION, START, stall

from polyframe.domain.units import SECOND
from polyframe.errors import ConfigError
from polyframe.sandbox.pace import MOST_BEHIND, PATIENCE, Pace

ADDRESS = "0x" + "ab" * 20


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize("speed", [1.0, 10.0, 1000.0, 0.5])
def test_a_second_outside_is_so_many_inside(clock: Clock, speed: float) -> None:
    venue, _ = stall()
    pace = Pace(venue, speed=speed, clock=clock)
    clock.now += 2 * SECOND
    pace.catch_up()
    assert venue.now == START + int(2 * SECOND * speed)


def test_paused_time_stands_still_and_goes_on_from_there(clock: Clock) -> None:
    venue, _ = stall()
    pace = Pace(venue, clock=clock)
    clock.now += SECOND
    pace.pause()
    clock.now += 100 * SECOND
    pace.catch_up()
    assert venue.now == START + SECOND
    pace.step(5 * SECOND)
    assert venue.now == START + 6 * SECOND
    pace.resume()
    clock.now += SECOND
    pace.catch_up()
    assert venue.now == START + 7 * SECOND


def test_another_speed_counts_from_now_on(clock: Clock) -> None:
    venue, _ = stall()
    pace = Pace(venue, clock=clock)
    clock.now += SECOND
    pace.speed = 100.0
    clock.now += SECOND
    pace.catch_up()
    assert venue.now == START + 101 * SECOND


@pytest.mark.parametrize("speed", [0.0, -1.0, 1e9, float("nan")])
def test_a_speed_that_makes_no_sense_is_refused(speed: float) -> None:
    with pytest.raises(ConfigError, match="speed"):
        Pace(stall()[0], speed=speed)


def test_time_that_the_machine_cannot_keep_up_with_is_given_up(clock: Clock) -> None:
    """A venue that needs longer than it gets falls behind, and does not stall its callers."""
    venue, _ = stall()
    pace = Pace(venue, speed=1000.0, clock=clock)

    def work() -> None:
        clock.now += PATIENCE // 4
        venue.schedule(venue.now + SECOND, work)

    venue.schedule(venue.now + SECOND, work)
    clock.now += 10 * SECOND
    began = clock.now
    pace.catch_up()
    assert clock.now - began <= 2 * PATIENCE
    assert pace.given_up > 1000 * MOST_BEHIND
    assert pace.due() - venue.now < SECOND


# ---- heartbeats ---------------------------------------------------------------------------------


class Beating:
    """A key with an order in the book, and whether that is still there."""

    def __init__(self, clock: Clock, **terms: Any) -> None:
        self.clock = clock
        self.venue, (market, *_) = stall()
        self.pace = Pace(self.venue, clock=clock, **terms)
        self.owner = self.venue.wallet(ADDRESS).owner
        self.venue.fund(ADDRESS, 100 * MILLION)
        self.venue.submit(ADDRESS, market.listing.tokens[0], "BUY", 5_000, 10 * MILLION)
        self.beat = ""
        self.send()

    def send(self) -> None:
        beat = self.venue.heartbeat(self.owner, self.beat)
        assert not beat.error
        self.beat = beat.heartbeat_id

    def later(self, seconds: float) -> None:
        self.clock.now += int(seconds * SECOND)
        self.pace.catch_up()

    @property
    def alive(self) -> bool:
        return bool(self.venue.orders_of(self.owner))


@pytest.mark.parametrize("speed", [1.0, 60.0, 0.5])
def test_steps_of_a_clock_that_stands_still_count_in_whole_for_heartbeats(
    clock: Clock, speed: float
) -> None:
    key = Beating(clock, speed=speed, paused=True)
    for _ in range(4):
        key.later(100)  # outside, where nothing counts now
        key.pace.step(5 * SECOND)
        key.send()
    key.pace.step(9 * SECOND)
    assert key.alive
    key.pace.step(6 * SECOND)
    assert not key.alive


def test_a_step_of_a_clock_that_runs_is_a_jump_and_not_a_bot_that_went_silent(
    clock: Clock,
) -> None:
    key = Beating(clock)
    key.pace.step(3_600 * SECOND)
    key.pace.step(60 * SECOND)
    assert key.alive
    key.later(4)
    key.send()
    key.later(9)
    assert key.alive
    key.later(6)
    assert not key.alive


@pytest.mark.parametrize("speed", [1.0, 100.0])
def test_what_passed_before_a_pause_counts_after_it(clock: Clock, speed: float) -> None:
    key = Beating(clock, speed=speed)
    for _ in range(3):  # 9 seconds: 1 outside, 1 step, 1 outside
        key.later(1)
        key.pace.pause()
        key.later(50)
        key.pace.step(1 * SECOND)
        key.pace.resume()
        key.later(1)
    assert key.alive
    key.pace.pause()
    key.pace.step(2 * SECOND)
    assert not key.alive


def test_a_speed_that_changes_while_time_stands_still_changes_no_step(clock: Clock) -> None:
    key = Beating(clock, paused=True)
    key.pace.speed = 1_000.0
    key.pace.step(15 * SECOND)
    assert not key.alive


async def test_a_wait_ends_when_its_time_has_come(clock: Clock) -> None:
    venue, _ = stall()
    pace = Pace(venue, clock=clock)
    ended: list[int] = []

    async def wait(seconds: int) -> None:
        await pace.wait(START + seconds * SECOND)
        ended.append(seconds)

    tasks = [asyncio.create_task(wait(seconds)) for seconds in (3, 1, 2)]
    await asyncio.sleep(0)
    clock.now += 2 * SECOND
    pace.catch_up()
    await asyncio.sleep(0)
    assert ended == [1, 2]
    pace.step(SECOND)
    await asyncio.gather(*tasks)
    assert ended == [1, 2, 3]
    await pace.wait(venue.now)
