"""Tells a compiled run over a tape step by step, as the engine would have told it.

The loop writes numbers; here they become events and effects, a block of rows at a time, for the
journal and whoever listens. A step is a wake or an answer of the venue, and what followed from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.effects import Effect
from polyframe.domain.market import Market
from polyframe.domain.orders import OrderState
from polyframe.domain.units import Ns
from polyframe.engine.conduct import EVERY
from polyframe.exchanges.sim.tape_words import cancelled, refused
from polyframe.kernels import barcolumns_nb as c
from polyframe.kernels import l2columns_nb as lc
from polyframe.kernels import l2logs_nb as lg
from polyframe.runtime.feed import Told
from polyframe.runtime.tape_logged import UNSEEN, TapeWords, fills_of, ones_of, orders_of

Ints = NDArray[np.int64]
BLOCK = 2_048
"""Rows that are told at a time."""
REQUOTE = "requote"
ANSWER, CANCEL, REVIEW = range(3)
"""What a row is, in the order in which those of one place are told."""


class Row(NamedTuple):
    """One row of the log: its step, its place in the step, what it is, and its numbers."""

    step: int
    place: int
    what: int
    at: int
    row: list[int]
    sent: list[int]
    fill: list[int]


class TapeTeller:
    """Tells a log's new rows in the order in which they happened."""

    def __init__(self, words: TapeWords, markets: list[Market]) -> None:
        self.words = words
        self.markets = markets
        """as the venue knows them"""
        self._ones = ones_of(words.engine)
        self._step = 0
        self._reviews = self._told = self._pulled = 0
        self.filled: dict[int, int] = {}
        """of orders that are open: what of them has filled"""

    def told(self, plan: Ints, reviews: Ints, told: Ints, pulled: Ints) -> Iterator[Told]:
        """Steps that have not been told yet.

        Shapes: see ``l2logs_nb``.
        """
        last, begin = int(plan[lg.N_STEP]), (self._reviews, self._told, self._pulled)
        end = tuple(int(plan[n]) for n in (lg.N_REVIEWS, lg.N_TOLD, lg.N_PULLED))
        self._reviews, self._told, self._pulled = end
        rows = merge(
            self._asked(reviews, begin[0], end[0]),
            self._answers(told, reviews, begin[1], end[1]),
            self._cancels(pulled, begin[2], end[2]),
        )
        now = self.words.engine.context.now
        for step, group in groupby(rows, key=lambda row: row.step):
            yield from self._quiet(step - 1, now)
            yield self._one(list(group))
            self._step = max(self._step, step)
        yield from self._quiet(last, now)

    def _quiet(self, until: int, now: Ns) -> Iterator[Told]:
        """Wakes after which nothing was done."""
        while self._step < until:
            self._step += 1
            yield self._as_told(ev.TimerFired(now, self.words.ledger, EVERY + "0"), ())

    def _as_told(self, event: ev.Event, effects: tuple[Effect, ...]) -> Told:
        return Told(event.ts, 0, self._step, event, effects)

    # ---- rows ----------------------------------------------------------------------------------

    def _asked(self, reviews: Ints, begin: int, end: int) -> Iterator[Row]:
        for at in range(begin, end, BLOCK):
            block = reviews[at : min(at + BLOCK, end)]
            orders = orders_of(block, self.words.engine, np.arange(at, at + len(block)))
            rows = zip(block.tolist(), orders.tolist(), strict=True)
            for n, (row, order) in enumerate(rows, at):
                yield Row(row[lg.L_STEP], n, REVIEW, n, row, order, [])

    def _answers(self, told: Ints, reviews: Ints, begin: int, end: int) -> Iterator[Row]:
        for at in range(begin, end, BLOCK):
            block = told[at : min(at + BLOCK, end)]
            of = np.isin(block[:, lc.X_WHAT], (lc.FILLED, lc.REJECTED))
            logs = block[of, lg.T_LOG]
            orders = orders_of(reviews[logs], self.words.engine, logs)
            fills = fills_of(block[of], orders, self._ones)
            known = zip(orders.tolist(), fills.tolist(), strict=True)
            for k, (row, needed) in enumerate(zip(block.tolist(), of.tolist(), strict=True), at):
                order, fill = next(known) if needed else ([], [])
                yield Row(row[lg.T_STEP], -1, ANSWER, k, row, order, fill)

    def _cancels(self, pulled: Ints, begin: int, end: int) -> Iterator[Row]:
        for at in range(begin, end, BLOCK):
            for k, row in enumerate(pulled[at : min(at + BLOCK, end)].tolist(), at):
                yield Row(row[lg.P_STEP], row[lg.P_REVIEWS], CANCEL, k, row, [], [])

    # ---- steps ---------------------------------------------------------------------------------

    def _one(self, rows: list[Row]) -> Told:
        """What happened in one step, and what followed from it."""
        first = rows[0]
        event, effects = self.answered(first) if first.what == ANSWER else (self._wake(first), [])
        for row in rows[1:] if first.what == ANSWER else rows:
            effects += self.effects(row)
        return self._as_told(event, tuple(effects))

    def _wake(self, row: Row) -> ev.Event:
        ts, wake = row.row[0], row.row[lg.P_WAKE if row.what == CANCEL else lg.L_WAKE]
        m, why = divmod(wake, lg.BY_SIZE)
        if why == lg.BY_TIMER:
            return ev.TimerFired(ts, self.words.ledger, EVERY + "0")
        token = self.words.engine.context.universe.markets[m].yes.id
        reason = ev.WakeReason.TRADED if why == lg.BY_TRADE else ev.WakeReason.MOVED
        at = row.row[lg.P_ROW if row.what == CANCEL else lg.L_ROW]
        return ev.Woken(ts, reason, token, 0, at, (self.words.ledger,))

    def effects(self, row: Row) -> list[Effect]:
        """What a review or a cancel led to."""
        if row.what == CANCEL:
            return [
                fx.RequestCancel(self._id(row.row[lg.P_NUMBER]), self._why(row.row[lg.P_REASON]))
            ]
        words, why = self.words, row.row[lg.L_REFUSED]
        if why in UNSEEN:
            token = words.token(row.sent)
            return [fx.WishRefused(row.row[lg.L_TS], words.ledger, "Quotes", UNSEEN[why], token)]
        effects: list[Effect] = [words.reviewed(row.sent)]
        if row.row[lg.L_NUMBER]:
            self.filled[row.row[lg.L_NUMBER]] = 0
            effects.append(fx.SubmitOrder(words.order(row.sent), row.row[lg.L_RESERVED]))
        return effects

    def _why(self, reason: int) -> str:
        return self.words.reasons[reason] or REQUOTE

    def _id(self, number: int) -> str:
        return f"{self.words.session}-{number}"

    # ---- answers -------------------------------------------------------------------------------

    def answered(self, row: Row) -> tuple[ev.Event, list[Effect]]:
        """What the venue said, and what it changed."""
        x, number = row.row, row.row[lc.X_NUMBER]
        what, ts, id = x[lc.X_WHAT], x[lc.X_KNOWN], self._id(number)
        if what == lc.NOT_CANCELLED:
            return ev.CancelRejected(ts, id, cancelled(x[lc.X_WHY])), []
        filled = self.filled.get(number, 0)
        if what == lc.ACCEPTED:
            lives = number in self.filled and not filled
            changed = fx.OrderChanged(ts, id, OrderState.LIVE, 0)
            return ev.OrderAccepted(ts, id, f"sim-{id}"), [changed] if lives else []
        if what == lc.FILLED:
            return self._executed(row, ts, id, filled)
        self.filled.pop(number, None)
        event, state, why = self._ended(row, ts, id)
        return event, [fx.OrderChanged(ts, id, state, filled, why)]

    def refusal(self, row: Row) -> str:
        """Why the venue did not take an order."""
        order, market = self.words.order(row.sent), self.markets[row.row[lc.X_MARKET]]
        return refused(row.row[lc.X_WHY], order, market)

    def _executed(self, row: Row, ts: Ns, id: str, filled: int) -> tuple[ev.Event, list[Effect]]:
        fill = self.words.fill(row.fill, row.sent)
        filled += fill.size
        state = OrderState.PARTIAL
        if filled >= row.sent[c.O_PERMITTED]:
            state = OrderState.CONFIRMED
            self.filled.pop(row.row[lc.X_NUMBER], None)
        else:
            self.filled[row.row[lc.X_NUMBER]] = filled
        booked = fx.FillBooked(fill, row.fill[c.X_REALISED])
        effects: list[Effect] = [booked, fx.OrderChanged(ts, id, state, filled)]
        if row.row[lg.T_LATE]:
            effects.append(fx.RedeemPosition(fill.ledger, fill.market, fill.token, fill.size))
        return ev.OrderFilled(ts, fill), effects

    def _ended(self, row: Row, ts: Ns, id: str) -> tuple[ev.Event, OrderState, str]:
        what, why = row.row[lc.X_WHAT], row.row[lc.X_WHY]
        if what == lc.REJECTED:
            text = self.refusal(row)
            return ev.OrderRejected(ts, id, text), OrderState.REJECTED, text
        if what == lc.CANCELLED:
            text = cancelled(why)
            return ev.OrderCancelled(ts, id, text), OrderState.CANCELLED, text
        return ev.OrderExpired(ts, id), OrderState.EXPIRED, ""
