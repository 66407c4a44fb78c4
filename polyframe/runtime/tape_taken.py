"""What a compiled run over a tape did, taken from what it wrote down."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.engine.engine import Engine
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import l2logs_nb as lg
from polyframe.kernels.barmatch_nb import R_DIVISOR, R_ONE
from polyframe.runtime.logged import Filled, Reviewed
from polyframe.runtime.own_orders import BECAME, OwnOrders, of_log
from polyframe.runtime.tape_log import Log
from polyframe.runtime.tape_logged import (
    O_OUTCOME,
    TapeWords,
    kept,
    ones_of,
    orders_of,
    refusals,
)

Ints = NDArray[np.int64]


class Taken(NamedTuple):
    """Every fill and review, how often what was not even considered, and what became of orders."""

    filled: Filled
    reviewed: Reviewed
    refused: Counter[str]
    own: OwnOrders


def taken(engine: Engine, log: Log, words: TapeWords) -> Taken:
    """Reads a log, which is let go."""
    reviews = log.rows("reviews", lg.N_REVIEWS)
    told, cases = log.rows("told", lg.N_TOLD), log.rows("cases", lg.N_CASES)
    refused, became = refusals(reviews), reviews[:, BECAME]
    orders = orders_of(reviews, engine)
    # Together they are the most that a run has in memory: what is read is let go at once.
    del reviews
    log.forget("reviews", "pulled")
    own = of_log(orders, orders[:, O_OUTCOME] == 1, became, ones_of(engine))
    filled, reviewed = kept(engine, orders, told, cases, words)
    del told
    log.forget("told")
    return Taken(filled, reviewed, refused, own)


def count(engine: Engine, broker: Any, log: Log) -> None:
    """Counts what the venue did into the broker's figures."""
    reviews, told = log.rows("reviews", lg.N_REVIEWS), log.rows("told", lg.N_TOLD)
    stats, end = broker.stats, reviews[:, lg.L_END]
    stats.orders += int(log.plan[lg.N_SENT])
    stats.rejected += int((end == c.REJECTED).sum())
    stats.cancelled += int((end == c.CANCELLED).sum())
    told = told[told[:, c.X_WHAT] == c.FILLED]
    market = told[:, c.X_MARKET]
    rules, offset = broker.venue.rules[market], np.array(engine.context.universe.offset, np.int64)
    other = reviews[told[:, lg.T_LOG], lg.L_TOKEN] - offset[market] == 1
    side = np.where(other, -told[:, c.X_SIDE], told[:, c.X_SIDE])
    one = rules[:, R_ONE]
    price = np.where(other, one - told[:, c.X_PRICE], told[:, c.X_PRICE])
    twice = np.where(told[:, c.X_MID] > 0, told[:, c.X_MID], 2 * told[:, c.X_PRICE])
    mid = np.where(other, 2 * one - twice, twice) // 2
    stats.book_all(side, price, told[:, c.X_SIZE], told[:, c.X_FEE], mid, rules[:, R_DIVISOR])
