"""Fills what a quoting strategy sees, and reads what it wants: one code for all ways to run it.

Shapes: see ``seencolumns_nb`` and ``l2columns_nb``.
Units: see ``seencolumns_nb``; ns, price and size units and money where the session's tables are
meant.
"""

from __future__ import annotations

import math
from typing import Final

from numba import float64, int64, types

from polyframe.kernels import barmatch_nb as bm
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import book_nb as b
from polyframe.kernels import guards_nb as g
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import seencolumns_nb as s
from polyframe.kernels import tables_nb as t
from polyframe.kernels.compile_nb import kernel

MILLION: Final = 1e6
SECOND: Final = 1e9

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")
_cube = types.Array(int64, 3, "C")
_vector = types.Array(float64, 1, "C")
_matrix = types.Array(float64, 2, "C")
QUOTE = int64(_vector, _vector, _vector, _matrix)
"""(seen, own, parameters, wanted) -> number of quotes wanted, LEAVE to leave what rests"""
REWARDS: Final = 4
"""columns of a market's terms: spread and size that earn rewards, rewards a day, rebate"""


@kernel(types.void(_vector, _row, _table, int64, float64, float64), inline=True)
def _levels(out, book, levels, m, one, share):  # type: ignore[no-untyped-def]
    """The best levels of both sides."""
    out[s.LEVELS : s.LEVELS + 4 * s.DEPTH] = 0.0
    tick, base = book[b.K_TICK], book[b.K_BASE]
    for side in range(2):
        step = book[b.K_BID + side]
        found = int64(0)
        while found < s.DEPTH and 0 < step < levels.shape[1]:
            rests = levels[2 * m + side, step]
            if rests > 0:
                at = s.LEVELS + 4 * found + 2 * side
                out[at] = (step * tick + base) / one
                out[at + 1] = rests / share
                found += 1
            step += 2 * side - 1


@kernel(
    types.void(
        _vector, int64, int64, int64, _table, _table, _table, _table, _table, _cube, _table, _table,
        _matrix, int64,
    ),
    inline=True,
)  # fmt: skip
def see(  # type: ignore[no-untyped-def]
    out, m, row, now, book, desk, levels, rules, account, tokens, marks, traits, terms, depth
):
    """Fills what the strategy of a ledger sees of a market now; with ``depth`` its levels too.

    Shapes: out (SEEN_SIZE_OF,); book (markets, B_SIZE_OF); desk, levels, rules see ``venue_nb``;
    account, tokens, marks, traits see ``tables_nb``; terms (markets, REWARDS). Units: ns.
    """
    seen, own, rule = book[m], desk[m], rules[m]
    one, share = float(rule[bm.R_ONE]), float(rule[bm.R_SIZE_ONE])
    trusted = seen[nb.B_TRUSTED] != 0
    bid, ask = own[b.K_BID], own[b.K_ASK]
    out[s.NOW] = now / SECOND
    out[s.BID] = seen[nb.B_BID] / one if trusted else 0.0
    out[s.ASK] = seen[nb.B_ASK] / one if trusted else 0.0
    out[s.BID_SIZE] = levels[2 * m, bid] / share if bid > 0 else 0.0
    out[s.ASK_SIZE] = levels[2 * m + 1, ask] / share if ask < levels.shape[1] else 0.0
    token = seen[nb.B_TOKEN]
    binary = seen[nb.B_TOKENS] > 1
    out[s.YES] = tokens[t.T_SHARES, row, token] / share
    out[s.YES_COST] = tokens[t.T_COST, row, token] / MILLION
    out[s.NO] = tokens[t.T_SHARES, row, token + 1] / share if binary else 0.0
    out[s.NO_COST] = tokens[t.T_COST, row, token + 1] / MILLION if binary else 0.0
    out[s.CASH] = (account[t.A_CASH, row] - account[t.A_RESERVED, row]) / MILLION
    out[s.EQUITY] = marks[row, nb.E_NOW] / MILLION
    out[s.TICK] = own[b.K_TICK] / one
    out[s.MIN_SIZE] = rule[bm.R_MIN_SIZE] / share
    closes = traits[m, t.K_CLOSES]
    out[s.CLOSES] = closes / SECOND if closes > 0 else math.inf
    out[s.LAST] = own[c.D_TRADE_PRICE] / one
    out[s.BOUGHT] = own[c.D_BOUGHT] / share
    out[s.SOLD] = own[c.D_SOLD] / share
    out[s.TRADES] = own[c.D_TRADES]
    believed = traits[m, t.K_FORECAST]
    out[s.FORECAST] = believed / MILLION if believed != g.MISSING else math.nan
    out[s.FEE_RATE] = rule[bm.R_RATE] / MILLION
    out[s.FEE_EXPONENT] = rule[bm.R_EXPONENT]
    out[s.OWN_BOUGHT] = seen[nb.B_OWN_BOUGHT] / share
    out[s.OWN_SOLD] = seen[nb.B_OWN_SOLD] / share
    out[s.OWN_FILLS] = seen[nb.B_OWN_FILLS]
    out[s.OWN_PRICE] = seen[nb.B_OWN_PRICE] / one
    out[s.OWN_SIDE] = seen[nb.B_OWN_SIDE]
    out[s.ONE] = 1.0 if binary else math.inf
    out[s.REWARD_SPREAD] = terms[m, 0]
    out[s.REWARD_SIZE] = terms[m, 1]
    out[s.REWARD_DAY] = terms[m, 2]
    out[s.REBATE] = terms[m, 3]
    if depth != 0:
        _levels(out, own, levels, m, one, share)


