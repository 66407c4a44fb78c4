"""What a tape of one market shows: spread, depth, trades and moves of the mid, measured anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from polyframe.domain.units import SECOND
from polyframe.errors import DataError
from polyframe.kernels import book_nb as book
from polyframe.kernels.survey_nb import GOOD, survey
from polyframe.store.tape_rows import TapeKind

Ints = NDArray[np.int64]
DISTANCES = 10
DEEP = slice(2, 5)
"""The distances that say how deep a book is: behind the thin top, within what all recordings show.
"""
TAIL = 0.1
"""Books of markets whose mid is nearer than this to 0 or 1 lack a side and are left out."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one market's tape.

    ``spread`` is the time's mean in ticks while the mid was not near 0 or 1; ``spread_shares`` the
    shares of that time at 1, 2, 3, 4 ticks and more. ``depth`` is the mean size that stood at 0, 1,
    2 ... ticks from the best price, of both sides; ``deep`` its mean from 2 to 4. ``trades`` and
    ``moments`` of trades a second, ``take_size`` the median size of a trade and ``take_spread``
    the standard deviation of its logarithm. ``mid_move`` is the standard deviation of a second's
    change of the mid in ticks.
    """

    rows: int
    seconds: float
    spread: float
    spread_shares: tuple[float, ...]
    depth: tuple[float, ...]
    deep: float
    trades: float
    moments: float
    take_size: float
    take_spread: float
    mid_move: float


class Tops(NamedTuple):
    """The best prices after each row, and how long they stood.

    Shapes: (n,) each. Units: price units, 0 for none; ns, 0 while the book was not whole.
    """

    bid: Ints
    ask: Ints
    held: Ints


def tops(columns: Mapping[str, NDArray[Any]], tick: int, one: int = 0) -> Tops:
    """The best prices after each row of one instrument.

    Raises:
        DataError: a price is off the grid, or a moment ends with a crossed book.
    """
    return _survey(columns, tick, one)[0]


def measure(
    columns: Mapping[str, NDArray[Any]], tick: int, *, one: int = 0, size_one: int = 1_000_000
) -> Figures:
    """Figures of the rows of one instrument. ``one`` is the price of 1, 0 where prices have no end.

    Raises:
        DataError: a price is off the grid, or a moment ends with a crossed book.
    """
    seen, depth, whole = _survey(columns, tick, one)
    ts = columns["ts"]
    seconds = float(ts[-1] - ts[0]) / SECOND if len(ts) else 0.0
    held = np.where(whole, seen.held, 0)
    time = float(held.sum()) or 1.0
    ticks = (seen.ask - seen.bid) // tick
    shares = [float(held[ticks == n].sum()) / time for n in (1, 2, 3)]
    traded = columns["kind"] == TapeKind.TRADE
    sizes = columns["size"][traded] / size_one
    stood = depth.sum(axis=0) / (2.0 * time * size_one)
    return Figures(
        rows=len(ts),
        seconds=seconds,
        spread=float((ticks * held).sum()) / time,
        spread_shares=(*shares, float(held[ticks >= 4].sum()) / time),
        depth=tuple(float(x) for x in stood),
        deep=float(stood[DEEP].mean()),
        trades=int(traded.sum()) / (seconds or 1.0),
        moments=len(np.unique(ts[traded])) / (seconds or 1.0),
        take_size=float(np.median(sizes)) if len(sizes) else 0.0,
        take_spread=float(np.log(sizes).std()) if len(sizes) else 0.0,
        mid_move=_mid_move(ts, seen, whole, tick),
    )


def _survey(
    columns: Mapping[str, NDArray[Any]], tick: int, one: int
) -> tuple[Tops, NDArray[np.float64], NDArray[np.bool_]]:
    told = {
        name: np.ascontiguousarray(columns[name], np.int64)
        for name in ("ts", "kind", "side", "price", "size")
    }
    levels = told["price"][told["kind"] == TapeKind.LEVEL]
    # A price without an end is looked at in the window that it moved in.
    shift = 0 if one or not len(levels) else (int(levels.min()) // tick - 1) * tick
    steps = one // tick if one else (int(levels.max()) - shift) // tick + 1 if len(levels) else 1
    told["price"] = told["price"] - shift
    state = np.zeros(book.K_SIZE_OF, np.int64)
    state[[book.K_TICK, book.K_ONE]] = tick, one if one else (steps + 1) * tick
    bids, asks = np.zeros(steps + 1, np.int64), np.zeros(steps + 1, np.int64)
    book.wipe(state, bids, asks)
    n = len(told["ts"])
    bid, ask, held = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    depth = np.zeros((2, DISTANCES))
    low, high = (round(2 * TAIL * steps), round(2 * (1 - TAIL) * steps)) if one else (0, 4 * steps)
    for column in told.values():
        column.flags.writeable = False
    bad = survey(state, bids, asks, *told.values(), low, high, bid, ask, held, depth)
    if bad != GOOD:
        price = int(columns["price"][bad])
        raise DataError(
            f"row {bad} leaves no possible book: price {price}, tick {tick}, bid {bid[bad]} and "
            f"ask {ask[bad]} in ticks",
            expected="prices on the grid, and a best bid below the best ask",
        )
    both = (bid > 0) & (ask <= steps)
    whole = both & (low <= bid + ask) & (bid + ask <= high)
    seen = Tops(
        np.where(bid > 0, bid * tick + shift, 0),
        np.where(ask <= steps, ask * tick + shift, 0),
        held,
    )
    return seen, depth, whole


def _mid_move(ts: Ints, seen: Tops, whole: NDArray[np.bool_], tick: int) -> float:
    """How far the mid moves in a second, looked at every second."""
    if len(ts) < 2:
        return 0.0
    grid = np.arange(int(ts[0]), int(ts[-1]), SECOND)
    at = np.searchsorted(ts, grid, side="right") - 1
    mid, good = (seen.bid + seen.ask)[at] / (2.0 * tick), whole[at]
    moves = np.diff(mid)[good[1:] & good[:-1]]
    return float(moves.std()) if len(moves) else 0.0
