"""The simulated venue's side of an order over a tape: what the engine asks, and what it answers.

Orders meet the recorded book in :mod:`polyframe.kernels.l2run_nb`, which the feed runs; here they
are handed over, and the answers become events.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping

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
    RewardPaid,
)
from polyframe.domain.market import Market, Resolution
from polyframe.domain.orders import ApprovedOrder, Order, Seal, Side, TimeInForce
from polyframe.domain.portfolio import Fill
from polyframe.domain.units import Ns, Size, floor_to
from polyframe.errors import InvariantError
from polyframe.exchanges.sim.admission import proven
from polyframe.exchanges.sim.earnings import REWARD
from polyframe.exchanges.sim.records import BrokerStats, FillNote
from polyframe.exchanges.sim.settings import SimSettings
from polyframe.exchanges.sim.settlement import Settled, Settlement
from polyframe.exchanges.sim.tape_venue import TapeVenue
from polyframe.exchanges.sim.tape_words import cancelled, refused
from polyframe.kernels import acts_nb, latency_nb, slots_nb, venue_nb
from polyframe.kernels import l2columns_nb as c

TIFS = {
    TimeInForce.GTC: c.GTC, TimeInForce.GTD: c.GTD, TimeInForce.FAK: c.FAK, TimeInForce.FOK: c.FOK,
}  # fmt: skip

NEVER: Ns = 2**63 - 1


class TapeBroker:
    """Hands approved orders to the venue's tables; also the clock of its answers.

    Attributes:
        stats: what was done and what it cost.
        fill_notes: by trade id, the circumstances of each fill.
        venue: the tables.
    """

    def __init__(
        self,
        seal: Seal,
        venue: TapeVenue,
        resolutions: Mapping[str, Resolution],
        settings: SimSettings,
    ) -> None:
        self._seal = seal
        self.venue = venue
        self._settings = settings
        markets = venue.markets
        self._resolutions = {m.id: resolutions[m.id] for m in markets if m.id in resolutions}
        self._settlement = Settlement(markets, self._resolutions, settings)
        self._market = {market.id: m for m, market in enumerate(markets)}
        self._slots: dict[str, int] = {}
        self._orders: dict[int, Order] = {}
        self._sent: set[str] = set()
        self._redeemed: set[tuple[str, str]] = set()
        self._settled: list[tuple[Ns, int, Event]] = []
        self._counter = 0
        self.hushed = False
        """True while a compiled loop takes the venue's answers itself"""
        self.stats = BrokerStats()
        self.fill_notes: dict[str, FillNote] = {}

    # ---- what the engine asks ------------------------------------------------------------------

    def submit(self, approved: ApprovedOrder, now: Ns) -> None:
        """Sends an order; it arrives one entry latency later.

        Raises:
            InvariantError: no seal of this session's risk door, or an order id used before.
        """
        order = proven(approved, self._seal)
        if order.id in self._sent:
            raise InvariantError(f"order {order.id} was sent twice", expected="a new id an order")
        self._sent.add(order.id)
        self.stats.orders += 1
        m, index = self._place(order)
        if m is None or index is None:
            why = "market not found" if m is None else f"no order book for token {order.token}"
            self.stats.rejected += 1
            arrives = now + self._took(c.ENTRY, now)
            self._later(OrderRejected(arrives + self._took(c.RESPONSE, arrives), order.id, why))
            return
        self._hand_over(order, m, index, now)

    def _place(self, order: Order) -> tuple[int | None, int | None]:
        m = self._market.get(order.market)
        if m is None:
            return None, None
        tokens = [token.id for token in self.venue.markets[m].tokens]
        return m, tokens.index(order.token) if order.token in tokens else None

    def _hand_over(self, order: Order, m: int, index: int, now: Ns) -> None:
        venue, market = self.venue, self.venue.markets[m]
        if venue.at[c.C_FREE] == 0:
            venue.make_room(2 * len(venue.orders))
        ledger = venue.ledger(order.ledger)
        slot = int(slots_nb.reserve_slot(venue.at, venue.orders))
        number = len(self._sent)
        arrives = now + self._took(c.ENTRY, now)
        row = venue.orders[slot].data
        row[c.V_NUMBER] = number
        row[c.V_MARKET] = m
        row[c.V_PLACE] = m + int(venue.conf[c.F_LATE])
        row[c.V_LEDGER] = ledger
        row[c.V_SIDE] = order.side if index == 0 else -order.side
        row[c.V_PRICE] = order.price if index == 0 else market.price_one - order.price
        row[c.V_OPEN] = row[c.V_SIZE] = floor_to(order.size, market.lot)
        row[c.V_TIF] = TIFS[order.tif]
        row[c.V_POST] = 1 if order.post_only else 0
        row[c.V_EXPIRES] = order.expires
        row[c.V_DIRECT] = 1 if index == 0 else 0
        row[c.V_ARRIVES] = arrives
        self._slots[order.id] = slot
        self._orders[number] = order
        venue.push(arrives, c.ARRIVE, slot, number)

    def adopt(self, order: Order, slot: int, number: int) -> None:
        """Knows an order that a compiled loop sent, so that it can be cancelled."""
        self._slots[order.id] = slot
        self._orders[number] = order

    def _took(self, leg: int, now: Ns) -> Ns:
        """How long a message of a leg takes now."""
        venue = self.venue
        n = int(venue.conf[c.F_PROBES + leg])
        ts, took = venue.probes[2 * leg, :n], venue.probes[2 * leg + 1, :n]
        return int(latency_nb.at(ts, took, now))

    def cancel(self, order: str, now: Ns) -> None:
        """Asks for a cancel; it arrives one cancel latency later, never before its order."""
        arrives = now + self._took(c.CANCELLING, now)
        slot = self._slots.get(order)
        if slot is None:
            known = arrives + self._took(c.RESPONSE, arrives)
            self._later(CancelRejected(known, order, cancelled(c.UNKNOWN_ORDER)))
            return
        row = self.venue.orders[slot]
        arrives = max(arrives, int(row[c.V_ARRIVES]))
        self.venue.push(arrives, c.CANCEL, slot, int(row[c.V_NUMBER]))

    def split(self, ledger: str, market: str, size: Size, now: Ns) -> None:
        """Turns money into pairs once the chain has it."""
        self._settle(self._settlement.split(ledger, market, size, now))

    def merge(self, ledger: str, market: str, size: Size, now: Ns) -> None:
        """Turns pairs into money once the chain has it."""
        self._settle(self._settlement.merge(ledger, market, size, now))

    def redeem(self, ledger: str, market: str, token: str, size: Size, now: Ns) -> None:
        """Pays shares of a resolved market; fails before its outcome could be known.

        Shares that a sale took, of which the answer is still on its way, are not there any more:
        they are left out once. What is asked for later was bought with an answer on its way.
        """
        if (ledger, token) not in self._redeemed:
            self._redeemed.add((ledger, token))
            size -= self._sold(ledger, token)
        if size > 0:
            self._settle(self._settlement.redeem(ledger, market, token, size, now))

    def collect(self, ledger: str, market: str, token: str, size: Size, now: Ns) -> None:
        """Pays shares that nobody knew of when their market resolved: no sale took any of them."""
        self._redeemed.add((ledger, token))
        self.redeem(ledger, market, token, size, now)

    def _sold(self, ledger: str, token: str) -> Size:
        """What was sold of a token without anybody having heard of it yet."""
        at, answers, sold = self.venue.at, self.venue.answers, 0
        for k in range(int(at[c.C_TAKEN]), int(at[c.C_HEAD])):
            row = answers[k % len(answers)]
            if row[c.X_WHAT] != c.FILLED:
                continue
            order = self._orders[int(row[c.X_NUMBER])]
            if order.side == Side.SELL and (order.ledger, order.token) == (ledger, token):
                sold += int(row[c.X_SIZE])
        return sold

    # ---- the clock -----------------------------------------------------------------------------

    def due(self) -> Ns | None:
        """The earliest moment at which an answer can be known, None when none is coming."""
        venue = self.venue
        at = venue.at
        moments = [self._settled[0][0]] if self._settled else []
        paid = venue.earnings.due()
        if paid is not None:
            moments.append(paid)
        if self.hushed:
            return min(moments, default=None)
        if at[c.C_HEAD] > at[c.C_TAKEN]:
            moments.append(int(venue.answers[at[c.C_TAKEN] % len(venue.answers), c.X_KNOWN]))
        if at[c.C_ACTS]:
            moments.append(int(venue.acts[0, acts_nb.A_TS]))
        return min(moments, default=None)

    def take(self, now: Ns) -> Iterable[Event]:
        """The answers known by a moment, oldest first; the feed has played the tape up to it.

        Each is taken when it is asked for: until then the order it is about is as it was.
        """
        venue = self.venue
        self._pay(now)
        at = venue.at
        while True:
            row: list[int] = []
            if not self.hushed and at[c.C_TAKEN] < at[c.C_HEAD]:
                row = venue.answers[at[c.C_TAKEN] % len(venue.answers)].tolist()
            known = row[c.X_KNOWN] if row else NEVER
            settled = self._settled[0][0] if self._settled else NEVER
            if min(known, settled) > now:
                return
            if known <= settled:
                at[c.C_TAKEN] += 1
                yield from self._told(row)
            elif not self.hushed and at[c.C_ACTS] and venue.acts[0, acts_nb.A_TS] <= settled:
                return  # what reaches the venue by then is answered first
            else:
                yield heapq.heappop(self._settled)[2]

    def market_events(self) -> list[Event]:
        """The end of trading and the resolution of every market, at the time each was known."""
        events: list[Event] = []
        for m, market in enumerate(self.venue.markets):
            ends = self.venue.ends(m)
            if ends is not None:
                events.append(MarketClosed(ends, market.id))
        events += [MarketResolved(found.known_at, found) for found in self._resolutions.values()]
        return sorted(events, key=lambda event: event.ts)

    # ---- answers -------------------------------------------------------------------------------

    def _told(self, row: list[int]) -> list[Event]:
        """An answer as events; the slot of an order that ended is free again."""
        what, known, slot = row[c.X_WHAT], row[c.X_KNOWN], row[c.X_SLOT]
        order = self._orders[row[c.X_NUMBER]]
        if what == c.ACCEPTED:
            return [OrderAccepted(known, order.id, f"sim-{order.id}")]
        if what == c.NOT_CANCELLED:
            return [CancelRejected(known, order.id, cancelled(row[c.X_WHY]))]
        if what == c.FILLED:
            told: list[Event] = [OrderFilled(known, self._fill(order, row))]
            if row[c.X_OPEN]:
                return told
            if order.size % self._of(order).lot:
                self.stats.cancelled += 1
                told.append(OrderCancelled(known, order.id, cancelled(c.LESS_THAN_A_LOT)))
        elif what == c.REJECTED:
            self.stats.rejected += 1
            told = [OrderRejected(known, order.id, refused(row[c.X_WHY], order, self._of(order)))]
        elif what == c.CANCELLED:
            self.stats.cancelled += 1
            told = [OrderCancelled(known, order.id, cancelled(row[c.X_WHY]))]
        else:
            told = [OrderExpired(known, order.id)]
        slots_nb.release_slot(slot, self.venue.at, self.venue.orders)
        del self._slots[order.id]
        return told

    def _of(self, order: Order) -> Market:
        return self.venue.markets[self._market[order.market]]

    def _fill(self, order: Order, row: list[int]) -> Fill:
        market = self._of(order)
        direct = row[c.X_SIDE] == order.side
        price = row[c.X_PRICE] if direct else market.price_one - row[c.X_PRICE]
        size, fee = row[c.X_SIZE], row[c.X_FEE]
        if fee == venue_nb.FEE_UNTOLD:
            fees = market.maker_fee if row[c.X_MAKER] == 1 else market.taker_fee
            fee = fees(price, size)
        if row[c.X_MAKER] == 1:
            self.venue.credit(row, price, order.ledger)
        fill = Fill(
            trade=f"{order.id}-{row[c.X_TRADE]}", order=order.id, ledger=order.ledger,
            market=order.market, token=order.token, side=order.side, price=price, size=size,
            fee=fee, ts=row[c.X_TS], maker=row[c.X_MAKER] == 1, reason=order.reason,
        )  # fmt: skip
        twice = row[c.X_MID] if direct or not row[c.X_MID] else 2 * market.price_one - row[c.X_MID]
        mid = twice // 2 if twice else price
        note = FillNote(mid, 0, order.side * (price - mid), 0)
        self.fill_notes[fill.trade] = note
        self.stats.book(fill, note, market.divisor)
        return fill

    def _pay(self, now: Ns) -> None:
        """Rewards and rebates of the days that are due."""
        earnings = self.venue.earnings
        due = earnings.due()
        while due is not None and due <= now:
            for paid in self.venue.pay():
                if paid.what == REWARD:
                    self.stats.rewards += paid.amount
                else:
                    self.stats.rebates += paid.amount
                self.stats.till -= paid.amount
                self._later(RewardPaid(due, *paid))
            due = earnings.due()

    # ---- small parts ---------------------------------------------------------------------------

    def _settle(self, settled: Settled) -> None:
        self.stats.till += settled.received
        self._later(settled.event)

    def _later(self, event: Event) -> None:
        self._counter += 1
        heapq.heappush(self._settled, (event.ts, self._counter, event))
