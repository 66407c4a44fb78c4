"""The routes about markets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from polyframe.sandbox.door import Asked, Reply, Room, encode
from polyframe.sandbox.gamma import asking
from polyframe.sandbox.gamma.event_rows import listed, shallow_row, tag_row
from polyframe.sandbox.gamma.figures import Figures, figures
from polyframe.sandbox.gamma.market_rows import MONEYLINE, ORACLE_STATES, Row, game_id, market_row
from polyframe.sandbox.gamma.pages import (
    DEPRECATED,
    MOST_OFFSET,
    MOST_OLD,
    Key,
    keyset,
    offset,
    ordered,
)
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import SHARE_ONE
from polyframe.sandbox.venue.venue import Venue
from polyframe.sandbox.world import World
from polyframe.sandbox.worlds.catalogue import Subject

Found = tuple[Subject, Market, Figures]
Passes = Callable[[Found], bool]

RESOLUTIONS: Final = ("inactive", "active", "resolved")

FIELDS: Final[dict[str, Key[Found]]] = {
    "id": lambda f: f[0].id,
    "slug": lambda f: f[0].ask.slug,
    "question": lambda f: f[0].ask.question,
    # Both are text at the venue; of these two only the first is compared as such.
    "volume": lambda f: f"{f[2].volume:.6f}",
    "liquidity": lambda f: f[2].liquidity,
    "volumeNum": lambda f: f[2].volume,
    "volumeClob": lambda f: f[2].volume,
    "liquidityNum": lambda f: f[2].liquidity,
    "liquidityClob": lambda f: f[2].liquidity,
    "volume24hr": lambda f: f[2].day,
    "volume1wk": lambda f: f[2].week,
    "volume1mo": lambda f: f[2].month,
    "volume1yr": lambda f: f[2].year,
    "competitive": lambda f: f[2].competitive,
    "spread": lambda f: f[2].spread,
    "bestBid": lambda f: f[2].bid,
    "bestAsk": lambda f: f[2].ask,
    "lastTradePrice": lambda f: f[2].last,
    "oneHourPriceChange": lambda f: f[2].moves.get("oneHourPriceChange"),
    "oneDayPriceChange": lambda f: f[2].moves.get("oneDayPriceChange"),
    "oneWeekPriceChange": lambda f: f[2].moves.get("oneWeekPriceChange"),
    "oneMonthPriceChange": lambda f: f[2].moves.get("oneMonthPriceChange"),
    "startDate": lambda f: f[1].listed_at,
    "createdAt": lambda f: f[1].listed_at,
    "updatedAt": lambda f: f[1].resolved_at or f[1].accepting_since,
    "endDate": lambda f: f[1].listing.ends,
    "closedTime": lambda f: f[1].resolved_at or None,
    "rewardsMinSize": lambda f: f[1].listing.rewards.min_size,
    "rewardsMaxSpread": lambda f: f[1].listing.rewards.max_spread,
}


class Markets:
    """Lists of markets, and single ones."""

    def __init__(self, world: World, comments: Callable[[int], int]) -> None:
        self._world = world
        self._venue: Venue = world.venue
        self._comments = comments

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        room.add("GET", "/markets/keyset", self._keyset)
        room.add("GET", "/markets", self._old)
        room.add("GET", "/markets/{id}", self._by_id)
        room.add("GET", "/markets/slug/{slug}", self._by_slug)
        room.add("GET", "/markets/{id}/tags", self._tags)

    def _keyset(self, asked: Asked) -> Row:
        found = self._matching(asked, closed=False)
        tags = asking.flag(asked, "include_tag") is True
        return keyset(
            asked,
            found,
            FIELDS,
            lambda f: f[0].id,
            name="markets",
            show=lambda f: self._row(f, tags=tags),
        )

    def _old(self, asked: Asked) -> Reply:
        """The list of before May 2026, which still answers."""
        first, count = offset(asked, most=MOST_OLD, furthest=MOST_OFFSET, kind="markets")
        found = self._matching(asked, closed=False)
        if asking.flag(asked, "active") is False or asking.flag(asked, "archived") is True:
            found = []
        placed, _ = ordered(asked, found, FIELDS, lambda f: f[0].id)
        tags = asking.flag(asked, "include_tag") is True
        rows = [self._row(f, tags=tags) for _, f in placed[first : first + count]]
        return Reply(encode(rows), headers=DEPRECATED)

    def _by_id(self, asked: Asked) -> Row:
        subject = self._world.catalogue.subjects.get(asking.id_in(asked))
        if subject is None or subject.market is None:
            raise asking.missing("id")
        return self._single(asked, subject, subject.market)

    def _by_slug(self, asked: Asked) -> Row:
        subject = self._world.catalogue.by_slug.get(asking.slug_in(asked))
        if subject is None or subject.market is None:
            raise asking.missing("slug")
        return self._single(asked, subject, subject.market)

    def _single(self, asked: Asked, subject: Subject, market: Market) -> Row:
        tags = asking.flag(asked, "include_tag") is True
        return self._row((subject, market, figures(self._venue, market)), tags=tags)

    def _tags(self, asked: Asked) -> list[Row]:
        subject = self._world.catalogue.subjects.get(asking.id_in(asked))
        if subject is None or subject.market is None:
            raise asking.missing("id")
        return [tag_row(tag) for tag in subject.occasion.tags]

    def _row(self, found: Found, *, tags: bool) -> Row:
        row = market_row(self._venue, *found)
        occasion = found[0].occasion
        event = shallow_row(
            occasion, listed(self._venue, occasion), self._venue.now, self._comments(occasion.id)
        )
        row["events"] = [event]
        if tags:
            row["tags"] = [tag_row(tag) for tag in occasion.tags]
        return row

    # ---- filters ---------------------------------------------------------------------------------

    def _matching(self, asked: Asked, *, closed: bool | None) -> list[Found]:
        wanted = asking.flag(asked, "closed", default=closed)
        filters = [*_by_name(asked), *_by_amount(asked), *_by_time(asked), *_by_state(asked)]
        found: list[Found] = []
        for subject in self._world.catalogue.subjects.values():
            market = subject.market
            if market is None or (wanted is not None and market.closed is not wanted):
                continue
            each = (subject, market, figures(self._venue, market))
            if all(passes(each) for passes in filters):
                found.append(each)
        return found


def _by_name(asked: Asked) -> Iterator[Passes]:
    """Ids, slugs and tags."""
    ids = asking.ids(asked, "id")
    if ids:
        yield lambda f: f[0].id in ids
    words: dict[str, Callable[[Found], set[str]]] = {
        "slug": lambda f: {f[0].ask.slug},
        "clob_token_ids": lambda f: set(f[0].tokens),
        "condition_ids": lambda f: {f[0].condition_id},
        "question_ids": lambda f: {f[0].question_id},
        "market_maker_address": _no_address,
        "position_ids": _none,
        "request_ids": _none,
        "onchain_event_ids": _none,
        "sports_market_types": lambda f: {MONEYLINE} if f[0].occasion.game_start else set(),
    }
    for name, values in words.items():
        wanted = {
            text.lower() if text.startswith("0x") else text for text in asking.texts(asked, name)
        }
        if wanted:
            yield lambda f, wanted=wanted, values=values: bool(wanted & values(f))  # type: ignore[misc]
    game = asked.one("game_id")
    if game:
        yield lambda f: bool(f[0].occasion.game_start) and game == str(game_id(f[0].occasion.id))
    tags = asking.ids(asked, "tag_id")
    every = asking.one_of(asked, "tag_match", ("any", "all")) == "all"
    if tags:
        yield lambda f: has_tags(f[0].occasion.tags, tags, every=every)
    asking.flag(asked, "related_tags")


def has_tags(own: Any, wanted: set[int], *, every: bool) -> bool:
    """Whether an event has any of some tags, or every one."""
    have = {tag.id for tag in own}
    return wanted <= have if every else bool(wanted & have)


def _by_amount(asked: Asked) -> Iterator[Passes]:
    """Volumes, liquidity, sizes; the limits themselves pass."""
    amounts: dict[str, Callable[[Found], float]] = {
        "liquidity_num": lambda f: f[2].liquidity,
        "volume_num": lambda f: f[2].volume,
    }
    for name, amount in amounts.items():
        yield from between(asked, name, amount)
    size = asking.number(asked, "rewards_min_size")
    if size is not None:
        yield lambda f: f[1].listing.rewards.min_size / SHARE_ONE >= size


def between(
    asked: Asked,
    name: str,
    amount: Callable[[Any], float],
    read: Callable[[Asked, str], float | None] = asking.number,
) -> Iterator[Callable[[Any], bool]]:
    """Filters by the two limits of an amount."""
    least, most = read(asked, f"{name}_min"), read(asked, f"{name}_max")
    if least is not None:
        yield lambda f: amount(f) >= least
    if most is not None:
        yield lambda f: amount(f) <= most


def _by_time(asked: Asked) -> Iterator[Passes]:
    times: dict[str, Callable[[Found], int]] = {
        "start_date": lambda f: f[1].listed_at,
        "end_date": lambda f: f[1].listing.ends,
    }
    for name, time in times.items():
        yield from within(asked, name, time)


def within(asked: Asked, name: str, time: Callable[[Any], int]) -> Iterator[Callable[[Any], bool]]:
    """Filters by the two limits of a time."""
    return between(asked, name, time, asking.moment)


def _by_state(asked: Asked) -> Iterator[Passes]:
    status = asked.one("uma_resolution_status")
    if status:
        yield lambda f: ORACLE_STATES.get(f[1].state, "") == status
    versions = set(asking.texts(asked, "version"))
    if versions - {"v1", "v2"}:
        raise asking.invalid("version is invalid")
    # Markets of Protocol V2, of users and by quotes do not exist here.
    if asking.one_of(asked, "resolution_status", RESOLUTIONS) or (
        versions and "v1" not in versions
    ):
        yield nothing
    if asking.flag(asked, "cyom") is True or asking.flag(asked, "rfq_enabled") is True:
        yield nothing
    asking.flag(asked, "decimalized")


def nothing(found: object) -> bool:  # noqa: ARG001 - a filter's form
    """Lets nothing pass."""
    return False


def _none(found: Found) -> set[str]:  # noqa: ARG001 - a filter's form
    return set()


def _no_address(found: Found) -> set[str]:  # noqa: ARG001 - a filter's form
    return {""}
