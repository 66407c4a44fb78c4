"""Advances books over recorded quotes to the next moment at which somebody must decide."""

from __future__ import annotations

from typing import Final

from numba import int32, int64, types, uint8, uint32

from polyframe.kernels import exit_tables_nb, exits_nb
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.tables_nb import T_SHARES

# ---- columns of a book row (one market, YES space) --------------------------------------------
B_BID: Final = 0
B_ASK: Final = 1
B_BID_SIZE: Final = 2
B_ASK_SIZE: Final = 3
B_TS: Final = 4
B_TRUSTED: Final = 5
B_MARK_BID: Final = 6
"""last trustworthy bid: what YES shares are valued at"""
B_MARK_ASK: Final = 7
"""last trustworthy ask: NO shares are valued at 1 minus it"""
B_SEEN: Final = 8
"""trustworthy rows seen, also the write position of the history ring"""
B_TOKEN: Final = 9
"""index of the market's first token"""
B_TOKENS: Final = 10
B_ONE: Final = 11
"""the integer price of 1.0"""
B_DIVISOR: Final = 12
B_HOUR: Final = 13
"""the last hour in which the market's mid was known, counted from 1970"""
B_OWN_BOUGHT: Final = 14
"""what own orders of all strategies bought and sold of YES, size units"""
B_OWN_SOLD: Final = 15
B_OWN_FILLS: Final = 16
B_OWN_PRICE: Final = 17
B_OWN_SIDE: Final = 18
B_WOKEN: Final = 19
"""strategies to wake for the market when the update under way ends, as bits"""
B_SIZE_OF: Final = 20

GRID_STEP: Final = 3_600_000_000_000
GRID: Final = 96
"""hours of which the last mid is kept, on the same grid for all markets"""

# ---- columns of a wake row (one strategy and market) ------------------------------------------
W_MOVE: Final = 0
"""wake when bid or ask moved by so many price units, 0: never"""
W_BID: Final = 1
"""where the bid stood at this strategy's last wake"""
W_ASK: Final = 2
W_SIZE_OF: Final = 3
MOST_STRATEGIES: Final = 62
"""a wake names its strategies in the bits of one int64"""

# ---- equity, one row a ledger, the account's last -----------------------------------------------
E_NOW: Final = 0
E_FLOOR: Final = 1
"""wake at the first row on which equity is at or below"""
E_STEP: Final = 2
"""ns between equity samples"""
E_TS: Final = 3
"""time of the last row marked"""
E_COUNT: Final = 4
E_PEAK: Final = 5
"""the highest equity so far"""
E_FIXED: Final = 6
"""the highest floor that does not move with the peak"""
E_FIRST: Final = 7
"""the least fall from the peak that wakes, in millionths of it; 0: none does"""
E_SIZE_OF: Final = 8

NO_FLOOR: Final = -(2**63)
MILLION: Final = 1_000_000

STOP_TIME: Final = 0
STOP_MOVED: Final = 1
STOP_LIMIT: Final = 2
STOP_END: Final = 3
STOP_EXIT: Final = 4

_ts = types.Array(int64, 1, "C", readonly=True)
_market = types.Array(int32, 1, "C", readonly=True)
_flag = types.Array(uint8, 1, "C", readonly=True)
_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")
_ring = types.Array(int32, 2, "C")
_cube = types.Array(int64, 3, "C")


@kernel(int64(int64, int64, int64, int64, int64), inline=True)
def mark(shares: int, outcome: int, bid: int, ask: int, one: int) -> int:
    """Shares x the price at which they could be sold, before division.

    Shapes: scalars. Units: size x price units.
    """
    if shares == 0:
        return 0
    if outcome == 0:
        return shares * bid
    return shares * (one - ask) if ask > 0 else 0


@kernel(int64(_table, int64, _row, _row), inline=True)
def revalue(book, m, shares, value):  # type: ignore[no-untyped-def]
    """Values a market's shares anew; returns by how much their value changed.

    Shapes: book (markets, B_SIZE_OF); shares, value (tokens,). Units: money.
    """
    change = int64(0)
    first = book[m, B_TOKEN]
    for k in range(book[m, B_TOKENS]):
        worth = int64(0)
        if shares[first + k] != 0:
            worth = (
                mark(shares[first + k], k, book[m, B_MARK_BID], book[m, B_MARK_ASK], book[m, B_ONE])
                // book[m, B_DIVISOR]
            )
        change += worth - value[first + k]
        value[first + k] = worth
    return change


