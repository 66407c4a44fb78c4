"""How a market gets its answer: proposed, perhaps disputed, final."""

from __future__ import annotations

from collections.abc import Callable

from polyframe.errors import UserError
from polyframe.sandbox.venue.accounts import Group
from polyframe.sandbox.venue.cancelling import Cancelling
from polyframe.sandbox.venue.floor import Floor
from polyframe.sandbox.venue.holding import Holding
from polyframe.sandbox.venue.market import BOTH, Market
from polyframe.sandbox.venue.records import MarketMoved, MarketResolved, State

ANSWERS = "0 for the first outcome, 1 for the second, -1 for one half each"


class Resolving:
    """The oracle's side of the markets."""

    __slots__ = ("_cancelling", "_holding", "answered", "floor")

    def __init__(self, floor: Floor, cancelling: Cancelling, holding: Holding) -> None:
        self.floor = floor
        self._cancelling = cancelling
        self._holding = holding
        self.answered: list[Callable[[Market], None]] = []
        """who is called with each market that has its final answer, whoever gave it"""

    def enter(self, market: Market, state: State) -> None:
        """Lets a market enter a state and tells it; a market that leaves trading loses its book."""
        booked = market.booked
        old = market.go(state)
        if state is State.OPEN:
            market.accepting_since = self.floor.clock.now
        if booked and not market.booked:
            market.closed_at = self.floor.clock.now
            self._cancelling.wipe(market, "CANCELED_MARKET_RESOLVED")
        self.floor.outbox.append(MarketMoved(self.floor.clock.now, market.condition_id, old, state))

    def propose(self, market: Market, winner: int) -> None:
        """Proposes an answer, which stands unless somebody disputes it in time."""
        self._checked(market, winner)
        self.enter(market, State.PROPOSED)
        market.proposed = winner
        market.proposals += 1
        until = self.floor.clock.now + self.floor.settings.liveness
        self.floor.clock.at(until, self._undisputed, market, market.proposals)

    def _undisputed(self, market: Market, proposal: int) -> None:
        """Makes a proposed answer final if it is still the one that was proposed."""
        if market.state is not State.PROPOSED or market.proposals != proposal:
            return
        winner = market.proposed
        if winner is not None and self.wrong(market, winner) is None:
            self.resolve(market, winner)

    def dispute(self, market: Market) -> None:
        """Stops a proposed answer from becoming final by itself."""
        self.enter(market, State.DISPUTED)
        market.disputes += 1

    def resolve(self, market: Market, winner: int) -> None:
        """Makes an answer final; what rests is cancelled and what is held can be redeemed."""
        self._checked(market, winner)
        self.enter(market, State.RESOLVED)
        market.winner, market.resolved_at = winner, self.floor.clock.now
        group = self.floor.accounts.groups.get(market.listing.neg_risk_market_id)
        if group is not None:
            group.won = group.won or winner == 0
            self._holding.settle_vault(group, market)
        self.floor.history.resolved(self.floor.clock.now, market)
        self.floor.outbox.append(MarketResolved(self.floor.clock.now, market.condition_id, winner))
        for hear in self.answered:
            hear(market)

    def _checked(self, market: Market, winner: int) -> None:
        if winner not in {0, 1, BOTH}:
            raise UserError(f"there is no answer {winner}", expected=ANSWERS)
        wrong = self.wrong(market, winner)
        if wrong is not None:
            raise UserError(
                f"market {market.condition_id} cannot be answered "
                f"{market.listing.outcomes[winner] if winner != BOTH else '50-50'}: {wrong}",
                expected="exactly one market of a neg-risk event that is won by its first outcome",
            )

    def wrong(self, market: Market, winner: int) -> str | None:
        """Why an answer cannot be right beside those of the event's other markets."""
        group = self.floor.accounts.groups.get(market.listing.neg_risk_market_id)
        if group is None:
            return None
        if winner == BOTH:
            return "a market of a neg-risk event never pays one half each"
        if winner == 0 and group.won:
            return "another market of its event has won"
        if winner == 1 and _last(group, market):
            return "it is the only one of its event that can still win"
        return None


def _last(group: Group, market: Market) -> bool:
    """No other market of a complete event is left to win it."""
    if group.won or not all(m.listing.complete for m in group.markets):
        return False
    return group.unresolved() == [market]
