"""What a quoting strategy sees of one market, and what it answers: the columns of its arrays.

Shapes: seen (SEEN_SIZE_OF,) float64; own (OWN_SIZE_OF,) float64, the strategy's own memory of the
market, zeros at first; wanted (MOST_QUOTES, WANTED_SIZE_OF) float64.
Units: seconds since 1970; prices as fractions of 1, YES space unless an outcome is named; shares;
money in whole units of the account's currency.
"""

from __future__ import annotations

from typing import Final

NOW: Final = 0
BID: Final = 1
"""best bid, 0 for none; both sides are 0 while the book is not to be trusted"""
ASK: Final = 2
BID_SIZE: Final = 3
ASK_SIZE: Final = 4
YES: Final = 5
"""shares held of the first outcome"""
NO: Final = 6
YES_COST: Final = 7
"""what those shares cost"""
NO_COST: Final = 8
CASH: Final = 9
"""cash that no order holds"""
EQUITY: Final = 10
TICK: Final = 11
MIN_SIZE: Final = 12
CLOSES: Final = 13
"""when the market closes, infinity when that is not known"""
LAST: Final = 14
"""price of the last public trade, 0 before the first"""
BOUGHT: Final = 15
"""shares that takers bought since the session began"""
SOLD: Final = 16
TRADES: Final = 17
"""public trades since the session began"""
FORECAST: Final = 18
"""the newest forecast's probability, NaN when there is none"""
FEE_RATE: Final = 19
REBATE: Final = 20
"""the part of takers' fees that makers share"""
OWN_BOUGHT: Final = 21
"""shares of the first outcome that own orders bought, or of the second sold, in this session"""
OWN_SOLD: Final = 22
OWN_FILLS: Final = 23
OWN_PRICE: Final = 24
"""price of the last own fill, 0 before the first"""
OWN_SIDE: Final = 25
"""+1 when that bought the first outcome or sold the second, -1 otherwise"""
ONE: Final = 26
"""1 for a market whose prices lie between 0 and 1, infinity for any other"""
REWARD_SPREAD: Final = 27
"""how far from the mid quotes still earn liquidity rewards, 0: there are none"""
REWARD_SIZE: Final = 28
"""the least size that earns them"""
REWARD_DAY: Final = 29
"""what the market pays a day"""
FEE_EXPONENT: Final = 30
"""takers pay shares x fee rate x (p x (1 - p))**exponent"""
LEVELS: Final = 31
"""DEPTH times: bid, its size, ask, its size; 0 where there is none"""
DEPTH: Final = 5
SEEN_SIZE_OF: Final = LEVELS + 4 * DEPTH

OWN_SIZE_OF: Final = 64

W_OUTCOME: Final = 0
"""0 for the first outcome's token, 1 for the second's"""
W_SIDE: Final = 1
"""+1 bids, -1 offers"""
W_PRICE: Final = 2
"""of that token"""
W_SIZE: Final = 3
WANTED_SIZE_OF: Final = 4
MOST_QUOTES: Final = 16

LEAVE: Final = -1
"""the answer of a strategy that leaves what rests as it is"""
