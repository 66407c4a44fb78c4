"""All of the Data API's routes in one room."""

from __future__ import annotations

from polyframe.sandbox.data.approvals import Approvals
from polyframe.sandbox.data.first import First
from polyframe.sandbox.data.office import Office
from polyframe.sandbox.data.persons import Persons
from polyframe.sandbox.data.positions import Positions
from polyframe.sandbox.data.things import Things
from polyframe.sandbox.data.trades import Trades
from polyframe.sandbox.door import Room


def data_room(office: Office) -> Room:
    """The room behind ``/data``."""
    room = Room()
    for part in (Trades, Positions, Persons, Things, Approvals, First):
        part(office).enter(room)
    return room
