"""Tells compiled code where the tables of a run over a tape lie."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyframe.errors import InvariantError
from polyframe.kernels.addresses_nb import ARRAYS, FIRST, GROUPS, WORDS, arrays_of

PLACES, TAPE, BOOKS, VENUE, SEEN, TABLES, DOOR, LOCKS, LOGS, QUOTING = range(len(GROUPS))
_TYPES = tuple(tuple(arrays_of(group)) for group in GROUPS)


class Addresses:
    """The list that the kernels read; it holds the arrays that are in it.

    Attributes:
        where: the address of the list.
    """

    def __init__(self) -> None:
        self._list: NDArray[np.int64] = np.zeros((ARRAYS, WORDS), np.int64)
        self._held: list[Any] = [None] * ARRAYS
        self._last: list[Any] = [None] * len(GROUPS)
        self.where = int(self._list.ctypes.data)

    def lay(self, group: int, arrays: tuple[Any, ...]) -> None:
        """Takes over a group's arrays, those that it has already at no cost.

        Raises:
            InvariantError: an array that the kernels would read as another kind.
        """
        if self._last[group] is arrays:
            return
        self._last[group] = arrays
        place, held = FIRST[group], self._held
        for kind, array in zip(_TYPES[group], _flat(arrays), strict=True):
            if held[place] is not array:
                self._put(place, kind, array)
            place += 1

    def _put(self, place: int, kind: Any, array: NDArray[Any]) -> None:
        same = array.dtype == np.dtype(str(kind.dtype)) and array.ndim == kind.ndim
        if not (same and array.flags.c_contiguous and (array.flags.writeable or not kind.mutable)):
            raise InvariantError(
                f"table {place} of a run is {array.dtype} with {array.ndim} axes, {array.flags}",
                expected=f"{kind}",
            )
        # What is laid is held, so that its address stays true.
        self._held[place] = array
        row = self._list[place]
        row[0] = array.ctypes.data
        row[1 : 1 + array.ndim] = array.shape


def _flat(arrays: tuple[Any, ...]) -> list[Any]:
    found: list[Any] = []
    for array in arrays:
        if isinstance(array, tuple):
            found += _flat(array)
        else:
            found.append(array)
    return found
