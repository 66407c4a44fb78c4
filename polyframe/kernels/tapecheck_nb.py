"""Looks through the rows of one instrument of a tape: is its book a book, are its clocks clocks.

Prices are ranks: 1 for the lowest price on the tape, so that a book has as many steps as there are
prices and every price has a step.

Shapes:
    ts, venue, kind, side, step, size, flag, aux   (rows,) int64, one instrument's
    marks   (rows,) int64: 1 where an update ends with a crossed book for the first time since the
            book was whole, 2 where a snapshot is broken
    state   (K_SIZE_OF,) int64, bids and asks (steps,) int64: see ``book_nb``
    seen    (S_SIZE_OF,) int64: what is carried from one call to the next
    tally   (T_SIZE_OF,) int64
Units: ns; side +1, -1; ranks; size units.
"""

from __future__ import annotations

from typing import Final

from numba import int64, types

from polyframe.kernels.book_nb import K_ASK, K_BID, K_WHOLE, crossed, rest, wipe
from polyframe.kernels.compile_nb import kernel

# ---- kinds and flags of rows, as ``store.tape_rows`` has them ------------------------------------
QUOTE_BID: Final = 2
QUOTE_ASK: Final = 3
LEVEL: Final = 4
SNAPSHOT_BEGIN: Final = 5
SNAPSHOT_END: Final = 6
TRADE: Final = 7
CLEAR: Final = 9
MORE: Final = 128

# ---- what is carried -----------------------------------------------------------------------------
S_TS: Final = 0
"""ts of the row before, 0 at first"""
S_BOOK: Final = 1
"""latest venue time of a level outside snapshots, of a trade, of a quote"""
S_TRADE: Final = 2
S_QUOTE: Final = 3
S_INSIDE: Final = 4
"""1 between the marks of a snapshot"""
S_LEVELS: Final = 5
"""levels since its begin"""
S_BID: Final = 6
"""last quoted bid and ask, 0 for none"""
S_ASK: Final = 7
S_CROSSED: Final = 8
"""1 once the book stood crossed since its last snapshot"""
S_STATED: Final = 9
"""levels that its begin promised"""
S_SIZE_OF: Final = 10

# ---- what is counted -----------------------------------------------------------------------------
T_CROSSED: Final = 0
"""updates that end with a crossed book, which was whole"""
T_NEGATIVE: Final = 1
"""quotes with the bid above the ask"""
T_BACK: Final = 2
"""rows whose venue time is before that of an earlier row of their kind"""
T_BACK_MOST: Final = 3
T_AHEAD: Final = 4
"""rows that were known before the venue says they happened"""
T_AHEAD_MOST: Final = 5
T_UNTRUSTED: Final = 6
"""ns in which the book was not to be trusted"""
T_SNAPSHOTS: Final = 7
T_BROKEN: Final = 8
"""snapshots without begin or end, or with another number of levels than their marks say"""
T_LEVELS: Final = 9
T_CLEARS: Final = 10
T_TRADES: Final = 11
T_EMPTY: Final = 12
"""snapshots without a level"""
T_SILENCE: Final = 13
"""longest time without a row, ns"""
T_SIZE_OF: Final = 14

_read = types.Array(int64, 1, "C", readonly=True)
_row = types.Array(int64, 1, "C")


@kernel(types.void(int64, int64, int64, int64, _row, _row))
def clocks(ts, venue, kind, inside, seen, tally):  # type: ignore[no-untyped-def]
    """Holds a row's times against those of rows before. A snapshot is older than what it replaces.

    Shapes: see module. Units: ns.
    """
    if venue == 0:
        return
    if venue > ts:
        tally[T_AHEAD] += 1
        tally[T_AHEAD_MOST] = max(tally[T_AHEAD_MOST], venue - ts)
    if inside == 1:
        return
    if kind == LEVEL:
        clock = S_BOOK
    elif kind == TRADE:
        clock = S_TRADE
    elif kind in (QUOTE_BID, QUOTE_ASK):
        clock = S_QUOTE
    else:
        return
    if venue < seen[clock]:
        tally[T_BACK] += 1
        tally[T_BACK_MOST] = max(tally[T_BACK_MOST], seen[clock] - venue)
    else:
        seen[clock] = venue


