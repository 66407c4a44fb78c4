"""The mids of recorded books at any moment, and the books themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.api.exchange import Exchange
from polyframe.domain.market import Market
from polyframe.domain.orders import Seal
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import mids_nb
from polyframe.runtime import tape_addresses as addresses
from polyframe.runtime.tape_data import Played
from polyframe.runtime.tape_feed import COLUMNS, frozen
from polyframe.store.tape import Segment

Ints = NDArray[np.int64]
ROOM = 1 << 14
"""changes that are read at a time; no more rows than they take lie in memory"""


class Mids(NamedTuple):
    """Every change of the mids of some markets; ``twice`` is bid + ask, 0 where none is known.

    Shapes: ``ts`` and ``twice`` hold (changes,) a market. Units: ns; price units.
    """

    ts: Sequence[Ints]
    twice: Sequence[Ints]
    first: int
    last: int
    """the first and the last moment that was recorded"""

    def at(self, market: int, moments: Ints) -> Ints:
        """Bid + ask when all rows of these moments are known, 0 for none.

        Shapes: (n,) to (n,). Units: ns; price units.
        """
        return self._found(market, np.searchsorted(self.ts[market], moments, side="right"))

    def before(self, market: int, moments: Ints) -> Ints:
        """Bid + ask just before these moments, 0 for none.

        Shapes: (n,) to (n,). Units: ns; price units.
        """
        return self._found(market, np.searchsorted(self.ts[market], moments, side="left"))

    def _found(self, market: int, place: NDArray[np.intp]) -> Ints:
        values = self.twice[market]
        if not len(values):
            return np.zeros(len(place), np.int64)
        return np.where(place > 0, values[np.maximum(place - 1, 0)], 0)


def read_mids(played: Played, markets: Sequence[Market], exchange: Exchange) -> Mids:
    """All changes of the mids within the part of a tape that is played, and before it.

    ``markets`` are those of a session, with the exchange's rules.
    """
    books = Books(played, markets, exchange)
    found: list[list[Ints]] = [[] for _ in markets]
    for segment in played.tape.segments:
        for part in books.play(segment):
            # Apart at once, and without the column that says whose they are: a tape has millions.
            order = np.argsort(part[:, 1], kind="stable")
            bounds = np.searchsorted(part[order, 1], np.arange(len(markets) + 1))
            for m, (begin, end) in enumerate(pairwise(bounds.tolist())):
                if begin < end:
                    found[m].append(part[order[begin:end]][:, ::2].T.copy())
            segment.forget()  # rows that were played stay on the disk alone
    own = [_joined(parts) for parts in found]
    return Mids(
        [columns[0] for columns in own], [columns[1] for columns in own], played.start, played.end
    )


def _joined(parts: list[Ints]) -> Ints:
    """The parts as one; each is let go as soon as it is copied."""
    whole = np.empty((2, sum(part.shape[1] for part in parts)), np.int64)
    end = whole.shape[1]
    while parts:
        part = parts.pop()
        whole[:, end - part.shape[1] : end] = part
        end -= part.shape[1]
    return whole


class Books:
    """Recorded books without anybody's own orders, played segment by segment."""

    def __init__(self, played: Played, markets: Sequence[Market], exchange: Any) -> None:
        self.venue = exchange.tape_broker(
            Seal(), markets, {}, ticks=played.ticks(markets), centres=played.centres(markets)
        ).venue
        self._tokens = played.tokens(markets)
        self._end = played.end
        self._last: Ints = np.zeros(len(markets), np.int64)
        self._addresses = addresses.Addresses()

    def play(self, segment: Segment, rows: int | None = None) -> Iterator[Ints]:
        """Plays a segment's rows, or its first ones; the changes of the mids, part by part.

        A part is written over by the next one.
        """
        venue = self.venue
        columns = [frozen(segment[name]) for name in COLUMNS]
        end = int(np.searchsorted(columns[0], self._end, side="right"))
        end = end if rows is None else min(end, rows)
        place = np.array([self._tokens.get(name, -1) for name in segment.instruments], np.int32)
        tape = (*(column[:end] for column in columns), frozen(place))
        venue.at[c.C_ROW] = 0
        out = np.empty((ROOM, 3), np.int64)
        lay = self._addresses.lay
        lay(addresses.PLACES, (venue.at, self._last))
        lay(addresses.TAPE, tape)
        lay(addresses.BOOKS, venue.books)
        lay(addresses.VENUE, venue.venue)
        while venue.at[c.C_ROW] < end:
            n = mids_nb.mids(self._addresses.where, self._last, out)
            yield out[: int(n)]
