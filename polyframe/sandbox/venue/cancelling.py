"""How orders end without a match: cancelled, expired, not covered, market gone, dead man."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
    """A key's heartbeat."""

    id: str
    last: int
    armed: bool = True


class Cancelling:
    """All ways out of the book but a match."""

    __slots__ = ("_pulses", "floor", "pace")

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self._pulses: dict[str, Pulse] = {}
        self.pace = 1.0
        """seconds of the venue for one outside, where whoever sends heartbeats lives"""

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
        now, pulse = self.floor.clock.now, self._pulses.get(owner)
        if pulse is not None and heartbeat_id != pulse.id and (pulse.armed or heartbeat_id):
            return Beat(pulse.id, "Invalid Heartbeat ID")
        if pulse is None and heartbeat_id:
            self._pulses[owner] = Pulse(self.floor.ids.uuid("heartbeat"), now, armed=False)
            return Beat(self._pulses[owner].id, "Invalid Heartbeat ID")
        if pulse is None or not pulse.armed:
            self._check_later(owner)
        made = Pulse(self.floor.ids.uuid("heartbeat"), now)
        self._pulses[owner] = made
        return Beat(made.id)

    def _check_later(self, owner: str) -> None:
        wait = int(self.floor.settings.beat_checked * self.pace)
        self.floor.clock.at(self.floor.clock.now + max(wait, 1), self._check, owner)

    def _check(self, owner: str) -> None:
        pulse = self._pulses[owner]
        within = int(self.floor.settings.beat_within * self.pace)
        if self.floor.clock.now - pulse.last < within:
            self._check_later(owner)
            return
        pulse.armed = False
        self.close(list(self.floor.owned.get(owner, {}).values()), "CANCELED")
