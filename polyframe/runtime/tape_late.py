"""A tape as the venue has it and as it is seen one feed latency later, in one row of rows.

Each recorded row is there twice: at its own time for the venue's book of its market, and when it is
seen for the book that strategies see. Whoever plays a tape plays this one as any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.units import Ns
from polyframe.kernels import latency_nb
from polyframe.runtime.feed import NEVER
from polyframe.store.tape import Segment, Tape, TapeFlag, TapeKind

Ints = NDArray[np.int64]
ORDER = ("ts", "price", "size", "aux", "instrument", "kind", "side", "flag")
PLACE = "place"
NAMED = (TapeKind.TRADE, TapeKind.WALLET)
MORE = int(TapeFlag.MORE)

Columns = dict[str, NDArray[Any]]


class Merged(NamedTuple):
    """The rows of a segment twice, in the order of their times.

    Attributes:
        columns: as the kernels take them; an instrument is its market's row of the desk.
        places: the place on the tape of the last row seen so far, -1 for none.
        names: what ``aux`` counts.
    """

    columns: tuple[NDArray[Any], ...]
    places: Ints
    names: list[str]


class LateRows:
    """Merges a tape's segments one after the other.

    Rows that are seen after the next segment has begun go with that one. Rows of instruments that
    are not played are left out.
    """

    def __init__(
        self, tape: Tape, tokens: Mapping[str, int], markets: int, probes: tuple[Ints, Ints]
    ) -> None:
        self._tape, self._tokens, self._markets = tape, tokens, markets
        self._probes = tuple(_frozen(column) for column in probes)
        self._carried: Columns | None = None
        self._seen = -NEVER
        self._place = -1
        self._names: dict[str, int] = {}

    def merge(self, number: int, until: Ns) -> Merged:
        """The rows of a segment; those seen at ``until`` or later wait for the next."""
        rows = self._rows(number)
        known = {**rows, "instrument": rows["instrument"] + self._markets}
        goes_on = self._goes_on(number, wallets=False)
        known = _kept(known, known["kind"] != TapeKind.WALLET, goes_on=goes_on)
        seen = rows
        ts = np.empty(len(rows["ts"]), np.int64)
        self._seen = int(latency_nb.late(*self._probes, _frozen(rows["ts"]), self._seen, ts))
        seen["ts"] = ts
        if self._carried is not None:
            seen = {name: np.concatenate([self._carried[name], seen[name]]) for name in seen}
        now = int(np.searchsorted(seen["ts"], until, side="left"))
        self._carried = {name: column[now:] for name, column in seen.items()}
        seen = {name: column[:now] for name, column in seen.items()}
        both = {name: np.concatenate([known[name], seen[name]]) for name in seen}
        # At one moment the venue's book comes first; what was recorded together stays together.
        order = np.argsort(both["ts"], kind="stable")
        both = {name: np.ascontiguousarray(column[order]) for name, column in both.items()}
        both[PLACE][order < len(known["ts"])] = -1
        places = np.maximum.accumulate(np.r_[self._place, both[PLACE]])[1:]
        self._place = int(places[-1]) if len(places) else self._place
        market_of = np.arange(2 * self._markets, dtype=np.int32)
        columns = (*(_frozen(both[name]) for name in ORDER), _frozen(market_of))
        return Merged(columns, places, list(self._names))

    def _rows(self, number: int) -> Columns:
        """A segment's rows of the markets that are played."""
        segment = self._tape.segments[number]
        of = np.array([self._tokens.get(name, -1) for name in segment.instruments], np.int32)
        columns: Columns = {name: np.asarray(segment[name]) for name in ORDER}
        columns["instrument"] = of[columns["instrument"]]
        first = sum(len(before) for before in self._tape.segments[:number])
        columns[PLACE] = np.arange(first, first + len(segment), dtype=np.int64)
        goes_on = self._goes_on(number, wallets=True)
        columns = _kept(columns, columns["instrument"] >= 0, goes_on=goes_on)
        columns["aux"] = self._named(segment, columns)
        return columns

    def _goes_on(self, number: int, *, wallets: bool) -> bool:
        """True when the next segments begin with rows that are played of an update under way."""
        for segment in self._tape.segments[number + 1 :]:
            closed = np.flatnonzero((np.asarray(segment["flag"]) & MORE) == 0)
            stop = int(closed[0]) + 1 if len(closed) else len(segment)
            for row in range(stop):
                there = segment.instruments[int(segment["instrument"][row])] in self._tokens
                if there and (wallets or segment["kind"][row] != TapeKind.WALLET):
                    return True
            if len(closed):
                return False
        return False

    def _named(self, segment: Segment, columns: Columns) -> Ints:
        """What ``aux`` counts in the names of all segments so far."""
        for name in segment.names:
            self._names.setdefault(name, len(self._names))
        own = np.array([0, *(self._names[name] + 1 for name in segment.names)], np.int64)
        aux = columns["aux"].astype(np.int64)
        named = np.isin(columns["kind"], NAMED) & (aux > 0)
        aux[named] = own[aux[named]]
        return aux


def _kept(columns: Columns, keep: NDArray[np.bool_], *, goes_on: bool) -> Columns:
    """Some of the rows; an update whose end is left out ends with the last of it that is kept.

    ``goes_on`` says that rows of the last update that are kept follow after these.
    """
    open_ = (columns["flag"] & MORE) != 0
    update = np.cumsum(np.r_[False, ~open_])[:-1]
    kept = {name: column[keep] for name, column in columns.items()}
    left = update[keep]
    if len(left):
        after = np.r_[left[1:], update[-1] if open_[-1] and goes_on else -1]
        quality = kept["flag"] & np.uint8(MORE - 1)
        kept["flag"] = np.where(after == left, quality | np.uint8(MORE), quality)
    return kept


def _frozen(column: NDArray[Any]) -> NDArray[Any]:
    view = np.ascontiguousarray(column).view()
    view.flags.writeable = False
    return view
