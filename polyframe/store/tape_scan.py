"""One instrument's rows through the kernel that judges them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyframe.kernels import book_nb, tapecheck_nb
from polyframe.store.tape_rows import TapeKind

Ints = NDArray[np.int64]

CHUNK = 1 << 20
PRICED = (TapeKind.LEVEL, TapeKind.QUOTE_BID, TapeKind.QUOTE_ASK)


@dataclass(slots=True)
class Scanned:
    """What a scan counted; ``tapecheck_nb`` says what the numbers are."""

    tally: Ints
    crossed: Ints
    """rows with which a book becomes crossed for the first time since it was whole"""
    broken: Ints
    """rows at which a snapshot is broken"""
    whole: bool
    """whether the book may be trusted at the end"""


def scan_rows(columns: dict[str, NDArray[Any]], rows: Ints | None, tick: int) -> Scanned:
    """Rebuilds the book of one instrument and counts what is wrong.

    ``rows`` are the instrument's, None for all. Levels of a coarser tick that follows a finer one
    leave the book untrusted, as ``book_nb.retick`` has it.
    """
    kind = _picked(columns["kind"], rows)
    price = _picked(columns["price"], rows)
    n = len(kind)
    priced = np.isin(kind, PRICED)
    levels = np.unique(price[priced & (price > 0)])
    state = np.zeros(book_nb.K_SIZE_OF, np.int64)
    state[[book_nb.K_TICK, book_nb.K_ONE]] = 1, len(levels) + 1
    bids, asks = np.zeros(len(levels) + 2, np.int64), np.zeros(len(levels) + 2, np.int64)
    book_nb.wipe(state, bids, asks)
    seen = np.zeros(tapecheck_nb.S_SIZE_OF, np.int64)
    tally = np.zeros(tapecheck_nb.T_SIZE_OF, np.int64)
    marks = np.zeros(n, np.int64)
    coarser = _coarser(kind, price, tick)
    for at in range(0, n, CHUNK):
        part = slice(at, min(at + CHUNK, n))
        take = {
            name: np.ascontiguousarray(
                columns[name][part] if rows is None else columns[name][rows[part]], np.int64
            )
            for name in ("ts", "ts_venue", "side", "size", "flag", "aux")
        }
        kinds = np.where(coarser[part], TapeKind.CLEAR, kind[part]).astype(np.int64)
        step = np.searchsorted(levels, price[part]).astype(np.int64) + 1
        step[price[part] <= 0] = 0
        # Trades and marks have prices of their own: no step of the book.
        step[~priced[part]] = 0
        tapecheck_nb.scan(
            take["ts"], take["ts_venue"], kinds, take["side"], step, take["size"], take["flag"],
            take["aux"], marks[part], state, bids, asks, seen, tally,
        )  # fmt: skip
    crossed, broken = (np.flatnonzero(marks == mark) for mark in (1, 2))
    if rows is not None:
        crossed, broken = rows[crossed], rows[broken]
    return Scanned(tally, crossed, broken, bool(state[book_nb.K_WHOLE]))


def _coarser(kind: NDArray[Any], price: NDArray[Any], tick: int) -> NDArray[np.bool_]:
    found = np.zeros(len(kind), np.bool_)
    for row in np.flatnonzero(kind == TapeKind.TICK):
        new = max(int(price[row]), 1)
        found[row] = tick % new != 0
        tick = new
    return found


def _picked(column: NDArray[Any], rows: Ints | None) -> NDArray[Any]:
    picked: NDArray[Any] = column if rows is None else column[rows]
    return picked
