"""When a position is to be sold: the declared exits, decided on every price of a held market.

Prices are a token's own: NO is sold at 1 minus the ask of YES. Gains are parts of the average cost,
after the fee of the sale. Where several exits hold, the worst for us names the sale: see ``CODES``.

Shapes, units: see ``exit_tables_nb``.
"""

from __future__ import annotations

from typing import Final

from numba import int32, int64, types

from polyframe.kernels import exit_tables_nb as c
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.exit_rows_nb import due
from polyframe.kernels.guards_nb import MISSING, share_of

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")
_cube = types.Array(int64, 3, "C")
_ring = types.Array(int32, 1, "C")
TABLES: Final = types.Tuple((_cube, _table, _table, _table))
"""Exits, rules, folios and terms, as the data loop takes them."""


@kernel(int64(int64, int64, int64, int64))
def net_of(price, rate, exponent, one):  # type: ignore[no-untyped-def]
    """What a share sold at a price brings after the taker's fee, rounded down.

    Shapes: scalars. Units: price units; rate in millionths; a fine price.
    """
    if rate == 0:
        return price * c.MILLION
    fee = rate * (one if exponent > 0 else price)
    for _ in range(exponent):
        # Rounded up at each step, so that a gain is never counted too high.
        fee = -((-fee * price) // one)
        fee = -((-fee * (one - price)) // one)
    return price * c.MILLION - fee


@kernel(int64(int64, int64))
def grown(average: int, part: int) -> int:
    """The net price at which a gain is reached, rounded up.

    Shapes: scalars. Units: fine prices; millionths.
    """
    odd = 1 if average % c.MILLION * part % c.MILLION else 0
    net: int = average + share_of(average, part) + odd
    return net


@kernel(int64(_row, _row, int64, int64, int64, int64))
def _step_size(x, rules, at, reached, done, part):  # type: ignore[no-untyped-def]
    """What the steps reached but not done still have to sell."""
    wanted = due(rules, at, reached, x[c.X_BOUGHT]) - due(rules, at, done, x[c.X_BOUGHT])
    return max(wanted - part, 0)


@kernel(int64(_row, int64, int64, int64))
def _reached(rules, at, steps, value):  # type: ignore[no-untyped-def]
    """Steps of a ladder whose threshold a value has reached."""
    found = int64(0)
    while found < steps and value >= rules[at + 2 * found]:
        found += 1
    return found


@kernel(types.Tuple((int64, int64))(_row, _row, _row, int64, int64, int64))
def _by_price(x, rules, terms, bid, net, best):  # type: ignore[no-untyped-def]
    """Stop, trailing stop and breakeven: the first that holds, for the whole position."""
    average = x[c.X_AVERAGE]
    if average <= 0:
        return c.NONE, 0
    if rules[c.R_STOP] != MISSING and net <= average - share_of(average, rules[c.R_STOP]):
        return c.STOP, x[c.X_HELD]
    if rules[c.R_ARM] != MISSING and best >= grown(average, rules[c.R_ARM]):
        if rules[c.R_TRAIL] != MISSING and net <= best - share_of(average, rules[c.R_TRAIL]):
            return c.TRAILING, x[c.X_HELD]
        if rules[c.R_ATR] != MISSING and x[c.X_ATR_LEVEL] > 0 and 2 * bid <= x[c.X_ATR_LEVEL]:
            return c.TRAILING, x[c.X_HELD]
    if (
        rules[c.R_BREAKEVEN] != MISSING
        and best >= grown(average, rules[c.R_BREAKEVEN])
        and net <= average
    ):
        return c.BREAKEVEN, x[c.X_HELD]
    return c.NONE, 0


@kernel(types.Tuple((int64, int64))(_row, _row, _row, int64, int64, int64))
def _by_ladder(x, rules, terms, net, now, held):  # type: ignore[no-untyped-def]
    """The size that profit and age ask for, and which of them: all before a part."""
    taking = int64(0)
    gained = 0
    while gained < rules[c.R_TAKES] and net >= grown(x[c.X_AVERAGE], rules[c.R_TAKE + 2 * gained]):
        gained += 1
    if x[c.X_AVERAGE] <= 0:
        gained = 0
    if gained > x[c.X_TAKEN]:
        taking = _step_size(x, rules, c.R_TAKE, gained, x[c.X_TAKEN], x[c.X_TAKEN_PART])
        if rules[c.R_TAKE + 2 * gained - 1] >= c.MILLION:
            taking = held
    aged = _reached(rules, c.R_HOLD, rules[c.R_HOLDS], now - x[c.X_OPENED])
    reducing = int64(0)
    if aged > x[c.X_REDUCED]:
        reducing = _step_size(x, rules, c.R_HOLD, aged, x[c.X_REDUCED], x[c.X_REDUCED_PART])
        if rules[c.R_HOLD + 2 * aged - 1] >= c.MILLION:
            reducing = held
    if reducing >= held:
        return c.HOLDING, held
    if taking >= held:
        return c.TAKE, held
    # What is due for both reasons is one sale; the next one follows when it is done.
    if reducing >= terms[c.Y_LOT]:
        return c.HOLDING, reducing
    return c.TAKE, taking


@kernel(types.Tuple((int64, int64))(_row, _row, _row, int64, int64, int64))
def decide(x, rules, terms, bid, mid, now):  # type: ignore[no-untyped-def]
    """Which exit of a position holds at a bid, as its code, and how many shares it sells.

    ``mid`` is twice the mid of YES, 0 without one. A rest below the market's minimum is sold along.
    A price from before the last purchase decides nothing: only time does until the next.

    Shapes: x (X_SIZE_OF,), rules (R_SIZE_OF,), terms (Y_SIZE_OF,). Units: see module.
    """
    held = x[c.X_HELD]
    if held <= 0 or bid <= 0:
        return c.NONE, 0
    if x[c.X_CLOSE] != c.NONE:
        return x[c.X_CLOSE], held
    if rules[c.R_ON] == 0:
        return c.NONE, 0
    net = int64(0)
    if x[c.X_STALE] == 0:
        net = net_of(bid, terms[c.Y_RATE], terms[c.Y_EXPONENT], terms[c.Y_ONE])
        best = net_of(max(x[c.X_HIGH], bid), terms[c.Y_RATE], terms[c.Y_EXPONENT], terms[c.Y_ONE])
        code, size = _by_price(x, rules, terms, bid, net, best)
        if code != c.NONE:
            return code, size
    if (
        rules[c.R_NEAR] != MISSING
        and terms[c.Y_CLOSES] > 0
        and now >= terms[c.Y_CLOSES] - rules[c.R_NEAR]
    ):
        return c.NEAR, held
    code, size = _by_ladder(x, rules, terms, net, now, held)
    if code == c.HOLDING and size >= held:
        return code, size
    asks = False
    if rules[c.R_THESIS] == 1:
        known = x[c.X_WORTH] != MISSING
        if known and (mid <= 0 or x[c.X_LOW] <= mid <= x[c.X_TOP]):
            if net > x[c.X_WORTH]:
                return c.THESIS, held
        else:
            asks = now >= x[c.X_ASK_AFTER]
    size = size // terms[c.Y_LOT] * terms[c.Y_LOT]
    if size > 0:
        return code, held if held - size < terms[c.Y_MIN] else size
    return (c.ASK, 0) if asks else (c.NONE, 0)


@kernel(types.void(_row, _row, _ring, int64, int64))
def follow(x, rules, history, seen, bid):  # type: ignore[no-untyped-def]
    """Takes a trustworthy bid into what is kept of a position.

    ``history`` are twice the mids of the market, ``seen`` how many were written so far. The true
    range is the mean absolute change from one to the next.

    Shapes: x (X_SIZE_OF,), rules (R_SIZE_OF,), history (ring,). Units: price units.
    """
    x[c.X_STALE] = 0
    x[c.X_TICKED] = 1 if bid != x[c.X_LAST] else 0
    x[c.X_LAST] = bid
    x[c.X_HIGH] = max(x[c.X_HIGH], bid)
    if rules[c.R_ATR] == MISSING:
        return
    ring = history.shape[0]
    n = min(rules[c.R_PERIOD], seen - 1, ring - 1)
    if n <= 0:
        return
    moved = 0
    for i in range(seen - n, seen):
        moved += abs(int64(history[i % ring]) - int64(history[(i - 1) % ring]))
    level = 2 * x[c.X_HIGH] - share_of(moved, rules[c.R_ATR]) // n
    x[c.X_ATR_LEVEL] = max(x[c.X_ATR_LEVEL], level)


@kernel(types.void(_table, int64, int64))
def close_all(exits, code, now):  # type: ignore[no-untyped-def]
    """Says that everything a ledger holds is to be sold, at once.

    Shapes: exits (tokens, X_SIZE_OF). Units: see module.
    """
    for token in range(exits.shape[0]):
        if exits[token, c.X_HELD] > 0 and (
            exits[token, c.X_CLOSE] == c.NONE or exits[token, c.X_CLOSE] > code
        ):
            exits[token, c.X_CLOSE] = code
            exits[token, c.X_NOT_BEFORE] = now


@kernel(int64(_row, _row, int64, int64))
def recovered(folio, rules, equity, now):  # type: ignore[no-untyped-def]
    """1 when a ledger that was under water for long has recovered and falls back.

    Shapes: folio (P_SIZE_OF,), rules (R_SIZE_OF,). Units: money; ns.
    """
    if folio[c.P_COST] <= 0:
        folio[c.P_SINCE] = 0
        folio[c.P_ARMED] = 0
        folio[c.P_BEST] = 0
        return 0
    gain = equity - folio[c.P_BASIS]
    if gain < 0:
        if folio[c.P_SINCE] == 0:
            folio[c.P_SINCE] = now
    elif folio[c.P_SINCE] > 0:
        if now - folio[c.P_SINCE] >= rules[c.R_UNDER]:
            folio[c.P_ARMED] = 1
            folio[c.P_BEST] = 0
        folio[c.P_SINCE] = 0
    if folio[c.P_ARMED] == 0:
        return 0
    folio[c.P_BEST] = max(folio[c.P_BEST], gain)
    if folio[c.P_BEST] < share_of(folio[c.P_COST], rules[c.R_GAIN]):
        return 0
    if gain > folio[c.P_BEST] - share_of(folio[c.P_COST], rules[c.R_DISTANCE]):
        return 0
    folio[c.P_ARMED] = 0
    folio[c.P_SINCE] = 0
    folio[c.P_FIRED] = now
    return 1


@kernel(int64(int64, int64, int64, int64))
def bid_of(outcome: int, bid: int, ask: int, one: int) -> int:
    """What a token could be sold at, 0 for nothing.

    Shapes: scalars. Units: price units of YES in, of the token out.
    """
    if outcome == 0:
        return bid
    return one - ask if ask > 0 else 0


@kernel(int64(TABLES, _ring, int64, int64, int64, int64, int64, _table))
def watch(tables, history, seen, m, now, bid, ask, marks):  # type: ignore[no-untyped-def]
    """Takes a trustworthy quote of a market; 1 when an exit holds that may be carried out now.

    Shapes: tables see TABLES; history (ring,) of this market; marks (ledgers + 1, 1 or more) with
    the equity in the first column. Units: bid and ask in price units of YES; ns.
    """
    exits, rules, folios, terms = tables
    found = int64(0)
    first = terms[m, c.Y_FIRST]
    mid = bid + ask if bid > 0 and ask > 0 else 0
    for row in range(exits.shape[0]):
        holds = False
        for k in range(terms[m, c.Y_TOKENS]):
            x = exits[row, first + k]
            if x[c.X_HELD] <= 0 or (rules[row, c.R_ON] == 0 and x[c.X_CLOSE] == c.NONE):
                continue
            holds = True
            own = bid_of(k, bid, ask, terms[m, c.Y_ONE])
            if own <= 0:
                x[c.X_TICKED] = 0
                continue
            follow(x, rules[row], history, seen, own)
            if x[c.X_TICKED] == 1 and rules[row, c.R_TICKS] == 1:
                found = int64(1)
        if not holds:
            continue
        if rules[row, c.R_UNDER] != MISSING and recovered(
            folios[row], rules[row], marks[row, 0], now
        ):
            close_all(exits[row], c.PORTFOLIO, now)
            found = int64(1)
        for k in range(terms[m, c.Y_TOKENS]):
            x = exits[row, first + k]
            own = bid_of(k, bid, ask, terms[m, c.Y_ONE])
            code, _ = decide(x, rules[row], terms[m], own, mid, now)
            if code == c.ASK or (code != c.NONE and now >= x[c.X_NOT_BEFORE]):
                found = int64(1)
    return found
