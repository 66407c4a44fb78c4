"""The rows of a tape: columns, kinds, flags and the rules that they keep."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.units import Ns

FORMAT = 1
"""The tape's format. Changes inside one format only add kinds, flags and fields with defaults."""

COLUMNS: dict[str, np.dtype[Any]] = {
    "ts": np.dtype("<i8"),
    "ts_venue": np.dtype("<i8"),
    "price": np.dtype("<i8"),
    "size": np.dtype("<i8"),
    "aux": np.dtype("<i8"),
    "instrument": np.dtype("<i4"),
    "kind": np.dtype("u1"),
    "side": np.dtype("i1"),
    "flag": np.dtype("u1"),
}
"""The columns and their types.

Units: ts when we knew and ts_venue when it happened (0: not said), ns; price and size in the
market's integers; instrument an index into the segment's instruments; side +1 buy or bid, -1 sell
or ask, 0 neither. What ``aux`` means is said by the kind.
"""


ROW = np.dtype(
    {
        "names": list(COLUMNS),
        "formats": list(COLUMNS.values()),
        "offsets": [0, 8, 16, 24, 32, 40, 44, 45, 46],
        "itemsize": 48,
    }
)
"""One row of a segment that is being written."""


class TapeKind(IntEnum):
    """What a row says. 0 is no kind, so that zeros left by a crash are never read as data."""

    PRICE = 1
    """a price without a book (a recorded mid or last price); flag has its quality bits"""
    QUOTE_BID = 2
    """the best bid; price and size 0 when there is none"""
    QUOTE_ASK = 3
    """the best ask; price and size 0 when there is none"""
    LEVEL = 4
    """what now stands at a price of one side; size 0 removes it"""
    SNAPSHOT_BEGIN = 5
    """LEVEL rows up to SNAPSHOT_END replace the book; aux: their number"""
    SNAPSHOT_END = 6
    """the book is whole; aux: the number of its LEVEL rows"""
    TRADE = 7
    """a public trade, side the aggressor's; aux: 1 + index of its wallet in names, 0 unknown"""
    TICK = 8
    """the price step became ``price``"""
    CLEAR = 9
    """the book is not to be trusted before the next snapshot; aux: 1 + index of the reason"""
    WALLET = 10
    """a followed wallet changed its position; aux: 1 + index of the wallet in names"""


class TapeFlag(IntFlag):
    """Bits of ``flag``. The lower seven are :class:`polyframe.domain.quality.Flag`."""

    MORE = 128
    """the next row belongs to the same update: nobody is woken in between"""


NPY_HEADER = 128


def npy_header(dtype: np.dtype[Any], rows: int) -> bytes:
    """The fixed-length start of a one-dimensional .npy file (format 1.0)."""
    text = f"{{'descr': '{dtype.str}', 'fortran_order': False, 'shape': ({rows},), }}"
    length = NPY_HEADER - 10
    body = text.encode().ljust(length - 1) + b"\n"
    return b"\x93NUMPY\x01\x00" + length.to_bytes(2, "little") + body


_UNKNOWN = np.ones(256, np.bool_)
_UNKNOWN[list(TapeKind)] = False
_NAMED = np.zeros(256, np.bool_)
_NAMED[[TapeKind.TRADE, TapeKind.WALLET, TapeKind.CLEAR]] = True


class Fault(NamedTuple):
    """The first row that breaks a rule."""

    row: int
    what: str

    def __str__(self) -> str:
        return f"has a bad row {self.row}: {self.what}"


def first_fault(
    columns: dict[str, NDArray[Any]], instruments: int, names: int, after: Ns | None = None
) -> Fault | None:
    """The first row that breaks a rule of the tape, None when there is none.

    Shapes: all columns (n,). ``after`` is the ts of the row before the first.
    """
    ts, aux, kind = columns["ts"], columns["aux"], columns["kind"]
    late = np.flatnonzero(ts[1:] < ts[:-1]) + 1
    if after is not None and len(ts) and ts[0] < after:
        late = np.zeros(1, np.int64)
    index = columns["instrument"]
    unnamed = _NAMED[kind] & ((aux < 0) | (aux > names))
    rules = (
        (late, "its ts is before that of the row above"),
        (np.flatnonzero(_UNKNOWN[kind]), "its kind is unknown"),
        (np.flatnonzero((index < 0) | (index >= instruments)), "its instrument is not listed"),
        (np.flatnonzero(np.abs(columns["side"]) > 1), "its side is none of -1, 0, +1"),
        (np.flatnonzero(columns["size"] < 0), "its size is negative"),
        (np.flatnonzero(unnamed), "its aux names nothing"),
    )
    faults = [Fault(int(rows[0]), what) for rows, what in rules if len(rows)]
    return min(faults, default=None)


def off_grid(kind: NDArray[Any], price: NDArray[Any], tick: int) -> NDArray[np.int64]:
    """Rows of levels whose price is no multiple of the tick then in force. Shapes: (n,)."""
    changes = np.flatnonzero(kind == TapeKind.TICK)
    ticks = np.r_[tick, price[changes]]
    level = np.flatnonzero(kind == TapeKind.LEVEL)
    force = np.maximum(ticks[np.searchsorted(changes, level, side="right")], 1)
    found: NDArray[np.int64] = level[(price[level] % force != 0) | (price[level] <= 0)]
    return found
