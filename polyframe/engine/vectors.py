"""The vectors that the compiled guards read: one of the order, two of the session's numbers."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import Market
from polyframe.domain.orders import KIND_BIT, Kind, Side
from polyframe.domain.units import Money, Ns, Price, Size
from polyframe.engine.state import State
from polyframe.kernels import guards_nb as g
from polyframe.kernels import numbers_nb as n

_PER_ONE = 1_000_000
_MOST_EDGE = 1.0e6
"""Whatever is stated beyond this is cut off: a share never gains more than 1."""


INPUTS = {
    "liquidity": n.HAS_LIQUIDITY,
    "evidence": n.HAS_EVIDENCE,
    "confidence": n.HAS_CONFIDENCE,
    "closes": n.HAS_CLOSES,
}
"""Inputs of guards that some data never has."""
ALL_INPUTS = sum(INPUTS.values())


class Draft(NamedTuple):
    """An intent made concrete, not yet reviewed."""

    ledger: int
    token: int
    side: Side
    price: Price
    size: Size
    kind: Kind
    edge: float | None
    probability: float | None
    resting: bool = True
    """may stand in the book; a sale that may not has no minimum size at the venue"""
    closing: bool = False
    """sells own shares on a declared exit: it counts as reducing whatever else is held"""


def least_size(market: Market, draft: Draft) -> Size:
    """The smallest order the venue takes: a rest of shares can always be sold at once."""
    if draft.side == Side.SELL and not draft.resting:
        return market.lot
    return market.min_size


class Vectors:
    """Filled anew for each review.

    ``numbers`` has two rows: of the strategy's ledger and of the whole account.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.order = np.zeros(g.O_SIZE_OF, dtype=np.int64)
        self.numbers = np.zeros((2, g.S_SIZE_OF), dtype=np.int64)
        self._o = self.order.data
        self._asked = np.zeros(n.Q_SIZE_OF, dtype=np.int64)
        self._q = self._asked.data
        self.twin = False
        """True when the account's numbers and limits are those of the only ledger"""
        self.inputs = ALL_INPUTS
        """what the session's data can tell at all, as the kernel's bits"""

    def fill_order(self, draft: Draft, kind: Kind, reduces: bool, cost: Money, now: Ns) -> None:
        """Writes what is known of the order."""
        universe = self.state.universe
        market = universe.markets[universe.token_market[draft.token]]
        o = self._o
        o[g.O_SIDE] = draft.side
        o[g.O_PRICE] = draft.price
        o[g.O_SIZE] = draft.size
        o[g.O_LOT] = market.lot
        o[g.O_MIN_SIZE] = least_size(market, draft)
        o[g.O_TICK] = market.tick
        o[g.O_MAX_PRICE] = market.max_price
        o[g.O_KIND] = KIND_BIT[kind]
        o[g.O_REDUCES] = 1 if reduces else 0
        o[g.O_COST] = cost
        o[g.O_SLACK] = self.state.slack(market)
        o[g.O_EDGE] = _millionths(draft.edge)
        o[g.O_TS] = now
        o[g.O_ONE] = market.price_one
        o[g.O_PROBABILITY] = _millionths(draft.probability)

    def fill_numbers(
        self, draft: Draft, killed: bool, halted: bool, now: Ns, limits: NDArray[np.int64]
    ) -> None:
        """Writes the numbers of the draft's ledger and of the account."""
        state = self.state
        universe, tables = state.universe, state.tables
        m = universe.token_market[draft.token]
        q = self._q
        q[n.Q_LEDGER] = draft.ledger
        q[n.Q_TOKEN] = draft.token
        q[n.Q_MARKET] = m
        q[n.Q_OUTCOME] = universe.token_outcome[draft.token]
        q[n.Q_NOW] = now
        q[n.Q_OWN_BID], q[n.Q_OWN_ASK] = self.own_touch(draft.token, m)
        q[n.Q_INPUTS] = self.inputs
        q[n.Q_KILLED] = 1 if killed else 0
        q[n.Q_HALTED] = 1 if halted else 0
        q[n.Q_TWIN] = 1 if self.twin else 0
        n.fill_both(
            self.numbers, self._asked, tables.account, tables.tokens, tables.markets,
            tables.traits, tables.events, tables.kinds, state.books.rows, tables.marks,
            tables.pace, state.books.grid, limits,
        )  # fmt: skip

    def own_touch(self, token: int, m: int) -> tuple[Price, Price]:
        """Best own resting bid and ask of a market in a token's terms, all ledgers together."""
        one = self.state.universe.markets[m].price_one
        bid, ask = 0, 0
        for o in self.state.by_market.get(m, {}).values():
            if o.remaining <= 0 or not o.rests:
                continue
            same = o.token == token
            price = o.order.price if same else one - o.order.price
            buys = (o.order.side == Side.BUY) == same
            if buys:
                bid = max(bid, price)
            else:
                ask = price if ask == 0 else min(ask, price)
        return bid, ask


def _millionths(edge: float | None) -> int:
    """An edge as the guards read it, MISSING when it is none."""
    if edge is None or not math.isfinite(edge):
        return g.MISSING
    return math.floor(min(max(edge, -_MOST_EDGE), _MOST_EDGE) * _PER_ONE)
