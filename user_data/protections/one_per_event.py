"""OnePerEvent: at most so many markets of one event at a time.

A worked example of a protection that looks at what is held. Orders that reduce exposure pass
whatever it says: no protection can trap a position.
"""

from __future__ import annotations

from pydantic import Field

from polyframe import Kind, PluginConfig, Proposal, Protection, Side, Verdict, View


class OnePerEvent(Protection):
    """Denies an entry into a further market of an event that is traded already."""

    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE})

    class Config(PluginConfig):
        """``markets`` of one event that may be open at once."""

        markets: int = Field(1, ge=1)

    config: Config

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """Counts the event's other markets with shares or open orders of this ledger."""
        if proposal.side != Side.BUY:
            return self.allow(proposal)
        others = set(view.group(proposal.group).markets) - {proposal.market}
        held = {position.market for position in view.positions()}
        resting = {order.order.market for order in view.orders()}
        taken = sorted(others & (held | resting))
        if len(taken) >= self.config.markets:
            return self.deny(f"{', '.join(taken)} of the same event is open already")
        return self.allow(proposal)
