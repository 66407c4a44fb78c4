"""The quote desk: what should rest on each token, and what waits for room."""

from __future__ import annotations

from polyframe.domain.orders import Kind, Side, TimeInForce
from polyframe.domain.wishes import Intent, QuoteLevel, Quotes
from polyframe.engine.admission import refusal
from polyframe.engine.context import Bound, Context
from polyframe.engine.orders import OrderDesk
from polyframe.engine.quoting import changes
from polyframe.engine.risk import Draft
from polyframe.engine.state import OpenOrder


class QuoteDesk:
    """Keeps the last wanted quotes of each (ledger, token).

    A quote that does not fit beside a predecessor whose cancel is still under way waits for that
    cancel; nothing is counted on before the venue confirmed it.
    """

    def __init__(self, context: Context, desk: OrderDesk) -> None:
        self.context = context
        self.desk = desk
        self.waiting: dict[tuple[str, str], Quotes] = {}

    def want(self, bound: Bound, quotes: Quotes) -> None:
        """Replaces what should rest on a token."""
        c = self.context
        token = c.universe.token_index.get(quotes.token)
        if token is None:
            self.desk.refuse(bound.name, "Quotes", "unknown token", quotes.token)
            return
        m = c.universe.token_market[token]
        if m not in c.state.tradable and (quotes.bids or quotes.asks):
            self.desk.refuse(bound.name, "Quotes", "market is not open", quotes.token)
            return
        self.waiting.pop((bound.name, quotes.token), None)
        resting = self._resting(bound, token)
        change = changes(resting, quotes, c.universe.markets[m])
        for order in change.cancel:
            self.desk.request_cancel(order, quotes.reason or "requote")
        under_way = {o.order.side for o in resting if o.cancelling}
        for side, level in change.place:
            if not self._place(bound, token, side, level, quotes, wait=side in under_way):
                self.waiting[(bound.name, quotes.token)] = quotes

    def revise(self, bound: Bound, token: str) -> None:
        """An order ended, so there is room: place what waits for it."""
        quotes = self.waiting.pop((bound.name, token), None)
        if quotes is not None:
            self.want(bound, quotes)

    def _resting(self, bound: Bound, token: int) -> list[OpenOrder]:
        m = self.context.universe.token_market[token]
        return [
            o
            for o in self.context.state.by_market.get(m, {}).values()
            if o.ledger == bound.ledger and o.token == token and o.order.kind is Kind.QUOTE
        ]

    def _place(
        self, bound: Bound, token: int, side: Side, level: QuoteLevel, quotes: Quotes, *, wait: bool
    ) -> bool:
        """Reviews and sends one quote; False when it has to wait for a predecessor."""
        c = self.context
        price, size = level.price, level.size
        if size <= 0:
            self.desk.refuse(bound.name, "Quotes", "size is less than one lot", quotes.token)
            return True
        why = refusal(c, bound, quotes.token, side, Kind.QUOTE)
        if why:
            self.desk.refuse(bound.name, "Quotes", why, quotes.token)
            return True
        draft = Draft(bound.ledger, token, side, price, size, Kind.QUOTE, None, None)
        if wait and c.door.review(draft, c.now).permitted < size:
            return False
        tif = TimeInForce.GTD if quotes.ttl else TimeInForce.GTC
        intent = Intent(
            token=quotes.token, side=side, price=price, size=size, kind=Kind.QUOTE, tif=tif,
            ttl=quotes.ttl, post_only=quotes.post_only, reason=quotes.reason or "quote",
        )  # fmt: skip
        ruled = self.desk.review(bound.name, draft, intent)
        if ruled.permitted > 0:
            self.desk.send(draft, intent, ruled, "").wanted = size
        return True
