"""All of Gamma's routes in one room."""

from __future__ import annotations

from typing import Final

from polyframe.sandbox.agents.people import People
from polyframe.sandbox.door import Asked, Call, Room, Turned
from polyframe.sandbox.gamma.events import Events
from polyframe.sandbox.gamma.finding import Finding
from polyframe.sandbox.gamma.labels import Labels
from polyframe.sandbox.gamma.markets import Markets
from polyframe.sandbox.gamma.talk import Talk
from polyframe.sandbox.world import World

# Source: requests of that name recorded as refused by the equinox project, October 2026.
UNWELCOME: Final = "python-urllib"


class _Gate(Room):
    """A room that turns away who does not say what it is."""

    def find(self, asked: Asked) -> Call:
        """The call for a request.

        Raises:
            Turned: 403, the library's own name is all that the caller says of itself.
        """
        if asked.header("user-agent").lower().startswith(UNWELCOME):
            raise Turned(403, "Forbidden")
        return super().find(asked)


def gamma_room(world: World, people: People) -> Room:
    """The room behind ``/gamma``."""
    room = _Gate()
    talk = Talk(world, people)
    events = Events(world, talk.count)
    for part in (Markets(world, talk.count), events, Labels(world), talk):
        part.enter(room)
    Finding(world, people, events).enter(room)
    return room
