"""The orders that the engine has open in a compiled run over a tape, and what they hold.

Shapes: see ``l2columns_nb`` and ``addresses_nb``; ``where`` is the address of all tables.
Units: ns, price and size units, money.
"""

from __future__ import annotations

from numba import int64, types

from polyframe.kernels import barmatch_nb as bm
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import booking_nb as bk
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import ledgers_nb, numbers_nb, outlay_nb
from polyframe.kernels.addresses_nb import BOOKS, VENUE, seen_of, tables_of, venue_of
from polyframe.kernels.compile_nb import kernel

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")


@kernel(types.Tuple((int64, int64, int64))(_row, int64, int64, int64, int64, int64), inline=True)
def needs(rule, tokens, outcome, side, price, size):  # type: ignore[no-untyped-def]
    """The cash an order holds, and its losses should its market resolve YES or NO.

    Shapes: rule (R_SIZE_OF,). Units: price and size units of the order's token; money.
    """
    if size <= 0:
        return int64(0), int64(0), int64(0)
    fee = outlay_nb.fee_of(rule, price, size) + rule[bm.R_SLACK]
    if side > 0:
        paid = bk.cost_of(price, size, rule[bm.R_DIVISOR]) + fee
        cash, shares, held = -paid, size, paid
    else:
        cash = bk.proceeds_of(price, size, rule[bm.R_DIVISOR]) - fee
        shares, held = -size, int64(0)
    if tokens < 2:
        return held, -held, -held
    yes, no = outlay_nb.losses_of(rule, shares, cash)
    if outcome != 0:
        yes, no = no, yes
    return held, yes, no


@kernel(types.void(int64, int64, int64, int64, int64, int64, int64))
def hold(slot, cash, shares, yes, no, entries, where):  # type: ignore[no-untyped-def]
    """Sets what an order holds: cash, shares, its losses should its market resolve YES or NO.

    Shapes: see module. Units: money, size units.
    """
    account, tokens, markets, traits, events, kinds, groups, members = tables_of(where)
    o = venue_of(where)[0][slot]
    ledgers_nb.reserve(
        account, tokens, markets, traits, events, kinds, groups, members, 0, o[c.V_TOKEN],
        o[c.V_MARKET], 1 - o[c.V_DIRECT], cash - o[c.V_CASH], shares - o[c.V_SHARES],
        yes - o[c.V_IF_YES], no - o[c.V_IF_NO], entries,
    )  # fmt: skip
    o[c.V_CASH] = cash
    o[c.V_SHARES] = shares
    o[c.V_IF_YES] = yes
    o[c.V_IF_NO] = no


@kernel(types.void(int64, int64, int64, int64, int64))
def reserve(slot, filled, entries, ends, where):  # type: ignore[no-untyped-def]
    """Sets what an order holds to what it needs after ``filled`` of it; nothing when it ends.

    Shapes: see module. Units: size units.
    """
    venue, book = venue_of(where), seen_of(where)[0]
    o = venue[0][slot]
    m = o[c.V_MARKET]
    outcome = 1 - o[c.V_DIRECT]
    side = o[c.V_SIDE] if outcome == 0 else -o[c.V_SIDE]
    cash, yes, no, size = int64(0), int64(0), int64(0), int64(0)
    if ends == 0:
        rule = venue[4][m]
        price = o[c.V_PRICE] if outcome == 0 else rule[bm.R_ONE] - o[c.V_PRICE]
        size = o[c.V_SIZE] - filled
        cash, yes, no = needs(rule, book[m, nb.B_TOKENS], outcome, side, price, size)
    hold(slot, cash, int64(0) if side > 0 else size, yes, no, entries if side > 0 else 0, where)


# ---- what the engine has open in a market --------------------------------------------------------


@kernel(types.void(int64, BOOKS, _table), inline=True)
def opened(slot, books, orders):  # type: ignore[no-untyped-def]
    """An order is open from now on: the last of its market.

    Shapes: see module. Units: none.
    """
    book = books[0][orders[slot, c.V_MARKET]]
    orders[slot, c.V_FOLLOWS] = 0
    if book[c.D_OPEN_FIRST] == 0:
        book[c.D_OPEN_FIRST] = slot + 1
    else:
        orders[book[c.D_OPEN_LAST] - 1, c.V_FOLLOWS] = slot + 1
    book[c.D_OPEN_LAST] = slot + 1


@kernel(types.void(int64, BOOKS, _table), inline=True)
def closed(slot, books, orders):  # type: ignore[no-untyped-def]
    """An order is open no more.

    Shapes: see module. Units: none.
    """
    book = books[0][orders[slot, c.V_MARKET]]
    before = int64(0)
    found = book[c.D_OPEN_FIRST]
    while found != slot + 1:
        before = found
        found = orders[found - 1, c.V_FOLLOWS]
    after = orders[slot, c.V_FOLLOWS]
    if before == 0:
        book[c.D_OPEN_FIRST] = after
    else:
        orders[before - 1, c.V_FOLLOWS] = after
    if book[c.D_OPEN_LAST] == slot + 1:
        book[c.D_OPEN_LAST] = before


@kernel(types.void(int64, int64, int64, _row, BOOKS, VENUE), inline=True)
def own_touch(m, outcome, one, asked, books, venue):  # type: ignore[no-untyped-def]
    """Writes the best own bid and ask of a market in a token's terms, 0 for none.

    Shapes: asked (Q_SIZE_OF,). Units: price units.
    """
    orders = venue[0]
    bid = int64(0)
    ask = int64(0)
    slot = books[0][m, c.D_OPEN_FIRST]
    while slot != 0:
        o = orders[slot - 1]
        if o[c.V_SIZE] > o[c.V_FILLED]:
            price = o[c.V_PRICE]
            if o[c.V_SIDE] > 0:
                bid = max(bid, price)
            elif ask == 0 or price < ask:
                ask = price
        slot = o[c.V_FOLLOWS]
    if outcome != 0:
        bid, ask = (
            one - ask if ask > 0 else int64(0),
            one - bid if bid > 0 else int64(0),
        )
    asked[numbers_nb.Q_OWN_BID] = bid
    asked[numbers_nb.Q_OWN_ASK] = ask
