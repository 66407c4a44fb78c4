"""The columns of what is kept of positions for their exits, and of what strategies declare.

Shapes:
    exits   (ledgers, tokens, X_SIZE_OF) int64: what is kept of each position
    rules   (ledgers, R_SIZE_OF) int64: what each strategy declares, MISSING for what it does not
    folios  (ledgers, P_SIZE_OF) int64: what is kept of all positions of a ledger together
    terms   (markets, Y_SIZE_OF) int64: what a market's sales pay, and whether anybody watches it

Units: prices and sizes the market's integers, fine prices millionths of a price unit, parts
millionths, money 1e-6, times ns.
"""

from __future__ import annotations

from typing import Final

MILLION: Final = 1_000_000
MOST_STEPS: Final = 8
"""Steps of a ladder."""

# ---- a position --------------------------------------------------------------------------------
X_HELD: Final = 0
"""shares that can be sold: whole lots"""
X_BOUGHT: Final = 1
"""shares that came since the position was opened"""
X_AVERAGE: Final = 2
"""average cost a share, as a fine price"""
X_OPENED: Final = 3
X_HIGH: Final = 4
"""highest trustworthy bid since it was opened"""
X_ATR_LEVEL: Final = 5
"""the trailing stop by true range, in half price units; it only rises"""
X_TAKEN: Final = 6
"""steps of the profit's ladder that are done"""
X_TAKEN_PART: Final = 7
"""shares sold towards the next"""
X_REDUCED: Final = 8
X_REDUCED_PART: Final = 9
X_NOT_BEFORE: Final = 10
"""no attempt before this moment"""
X_PAUSE: Final = 11
"""how long the last attempt's timer waits; 0: something was booked since"""
X_CLOSE: Final = 12
"""a code when it is to be sold whatever the rules say"""
X_WORTH: Final = 13
"""what a share is believed worth, as a fine price; MISSING: nobody said"""
X_LOW: Final = 14
"""twice the mid of YES from which down that belief is to be asked for anew"""
X_TOP: Final = 15
X_ASK_AFTER: Final = 16
X_LAST: Final = 17
"""the last bid seen"""
X_TICKED: Final = 18
"""1 when the last price changed the bid"""
X_STALE: Final = 19
"""1 while the price that stands is older than the last purchase: it says nothing about it yet"""
X_SIZE_OF: Final = 20

# ---- what a strategy declares ------------------------------------------------------------------
R_ON: Final = 0
"""1 when anything is declared"""
R_STOP: Final = 1
R_BREAKEVEN: Final = 2
R_TRAIL: Final = 3
"""distance in gain"""
R_ARM: Final = 4
"""gain from which a trailing stop counts"""
R_ATR: Final = 5
"""distance in true ranges, millionths"""
R_PERIOD: Final = 6
R_NEAR: Final = 7
"""ns before the market closes"""
R_THESIS: Final = 8
R_TICKS: Final = 9
"""1 when every change of a held token's bid is a wake"""
R_UNDER: Final = 10
"""ns under water after which a ledger's recovery is watched"""
R_GAIN: Final = 11
R_DISTANCE: Final = 12
R_RETRY: Final = 13
R_TAKES: Final = 14
"""steps of the profit's ladder"""
R_HOLDS: Final = 15
R_TAKE: Final = 16
"""(gain, part sold by then) of each step"""
R_HOLD: Final = R_TAKE + 2 * MOST_STEPS
"""(ns held, part sold by then) of each step"""
R_SIZE_OF: Final = R_HOLD + 2 * MOST_STEPS

# ---- all positions of a ledger -----------------------------------------------------------------
P_BASIS: Final = 0
"""cash and the cost of all shares: equity above it is unrealised gain"""
P_COST: Final = 1
P_SINCE: Final = 2
"""under water since, 0: it is not"""
P_ARMED: Final = 3
P_BEST: Final = 4
"""the highest gain since it recovered"""
P_FIRED: Final = 5
"""when all positions were last told to be sold"""
P_SIZE_OF: Final = 6

# ---- a market ----------------------------------------------------------------------------------
Y_FIRST: Final = 0
"""index of its first token"""
Y_TOKENS: Final = 1
Y_ONE: Final = 2
Y_RATE: Final = 3
Y_EXPONENT: Final = 4
Y_CLOSES: Final = 5
Y_LOT: Final = 6
Y_MIN: Final = 7
Y_DIVISOR: Final = 8
Y_WATCHED: Final = 9
"""positions that anything may sell"""
Y_MID: Final = 10
"""twice the mid of YES when the market was last forecast, 0: there was none"""
Y_SIZE_OF: Final = 11

CODES: Final = (
    "",
    "emergency",
    "portfolio_trailing",
    "stop_loss",
    "trailing",
    "breakeven",
    "near_resolution",
    "max_holding",
    "thesis",
    "take_profit",
)
"""Reasons by code, in order of precedence: the worst for us first."""
NONE: Final = 0
EMERGENCY: Final = 1
PORTFOLIO: Final = 2
STOP: Final = 3
TRAILING: Final = 4
BREAKEVEN: Final = 5
NEAR: Final = 6
HOLDING: Final = 7
THESIS: Final = 8
TAKE: Final = 9
ASK: Final = 10
"""nothing is sold: the belief is too old for this price and is to be asked for anew"""
