"""Executable bid and ask around a recorded mid, from each market's own past alone."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import int32, int64, njit, types, uint8

_ints = types.Array(int64, 1, "C", readonly=True)
_markets = types.Array(int32, 1, "C", readonly=True)
_flags = types.Array(uint8, 1, "C", readonly=True)
_out = types.Array(int64, 1, "C")

_ring = types.Array(int32, 1, "C")

PPM: Final = 1_000_000

# ---- columns of a market's rolling state -------------------------------------------------------
S_LAST: Final = 0
S_CHANGE: Final = 1
S_CHAIN: Final = 2
"""0: no price yet, 1: one price, 2: a price and a change"""
S_PAIRS: Final = 3
S_XY: Final = 4
S_X: Final = 5
S_Y: Final = 6
S_JUMP: Final = 7
"""the latest change, or three quarters of this a row before, whichever is greater"""
S_QUOTED: Final = 8
"""1 while the row before was quoted"""
S_BORN: Final = 9
"""when the present stretch of quoted rows began"""
S_EMPTY: Final = 10
"""fading share of the market's rows that had no quote, millionths"""
S_SIZE_OF: Final = 11


@njit(int64(int64, int64, int64, int64), cache=True)
def roll_half(pairs, sum_xy, sum_x, sum_y):  # type: ignore[no-untyped-def]
    """Half the effective spread: sqrt(-cov) of successive changes, rounded up; 0 when cov >= 0.

    Shapes: scalars; sums over ``pairs`` pairs (change, change before). Units: price units.

    Source: Roll (1984), A Simple Implicit Measure of the Effective Bid-Ask Spread.
    """
    if pairs == 0:
        return 0
    scaled = pairs * sum_xy - sum_x * sum_y
    if scaled >= 0:
        return 0
    return int64(math.ceil(math.sqrt(float(-scaled)) / pairs))


