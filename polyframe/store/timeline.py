"""Prices of several markets in one timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PriceColumns:
    """Prices of several markets, sorted by ts, then market.

    Shapes: all (n,).
    Units: ts ns; market index into the list asked for; price 1e-4 of YES; flag bits of Flag.
    """

    ts: NDArray[np.int64]
    market: NDArray[np.int32]
    price: NDArray[np.int64]
    flag: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.ts)
