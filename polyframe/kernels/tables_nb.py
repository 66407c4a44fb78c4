"""The columns of a session's tables: what every compiled loop and the engine share.

Rows are ledgers, the last one is the whole account.

Shapes:
    account  (A_SIZE_OF, rows) int64
    tokens   (T_SIZE_OF, rows, tokens) int64
    markets  (M_SIZE_OF, rows, markets) int64
    traits   (markets, K_SIZE_OF) int64: what holds for a market whoever trades in it
    events   (rows, events) int64: at risk by event
    kinds    (rows, categories) int64: at risk by category
    groups   (events, G_SIZE_OF) int64; ``members`` int64, flat: see ``G_``

Units: money 1e-6, sizes the market's integers, shares of 1 in millionths, times ns.
"""

from __future__ import annotations

from typing import Final

# ---- account: one number a row -----------------------------------------------------------------
A_CASH: Final = 0
A_RESERVED: Final = 1
A_DAY_START: Final = 2
"""equity when the UTC day began"""
A_WEEK_START: Final = 3
"""equity when the week (Monday 00:00 UTC) began"""
A_OPEN_MARKETS: Final = 4
A_AT_RISK: Final = 5
"""sum of what is at risk over the events; one that cannot lose counts as 0"""
A_NET: Final = 6
"""sum over markets of the absolute difference between the cost of YES and of NO"""
A_ORDERS: Final = 7
"""orders sent since the session began, also the write position of the pace ring"""
A_ORDERS_DAY: Final = 8
A_CANCELS_DAY: Final = 9
A_FILLS_DAY: Final = 10
A_VOLUME_DAY: Final = 11
A_TRIPS: Final = 12
"""trips closed since the session began, also the write position of the ring of trips"""
A_TRIPS_FROM: Final = 13
"""the first trip that the lock of the drawdown still looks at"""
A_LAST_STOP: Final = 14
"""number of the last trip that ended by a stop, counted from 1; 0: none"""
A_LOCK_STOPLOSS: Final = 15
A_LOCK_DRAWDOWN: Final = 16
A_CROSSED: Final = 17
"""the limits of equity that were crossed, as ``CROSSED_`` bits"""
A_SIZE_OF: Final = 18

CROSSED_DAILY: Final = 1
CROSSED_WEEKLY: Final = 2
CROSSED_KILL: Final = 4

# ---- tokens ------------------------------------------------------------------------------------
T_SHARES: Final = 0
T_COST: Final = 1
T_REALISED: Final = 2
T_FEES: Final = 3
T_RESERVED: Final = 4
"""shares that open sales hold"""
T_TRIP: Final = 5
"""realised less fees before the present trip began"""
T_SIZE_OF: Final = 6

# ---- markets -----------------------------------------------------------------------------------
M_IF_YES: Final = 0
"""worth of the shares and the losing side of open orders, should the market resolve YES"""
M_IF_NO: Final = 1
M_EXPOSED: Final = 2
"""tokens held and open entries"""
M_COST_YES: Final = 3
M_COST_NO: Final = 4
M_ENTRY_YES: Final = 5
"""cash that open entries hold"""
M_ENTRY_NO: Final = 6
M_NET: Final = 7
M_OPEN: Final = 8
"""the row's markets with a position or an open entry, the first A_OPEN_MARKETS places count"""
M_PLACE: Final = 9
"""where a market stands among them, counted from 1; 0: it does not"""
M_CATEGORY_CAP: Final = 10
M_BLOCKED: Final = 11
M_ASKED: Final = 12
"""1 when the ledger has asked for a forecast of the market"""
M_LOCK_STOPLOSS: Final = 13
M_LOCK_COOLDOWN: Final = 14
M_LOCK_LOW_PROFIT: Final = 15
M_LAST_TRIP: Final = 16
"""number of the market's last closed trip, counted from 1; 0: none"""
M_SIZE_OF: Final = 17

# ---- traits ------------------------------------------------------------------------------------
K_EVENT: Final = 0
K_CATEGORY: Final = 1
K_CLOSES: Final = 2
K_LIQUIDITY: Final = 3
K_FORECAST: Final = 4
"""the newest forecast's probability of YES, MISSING when there is none"""
K_CONFIDENCE: Final = 5
K_EVIDENCE: Final = 6
K_TRADABLE: Final = 7
K_RESOLVED: Final = 8
"""1 once its outcome is known"""
K_SIZE_OF: Final = 9

# ---- groups ------------------------------------------------------------------------------------
G_FIRST: Final = 0
"""where the event's markets begin in ``members``"""
G_COUNT: Final = 1
G_KIND: Final = 2
G_CATEGORIES: Final = 3
"""where its categories begin in ``members``"""
G_CATEGORY_COUNT: Final = 4
G_SIZE_OF: Final = 5
