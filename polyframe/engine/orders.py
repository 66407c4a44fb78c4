"""The order desk: what becomes of intents, and what the venue's answers change."""

from __future__ import annotations

from polyframe.api.parts import unit_price
from polyframe.api.sizer import Sized, SizingNote
from polyframe.domain.effects import (
    FillBooked,
    OrderChanged,
    OrderReviewed,
    ParentApproved,
    RequestCancel,
    SubmitOrder,
    WishRefused,
)
from polyframe.domain.events import (
    FillConfirmed,
    FillFailed,
    OrderAccepted,
    OrderFilled,
    OrderTimedOut,
)
from polyframe.domain.orders import Kind, Order, OrderState, Side, TimeInForce
from polyframe.domain.portfolio import Fill, book_fill, unbook_fill
from polyframe.domain.units import Price, Size, ceil_to, floor_to
from polyframe.domain.wishes import CancelOrder, Intent
from polyframe.engine.context import Bound, Calls, Context
from polyframe.engine.risk import Draft, Ruled
from polyframe.engine.sized import sound_size
from polyframe.engine.state import RESTING, OpenOrder
from polyframe.kernels import bars_nb
from polyframe.kernels import tables_nb as t


class OrderDesk:
    """Sizes, reviews, sends and books."""

    def __init__(self, context: Context, calls: Calls) -> None:
        self.context = context
        self.calls = calls
        self.provisional: dict[str, Fill] = {}
        self.seen: set[str] = set()

    # ---- from a wish to an order -----------------------------------------------------------

    def intend(
        self, bound: Bound, intent: Intent, *, style: str = "", closing: bool = False
    ) -> OpenOrder | None:
        """Carries an intent as far as the risk door lets it; returns the order that was sent.

        ``closing`` sells own shares on a declared exit: no guard may keep them in.
        """
        drafted = self.draft(bound, intent)
        if drafted is None:
            return None
        draft, note = drafted
        if closing:
            draft = draft._replace(closing=True)
        ruled = self.review(bound.name, draft, intent, note)
        if ruled.permitted <= 0:
            return None
        return self.send(draft, intent, ruled, style)

    def draft(self, bound: Bound, intent: Intent) -> tuple[Draft, SizingNote] | None:
        """Makes an intent concrete: token, price on the tick, size in lots and where it is from."""
        c = self.context
        token = c.universe.token_index.get(intent.token)
        if token is None:
            self._refuse(bound, intent, "unknown token")
            return None
        m = c.universe.token_market[token]
        market = c.universe.markets[m]
        if m not in c.state.tradable:
            self._refuse(bound, intent, "market is not open")
            return None
        said = intent.probability
        if said is not None and (said < 0.0 or said > 1.0):
            self._refuse(bound, intent, f"probability {said:g} is not between 0 and 1")
            return None
        price = self._price(token, m, intent)
        if price is None:
            self._refuse(bound, intent, "no quote to take")
            return None
        if not 0 < price <= market.max_price:
            most = market.show_price(market.max_price)
            asked = market.show_price(price)
            self._refuse(bound, intent, f"price {asked} is not between 0 and {most}")
            return None
        sized = self._size(bound, intent, token, price)
        size = floor_to(sized.size, market.lot)
        if size <= 0:
            because = f": {sized.limit}" if sized.limit else ""
            what = "below zero" if size < 0 else "zero"
            self._refuse(bound, intent, f"size is {what}{because}")
            return None
        if size > market.max_size:
            self._refuse(bound, intent, f"size is above {market.show_size(market.max_size)} shares")
            return None
        kind = Kind.DIRECTIONAL if intent.kind is Kind.QUOTE else intent.kind
        draft = Draft(
            bound.ledger, token, intent.side, price, size, kind,
            self.edge(intent, m, price), intent.probability, intent.tif in RESTING,
        )  # fmt: skip
        return draft, (*sized.note, ("limit", sized.limit)) if sized.limit else sized.note

    def _price(self, token: int, m: int, intent: Intent) -> Price | None:
        market = self.context.universe.markets[m]
        price = intent.price
        if price is None:
            bid, ask = self.context.books.touch(m, self.context.universe.token_outcome[token])
            price = ask if intent.side == Side.BUY else bid
            if price <= 0:
                return None
        # Towards the passive side: a limit is never made worse than it was asked for.
        rounding = floor_to if intent.side == Side.BUY else ceil_to
        return rounding(price, market.tick)

    def _size(self, bound: Bound, intent: Intent, token: int, price: Price) -> Sized:
        state = self.context.state
        if intent.size is not None:
            return Sized(intent.size)
        if intent.side == Side.SELL:
            held = state.shares[bound.ledger, token]
            return Sized(int(held - state.reserved_shares[bound.ledger, token]))
        answer = self.calls.call(bound.name, bound.sizer.size, intent, price, bound.view)
        sized = sound_size(answer, type(bound.sizer).__name__)
        # A sizer thinks in money; from the greatest size on it is for the guards to come down.
        universe = self.context.universe
        most = universe.markets[universe.token_market[token]].max_size
        return sized if sized.size <= most else Sized(most, sized.note, sized.limit)

    def edge(self, intent: Intent, m: int, price: Price) -> float | None:
        """The stated edge, but never more than the stated probability is worth at the limit."""
        if intent.probability is None:
            return intent.edge
        unit = unit_price(self.context.universe.markets[m], intent.side, price)
        worth = (intent.probability - unit) * intent.side
        return worth if intent.edge is None else min(worth, intent.edge)

    def review(self, ledger: str, draft: Draft, intent: Intent, note: SizingNote = ()) -> Ruled:
        """Asks the door and records what it said."""
        c = self.context
        ruled = c.door.review(draft, c.now)
        id = f"{c.session}-{c.orders_made + 1}" if ruled.permitted > 0 else ""
        market = c.universe.markets[c.universe.token_market[draft.token]]
        c.emit(
            OrderReviewed(
                c.now, ledger, id, intent, draft.size, ruled.permitted, ruled.verdicts, note,
                market.id, draft.price, draft.edge,
                decimals=(market.price_decimals, market.size_decimals),
            )
        )  # fmt: skip
        return ruled

    def send(self, draft: Draft, intent: Intent, ruled: Ruled, style: str) -> OpenOrder:
        """Makes, reserves, seals and sends an order of the permitted size."""
        c = self.context
        market = c.universe.markets[c.universe.token_market[draft.token]]
        id, salt = c.next_order()
        tif = intent.tif
        if intent.ttl > 0 and tif is TimeInForce.GTC:
            tif = TimeInForce.GTD
        order = Order(
            id=id,
            ledger=c.state.ledgers[draft.ledger],
            market=market.id,
            token=market.tokens[c.universe.token_outcome[draft.token]].id,
            side=draft.side,
            price=draft.price,
            size=ruled.permitted,
            tif=tif,
            ts=c.now,
            kind=draft.kind,
            post_only=intent.post_only,
            expires=c.now + intent.ttl if tif is TimeInForce.GTD else 0,
            reason=intent.reason,
            salt=salt,
            style=style,
            edge=draft.edge,
        )
        open_order, approved = c.door.approve(order, ruled)
        if style:
            # A parent holds the reservation; only its children go to the venue.
            open_order.rests = False
            c.emit(ParentApproved(order, open_order.reserved))
        else:
            c.emit(SubmitOrder(order, open_order.reserved, approved))
        return open_order

    def cancel(self, bound: Bound, wish: CancelOrder) -> None:
        """Asks for the cancel of an own order."""
        found = self.context.state.orders.get(wish.order)
        if found is None or found.ledger != bound.ledger:
            self.refuse(
                bound.name, "CancelOrder", "no such open order of this strategy", wish.order
            )
            return
        self.request_cancel(found, wish.reason)

    def request_cancel(self, order: OpenOrder, reason: str) -> None:
        """Sends a cancel once; a parent without children at work ends at once."""
        if order.cancelling:
            return
        order.cancelling = True
        self.context.state.count(t.A_CANCELS_DAY, order.ledger)
        self.context.emit(RequestCancel(order.order.id, reason))

    def refuse(self, ledger: str, wish: str, reason: str, subject: str = "") -> None:
        """Records that a wish could not be considered."""
        self.context.emit(WishRefused(self.context.now, ledger, wish, reason, subject))

    def _refuse(self, bound: Bound, intent: Intent, reason: str) -> None:
        self.refuse(bound.name, f"Intent {intent.side.name.lower()}", reason, intent.token)

    # ---- the venue's answers ---------------------------------------------------------------

    def accepted(self, event: OrderAccepted) -> None:
        """The order rests or is about to fill."""
        o = self.context.state.orders.get(event.order)
        if o is None:
            return
        o.venue_id = event.venue_id
        if o.state in (OrderState.PENDING, OrderState.UNKNOWN):
            self._change(o, OrderState.PARTIAL if o.filled else OrderState.LIVE)

    def timed_out(self, event: OrderTimedOut) -> None:
        """Nobody knows whether the order stands: its reservation stays."""
        o = self.context.state.orders.get(event.order)
        if o is not None and o.state is OrderState.PENDING:
            self._change(o, OrderState.UNKNOWN)

    def filled(self, event: OrderFilled) -> FillBooked | None:
        """Books an execution; the same one told twice is booked once."""
        fill = event.fill
        key = f"{fill.trade}\x1f{fill.order}"
        if key in self.seen:
            return None
        self.seen.add(key)
        if not event.final:
            self.provisional[key] = fill
        c = self.context
        token, ledger = c.universe.token(fill.token), c.state.ledger_index[fill.ledger]
        market = c.universe.markets[c.universe.token_market[token]]
        before = c.state.holding(ledger, token)
        booked = book_fill(before, fill.side, fill.price, fill.size, fill.fee, market.divisor)
        o = c.state.orders.get(fill.order)
        if o is not None:
            # Free first, then book: the purchase must not count twice at any moment.
            o.filled += fill.size
            c.state.reserve(o)
            self._to_parent(o, fill.size)
        earned = c.state.book(ledger, token, booked, fill.ts)
        reason = fill.reason if o is None else o.order.reason
        if fill.side == Side.SELL:
            c.state.exits.sold(ledger, token, reason, fill.size)
        if earned is not None:
            c.locks.closed(ledger, c.universe.token_market[token], c.now, earned, reason)
        c.state.count(t.A_FILLS_DAY, ledger)
        self._count_own(fill, token)
        note = FillBooked(fill, booked.holding.realised - before.realised)
        c.emit(note)
        if o is not None:
            if o.remaining <= 0:
                self.end(o, OrderState.CONFIRMED if event.final else OrderState.MATCHED)
            else:
                self._change(o, OrderState.PARTIAL)
        return note

    def _count_own(self, fill: Fill, token: int) -> None:
        c = self.context
        m, direct = c.universe.token_market[token], c.universe.token_outcome[token] == 0
        price = fill.price if direct else c.universe.markets[m].price_one - fill.price
        side = fill.side if direct else -fill.side
        bars_nb.own_fill(c.books.rows, m, side, price, fill.size)

    def _to_parent(self, child: OpenOrder, size: Size) -> None:
        parent = self.context.state.orders.get(child.order.parent)
        if parent is None:
            return
        parent.working -= size
        parent.filled += size
        if parent.filled >= parent.order.size:
            self.end(parent, OrderState.CONFIRMED)

    def confirmed(self, event: FillConfirmed) -> None:
        """A provisional execution is final."""
        key = f"{event.trade}\x1f{event.order}"
        if self.provisional.pop(key, None) is not None:
            self.context.emit(OrderChanged(self.context.now, event.order, OrderState.CONFIRMED, 0))

    def failed(self, event: FillFailed) -> None:
        """Takes a provisional execution out of the books again."""
        fill = self.provisional.pop(f"{event.trade}\x1f{event.order}", None)
        if fill is None:
            return
        c = self.context
        token, ledger = c.universe.token(fill.token), c.state.ledger_index[fill.ledger]
        market = c.universe.markets[c.universe.token_market[token]]
        booked = unbook_fill(
            c.state.holding(ledger, token), fill.side, fill.price, fill.size, fill.fee,
            market.divisor,
        )  # fmt: skip
        c.state.book(ledger, token, booked)
        c.emit(OrderChanged(c.now, event.order, OrderState.FAILED, 0, event.reason))

    def ended(self, order: str, state: OrderState, reason: str) -> OpenOrder | None:
        """The order no longer stands; frees its reservation."""
        o = self.context.state.orders.get(order)
        if o is not None:
            self.end(o, state, reason)
        return o

    def end(self, o: OpenOrder, state: OrderState, reason: str = "") -> None:
        """Closes an order and gives what is left of a child back to its parent."""
        c = self.context
        filled = o.filled
        parent = c.state.orders.get(o.order.parent)
        if parent is not None:
            parent.working -= o.order.size - filled
            c.state.reserve(parent)
        o.state = state
        c.emit(OrderChanged(c.now, o.order.id, state, filled, reason))
        c.state.close(o)

    def _change(self, o: OpenOrder, state: OrderState) -> None:
        o.state = state
        self.context.emit(OrderChanged(self.context.now, o.order.id, state, o.filled))
