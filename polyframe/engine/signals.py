"""What a strategy's features ask for becomes intents: buy when flat, sell what is held, wake."""

from __future__ import annotations

from polyframe.domain.events import BarSignalled
from polyframe.domain.orders import Kind, Side
from polyframe.domain.units import Price, floor_to
from polyframe.domain.wishes import Intent
from polyframe.engine.conduct import Conduct
from polyframe.engine.context import Bound
from polyframe.errors import PluginError

REASON = "signal"
"""Why an order was wished for that a reserved column asked for."""

MILLION = 1_000_000


class Signals:
    """Carries out the signals of one bar for one strategy.

    Nothing is wished for in a market while an order of the strategy stands there: the answer to it
    decides what the next signal means.
    """

    def __init__(self, conduct: Conduct) -> None:
        self.conduct = conduct
        self.context = conduct.context

    def carry_out(self, event: BarSignalled) -> None:
        """Enters or leaves the bar's market, then tells ``on_bar``."""
        bound = self.conduct.parts.named(event.ledger)
        if bound.disabled or not bound.hears(event.bar.token):
            return
        intent = self._intent(bound, event)
        if intent is not None:
            try:
                self.conduct.carry_out(bound, [intent])
            except PluginError as error:
                self.conduct.failed(bound, error)
        if event.wake:
            self.conduct.tell(bound, "on_bar", event.bar)

    def _intent(self, bound: Bound, event: BarSignalled) -> Intent | None:
        token = event.bar.token
        universe, state = self.context.universe, self.context.state
        index = universe.token(token)
        m = universe.token_market[index]
        if any(o.ledger == bound.ledger for o in state.by_market.get(m, {}).values()):
            return None
        if state.shares[bound.ledger, index] > 0:
            if not event.exit:
                return None
            # Leaving is not a matter of price: whatever is bid at the next moment is taken.
            bid, _ = self.context.books.touch(m, universe.token_outcome[index])
            price = universe.markets[m].tick if bid > 0 else None
            return Intent(token=token, side=Side.SELL, price=price, kind=Kind.EXIT, reason=REASON)
        if not event.enter:
            return None
        return Intent(
            token=token, side=Side.BUY, price=self._entry(bound, m, index),
            probability=event.probability, edge=event.edge, reason=REASON,
        )  # fmt: skip

    def _entry(self, bound: Bound, m: int, index: int) -> Price | None:
        """The most that an entry pays: the best price and the strategy's slippage, on the tick."""
        market = self.context.universe.markets[m]
        _, ask = self.context.books.touch(m, self.context.universe.token_outcome[index])
        if ask <= 0:
            return None
        slip = round(bound.strategy.slippage * MILLION) * market.price_one // MILLION
        return min(floor_to(ask + slip, market.tick), market.max_price - market.tick)
