"""The venue's time passes as fast as it is told to, or stands still."""

from __future__ import annotations

import asyncio

import pytest
from sandbox_stall import START, stall

from polyframe.domain.units import SECOND
from polyframe.errors import ConfigError
from polyframe.sandbox.pace import MOST_BEHIND, PATIENCE, Pace


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
