"""The simulated venue's side of an order: latency, matching, fees, settlement."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum

from polyframe.domain.events import (
    CancelRejected,
    Event,
    MarketClosed,
    MarketResolved,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
)
from polyframe.domain.market import Market, Resolution
from polyframe.domain.orders import ApprovedOrder, Order, Seal, Side, TimeInForce
from polyframe.domain.portfolio import Fill
from polyframe.domain.units import (
    Ns,
    Price,
    Size,
    floor_to,
)
from polyframe.errors import InvariantError
from polyframe.exchanges.sim.admission import proven, refusal
from polyframe.exchanges.sim.depth import Depth, Rows, split_rows
from polyframe.exchanges.sim.flat import Flat, flat, unfit
from polyframe.exchanges.sim.quotes import QuoteColumns
from polyframe.exchanges.sim.records import BrokerStats, FillNote, Working, note_of
from polyframe.exchanges.sim.settings import SimSettings
from polyframe.exchanges.sim.settlement import Settled, Settlement

FOK_KILLED = "order couldn't be fully filled. FOK orders are fully filled or killed."
CROSSES = "invalid post-only order: order crosses book"
TOO_LATE = "already canceled or matched"
NOT_FOUND = "Order not found or already canceled"
_SENT = ""
"""stands for the market of an order that the venue has not taken"""


class _Act(IntEnum):
    """What happens at the venue. At equal times the smaller number comes first."""

    CLOSE = 0
    EXPIRE = 1
    MATCH = 2
    ARRIVE = 3
    GIVE_UP = 4
    CANCEL = 5


class SimBroker:
    """Executes approved orders against recorded prices; also the clock of its own answers.

    Orders meet the book when they arrive, answers are known ``latency_response_ms`` after they
    happened. The same orders at the same times give the same answers.

    Attributes:
        stats: what was done and what it cost.
        fill_notes: by trade id, the circumstances of each fill.
    """

    def __init__(
        self,
        seal: Seal,
        markets: Sequence[Market],
        quotes: QuoteColumns,
        resolutions: Mapping[str, Resolution],
        settings: SimSettings | None = None,
    ) -> None:
        self._seal = seal
        self._settings = settings if settings is not None else SimSettings()
        self._resolutions = {m.id: resolutions[m.id] for m in markets if m.id in resolutions}
        self._settlement = Settlement(markets, self._resolutions, self._settings)
        found = [self._resolutions.get(market.id) for market in markets]
        split = split_rows(markets, found, quotes, self._settings)
        self._rows = {market.id: rows for market, rows in zip(markets, split, strict=True)}
        self._depth = {market.id: Depth.of(market, self._settings) for market in markets}
        self._working: dict[str, dict[str, Working]] = {market.id: {} for market in markets}
        self._orders: dict[str, str] = {}
        self._acts: list[tuple[Ns, int, int, str, int]] = []
        self._answers: list[tuple[Ns, int, Event]] = []
        self._counter = 0
        self._closing: set[str] = set()
        self._pending: dict[str, Order] = {}
        self._late: dict[str, Ns] = {}
        self._used: dict[tuple[str, Side, bool], tuple[int, Size]] = {}
        self.stats = BrokerStats()
        self.fill_notes: dict[str, FillNote] = {}

    # ---- what the engine asks ------------------------------------------------------------------

    def submit(self, approved: ApprovedOrder, now: Ns) -> None:
        """Sends an order; it arrives one entry latency later.

        Raises:
            InvariantError: no seal of this session's risk door, or an order id used before.
        """
        order = proven(approved, self._seal)
        if order.id in self._orders:
            raise InvariantError(f"order {order.id} was sent twice", expected="a new id an order")
        self._orders[order.id] = _SENT
        self._pending[order.id] = order
        self.stats.orders += 1
        self._act(self._arrival(order, now), _Act.ARRIVE, order.id)

    def _arrival(self, order: Order, now: Ns) -> Ns:
        """When an order reaches the venue: after its latency and the rows it is held back for."""
        arrival = now + self._settings.entry
        rows = self._rows.get(order.market)
        if rows is None or not self._settings.delay_rows:
            return arrival
        row = min(rows.first_at(arrival) + self._settings.delay_rows, len(rows.ts)) - 1
        if row >= 0:
            arrival = max(arrival, int(rows.ts[row]) + 1)
        self._late[order.id] = arrival
        return arrival

    def cancel(self, order: str, now: Ns) -> None:
        """Asks for a cancel; it arrives one cancel latency later, never before its order."""
        arrival = max(now + self._settings.cancel, self._late.get(order, 0))
        self._act(arrival, _Act.CANCEL, order)

    def split(self, ledger: str, market: str, size: Size, now: Ns) -> None:
        """Turns money into pairs once the chain has it."""
        self._settle(self._settlement.split(ledger, market, size, now))

    def merge(self, ledger: str, market: str, size: Size, now: Ns) -> None:
        """Turns pairs into money once the chain has it."""
        self._settle(self._settlement.merge(ledger, market, size, now))

    def redeem(self, ledger: str, market: str, token: str, size: Size, now: Ns) -> None:
        """Pays shares of a resolved market; fails before its outcome could be known."""
        self._settle(self._settlement.redeem(ledger, market, token, size, now))

    # ---- the clock -----------------------------------------------------------------------------

    def due(self) -> Ns | None:
        """The earliest moment at which an answer can be known, None when none is coming."""
        moments = [self._answers[0][0]] if self._answers else []
        if self._acts:
            moments.append(self._acts[0][0] + self._settings.response)
        return min(moments, default=None)

    def take(self, now: Ns) -> Iterable[Event]:
        """Runs the venue up to ``now`` and returns the answers known by then, oldest first."""
        # An order sent later arrives later than now, so nothing done here can be overtaken.
        while self._acts and self._acts[0][0] <= now:
            ts, act, _, subject, row = heapq.heappop(self._acts)
            self._run(_Act(act), ts, subject, row)
        events: list[Event] = []
        while self._answers and self._answers[0][0] <= now:
            events.append(heapq.heappop(self._answers)[2])
        return events

    def market_events(self) -> list[Event]:
        """The end of trading and the resolution of every market, at the time each was known."""
        events: list[Event] = [
            MarketClosed(rows.ends, market)
            for market, rows in self._rows.items()
            if rows.ends is not None
        ]
        events += [MarketResolved(found.known_at, found) for found in self._resolutions.values()]
        return sorted(events, key=lambda event: event.ts)

    def flat(self) -> Flat | str:
        """Rules and rows for a loop that executes in compiled code, or why there can be none."""
        markets = [rows.market for rows in self._rows.values()]
        reason = unfit(markets, self._settings)
        return reason or flat(markets, self._rows, self._depth, self._settings)

    # ---- at the venue --------------------------------------------------------------------------

    def _run(self, act: _Act, ts: Ns, id: str, row: int) -> None:
        if act is _Act.ARRIVE:
            self._arrive(ts, id)
        elif act is _Act.CANCEL:
            self._cancel_at(ts, id)
        elif act is _Act.CLOSE:
            for work in list(self._working[id].values()):
                self._end(work, ts, "market closed")
        elif (found := self._find(id)) is not None:
            if act is _Act.EXPIRE:
                self._finish(found)
                self._answer(OrderExpired(ts + self._settings.response, id))
            elif act is _Act.GIVE_UP:
                self.stats.refused_stale += 1
                self._end(found, ts, "no quote: no recorded price within reach")
            elif found.taker:
                self._take_liquidity(found, row, ts)
            else:
                self._fill_resting(found, row)

    def _arrive(self, ts: Ns, id: str) -> None:
        order = self._pending.pop(id)
        rows = self._rows.get(order.market)
        index = self._index(order.market, order.token)
        reason = refusal(order, rows, index, ts, needs_row=self._needs_row(order.tif))
        if reason is not None or rows is None or index is None:
            self._reject(id, ts, str(reason))
            return
        one = rows.market.price_one
        direct = index == 0
        side = order.side if direct else Side(-order.side)
        limit = order.price if direct else one - order.price
        size = floor_to(order.size, rows.market.lot)
        work = Working(order, side, limit, size, order.size, direct)
        standing = self._standing(rows, ts)
        if order.post_only and standing >= 0 and rows.crosses(standing, side, limit):
            self._reject(id, ts, CROSSES)
            return
        self._orders[id] = order.market
        self._working[order.market][id] = work
        self._answer(OrderAccepted(ts + self._settings.response, id, f"sim-{id}"))
        if rows.ends is not None and order.market not in self._closing:
            self._closing.add(order.market)
            self._act(rows.ends, _Act.CLOSE, order.market)
        if order.tif in (TimeInForce.FAK, TimeInForce.FOK):
            self._schedule_taker(work, rows, ts)
            return
        if order.expires:
            self._act(order.expires, _Act.EXPIRE, id)
        self._place(work, rows, ts, standing)

    def _schedule_taker(self, work: Working, rows: Rows, ts: Ns) -> None:
        work.taker = True
        if self._settings.fill_at == "last":
            row = rows.standing_at(ts)
            if row < 0 or ts - int(rows.ts[row]) > self._settings.max_age:
                self._act(ts, _Act.GIVE_UP, work.order.id)
            else:
                self._act(ts, _Act.MATCH, work.order.id, row)
            return
        row = rows.first_at(ts)
        at = int(rows.ts[row])
        if at - ts > self._settings.max_age:
            self._act(ts + self._settings.max_age, _Act.GIVE_UP, work.order.id)
        else:
            self._act(at, _Act.MATCH, work.order.id, row)

    def _place(self, work: Working, rows: Rows, ts: Ns, standing: int) -> None:
        """Sends a resting order to its first match: as a taker when it met the book crossed."""
        if self._settings.fill_at == "last":
            if standing >= 0 and rows.crosses(standing, work.side, work.limit):
                work.taker = True
                self._act(ts, _Act.MATCH, work.order.id, standing)
            else:
                self._rest(work, rows, standing + 1 if standing >= 0 else rows.first_at(ts))
            return
        first = rows.first_at(ts)
        # Whether the order met a crossed book is told by the row standing when it arrived. Without
        # one it is taken to have, and pays the taker's fee.
        met = standing < 0 or rows.crosses(standing, work.side, work.limit)
        near = int(rows.ts[first]) - ts <= self._settings.max_age
        crosses = rows.crosses(first, work.side, work.limit)
        if met and near and crosses and not work.order.post_only:
            work.taker = True
            self._act(int(rows.ts[first]), _Act.MATCH, work.order.id, first)
        else:
            self._rest(work, rows, first)

    def _rest(self, work: Working, rows: Rows, start: int) -> None:
        work.taker = False
        row = rows.through(start, work.side, work.limit)
        if row >= 0:
            self._act(int(rows.done[row]), _Act.MATCH, work.order.id, row)

    def _take_liquidity(self, work: Working, row: int, ts: Ns) -> None:
        rows = self._rows[work.order.market]
        best = rows.best(row, work.side)
        patient = work.order.tif in (TimeInForce.GTC, TimeInForce.GTD)
        if best == 0:
            self.stats.refused_unquoted += rows.flagged(row)
            self._end(work, ts, "no quote")
            return
        key = (work.order.market, work.side, False)
        used = self._consumed(key, row)
        got = self._depth[work.order.market].walk(
            work.side, best, work.limit, work.open, used, rows.market.price_one
        )
        if work.order.tif is TimeInForce.FOK and got.size < work.open:
            self._end(work, ts, FOK_KILLED)
            return
        if got.size:
            self._used[key] = (row, used + got.size)
            self._fill(work, row, ts, got.size, got.average, best)
        if work.open == 0:
            self._end(work, ts, "killed: less than one lot")
        elif patient:
            self._rest(work, rows, row + 1)
        else:
            self._end(work, ts, f"killed: {got.stopped}")

    def _fill_resting(self, work: Working, row: int) -> None:
        rows = self._rows[work.order.market]
        ts = int(rows.done[row])
        key = (work.order.market, work.side, True)
        used = self._consumed(key, row)
        size = min(self._depth[work.order.market].total - used, work.open)
        if size > 0:
            self._used[key] = (row, used + size)
            self._fill(work, row, ts, size, work.limit, work.limit)
        if work.open == 0:
            self._end(work, ts, "killed: less than one lot")
        else:
            self._rest(work, rows, row + 1)

    def _fill(
        self, work: Working, row: int, ts: Ns, size: Size, average: Price, best: Price
    ) -> None:
        rows = self._rows[work.order.market]
        market = rows.market
        price = average if work.direct else market.price_one - average
        fee = market.taker_fee(price, size) if work.taker else market.maker_fee(price, size)
        fill = work.execute(price, size, fee, ts)
        self._keep(fill, rows, note_of(rows, row, work.side, average, best, direct=work.direct))
        self._answer(OrderFilled(ts + self._settings.response, fill))

    def _keep(self, fill: Fill, rows: Rows, note: FillNote) -> None:
        self.fill_notes[fill.trade] = note
        self.stats.book(fill, note, rows.market.divisor)

    def _cancel_at(self, ts: Ns, id: str) -> None:
        work = self._find(id)
        if work is None:
            reason = TOO_LATE if self._orders.get(id, _SENT) != _SENT else NOT_FOUND
            self._answer(CancelRejected(ts + self._settings.response, id, reason))
        else:
            self._end(work, ts, "cancelled")

    # ---- small parts ---------------------------------------------------------------------------

    def _needs_row(self, tif: TimeInForce) -> bool:
        return self._settings.fill_at == "next" or tif in (TimeInForce.GTC, TimeInForce.GTD)

    def _standing(self, rows: Rows, ts: Ns) -> int:
        """The row standing at a moment, -1 unless young enough and quoted on both sides."""
        row = rows.standing_at(ts)
        if row < 0 or ts - int(rows.ts[row]) > self._settings.max_age:
            return -1
        return row if rows.bid[row] > 0 and rows.ask[row] > 0 else -1

    def _consumed(self, key: tuple[str, Side, bool], row: int) -> Size:
        """What own orders already took of a row; the next recorded row is whole again."""
        last, size = self._used.get(key, (-1, 0))
        return size if last == row else 0

    def _find(self, id: str) -> Working | None:
        """An order that stands at the venue."""
        return self._working.get(self._orders.get(id, _SENT), {}).get(id)

    def _index(self, market: str, token: str) -> int | None:
        rows = self._rows.get(market)
        ids = [t.id for t in rows.market.tokens] if rows is not None else []
        return ids.index(token) if token in ids else None

    def _settle(self, settled: Settled) -> None:
        self.stats.till += settled.received
        self._answer(settled.event)

    def _reject(self, id: str, ts: Ns, reason: str) -> None:
        self.stats.rejected += 1
        self._orders[id] = _SENT
        self._answer(OrderRejected(ts + self._settings.response, id, reason))

    def _end(self, work: Working, ts: Ns, reason: str) -> None:
        """Ends an order; whatever is left of it is cancelled."""
        self._finish(work)
        if work.rest > 0:
            self.stats.cancelled += 1
            ts += self._settings.response
            self._answer(OrderCancelled(ts, work.order.id, reason))

    def _finish(self, work: Working) -> None:
        del self._working[work.order.market][work.order.id]

    def _act(self, ts: Ns, act: _Act, id: str, row: int = -1) -> None:
        self._counter += 1
        heapq.heappush(self._acts, (ts, int(act), self._counter, id, row))

    def _answer(self, event: Event) -> None:
        self._counter += 1
        heapq.heappush(self._answers, (event.ts, self._counter, event))
