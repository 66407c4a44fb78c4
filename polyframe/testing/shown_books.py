"""Books of the two best prices, for strategies that look at books in a session without a tape."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from polyframe.domain.book import Quote
from polyframe.domain.market import FeeSchedule, Market
from polyframe.exchanges.sim.settings import SimSettings
from polyframe.exchanges.sim.tape_venue import TapeVenue
from polyframe.kernels import book_nb as b
from polyframe.runtime.tape_books import Levels


class ShownBooks(Levels):
    """Shows of every market what its last quote said, as a recorded book would."""

    def __init__(self, markets: Sequence[Market]) -> None:
        known = [market if market.fee else _free(market) for market in markets]
        self.venue = TapeVenue(known, {}, SimSettings(), {}, {})
        self._first = {market.yes.id: m for m, market in enumerate(markets)}
        super().__init__(self.venue)

    def show(self, quote: Quote) -> None:
        """Takes over a quote of a market's first token; those of other tokens say nothing new."""
        m = self._first.get(quote.token)
        if m is None:
            return
        state, bids, asks = self.venue.desk[m], *self.venue.levels[2 * m : 2 * m + 2]
        b.wipe(state, bids, asks)
        for side, price, size in ((1, quote.bid, quote.bid_size), (-1, quote.ask, quote.ask_size)):
            step = b.step_of(state, price)
            if size > 0 and step > 0:
                b.rest(state, bids, asks, side, step, size)

    def take(self, other: ShownBooks) -> None:
        """Shows what another one shows."""
        self.venue.desk[:] = other.venue.desk
        self.venue.levels[:] = other.venue.levels


def _free(market: Market) -> Market:
    return replace(market, fee=FeeSchedule())
