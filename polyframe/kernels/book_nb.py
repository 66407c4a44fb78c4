"""The levels of one book as two arrays, kept up to date row by row.

A level's place is its price in steps: the price above the book's base, divided by the tick in
force. Sizes are whole
numbers. A book of a binary market has both of its tokens in YES space: a bid for NO at p is an
offer of YES at 1 - p.

Shapes:
    state  (K_SIZE_OF,) int64
    bids   (levels,) int64: what rests at each step, 0 for nothing; the first and the last are none
    asks   the same
Units: size units; steps of the tick; the tick, the base and the one in price units.
"""

from __future__ import annotations

from typing import Final

from numba import int64, types

from polyframe.kernels.compile_nb import kernel

K_BID: Final = 0
"""step of the best bid, 0 for none"""
K_ASK: Final = 1
"""step of the best ask, the length of the arrays for none"""
K_TICK: Final = 2
K_ONE: Final = 3
"""the first price above the base that is none of this book: one share's worth, if it is binary"""
K_WHOLE: Final = 4
"""WHOLE since a snapshot, BEST_ONLY since a quote of best prices, 0: not to be trusted"""
K_TS: Final = 5
K_BASE: Final = 6
"""the price of step 0: 0 where prices lie between 0 and one"""
K_MOVES: Final = 7
"""1 when the base follows the price: see ``window_nb``"""
K_SIZE_OF: Final = 8

WHOLE: Final = 1
BEST_ONLY: Final = 2
"""nothing is known of what stands behind the best prices"""

OFF_GRID: Final = -1

_row = types.Array(int64, 1, "C")


@kernel(types.void(_row, _row, _row))
def wipe(state, bids, asks):  # type: ignore[no-untyped-def]
    """Takes everything out of a book; it is not to be trusted before it is whole again.

    Shapes: see module. Units: see module.
    """
    for step in range(bids.shape[0]):
        bids[step] = 0
        asks[step] = 0
    state[K_BID] = 0
    state[K_ASK] = bids.shape[0]
    state[K_WHOLE] = 0


@kernel(int64(_row, int64), inline=True)
def step_of(state, price):  # type: ignore[no-untyped-def]
    """The step of a price, OFF_GRID when it is no price of this book.

    Shapes: state (K_SIZE_OF,). Units: price units.
    """
    above = price - state[K_BASE]
    if above <= 0 or above >= state[K_ONE] or above % state[K_TICK] != 0:
        return OFF_GRID
    return above // state[K_TICK]


@kernel(int64(_row, int64, int64), inline=True)
def held_at(state, price, levels):  # type: ignore[no-untyped-def]
    """The step of a price on the tick, the first or the last if it lies outside the book's window.

    Nothing ever rests at those two.

    Shapes: state (K_SIZE_OF,). Units: price units; ``levels`` their number.
    """
    return min(max((price - state[K_BASE]) // state[K_TICK], int64(0)), levels - 1)


@kernel(int64(_row, int64), inline=True)
def on_grid(state, price):  # type: ignore[no-untyped-def]
    """1 for a price that an order may have, within the window or, where that moves, outside.

    Shapes: state (K_SIZE_OF,). Units: price units.
    """
    if state[K_MOVES] != 0:
        return 1 if price > 0 and price % state[K_TICK] == 0 else 0
    return 0 if step_of(state, price) == OFF_GRID else 1


@kernel(int64(_row, _row, _row, int64, int64, int64), inline=True)
def rest(state, bids, asks, side, step, size):  # type: ignore[no-untyped-def]
    """Writes what rests at a step now; returns what rested there before.

    Shapes: see module. Units: side +1 bids, -1 asks; size units.
    """
    if side > 0:
        before = bids[step]
        bids[step] = size
        if size > 0:
            state[K_BID] = max(state[K_BID], step)
        elif step == state[K_BID]:
            best = step
            while best > 0 and bids[best] == 0:
                best -= 1
            state[K_BID] = best
        return before
    before = asks[step]
    asks[step] = size
    if size > 0:
        state[K_ASK] = min(state[K_ASK], step)
    elif step == state[K_ASK]:
        best = step
        while best < asks.shape[0] and asks[best] == 0:
            best += 1
        state[K_ASK] = best
    return before


@kernel(int64(_row))
def crossed(state):  # type: ignore[no-untyped-def]
    """1 when the best bid stands at the best ask or above it: no such book can be.

    Shapes: state (K_SIZE_OF,). Units: none.
    """
    return 1 if state[K_BID] >= state[K_ASK] else 0


@kernel(int64(_row, _row, _row, int64))
def retick(state, bids, asks, tick):  # type: ignore[no-untyped-def]
    """Takes over a new tick; 1 when every level has a place on it.

    To a finer grid all levels move along. Levels that a coarser grid has no step for cannot stand
    any more: the book is emptied and waits for a snapshot.

    Shapes: see module; the arrays have room for the finest tick: one divided by it, and one more.
    Units: price units.
    """
    old = state[K_TICK]
    if tick == old:
        return 1
    if old % tick == 0:
        times = old // tick
        # From the top down, so that nothing is written over before it moved.
        for step in range(state[K_ONE] // old, 0, -1):
            bid, ask = bids[step], asks[step]
            bids[step] = 0
            asks[step] = 0
            bids[step * times] = bid
            asks[step * times] = ask
        state[K_BID] *= times
        if state[K_ASK] < asks.shape[0]:
            state[K_ASK] *= times
        state[K_TICK] = tick
        return 1
    state[K_TICK] = tick
    wipe(state, bids, asks)
    if state[K_MOVES] != 0:
        # The base is a multiple of the tick, so that a price is on one grid with its steps.
        state[K_BASE] -= state[K_BASE] % tick
    return 0
