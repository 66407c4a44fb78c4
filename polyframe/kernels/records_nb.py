"""A journal's records straight from the log of a compiled run over a tape.

A record is fixed bytes with places for numbers and words between them. Its form says which:
whoever calls makes the forms, one for each kind of record, and is asked for one that is missing.

Shapes:
    state    (S_SIZE_OF,) int64: where the writing stands
    log      reviews, told, pulled: see ``l2logs_nb``
    orders   (numbers + 1, 2) int64: by the order's number, see ``A_``
    markets  (markets, M_SIZE_OF) int64
    words    bytes (.,) uint8 and (., 2) int64, begin and length of each word as it is stored
    own      bytes (.,) uint8, and begin and length for the rows of the reviews and of the answers
             that were prepared, (., 2) int64 each; length 0: the row has no bytes of its own
    forms    (CODES, 2) int64, begin and end of each among the places; places (., 3) int64; bytes
             (.,) uint8
    values   (V_SIZE_OF,) int64
    out      (.,) uint8
    ends     (., 2) int64: where each record ends in ``out``, and the number of its step
Units: ns, price and size units of the order's own token, money.

Source: https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from __future__ import annotations

from typing import Final

from numba import int64, types, uint8, uint64

from polyframe.kernels import l2columns_nb as lc
from polyframe.kernels import l2logs_nb as lg
from polyframe.kernels.compile_nb import kernel

# ---- places --------------------------------------------------------------------------------------
COPY: Final = 0
"""fixed bytes: begin, length"""
NUMBER: Final = 1
"""an integer: its value"""
WORD: Final = 2
"""a stored word: the value that is its index"""
TEXT: Final = 3
"""a text begins that consists of so many places which follow, fixed bytes and digits"""
DIGITS: Final = 4
"""an integer in decimal: its value"""
COUNT: Final = 5
"""an array begins: the value that is its length"""
OWN: Final = 6
"""the bytes of the row itself"""

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
_WORDS = types.Tuple((_bytes, _table))
_OWN = types.Tuple((_bytes, _table, _table))
_FORMS = types.Tuple((_table, _table, _bytes))
_LOG = types.UniTuple(_table, 3)

LONGEST: Final = 20
"""bytes of any number, stored or in decimal, and of any header"""


@kernel(int64(int64, int64, int64, _bytes, int64), inline=True)
def _big(head, value, width, out, at):  # type: ignore[no-untyped-def]
    """A head and an integer of so many bytes, the greatest first."""
    out[at] = head
    for k in range(width):
        out[at + width - k] = value & 255
        value >>= 8
    return at + 1 + width


@kernel(int64(int64, _bytes, int64))
def number(value, out, at):  # type: ignore[no-untyped-def]
    """Stores an integer in as few bytes as it needs; where the next byte goes.

    Shapes: see module. Units: none.
    """
    if value >= 0:
        if value < 1 << 7:
            out[at] = value
            return at + 1
        if value < 1 << 8:
            return _big(0xCC, value, 1, out, at)
        if value < 1 << 16:
            return _big(0xCD, value, 2, out, at)
        if value < 1 << 32:
            return _big(0xCE, value, 4, out, at)
        return _big(0xCF, value, 8, out, at)
    if value >= -32:
        out[at] = 256 + value
        return at + 1
    if value >= -(1 << 7):
        return _big(0xD0, value, 1, out, at)
    if value >= -(1 << 15):
        return _big(0xD1, value, 2, out, at)
    if value >= -(1 << 31):
        return _big(0xD2, value, 4, out, at)
    return _big(0xD3, value, 8, out, at)


@kernel(int64(int64, _bytes, int64))
def text_head(length, out, at):  # type: ignore[no-untyped-def]
    """Begins a text of so many bytes; where the next byte goes.

    Shapes: see module. Units: bytes.
    """
    if length < 1 << 5:
        out[at] = 0xA0 | length
        return at + 1
    if length < 1 << 8:
        return _big(0xD9, length, 1, out, at)
    if length < 1 << 16:
        return _big(0xDA, length, 2, out, at)
    return _big(0xDB, length, 4, out, at)


@kernel(int64(int64, _bytes, int64))
def array_head(length, out, at):  # type: ignore[no-untyped-def]
    """Begins an array of so many; where the next byte goes.

    Shapes: see module. Units: none.
    """
    if length < 1 << 4:
        out[at] = 0x90 | length
        return at + 1
    if length < 1 << 16:
        return _big(0xDC, length, 2, out, at)
    return _big(0xDD, length, 4, out, at)


@kernel(int64(int64), inline=True)
def _width(value):  # type: ignore[no-untyped-def]
    """How many digits a number from 0 up has."""
    n = 1
    while value >= 10:
        value //= 10
        n += 1
    return n


@kernel(int64(int64, _bytes, int64))
def digits(value, out, at):  # type: ignore[no-untyped-def]
    """Writes a number from 0 up in decimal; where the next byte goes.

    Shapes: see module. Units: none.
    """
    n = _width(value)
    for k in range(n):
        out[at + n - 1 - k] = 48 + value % 10
        value //= 10
    return at + n


@kernel(int64(_bytes, int64, int64, _bytes, int64), inline=True)
def _copied(source, begin, length, out, at):  # type: ignore[no-untyped-def]
    """Copies bytes; where the next byte goes."""
    # Where an index may count from the end, each byte is moved by itself: sixty times slower.
    here, there = uint64(at), uint64(begin)
    for k in range(uint64(length)):
        out[here + k] = source[there + k]
    return at + length


@kernel(int64(int64, _WORDS, _bytes, _FORMS, _row, _bytes, int64))
def fill_in(  # type: ignore[no-untyped-def] # noqa: PLR0912 - one branch a kind of place
    code, words, own, forms, values, out, at
):
    """Writes one form with its values; where the next byte goes, -1 where there is no room.

    Shapes: see module. Units: none.
    """
    places, fixed = forms[1], forms[2]
    for p in range(forms[0][code, 0], forms[0][code, 1]):
        what, a, b = places[p, 0], places[p, 1], places[p, 2]
        if what == COPY:
            if at + b > len(out):
                return -1
            at = _copied(fixed, a, b, out, at)
            continue
        if at + LONGEST > len(out):
            return -1
        if what == NUMBER:
            at = number(values[a], out, at)
        elif what == WORD:
            begin, length = words[1][values[a], 0], words[1][values[a], 1]
            if at + length > len(out):
                return -1
            at = _copied(words[0], begin, length, out, at)
        elif what == TEXT:
            length = int64(0)
            for k in range(p + 1, p + 1 + a):
                length += places[k, 2] if places[k, 0] == COPY else _width(values[places[k, 1]])
            at = text_head(length, out, at)
        elif what == DIGITS:
            at = digits(values[a], out, at)
        elif what == COUNT:
            at = array_head(values[a], out, at)
        elif what == OWN:
            if at + values[V_LENGTH] > len(out):
                return -1
            at = _copied(own, values[V_BEGIN], values[V_LENGTH], out, at)
    return at


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


@kernel(int64(_row, _LOG, _table, _table, _WORDS, _OWN, _FORMS, _row, _bytes, _table), alone=True)
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
