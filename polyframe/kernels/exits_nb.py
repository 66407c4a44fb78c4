"""When a position is to be sold: the declared exits, decided on every price of a held market.

Prices are a token's own: NO is sold at 1 minus the ask of YES. Gains are parts of the average cost,
after the fee of the sale. Where several exits hold, the worst for us names the sale: see ``CODES``.

Shapes:
    exits   (ledgers, tokens, X_SIZE_OF) int64: what is kept of each position
    rules   (ledgers, R_SIZE_OF) int64: what each strategy declares, MISSING for what it does not
    folios  (ledgers, P_SIZE_OF) int64: what is kept of all positions of a ledger together
    terms   (markets, Y_SIZE_OF) int64: what a market's sales pay, and whether anybody watches it

Units: prices and sizes the market's integers, fine prices millionths of a price unit, parts
millionths, money 1e-6, times ns.
"""

from __future__ import annotations

from typing import Final

from numba import int32, int64, njit, types

from polyframe.kernels.booking_nb import LARGEST, MOST_FACTOR, rounded_ratio
from polyframe.kernels.guards_nb import MISSING, share_of

MILLION: Final = 1_000_000
MOST_STEPS: Final = 8
"""Steps of a ladder."""
MOST_RATIO: Final = 1 << 48

# ---- a position --------------------------------------------------------------------------------
X_HELD: Final = 0
"""shares that can be sold: whole lots"""
X_BOUGHT: Final = 1
"""shares that came since the position was opened"""
X_AVERAGE: Final = 2
"""average cost a share, as a fine price"""
X_OPENED: Final = 3
X_HIGH: Final = 4
"""highest trustworthy bid since it was opened"""
X_ATR_LEVEL: Final = 5
"""the trailing stop by true range, in half price units; it only rises"""
X_TAKEN: Final = 6
"""steps of the profit's ladder that are done"""
X_TAKEN_PART: Final = 7
"""shares sold towards the next"""
X_REDUCED: Final = 8
X_REDUCED_PART: Final = 9
X_NOT_BEFORE: Final = 10
"""no attempt before this moment"""
X_PAUSE: Final = 11
"""how long the last attempt's timer waits; 0: something was booked since"""
X_CLOSE: Final = 12
"""a code when it is to be sold whatever the rules say"""
X_WORTH: Final = 13
"""what a share is believed worth, as a fine price; MISSING: nobody said"""
X_LOW: Final = 14
"""twice the mid of YES from which down that belief is to be asked for anew"""
X_TOP: Final = 15
X_ASK_AFTER: Final = 16
X_LAST: Final = 17
"""the last bid seen"""
X_TICKED: Final = 18
"""1 when the last price changed the bid"""
X_SIZE_OF: Final = 19

# ---- what a strategy declares ------------------------------------------------------------------
R_ON: Final = 0
"""1 when anything is declared"""
R_STOP: Final = 1
R_BREAKEVEN: Final = 2
R_TRAIL: Final = 3
"""distance in gain"""
R_ARM: Final = 4
"""gain from which a trailing stop counts"""
R_ATR: Final = 5
"""distance in true ranges, millionths"""
R_PERIOD: Final = 6
R_NEAR: Final = 7
"""ns before the market closes"""
R_THESIS: Final = 8
R_TICKS: Final = 9
"""1 when every change of a held token's bid is a wake"""
R_UNDER: Final = 10
"""ns under water after which a ledger's recovery is watched"""
R_GAIN: Final = 11
R_DISTANCE: Final = 12
R_RETRY: Final = 13
R_TAKES: Final = 14
"""steps of the profit's ladder"""
R_HOLDS: Final = 15
R_TAKE: Final = 16
"""(gain, part sold by then) of each step"""
R_HOLD: Final = R_TAKE + 2 * MOST_STEPS
"""(ns held, part sold by then) of each step"""
R_SIZE_OF: Final = R_HOLD + 2 * MOST_STEPS

