"""How orders end without a match: cancelled, expired, not covered, market gone, dead man."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil

from msgspec import Struct

from polyframe.sandbox.venue.accounts import Wallet
from polyframe.sandbox.venue.floor import Floor
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import BUY, PRICE_ONE, SELL, Beat, Cancelled, Order

NOT_FOUND = "Order not found or already canceled"
OVER = "already canceled or matched"
DELAYED = "order is delayed and can't be canceled yet"
"""UNSURE at the venue: only that it cannot be cancelled is known"""


class Pulse(Struct):
    """A key's heartbeat. Its times are those outside, where whoever sends heartbeats lives."""

    id: str
    last: int = 0
    armed: bool = False
    check: int = 0
    """when it is looked at next"""
    turn: int = 0
    """which of the looks that were asked for still counts"""


class Cancelling:
    """All ways out of the book but a match."""

    __slots__ = ("_outside", "_pace", "_pulses", "_since", "floor")

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self._pulses: dict[str, Pulse] = {}
        self._pace = 1.0
        # What had passed outside when this pace began, and when that was here.
        self._outside, self._since = 0, floor.clock.now

    # ---- by their key ----------------------------------------------------------------------------

    def cancel(self, owner: str, order_ids: Sequence[str]) -> Cancelled:
        """Cancels orders of one key by id."""
        mine = self.floor.owned.get(owner, {})
        going: list[Order] = []
        kept: dict[str, str] = {}
        for id in dict.fromkeys(order_ids):
            order = mine.get(id)
            if order is None:
                known = self.floor.orders.get(id)
                kept[id] = OVER if known is not None and known.owner == owner else NOT_FOUND
            elif order.status == "DELAYED":
                kept[id] = DELAYED
            else:
                going.append(order)
        self.close(going, "CANCELED")
        return Cancelled(tuple([order.id for order in going]), kept)

    def cancel_market(
        self, owner: str, market: str | None = None, asset_id: str | None = None
    ) -> Cancelled:
        """Cancels a key's orders in one market, for one token, or all."""
        found = [
            order.id
            for order in self.floor.owned.get(owner, {}).values()
            if market in {None, order.condition_id} and asset_id in {None, order.token_id}
        ]
        return self.cancel(owner, found)

    # ---- by the venue ----------------------------------------------------------------------------

    def expire(self, order: Order) -> None:
        """Ends a GTD order whose time has come."""
        if order.open:
            self.close([order], "CANCELED_EXPIRED_ORDER")

    def wipe(self, market: Market, status: str) -> None:
        """Ends all orders of a market, those that wait for their delay too."""
        self.close([*market.resting.values(), *market.waiting.values()], status)

    def cover(self, wallet: Wallet, token_id: str | None = None) -> None:
        """Ends orders of a wallet, newest first, until it covers those that are left.

        UNSURE at the venue: which ones it ends first.
        """
        short = -(wallet.free() if token_id is None else wallet.free_shares(token_id))
        going: list[Order] = []
        for order in reversed(wallet.orders.values()):
            if short <= 0:
                break
            selling = order.side == SELL and order.token_id == token_id
            if selling or (order.side == BUY and token_id is None):
                going.append(order)
                short -= order.held
        self.close(going, "CANCELED_NOT_ENOUGH_BALANCE")

    def close(self, orders: Iterable[Order], status: str) -> None:
        """Takes orders out of the book, frees what they hold and tells it."""
        floor = self.floor
        changed: dict[str, dict[tuple[str, int], None]] = {}
        for order in orders:
            wallet = floor.accounts.wallets[order.maker.lower()]
            market = floor.markets[order.condition_id]
            market.waiting.pop(order.id, None)
            if order.slot:
                market.book.cancel(order.slot)
                del market.resting[order.slot]
                order.slot = 0
                buys = (order.side == BUY) == (order.outcome == 0)
                price = PRICE_ONE - order.price if order.outcome else order.price
                level = (BUY if buys else SELL, price)
                changed.setdefault(order.condition_id, {})[level] = None
            floor.accounts.reserve(wallet, order, 0)
            wallet.orders.pop(order.id, None)
            floor.ended(order, status)
            floor.tell_order("CANCELLATION", order)
        for condition_id, levels in changed.items():
            floor.tell_levels(floor.markets[condition_id], list(levels))

    # ---- the dead man ----------------------------------------------------------------------------

    def heartbeat(self, owner: str, heartbeat_id: str) -> Beat:
        """Keeps a key's orders alive; the first call arms it and there is no way back.

        Each answer has the id for the next call. A wrong one is answered with the right one. UNSURE
        at the venue: whether the id changes, and what follows after the orders were cancelled; here
        any id of this key, or none, arms it again.
        """
        pulse = self._pulses.get(owner)
        if pulse is None:
            pulse = self._pulses[owner] = Pulse(self.floor.ids.uuid("heartbeat"))
        if heartbeat_id != pulse.id and (pulse.armed or heartbeat_id):
            return Beat(pulse.id, "Invalid Heartbeat ID")
        pulse.id = self.floor.ids.uuid("heartbeat")
        pulse.last = self._passed()
        if not pulse.armed:
            pulse.armed = True
            self._look_at(owner, pulse, pulse.last + self.floor.settings.beat_checked)
        return Beat(pulse.id)

    def keep_pace(self, pace: float) -> None:
        """Counts so many seconds here as one outside from now on; what has passed has passed."""
        if pace == self._pace:
            return
        self._outside, self._since, self._pace = self._passed(), self.floor.clock.now, pace
        for owner, pulse in self._pulses.items():
            if pulse.armed:
                self._look_at(owner, pulse, pulse.check)

    def _passed(self) -> int:
        """Time outside."""
        return self._outside + round((self.floor.clock.now - self._since) / self._pace)

    def _look_at(self, owner: str, pulse: Pulse, check: int) -> None:
        pulse.check = check
        pulse.turn += 1
        at = self._since + ceil((check - self._outside) * self._pace)
        self.floor.clock.at(max(at, self.floor.clock.now), self._look, owner, pulse.turn)

    def _look(self, owner: str, turn: int) -> None:
        pulse = self._pulses[owner]
        if turn != pulse.turn:
            return
        settings = self.floor.settings
        if pulse.check - pulse.last < settings.beat_within:
            self._look_at(owner, pulse, pulse.check + max(settings.beat_checked, 1))
            return
        pulse.armed = False
        self.close(list(self.floor.owned.get(owner, {}).values()), "CANCELED")
