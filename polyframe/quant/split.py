"""Rows of many markets in one timeline, told apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from polyframe.kernels import split_nb

Codes = NDArray[np.int32]
Rows = NDArray[np.int64]


def by_code(codes: Codes, count: int) -> tuple[Rows, list[slice]]:
    """The rows code by code, each code's in their order, and where those of each code stand.

    The same as a stable argsort in a tenth of the time.

    Shapes: codes (rows,), each from 0 to count - 1; to (rows,) and count slices. Units: none.
    """
    codes = _plain(codes)
    ends = np.cumsum(np.bincount(codes, minlength=count))
    begins = np.concatenate([np.zeros(1, np.int64), ends[:-1]]).astype(np.int64)
    spans = [slice(b, e) for b, e in zip(begins.tolist(), ends.tolist(), strict=True)]
    order = np.empty(len(codes), np.int64)
    split_nb.place(codes, begins, order)
    return order, spans


def last_rows(codes: Codes, count: int) -> Rows:
    """The last row of each code that has one, ascending.

    Shapes: codes (rows,), each from 0 to count - 1; to (codes with rows,). Units: none.
    """
    found = np.full(count, -1, np.int64)
    split_nb.last(_plain(codes), found)
    return np.sort(found[found >= 0])


def _plain(codes: Codes) -> Codes:
    view = np.ascontiguousarray(codes, np.int32).view()
    view.flags.writeable = False
    return view