# ---- all positions of a ledger -----------------------------------------------------------------
P_BASIS: Final = 0
"""cash and the cost of all shares: equity above it is unrealised gain"""
P_COST: Final = 1
P_SINCE: Final = 2
"""under water since, 0: it is not"""
P_ARMED: Final = 3
P_BEST: Final = 4
"""the highest gain since it recovered"""
P_FIRED: Final = 5
"""when all positions were last told to be sold"""
P_SIZE_OF: Final = 6

# ---- a market ----------------------------------------------------------------------------------
Y_FIRST: Final = 0
"""index of its first token"""
Y_TOKENS: Final = 1
Y_ONE: Final = 2
Y_RATE: Final = 3
Y_EXPONENT: Final = 4
Y_CLOSES: Final = 5
Y_LOT: Final = 6
Y_MIN: Final = 7
Y_DIVISOR: Final = 8
Y_WATCHED: Final = 9
"""positions that anything may sell"""
Y_MID: Final = 10
"""twice the mid of YES when the market was last forecast, 0: there was none"""
Y_SIZE_OF: Final = 11

CODES: Final = (
    "",
    "emergency",
    "portfolio_trailing",
    "stop_loss",
    "trailing",
    "breakeven",
    "near_resolution",
    "max_holding",
    "thesis",
    "take_profit",
)
"""Reasons by code, in order of precedence: the worst for us first."""
NONE: Final = 0
EMERGENCY: Final = 1
PORTFOLIO: Final = 2
STOP: Final = 3
TRAILING: Final = 4
BREAKEVEN: Final = 5
NEAR: Final = 6
HOLDING: Final = 7
THESIS: Final = 8
TAKE: Final = 9
ASK: Final = 10
"""nothing is sold: the belief is too old for this price and is to be asked for anew"""

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")
_cube = types.Array(int64, 3, "C")
_ring = types.Array(int32, 1, "C")
TABLES: Final = types.Tuple((_cube, _table, _table, _table))
"""Exits, rules, folios and terms, as the data loop takes them."""


