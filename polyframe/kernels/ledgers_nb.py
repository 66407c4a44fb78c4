"""What a fill, a reservation or its end changes in a session's tables, exposures included.

Every change is added to the ledger's row and to the account's (the last), so that the account
always is the sum of its ledgers. An event's numbers are computed anew only when one of its markets
changed.

Shapes: see ``tables_nb``.
Units: money 1e-6, sizes the market's integers.
"""

from __future__ import annotations

from numba import int64, types

from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.tables_nb import (
    A_AT_RISK,
    A_CASH,
    A_NET,
    A_OPEN_MARKETS,
    A_RESERVED,
    G_CATEGORIES,
    G_CATEGORY_COUNT,
    G_COUNT,
    G_FIRST,
    G_KIND,
    K_EVENT,
    M_COST_NO,
    M_COST_YES,
    M_ENTRY_NO,
    M_ENTRY_YES,
    M_EXPOSED,
    M_IF_NO,
    M_IF_YES,
    M_NET,
    M_OPEN,
    M_PLACE,
    T_COST,
    T_FEES,
    T_REALISED,
    T_RESERVED,
    T_SHARES,
    T_TRIP,
)
from polyframe.kernels.worst_nb import worst

_flat = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")
_cube = types.Array(int64, 3, "C")


@kernel(types.void(_table, _cube, int64, int64, int64), inline=True)
def expose(account, markets, row, m, change):  # type: ignore[no-untyped-def]
    """Counts tokens held and entries open in a market; keeps the row's list of open markets.

    Shapes: see module. Units: change in tokens and entries.
    """
    before = markets[M_EXPOSED, row, m]
    now = before + change
    markets[M_EXPOSED, row, m] = now
    if before <= 0 and now > 0:
        n = account[A_OPEN_MARKETS, row]
        markets[M_OPEN, row, n] = m
        markets[M_PLACE, row, m] = n + 1
        account[A_OPEN_MARKETS, row] = n + 1
    elif before > 0 and now <= 0:
        # The last of the list takes the place that becomes free.
        n = account[A_OPEN_MARKETS, row] - 1
        last = markets[M_OPEN, row, n]
        place = markets[M_PLACE, row, m]
        markets[M_OPEN, row, place - 1] = last
        markets[M_PLACE, row, last] = place
        markets[M_PLACE, row, m] = 0
        markets[M_OPEN, row, n] = 0
        account[A_OPEN_MARKETS, row] = n


@kernel(int64(_cube, _table, _flat, int64, int64), inline=True)
def at_risk(markets, groups, members, row, event):  # type: ignore[no-untyped-def]
    """The most that can still be lost in an event: what its shares cost less their worst case.

    Shapes: see module. Units: money.
    """
    first = groups[event, G_FIRST]
    if groups[event, G_COUNT] == 1:
        # Most events have one market, whose worst case is the worse of its two.
        m = members[first]
        cost = markets[M_COST_YES, row, m] + markets[M_COST_NO, row, m]
        return cost - min(markets[M_IF_YES, row, m], markets[M_IF_NO, row, m])
    own = members[first : first + groups[event, G_COUNT]]
    cost = int64(0)
    for m in own:
        cost += markets[M_COST_YES, row, m] + markets[M_COST_NO, row, m]
    return cost - worst(markets[M_IF_YES, row], markets[M_IF_NO, row], own, groups[event, G_KIND])


@kernel(types.void(_table, _cube, _table, _table, _table, _table, _flat, int64, int64), inline=True)
def refresh(account, markets, traits, events, kinds, groups, members, row, m):  # type: ignore[no-untyped-def]
    """Brings a row's exposures up to date after a market changed.

    Shapes: see module. Units: money.
    """
    yes = markets[M_COST_YES, row, m] + markets[M_ENTRY_YES, row, m]
    no = markets[M_COST_NO, row, m] + markets[M_ENTRY_NO, row, m]
    net = abs(yes - no)
    account[A_NET, row] += net - markets[M_NET, row, m]
    markets[M_NET, row, m] = net
    event = traits[m, K_EVENT]
    before = events[row, event]
    now = at_risk(markets, groups, members, row, event)
    events[row, event] = now
    # What is certain in one event makes up for no risk in another.
    change = max(now, 0) - max(before, 0)
    if change != 0:
        account[A_AT_RISK, row] += change
        first = groups[event, G_CATEGORIES]
        for k in members[first : first + groups[event, G_CATEGORY_COUNT]]:
            kinds[row, k] += change


