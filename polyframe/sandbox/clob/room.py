"""All of the CLOB's routes in one room."""

from __future__ import annotations

from polyframe.sandbox.clob.access import Access
from polyframe.sandbox.clob.books import Books
from polyframe.sandbox.clob.markets import Markets
from polyframe.sandbox.clob.orders import Orders
from polyframe.sandbox.clob.reads import Reads
from polyframe.sandbox.clob.rewards import Rewards
from polyframe.sandbox.desk import Desk
from polyframe.sandbox.door import Room


def clob_room(desk: Desk) -> Room:
    """The room behind ``/clob``."""
    room = Room()
    parts = (Books, Markets, Access, Orders, Reads, Rewards)
    for part in parts:
        part(desk).enter(room)
    return room