@njit(int64(int64, int64, int64, int64), cache=True)
def net_of(price, rate, exponent, one):  # type: ignore[no-untyped-def]
    """What a share sold at a price brings after the taker's fee, rounded down.

    Shapes: scalars. Units: price units; rate in millionths; a fine price.
    """
    if rate == 0:
        return price * MILLION
    fee = rate * one
    for _ in range(exponent):
        # Rounded up at each step, so that a gain is never counted too high.
        fee = -((-fee * price) // one)
        fee = -((-fee * (one - price)) // one)
    return price * MILLION - fee


@njit(int64(int64, int64, int64), cache=True)
def average_of(cost, shares, divisor):  # type: ignore[no-untyped-def]
    """The average cost a share, to the nearest millionth of a price unit.

    Costs beyond what any price explains (a rest that carries the cost of what was converted) and
    prices of very many decimals are taken roughly.

    Shapes: scalars. Units: money; size units; a fine price.
    """
    if shares <= 0 or cost <= 0:
        return 0
    while shares >= MOST_RATIO:
        shares >>= 1
        cost >>= 1
    scale = divisor * MILLION
    if scale >= MOST_FACTOR or cost // shares >= LARGEST // scale:
        return int(min(float(cost) / float(shares) * float(scale), float(LARGEST)))
    return cost // shares * scale + rounded_ratio(cost % shares, scale, shares)


@njit(int64(int64, int64), cache=True)
def grown(average: int, part: int) -> int:
    """The net price at which a gain is reached, rounded up.

    Shapes: scalars. Units: fine prices; millionths.
    """
    odd = 1 if average % MILLION * part % MILLION else 0
    return average + share_of(average, part) + odd


@njit(types.void(_row, int64, int64, int64, int64, int64, int64, int64), cache=True)
def booked(x, before, shares, cost, lot, divisor, now, bid):  # type: ignore[no-untyped-def]
    """Takes a change of a position: its age, its average cost and the shares that came.

    An addition keeps the age and the highest bid; a position that comes back from zero is new.

    Shapes: x (X_SIZE_OF,). Units: size units; money; ns; the bid in price units.
    """
    if shares <= 0:
        x[:] = 0
        x[X_WORTH] = MISSING
        return
    if before <= 0:
        x[:] = 0
        x[X_WORTH] = MISSING
        x[X_OPENED] = now
        x[X_BOUGHT] = shares
        x[X_HIGH] = max(bid, 0)
        x[X_LAST] = bid
    elif shares > before:
        x[X_BOUGHT] += shares - before
    x[X_HELD] = shares // lot * lot
    x[X_AVERAGE] = average_of(cost, shares, divisor)
    x[X_PAUSE] = 0


@njit(int64(int64, int64), cache=True)
def part_of(bought, part):  # type: ignore[no-untyped-def]
    """A part of a size, to the nearest unit.

    Shapes: scalars. Units: size units; millionths.
    """
    if bought >= MOST_RATIO:
        return bought // MILLION * part
    return rounded_ratio(bought, part, MILLION)


@njit(int64(_row, int64, int64, int64), cache=True)
def _due(rules, at, step, bought):  # type: ignore[no-untyped-def]
    """What is sold of a position when so many steps of a ladder are done."""
    return part_of(bought, rules[at + 2 * step - 1]) if step > 0 else 0


@njit(types.void(_row, _row, int64, int64, int64), cache=True)
def sold(x, rules, code, size, lot):  # type: ignore[no-untyped-def]
    """Counts a sale towards the steps of the ladder it was made for.

    Shapes: x (X_SIZE_OF,), rules (R_SIZE_OF,). Units: size units.
    """
    if code == TAKE:
        done, part, at, steps = X_TAKEN, X_TAKEN_PART, R_TAKE, rules[R_TAKES]
    elif code == HOLDING:
        done, part, at, steps = X_REDUCED, X_REDUCED_PART, R_HOLD, rules[R_HOLDS]
    else:
        return
    x[part] += size
    while x[done] < steps:
        wanted = _due(rules, at, x[done] + 1, x[X_BOUGHT]) - _due(rules, at, x[done], x[X_BOUGHT])
        if x[part] + lot <= wanted:
            return
        x[part] = max(x[part] - wanted, 0)
        x[done] += 1
    x[part] = 0


@njit(int64(_row, _row, int64, int64, int64, int64), cache=True)
def _step_size(x, rules, at, reached, done, part):  # type: ignore[no-untyped-def]
    """What the steps reached but not done still have to sell."""
    wanted = _due(rules, at, reached, x[X_BOUGHT]) - _due(rules, at, done, x[X_BOUGHT])
    return max(wanted - part, 0)


@njit(int64(_row, int64, int64, int64), cache=True)
def _reached(rules, at, steps, value):  # type: ignore[no-untyped-def]
    """Steps of a ladder whose threshold a value has reached."""
    found = int64(0)
    while found < steps and value >= rules[at + 2 * found]:
        found += 1
    return found


@njit(types.Tuple((int64, int64))(_row, _row, _row, int64, int64, int64), cache=True)
def _by_price(x, rules, terms, bid, net, best):  # type: ignore[no-untyped-def]
    """Stop, trailing stop and breakeven: the first that holds, for the whole position."""
    average = x[X_AVERAGE]
    if average <= 0:
        return NONE, 0
    if rules[R_STOP] != MISSING and net <= average - share_of(average, rules[R_STOP]):
        return STOP, x[X_HELD]
    if rules[R_ARM] != MISSING and best >= grown(average, rules[R_ARM]):
        if rules[R_TRAIL] != MISSING and net <= best - share_of(average, rules[R_TRAIL]):
            return TRAILING, x[X_HELD]
        if rules[R_ATR] != MISSING and x[X_ATR_LEVEL] > 0 and 2 * bid <= x[X_ATR_LEVEL]:
            return TRAILING, x[X_HELD]
    if (
        rules[R_BREAKEVEN] != MISSING
        and best >= grown(average, rules[R_BREAKEVEN])
        and net <= average
    ):
        return BREAKEVEN, x[X_HELD]
    return NONE, 0


@njit(types.Tuple((int64, int64))(_row, _row, _row, int64, int64, int64), cache=True)
def _by_ladder(x, rules, terms, net, now, held):  # type: ignore[no-untyped-def]
    """The size that profit and age ask for, and which of them: all before a part."""
    taking = int64(0)
    gained = 0
    while gained < rules[R_TAKES] and net >= grown(x[X_AVERAGE], rules[R_TAKE + 2 * gained]):
        gained += 1
    if x[X_AVERAGE] <= 0:
        gained = 0
    if gained > x[X_TAKEN]:
        taking = _step_size(x, rules, R_TAKE, gained, x[X_TAKEN], x[X_TAKEN_PART])
        if rules[R_TAKE + 2 * gained - 1] >= MILLION:
            taking = held
    aged = _reached(rules, R_HOLD, rules[R_HOLDS], now - x[X_OPENED])
    reducing = int64(0)
    if aged > x[X_REDUCED]:
        reducing = _step_size(x, rules, R_HOLD, aged, x[X_REDUCED], x[X_REDUCED_PART])
        if rules[R_HOLD + 2 * aged - 1] >= MILLION:
            reducing = held
    if reducing >= held:
        return HOLDING, held
    if taking >= held:
        return TAKE, held
    # What is due for both reasons is one sale; the next one follows when it is done.
    if reducing >= terms[Y_LOT]:
        return HOLDING, reducing
    return TAKE, taking


@njit(types.Tuple((int64, int64))(_row, _row, _row, int64, int64, int64), cache=True)
def decide(x, rules, terms, bid, mid, now):  # type: ignore[no-untyped-def]
    """Which exit of a position holds at a bid, as its code, and how many shares it sells.

    ``mid`` is twice the mid of YES, 0 without one. A rest below the market's minimum is sold along.

    Shapes: x (X_SIZE_OF,), rules (R_SIZE_OF,), terms (Y_SIZE_OF,). Units: see module.
    """
    held = x[X_HELD]
    if held <= 0 or bid <= 0:
        return NONE, 0
    if x[X_CLOSE] != NONE:
        return x[X_CLOSE], held
    if rules[R_ON] == 0:
        return NONE, 0
    net = net_of(bid, terms[Y_RATE], terms[Y_EXPONENT], terms[Y_ONE])
    best = net_of(max(x[X_HIGH], bid), terms[Y_RATE], terms[Y_EXPONENT], terms[Y_ONE])
    code, size = _by_price(x, rules, terms, bid, net, best)
    if code != NONE:
        return code, size
    if rules[R_NEAR] != MISSING and terms[Y_CLOSES] > 0 and now >= terms[Y_CLOSES] - rules[R_NEAR]:
        return NEAR, held
    code, size = _by_ladder(x, rules, terms, net, now, held)
    if code == HOLDING and size >= held:
        return code, size
    asks = False
    if rules[R_THESIS] == 1:
        known = x[X_WORTH] != MISSING
        if known and (mid <= 0 or x[X_LOW] <= mid <= x[X_TOP]):
            if net > x[X_WORTH]:
                return THESIS, held
        else:
            asks = now >= x[X_ASK_AFTER]
    size = size // terms[Y_LOT] * terms[Y_LOT]
    if size > 0:
        return code, held if held - size < terms[Y_MIN] else size
    return (ASK, 0) if asks else (NONE, 0)


@njit(types.void(_row, _row, _ring, int64, int64), cache=True)
def follow(x, rules, history, seen, bid):  # type: ignore[no-untyped-def]
    """Takes a trustworthy bid into what is kept of a position.

    ``history`` are twice the mids of the market, ``seen`` how many were written so far. The true
    range is the mean absolute change from one to the next.

    Shapes: x (X_SIZE_OF,), rules (R_SIZE_OF,), history (ring,). Units: price units.
    """
    x[X_TICKED] = 1 if bid != x[X_LAST] else 0
    x[X_LAST] = bid
    x[X_HIGH] = max(x[X_HIGH], bid)
    if rules[R_ATR] == MISSING:
        return
    ring = history.shape[0]
    n = min(rules[R_PERIOD], seen - 1, ring - 1)
    if n <= 0:
        return
    moved = 0
    for i in range(seen - n, seen):
        moved += abs(int64(history[i % ring]) - int64(history[(i - 1) % ring]))
    level = 2 * x[X_HIGH] - share_of(moved, rules[R_ATR]) // n
    x[X_ATR_LEVEL] = max(x[X_ATR_LEVEL], level)


@njit(types.void(_table, int64, int64), cache=True)
def close_all(exits, code, now):  # type: ignore[no-untyped-def]
    """Says that everything a ledger holds is to be sold, at once.

    Shapes: exits (tokens, X_SIZE_OF). Units: see module.
    """
    for token in range(exits.shape[0]):
        if exits[token, X_HELD] > 0 and (
            exits[token, X_CLOSE] == NONE or exits[token, X_CLOSE] > code
        ):
            exits[token, X_CLOSE] = code
            exits[token, X_NOT_BEFORE] = now


@njit(int64(_row, _row, int64, int64), cache=True)
def recovered(folio, rules, equity, now):  # type: ignore[no-untyped-def]
    """1 when a ledger that was under water for long has recovered and falls back.

    Shapes: folio (P_SIZE_OF,), rules (R_SIZE_OF,). Units: money; ns.
    """
    if folio[P_COST] <= 0:
        folio[P_SINCE] = 0
        folio[P_ARMED] = 0
        folio[P_BEST] = 0
        return 0
    gain = equity - folio[P_BASIS]
    if gain < 0:
        if folio[P_SINCE] == 0:
            folio[P_SINCE] = now
    elif folio[P_SINCE] > 0:
        if now - folio[P_SINCE] >= rules[R_UNDER]:
            folio[P_ARMED] = 1
            folio[P_BEST] = 0
        folio[P_SINCE] = 0
    if folio[P_ARMED] == 0:
        return 0
    folio[P_BEST] = max(folio[P_BEST], gain)
    if folio[P_BEST] < share_of(folio[P_COST], rules[R_GAIN]):
        return 0
    if gain > folio[P_BEST] - share_of(folio[P_COST], rules[R_DISTANCE]):
        return 0
    folio[P_ARMED] = 0
    folio[P_SINCE] = 0
    folio[P_FIRED] = now
    return 1


@njit(int64(int64, int64, int64, int64), cache=True)
def bid_of(outcome: int, bid: int, ask: int, one: int) -> int:
    """What a token could be sold at, 0 for nothing.

    Shapes: scalars. Units: price units of YES in, of the token out.
    """
    if outcome == 0:
        return bid
    return one - ask if ask > 0 else 0


@njit(int64(TABLES, _ring, int64, int64, int64, int64, int64, _table), cache=True)
def watch(tables, history, seen, m, now, bid, ask, marks):  # type: ignore[no-untyped-def]
    """Takes a trustworthy quote of a market; 1 when an exit holds that may be carried out now.

    Shapes: tables see TABLES; history (ring,) of this market; marks (ledgers + 1, 1 or more) with
    the equity in the first column. Units: bid and ask in price units of YES; ns.
    """
    exits, rules, folios, terms = tables
    found = int64(0)
    first = terms[m, Y_FIRST]
    mid = bid + ask if bid > 0 and ask > 0 else 0
    for row in range(exits.shape[0]):
        holds = False
        for k in range(terms[m, Y_TOKENS]):
            x = exits[row, first + k]
            if x[X_HELD] <= 0 or (rules[row, R_ON] == 0 and x[X_CLOSE] == NONE):
                continue
            holds = True
            own = bid_of(k, bid, ask, terms[m, Y_ONE])
            if own <= 0:
                x[X_TICKED] = 0
                continue
            follow(x, rules[row], history, seen, own)
            if x[X_TICKED] == 1 and rules[row, R_TICKS] == 1:
                found = int64(1)
        if not holds:
            continue
        if rules[row, R_UNDER] != MISSING and recovered(
            folios[row], rules[row], marks[row, 0], now
        ):
            close_all(exits[row], PORTFOLIO, now)
            found = int64(1)
        for k in range(terms[m, Y_TOKENS]):
            x = exits[row, first + k]
            own = bid_of(k, bid, ask, terms[m, Y_ONE])
            code, _ = decide(x, rules[row], terms[m], own, mid, now)
            if code == ASK or (code != NONE and now >= x[X_NOT_BEFORE]):
                found = int64(1)
    return found
