"""The numbers that the guards read, of one ledger or of the account, taken from the tables.

The engine and the compiled loops call the very same function.

Shapes: see ``tables_nb`` and ``bars_nb``.
Units: money 1e-6, prices and sizes the market's integers, shares of 1 in millionths, times ns.
"""

from __future__ import annotations

from typing import Final

from numba import int32, int64, types

from polyframe.kernels import guards_nb as g
from polyframe.kernels import tables_nb as t
from polyframe.kernels.alike_nb import count
from polyframe.kernels.bars_nb import (
    B_ASK,
    B_BID,
    B_ONE,
    B_TRUSTED,
    E_NOW,
    E_PEAK,
    MILLION,
)
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.pace_nb import lately

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
Q_INPUTS: Final = 9
"""what the session's data can tell at all, as ``HAS_`` bits"""
Q_TWIN: Final = 10
"""1 when there is one ledger and its limits are the account's: their numbers are the same"""
Q_SECOND_FROM: Final = 11
"""the first order within the second before what was last asked about, see ``pace_nb.lately``"""
Q_MINUTE_FROM: Final = 12
"""the same for the minute"""
Q_SIZE_OF: Final = 13

HAS_LIQUIDITY: Final = 1
HAS_EVIDENCE: Final = 2
HAS_CONFIDENCE: Final = 4
HAS_CLOSES: Final = 8

_flat = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")
_cube = types.Array(int64, 3, "C")
_ring = types.Array(int32, 2, "C")
SECOND: Final = 1_000_000_000


@kernel(types.void(_flat, int64, int64, _table, _cube, _table, _table), inline=True)
def _exposures(out, row, m, account, markets, traits, kinds):  # type: ignore[no-untyped-def]
    """What is at risk and how far the costs of YES and NO differ."""
    out[g.S_WEEK_START_EQUITY] = account[t.A_WEEK_START, row]
    out[g.S_TOTAL_AT_RISK] = account[t.A_AT_RISK, row]
    out[g.S_CATEGORY_AT_RISK] = kinds[row, traits[m, t.K_CATEGORY]]
    out[g.S_CATEGORY_CAP] = markets[t.M_CATEGORY_CAP, row, m]
    out[g.S_MARKET_NET] = markets[t.M_NET, row, m]
    out[g.S_MARKET_GROSS] = (
        markets[t.M_COST_YES, row, m]
        + markets[t.M_COST_NO, row, m]
        + markets[t.M_ENTRY_YES, row, m]
        + markets[t.M_ENTRY_NO, row, m]
    )
    out[g.S_TOTAL_NET] = account[t.A_NET, row]
    out[g.S_BLOCKED] = markets[t.M_BLOCKED, row, m]


@kernel(int64(int64, int64, int64), inline=True)
def _known(value, inputs, bit):  # type: ignore[no-untyped-def]
    """A number, or EXEMPT when the data never says such a thing."""
    return g.EXEMPT if value == g.MISSING and inputs & bit == 0 else value


@kernel(types.void(_flat, _flat, int64, _cube, _table), inline=True)
def _opinions(out, asked, m, markets, traits):  # type: ignore[no-untyped-def]
    """What is said of the market: by its venue, and by the newest forecast where one is asked."""
    inputs = asked[Q_INPUTS]
    out[g.S_LIQUIDITY] = _known(traits[m, t.K_LIQUIDITY], inputs, HAS_LIQUIDITY)
    closes = traits[m, t.K_CLOSES]
    out[g.S_CLOSES] = g.EXEMPT if closes <= 0 and inputs & HAS_CLOSES == 0 else closes
    if markets[t.M_ASKED, asked[Q_LEDGER], m] == 0:
        out[g.S_CONFIDENCE] = g.EXEMPT
        out[g.S_EVIDENCE] = g.EXEMPT
        out[g.S_FORECAST] = g.EXEMPT
        return
    out[g.S_CONFIDENCE] = _known(traits[m, t.K_CONFIDENCE], inputs, HAS_CONFIDENCE)
    out[g.S_EVIDENCE] = _known(traits[m, t.K_EVIDENCE], inputs, HAS_EVIDENCE)
    believed = traits[m, t.K_FORECAST]
    if believed == g.MISSING:
        out[g.S_FORECAST] = g.EXEMPT
    else:
        out[g.S_FORECAST] = believed if asked[Q_OUTCOME] == 0 else MILLION - believed


