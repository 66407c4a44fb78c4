"""Plays a tape in compiled code between the wakes of a strategy that decides in Python.

The loop stops where the strategy is to be asked. Its quotes are written into the loop's tables, and
the loop compares them with what rests, puts them to the guards, sends and cancels, as it does for a
quote kernel.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from polyframe.api.strategy import Strategy
from polyframe.domain.events import TimerFired, WakeReason, Woken
from polyframe.domain.units import Ns
from polyframe.domain.wishes import Quotes
from polyframe.engine.conduct import EVERY, only_quotes
from polyframe.errors import PluginError
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import l2desk_nb as desk
from polyframe.kernels import l2logs_nb as lg
from polyframe.kernels import l2play_nb as l2
from polyframe.runtime.tape_compiled import CompiledTapeFeed


class HostedTapeFeed(CompiledTapeFeed):
    """The same tape as :class:`CompiledTapeFeed`, with a strategy that is no quote kernel."""

    def _decides(self, strategy: Strategy) -> None:
        self._parameters = np.zeros(0)
        self._pending: deque[Quotes] = deque()
        self._numbers: dict[str, int] = {"": 0}
        self._bound = self.engine.parts.bound[0]
        self._view = self._bound.view
        self._invoke = self.engine.reactions.calls.invoke
        self._every = self._bound.name, EVERY + "0"
        self._tokens_of = self.engine.context.universe.token_index
        self.engine.state.caught_up = self._catch_up
        self.log.plan[lg.N_HOSTED] = 1
        # Views for quick access: their numbers are plain ints.
        self._plan, self._at = self.log.plan.data, self.tables.at.data
        self._flat, self._counts = memoryview(b""), memoryview(b"")

    def _run(self, stop: Ns) -> int:
        """Plays up to a moment; the strategy is asked on the way."""
        self._lay_all()
        self._flat = self._quoting[5].reshape(-1).data
        self._counts = self._quoting[6].reshape(-1).data
        where, plan = self._addresses.where, self._plan
        why = l2.play(stop, where)
        while why in (l2.STOP_ASK, l2.STOP_HELD):
            if why == l2.STOP_ASK:
                self._ask(plan[lg.N_FROM], plan[lg.N_WAKE] % lg.BY_SIZE)
            if self._pending and self._hand_over():
                self._lay_all()
            why = l2.play(stop, where)
        return int(why)

    def _ask(self, m: int, why: int) -> None:
        """Has the strategy say what should rest; its quotes wait to be handed over."""
        engine, bound = self.engine, self._bound
        if bound.disabled:
            return
        context = engine.context
        now = context.now = max(context.now, self._at[c.C_NOW])
        # As many steps as there would be by now: random numbers are drawn by step.
        steps = context.step
        context.step += self._plan[lg.N_STEP] - self._plan[lg.N_CROSSED]
        try:
            wishes = self._invoke(
                bound.name, bound.methods["on_wake"], self._wake(m, why, now), self._view
            )
            only_quotes(bound, "on_wake", wishes)
        except PluginError as error:
            engine.conduct.failed(bound, error)
            return
        finally:
            context.step = steps
            if self._shown:
                self._hide()
        self._pending.extend(wishes)  # type: ignore[arg-type]

    def _wake(self, m: int, why: int, now: Ns) -> TimerFired | Woken:
        if why == lg.BY_TIMER:
            return TimerFired(now, *self._every)
        reason = WakeReason.TRADED if why == lg.BY_TRADE else WakeReason.MOVED
        number, row = self._stands()
        return Woken(now, reason, self._markets[m].yes.id, number, row, (self._bound.name,))

    def _catch_up(self) -> None:
        if not self._shown:
            self._show()

    # ---- quotes ------------------------------------------------------------------------------

    def _hand_over(self) -> bool:
        """Writes quotes that wait into the tables, one set a token; True when they were enlarged.

        Sets for one token are carried out one after the other.
        """
        pending, plan, counts = self._pending, self._plan, self._counts
        known, used, larger = self._tokens_of, 0, False
        taken: set[int] = set()
        while pending:
            token = known.get(pending[0].token)
            if token in taken or (token is None and used):
                break
            quotes = pending.popleft()
            if token is None:
                self._refuse(quotes)
                continue
            taken.add(token)
            larger |= self._write(token, quotes, counts)
            counts[used * desk.W_SIZE_OF + desk.W_DECIDED] = token
            used += 1
        plan[lg.N_DECIDED] = used
        plan[lg.N_HOLD] = 1 if pending else 0
        return larger

    def _write(self, token: int, quotes: Quotes, counts: memoryview) -> bool:
        bids, asks = quotes.bids, quotes.asks
        n = len(bids) + len(asks)
        larger = n > self._quoting[5].shape[1]
        if larger:
            self._make_room(n)
        at = token * self._quoting[5].shape[1] * 3
        flat = self._flat
        for side, levels in ((1, bids), (-1, asks)):
            for level in levels:
                flat[at], flat[at + 1], flat[at + 2] = side, level.price, level.size
                at += 3
        at = token * desk.W_SIZE_OF
        counts[at + desk.W_COUNT] = n
        counts[at + desk.W_TTL] = quotes.ttl
        counts[at + desk.W_POST] = 1 if quotes.post_only else 0
        counts[at + desk.W_REASON] = self._number(quotes.reason)
        return larger

    def _number(self, reason: str) -> int:
        found = self._numbers.get(reason)
        if found is None:
            found = self._numbers[reason] = len(self._reasons)
            self._reasons.append(reason)
        return found

    def _make_room(self, quotes: int) -> None:
        """Room for so many quotes on a token."""
        old = self._quoting[5]
        wishes = np.zeros((len(old), 2 * quotes, 3), np.int64)
        wishes[:, : old.shape[1]] = old
        room = max(self._quoting[7].shape[1], 8 * quotes)
        scratch = np.zeros((8, room), np.int64)
        self._quoting = (*self._quoting[:5], wishes, self._quoting[6], scratch)
        self._flat = wishes.reshape(-1).data
        self.broker.venue.make_room(4 * self._wishes)

    def _refuse(self, quotes: Quotes) -> None:
        """Notes quotes for a token that is none of the session's."""
        log, n = self.log, int(self.log.plan[lg.N_REVIEWS])
        if n == len(log.reviews) - 1:
            log.grow(1)
        row = log.reviews[n]
        row[:] = 0
        row[lg.L_TS] = self.engine.context.now
        row[lg.L_TOKEN] = len(self._unknown)
        row[lg.L_REFUSED] = lg.UNKNOWN
        row[lg.L_STEP], row[lg.L_WAKE] = log.plan[lg.N_STEP], log.plan[lg.N_WAKE]
        log.plan[lg.N_REVIEWS] = n + 1
        self._unknown.append(quotes.token)
