"""A sandbox ready to be used: its world, its crowd, some days of history, all its rooms."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from socket import socket
from typing import Final

from polyframe.domain.units import DAY, HOUR, SECOND, Ns
from polyframe.errors import ConfigError
from polyframe.sandbox.agents.crowd import BUSIER, Crowd
from polyframe.sandbox.agents.people import People, people
from polyframe.sandbox.data.office import Office
from polyframe.sandbox.data.room import data_room
from polyframe.sandbox.debug.bench import Bench
from polyframe.sandbox.debug.room import debug_room
from polyframe.sandbox.faults import Plan, install, load
from polyframe.sandbox.faults.routes import FaultRoutes
from polyframe.sandbox.gamma.room import gamma_room
from polyframe.sandbox.pace import checked
from polyframe.sandbox.play import play_keys
from polyframe.sandbox.running import Sandbox
from polyframe.sandbox.venue.settings import Settings
from polyframe.sandbox.venue.venue import Venue
from polyframe.sandbox.world import World
from polyframe.sandbox.worlds import stored, timetable
from polyframe.sandbox.worlds.made import SERIES, made
from polyframe.sandbox.worlds.plots import Plot

MARKETS: Final = 60
MOST_MARKETS: Final = 2_000
DAYS: Final = 4
"""of trading before the present"""
EARLIEST: Final = 946_684_800 * SECOND
LATEST: Final = 4_102_444_800 * SECOND
"""between the years 2000 and 2100 everything that is reckoned here fits"""
SERIES_SINCE: Final = 2 * HOUR
SEEN_EVERY: Final = 60
"""minutes between two looks at prices and rewards in the days before the present"""
SAMPLE, GENERATOR = "sample", "generator"


@dataclass(slots=True)
class Town:
    """A venue with its world and its crowd."""

    venue: Venue
    world: World
    crowd: Crowd
    plots: list[Plot]

    @property
    def people(self) -> People:
        """Everybody in the crowd."""
        return self.crowd.people


def town(
    seed: int = 0,
    *,
    now: Ns,
    markets: int = MARKETS,
    data: str | Path = SAMPLE,
    days: int = DAYS,
    settings: Settings | None = None,
    crowd: People | None = None,
) -> Town:
    """A venue at a moment, with some days of trading behind it.

    ``data`` is ``sample`` (the catalogues shipped with the package), ``generator``, or a directory
    with a catalogue or a tape. Equal arguments give equal towns.

    Raises:
        ConfigError: a number is out of range.
        UserError: ``data`` holds no markets.
    """
    _checked(seed, markets, days, now)
    placed = _placed(seed, now, markets, data, days)
    venue = Venue(settings or Settings(seed=seed), now=now - days * DAY)
    world = World(venue, seed, source=str(data))
    around = Crowd(world, crowd if crowd is not None else people(seed))
    around.warm()
    venue.hurry(SEEN_EVERY)
    world.play(placed.plots, disputed=placed.disputed, undisputed=placed.undisputed)
    venue.advance(now - SERIES_SINCE)
    around.warm(BUSIER)
    for series in SERIES:
        world.follow(series, venue.now)
    venue.advance(now)
    venue.hurry(1)
    venue.history.trend.sample(now)
    world.keep(sum(s.occasion.chain is None for s in world.open_subjects()))
    around.start()
    venue.drain()
    return Town(venue, world, around, placed.plots)


class Playground(Sandbox):
    """A sandbox with a town in it: all rooms, play keys, and time that is in step with the crowd.

    ::

        async with Playground(seed=1) as ground:
            ...  # ground.urls, ground.play, ground.town

    ``now`` is when its present begins, else this machine's present. ``faults`` is a plan's file or
    a preset's name, ``port`` a number or a place that listens already.

    Raises:
        ConfigError: ``faults`` is neither, or a number is out of range.
        UserError: ``data`` holds no markets, or the plan names what there is not.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        markets: int = MARKETS,
        data: str | Path = SAMPLE,
        days: int = DAYS,
        now: Ns | None = None,
        port: int | socket = 0,
        speed: float = 1.0,
        paused: bool = False,
        settings: Settings | None = None,
        faults: str | Path | None = None,
    ) -> None:
        plan, speed = load(faults) if faults is not None else Plan(), checked(speed)
        began = time.time_ns() if now is None else now
        self.town = town(seed, now=began, markets=markets, data=data, days=days, settings=settings)
        catalogue = self.town.world.catalogue
        super().__init__(
            self.town.venue,
            port=port,
            speed=speed,
            paused=paused,
            seed=seed,
            about=catalogue.about,
        )
        self.office = Office(self.town.world, self.town.people, self.desk.notices)
        self.play = play_keys(self.venue, self.desk.keys, seed)
        self.server.rooms |= {
            "gamma": gamma_room(self.town.world, self.town.people),
            "data": data_room(self.office),
            "debug": debug_room(self._bench(), *FaultRoutes(self.faults).routes()),
        }
        self.venue.drain()
        if now is None and not paused:
            # What it took to play the past has passed outside too.
            self.venue.advance(max(time.time_ns(), self.venue.now))
        install(self, plan)

    def _bench(self) -> Bench:
        town = self.town
        return Bench(
            town.venue, town.world, town.people, self.office, self.pace, self.step, self.play
        )


def _checked(seed: int, markets: int, days: int, now: Ns) -> None:
    for name, value, least, most in (
        ("seed", seed, 0, 2**63 - 1),
        ("markets", markets, 1, MOST_MARKETS),
        ("days", days, 1, 60),
    ):
        if not least <= value <= most:
            raise ConfigError(f"{name} {value} is out of range", expected=f"{least} to {most}")
    if not EARLIEST <= now <= LATEST:
        raise ConfigError(
            f"a start {now // SECOND} seconds after 1970 is out of range",
            expected="a moment from 2000-01-01 to 2100-01-01",
        )


def _placed(seed: int, now: Ns, markets: int, data: str | Path, days: int) -> timetable.Placed:
    """What takes place, and when."""
    if data == GENERATOR:
        return timetable.spread(_made(seed, markets), now, days, seed)
    if data == SAMPLE:
        found = _sample(seed, markets)
        more = markets - sum(len(plot.asks) for plot in found)
        return timetable.spread(found + _made(seed, more), now, days, seed)
    held = stored.shelf(Path(data))
    events = held.events()
    at = timetable.pivot(events)
    some = timetable.alive(events, at, days, markets, seed)
    found = stored.plots(held, some, seed)
    return timetable.Placed([plot.moved(plot.opened + now - at) for plot in found])


def _sample(seed: int, markets: int) -> list[Plot]:
    """Events of the catalogues shipped with the package: the recorded books' four first."""
    books, prices = (stored.shelf(_shipped(name)) for name in ("sample_books", "sample"))
    few = books.events()[: max(markets // 8, 0)]
    left = markets - sum(map(len, few))
    return stored.plots(books, few, seed) + stored.plots(
        prices, timetable.chosen(prices.events(), left, seed), seed
    )


def _shipped(name: str) -> Path:
    """A catalogue of the package. Its maker's module would load much that nobody needs here."""
    return Path(str(files("polyframe.lab") / name))


def _made(seed: int, markets: int) -> list[Plot]:
    found: list[Plot] = []
    number = 1_000_000
    while sum(len(plot.asks) for plot in found) < markets:
        found.append(made(seed, number))
        number += 1
    return found