@kernel(int64(int64, int64, _row, _row, _row, _row, _row))
def bounded(kind, aux, state, bids, asks, seen, tally):  # type: ignore[no-untyped-def]
    """Takes the begin or end of a snapshot; 2 where the snapshot is broken, else 0.

    Shapes: see module. Units: none.
    """
    broken = 0
    if kind == SNAPSHOT_BEGIN:
        if seen[S_INSIDE] == 1:
            broken = 2
        wipe(state, bids, asks)
        seen[S_INSIDE] = 1
        seen[S_LEVELS] = 0
        seen[S_STATED] = aux
    else:
        if seen[S_INSIDE] == 0 or seen[S_LEVELS] != aux or seen[S_STATED] != aux:
            broken = 2
        else:
            state[K_WHOLE] = 1
            seen[S_CROSSED] = 0
            tally[T_SNAPSHOTS] += 1
            if state[K_BID] == 0 and state[K_ASK] == bids.shape[0]:
                tally[T_EMPTY] += 1
        seen[S_INSIDE] = 0
        seen[S_BOOK] = 0  # updates that are newer than a snapshot may be told again behind it
    if broken != 0:
        tally[T_BROKEN] += 1
    return broken


@kernel(types.void(int64, int64, _row, _row))
def quoted(kind, step, seen, tally):  # type: ignore[no-untyped-def]
    """Takes a best bid or ask. A pair is judged when its ask arrives, for the bid comes first.

    Shapes: see module. Units: ranks.
    """
    if kind == QUOTE_BID:
        seen[S_BID] = step
    else:
        seen[S_ASK] = step
        if step > 0 and seen[S_BID] > step:
            tally[T_NEGATIVE] += 1


@kernel(
    types.void(
        _read, _read, _read, _read, _read, _read, _read, _read, _row, _row, _row, _row, _row, _row
    )
)
def scan(ts, venue, kind, side, step, size, flag, aux, marks, state, bids, asks, seen, tally):  # type: ignore[no-untyped-def]
    """Goes through rows and counts what is wrong with them; calls may follow one another.

    Shapes: see module. Units: see module.
    """
    for n in range(ts.shape[0]):
        marks[n] = 0
        what = kind[n]
        if seen[S_TS] != 0:
            if state[K_WHOLE] == 0:
                tally[T_UNTRUSTED] += ts[n] - seen[S_TS]
            tally[T_SILENCE] = max(tally[T_SILENCE], ts[n] - seen[S_TS])
        seen[S_TS] = ts[n]
        clocks(ts[n], venue[n], what, seen[S_INSIDE], seen, tally)
        if what == LEVEL:
            tally[T_LEVELS] += 1
            seen[S_LEVELS] += 1
            rest(state, bids, asks, side[n], step[n], size[n])
        elif what in (SNAPSHOT_BEGIN, SNAPSHOT_END):
            marks[n] = bounded(what, aux[n], state, bids, asks, seen, tally)
        elif what == CLEAR:
            tally[T_CLEARS] += 1
            wipe(state, bids, asks)
            seen[S_INSIDE] = 0
        elif what == TRADE:
            tally[T_TRADES] += 1
        elif what in (QUOTE_BID, QUOTE_ASK):
            quoted(what, step[n], seen, tally)
        if flag[n] & MORE == 0:
            if crossed(state) == 1 and state[K_WHOLE] == 1:
                if seen[S_CROSSED] == 0:
                    marks[n] = 1
                tally[T_CROSSED] += 1
                seen[S_CROSSED] = 1
