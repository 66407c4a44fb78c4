"""What markets were worth on a tape: the mid of its best prices, or its last price."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import Market
from polyframe.domain.units import MINUTE
from polyframe.lab.flow_figures import tops
from polyframe.sandbox.worlds.plots import Floats
from polyframe.store.tape import Tape
from polyframe.store.tape_rows import COLUMNS, TapeKind

MOST_ROWS: Final = 5_000_000
"""of a longer tape the first so many are looked at"""
EVERY: Final = MINUTE
SAID: Final = (TapeKind.PRICE, TapeKind.TRADE)


def mids(tape: Tape, markets: Sequence[Market]) -> dict[str, tuple[NDArray[np.int64], Floats]]:
    """Mids of some markets by the minute, by market; nothing for those that are not on the tape.

    Raises:
        DataError: the tape's rows leave no possible book.
    """
    wanted = {market.tokens[0].id: market for market in markets}
    parts: dict[str, list[dict[str, NDArray[np.int64]]]] = {}
    left = MOST_ROWS
    for segment in tape:
        rows = min(segment.rows, left)
        left -= rows
        index = segment["instrument"][:rows]
        for number, name in enumerate(segment.instruments):
            if name in wanted and rows:
                mine = np.flatnonzero(index == number)
                part = {column: np.asarray(segment[column][:rows][mine]) for column in COLUMNS}
                parts.setdefault(name, []).append(part)
    found: dict[str, tuple[NDArray[np.int64], Floats]] = {}
    for name, pieces in parts.items():
        joined = {column: np.concatenate([p[column] for p in pieces]) for column in COLUMNS}
        series = _mid(joined, wanted[name])
        if len(series[0]):
            found[wanted[name].id] = series
    return found


def _mid(columns: dict[str, NDArray[np.int64]], market: Market) -> tuple[NDArray[np.int64], Floats]:
    one = market.price_one
    ts, kind = columns["ts"], columns["kind"]
    said = np.isin(kind, SAID)
    price = np.where(said, columns["price"], 0).astype(np.float64)
    if (kind == TapeKind.LEVEL).any():
        seen = tops(columns, market.tick, one)
        both = (seen.bid > 0) & (seen.ask > 0)
        price = np.where(both, (seen.bid + seen.ask) / 2.0, 0.0)
    rows = np.flatnonzero((price > 0.0) & (price < one))
    if not len(rows):
        return np.zeros(0, np.int64), np.zeros(0)
    # The last of each minute, as known at its end.
    minute = ts[rows] // EVERY
    last = rows[np.append(np.diff(minute) != 0, True)]
    return ts[last].astype(np.int64), price[last] / one
