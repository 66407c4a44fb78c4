"""A journal's records straight from the log of a compiled run over a tape.

A record is fixed bytes with places for numbers and words between them. Its form says which:
whoever calls makes the forms, one for each kind of record, and is asked for one that is missing.

Shapes:
    state    (S_SIZE_OF,) int64: where the writing stands
    log      reviews, told, pulled: see ``l2logs_nb``
    orders   (numbers + 1, 2) int64: by the order's number, see ``A_``
    markets  (markets, M_SIZE_OF) int64
    own      bytes (.,) uint8, and begin and length for the rows of the reviews and of the answers
             that were prepared, (., 2) int64 each; length 0: the row has no bytes of its own
    words, forms: see ``forms_nb``; of forms there are CODES
    values   (V_SIZE_OF,) int64
    out      (.,) uint8
    ends     (., 2) int64: where each record ends in ``out``, and the number of its step
Units: ns, price and size units of the order's own token, money.
"""

from __future__ import annotations

from typing import Final

from numba import int64, types, uint8

from polyframe.kernels import l2columns_nb as lc
from polyframe.kernels import l2logs_nb as lg
from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.forms_nb import FORMS, WORDS, fill_in

# ---- values that places name ---------------------------------------------------------------------
V_SEQ: Final = 0
V_TS: Final = 1
V_EFFECTS: Final = 2
V_NUMBER: Final = 3
V_PRICE: Final = 4
V_ASKED: Final = 5
V_PERMITTED: Final = 6
V_EXPIRES: Final = 7
V_TTL: Final = 8
V_SALT: Final = 9
V_RESERVED: Final = 10
V_PRICE_DECIMALS: Final = 11
V_SIZE_DECIMALS: Final = 12
V_TRADE: Final = 13
V_EXECUTED_PRICE: Final = 14
V_EXECUTED: Final = 15
V_FEE: Final = 16
V_EXECUTED_TS: Final = 17
V_REALISED: Final = 18
V_FILLED: Final = 19
V_MARKET: Final = 20
"""indexes of words"""
V_TOKEN: Final = 21
V_REASON: Final = 22
V_BEGIN: Final = 23
"""where the row's own bytes begin, and how many they are"""
V_LENGTH: Final = 24
V_SIZE_OF: Final = 25

# ---- forms: what a row is, times KIND, and bits that tell one from another -----------------------
KIND: Final = 256
STEP: Final = 0
"""how a step begins that was a wake"""
REVIEWED: Final = KIND
BUYS: Final = 1
SENT: Final = 2
REDUCES: Final = 4
EXPIRING: Final = 8
POST_ONLY: Final = 16
REASONED: Final = 32
UNSEEN: Final = 2 * KIND
"""to it comes why"""
PULLED: Final = 3 * KIND
ANSWERED: Final = 4 * KIND
"""to it comes ``KIND`` times what the answer is, and why or these"""
MAKER: Final = 64
WHOLE: Final = 128
LATE: Final = 4
"""of a fill, whose code leaves room where orders have ``REDUCES``"""
LIVES: Final = 1
IN_OWN_WORDS: Final = 10 * KIND
CODES: Final = 11 * KIND

# ---- orders and markets --------------------------------------------------------------------------
A_FILLED: Final = 0
"""what of it has filled, -1 once it is not open any more"""
A_SALT: Final = 1
M_FIRST: Final = 0
"""index of its first token"""
M_ONE: Final = 1
M_PRICE_DECIMALS: Final = 2
M_SIZE_DECIMALS: Final = 3
M_SIZE_OF: Final = 4

# ---- where the writing stands --------------------------------------------------------------------
S_REVIEWS: Final = 0
"""rows of each table that are written, and how many there are"""
S_TOLD: Final = 1
S_PULLED: Final = 2
S_LAST_REVIEW: Final = 3
S_LAST_TOLD: Final = 4
S_LAST_PULLED: Final = 5
S_STEP: Final = 6
"""the last step of the log that was written"""
S_LAST_STEP: Final = 7
S_SEQ: Final = 8
"""its number in the journal"""
S_POSITION: Final = 9
"""bytes written to ``out``"""
S_RECORDS: Final = 10
S_FIRST_ORDER: Final = 11
"""the number of the last order before the first of ``orders``"""
S_TOKENS: Final = 12
"""where words of tokens and reasons begin; those of markets come first"""
S_REASONS: Final = 13
S_FROM_REVIEW: Final = 14
"""rows of the reviews and of the answers that were prepared: from, up to before"""
S_TO_REVIEW: Final = 15
S_FROM_TOLD: Final = 16
S_TO_TOLD: Final = 17
S_WANTED: Final = 18
"""the form that is missing, or the row up to which reviews have to be prepared"""
S_SIZE_OF: Final = 19

# ---- why it stopped ------------------------------------------------------------------------------
ALL_WRITTEN: Final = 0
FULL: Final = 1
NO_FORM: Final = 2
NOT_PREPARED: Final = 3

