"""What kernels know of a market, however its prices are recorded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import FeeSchedule, Market
from polyframe.domain.units import FEE_STEP
from polyframe.kernels import barmatch_nb as bm

FREE = FeeSchedule(0, 1)


def write_market(rule: NDArray[np.int64], market: Market) -> None:
    """Writes a market's grid, bounds and taker fee into its row.

    Shapes: rule (R_SIZE_OF,) or more columns.
    """
    fee = market.fee if market.fee is not None else FREE
    for column, value in (
        (bm.R_TICK, market.tick), (bm.R_LOT, market.lot), (bm.R_MIN_SIZE, market.min_size),
        (bm.R_MAX_PRICE, market.max_price), (bm.R_MAX_SIZE, market.max_size),
        (bm.R_ONE, market.price_one), (bm.R_DIVISOR, market.divisor), (bm.R_RATE, fee.rate),
        (bm.R_EXPONENT, fee.exponent), (bm.R_SLACK, FEE_STEP + 1 if fee.rate else 1),
        (bm.R_SIZE_ONE, 10**market.size_decimals),
    ):  # fmt: skip
        rule[column] = value
