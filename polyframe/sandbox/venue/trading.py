"""How orders come in: checked, matched, rested, or held back for the market's delay."""

from __future__ import annotations

from collections import OrderedDict

from polyframe.domain.units import MILLISECOND, SECOND, ceil_div
from polyframe.sandbox.venue import check
from polyframe.sandbox.venue.accounts import Wallet
from polyframe.sandbox.venue.cancelling import Cancelling
from polyframe.sandbox.venue.floor import Floor
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.matching import Match, Priced, execute, moved, needed, priced
from polyframe.sandbox.venue.records import (
    BUY,
    PRICE_ONE,
    SELL,
    Order,
    Placed,
    Refused,
    SignedOrder,
    TickChanged,
)
from polyframe.sandbox.venue.settling import Settling

KEPT_ANSWERS = 10_000
FINE_BELOW, FINE_ABOVE = 400, 9_600
"""a trade beyond these prices makes the tick finer where a market is listed so"""


class Trading:
    """Takes orders in."""

    __slots__ = ("_answers", "_cancelling", "_seen", "_settling", "floor", "halted", "only_post")

    def __init__(self, floor: Floor, cancelling: Cancelling, settling: Settling) -> None:
        self.floor = floor
        self._cancelling = cancelling
        self._settling = settling
        self.halted: Refused | None = None
        """what every new order is answered; None while trading goes on"""
        self.only_post: Refused | None = None
        """what an order that is not post-only is answered; None for no such rule"""
        self._seen: set[str] = set()
        """hashes of signed orders: none is taken twice"""
        self._answers: OrderedDict[str, Placed | Refused] = OrderedDict()

    def place(
        self,
        order: SignedOrder,
        owner: str,
        order_type: str,
        *,
        post_only: bool,
        defer: bool,
        signed: bool,
    ) -> Placed | Refused:
        """The answer to an order that came in now."""
        floor = self.floor
        now = floor.clock.now
        if self.halted is not None:
            return self.halted
        if self.only_post is not None and not post_only:
            return self.only_post
        found = floor.tokens.get(order.token_id)
        if found is None:
            return Refused(f"the orderbook {order.token_id} does not exist")
        market, outcome = found
        wallet = floor.accounts.wallets.get(order.maker.lower()) or Wallet(order.maker, "")
        wrong = check.form(order, order_type, post_only, now, floor.settings) or check.standing(
            market, wallet, order
        )
        if wrong is not None:
            return wrong
        if signed and order.hash in self._seen:
            return check.invalid(order.hash, "Duplicated.")
        terms = check.terms(order, market, order_type)
        if isinstance(terms, Refused):
            return terms
        made = Order(
            order.hash,
            owner,
            wallet.address,
            market.condition_id,
            order.token_id,
            outcome,
            order.side,
            terms.price,
            terms.size,
            order_type,
            now,
            order.expiration,
            signer=order.signer,
            signature_type=order.signature_type,
            builder=order.builder,
            post_only=post_only,
            budget=terms.budget,
            signed=signed,
        )
        return self._enter(made, wallet, market, order, terms, defer)

    def _enter(
        self,
        order: Order,
        wallet: Wallet,
        market: Market,
        sent: SignedOrder,
        terms: check.Terms,
        defer: bool,
    ) -> Placed | Refused:
        """Rests an order, matches it, or holds it back."""
        side, limit = in_yes(order)
        crosses = market.book.crosses(side, limit)
        if crosses and order.post_only:
            return check.CROSSES
        if crosses or order.order_type not in check.RESTING:
            small = check.marketable(terms, sent, self.floor.settings)
            if small is not None:
                return small
        listing = market.listing
        delay = listing.seconds_delay * SECOND or listing.taker_delay_ms * MILLISECOND
        if not crosses or not delay:
            return self._run(order, wallet, market, crosses=crosses)
        poor = check.funds(wallet, order.side, order.token_id, amount_of(order))
        if poor is not None:
            return poor
        self._remember(order)
        order.status = "DELAYED"
        self.floor.opened(order)
        wallet.orders[order.id] = order
        market.waiting[order.id] = order
        self.floor.accounts.reserve(wallet, order, amount_of(order))
        self.floor.tell_order("PLACEMENT", order)
        until = self.floor.clock.now + delay
        self.floor.clock.at(until, self._due, order, wallet, market)
        held = not listing.seconds_delay and not defer
        return Placed(order.id, "delayed", ready_at=until if held else 0)

    def _due(self, order: Order, wallet: Wallet, market: Market) -> None:
        """Matches an order whose delay is over."""
        if not order.open:
            return
        self.floor.accounts.reserve(wallet, order, 0)
        del wallet.orders[order.id]
        del market.waiting[order.id]
        order.status = "LIVE"
        if not market.accepting:
            answer: Placed | Refused = check.NOT_READY
        else:
            side, limit = in_yes(order)
            answer = self._run(order, wallet, market, crosses=market.book.crosses(side, limit))
        if isinstance(answer, Refused) and order.open:
            lacks = "balance" in answer.text
            self.floor.ended(order, "CANCELED_NOT_ENOUGH_BALANCE" if lacks else "CANCELED")
            self.floor.tell_order("CANCELLATION", order)
        elif (
            isinstance(answer, Placed) and answer.status == "live" and market.listing.seconds_delay
        ):
            answer = Placed(order.id, "unmatched")
        self._answers[order.id] = answer
        if len(self._answers) > KEPT_ANSWERS:
            self._answers.popitem(last=False)

    def outcome(self, order_id: str) -> Placed | Refused:
        """What became of an order whose answer was held back."""
        answer = self._answers.get(order_id)
        if answer is not None:
            return answer
        order = self.floor.orders.get(order_id)
        if order is not None and order.status == "DELAYED":
            return Placed(order_id, "delayed")
        return Refused("Order not found", 404)

    def _run(
        self, order: Order, wallet: Wallet, market: Market, *, crosses: bool
    ) -> Placed | Refused:
        """Matches what can be matched and rests or kills what is left."""
        side, limit = in_yes(order)
        rows: list[Priced] = []
        if crosses:
            size = order.size if order.budget < 0 else check.MOST_SIZE
            fills = market.book.match(
                side, limit, size, budget=order.budget, unit=-1 if order.outcome else 1
            )
            rows = priced(market, order.outcome, order.side, fills)
        amount = amount_of(order)
        if order.side == BUY:
            amount += sum([row.fee for row in rows])
        poor = check.funds(wallet, order.side, order.token_id, amount)
        if poor is not None:
            return poor
        self._remember(order)
        if order.order_type not in check.RESTING:
            dead = killed(order, rows)
            if dead is not None:
                return self._kill(order, dead)
        if order.id not in self.floor.orders:  # one that was held back was told of before
            self.floor.tell_order("PLACEMENT", order)
        match = execute(self.floor, order, wallet, market, rows) if rows else None
        rests = order.order_type in check.RESTING and order.left > 0
        if rests:
            self._rest(order, wallet, market, side, limit)
        elif order.signed:
            self.floor.opened(order)
        if match is None:
            self.floor.tell_levels(market, [(BUY if side > 0 else SELL, limit)])
            return Placed(order.id, "live")
        return self._matched(order, market, match, rows, rests)

    def _matched(
        self, order: Order, market: Market, match: Match, rows: list[Priced], rests: bool
    ) -> Placed:
        """Tells a match, sends it to the chain and answers it."""
        floor = self.floor
        moved(floor, market, order, rows, rests)
        if not rests:
            spent = match.money if order.budget >= 0 else match.size
            whole = spent == (order.budget if order.budget >= 0 else order.size)
            if order.id in floor.orders:
                floor.ended(order, "MATCHED")
            floor.tell_order("UPDATE", order)
            if not whole:
                order.status = "CANCELED"
                floor.tell_order("CANCELLATION", order)
        else:
            floor.tell_order("UPDATE", order)
        if market.listing.auto_tick and market.tick == 100:
            last = market.last_price
            if last < FINE_BELOW or last > FINE_ABOVE:
                set_tick(floor, market, 10)
        self._settling.begin(match)
        making, taking = match.size, match.money
        if order.side == BUY:
            making, taking = taking, making
        ids = tuple([trade.id for trade in match.trades])
        return Placed(order.id, "matched", making, taking, ids, (match.trades[0].transaction_hash,))

    def _rest(self, order: Order, wallet: Wallet, market: Market, side: int, limit: int) -> None:
        """Puts what is left of an order into the book."""
        floor = self.floor
        slot = market.book.place(side, limit, order.left, at=order.created)
        order.slot = slot
        market.resting[slot] = order
        floor.accounts.reserve(wallet, order, needed(order))
        wallet.orders[order.id] = order
        floor.opened(order)
        if order.expiration:
            until = (order.expiration - floor.settings.expires_before) * SECOND
            floor.clock.at(until, self._cancelling.expire, order)

    def _kill(self, order: Order, dead: Refused) -> Refused:
        """Ends a FOK or FAK order that matched nothing."""
        if order.signed or order.id in self.floor.orders:
            self.floor.opened(order)
            self.floor.ended(order, f"CANCELED_{dead.text}")
            self.floor.tell_order("CANCELLATION", order)
        return dead

    def _remember(self, order: Order) -> None:
        if order.signed:
            self._seen.add(order.id)


def in_yes(order: Order) -> tuple[int, int]:
    """Side (+1 or -1) and limit of an order in YES price."""
    side = 1 if order.side == BUY else -1
    return (-side, PRICE_ONE - order.price) if order.outcome else (side, order.price)


def amount_of(order: Order) -> int:
    """What a new order needs at most, without fees: money of a BUY, shares of a SELL."""
    if order.side == SELL:
        return order.size
    if order.budget >= 0:
        return order.budget
    return ceil_div(order.price * order.size, PRICE_ONE)


def killed(order: Order, rows: list[Priced]) -> Refused | None:
    """Why a FOK or FAK order is not matched at all; None if it is."""
    if not rows:
        return check.FAK_KILLED if order.order_type == "FAK" else check.FOK_KILLED
    if order.order_type == "FAK":
        return None
    if order.budget >= 0:
        whole = sum([row.money for row in rows]) == order.budget
    else:
        whole = sum([row.size for row in rows]) == order.size
    return None if whole else check.FOK_KILLED


def set_tick(floor: Floor, market: Market, tick: int) -> None:
    """Makes the tick another one and tells it."""
    old, market.tick = market.tick, tick
    floor.outbox.append(TickChanged(floor.clock.now, market.condition_id, old, tick))
