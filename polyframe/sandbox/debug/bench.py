"""What the routes of ``/debug`` work on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from polyframe.sandbox.agents.people import People
from polyframe.sandbox.data.office import Office
from polyframe.sandbox.door import Asked, Turned
from polyframe.sandbox.pace import Pace
from polyframe.sandbox.play import PlayKey
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.venue import Venue
from polyframe.sandbox.world import World

Route = tuple[str, str, Callable[[Asked], Any], str]
"""method, path, call, and what it is for"""


@dataclass(frozen=True, slots=True)
class Bench:
    """A sandbox from behind. ``step`` moves its time by some ns."""

    venue: Venue
    world: World
    people: People
    office: Office
    pace: Pace
    step: Callable[[int], None]
    play: list[PlayKey]

    def market(self, condition_id: str) -> Market:
        """A market by its condition, its token or its slug.

        Raises:
            Turned: 404, there is none.
        """
        key = condition_id.lower()
        found = self.venue.markets.get(key)
        if found is None and key in self.venue.tokens:
            found = self.venue.tokens[key][0]
        if found is None:
            subject = self.world.catalogue.by_slug.get(condition_id)
            found = subject.market if subject is not None else None
        if found is None:
            raise Turned(404, "market not found: a condition id, a token id or a slug is expected")
        return found
