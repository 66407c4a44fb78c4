"""The columns of what a compiled run over a tape writes down, and of the plan it follows.

Shapes:
    reviews  (., L_SIZE_OF) int64: every order that was put to the guards, or refused before
    told     (., T_SIZE_OF) int64: answers of the venue, as the engine took them: every one where
        each step is told (``N_TELLS``), else the fills alone
    pulled   (., P_SIZE_OF) int64: every cancel that was asked for, where each step is told
    cases    (., CASE_SIZE_OF) int64: what guards saw that ruled against an order
    plan     (N_SIZE_OF,) int64
Units: ns, price and size units of the order's own token, money.
"""

from __future__ import annotations

from typing import Final

from polyframe.kernels.l2columns_nb import X_SIZE_OF

L_TS: Final = 0
L_MARKET: Final = 1
L_TOKEN: Final = 2
L_SIDE: Final = 3
L_PRICE: Final = 4
L_ASKED: Final = 5
L_PERMITTED: Final = 6
L_REDUCES: Final = 7
L_CASE: Final = 8
"""counted from 1; 0: no guard objected"""
L_NUMBER: Final = 9
"""the session's number of the order that was sent, 0: none was"""
L_ROW: Final = 10
L_MID: Final = 11
"""bid + ask of YES when it was decided, 0 when a side was empty"""
L_REFUSED: Final = 12
L_EXPIRES: Final = 13
L_STEP: Final = 14
"""in which step of the engine it was, counted from 1: a wake or an answer is one"""
L_WAKE: Final = 15
"""what woke the strategy, see ``BY_``"""
L_RESERVED: Final = 16
"""cash that the order reserved when it was sent"""
L_POST: Final = 17
L_REASON: Final = 18
"""number of the words that the strategy gave with its quotes, 0: none"""
L_ACCEPTED: Final = 19
"""when the order that was sent was first known to stand, or to have filled; 0: never"""
L_ENDED: Final = 20
"""when its end was known, 0: it stands"""
L_END: Final = 21
"""how it ended: FILLED, REJECTED, CANCELLED or EXPIRED of ``l2columns_nb``"""
L_FILLED: Final = 22
L_SIZE_OF: Final = 23

BY_ANSWER: Final = 0
BY_TIMER: Final = 1
BY_MOVE: Final = 2
BY_TRADE: Final = 3
"""what a step is: an answer of the venue, a timer, a best price that moved, a trade; to the last
two comes ``BY_SIZE`` times the market"""
BY_SIZE: Final = 4

NOT_OPEN: Final = 1
NO_LOT: Final = 2
MOST_MARKETS: Final = 3
OUT_OF_RANGE: Final = 4
UNKNOWN: Final = 5

T_LOG: Final = X_SIZE_OF
"""the order's row among the reviews"""
T_REALISED: Final = X_SIZE_OF + 1
T_STEP: Final = X_SIZE_OF + 2
T_LATE: Final = X_SIZE_OF + 3
"""1 for a purchase that is told of after its market resolved: its shares are to be collected"""
T_SIZE_OF: Final = X_SIZE_OF + 4

NOTHING: Final = 0
ANSWERS: Final = 1
TIMERS: Final = 2
"""answers and timers"""

P_TS: Final = 0
P_NUMBER: Final = 1
"""the order's number"""
P_STEP: Final = 2
P_WAKE: Final = 3
P_REVIEWS: Final = 4
"""how many reviews had been written when it was asked for"""
P_REASON: Final = 5
P_ROW: Final = 6
P_SIZE_OF: Final = 7

# ---- the plan ------------------------------------------------------------------------------------
N_REVIEWS: Final = 0
"""how many rows of each table are written"""
N_TOLD: Final = 1
N_PULLED: Final = 2
N_CASES: Final = 3
N_SENT: Final = 4
"""orders sent so far"""
N_FIRST: Final = 5
"""number of the last order before the first of them"""
N_EVERY: Final = 6
"""ns between wakes, 0: none"""
N_NEXT: Final = 7
"""the next wake"""
N_ON_FILL: Final = 8
"""1 when own fills wake"""
N_UNTIL: Final = 9
"""the moment up to which is played; answers known then wait, unless ``N_TAKES`` says otherwise"""
N_TTL: Final = 10
N_DEPTH: Final = 11
N_KILLED: Final = 12
N_HALTED: Final = 13
"""until when entries are blocked"""
N_MAX_OPEN: Final = 14
N_INPUTS: Final = 15
N_REVISE: Final = 16
"""token whose waiting quotes are to be looked at again, counted from 1"""
N_ASK: Final = 17
"""market to decide in now, counted from 1"""
N_WAKES: Final = 18
"""how often the strategy was asked"""
N_POST: Final = 19
N_STEP: Final = 20
"""steps so far that the engine would have made"""
N_WAKE: Final = 21
"""what the present one is, see ``BY_``"""
N_HOSTED: Final = 22
"""1 when whoever runs the loop decides: it stops where the strategy is to be asked"""
N_FROM: Final = 23
"""the markets to decide in then, from one up to before another"""
N_TO: Final = 24
N_DECIDED: Final = 25
"""how many tokens' quotes are to be carried out at once"""
N_HOLD: Final = 26
"""1 when more is to be carried out at this moment"""
N_REASON: Final = 27
"""of the quotes that are being carried out"""
N_WRAPPER: Final = 28
"""where the C wrapper and the machine code of the quote kernel lie"""
N_CODE: Final = 29
N_CROSSED: Final = 30
"""how often an own fill crossed a limit: what the engine then does is no step of its own in a run
step by step"""
N_TAKES: Final = 31
"""what is taken, too, of the very moment up to which is played: NOTHING, ANSWERS, or TIMERS"""
N_ASKED: Final = 32
"""the market that the strategy was asked about last"""
N_TELLS: Final = 33
"""1 when somebody is told of each step: what only that needs is written down"""
N_LATE: Final = 34
"""row of an answer with ``T_LATE`` that the engine has to hear of, counted from 1"""
N_SIZE_OF: Final = 35
