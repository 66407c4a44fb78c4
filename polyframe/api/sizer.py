"""The sizer port: how much, when a strategy does not say."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from polyframe.api.plugin import Plugin
from polyframe.api.view import View
from polyframe.domain.units import Price, Size
from polyframe.domain.wishes import Intent

SizingNote: TypeAlias = tuple[tuple[str, float | str], ...]
"""What a size was computed from, as (name, value) in the order of the computation."""


class Sized(msgspec.Struct, frozen=True):
    """A size and what it was computed from; ``limit`` names what kept it from being greater.

    The note and the limit are recorded with the review of the order; with a size of 0 the limit
    is the reason of the refusal.
    """

    size: Size
    note: SizingNote = ()
    limit: str = ""


class Sizer(Plugin):
    """Turns an unsized intent into a size. The risk door may still shrink it."""

    def size(self, intent: Intent, price: Price, view: View) -> Size | Sized:
        """Shares to trade at ``price`` (the limit) in the market's size units; 0 for none.

        A :class:`Sized` also says how it was found.

        Raises:
            DataError: the intent lacks what this sizer needs.
        """
        raise NotImplementedError
