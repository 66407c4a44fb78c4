"""The routes about events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from polyframe.domain.units import DAY
from polyframe.sandbox.door import Asked, Reply, Room, encode
from polyframe.sandbox.gamma import asking
from polyframe.sandbox.gamma.event_rows import Listed, event_row, listed, tag_row
from polyframe.sandbox.gamma.figures import total
from polyframe.sandbox.gamma.market_rows import Row, game_id
from polyframe.sandbox.gamma.markets import between, has_tags, nothing, within
from polyframe.sandbox.gamma.pages import (
    DEPRECATED,
    MOST_OFFSET,
    MOST_OLD,
    Key,
    keyset,
    offset,
    ordered,
)
from polyframe.sandbox.venue.venue import Venue
from polyframe.sandbox.wire import iso
from polyframe.sandbox.world import World
from polyframe.sandbox.worlds.catalogue import Occasion


@dataclass(frozen=True)
class Found:
    """An event with figures that are counted when they are asked for."""

    venue: Venue
    occasion: Occasion

    @cached_property
    def markets(self) -> Listed:
        """Its markets."""
        return listed(self.venue, self.occasion)

    def sum(self, name: str) -> float:
        """A figure of all its markets."""
        return total(getattr(told, name) for _, _, told in self.markets)

    @cached_property
    def since(self) -> int:
        """When its first market was listed."""
        return min(market.listed_at for _, market, _ in self.markets)

    @property
    def live(self) -> bool:
        """Its match goes on."""
        start = self.occasion.game_start
        return bool(start) and start <= self.venue.now < self.occasion.plot.closes


FIELDS: Final[dict[str, Key[Found]]] = {
    "id": lambda f: f.occasion.id,
    "slug": lambda f: f.occasion.plot.slug,
    "ticker": lambda f: f.occasion.plot.slug,
    "title": lambda f: f.occasion.plot.title,
    "volume": lambda f: f.sum("volume"),
    "volume24hr": lambda f: f.sum("day"),
    "volume1wk": lambda f: f.sum("week"),
    "volume1mo": lambda f: f.sum("month"),
    "volume1yr": lambda f: f.sum("year"),
    "liquidity": lambda f: f.sum("liquidity"),
    "liquidityClob": lambda f: f.sum("liquidity"),
    "openInterest": lambda f: f.sum("interest"),
    "competitive": lambda f: max(told.competitive for _, _, told in f.markets),
    "startDate": lambda f: f.since,
    "creationDate": lambda f: f.since,
    "createdAt": lambda f: f.since,
    "updatedAt": lambda f: max(m.resolved_at or m.accepting_since for _, m, _ in f.markets),
    "endDate": lambda f: f.occasion.plot.closes,
    "startTime": lambda f: f.occasion.game_start or None,
    "eventDate": lambda f: f.occasion.game_start // DAY or None,
    "closedTime": lambda f: max(m.resolved_at for _, m, _ in f.markets) or None,
}
Passes = Callable[[Found], bool]


class Events:
    """Lists of events, and single ones."""

    def __init__(self, world: World, comments: Callable[[int], int]) -> None:
        self._world = world
        self._venue = world.venue
        self._comments = comments

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        room.add("GET", "/events/keyset", self._keyset)
        room.add("GET", "/events/pagination", self._numbered)
        room.add("GET", "/events", self._old)
        room.add("GET", "/events/{id}", self._by_id)
        room.add("GET", "/events/slug/{slug}", self._by_slug)
        room.add("GET", "/events/{id}/tags", self._tags)

    def row(self, occasion: Occasion) -> Row:
        """An event as it is shown."""
        return event_row(self._venue, occasion, self._comments(occasion.id))

    def all(self) -> list[Found]:
        """Every event with a market at the venue."""
        return [
            Found(self._venue, occasion)
            for occasion in self._world.catalogue.occasions.values()
            if any(subject.market is not None for subject in occasion.subjects)
        ]

    def _keyset(self, asked: Asked) -> Row:
        found = self._matching(asked)
        return keyset(
            asked,
            found,
            FIELDS,
            lambda f: f.occasion.id,
            name="events",
            show=lambda f: self.row(f.occasion),
        )

    def _old(self, asked: Asked) -> Reply:
        """The list of before May 2026, which still answers."""
        first, count = offset(asked, most=MOST_OLD, furthest=MOST_OFFSET, kind="events")
        rows = [self.row(f.occasion) for f in self._in_order(asked)[first : first + count]]
        return Reply(encode(rows), headers=DEPRECATED)

    def _numbered(self, asked: Asked) -> Row:
        first, count = offset(asked, most=MOST_OLD)
        found = self._in_order(asked)
        shown = found[first : first + count]
        return {
            "data": [self.row(f.occasion) for f in shown],
            "pagination": {"hasMore": first + count < len(found), "totalResults": len(found)},
        }

    def _in_order(self, asked: Asked) -> list[Found]:
        found = self._matching(asked)
        if asking.flag(asked, "active") is False or asking.flag(asked, "archived") is True:
            found = []
        placed, _ = ordered(asked, found, FIELDS, lambda f: f.occasion.id)
        return [each for _, each in placed]

    def _by_id(self, asked: Asked) -> Row:
        return self.row(self._of_id(asked))

    def _by_slug(self, asked: Asked) -> Row:
        occasion = self._world.catalogue.occasions_by_slug.get(asking.slug_in(asked))
        if occasion is None:
            raise asking.missing("slug")
        return self.row(occasion)

    def _tags(self, asked: Asked) -> list[Row]:
        return [tag_row(tag) for tag in self._of_id(asked).tags]

    def _of_id(self, asked: Asked) -> Occasion:
        occasion = self._world.catalogue.occasions.get(asking.id_in(asked))
        if occasion is None:
            raise asking.missing("id")
        return occasion

    # ---- filters ---------------------------------------------------------------------------------

    def _matching(self, asked: Asked) -> list[Found]:
        closed = asking.flag(asked, "closed", default=False)
        filters = [*_by_name(asked), *_by_state(asked), *_by_figure(asked)]
        return [
            found
            for found in self.all()
            if found.occasion.closed is closed and all(passes(found) for passes in filters)
        ]


def _by_name(asked: Asked) -> Iterator[Passes]:
    ids, tags = asking.ids(asked, "id"), asking.ids(asked, "tag_id")
    slugs, without = set(asking.texts(asked, "slug")), asking.ids(asked, "exclude_tag_id")
    every = asking.one_of(asked, "tag_match", ("any", "all")) == "all"
    if ids:
        yield lambda f: f.occasion.id in ids
    if slugs:
        yield lambda f: f.occasion.plot.slug in slugs
    if tags:
        yield lambda f: has_tags(f.occasion.tags, tags, every=every)
    if without:
        yield lambda f: not has_tags(f.occasion.tags, without, every=False)
    tag = asked.one("tag_slug")
    if tag:
        yield lambda f: tag in {own.slug for own in f.occasion.tags}
    words = asked.one("title_search").lower()
    if words:
        yield lambda f: words in f.occasion.plot.title.lower()
    series = asking.ids(asked, "series_id")
    if series:
        yield lambda f: f.occasion.chain is not None and f.occasion.chain.id in series
    recurrence = asking.one_of(asked, "recurrence", ("daily", "weekly", "monthly"))
    if recurrence:
        yield lambda f: f.occasion.chain is not None and f.occasion.chain.recurrence == recurrence
    games = asking.ids(asked, "game_id")
    if games:
        yield lambda f: bool(f.occasion.game_start) and game_id(f.occasion.id) in games


def _by_state(asked: Asked) -> Iterator[Passes]:
    live, ended = asking.flag(asked, "live"), asking.flag(asked, "ended")
    if live is not None:
        yield lambda f: f.live is live
    if ended is not None:
        yield (
            lambda f: (
                (bool(f.occasion.game_start) and f.venue.now >= f.occasion.plot.closes) is ended
            )
        )
    # No event is one of these here.
    for name in ("featured", "cyom"):
        if asking.flag(asked, name) is True:
            yield nothing
    if asked.one("parent_event_id") or asked.one("partner_slug") or asked.one("event_week"):
        yield nothing
    versions = set(asking.texts(asked, "version"))
    if versions - {"v1", "v2"}:
        raise asking.invalid("version is invalid")
    if versions and "v1" not in versions:
        yield nothing
    for name in ("include_children", "include_best_lines", "include_chat", "include_template"):
        asking.flag(asked, name)


def _by_figure(asked: Asked) -> Iterator[Callable[[Any], bool]]:
    yield from between(asked, "liquidity", lambda f: f.sum("liquidity"))
    yield from between(asked, "volume", lambda f: f.sum("volume"))
    yield from within(asked, "start_date", lambda f: f.since)
    yield from within(asked, "end_date", lambda f: f.occasion.plot.closes)
    yield from within(asked, "start_time", lambda f: f.occasion.game_start)
    day = asked.one("event_date")
    if day:
        yield lambda f: bool(f.occasion.game_start) and iso(f.occasion.game_start)[:10] == day