@kernel(types.void(_matrix, int64, int64), inline=True)
def check(wanted, n, outcomes):  # type: ignore[no-untyped-def]
    """Refuses rows that can be no quotes; a price or size of 0 says that none is wanted.

    Raises:
        ValueError: a row has another outcome or side, or a price or size that is no number.

    Shapes: wanted (MOST_QUOTES, WANTED_SIZE_OF). Units: the strategy's.
    """
    if n > s.MOST_QUOTES:
        raise ValueError("it wants more quotes than there are rows")
    for k in range(n):
        outcome, side = wanted[k, s.W_OUTCOME], wanted[k, s.W_SIDE]
        # A comparison with NaN is false.
        if not (outcome == 0.0 or (outcome == 1.0 and outcomes > 1)):
            raise ValueError("a quote's outcome is none of the market's: 0 or, for NO, 1")
        if not (side == 1.0 or side == -1.0):
            raise ValueError("a quote's side is neither 1 (bid) nor -1 (offer)")
        if not 0.0 <= wanted[k, s.W_PRICE] < 1.0e9:
            raise ValueError("a quote's price is no number from 0 up")
        if not 0.0 <= wanted[k, s.W_SIZE] < 1.0e12:
            raise ValueError("a quote's size is no number from 0 up")


@kernel(int64(_matrix, int64, int64, int64, int64, _table), inline=True)
def read(wanted, n, outcome, one, share, out):  # type: ignore[no-untyped-def]
    """Reads the quotes wanted on one token into whole units, bids before offers; returns how many.

    A price or size of 0 is left out: nothing is wanted there.

    Shapes: wanted (MOST_QUOTES, WANTED_SIZE_OF); out (MOST_QUOTES, 3): side, price, size. Units:
    the strategy's; price and size units.
    """
    found = int64(0)
    for side in (1, -1):
        for k in range(min(n, s.MOST_QUOTES)):
            mine = wanted[k, s.W_OUTCOME] == outcome and wanted[k, s.W_SIDE] == side
            price, size = wanted[k, s.W_PRICE], wanted[k, s.W_SIZE]
            if mine and price > 0.0 and size > 0.0:
                out[found, 0] = side
                out[found, 1] = int64(math.floor(price * one + 0.5))
                out[found, 2] = int64(math.floor(size * share + 0.5))
                found += 1
    return found
