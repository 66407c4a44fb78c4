"""Tapes of a few rows, made by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from polyframe.domain.market import FeeSchedule, Market, Token
from polyframe.runtime.tape_data import Played
from polyframe.store.tape import COLUMNS, Tape, TapeFlag
from polyframe.store.tape_held import HeldSegment

MARKETS = [
    Market(f"m{n}", "?", (Token(f"y{n}", "Yes"), Token(f"n{n}", "No")), tick=100,
           fee=FeeSchedule(0))
    for n in range(2)
]  # fmt: skip


def tape_of(rows: list[tuple[int, ...]], cuts: int = 1) -> Played:
    """A tape of rows (ts, instrument, kind, side, price, size, more) in so many segments."""
    parts = np.array_split(np.array(rows, np.int64), cuts)
    segments: list[Any] = []
    for number, part in enumerate(parts):
        columns = {name: np.zeros(len(part), dtype) for name, dtype in COLUMNS.items()}
        for k, name in enumerate(("ts", "instrument", "kind", "side", "price", "size")):
            columns[name][:] = part[:, k]
        columns["flag"][:] = part[:, 6] * int(TapeFlag.MORE)
        like: Any = SimpleNamespace(number=number, instruments=("y0", "y1", "other"), names=())
        segments.append(HeldSegment(like, columns))
    tape = Tape(segments[0].path, tuple(segments))
    return Played("t", tape, int(rows[0][0]), int(rows[-1][0]))


def rows_of(played: Played) -> list[tuple[int, ...]]:
    """The rows of a tape as :func:`tape_of` takes them."""
    found: list[tuple[int, ...]] = []
    for segment in played.tape:
        columns = [segment[name].tolist() for name in
                   ("ts", "instrument", "kind", "side", "price", "size", "flag")]  # fmt: skip
        found += [(*row[:6], row[6] // int(TapeFlag.MORE)) for row in zip(*columns, strict=True)]
    return found