@kernel(types.void(_table, int64, _cube, _table, _table), inline=True)
def revalue_all(book, m, tokens, value, marks):  # type: ignore[no-untyped-def]
    """Values a market's shares anew for every ledger and the account.

    Shapes: book (markets, B_SIZE_OF); tokens (T_SIZE_OF, rows, tokens); value (rows, tokens);
    marks (rows, E_SIZE_OF). Units: money.
    """
    last = marks.shape[0] - 1
    first = book[m, B_TOKEN]
    for k in range(first, first + book[m, B_TOKENS]):
        # Where the account holds nothing no ledger does.
        if tokens[T_SHARES, last, k] != 0 or value[last, k] != 0:
            change = revalue(book, m, tokens[T_SHARES, 0], value[0])
            marks[0, E_NOW] += change
            if last == 1:
                # What the one ledger holds is all that the account does.
                marks[1, E_NOW] += change
                for token in range(first, first + book[m, B_TOKENS]):
                    value[1, token] = value[0, token]
                return
            for row in range(1, last + 1):
                marks[row, E_NOW] += revalue(book, m, tokens[T_SHARES, row], value[row])
            return


@kernel(int64(int64, int64), inline=True)
def fallen(peak: int, share: int) -> int:
    """The highest equity that lies ``share`` or more below the peak.

    Shapes: scalars. Units: money; millionths of the peak.
    """
    # In two parts, because the product of the whole may pass 2^63.
    return peak - (peak // MILLION) * share - (peak % MILLION) * share // MILLION


@kernel(int64(_table), inline=True)
def settle(marks):  # type: ignore[no-untyped-def]
    """Lifts peaks and the floors that follow them; 1 when a row stands at or below its floor.

    Shapes: marks (rows, E_SIZE_OF). Units: money.
    """
    crossed = int64(0)
    for row in range(marks.shape[0]):
        now = marks[row, E_NOW]
        if now > marks[row, E_PEAK]:
            marks[row, E_PEAK] = now
            if marks[row, E_FIRST] > 0:
                moving = fallen(now, marks[row, E_FIRST])
                marks[row, E_FLOOR] = max(marks[row, E_FIXED], moving)
        if now <= marks[row, E_FLOOR]:
            crossed = int64(1)
    return crossed


@kernel(types.void(_table, _ring, _ring, int64, int64, int64, int64, int64), inline=True)
def set_quote(book, history, grid, m, ts, bid, ask, trusted):  # type: ignore[no-untyped-def]
    """Writes one quote into a market's book row; history and marks only when it is trustworthy.

    Shapes: book (markets, B_SIZE_OF), history (markets, ring), grid (markets, GRID).
    Units: price integers.
    """
    book[m, B_TS] = ts
    book[m, B_TRUSTED] = trusted
    book[m, B_BID] = bid
    book[m, B_ASK] = ask
    if trusted == 1:
        if bid > 0:
            book[m, B_MARK_BID] = bid
        if ask > 0:
            book[m, B_MARK_ASK] = ask
        if bid > 0 and ask > 0:
            # Twice the mid, so that it stays an integer.
            # 32 bits: their division takes half as long.
            history[m, uint32(book[m, B_SEEN]) % uint32(history.shape[1])] = bid + ask
            book[m, B_SEEN] += 1
            hour = ts // GRID_STEP
            # Hours without a mid hold none: what stood there is four days old.
            for gone in range(max(book[m, B_HOUR] + 1, hour - GRID + 1), hour):
                grid[m, gone % GRID] = 0
            if hour >= book[m, B_HOUR]:
                grid[m, hour % GRID] = bid + ask
                book[m, B_HOUR] = hour


@kernel(types.void(_table, int64, int64, int64, int64), inline=True)
def own_fill(book, m, side, price, size):  # type: ignore[no-untyped-def]
    """Counts an own fill of a market.

    Shapes: book (markets, B_SIZE_OF). Units: YES space: +1 bought; price and size units.
    """
    book[m, B_OWN_BOUGHT if side > 0 else B_OWN_SOLD] += size
    book[m, B_OWN_FILLS] += 1
    book[m, B_OWN_PRICE] = price
    book[m, B_OWN_SIDE] = side


@kernel(int64(_table, _cube, int64), inline=True)
def moved(book, wakes, m):  # type: ignore[no-untyped-def]
    """The strategies whose price condition holds in a market, as bits; their marks move along.

    Each strategy has its own marks, so that it is woken alike whoever else runs beside it.

    Shapes: book (markets, B_SIZE_OF); wakes (strategies, markets, W_SIZE_OF).
    Units: price integers.
    """
    found = int64(0)
    if book[m, B_TRUSTED] != 1:
        return found
    bid = book[m, B_BID]
    ask = book[m, B_ASK]
    for k in range(wakes.shape[0]):
        move = wakes[k, m, W_MOVE]
        if move > 0 and (
            abs(bid - wakes[k, m, W_BID]) >= move or abs(ask - wakes[k, m, W_ASK]) >= move
        ):
            wakes[k, m, W_BID] = bid
            wakes[k, m, W_ASK] = ask
            found |= int64(1) << k
    return found


@kernel(
    types.Tuple((int64, int64, int64, int64))(
        _ts, _market, _ts, _ts, _flag, int64, int64, int64, _table, _ring, _ring, _cube, _cube,
        _table, _table, exits_nb.TABLES, _row, _row,
    ))  # fmt: skip
def advance(  # type: ignore[no-untyped-def]
    ts, market, bid, ask, flag, unquoted, cursor, stop_ts, book, history, grid, wakes, tokens,
    value, marks, exits, out_ts, out_equity,
):  # fmt: skip
    """Applies rows up to ``stop_ts`` or the first wake condition.

    Returns the next cursor, why it stopped (``STOP_``), the market that caused it (-1: none) and
    the strategies whose own condition holds there, as bits.
    Equity is marked on every row, of each ledger and of the account; the account's is sampled when
    a step of its E_STEP ends.

    Shapes: columns (rows,); book (markets, B_SIZE_OF); history (markets, ring); grid (markets,
    GRID); wakes (strategies, markets, W_SIZE_OF); tokens (T_SIZE_OF, ledgers + 1, tokens); value
    (ledgers + 1, tokens); marks (ledgers + 1, E_SIZE_OF); exits see ``exits_nb.TABLES``; out_ts,
    out_equity (capacity,).
    Units: ns, price integers, money.
    """
    rows = ts.shape[0]
    last = marks.shape[0] - 1
    step = marks[last, E_STEP]
    while cursor < rows:
        now = ts[cursor]
        if now > stop_ts:
            return cursor, STOP_TIME, -1, 0
        if step > 0 and marks[last, E_TS] > 0 and now // step != marks[last, E_TS] // step:
            n = marks[last, E_COUNT]
            if n < out_ts.shape[0]:
                out_ts[n] = marks[last, E_TS]
                out_equity[n] = marks[last, E_NOW]
                marks[last, E_COUNT] = n + 1
        marks[last, E_TS] = now
        m = int64(market[cursor])
        trusted = (
            1 if (int64(flag[cursor]) & unquoted) == 0 and bid[cursor] + ask[cursor] > 0 else 0
        )
        if trusted == 1:
            set_quote(book, history, grid, m, now, bid[cursor], ask[cursor], 1)
            revalue_all(book, m, tokens, value, marks)
        else:
            set_quote(book, history, grid, m, now, 0, 0, 0)
        cursor += 1
        woken = moved(book, wakes, m)
        leaves = int64(0)
        if trusted == 1 and exits[3][m, exit_tables_nb.Y_WATCHED] > 0:
            leaves = exits_nb.watch(
                exits, history[m], book[m, B_SEEN], m, now, bid[cursor - 1], ask[cursor - 1], marks
            )
        if settle(marks) != 0:
            return cursor, STOP_LIMIT, m, woken
        if woken != 0:
            return cursor, STOP_MOVED, m, woken
        if leaves != 0:
            return cursor, STOP_EXIT, m, woken
    return cursor, STOP_END, -1, 0