@njit(int64(int64, int64, _ints, _ints), cache=True)
def floor_half(price, one, zone_upto, zone_half):  # type: ignore[no-untyped-def]
    """The least half spread at a price: that of the first zone reaching its distance to 0 or 1.

    Shapes: zone_* (z,), ascending. Units: price and result in price units, zones in millionths.
    """
    tail = min(price, one - price) * PPM
    half = zone_half[zone_half.shape[0] - 1]
    for k in range(zone_upto.shape[0]):
        if tail <= zone_upto[k] * one:
            half = zone_half[k]
            break
    return -((-half * one) // PPM)


@njit(int64(int64, int64, _ints, _ints), cache=True)
def young_floor(age, one, young_upto, young_half):  # type: ignore[no-untyped-def]
    """The least half spread of a book that has been quoted for ``age``; 0 once it is grown up.

    Shapes: young_* (y,), ascending. Units: age and young_upto ns, young_half millionths.
    """
    for k in range(young_upto.shape[0]):
        if age < young_upto[k]:
            return -((-young_half[k] * one) // PPM)
    return int64(0)


@njit(int64(int64, int64, int64), cache=True)
def bid_below(price: int, half: int, tick: int) -> int:
    """The bid ``half`` below a mid, down to the tick; at least one tick away or 0 for none.

    Shapes: scalars. Units: price units.
    """
    bid = ((price - half) // tick) * tick
    if bid >= tick:
        return bid
    return tick if price - tick >= tick else 0


@njit(int64(int64, int64, int64), cache=True)
def faded_share(share: int, hit: int, weight: int) -> int:
    """A fading share after one more row: ``weight`` of the way to one (``hit`` 1) or to nothing.

    Shapes: scalars. Units: millionths; stays within 0 and 1,000,000.
    """
    return share + (hit * PPM - share) * weight // PPM


@njit(types.void(int64, _out, _ring, _ring), cache=True)
def _remember(price, state, xs, ys):  # type: ignore[no-untyped-def]
    """Adds a price to a market's chain and to the rolling sums of its pairs of changes."""
    window = xs.shape[0]
    if state[S_CHAIN] > 0:
        x = price - state[S_LAST]
        state[S_JUMP] = max(abs(x), state[S_JUMP] * 3 // 4)
        y = state[S_CHANGE]
        if state[S_CHAIN] > 1:
            k = state[S_PAIRS] % window
            state[S_XY] += x * y - int64(xs[k]) * int64(ys[k])
            state[S_X] += x - int64(xs[k])
            state[S_Y] += y - int64(ys[k])
            xs[k] = x
            ys[k] = y
            state[S_PAIRS] += 1
        state[S_CHANGE] = x
    state[S_CHAIN] = min(state[S_CHAIN] + 1, 2)
    state[S_LAST] = price


@njit(
    types.void(
        _ints, _markets, _ints, _flags, _ints, _ints, _ints, _ints, _ints, _ints,
        int64, int64, int64, int64, int64, int64, int64, int64, int64, _out, _out,
    ),
    cache=True,
)  # fmt: skip
def quote(  # type: ignore[no-untyped-def]
    ts, market, price, flag, tick, one, zone_upto, zone_half, young_upto, young_half,
    window, least, jump, weight, empty, cap, stress, refused, breaks, bid, ask,
):  # fmt: skip
    """Writes the executable YES bid and ask of every row; 0 where nobody can trade.

    The half spread is the greatest of: the zone's floor; one tick; Roll's estimate over the last
    ``window`` pairs of changes (once there are ``least``); the floor of a young book, by the time
    since its quotes began; the share ``jump`` of a recent jump, that across rows without a quote
    included. It is at most ``cap``, but at least ``empty`` times the share of recent rows without
    a quote (each row counts with ``weight``, and by that much less with every later one), and then
    multiplied by ``stress``. A row with a ``refused`` flag, and a price at or beyond 0 or 1, has no
    quote, ends the chain of changes and makes the book young again; a row with a ``breaks`` flag
    begins a new chain and is quoted.

    Shapes: ts, market, price, flag, bid, ask (n,), rows in time order; tick, one (markets,);
    zone_* (z,); young_* (y,). Units: prices in price units; ts and young_upto ns; zones,
    young_half, jump, weight, empty, cap and stress in millionths.
    """
    count = tick.shape[0]
    xs = np.zeros((count, window), np.int32)
    ys = np.zeros((count, window), np.int32)
    state = np.zeros((count, S_SIZE_OF), np.int64)
    for i in range(price.shape[0]):
        m = market[i]
        p = price[i]
        bid[i] = 0
        ask[i] = 0
        dead = (flag[i] & refused) != 0 or p <= 0 or p >= one[m]
        state[m, S_EMPTY] = faded_share(state[m, S_EMPTY], int64(dead), weight)
        if dead:
            state[m, S_CHAIN] = 0
            state[m, S_QUOTED] = 0
            continue
        if (flag[i] & breaks) != 0:
            state[m, S_CHAIN] = 0
        elif state[m, S_QUOTED] == 0 and state[m, S_LAST] > 0:
            # A mid that comes back elsewhere was never a firm price.
            state[m, S_JUMP] = max(abs(p - state[m, S_LAST]), state[m, S_JUMP])
        if state[m, S_QUOTED] == 0:
            state[m, S_QUOTED] = 1
            state[m, S_BORN] = ts[i]
        _remember(p, state[m], xs[m], ys[m])
        half = max(floor_half(p, one[m], zone_upto, zone_half), tick[m])
        if state[m, S_PAIRS] >= least:
            pairs = min(state[m, S_PAIRS], window)
            half = max(half, roll_half(pairs, state[m, S_XY], state[m, S_X], state[m, S_Y]))
        half = max(half, young_floor(ts[i] - state[m, S_BORN], one[m], young_upto, young_half))
        half = max(half, -((-state[m, S_JUMP] * jump) // PPM))
        half = max(min(half, cap * one[m] // PPM), tick[m])
        half = max(half, -((-state[m, S_EMPTY] * empty // PPM * one[m]) // PPM))
        half = -((-half * stress) // PPM)
        bid[i] = bid_below(p, half, tick[m])
        offer = bid_below(one[m] - p, half, tick[m])  # an ask is a bid for the complement
        ask[i] = one[m] - offer if offer > 0 else 0
