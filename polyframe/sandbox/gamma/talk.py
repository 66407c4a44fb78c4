"""Comments on events: what some of the crowd that holds something says of it.

They are made of what is so when they are asked for: who holds most of an event's markets, and since
when. There is no way to write one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from polyframe.sandbox.agents.people import NOISE, People
from polyframe.sandbox.door import Asked, Room
from polyframe.sandbox.gamma import asking
from polyframe.sandbox.gamma.market_rows import Row
from polyframe.sandbox.gamma.pages import keyset, offset, ordered
from polyframe.sandbox.venue.positions import Position
from polyframe.sandbox.venue.records import SHARE_ONE
from polyframe.sandbox.wire import iso
from polyframe.sandbox.world import World
from polyframe.sandbox.worlds.catalogue import Occasion, Subject
from polyframe.sandbox.worlds.naming import digest

SAID: Final = (
    "{outcome} looks cheap at this price.",
    "Holding {size} {outcome} until the end.",
    "Who is selling {outcome} here?",
    "Added to {outcome}. Wish me luck.",
)
MOST: Final = 4
"""comments on one event"""
MOST_OFFSET: Final = 200
FIELDS: Final[dict[str, Callable[[Row], Any]]] = {
    "id": lambda row: int(row["id"]),
    "createdAt": lambda row: row["createdAt"],
    "updatedAt": lambda row: row["updatedAt"],
    "reactionCount": lambda row: row["reactionCount"],
}


class Talk:
    """The routes about comments."""

    def __init__(self, world: World, people: People) -> None:
        self._world = world
        self._people = people

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        room.add("GET", "/comments", self._old)
        room.add("GET", "/comments/keyset", self._keyset)
        room.add("GET", "/comments/{id}", self._thread)
        room.add("GET", "/comments/user_address/{address}", self._of_user)

    def count(self, event: int) -> int:
        """How many comments an event has."""
        return len(self.on(event))

    def on(self, event: int) -> list[Row]:
        """The comments on an event, oldest first."""
        occasion = self._world.catalogue.occasions.get(event)
        if occasion is None or occasion.chain is not None:
            return []
        rows = [
            self._row(occasion, subject, position, number)
            for number, (subject, position) in enumerate(self._speakers(occasion))
        ]
        return sorted(rows, key=lambda row: (row["createdAt"], int(row["id"])))

    def _speakers(self, occasion: Occasion) -> list[tuple[Subject, Position]]:
        found: list[tuple[Subject, Position]] = []
        for subject in occasion.subjects:
            for token in subject.tokens:
                for position in self._world.venue.history.holders(token, limit=3):
                    person = self._people.by_address.get(position.wallet)
                    if person is not None and person.kind == NOISE:
                        found.append((subject, position))
        return found[:MOST]

    def _row(self, occasion: Occasion, subject: Subject, position: Position, number: int) -> Row:
        words = digest(self._world.seed, "comment", occasion.id, position.wallet)
        outcome = subject.ask.outcomes[position.outcome]
        said = SAID[words[0] % len(SAID)]
        return {
            "id": str(occasion.id * 10 + number),
            "body": said.format(outcome=outcome, size=position.size // SHARE_ONE),
            "parentEntityType": "Event",
            "parentEntityID": occasion.id,
            "userAddress": position.wallet,
            "createdAt": iso(position.opened),
            "updatedAt": iso(position.opened),
            "profile": profile_part(self._people, position.wallet),
            "reactions": [],
            "reportCount": 0,
            "reactionCount": 0,
        }

    def _asked_for(self, asked: Asked) -> list[Row]:
        """The comments on what a request names.

        Raises:
            Turned: 422, it names nothing.
        """
        kind = asking.one_of(asked, "parent_entity_type", ("Event", "Series", "market"))
        text = asked.one("parent_entity_id")
        if not kind or not text.isascii() or not text.isdigit() or len(text) > 18:
            raise asking.invalid("parent_entity_type and parent_entity_id are required")
        rows = self.on(int(text)) if kind == "Event" else []
        if asking.flag(asked, "get_positions") is True:
            for row in rows:
                row["profile"]["positions"] = self._positions(row)
        return rows

    def _positions(self, row: Row) -> list[Row]:
        event = self._world.catalogue.occasions[row["parentEntityID"]]
        tokens = {token for subject in event.subjects for token in subject.tokens}
        held = self._world.venue.history.positions(wallet=row["userAddress"])
        return [
            {"tokenId": position.token_id, "positionSize": str(position.size)}
            for position in held
            if position.token_id in tokens and position.size
        ]

    def _old(self, asked: Asked) -> list[Row]:
        first, count = offset(asked, furthest=MOST_OFFSET, kind="comments")
        rows = self._asked_for(asked)
        if not asked.one("order"):  # the newest first, whatever direction is asked for
            return rows[::-1][first : first + count]
        placed, _ = ordered(asked, rows, FIELDS, lambda row: int(row["id"]))
        return [row for _, row in placed[first : first + count]]

    def _keyset(self, asked: Asked) -> Row:
        rows = self._asked_for(asked)
        return keyset(
            asked, rows, FIELDS, lambda row: int(row["id"]), name="comments", show=lambda row: row
        )

    def _thread(self, asked: Asked) -> list[Row]:
        id = asking.id_in(asked)
        rows = [row for row in self.on(id // 10) if row["id"] == str(id)]
        if not rows:
            raise asking.missing("id")
        return rows

    def _of_user(self, asked: Asked) -> list[Row]:
        address = asked.values["address"].lower()
        first, count = offset(asked, furthest=MOST_OFFSET, kind="comments")
        found = [
            row
            for event in self._world.catalogue.occasions
            for row in self.on(event)
            if row["userAddress"] == address
        ]
        placed, _ = ordered(asked, found, FIELDS, lambda row: int(row["id"]))
        return [row for _, row in placed[first : first + count]]


def profile_part(people: People, address: str) -> Row:
    """What is shown of a wallet's owner beside what the owner says."""
    person = people.by_address.get(address.lower())
    return {
        "name": person.name if person else "",
        "pseudonym": person.pseudonym if person else "",
        "displayUsernamePublic": bool(person and person.name),
        "bio": "",
        "isMod": False,
        "isCreator": False,
        "proxyWallet": address,
        "baseAddress": address,
        "profileImage": "",
    }
