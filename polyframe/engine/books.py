"""Best bids and asks of all markets, as rows of one int64 array in YES space."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.book import Book, Level, Quote
from polyframe.engine.universe import Universe
from polyframe.kernels import bars_nb as nb

RING = 256
"""Mids kept of each market for ``view.history``."""


class Books:
    """The engine's picture of the market. The data loop advances the same arrays in place."""

    def __init__(self, universe: Universe, ring: int = RING, strategies: int = 0) -> None:
        self.universe = universe
        self.wakes: NDArray[np.int64] = np.zeros((strategies, 0, nb.W_SIZE_OF), dtype=np.int64)
        self.estimated = False
        self.rows: NDArray[np.int64] = np.zeros((0, nb.B_SIZE_OF), dtype=np.int64)
        self.history: NDArray[np.int32] = np.zeros((0, ring), dtype=np.int32)
        self.grow()

    def grow(self) -> None:
        """Makes room for markets listed since."""
        have, want = len(self.rows), len(self.universe.markets)
        rows = np.zeros((want, nb.B_SIZE_OF), dtype=np.int64)
        history = np.zeros((want, self.history.shape[1]), dtype=np.int32)
        rows[:have], history[:have] = self.rows, self.history
        for m in range(have, want):
            market = self.universe.markets[m]
            rows[m, nb.B_TOKEN] = self.universe.offset[m]
            rows[m, nb.B_TOKENS] = len(market.tokens)
            rows[m, nb.B_ONE] = market.price_one
            rows[m, nb.B_DIVISOR] = market.divisor
        self.rows, self.history = rows, history
        wakes = np.zeros((len(self.wakes), want, nb.W_SIZE_OF), dtype=np.int64)
        wakes[:, :have] = self.wakes
        self.wakes = wakes
        self.view = rows.data  # scalar reads return plain ints and are quick

    def arm(self, strategy: int, m: int, move: int) -> None:
        """Wakes a strategy when a market's best prices moved so far; the smallest wish counts."""
        armed = int(self.wakes[strategy, m, nb.W_MOVE])
        self.wakes[strategy, m, nb.W_MOVE] = min(armed, move) if armed else move

    def moved(self, m: int) -> int:
        """The strategies to wake after a market's quote changed, as bits."""
        return int(nb.moved(self.rows, self.wakes, m))

    def put(self, token: int, quote: Quote) -> None:
        """Writes an observed quote of a token."""
        m, outcome = self.universe.token_market[token], self.universe.token_outcome[token]
        bid, ask, bid_size, ask_size = quote.bid, quote.ask, quote.bid_size, quote.ask_size
        if outcome == 1:
            one = self.universe.markets[m].price_one
            bid, ask = (one - ask if ask > 0 else 0), (one - bid if bid > 0 else 0)
            bid_size, ask_size = ask_size, bid_size
        crossed = bid > 0 and ask > 0 and bid >= ask
        trusted = 1 if quote.trusted and not crossed and bid + ask > 0 else 0
        nb.set_quote(self.rows, self.history, m, quote.ts, bid, ask, trusted)
        self.view[m, nb.B_BID_SIZE] = bid_size
        self.view[m, nb.B_ASK_SIZE] = ask_size

    def reset(self, token: int, book: Book) -> None:
        """Takes a full snapshot's best levels."""
        bid = book.bids[0] if book.bids else Level(0, 0)
        ask = book.asks[0] if book.asks else Level(0, 0)
        self.put(
            token,
            Quote(book.token, bid.price, bid.size, ask.price, ask.size, book.ts, book.trusted),
        )

    def distrust(self, m: int) -> None:
        """Says that a market's book is not to be relied on."""
        self.view[m, nb.B_TRUSTED] = 0

    def quote(self, token: int) -> Quote:
        """What is known of a token's best prices."""
        m, outcome = self.universe.token_market[token], self.universe.token_outcome[token]
        v = self.view
        bid, ask = v[m, nb.B_BID], v[m, nb.B_ASK]
        bid_size, ask_size = v[m, nb.B_BID_SIZE], v[m, nb.B_ASK_SIZE]
        market = self.universe.markets[m]
        if outcome == 1:
            one = market.price_one
            bid, ask = (one - ask if ask > 0 else 0), (one - bid if bid > 0 else 0)
            bid_size, ask_size = ask_size, bid_size
        return Quote(
            market.tokens[outcome].id,
            bid,
            bid_size,
            ask,
            ask_size,
            v[m, nb.B_TS],
            v[m, nb.B_TRUSTED] == 1,
            self.estimated,
        )

    def touch(self, m: int, outcome: int) -> tuple[int, int]:
        """Bid and ask of one side of a market, 0 where there is none."""
        bid: int = self.view[m, nb.B_BID]
        ask: int = self.view[m, nb.B_ASK]
        if outcome == 0:
            return bid, ask
        one: int = self.view[m, nb.B_ONE]
        return (one - ask if ask > 0 else 0), (one - bid if bid > 0 else 0)

    def mids(self, token: int, n: int) -> NDArray[np.float64]:
        """The last mids seen of a token as fractions of 1, oldest first."""
        m, outcome = self.universe.token_market[token], self.universe.token_outcome[token]
        seen, ring = int(self.view[m, nb.B_SEEN]), self.history.shape[1]
        take = min(n, seen, ring)
        where = np.arange(seen - take, seen) % ring
        twice = 2.0 * self.universe.markets[m].price_one
        mids: NDArray[np.float64] = self.history[m, where] / twice
        return 1.0 - mids if outcome == 1 else mids
