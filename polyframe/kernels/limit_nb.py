"""A whole book of single orders: price first, then time.

One book holds one condition in YES price: a bid for NO is an offer of YES. Orders stand in lines,
one for each price; a bit for each price says whether anybody stands there. What an order would
match is planned first and taken afterwards, so that whoever keeps the money may still refuse.

Shapes: book (B_SIZE_OF,); levels (ONE + 1, L_SIZE_OF), row = price; marks (MARKS,); orders (n,
V_SIZE_OF), row = slot, row 0 unused; fills (n, F_SIZE_OF).
Units: prices ten-thousandths, sizes millionths of a share, money millionths of the currency, side
+1 bids, -1 asks; slots are counted from 1, 0 is none.
"""

from __future__ import annotations

from typing import Final

from numba import float64, int64, types, uint64

from polyframe.kernels import rewards_nb
from polyframe.kernels.compile_nb import kernel

ONE: Final = 10_000
MARKS: Final = (ONE + 64) // 64

B_BID: Final = 0
"""the best bid; 0 for none"""
B_ASK: Final = 1
"""the best offer; ONE for none"""
B_FREE: Final = 2
"""first of the slots that were used and are free, chained by V_NEXT"""
B_USED: Final = 3
"""slots that were ever used"""
B_COUNT: Final = 4
"""orders that rest"""
B_SIZE_OF: Final = 5

L_HEAD: Final = 0
L_TAIL: Final = 1
L_SIZE: Final = 2
L_SIZE_OF: Final = 3

V_PRICE: Final = 0
V_SIDE: Final = 1
V_OPEN: Final = 2
V_PREV: Final = 3
V_NEXT: Final = 4
V_AT: Final = 5
V_SIZE_OF: Final = 6

F_SLOT: Final = 0
F_PRICE: Final = 1
F_SIZE: Final = 2
F_MONEY: Final = 3
F_SIZE_OF: Final = 4

FULL: Final = -1
"""the table has no row left; nothing was changed"""

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")
_marks = types.Array(uint64, 1, "C")
_points = types.Array(float64, 2, "C")


@kernel(int64(int64, int64, _marks))
def next_marked(price, step, marks):  # type: ignore[no-untyped-def]
    """The nearest marked price above (``step`` +1) or below (-1) a price; ONE or 0 for none.

    Shapes: marks (MARKS,). Units: ten-thousandths.
    """
    at = price + step
    if at <= 0:
        return int64(0)
    if at >= ONE:
        return int64(ONE)
    word = at >> 6
    bits = marks[word]
    if step > 0:
        bits &= ~uint64(0) << uint64(at & 63)
    else:
        bits &= ~uint64(0) >> uint64(63 - (at & 63))
    while bits == uint64(0):
        word += step
        if word < 0:
            return int64(0)
        if word >= MARKS:
            return int64(ONE)
        bits = marks[word]
    place = int64(0)
    half = int64(32)
    while half > 0:  # halves the word until one bit is left: the lowest going up, the highest down
        low = bits & ((uint64(1) << uint64(half)) - uint64(1))
        high = bits >> uint64(half)
        if (step > 0 and low == uint64(0)) or (step < 0 and high != uint64(0)):
            place += half
            bits = high
        else:
            bits = low
        half >>= 1
    return word * 64 + place


@kernel(types.void(_row))
def clear(book):  # type: ignore[no-untyped-def]
    """Makes a row of zeros the head of an empty book.

    Shapes: book (B_SIZE_OF,). Units: see module.
    """
    book[B_BID] = 0
    book[B_ASK] = ONE
    book[B_FREE] = 0
    book[B_USED] = 0
    book[B_COUNT] = 0


@kernel(int64(int64, int64, int64, int64, _row, _table, _marks, _table))
def place(side, price, size, at, book, levels, marks, orders):  # type: ignore[no-untyped-def]
    """Rests an order at the end of its line; its slot, or FULL.

    The price must not cross: ``plan`` and ``take`` come first.

    Shapes: see module. Units: see module; ``at`` ns.
    """
    slot = book[B_FREE]
    if slot != 0:
        book[B_FREE] = orders[slot, V_NEXT]
    else:
        slot = book[B_USED] + 1
        if slot >= orders.shape[0]:
            return int64(FULL)
        book[B_USED] = slot
    last = levels[price, L_TAIL]
    orders[slot, V_PRICE] = price
    orders[slot, V_SIDE] = side
    orders[slot, V_OPEN] = size
    orders[slot, V_PREV] = last
    orders[slot, V_NEXT] = 0
    orders[slot, V_AT] = at
    if last != 0:
        orders[last, V_NEXT] = slot
    else:
        levels[price, L_HEAD] = slot
        marks[price >> 6] |= uint64(1) << uint64(price & 63)
    levels[price, L_TAIL] = slot
    levels[price, L_SIZE] += size
    book[B_COUNT] += 1
    if side > 0:
        book[B_BID] = max(book[B_BID], price)
    else:
        book[B_ASK] = min(book[B_ASK], price)
    return slot


