"""A compiled run over a tape as a journal has it, written straight from the numbers of its log.

What steps say is stated in one place, ``tape_teller``. Here one step of each kind is told with
marks for what differs; compiled code then writes all others of its kind. Where no two are alike,
as with a guard's objection, the row is told and encoded by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import Market, Token
from polyframe.engine.context import salt_of, salts_of
from polyframe.engine.engine import Engine
from polyframe.kernels import forms_nb
from polyframe.kernels import l2columns_nb as lc
from polyframe.kernels import l2logs_nb as lg
from polyframe.kernels import records_nb as nb
from polyframe.runtime.tape_logged import TapeWords, fills_of, ones_of, orders_of
from polyframe.runtime.tape_teller import ANSWER, CANCEL, REVIEW, Row, TapeTeller
from polyframe.store.forms import Marks, Place, form_of
from polyframe.store.journal import JournalWriter, encoded
from polyframe.store.records import Step

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]
BLOCK = 4_096
"""Rows that are prepared, and records that are handed over, at a time."""
ROOM = 1 << 21
"""Bytes that are written at a time; more where one record has more."""
IN_FULL = (lg.OUT_OF_RANGE, lg.UNKNOWN)
"""Refusals that are told and encoded one by one."""


def mark(value: int) -> int:
    """What stands for a value in a sample: a number that no record has by chance."""
    return (1 << 60) + (value + 1) * 999_999_999_989


MARKET, TOKEN, REASON, OWN = "\0market", "\0token", "\0reason", "\0own"
OWN_BYTES = nb.V_BEGIN, nb.V_LENGTH
UNTIL = mark(nb.V_TS) + mark(nb.V_TTL)


class _Samples(TapeTeller):
    """Tells steps in which marks stand for what differs from one of its kind to another."""

    def __init__(self, engine: Engine) -> None:
        words = _SampleWords(engine, np.zeros((0, 0), np.int64), reasons=("", REASON))
        super().__init__(words, [])
        self._engine = engine
        numbers = {mark(v): v for v in range(nb.V_SIZE_OF)} | {UNTIL: nb.V_EXPIRES}
        numbers[salt_of(words.session, mark(nb.V_NUMBER))] = nb.V_SALT
        words_of = {MARKET: nb.V_MARKET, TOKEN: nb.V_TOKEN, REASON: nb.V_REASON}
        self.marks = Marks(numbers, words_of, {OWN: OWN_BYTES})

    def refusal(self, row: Row) -> str:
        """Each has its own."""
        return OWN

    def of(self, code: int, kept: Callable[[type], bool], fixed: bytearray) -> list[Place]:
        """The form of what a code stands for; ``kept`` says which events a journal keeps."""
        kind, bits = divmod(code, nb.KIND)
        kind *= nb.KIND
        event: Any = None
        effects: list[Any] = []
        if kind == nb.REVIEWED or kind == nb.UNSEEN:
            effects = self.effects(self._a_review(kind, bits))
        elif kind == nb.PULLED:
            effects = self.effects(self._a_cancel(bits))
        elif kind >= nb.ANSWERED:
            event, effects = self.answered(self._an_answer(kind // nb.KIND, bits))
            event = event if kept(type(event)) else None
        places: list[Place] = []
        if kind == nb.STEP or kind >= nb.ANSWERED:
            step = encoded(Step(mark(nb.V_SEQ), mark(nb.V_TS), event))
            # The last byte begins the effects, none.
            places = [*form_of(step[:-1], self.marks, fixed), (forms_nb.COUNT, nb.V_EFFECTS, 0)]
        return places + [p for e in effects for p in form_of(encoded(e), self.marks, fixed)]

    def _a_review(self, kind: int, bits: int) -> Row:
        row = np.zeros(lg.L_SIZE_OF, np.int64)
        if kind == nb.UNSEEN:
            bits, row[lg.L_REFUSED] = 0, bits
        for column, value in (
            (lg.L_TS, nb.V_TS), (lg.L_PRICE, nb.V_PRICE), (lg.L_ASKED, nb.V_ASKED),
            (lg.L_PERMITTED, nb.V_PERMITTED), (lg.L_RESERVED, nb.V_RESERVED),
        ):  # fmt: skip
            row[column] = mark(value)
        row[lg.L_SIDE] = 1 if bits & nb.BUYS else -1
        row[lg.L_NUMBER] = mark(nb.V_NUMBER) if bits & nb.SENT else 0
        row[lg.L_REDUCES] = 1 if bits & nb.REDUCES else 0
        row[lg.L_EXPIRES] = UNTIL if bits & nb.EXPIRING else 0
        row[lg.L_POST] = 1 if bits & nb.POST_ONLY else 0
        row[lg.L_REASON] = 1 if bits & nb.REASONED else 0
        order = orders_of(row[None], self._engine)[0].tolist()
        return Row(0, 0, REVIEW, 0, row.tolist(), order, [])

    def _a_cancel(self, bits: int) -> Row:
        row = np.zeros(lg.P_SIZE_OF, np.int64)
        row[lg.P_NUMBER], row[lg.P_REASON] = mark(nb.V_NUMBER), 1 if bits & nb.REASONED else 0
        return Row(0, 0, CANCEL, 0, row.tolist(), [], [])

    def _an_answer(self, kind: int, bits: int) -> Row:
        what, number = kind - nb.ANSWERED // nb.KIND, mark(nb.V_NUMBER)
        row = np.zeros(lg.T_SIZE_OF, np.int64)
        for column, value in (
            (lc.X_KNOWN, nb.V_TS), (lc.X_NUMBER, nb.V_NUMBER), (lc.X_TS, nb.V_EXECUTED_TS),
            (lc.X_PRICE, nb.V_EXECUTED_PRICE), (lc.X_SIZE, nb.V_EXECUTED), (lc.X_FEE, nb.V_FEE),
            (lc.X_TRADE, nb.V_TRADE), (lg.T_REALISED, nb.V_REALISED),
        ):  # fmt: skip
            row[column] = mark(value)
        row[lc.X_WHAT] = what
        row[lc.X_WHY] = bits if what in (lc.CANCELLED, lc.NOT_CANCELLED) else 0
        row[lc.X_MAKER] = 1 if bits & nb.MAKER else 0
        self.filled = {number: mark(nb.V_FILLED)}
        sent: list[int] = []
        fill: list[int] = []
        if what == lc.ACCEPTED:
            self.filled = {number: 0} if bits & nb.LIVES else {}
        elif what == lc.FILLED:
            row[lg.T_LATE] = 1 if bits & nb.LATE else 0
            self.filled[number] -= mark(nb.V_EXECUTED)
            said = np.array([self._a_review(nb.REVIEWED, bits | nb.SENT).row])
            said[0, lg.L_PERMITTED] = 0 if bits & nb.WHOLE else mark(nb.V_FILLED) + 1
            order = orders_of(said, self._engine)
            fill = fills_of(row[None], order, ones_of(self._engine))[0].tolist()
            sent = order[0].tolist()
        return Row(0, -1, ANSWER, 0, row.tolist(), sent, fill)


class _SampleWords(TapeWords):
    """Names in which marks stand for the market's own."""

    def market(self, row: list[int]) -> Market:
        """A market whose names and decimals are marks."""
        return msgspec.structs.replace(
            super().market(row), id=MARKET, tokens=(Token(TOKEN, ""),),
            price_decimals=mark(nb.V_PRICE_DECIMALS), size_decimals=mark(nb.V_SIZE_DECIMALS),
        )  # fmt: skip


