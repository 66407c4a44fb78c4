"""Liquidity rewards and maker rebates: samples of who rests where, and what own fills are worth.

The recorded book is everybody else's. It does not say which orders belong together, so that others
are given the most points that any split of their orders among makers could earn them.

Shapes: see ``l2columns_nb`` and ``venue_nb``.
Units: see ``l2columns_nb``; YES space; points are shares x score.
Source: docs.polymarket.com/market-makers/liquidity-rewards and maker-rebates.
"""

from __future__ import annotations

from typing import Final

from numba import float64, int64, types, uint64

from polyframe.kernels import acts_nb, outlay_nb
from polyframe.kernels import barmatch_nb as bm
from polyframe.kernels import book_nb as b
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels.compile_nb import kernel

MINUTE: Final = 60_000_000_000
DAY: Final = 86_400_000_000_000
ONE_SIDED: Final = 3.0
"""by how much quotes on one side count less, while the mid is between 0.10 and 0.90"""

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")


@kernel(int64(int64), inline=True)
def moment_of(minute):  # type: ignore[no-untyped-def]
    """When within a minute the venue takes its sample: a whole ms and a half, never at its ends.

    It looks random, so that nobody can rest for the sample alone, and is the same in every run.

    Shapes: scalar. Units: minutes since 1970; ns.
    """
    z = uint64(minute) * uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
    z ^= z >> uint64(31)
    return minute * MINUTE + int64(z >> uint64(33)) % 60_000 * 1_000_000 + 500_000


@kernel(int64(int64), inline=True)
def next_sample(now):  # type: ignore[no-untyped-def]
    """The first sample after a moment.

    Shapes: scalar. Units: ns.
    """
    minute = now // MINUTE
    found = moment_of(minute)
    return found if found > now else moment_of(minute + 1)


@kernel(float64(int64, int64, int64, int64), inline=True)
def points(away, most, size, boost):  # type: ignore[no-untyped-def]
    """The points of what rests ``away`` from the mid: none at ``most`` and beyond.

    Shapes: scalars. Units: twice price units; size units; millionths.
    """
    if away >= most:
        return 0.0
    near = float(most - away) / float(most)
    return near * near * (float(boost) / 1e6) * float(size)


@kernel(float64(float64, float64, int64), inline=True)
def counted(one, two, central):  # type: ignore[no-untyped-def]
    """What of both sides' points counts for one maker.

    Shapes: scalars. Units: points.
    """
    least = min(one, two)
    if central != 0:
        return max(least, max(one, two) / ONE_SIDED)
    return least


@kernel(float64(float64, float64, int64), inline=True)
def most_counted(one, two, central):  # type: ignore[no-untyped-def]
    """The most that both sides' points count, however they are split among makers.

    One maker has a pair of sides as large as the smaller one, another one the rest of the larger.

    Shapes: scalars. Units: points.
    """
    least = min(one, two)
    if central != 0:
        return least + (max(one, two) - least) / ONE_SIDED
    return least


@kernel(int64(int64, int64, int64, _row, _table, _table, _table), inline=True)
def best_of(side, place, least, book, levels, orders, desk):  # type: ignore[no-untyped-def]
    """The best price of a side, own orders included, among what is large enough; 0 for none.

    Shapes: book (D_SIZE_OF,), that of ``place``. Units: side +1 bids, -1 asks; price units.
    """
    line = levels[2 * place] if side > 0 else levels[2 * place + 1]
    step = book[b.K_BID] if side > 0 else book[b.K_ASK]
    while 0 < step < line.shape[0] and line[step] < least:
        step -= side
    best = int64(0)
    if 0 < step < line.shape[0]:
        best = step * book[b.K_TICK] + book[b.K_BASE]
    slot = desk[place, c.D_FIRST]
    while slot != 0:
        order = orders[slot - 1]
        better = best == 0 or (order[c.V_PRICE] - best) * side > 0
        if order[c.V_SIDE] == side and order[c.V_OPEN] >= least and better:
            best = order[c.V_PRICE]
        slot = order[c.V_NEXT]
    return best


@kernel(float64(int64, int64, int64, _row, _row, _table), inline=True)
def others_of(side, place, middle, rule, book, levels):  # type: ignore[no-untyped-def]
    """The points of what is recorded to rest on a side.

    Shapes: rule (U_SIZE_OF,); book (D_SIZE_OF,), that of ``place``. Units: ``middle`` bid + ask.
    """
    line = levels[2 * place] if side > 0 else levels[2 * place + 1]
    step = book[b.K_BID] if side > 0 else book[b.K_ASK]
    found = 0.0
    while 0 < step < line.shape[0]:
        away = (middle - 2 * (step * book[b.K_TICK] + book[b.K_BASE])) * side
        if away >= rule[c.U_SPREAD]:
            break
        # Nearer than the mid stands only what is too small to count.
        if line[step] >= rule[c.U_LEAST] and line[step] > 0 and away >= 0:
            found += points(away, rule[c.U_SPREAD], line[step], rule[c.U_BOOST])
        step -= side
    return found