_row = types.Array(int64, 1, "C")
_table = types.Array(int64, 2, "C")
_bytes = types.Array(uint8, 1, "C")
_OWN = types.Tuple((_bytes, _table, _table))
_LOG = types.UniTuple(_table, 3)


@kernel(types.void(_row, _row, _table, _row, _row), inline=True)
def _of_order(said, state, orders, market, values):  # type: ignore[no-untyped-def]
    """What a review and what follows from it name."""
    sent = said[lg.L_NUMBER]
    values[V_NUMBER] = sent
    values[V_PRICE] = said[lg.L_PRICE]
    values[V_ASKED] = said[lg.L_ASKED]
    values[V_PERMITTED] = said[lg.L_PERMITTED]
    values[V_EXPIRES] = said[lg.L_EXPIRES]
    values[V_TTL] = said[lg.L_EXPIRES] - said[lg.L_TS]
    values[V_SALT] = orders[sent - state[S_FIRST_ORDER], A_SALT] if sent > 0 else 0
    values[V_RESERVED] = said[lg.L_RESERVED]
    values[V_PRICE_DECIMALS] = market[M_PRICE_DECIMALS]
    values[V_SIZE_DECIMALS] = market[M_SIZE_DECIMALS]
    values[V_MARKET] = said[lg.L_MARKET]
    values[V_TOKEN] = state[S_TOKENS] + said[lg.L_TOKEN]
    values[V_REASON] = state[S_REASONS] + said[lg.L_REASON]


@kernel(int64(_row), inline=True)
def _form_of(said):  # type: ignore[no-untyped-def]
    """The form of a review."""
    if said[lg.L_REFUSED] != 0:
        return UNSEEN + said[lg.L_REFUSED]
    code = int64(REVIEWED)
    code += BUYS if said[lg.L_SIDE] > 0 else 0
    code += SENT if said[lg.L_NUMBER] > 0 else 0
    code += REDUCES if said[lg.L_REDUCES] != 0 else 0
    code += EXPIRING if said[lg.L_EXPIRES] != 0 else 0
    code += POST_ONLY if said[lg.L_POST] == 1 else 0
    code += REASONED if said[lg.L_REASON] != 0 else 0
    return code


@kernel(int64(_row, _table, _row, _table, _table, _row, int64), inline=True)
def _of_answer(x, reviews, state, orders, markets, values, was):  # type: ignore[no-untyped-def]
    """The form of an answer with what it names; ``was`` is what had filled, -1 when not open."""
    what = x[lc.X_WHAT]
    filled = max(was, 0)
    code = ANSWERED + KIND * what
    values[V_TS] = x[lc.X_KNOWN]
    values[V_NUMBER] = x[lc.X_NUMBER]
    values[V_FILLED] = filled
    values[V_EFFECTS] = 1
    if what == lc.FILLED:
        said = reviews[x[lg.T_LOG]]
        market = markets[said[lg.L_MARKET]]
        _of_order(said, state, orders, market, values)
        other = said[lg.L_TOKEN] - market[M_FIRST] == 1
        values[V_EXECUTED_PRICE] = market[M_ONE] - x[lc.X_PRICE] if other else x[lc.X_PRICE]
        values[V_EXECUTED] = x[lc.X_SIZE]
        values[V_TRADE] = x[lc.X_TRADE]
        values[V_FEE] = x[lc.X_FEE]
        values[V_EXECUTED_TS] = x[lc.X_TS]
        values[V_REALISED] = x[lg.T_REALISED]
        values[V_FILLED] = filled + x[lc.X_SIZE]
        values[V_EFFECTS] = 2
        code += BUYS if said[lg.L_SIDE] > 0 else 0
        code += REASONED if said[lg.L_REASON] != 0 else 0
        code += MAKER if x[lc.X_MAKER] == 1 else 0
        code += WHOLE if values[V_FILLED] >= said[lg.L_PERMITTED] else 0
        if x[lg.T_LATE] != 0:
            code += LATE
            values[V_EFFECTS] = 3
    elif what == lc.ACCEPTED:
        lives = was == 0
        code += LIVES if lives else 0
        values[V_EFFECTS] = 1 if lives else 0
    elif what == lc.NOT_CANCELLED:
        code += x[lc.X_WHY]
        values[V_EFFECTS] = 0
    elif what == lc.CANCELLED:
        code += x[lc.X_WHY]
    return code


