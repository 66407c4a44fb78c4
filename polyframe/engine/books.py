"""Best bids and asks of all markets, as rows of one int64 array in YES space."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.book import Book, BookShape, Level, Quote
from polyframe.domain.units import Money, Ns
from polyframe.engine.universe import Universe
from polyframe.kernels import bars_nb as nb

RING = 256
"""Mids kept of each market for ``view.history``."""


class DeepBooks(Protocol):
    """A data loop's own books."""

    def best(self, m: int) -> tuple[int, int]:
        """What rests at the best bid and ask of a market (YES), 0 where nothing does."""

    def book(self, m: int, token: str, ts: Ns, trusted: bool) -> Book:
        """All levels of a market in YES space."""

    def seen(self, m: int, row: int, now: Ns, *tables: Any, depth: bool) -> NDArray[np.float64]:
        """What a quote kernel sees of a market."""


class Books:
    """The engine's picture of the market. The data loop advances the same arrays in place."""

    def __init__(self, universe: Universe, ring: int = RING, strategies: int = 0) -> None:
        self.universe = universe
        self.wakes: NDArray[np.int64] = np.zeros((strategies, 0, nb.W_SIZE_OF), dtype=np.int64)
        self.prints: NDArray[np.int64] = np.zeros((strategies, 0), dtype=np.int64)
        """the notional of a public trade from which on a strategy hears of it, 0: of none"""
        self.followed: dict[str, int] = {}
        """the strategies that follow a wallet, as bits"""
        self.armed: Callable[[], object] = lambda: None
        """called after somebody asked to hear of trades"""
        self.deep: DeepBooks | None = None
        """all levels of every book, where a data loop keeps them"""
        self.estimated = False
        self.ladders: dict[int, Book] = {}
        """the last full book of a market in YES space, while its best prices stand"""
        self.rows: NDArray[np.int64] = np.zeros((0, nb.B_SIZE_OF), dtype=np.int64)
        self.history: NDArray[np.int32] = np.zeros((0, ring), dtype=np.int32)
        self.grid: NDArray[np.int32] = np.zeros((0, nb.GRID), dtype=np.int32)
        self.grow()

    def grow(self) -> None:
        """Makes room for markets listed since."""
        have, want = len(self.rows), len(self.universe.markets)
        rows = np.zeros((want, nb.B_SIZE_OF), dtype=np.int64)
        history = np.zeros((want, self.history.shape[1]), dtype=np.int32)
        grid = np.zeros((want, nb.GRID), dtype=np.int32)
        rows[:have], history[:have], grid[:have] = self.rows, self.history, self.grid
        for m in range(have, want):
            market = self.universe.markets[m]
            rows[m, nb.B_TOKEN] = self.universe.offset[m]
            rows[m, nb.B_TOKENS] = len(market.tokens)
            rows[m, nb.B_ONE] = market.price_one
            rows[m, nb.B_DIVISOR] = market.divisor
        self.rows, self.history, self.grid = rows, history, grid
        wakes = np.zeros((len(self.wakes), want, nb.W_SIZE_OF), dtype=np.int64)
        wakes[:, :have] = self.wakes
        self.wakes = wakes
        prints = np.zeros((len(self.prints), want), dtype=np.int64)
        prints[:, :have] = self.prints
        self.prints = prints
        self.view = rows.data  # scalar reads return plain ints and are quick

    def arm(self, strategy: int, m: int, move: int) -> None:
        """Wakes a strategy when a market's best prices moved so far; the smallest wish counts."""
        armed = int(self.wakes[strategy, m, nb.W_MOVE])
        self.wakes[strategy, m, nb.W_MOVE] = min(armed, move) if armed else move

    def arm_trades(self, strategy: int, m: int, over: Money) -> None:
        """Tells a strategy of a market's trades from a notional on; the smallest wish counts."""
        armed = int(self.prints[strategy, m])
        self.prints[strategy, m] = min(armed, max(over, 1)) if armed else max(over, 1)
        self.armed()

    def follow(self, strategy: int, wallets: Iterable[str]) -> None:
        """Tells a strategy of every trade of these wallets."""
        for wallet in wallets:
            self.followed[wallet] = self.followed.get(wallet, 0) | 1 << strategy
        self.armed()

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
        self.ladders.pop(m, None)
        crossed = bid > 0 and ask > 0 and bid >= ask
        trusted = 1 if quote.trusted and not crossed and bid + ask > 0 else 0
        nb.set_quote(self.rows, self.history, self.grid, m, quote.ts, bid, ask, trusted)
        self.view[m, nb.B_BID_SIZE] = bid_size
        self.view[m, nb.B_ASK_SIZE] = ask_size

    def reset(self, token: int, book: Book) -> None:
        """Takes a full snapshot; a later quote leaves only the best levels known."""
        bid = book.bids[0] if book.bids else Level(0, 0)
        ask = book.asks[0] if book.asks else Level(0, 0)
        self.put(
            token,
            Quote(book.token, bid.price, bid.size, ask.price, ask.size, book.ts, book.trusted),
        )
        m, outcome = self.universe.token_market[token], self.universe.token_outcome[token]
        if outcome == 0:
            self.ladders[m] = book
        elif self.universe.markets[m].binary:
            self.ladders[m] = self._turned(m, book)

    def _turned(self, m: int, book: Book) -> Book:
        """A book as the other token of a binary market sees it."""
        market = self.universe.markets[m]
        one = market.price_one
        other = market.no.id if book.token == market.yes.id else market.yes.id
        return Book(
            other,
            tuple(Level(one - level.price, level.size) for level in book.asks),
            tuple(Level(one - level.price, level.size) for level in book.bids),
            book.ts,
            book.trusted,
        )

    def depth(self, token: int) -> Book:
        """The levels known of a token's book: all of them, those assumed, or the best."""
        m, outcome = self.universe.token_market[token], self.universe.token_outcome[token]
        quote, market = self.quote(token), self.universe.markets[m]
        if self.deep is not None and outcome < 2:
            whole = self.deep.book(m, market.yes.id, quote.ts, quote.trusted)
            return whole if outcome == 0 else self._turned(m, whole)
        seen = self.ladders.get(m)
        if seen is not None and outcome < 2:
            book = seen if outcome == 0 else self._turned(m, seen)
            best = tuple(side[0].price if side else 0 for side in (book.bids, book.asks))
            if best == (quote.bid, quote.ask):
                return Book(book.token, book.bids, book.asks, quote.ts, quote.trusted)
        shape = market.depth
        bids: tuple[Level, ...]
        asks: tuple[Level, ...]
        if shape is None or quote.bid_size or quote.ask_size:
            bids = (Level(quote.bid, quote.bid_size),) if quote.bid > 0 else ()
            asks = (Level(quote.ask, quote.ask_size),) if quote.ask > 0 else ()
        else:
            bids = _assumed(shape, quote.bid, -1, market.price_one)
            asks = _assumed(shape, quote.ask, 1, market.price_one)
        return Book(quote.token, bids, asks, quote.ts, quote.trusted)

    def distrust(self, m: int) -> None:
        """Says that a market's book is not to be relied on."""
        self.view[m, nb.B_TRUSTED] = 0

    def quote(self, token: int) -> Quote:
        """What is known of a token's best prices."""
        m, outcome = self.universe.token_market[token], self.universe.token_outcome[token]
        v = self.view
        bid, ask = v[m, nb.B_BID], v[m, nb.B_ASK]
        bid_size, ask_size = v[m, nb.B_BID_SIZE], v[m, nb.B_ASK_SIZE]
        if self.deep is not None and v[m, nb.B_TRUSTED] == 1:
            bid_size, ask_size = self.deep.best(m)
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


def _assumed(shape: BookShape, best: int, side: int, one: int) -> tuple[Level, ...]:
    """The levels that an exchange puts behind a best price, 0 for no price."""
    prices = (best + side * k * shape.step for k in range(shape.levels if best > 0 else 0))
    return tuple(Level(price, shape.level) for price in prices if 0 < price < one)
