"""The books that a tape is played into, as the engine and strategies ask for them."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.book import Book, Level
from polyframe.domain.units import Ns
from polyframe.kernels import book_nb as b
from polyframe.kernels.seen_nb import see
from polyframe.kernels.seencolumns_nb import SEEN_SIZE_OF


class Tables(Protocol):
    """The venue's tables."""

    at: NDArray[np.int64]
    desk: NDArray[np.int64]
    levels: NDArray[np.int64]
    rules: NDArray[np.int64]
    terms: NDArray[np.float64]

    @property
    def books(self) -> tuple[Any, ...]:
        """As the kernels take them."""

    @property
    def venue(self) -> tuple[Any, ...]:
        """As the kernels take it."""

    @property
    def feed_probes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """The feed's latency by time, None when rows are seen at once."""

    @property
    def answers(self) -> NDArray[np.int64]:
        """What the venue said."""

    def begin(self, start: Ns, end: Ns) -> None:
        """Opens the venue from one moment to another."""

    def widen(self, room: int) -> None:
        """Room for more answers."""


class Levels:
    """The levels of the books, for whoever asks between two wakes."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._of: tuple[Any, Any] = (None, None)
        self._desk, self._lines, self._most = memoryview(b""), memoryview(b""), 0

    def best(self, m: int) -> tuple[int, int]:
        """What rests at the best bid and ask of a market (YES), 0 where nothing does."""
        desk, levels = self._tables.desk, self._tables.levels
        if self._of[0] is not desk or self._of[1] is not levels:
            # One number of an array takes three times as long as of a view of plain ones.
            self._of = desk, levels
            self._desk, self._lines, self._most = desk.data, levels.data, levels.shape[1]
        bid, ask = self._desk[m, b.K_BID], self._desk[m, b.K_ASK]
        return (
            self._lines[2 * m, bid] if bid > 0 else 0,
            self._lines[2 * m + 1, ask] if ask < self._most else 0,
        )

    def book(self, m: int, token: str, ts: Ns, trusted: bool) -> Book:
        """All levels of a market in YES space."""
        own, levels = self._tables.desk[m], self._tables.levels
        tick, base = int(own[b.K_TICK]), int(own[b.K_BASE])
        bids, asks = (np.flatnonzero(levels[2 * m + s]) for s in (0, 1))
        return Book(
            token,
            tuple(Level(base + tick * int(k), int(levels[2 * m, k])) for k in bids[::-1]),
            tuple(Level(base + tick * int(k), int(levels[2 * m + 1, k])) for k in asks),
            ts,
            trusted,
        )

    def seen(self, m: int, row: int, now: Ns, *tables: Any, depth: bool) -> NDArray[np.float64]:
        """What a quote kernel sees of a market."""
        out = np.zeros(SEEN_SIZE_OF)
        rows, account, tokens, marks, traits = tables
        own = self._tables
        see(
            out, m, row, now, rows, own.desk, own.levels, own.rules, account, tokens, marks,
            traits, own.terms, 1 if depth else 0,
        )  # fmt: skip
        return out
