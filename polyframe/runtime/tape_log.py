"""What a compiled run over a tape writes down while it runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from polyframe.kernels import l2logs_nb as lg
from polyframe.kernels.bardesk_nb import CASE_SIZE_OF

Ints = NDArray[np.int64]
ROWS = 1 << 18
"""room for a start; what is not written to takes no memory"""


class Log:
    """The tables that a compiled run writes; they grow when it says so.

    Shapes: see ``l2logs_nb``.
    """

    def __init__(self) -> None:
        self.plan: Ints = np.zeros(lg.N_SIZE_OF, np.int64)
        self.reviews: Ints = np.empty((ROWS, lg.L_SIZE_OF), np.int64)
        self.told: Ints = np.empty((ROWS, lg.T_SIZE_OF), np.int64)
        self.pulled: Ints = np.empty((ROWS, lg.P_SIZE_OF), np.int64)
        self.cases: Ints = np.empty((ROWS // 8, CASE_SIZE_OF), np.int64)

    @property
    def tables(self) -> tuple[Ints, ...]:
        """As the loop takes them."""
        return self.plan, self.reviews, self.told, self.pulled, self.cases

    def grow(self, most: int) -> None:
        """Makes room for so many rows in each table that has less."""
        for name, count in (
            ("reviews", lg.N_REVIEWS), ("told", lg.N_TOLD), ("pulled", lg.N_PULLED),
            ("cases", lg.N_CASES),
        ):  # fmt: skip
            table, rows = getattr(self, name), int(self.plan[count])
            if len(table) - rows > most:
                continue
            longer = np.empty((4 * max(len(table), most), table.shape[1]), np.int64)
            longer[:rows] = table[:rows]
            setattr(self, name, longer)

    def rows(self, name: str, count: int) -> Ints:
        """The rows of a table that are written; ``count`` is the plan's column that counts them."""
        table: Ints = getattr(self, name)
        return table[: int(self.plan[count])]

    def forget(self, *names: str) -> None:
        """Lets go of tables that nobody needs any more."""
        for name in names:
            setattr(self, name, getattr(self, name)[:0].copy())