@kernel(types.void(_table, _cube, _table, _table, _table, _table, _flat, int64, int64), inline=True)
def refresh_both(account, markets, traits, events, kinds, groups, members, ledger, m):  # type: ignore[no-untyped-def]
    """The same for a ledger and for the account; what is one ledger's alone is the account's too.

    Shapes: see module. Units: money.
    """
    last = account.shape[1] - 1
    event = traits[m, K_EVENT]
    net, risk = markets[M_NET, ledger, m], max(events[ledger, event], 0)
    refresh(account, markets, traits, events, kinds, groups, members, ledger, m)
    if last > 1:
        refresh(account, markets, traits, events, kinds, groups, members, last, m)
        return
    account[A_NET, last] += markets[M_NET, ledger, m] - net
    markets[M_NET, last, m] = markets[M_NET, ledger, m]
    events[last, event] = events[ledger, event]
    change = max(events[ledger, event], 0) - risk
    if change != 0:
        account[A_AT_RISK, last] += change
        first = groups[event, G_CATEGORIES]
        for k in members[first : first + groups[event, G_CATEGORY_COUNT]]:
            kinds[last, k] += change


_tables = (_table, _cube, _cube, _table, _table, _table, _table, _flat)


@kernel(
    types.void(*_tables, int64, int64, int64, int64, int64, int64, int64, int64, int64), inline=True
)
def reserve(  # type: ignore[no-untyped-def]
    account, tokens, markets, traits, events, kinds, groups, members,
    ledger, token, m, outcome, cash, shares, if_yes, if_no, entries,
):  # fmt: skip
    """Adds to what an order holds: cash, shares, its losses should the market resolve so.

    ``entries`` counts purchases that open (1) or end (-1).

    Shapes: see module. Units: money, sizes.
    """
    last = account.shape[1] - 1
    for row in (ledger, last):
        account[A_RESERVED, row] += cash
        tokens[T_RESERVED, row, token] += shares
        markets[M_IF_YES, row, m] += if_yes
        markets[M_IF_NO, row, m] += if_no
        markets[M_ENTRY_YES if outcome == 0 else M_ENTRY_NO, row, m] += cash
        if entries != 0:
            expose(account, markets, row, m, entries)
    refresh_both(account, markets, traits, events, kinds, groups, members, ledger, m)


@kernel(
    types.void(
        *_tables, int64, int64, int64, int64, int64, int64, int64, int64, int64, int64
    ), inline=True)  # fmt: skip
def book(  # type: ignore[no-untyped-def]
    account, tokens, markets, traits, events, kinds, groups, members,
    ledger, token, m, outcome, shares, cost, realised, fees, cash, worth,
):  # fmt: skip
    """Adds an entry to a holding: changes of its shares, cost, gains and fees, and of the cash.

    ``worth`` is what the shares pay when their outcome happens (0 where a market is not binary).

    Shapes: see module. Units: money, sizes.
    """
    last = account.shape[1] - 1
    for row in (ledger, last):
        before = tokens[T_SHARES, row, token]
        now = before + shares
        tokens[T_SHARES, row, token] = now
        tokens[T_COST, row, token] += cost
        tokens[T_REALISED, row, token] += realised
        tokens[T_FEES, row, token] += fees
        account[A_CASH, row] += cash
        markets[M_IF_YES if outcome == 0 else M_IF_NO, row, m] += worth
        markets[M_COST_YES if outcome == 0 else M_COST_NO, row, m] += cost
        if before == 0 and now != 0:
            # What earlier trips earned is not this one's.
            tokens[T_TRIP, row, token] = (
                tokens[T_REALISED, row, token] - realised - tokens[T_FEES, row, token] + fees
            )
            expose(account, markets, row, m, 1)
        elif before != 0 and now == 0:
            expose(account, markets, row, m, -1)
    refresh_both(account, markets, traits, events, kinds, groups, members, ledger, m)


@kernel(types.void(_table, _cube, _table, _table, _table, _table, _flat))
def regroup(account, markets, traits, events, kinds, groups, members):  # type: ignore[no-untyped-def]
    """Computes every row's exposures anew, after markets were listed or events took a new shape.

    Shapes: see module. Units: money.
    """
    events[:] = 0
    kinds[:] = 0
    account[A_AT_RISK, :] = 0
    for row in range(account.shape[1]):
        for m in range(traits.shape[0]):
            refresh(account, markets, traits, events, kinds, groups, members, row, m)


@kernel(int64(_cube, _table, _flat, int64, int64, int64, int64, int64), inline=True)
def reduces(markets, groups, members, row, event, m, if_yes, if_no):  # type: ignore[no-untyped-def]
    """1 when an order's losses in a market leave the worst case of its event where it was.

    Shapes: see module. Units: money.
    """
    first = groups[event, G_FIRST]
    if groups[event, G_COUNT] == 1:
        now_yes, now_no = markets[M_IF_YES, row, m], markets[M_IF_NO, row, m]
        return 1 if min(now_yes + if_yes, now_no + if_no) >= min(now_yes, now_no) else 0
    own = members[first : first + groups[event, G_COUNT]]
    kind = groups[event, G_KIND]
    yes, no = markets[M_IF_YES, row], markets[M_IF_NO, row]
    before = worst(yes, no, own, kind)
    yes[m] += if_yes
    no[m] += if_no
    after = worst(yes, no, own, kind)
    yes[m] -= if_yes
    no[m] -= if_no
    return 1 if after >= before else 0
