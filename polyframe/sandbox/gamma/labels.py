"""The routes about tags, series and sports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from polyframe.sandbox.door import Asked, Call, Room
from polyframe.sandbox.gamma import asking
from polyframe.sandbox.gamma.event_rows import (
    TAGS_SINCE,
    Row,
    listed,
    series_row,
    shallow_row,
    tag_row,
)
from polyframe.sandbox.gamma.market_rows import MONEYLINE
from polyframe.sandbox.gamma.pages import offset, ordered
from polyframe.sandbox.world import World
from polyframe.sandbox.worlds.catalogue import Chain, Tag

MOST_SERIES: Final = 50
MOST_EVENTS: Final = 200
"""of a series, the last"""
TEAMS: Final = ("Herons", "Otters", "Lynxes", "Ravens", "Badgers", "Falcons", "Marmots", "Pikes")
"""those that synthetic matches are between"""
LEAGUE: Final = "syn"
STATUSES: Final = ("active", "closed", "all")

TAG_FIELDS: Final = {
    "id": lambda tag: tag.id,
    "label": lambda tag: tag.label,
    "slug": lambda tag: tag.slug,
    "createdAt": lambda tag: tag.id,
    "updatedAt": lambda tag: tag.id,
}
SERIES_FIELDS: Final = {
    "id": lambda chain: chain.id,
    "slug": lambda chain: chain.slug,
    "title": lambda chain: chain.title,
    "createdAt": lambda chain: chain.id,
}
TEAM_FIELDS: Final = {
    "id": lambda team: team["id"],
    "name": lambda team: team["name"],
    "league": lambda team: team["league"],
    "abbreviation": lambda team: team["abbreviation"],
}


class Labels:
    """What events are sorted by."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._catalogue = world.catalogue

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        room.add("GET", "/tags", self._tags)
        room.add("GET", "/tags/{id}", lambda asked: tag_row(self._tag(asked)))
        room.add("GET", "/tags/slug/{slug}", lambda asked: tag_row(self._tag_of_slug(asked)))
        for path, find in (("/tags/{id}", self._tag), ("/tags/slug/{slug}", self._tag_of_slug)):
            room.add("GET", f"{path}/related-tags", self._linking(find))
            room.add("GET", f"{path}/related-tags/tags", self._relating(find))
        room.add("GET", "/series", self._all_series)
        room.add("GET", "/series/{id}", self._series)
        room.add("GET", "/sports", self._sports)
        room.add("GET", "/sports/market-types", self._types)
        room.add("GET", "/teams", self._teams)

    # ---- tags ------------------------------------------------------------------------------------

    def _tags(self, asked: Asked) -> list[Row]:
        first, count = offset(asked)
        tags = list(self._catalogue.tags.values())
        if asking.flag(asked, "is_carousel") is True:
            tags = []
        placed, _ = ordered(asked, tags, TAG_FIELDS, lambda tag: tag.id)
        return [tag_row(tag) for _, tag in placed[first : first + count]]

    def _tag(self, asked: Asked) -> Tag:
        id = asking.id_in(asked)
        for tag in self._catalogue.tags.values():
            if tag.id == id:
                return tag
        raise asking.missing("id")

    def _tag_of_slug(self, asked: Asked) -> Tag:
        tag = self._catalogue.tags.get(asking.slug_in(asked))
        if tag is None:
            raise asking.missing("slug")
        return tag

    def _related(self, tag: Tag) -> list[Tag]:
        """Tags that share an event with a tag, those that share most first."""
        shared: dict[str, int] = {}
        for occasion in self._catalogue.occasions.values():
            if tag in occasion.tags:
                for other in occasion.tags:
                    if other is not tag:
                        shared[other.slug] = shared.get(other.slug, 0) + 1
        names = sorted(shared, key=lambda slug: (-shared[slug], slug))
        return [self._catalogue.tags[slug] for slug in names]

    def _relating(self, find: Callable[[Asked], Tag]) -> Call:
        return lambda asked: [tag_row(tag) for tag in self._related(find(asked))]

    def _linking(self, find: Callable[[Asked], Tag]) -> Call:
        def call(asked: Asked) -> list[Row]:
            tag = find(asked)
            return [
                {
                    "id": str(tag.id * 1_000_000 + other.id),
                    "tagID": tag.id,
                    "relatedTagID": other.id,
                    "rank": rank,
                }
                for rank, other in enumerate(self._related(tag), 1)
            ]

        return call

    # ---- series ----------------------------------------------------------------------------------

    def _all_series(self, asked: Asked) -> list[Row]:
        first, count = offset(asked, most=MOST_SERIES)
        slugs = set(asking.texts(asked, "slug"))
        recurrence = asking.one_of(asked, "recurrence", ("daily", "weekly", "monthly"))
        chains = [
            chain
            for chain in self._catalogue.chains.values()
            if (not slugs or chain.slug in slugs)
            and (not recurrence or chain.recurrence == recurrence)
            and asking.flag(asked, "closed") is not True
        ]
        placed, _ = ordered(asked, chains, SERIES_FIELDS, lambda chain: chain.id)
        bare = asking.flag(asked, "exclude_events") is True
        shown = [chain for _, chain in placed[first : first + count]]
        return [self._series_row(chain, bare=bare) for chain in shown]

    def _series(self, asked: Asked) -> Row:
        id = asking.id_in(asked)
        for chain in self._catalogue.chains.values():
            if chain.id == id:
                return self._series_row(chain, bare=False)
        raise asking.missing("id")

    def _series_row(self, chain: Chain, *, bare: bool) -> Row:
        venue = self._world.venue
        row = series_row(venue, chain)
        if not bare:
            row["events"] = [
                shallow_row(occasion, listed(venue, occasion), venue.now, 0)
                for occasion in chain.events[-MOST_EVENTS:]
            ]
        return row

    # ---- sports ----------------------------------------------------------------------------------

    def _types(self, asked: Asked) -> Row:
        return {"marketTypes": [MONEYLINE]}

    def _sports(self, asked: Asked) -> list[Row]:
        tags = [str(tag.id) for slug, tag in self._catalogue.tags.items() if slug == "sports"]
        return [
            {
                "id": 1,
                "sport": LEAGUE,
                "image": "",
                "resolution": "",
                "ordering": "home",
                "tags": ",".join(tags),
                "series": "",
                "createdAt": TAGS_SINCE,
            }
        ]

    def _teams(self, asked: Asked) -> list[Any]:
        first, count = offset(asked)
        rows = [
            {
                "id": number,
                "name": name,
                "league": LEAGUE,
                "record": "0-0",
                "logo": "",
                "abbreviation": name[:3].lower(),
                "alias": name,
                "createdAt": TAGS_SINCE,
                "updatedAt": TAGS_SINCE,
                "providerId": number,
                "color": "#808080",
            }
            for number, name in enumerate(TEAMS, 1)
        ]
        for parameter in ("name", "league", "abbreviation"):
            wanted = {text.lower() for text in asking.texts(asked, parameter)}
            rows = [row for row in rows if not wanted or str(row[parameter]).lower() in wanted]
        providers = asking.ids(asked, "provider_id")
        rows = [row for row in rows if not providers or row["providerId"] in providers]
        placed, _ = ordered(asked, rows, TEAM_FIELDS, lambda team: int(str(team["id"])))
        return [row for _, row in placed[first : first + count]]
