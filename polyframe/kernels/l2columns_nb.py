"""The columns of the tables with which compiled code plays a tape: books, own orders, answers.

Shapes:
    desk     (markets, D_SIZE_OF) int64: one book each, ``book_nb``'s columns first; where the feed
             is late these are the books that are seen, and as many follow that the venue has
    orders   (slots, V_SIZE_OF) int64: own orders on their way to the venue or standing there
    front    (slots,) float64: what stands before each of them in the queue of its level
    acts     (capacity, A_SIZE_OF) int64: what is on its way to the venue, a heap: see ``venue_nb``
    answers  (capacity, X_SIZE_OF) int64: a ring of what the venue said, in the order of its saying;
             the capacity is a power of two
    at       (C_SIZE_OF,) int64: cursors and counts
    conf     (F_SIZE_OF,) int64: how the venue is modelled
    rules    (markets, U_SIZE_OF) int64: ``barmatch_nb``'s columns first
Units: ns, price and size units of the market, steps of the tick, money 1e-6; YES space.
"""

from __future__ import annotations

from typing import Final

from polyframe.kernels.barmatch_nb import R_SIZE_OF
from polyframe.kernels.book_nb import K_SIZE_OF

# ---- one book and the own orders in it -----------------------------------------------------------
D_INSIDE: Final = K_SIZE_OF
"""1 between the begin and the end of a snapshot"""
D_FIRST: Final = K_SIZE_OF + 1
"""slot of the first own order counted from 1, 0 for none; in the order of their arrival"""
D_LAST: Final = K_SIZE_OF + 2
D_BUY_LOW: Final = K_SIZE_OF + 3
"""lowest step of an own bid, NO_STEP for none"""
D_BUY_HIGH: Final = K_SIZE_OF + 4
"""highest step of an own bid, -1 for none"""
D_SELL_LOW: Final = K_SIZE_OF + 5
D_SELL_HIGH: Final = K_SIZE_OF + 6
D_TRADE_PRICE: Final = K_SIZE_OF + 7
"""price of the last trade, 0 for none"""
D_BOUGHT: Final = K_SIZE_OF + 8
"""what takers bought and sold so far, size units"""
D_SOLD: Final = K_SIZE_OF + 9
D_TRADES: Final = K_SIZE_OF + 10
D_CLOSING: Final = K_SIZE_OF + 11
"""1 once its end is among what is on its way"""
D_OPEN_FIRST: Final = K_SIZE_OF + 12
"""slot of the first order that the engine has open, counted from 1; in the order of sending"""
D_OPEN_LAST: Final = K_SIZE_OF + 13
D_SIZE_OF: Final = K_SIZE_OF + 14
"""From here on: ``EARNED_OF`` columns for each ledger, what its orders earned."""
EARNED_OF: Final = 4
"""for even days and then for odd ones, as a day may be paid while the next one goes on: the sum of
its shares in the reward samples (``SHARE_ONE`` is all of one), and the fees that takers would have
paid on its fills"""
SHARE_ONE: Final = 1_000_000_000

NO_STEP: Final = 1 << 40

# ---- own orders ----------------------------------------------------------------------------------
V_STATE: Final = 0
V_NUMBER: Final = 1
"""the session's number of the order"""
V_MARKET: Final = 2
V_SIDE: Final = 3
V_PRICE: Final = 4
V_STEP: Final = 5
V_OPEN: Final = 6
"""what may still fill"""
V_TIF: Final = 7
V_POST: Final = 8
V_EXPIRES: Final = 9
"""0: never"""
V_NEXT: Final = 10
"""slot of the next own order of the market, or of the next free slot; counted from 1"""
V_TRADED: Final = 11
"""traded at its level since the level last changed"""
V_BEFORE: Final = 12
"""size of its level when a snapshot began, -1 when that was not known"""
V_DIRECT: Final = 13
"""1 when it names YES, 0 when it names NO"""
V_FILLS: Final = 14
V_ARRIVES: Final = 15
V_LEDGER: Final = 16
V_SIZE: Final = 17
"""its size when it was sent"""
V_PULLED: Final = 18
"""1 when a cancel is under way"""
V_TOKEN: Final = 19
"""index of its token"""
V_CASH: Final = 20
"""what it holds: cash, shares, its losses should the market resolve so"""
V_SHARES: Final = 21
V_IF_YES: Final = 22
V_IF_NO: Final = 23
V_WANTED: Final = 24
"""what the quote asked for, when the door let only a part of it through"""
V_LOG: Final = 25
"""its row among the reviews"""
V_FOLLOWS: Final = 26
"""slot of the next order that the engine has open in the market, counted from 1"""
V_FILLED: Final = 27
"""what of it the engine knows to have filled"""
V_PLACE: Final = 28
"""the row of the venue's book of its market"""
V_SIZE_OF: Final = 29

FREE: Final = 0
SENT: Final = 1
RESTS: Final = 2
ENDED: Final = 3
"""stands no more; whoever takes the answer that says so gives its slot free"""

GTC: Final = 0
GTD: Final = 1
FAK: Final = 2
FOK: Final = 3

# ---- what is on its way to the venue, in the order in which it is done at one moment -------------
CLOSE: Final = 0
EXPIRE: Final = 1
ARRIVE: Final = 2
CANCEL: Final = 3
SAMPLE: Final = 4
"""the venue looks who rests where, for its liquidity rewards"""

