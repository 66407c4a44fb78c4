"""The sizer port: how much, when a strategy does not say."""

from __future__ import annotations

from polyframe.api.plugin import Plugin
from polyframe.api.view import View
from polyframe.domain.units import Price, Size
from polyframe.domain.wishes import Intent


class Sizer(Plugin):
    """Turns an unsized intent into a size. The risk door may still shrink it."""

    def size(self, intent: Intent, price: Price, view: View) -> Size:
        """Shares to trade at ``price`` (the limit) in the market's size units; 0 for none.

        Raises:
            DataError: the intent lacks what this sizer needs.
        """
        raise NotImplementedError
