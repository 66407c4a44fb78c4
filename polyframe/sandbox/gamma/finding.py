"""The routes that search, and those about people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from polyframe.sandbox.agents.people import People
from polyframe.sandbox.door import Asked, Room
from polyframe.sandbox.gamma import asking
from polyframe.sandbox.gamma.events import Events, Found
from polyframe.sandbox.gamma.market_rows import Row
from polyframe.sandbox.wire import iso
from polyframe.sandbox.world import World
from polyframe.sandbox.worlds.naming import pseudonym_of

PAGE: Final = 5
MOST: Final = 50
MOST_PROFILES: Final = 20
SORTS: Final[dict[str, Callable[[Found], Any]]] = {
    "volume": lambda f: f.sum("volume"),
    "volume_24hr": lambda f: f.sum("day"),
    "liquidity": lambda f: f.sum("liquidity"),
    "competitive": lambda f: max(told.competitive for _, _, told in f.markets),
    "closed_time": lambda f: max(market.resolved_at for _, market, _ in f.markets),
    "start_date": lambda f: f.since,
    "end_date": lambda f: f.occasion.plot.closes,
}


class Finding:
    """Search and profiles."""

    def __init__(self, world: World, people: People, events: Events) -> None:
        self._world = world
        self._people = people
        self._events = events

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        room.add("GET", "/public-search", self._search)
        room.add("GET", "/public-profile", self._profile)

    def _search(self, asked: Asked) -> Row:
        words = asked.one("q").lower().split()
        if not words:
            raise asking.invalid("q is required")
        count = asking.whole(asked, "limit_per_type", PAGE, 1, MOST)
        page = asking.whole(asked, "page", 1, 1, 1 << 31)
        found = [f for f in self._events.all() if self._fits(f, words) and _wanted(asked, f)]
        sort = asking.one_of(asked, "sort", tuple(SORTS)) or "volume"
        up = asking.flag(asked, "ascending") is True
        found.sort(key=lambda f: (SORTS[sort](f), -f.occasion.id), reverse=not up)
        first = (page - 1) * count
        answer: Row = {
            "events": [self._events.row(f.occasion) for f in found[first : first + count]],
            "pagination": {"hasMore": first + count < len(found), "totalResults": len(found)},
        }
        if asking.flag(asked, "search_tags") is True:
            answer["tags"] = self._tags(words)[:count]
        if asking.flag(asked, "search_profiles") is True:
            answer["profiles"] = self._profiles(words)[:count]
        return answer

    def _fits(self, found: Found, words: list[str]) -> bool:
        plot = found.occasion.plot
        texts = [plot.title, plot.slug, *(ask.question for ask in plot.asks)]
        text = " ".join(texts).lower()
        return all(word in text for word in words)

    def _tags(self, words: list[str]) -> list[Row]:
        occasions = self._world.catalogue.occasions.values()
        return [
            {
                "id": str(tag.id),
                "label": tag.label,
                "slug": tag.slug,
                "event_count": sum(tag in occasion.tags for occasion in occasions),
            }
            for tag in self._world.catalogue.tags.values()
            if all(word in tag.label.lower() for word in words)
        ]

    def _profiles(self, words: list[str]) -> list[Row]:
        return [
            {
                "id": str(number),
                "name": person.name,
                "pseudonym": person.pseudonym,
                "displayUsernamePublic": bool(person.name),
                "proxyWallet": person.address,
                "profileImage": "",
                "bio": "",
                "verifiedBadge": person.verified,
            }
            for number, person in enumerate(self._people.everybody, 1)
            if all(word in f"{person.name} {person.pseudonym}".lower() for word in words)
        ][:MOST_PROFILES]

    def _profile(self, asked: Asked) -> Row:
        """What is public about a wallet's owner.

        Raises:
            Turned: 404, nobody has ever used it.
        """
        address = asked.one("address").lower()
        if not (address.startswith("0x") and len(address) == 42):
            raise asking.invalid("invalid address")
        person = self._people.by_address.get(address)
        wallet = self._world.venue.accounts.wallets.get(address)
        if person is None and wallet is None:
            raise asking.missing("profile")
        return {
            "createdAt": iso(wallet.opened if wallet is not None else 0),
            "proxyWallet": address,
            "profileImage": "",
            "displayUsernamePublic": bool(person and person.name),
            "bio": "",
            "pseudonym": pseudonym_of(address),
            "name": person.name if person else "",
            "users": [{"id": str(int(address[2:10], 16)), "creator": False, "mod": False}],
            "verifiedBadge": bool(person and person.verified),
        }


def _wanted(asked: Asked, found: Found) -> bool:
    """Open events, unless a state is asked for; of some tags and not of others."""
    status = asked.one("events_status").lower()
    if status in {"resolved", "closed"}:
        open = False
    elif status in {"", "active"}:
        open = True
    else:
        raise asking.invalid("events_status is invalid")
    if found.occasion.closed is open and not _kept(asked):
        return False
    own = found.occasion.tags
    tags = set(asking.texts(asked, "events_tag"))
    without = asking.ids(asked, "exclude_tag_id")
    if tags and not tags & {word for tag in own for word in (tag.slug, tag.label)}:
        return False
    return not without & {tag.id for tag in own}


def _kept(asked: Asked) -> bool:
    return asking.whole(asked, "keep_closed_markets", 0, 0, 1) == 1
