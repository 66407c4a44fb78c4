"""Rows of many markets in one timeline, brought together market by market."""

from __future__ import annotations

from numba import int32, int64, types

from polyframe.kernels.compile_nb import kernel

_codes = types.Array(int32, 1, "C", readonly=True)
_row = types.Array(int64, 1, "C")


@kernel(types.void(_codes, _row, _row))
def place(codes, free, order):  # type: ignore[no-untyped-def]
    """Writes every row's number where the next place of its market is; the order stays.

    Shapes: codes and order (rows,); free (markets,), the first place of each, moved along.
    Units: none.
    """
    for row in range(codes.shape[0]):
        code = codes[row]
        order[free[code]] = row
        free[code] += 1


@kernel(types.void(_codes, _row))
def last(codes, found):  # type: ignore[no-untyped-def]
    """Writes the last row of each market; where there is none, nothing.

    Shapes: codes (rows,), found (markets,). Units: none.
    """
    for row in range(codes.shape[0]):
        found[codes[row]] = row