@kernel(
    types.Tuple((float64, float64))(int64, int64, int64, int64, _row, _table, _table), inline=True
)
def own_of(ledger, first, middle, all_, rule, orders, desk):  # type: ignore[no-untyped-def]
    """The points of a ledger's own orders on both sides; of all ledgers' with ``all_``.

    Shapes: rule (U_SIZE_OF,). Units: ``first`` a slot counted from 1; ``middle`` bid + ask.
    """
    one = 0.0
    two = 0.0
    slot = first
    while slot != 0:
        order = orders[slot - 1]
        mine = all_ != 0 or order[c.V_LEDGER] == ledger
        if mine and order[c.V_OPEN] >= rule[c.U_LEAST]:
            away = (middle - 2 * order[c.V_PRICE]) * order[c.V_SIDE]
            if away >= 0:
                got = points(away, rule[c.U_SPREAD], order[c.V_OPEN], rule[c.U_BOOST])
                if order[c.V_SIDE] > 0:
                    one += got
                else:
                    two += got
        slot = order[c.V_NEXT]
    return one, two


@kernel(types.void(int64, int64, _row, _table, _table, _table))
def look(ts, place, rule, orders, desk, levels):  # type: ignore[no-untyped-def]
    """Adds what own orders in one market have of one sample to what their ledgers earned.

    Nothing while the book is not to be trusted or has no mid: nobody can say what they scored.

    Shapes: rule (U_SIZE_OF,). Units: ns.
    """
    book = desk[place]
    first = book[c.D_FIRST]
    sound = book[b.K_WHOLE] != 0 and book[c.D_INSIDE] == 0 and book[b.K_BID] < book[b.K_ASK]
    if rule[c.U_SPREAD] <= 0 or first == 0 or not sound or ts >= rule[bm.R_ENDS]:
        return
    bid = best_of(1, place, rule[c.U_LEAST], book, levels, orders, desk)
    ask = best_of(-1, place, rule[c.U_LEAST], book, levels, orders, desk)
    if bid <= 0 or ask <= 0 or bid >= ask:
        return
    middle = bid + ask
    one = rule[bm.R_ONE]
    central = int64(1) if one <= 5 * middle <= 9 * one else int64(0)
    buying, selling = own_of(0, first, middle, 1, rule, orders, desk)
    mine = counted(buying, selling, central)
    if mine <= 0.0:
        return
    theirs = most_counted(
        others_of(1, place, middle, rule, book, levels),
        others_of(-1, place, middle, rule, book, levels),
        central,
    )
    share = mine / (mine + theirs) * c.SHARE_ONE
    day = ts // DAY % 2
    ledgers = (desk.shape[1] - c.D_SIZE_OF) // c.EARNED_OF
    for ledger in range(ledgers):
        part = 1.0
        if ledgers > 1:
            a, z = own_of(ledger, first, middle, 0, rule, orders, desk)
            part = (a + z) / (buying + selling)
        book[c.D_SIZE_OF + c.EARNED_OF * ledger + 2 * day] += int64(share * part)


@kernel(types.void(int64, int64, _row, _table, _table, _table, _table, _table))
def sample(ts, first, at, orders, acts, rules, desk, levels):  # type: ignore[no-untyped-def]
    """The venue's look at all markets of a minute, and when it looks next.

    ``first`` is the first market's row of the venue's books.

    Shapes: see module. Units: ns.
    """
    for place in range(first, desk.shape[0]):
        look(ts, place, rules[place], orders, desk, levels)
    following = next_sample(ts)
    if following <= at[c.C_END]:
        acts_nb.push(acts, at, following, c.SAMPLE, first, 0)


@kernel(types.void(int64, int64, int64, _row, _row, _row), inline=True)
def credit(price, size, ts, order, rule, book):  # type: ignore[no-untyped-def]
    """Adds the fee that a taker would have paid on an own maker's fill to what is paid back.

    Shapes: order (V_SIZE_OF,), rule (U_SIZE_OF,), book (D_SIZE_OF and more,). Units: YES price
    units, size units, ns.
    """
    worth = outlay_nb.fee_of(rule, price, size)
    book[c.D_SIZE_OF + c.EARNED_OF * order[c.V_LEDGER] + 2 * (ts // DAY % 2) + 1] += worth