@kernel(int64(_row, _LOG, _table, _table, WORDS, _OWN, FORMS, _row, _bytes, _table), alone=True)
def write(  # type: ignore[no-untyped-def] # noqa: PLR0912, PLR0915 - one list of cases
    state, log, orders, markets, words, own, forms, values, out, ends
):
    """Writes the records of all steps that were not written yet; why it stopped.

    A record that could not be finished was not begun: the caller sees to what it lacks, and calls
    again. Steps after which nothing was done, and wakes, are counted and not recorded.

    Shapes: see module. Units: see module.
    """
    reviews, told, pulled = log
    at_form = forms[0]
    while state[S_RECORDS] < len(ends):
        r, a, c = state[S_REVIEWS], state[S_TOLD], state[S_PULLED]
        step = int64(1) << 62
        if r < state[S_LAST_REVIEW]:
            step = min(step, reviews[r, lg.L_STEP])
        if a < state[S_LAST_TOLD]:
            step = min(step, told[a, lg.T_STEP])
        if c < state[S_LAST_PULLED]:
            step = min(step, pulled[c, lg.P_STEP])
        if step == int64(1) << 62:
            state[S_SEQ] += max(state[S_LAST_STEP] - state[S_STEP], 0)
            state[S_STEP] = max(state[S_STEP], state[S_LAST_STEP])
            return ALL_WRITTEN
        seq = state[S_SEQ] + max(step - 1 - state[S_STEP], 0) + 1
        # What follows from it, counted first: the number of them comes before them.
        effects, upto = int64(0), r
        while upto < state[S_LAST_REVIEW] and reviews[upto, lg.L_STEP] == step:
            effects += 2 if reviews[upto, lg.L_NUMBER] > 0 else 1
            upto += 1
        answered = a < state[S_LAST_TOLD] and told[a, lg.T_STEP] == step
        if (upto > r and (r < state[S_FROM_REVIEW] or upto > state[S_TO_REVIEW])) or (
            answered and not state[S_FROM_TOLD] <= a < state[S_TO_TOLD]
        ):
            state[S_WANTED] = upto
            return NOT_PREPARED
        k = c
        while k < state[S_LAST_PULLED] and pulled[k, lg.P_STEP] == step:
            effects += 1
            k += 1
        values[V_SEQ] = seq
        at = state[S_POSITION]
        order, filled = int64(-1), int64(0)
        if answered:
            x = told[a]
            order = x[lc.X_NUMBER] - state[S_FIRST_ORDER]
            code = _of_answer(x, reviews, state, orders, markets, values, orders[order, A_FILLED])
            filled = orders[order, A_FILLED]
            if x[lc.X_WHAT] == lc.FILLED:
                filled = values[V_FILLED] if code & WHOLE == 0 else int64(-1)
            elif x[lc.X_WHAT] != lc.ACCEPTED and x[lc.X_WHAT] != lc.NOT_CANCELLED:
                filled = int64(-1)
            values[V_EFFECTS] += effects
            values[V_BEGIN] = own[2][a - state[S_FROM_TOLD], 0]
            values[V_LENGTH] = own[2][a - state[S_FROM_TOLD], 1]
            a += 1
        else:
            code = int64(STEP)
            values[V_EFFECTS] = effects
            first = c < state[S_LAST_PULLED] and pulled[c, lg.P_STEP] == step
            if first and r < state[S_LAST_REVIEW] and reviews[r, lg.L_STEP] == step:
                first = pulled[c, lg.P_REVIEWS] <= r
            values[V_TS] = pulled[c, lg.P_TS] if first else reviews[r, lg.L_TS]
        while True:
            if at_form[code, 0] < 0:
                state[S_WANTED] = code
                return NO_FORM
            at = fill_in(code, words, own[0], forms, values, out, at)
            if at < 0:
                return FULL
            reviewed = r < state[S_LAST_REVIEW] and reviews[r, lg.L_STEP] == step
            if (
                c < state[S_LAST_PULLED]
                and pulled[c, lg.P_STEP] == step
                and (not reviewed or pulled[c, lg.P_REVIEWS] <= r)
            ):
                reason = pulled[c, lg.P_REASON]
                values[V_NUMBER] = pulled[c, lg.P_NUMBER]
                values[V_REASON] = state[S_REASONS] + reason
                code = int64(PULLED) + (REASONED if reason != 0 else 0)
                c += 1
            elif reviewed:
                said = reviews[r]
                values[V_TS] = said[lg.L_TS]
                values[V_BEGIN] = own[1][r - state[S_FROM_REVIEW], 0]
                values[V_LENGTH] = own[1][r - state[S_FROM_REVIEW], 1]
                if values[V_LENGTH] > 0:
                    code = int64(IN_OWN_WORDS)
                else:
                    code = _form_of(said)
                    _of_order(said, state, orders, markets[said[lg.L_MARKET]], values)
                r += 1
            else:
                break
        if order >= 0:
            orders[order, A_FILLED] = filled
        ends[state[S_RECORDS], 0] = at
        ends[state[S_RECORDS], 1] = seq
        state[S_RECORDS] += 1
        state[S_POSITION] = at
        state[S_SEQ] = seq
        state[S_STEP] = max(state[S_STEP], step)
        state[S_REVIEWS], state[S_TOLD], state[S_PULLED] = r, a, c
    return FULL