# ---- answers -------------------------------------------------------------------------------------
X_KNOWN: Final = 0
X_WHAT: Final = 1
X_SLOT: Final = 2
X_NUMBER: Final = 3
X_TS: Final = 4
"""when it happened at the venue"""
X_PRICE: Final = 5
X_SIZE: Final = 6
X_FEE: Final = 7
X_MAKER: Final = 8
X_WHY: Final = 9
X_OPEN: Final = 10
"""what of the order may still fill; 0 ends it"""
X_ROW: Final = 11
"""the row of the tape that stood then"""
X_MID: Final = 12
"""bid + ask of the market then, 0 when one side was empty"""
X_TRADE: Final = 13
"""counts the order's fills from 1"""
X_MARKET: Final = 14
X_SIDE: Final = 15
X_FILLED: Final = 16
"""what of the order had filled by then"""
X_SIZE_OF: Final = 17

ACCEPTED: Final = 0
FILLED: Final = 1
REJECTED: Final = 2
CANCELLED: Final = 3
EXPIRED: Final = 4
NOT_CANCELLED: Final = 5

# ---- why -----------------------------------------------------------------------------------------
NO_REASON: Final = 0
BY_REQUEST: Final = 1
BAD_PRICE: Final = 2
BAD_SIZE: Final = 3
TOO_CHEAP: Final = 4
CROSSES: Final = 5
SELF_TRADE: Final = 6
MARKET_CLOSED: Final = 7
BAD_EXPIRY: Final = 8
BAD_POST_ONLY: Final = 9
NOT_FILLED_WHOLE: Final = 10
OUT_OF_LIMIT: Final = 11
EMPTY_BOOK: Final = 12
UNTRUSTED: Final = 13
TICK_CHANGED: Final = 14
UNKNOWN_ORDER: Final = 15
LESS_THAN_A_LOT: Final = 16

# ---- cursors and counts --------------------------------------------------------------------------
C_ROW: Final = 0
"""the next row of the tape"""
C_ACTS: Final = 1
C_HEAD: Final = 2
"""answers given so far; the ring holds the last of them"""
C_TAKEN: Final = 3
"""answers taken so far"""
C_SEQUENCE: Final = 4
C_FREE: Final = 5
"""first free slot counted from 1, 0: none"""
C_WOKEN: Final = 6
"""strategies to wake when the update ends, as bits"""
C_WHY: Final = 7
C_WHERE: Final = 8
"""the first market that woke them"""
C_DIRTY: Final = 9
"""market whose top must be shown when the update ends, counted from 1"""
C_HOUR: Final = 10
"""the first moment of the next hour"""
C_OFF_GRID: Final = 11
"""rows whose price is none of the book's"""
C_NOW: Final = 12
C_PRINT: Final = 13
"""the first trade of this update that wakes somebody, its row counted from 1"""
C_LAST_KNOWN: Final = 14
"""when the last answer is known: answers come in the order in which they were given"""
C_STANDING: Final = 15
"""own orders at the venue or on their way to it"""
C_LISTENED: Final = 16
"""1 when somebody wants to hear of trades"""
C_HEARD: Final = 17
"""strategies that a trade of this update wakes, as bits"""
C_TICK: Final = 18
"""the market whose tick changed in this update, counted from 1"""
C_WHERE_TO: Final = 19
"""one past the last of them; ``bars_nb.B_WOKEN`` says which between have"""
C_END: Final = 20
"""the tape's last moment, 0: not known; no order expires and no market closes after it"""
C_FOLLOWS: Final = 21
"""when the first row after these is, NEVER for none: what happens later has to wait for it"""
C_HEARS: Final = 22
"""1 where a compiled loop takes the venue's answers itself, wherever nobody needs to stop for it"""
C_MIDST: Final = 23
"""1 where the loop stopped for something else than the end of an update: who is to hear of one that
goes on waits"""
C_USED: Final = 24
"""slots that are taken: an order keeps its own until its last answer was heard"""
C_SIZE_OF: Final = 25

# ---- rules of a market at the venue, beside those of ``barmatch_nb`` -----------------------------
U_SPREAD: Final = R_SIZE_OF
"""distance from the mid at which rewards end, twice; price units, 0: the market has no rewards"""
U_LEAST: Final = R_SIZE_OF + 1
"""smallest size that earns rewards"""
U_BOOST: Final = R_SIZE_OF + 2
"""millionths: points in a game count so many times"""
U_REBATE: Final = R_SIZE_OF + 3
"""1 when makers are paid back a part of the takers' fees"""
U_MAKER: Final = R_SIZE_OF + 4
"""what makers pay of what is traded, millionths"""
U_SIZE_OF: Final = R_SIZE_OF + 5

# ---- how the venue is modelled -------------------------------------------------------------------
F_QUEUE: Final = 0
"""a mode of ``queue_nb``"""
F_PARTIAL: Final = 1
"""0: whoever's turn it is fills whole"""
F_LEAST_BUY: Final = 2
"""money that a marketable purchase must be worth"""
F_POWER: Final = 3
"""n of the queue's power models, millionths"""
F_PROBES: Final = 4
"""how many probes each leg has, LEGS columns"""
F_LATE: Final = 8
"""how many rows of the desk the venue's books stand after the books that are seen; 0: the same"""
F_SIZE_OF: Final = 9

ENTRY: Final = 0
CANCELLING: Final = 1
RESPONSE: Final = 2
FEED: Final = 3
LEGS: Final = 4
