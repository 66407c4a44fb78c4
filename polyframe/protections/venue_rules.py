"""What the venue would refuse anyway."""

from __future__ import annotations

from polyframe import Protection


class VenueRules(Protection):
    """Tick, price range, lots and the minimum size; no trade against an own resting order.

    Always installed; binds on every order.
    """

    scope = "venue"
    kernel = "venue_rules"
