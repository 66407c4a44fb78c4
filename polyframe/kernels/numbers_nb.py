"""The numbers that the guards read, of one ledger or of the account, taken from the tables.

The engine and the compiled loops call the very same function.

Shapes: see ``tables_nb`` and ``bars_nb``.
Units: money 1e-6, prices and sizes the market's integers, shares of 1 in millionths, times ns.
"""

from __future__ import annotations

from typing import Final

from numba import int64, njit, types

from polyframe.kernels import guards_nb as g
from polyframe.kernels import tables_nb as t
from polyframe.kernels.bars_nb import (
    B_ASK,
    B_BID,
    B_ONE,
    B_TRUSTED,
    E_NOW,
    E_PEAK,
)

# ---- what is asked -----------------------------------------------------------------------------
Q_LEDGER: Final = 0
"""the strategy's row: whether a forecast is involved is its matter"""
Q_TOKEN: Final = 1
Q_MARKET: Final = 2
Q_OUTCOME: Final = 3
Q_NOW: Final = 4
Q_OWN_BID: Final = 5
Q_OWN_ASK: Final = 6
Q_KILLED: Final = 7
Q_HALTED: Final = 8
Q_SIZE_OF: Final = 9

_flat = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")
_cube = types.Array(int64, 3, "C")
SECOND: Final = 1_000_000_000


@njit(
    types.void(
        _flat, _flat, int64, _table, _cube, _cube, _table, _table, _table, _table, _table, _table,
    ),
    cache=True,
)  # fmt: skip
def fill(  # type: ignore[no-untyped-def]
    out, asked, row, account, tokens, markets, traits, events, kinds, book, marks, pace
):
    """Writes one row's numbers about the order that is asked about.

    Shapes: out (S_SIZE_OF,), asked (Q_SIZE_OF,), pace (rows, ring). Units: see module.
    """
    token = asked[Q_TOKEN]
    m = asked[Q_MARKET]
    bid = book[m, B_BID]
    ask = book[m, B_ASK]
    if asked[Q_OUTCOME] != 0:
        one = book[m, B_ONE]
        bid, ask = (one - ask if ask > 0 else 0), (one - bid if bid > 0 else 0)
    out[g.S_KILLED] = asked[Q_KILLED]
    out[g.S_HALTED] = asked[Q_HALTED]
    out[g.S_CASH_FREE] = account[t.A_CASH, row] - account[t.A_RESERVED, row]
    out[g.S_SHARES_FREE] = tokens[t.T_SHARES, row, token] - tokens[t.T_RESERVED, row, token]
    out[g.S_EQUITY] = marks[row, E_NOW]
    out[g.S_DAY_START_EQUITY] = account[t.A_DAY_START, row]
    out[g.S_PEAK_EQUITY] = marks[row, E_PEAK]
    out[g.S_OPEN_MARKETS] = account[t.A_OPEN_MARKETS, row]
    out[g.S_MARKET_OPEN] = 1 if markets[t.M_EXPOSED, row, m] > 0 else 0
    out[g.S_MARKET_AT_RISK] = (
        markets[t.M_COST_YES, row, m]
        + markets[t.M_COST_NO, row, m]
        - min(markets[t.M_IF_YES, row, m], markets[t.M_IF_NO, row, m])
    )
    out[g.S_GROUP_AT_RISK] = events[row, traits[m, t.K_EVENT]]
    out[g.S_BID] = bid
    out[g.S_ASK] = ask
    out[g.S_TRUSTED] = book[m, B_TRUSTED]
    out[g.S_TRADABLE] = traits[m, t.K_TRADABLE]
    out[g.S_OWN_BID] = asked[Q_OWN_BID]
    out[g.S_OWN_ASK] = asked[Q_OWN_ASK]


@njit(
    types.void(
        _table, _flat, _table, _cube, _cube, _table, _table, _table, _table, _table, _table,
    ),
    cache=True,
)  # fmt: skip
def fill_both(  # type: ignore[no-untyped-def]
    out, asked, account, tokens, markets, traits, events, kinds, book, marks, pace
):
    """The same for the strategy's ledger and for the account.

    Shapes: out (2, S_SIZE_OF). Units: see module.
    """
    last = account.shape[1] - 1
    for i, row in enumerate((asked[Q_LEDGER], last)):
        fill(out[i], asked, row, account, tokens, markets, traits, events, kinds, book, marks, pace)