@kernel(types.void(_flat, _flat, int64, int64, _table, _cube, _table), inline=True)
def _pace(out, asked, row, m, account, markets, pace):  # type: ignore[no-untyped-def]
    """Orders, cancels and fills of late, and until when locks hold."""
    now = asked[Q_NOW]
    sent = account[t.A_ORDERS, row]
    out[g.S_ORDERS_SECOND] = lately(pace, row, sent, now - SECOND, asked, Q_SECOND_FROM)
    out[g.S_ORDERS_MINUTE] = lately(pace, row, sent, now - 60 * SECOND, asked, Q_MINUTE_FROM)
    out[g.S_VOLUME_DAY] = account[t.A_VOLUME_DAY, row]
    out[g.S_ORDERS_DAY] = account[t.A_ORDERS_DAY, row]
    out[g.S_CANCELS_DAY] = account[t.A_CANCELS_DAY, row]
    out[g.S_FILLS_DAY] = account[t.A_FILLS_DAY, row]
    out[g.S_LOCK_STOPLOSS] = max(
        account[t.A_LOCK_STOPLOSS, row], markets[t.M_LOCK_STOPLOSS, row, m]
    )
    out[g.S_LOCK_COOLDOWN] = markets[t.M_LOCK_COOLDOWN, row, m]
    out[g.S_LOCK_LOW_PROFIT] = markets[t.M_LOCK_LOW_PROFIT, row, m]
    out[g.S_LOCK_DRAWDOWN] = account[t.A_LOCK_DRAWDOWN, row]


@kernel(
    types.void(
        _flat, _flat, int64, _table, _cube, _cube, _table, _table, _table, _table, _table, _table,
        _ring, _table,
    ), inline=True)  # fmt: skip
def fill(  # type: ignore[no-untyped-def]
    out,
    asked,
    row,
    account,
    tokens,
    markets,
    traits,
    events,
    kinds,
    book,
    marks,
    pace,
    grid,
    limits,
):
    """Writes one row's numbers about the order that is asked about.

    A column that the guards in force do not need may be 0: what moves with a market is only
    looked for where it could be too much.

    Shapes: out (S_SIZE_OF,), asked (Q_SIZE_OF,), pace (rows, ring), grid (markets, GRID), limits
    (rows, L_SIZE_OF). Units: see module.
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
    _exposures(out, row, m, account, markets, traits, kinds)
    _opinions(out, asked, m, markets, traits)
    _pace(out, asked, row, m, account, markets, pace)
    out[g.S_CORRELATED] = 0
    enough = limits[row, g.L_CORRELATED]
    if enough != g.MISSING and markets[t.M_EXPOSED, row, m] <= 0:
        out[g.S_CORRELATED] = count(
            grid, book, account, markets, traits, row, m, asked[Q_NOW], enough,
            limits[row, g.L_CORRELATED_ABOVE], limits[row, g.L_CORRELATED_SAMPLES],
            limits[row, g.L_CORRELATED_WINDOW],
        )  # fmt: skip


@kernel(
    types.void(
        _table, _flat, _table, _cube, _cube, _table, _table, _table, _table, _table, _table,
        _ring, _table,
    ))  # fmt: skip
def fill_both(  # type: ignore[no-untyped-def]
    out, asked, account, tokens, markets, traits, events, kinds, book, marks, pace, grid, limits
):
    """The same for the strategy's ledger and for the account.

    Shapes: out (2, S_SIZE_OF). Units: see module.
    """
    last = account.shape[1] - 1
    twin = asked[Q_TWIN] != 0
    for i in range(1 if twin else 2):
        fill(
            out[i], asked, last if twin or i > 0 else asked[Q_LEDGER], account, tokens, markets,
            traits, events, kinds, book, marks, pace, grid, limits,
        )  # fmt: skip
    if twin:
        for k in range(g.S_SIZE_OF):
            out[1, k] = out[0, k]