class TapeRecords:
    """Writes a log's new rows to a journal of record level ``orders``."""

    def __init__(self, teller: TapeTeller) -> None:
        self.teller = teller
        self.words = teller.words
        self.engine = engine = teller.words.engine
        self._samples = _Samples(engine)
        self._state: Ints = np.zeros(nb.S_SIZE_OF, np.int64)
        self._places: list[Place] = []
        self._fixed = bytearray()
        self._at_form: Ints = np.full((nb.CODES, 2), -1, np.int64)
        self._out = np.zeros(ROOM, np.uint8)
        self._ends: Ints = np.zeros((BLOCK, 2), np.int64)
        self._values: Ints = np.zeros(nb.V_SIZE_OF, np.int64)
        self._orders: Ints = np.zeros((1, 2), np.int64)
        self._sent = 0
        universe = engine.context.universe
        self._markets: Ints = np.array(
            [
                (first, market.price_one, market.price_decimals, market.size_decimals)
                for first, market in zip(universe.offset, universe.markets, strict=True)
            ],
            np.int64,
        )  # fmt: skip
        tokens = [token.id for market in universe.markets for token in market.tokens]
        self._names = [market.id for market in universe.markets] + tokens
        self._state[nb.S_TOKENS] = len(universe.markets)
        self._state[nb.S_REASONS] = len(self._names)
        self._reasons = -1
        self._add_form(nb.IN_OWN_WORDS, [(forms_nb.OWN, *OWN_BYTES)])
        nothing: Ints = np.zeros((0, 2), np.int64)
        self._objected = self._refused = b"", nothing
        self._own = bytes_of(b""), nothing, nothing

    def write(
        self, journal: JournalWriter, plan: Ints, reviews: Ints, told: Ints, pulled: Ints
    ) -> int:
        """Writes steps that were not written yet; how many they were, recorded or not.

        Shapes: see ``l2logs_nb``.
        """
        state, before = self._state, journal.seq
        state[[nb.S_LAST_REVIEW, nb.S_LAST_TOLD, nb.S_LAST_PULLED]] = plan[
            [lg.N_REVIEWS, lg.N_TOLD, lg.N_PULLED]
        ]
        state[nb.S_LAST_STEP], state[nb.S_SEQ] = plan[lg.N_STEP], before
        state[nb.S_FIRST_ORDER] = plan[lg.N_FIRST]
        self._follow(int(plan[lg.N_FIRST]), int(plan[lg.N_SENT]))
        why = -1
        while why != nb.ALL_WRITTEN:
            tables = (state, (reviews, told, pulled), self._orders, self._markets, self._words())
            why = int(
                nb.write(*tables, self._own, self._forms, self._values, self._out, self._ends)
            )
            if why == nb.NO_FORM:
                code = int(state[nb.S_WANTED])
                places = self._samples.of(code, journal.enabled, self._fixed)
                self._add_form(code, places)
            elif why == nb.NOT_PREPARED:
                self._prepare(reviews, told)
            elif why == nb.FULL and not state[nb.S_RECORDS]:
                self._out = np.zeros(2 * len(self._out), np.uint8)
            else:
                self._hand_over(journal)
        journal.pass_to(int(state[nb.S_SEQ]))
        return journal.seq - before

    def _hand_over(self, journal: JournalWriter) -> None:
        state = self._state
        count, end = int(state[nb.S_RECORDS]), int(state[nb.S_POSITION])
        ends = self._ends[:count]
        journal.add(self._out[:end].data, ends[:, 0], ends[:, 1])
        state[nb.S_RECORDS] = state[nb.S_POSITION] = 0

    def _add_form(self, code: int, places: list[Place]) -> None:
        self._at_form[code] = len(self._places), len(self._places) + len(places)
        self._places += places
        fixed = bytes_of(self._fixed)
        self._forms = self._at_form, np.array(self._places, np.int64), fixed

    def _words(self) -> tuple[Bytes, Ints]:
        """Every name that a place can have, as it is stored."""
        reasons = self.words.reasons
        if len(reasons) != self._reasons:
            self._reasons = len(reasons)
            stored = [encoded(name) for name in (*self._names, *reasons)]
            at = np.arange(len(stored))
            self._stored = bytes_of(b"".join(stored)), spans(stored, at, len(stored))
        return self._stored

    def _follow(self, first: int, sent: int) -> None:
        """Makes room for orders that were sent since, none of which has filled."""
        if sent >= len(self._orders):
            longer = np.zeros((2 * sent + 1, 2), np.int64)
            longer[: len(self._orders)] = self._orders
            self._orders = longer
        numbers = range(first + self._sent + 1, first + sent + 1)
        salts = salts_of(self.words.session, numbers)
        self._orders[self._sent + 1 : sent + 1, nb.A_SALT] = salts
        self._sent = sent

    # ---- rows that have their own words --------------------------------------------------------

    def _prepare(self, reviews: Ints, told: Ints) -> None:
        """Tells and encodes those of the next rows that are like no others."""
        state = self._state
        row, answer = int(state[nb.S_REVIEWS]), int(state[nb.S_TOLD])
        if row < state[nb.S_FROM_REVIEW] or state[nb.S_WANTED] > state[nb.S_TO_REVIEW]:
            end = min(int(state[nb.S_LAST_REVIEW]), int(state[nb.S_WANTED]) + BLOCK)
            state[[nb.S_FROM_REVIEW, nb.S_TO_REVIEW]] = row, end
            self._objected = self._told_of(reviews[row:end], row)
        if not state[nb.S_FROM_TOLD] <= answer < state[nb.S_TO_TOLD]:
            end = min(int(state[nb.S_LAST_TOLD]), answer + BLOCK)
            state[[nb.S_FROM_TOLD, nb.S_TO_TOLD]] = answer, end
            self._refused = self._told_why(told[answer:end], reviews)
        (said, one), (why, two) = self._objected, self._refused
        self._own = bytes_of(said + why), one, two + np.array((len(said), 0))

    def _told_of(self, block: Ints, first: int) -> tuple[bytes, Ints]:
        """What followed from reviews that are like no others, and where in it each stands."""
        alone = (block[:, lg.L_CASE] != 0) | np.isin(block[:, lg.L_REFUSED], IN_FULL)
        at = np.flatnonzero(alone)
        orders = orders_of(block[at], self.engine, first + at).tolist()
        parts = [
            b"".join(map(encoded, self.teller.effects(Row(0, 0, REVIEW, 0, row, order, []))))
            for row, order in zip(block[at].tolist(), orders, strict=True)
        ]
        return b"".join(parts), spans(parts, at, len(block))

    def _told_why(self, block: Ints, reviews: Ints) -> tuple[bytes, Ints]:
        """Why the venue did not take orders, and where in it each reason stands."""
        at = np.flatnonzero(block[:, lc.X_WHAT] == lc.REJECTED)
        logs = block[at, lg.T_LOG]
        orders = orders_of(reviews[logs], self.engine, logs).tolist()
        parts = [
            encoded(self.teller.refusal(Row(0, -1, ANSWER, 0, row, order, [])))
            for row, order in zip(block[at].tolist(), orders, strict=True)
        ]
        return b"".join(parts), spans(parts, at, len(block))


def bytes_of(data: bytes | bytearray) -> Bytes:
    """As compiled code takes them."""
    return np.frombuffer(bytearray(data or b"\0"), np.uint8)


def spans(parts: Sequence[bytes], at: Ints, rows: int) -> Ints:
    """Begin and length of parts that stand one after the other, by their rows; 0 for all others.

    Shapes: at (parts,), the result (rows, 2).
    """
    found = np.zeros((rows, 2), np.int64)
    lengths = np.array([len(part) for part in parts], np.int64)
    found[at, 0] = np.cumsum(lengths) - lengths
    found[at, 1] = lengths
    return found
