"""What a compiled run did, told as the engine would have told it: events and effects in order.

Reviews and answers stand in tables of numbers while the loop runs. Here they become the same values
that steps of the engine give, for the journal, the report and whoever watches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.effects import Effect
from polyframe.domain.orders import OrderState, Side
from polyframe.domain.units import Ns
from polyframe.engine.admission import MOST_OPEN
from polyframe.kernels import barcolumns_nb as c
from polyframe.kernels import bardesk_nb as bd
from polyframe.kernels import barmatch_nb as bm
from polyframe.runtime.feed import Told
from polyframe.runtime.logged import Filled, Reviewed, Words

Ints = NDArray[np.int64]

ENDED = {
    bm.STALE: "no quote: no recorded price within reach",
    bm.NOBODY: "no quote",
    bm.LIMIT: "killed: limit",
    bm.DEPTH: "killed: depth",
    bm.PULLED: "cancelled",
}
"""Why an order that the venue had taken came to an end, as the simulated venue says it."""
REFUSED = {
    bm.CLOSED: "market closed: no recorded price after the order's arrival",
    bm.SMALL: "invalid amount for a marketable BUY order, min size: $1",
}


UNSEEN = {
    c.REFUSED_CLOSED: "market is not open",
    c.REFUSED_QUOTE: "no quote to take",
    c.REFUSED_SIZE: "size is zero",
    c.REFUSED_OPEN: MOST_OPEN,
}
"""Why a wish was not even considered, as the order desk says it."""


@dataclass
class Log:
    """The tables that a compiled run writes, and how far they have been told.

    Shapes: orders (., O_SIZE_OF), answers (., X_SIZE_OF), cases (., CASE_SIZE_OF); columns in
    ``barcolumns_nb``.
    """

    orders: Ints
    answers: Ints
    cases: Ints
    told_orders: int = 0
    told_answers: int = 0

    @classmethod
    def of(cls, rows: int) -> Log:
        """Room for so many reviews. Pages that are never written cost no memory."""
        return cls(
            np.empty((rows, c.O_SIZE_OF), np.int64),
            np.empty((rows, c.X_SIZE_OF), np.int64),
            np.empty((rows, bd.CASE_SIZE_OF), np.int64),
        )

    @property
    def tables(self) -> tuple[Ints, Ints, Ints]:
        """As the loop takes them."""
        return self.orders, self.answers, self.cases


class Teller:
    """Tells a log's new rows in the order in which they happened."""

    def __init__(
        self,
        words: Words,
        log: Log,
        quality: NDArray[np.uint8],
        entry: Ns,
        response: Ns,
        signal: Callable[[int], ev.BarSignalled],
    ) -> None:
        self.words = words
        self.log = log
        self.quality = quality
        self.entry, self.response = entry, response
        self._signal = signal
        self._answers: list[Told] = []

    def told(self, until: Ns, orders: int, answers: int) -> Iterator[Told]:
        """Reviews and answers up to a moment that have not been told yet."""
        log = self.log
        steps = [self._review(n) for n in range(log.told_orders, orders)]
        for n in range(log.told_orders, orders):
            if log.orders[n, c.O_NUMBER]:
                self._answers.append(self._accepted(n))
        for k in range(log.told_answers, answers):
            self._answers += self._answered(k)
        log.told_orders, log.told_answers = orders, answers
        steps += [told for told in self._answers if told.ts <= until]
        self._answers = [told for told in self._answers if told.ts > until]
        steps.sort(key=lambda told: told[:3])
        return iter(steps)

    # ---- reviews -------------------------------------------------------------------------------

    def _review(self, n: int) -> Told:
        row: list[int] = self.log.orders[n].tolist()
        token = self.words.market(row).yes.id
        if row[c.O_REFUSED]:
            return self._refused(n, row, token)
        reviewed = self.words.reviewed(row)
        effects: tuple[Effect, ...] = (reviewed,)
        if row[c.O_NUMBER]:
            effects = (reviewed, fx.SubmitOrder(self.words.order(row), 0))
        return Told(row[c.O_TS], 0, n, self._signal(row[c.O_ROW]), effects)

    def _refused(self, n: int, row: list[int], token: str) -> Told:
        wish = f"Intent {Side(row[c.O_SIDE]).name.lower()}"
        refused = fx.WishRefused(
            row[c.O_TS], self.words.ledger, wish, UNSEEN[row[c.O_REFUSED]], token
        )
        return Told(row[c.O_TS], 0, n, self._signal(row[c.O_ROW]), (refused,))

    # ---- answers -------------------------------------------------------------------------------

    def _accepted(self, n: int) -> Told:
        row: list[int] = self.log.orders[n].tolist()
        id, ts = self.words.id(row), row[c.O_TS] + self.entry + self.response
        changed = fx.OrderChanged(ts, id, OrderState.LIVE, 0)
        return Told(ts, 1, 2 * n, ev.OrderAccepted(ts, id, f"sim-{id}"), (changed,))

    def _answered(self, k: int) -> Iterator[Told]:
        row: list[int] = self.log.answers[k].tolist()
        n, ts, why, size = row[c.X_ORDER], row[c.X_KNOWN], row[c.X_WHY], row[c.X_SIZE]
        sent: list[int] = self.log.orders[n].tolist()
        id, place = self.words.id(sent), 2 * n + 1
        if why in REFUSED:
            self._answers = [told for told in self._answers if told.number != 2 * n]
            changed = fx.OrderChanged(ts, id, OrderState.REJECTED, 0, REFUSED[why])
            yield Told(ts, 1, place, ev.OrderRejected(ts, id, REFUSED[why]), (changed,))
            return
        if size:
            fill = self.words.fill(row, sent)
            state = OrderState.CONFIRMED if size == sent[c.O_PERMITTED] else OrderState.PARTIAL
            effects = (
                fx.FillBooked(fill, row[c.X_REALISED]),
                fx.OrderChanged(ts, id, state, size),
            )
            yield Told(ts, 1, place, ev.OrderFilled(ts, fill), effects)
        if size < sent[c.O_PERMITTED]:
            changed = fx.OrderChanged(ts, id, OrderState.CANCELLED, size, ENDED[why])
            yield Told(ts, 1, place, ev.OrderCancelled(ts, id, ENDED[why]), (changed,))

    # ---- all of it, for a report ---------------------------------------------------------------

    def kept(self, orders: int, answers: int) -> tuple[Filled, Reviewed]:
        """Every fill and every review, with as little as they need."""
        words, sent = self.words.kept(self.log.orders[:orders])
        rows = self.log.answers[:answers]
        rows = rows[rows[:, c.X_SIZE] > 0]
        quality = self.quality[rows[:, c.X_OPEN]].astype(np.int64)
        reviewed = sent[sent[:, c.O_REFUSED] == 0]
        return Filled(words, rows, sent[rows[:, c.X_ORDER]], quality), Reviewed(words, reviewed)

    def refusals(self, orders: int) -> Counter[str]:
        """How often what was not even considered."""
        rows = self.log.orders[:orders]
        rows = rows[rows[:, c.O_REFUSED] != 0]
        found: Counter[str] = Counter()
        for side, why in rows[:, [c.O_SIDE, c.O_REFUSED]].tolist():
            found[f"Intent {Side(side).name.lower()}: {UNSEEN[why]}"] += 1
        return found
