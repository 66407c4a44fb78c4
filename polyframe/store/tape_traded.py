"""Trades of Polymarket in columns: what they say, and which cannot be."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.store.tape_amounts import amounts
from polyframe.store.tape_recording import AMOUNT, FINE, OFF_GRID, SIDE, Ints, Recording, drop

ONE = 10_000


class Traded(NamedTuple):
    """Trades of either token. Shapes: all (n,). Units: side +1, -1, 0 for none; as on a tape."""

    side: Ints
    price: Ints
    size: Ints
    why: NDArray[np.object_]
    """why a trade cannot be, empty for a good one"""
    told: NDArray[np.object_]
    """what the recording says, for a person"""

    @classmethod
    def of(cls, side: NDArray[Any], price: NDArray[Any], size: NDArray[Any]) -> Traded:
        """The trades that the recorded columns mean."""
        words = np.char.upper(side.astype(str))
        sign = np.where(words == "BUY", 1, np.where(words == "SELL", -1, 0))
        units = amounts(price, size)
        why = np.full(len(sign), "", object)
        why[(units.price <= 0) | (units.price >= ONE)] = f"trade: {OFF_GRID}"
        why[sign == 0] = f"trade: {SIDE}"
        why[units.fine] = f"trade: {FINE}"
        why[units.wrong | (~units.fine & (units.size <= 0))] = f"trade: {AMOUNT}"
        told = np.full(len(sign), "", object)
        for n in np.flatnonzero(why != ""):
            told[n] = " ".join((str(side[n]), str(size[n]), "at", str(price[n])))  # shortest floats
        return cls(sign, units.price, units.size, why, told)

    def good(self, recording: Recording, file: Ints, row: Ints) -> NDArray[np.bool_]:
        """Which of them are trades; the others are set aside."""
        for why in (AMOUNT, FINE, SIDE, OFF_GRID):
            drop(recording, file, row, self.why == f"trade: {why}", f"trade: {why}", self.told)
        good: NDArray[np.bool_] = self.why == ""
        return good

    def columns(self, rows: NDArray[Any], no: NDArray[np.bool_]) -> dict[str, Ints]:
        """The tape's columns of these trades in YES space; ``no`` marks those of NO."""
        side, price = self.side[rows], self.price[rows]
        return {
            "side": np.where(no, -side, side), "price": np.where(no, ONE - price, price),
            "size": self.size[rows],
        }  # fmt: skip