@kernel(int64(int64, int64, _row, _table, _marks, _table))
def reduce(slot, size, book, levels, marks, orders):  # type: ignore[no-untyped-def]
    """Takes from an order, which keeps its place until nothing is left; what is left.

    Shapes: see module. Units: see module.
    """
    price = orders[slot, V_PRICE]
    size = min(size, orders[slot, V_OPEN])
    left = orders[slot, V_OPEN] - size
    orders[slot, V_OPEN] = left
    levels[price, L_SIZE] -= size
    if left > 0:
        return left
    before = orders[slot, V_PREV]
    after = orders[slot, V_NEXT]
    if before != 0:
        orders[before, V_NEXT] = after
    else:
        levels[price, L_HEAD] = after
    if after != 0:
        orders[after, V_PREV] = before
    else:
        levels[price, L_TAIL] = before
    side = orders[slot, V_SIDE]
    orders[slot, V_SIDE] = 0
    orders[slot, V_NEXT] = book[B_FREE]
    book[B_FREE] = slot
    book[B_COUNT] -= 1
    if levels[price, L_HEAD] == 0:
        marks[price >> 6] &= ~(uint64(1) << uint64(price & 63))
        if side > 0 and price == book[B_BID]:
            book[B_BID] = next_marked(price, -1, marks)
        elif side < 0 and price == book[B_ASK]:
            book[B_ASK] = next_marked(price, 1, marks)
    return int64(0)


@kernel(int64(int64, int64, int64, int64, int64, _row, _table, _marks, _table, _table))
def plan(side, limit, size, budget, unit, book, levels, marks, orders, fills):  # type: ignore[no-untyped-def]
    """What an order that comes in now would match, best price first: the number of rows, or FULL.

    A taker in YES (``unit`` +1) pays or gets the price, one in NO (-1) the rest to one. What he
    pays is rounded up, what he gets down; who rested is on the other side of that. With ``budget``
    >= 0 he spends money instead of asking for ``size``.

    Shapes: see module. Units: see module; ``side`` of the taker, in YES.
    """
    found = int64(0)
    pays = unit == side
    price = book[B_ASK] if side > 0 else book[B_BID]
    while 0 < price < ONE and (limit - price) * side >= 0:
        each = price if unit > 0 else ONE - price
        slot = levels[price, L_HEAD]
        while slot != 0:
            taken = min(orders[slot, V_OPEN], size)
            if budget >= 0:
                # The first test keeps budget x ONE within 64 bits.
                if budget < taken:
                    taken = min(taken, budget * ONE // each)
            if taken <= 0:
                return found
            if found >= fills.shape[0]:
                return int64(FULL)
            worth = taken * each
            money = (worth + ONE - 1) // ONE if pays else worth // ONE
            fills[found, F_SLOT] = slot
            fills[found, F_PRICE] = price
            fills[found, F_SIZE] = taken
            fills[found, F_MONEY] = money
            found += 1
            size -= taken
            if budget >= 0:
                budget -= money
                if budget == 0:
                    return found
            if size == 0:
                return found
            slot = orders[slot, V_NEXT]
        price = next_marked(price, side, marks)
    return found


@kernel(types.void(int64, _table, _row, _table, _marks, _table))
def take(count, fills, book, levels, marks, orders):  # type: ignore[no-untyped-def]
    """Takes what was planned out of the book.

    Shapes: see module; the first ``count`` rows of fills. Units: see module.
    """
    for row in range(count):
        reduce(fills[row, F_SLOT], fills[row, F_SIZE], book, levels, marks, orders)


@kernel(int64(int64, _row, _table, _marks, _table))
def depth(side, book, levels, marks, out):  # type: ignore[no-untyped-def]
    """The prices of a side and what rests there, best first, as far as ``out`` has rows.

    Shapes: out (n, 2): price, size. Units: see module.
    """
    found = int64(0)
    price = book[B_BID] if side > 0 else book[B_ASK]
    while 0 < price < ONE and found < out.shape[0]:
        out[found, 0] = price
        out[found, 1] = levels[price, L_SIZE]
        found += 1
        price = next_marked(price, -side, marks)
    return found


@kernel(int64(int64, int64, _row, _table, _marks, _table))
def best_large(side, least, book, levels, marks, orders):  # type: ignore[no-untyped-def]
    """The best price of a side at which one order is large enough; 0 for none.

    Shapes: see module. Units: see module.
    """
    price = book[B_BID] if side > 0 else book[B_ASK]
    while 0 < price < ONE:
        slot = levels[price, L_HEAD]
        while slot != 0:
            if orders[slot, V_OPEN] >= least:
                return price
            slot = orders[slot, V_NEXT]
        price = next_marked(price, -side, marks)
    return int64(0)


@kernel(int64(int64, int64, int64, _row, _table, _marks, _table, _points))
def score(spread, least, before, book, levels, marks, orders, out):  # type: ignore[no-untyped-def]
    """Orders that score at this moment, as (slot, points, side); their number, or FULL.

    Orders placed after ``before`` are too young to score, but count for the mid. No row when one
    side has no order that is large enough: there is no mid then.

    Shapes: out (n, 3). Units: ``spread`` ten-thousandths, ``before`` ns, points.

    Source: docs.polymarket.com/market-makers/liquidity-rewards.
    """
    bid = best_large(1, least, book, levels, marks, orders)
    ask = best_large(-1, least, book, levels, marks, orders)
    found = int64(0)
    if bid == 0 or ask == 0:
        return found
    middle = bid + ask
    for side in (1, -1):
        price = bid if side > 0 else ask
        while 0 < price < ONE and (middle - 2 * price) * side < 2 * spread:
            away = (middle - 2 * price) * side
            slot = levels[price, L_HEAD]
            while slot != 0:
                if orders[slot, V_OPEN] >= least and orders[slot, V_AT] <= before:
                    if found >= out.shape[0]:
                        return int64(FULL)
                    out[found, 0] = float(slot)
                    out[found, 1] = rewards_nb.points(
                        away, 2 * spread, orders[slot, V_OPEN], 1_000_000
                    )
                    out[found, 2] = float(side)
                    found += 1
                slot = orders[slot, V_NEXT]
            price = next_marked(price, -side, marks)
    return found
