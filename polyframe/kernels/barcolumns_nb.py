"""The columns of the compiled run over bars: its plan, where it stands, its orders and the answers.

Shapes: each block names the columns of one table.
Units: ns, price and size units, money 1e-6, shares of 1 in millionths.
"""

from __future__ import annotations

from typing import Final

from polyframe.kernels import barmatch_nb as bm

# ---- signals ----
ENTER: Final = 1
EXIT: Final = 2

# ---- the plan: what does not change during a run ----
P_STAKE: Final = 0
P_ENTRY: Final = 1
"""latency of an order, ns"""
P_RESPONSE: Final = 2
P_CANCEL: Final = 3
P_MAX_AGE: Final = 4
P_MAX_OPEN: Final = 5
"""0: no limit of the strategy's own"""
P_SLIP: Final = 6
"""how far beyond the best price an order may go, millionths of 1"""
P_KILLED: Final = 7
P_HALTED: Final = 8
"""nothing new before this time, ns"""
P_FIRST_ORDER: Final = 9
"""orders made before"""
P_INPUTS: Final = 10
"""what the data can tell guards, see ``numbers_nb.Q_INPUTS``"""
P_SIZE_OF: Final = 11

# ---- where the loop stands ----
C_ROW: Final = 0
C_MARKED: Final = 1
"""1 when the present row's price is in the books already"""
C_ORDERS: Final = 2
"""rows written to the table of orders"""
C_ANSWERS: Final = 3
C_SENT: Final = 4
C_WAITING: Final = 5
"""entries of the heap"""
C_NOW: Final = 6
"""time of the last row or answer"""
C_CASES: Final = 7
"""reviews kept whole because a guard ruled against the order"""
C_SIZE_OF: Final = 8

# ---- what a waiting order is ----
W_ORDER: Final = 0
"""its row in the table of orders, counted from 1; 0: none waits"""
W_KNOWN: Final = 1
W_CASH: Final = 2
W_SHARES: Final = 3
W_IF_YES: Final = 4
W_IF_NO: Final = 5
W_NEXT: Final = 6
"""the first open after the market's last row"""
W_RESULT: Final = 7
"""here the columns of ``barmatch_nb.F_`` begin"""
W_SIZE_OF: Final = 7 + bm.F_SIZE_OF

# ---- the table of orders, one row a review ----
O_TS: Final = 0
O_MARKET: Final = 1
O_SIDE: Final = 2
O_KIND: Final = 3
O_PRICE: Final = 4
O_ASKED: Final = 5
O_PERMITTED: Final = 6
O_NUMBER: Final = 7
"""the order's number, 0 when it was denied"""
O_REDUCES: Final = 8
O_ROW: Final = 9
O_MID: Final = 10
O_CASE: Final = 11
"""its row in the table of cases, counted from 1; 0: no guard ruled against it"""
O_REFUSED: Final = 12
"""why there was nothing to review: ``REFUSED_``, 0 when there was"""
O_SIZE_OF: Final = 13

# ---- the table of answers ----
X_ORDER: Final = 0
X_TS: Final = 1
X_KNOWN: Final = 2
X_PRICE: Final = 3
X_SIZE: Final = 4
X_FEE: Final = 5
X_REALISED: Final = 6
X_OPEN: Final = 7
"""the open it executed on, -1: none"""
X_WHY: Final = 8
"""see ``barmatch_nb``"""
X_SIZE_OF: Final = 9

DIRECTIONAL: Final = 1
EXITS: Final = 8
MILLION: Final = 1_000_000
LEAST_BUY: Final = 1_000_000
"""a marketable purchase is worth at least one dollar"""

REFUSED_CLOSED: Final = 1
REFUSED_QUOTE: Final = 2
REFUSED_SIZE: Final = 3
REFUSED_OPEN: Final = 4
"""so many markets are open already as the strategy allows"""
