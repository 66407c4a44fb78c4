"""Carries exits out: declared ones and those of ``custom_exit``, as orders through the one door.

One sale of a position at a time. What rests on its shares is pulled first; the sale takes whatever
is bid when it arrives. What it leaves is tried again after a pause, while the exit still holds.
"""

from __future__ import annotations

from typing import Any

from polyframe.api.exits import sound_exit
from polyframe.api.strategy import Strategy
from polyframe.api.subscription import Moved
from polyframe.domain import events as ev
from polyframe.domain.events import Event
from polyframe.domain.orders import Kind, Order, Side, TimeInForce
from polyframe.domain.units import DAY, HOUR, Ns, Size, floor_to
from polyframe.domain.wishes import AskForecast, Intent
from polyframe.engine.conduct import Conduct
from polyframe.engine.context import Bound
from polyframe.engine.exit_rows import ExitRows
from polyframe.engine.exit_timers import AGE, ATTEMPT, BELIEF, OWN
from polyframe.errors import PluginError
from polyframe.kernels import exit_rows_nb as kept
from polyframe.kernels import exit_tables_nb as col

LONGEST_PAUSE: Ns = DAY
"""Between two attempts that no new price caused."""
ASK_PAUSE: Ns = HOUR
"""Before a forecast that did not come is asked for again."""
CUSTOM = "custom:"
ENDS = (ev.OrderRejected, ev.OrderCancelled, ev.OrderExpired)


class ExitDesk:
    """Looks at positions when prices, time or forecasts may have ended them."""

    def __init__(self, conduct: Conduct) -> None:
        self.conduct = conduct
        self.context = conduct.context
        self.rows: ExitRows = conduct.context.state.exits
        self._custom = {
            bound.ledger
            for bound in conduct.parts.bound
            if type(bound.strategy).custom_exit is not Strategy.custom_exit
        }
        self._looked: tuple[int, set[tuple[int, int]]] = (-1, set())
        conduct.woken = self.woken
        self._table: dict[type, Any] = {
            ev.Woken: lambda e: self._market(e.token),
            ev.BookUpdated: lambda e: self._market(e.quote.token),
            ev.BookReset: lambda e: self._market(e.book.token),
            ev.ForecastMade: lambda e: self._market(e.forecast.market),
            ev.OrderFilled: lambda e: self._token(e.fill.ledger, e.fill.token),
            ev.TimerFired: self._timer,
        }

    # ---- when to look ------------------------------------------------------------------------

    def before(self, event: Event, note: Any) -> None:
        """Carries out what an event makes due, before strategies hear of it."""
        if isinstance(event, ENDS):
            if note is not None:
                self._ended(note.order)
            return
        look = self._table.get(type(event))
        if look is not None:
            look(event)

    def after(self) -> None:
        """Sets the timers of positions that were opened in this step."""
        for ledger, token in self.rows.opened_now:
            self._age(ledger, token)
        self.rows.opened_now.clear()

    def flatten(self, ledger: str) -> None:
        """Sells everything that a ledger holds, of all ledgers when none is named."""
        for bound in self.conduct.parts.bound:
            if ledger in ("", bound.name):
                self._all(bound)

    def listen(self, bound: Bound) -> None:
        """Takes a subscription: a strategy that no price wakes hears of what it holds on a tick."""
        moves = any(isinstance(wake, Moved) for wake in bound.subscription.wake)
        ticks = bound.ledger in self._custom and not moves and "on_book" not in bound.methods
        self.rows.listen(bound.ledger, ticks=ticks)

    def _market(self, id: str) -> None:
        universe = self.context.universe
        m = universe.market_index[universe.market(id).id]
        if not self.rows.watched(m):
            return
        first = universe.offset[m]
        for bound in self.conduct.parts.bound:
            row = bound.ledger
            held = self.context.state.held[row]
            if self.rows.recovers(row) and self.rows.folios[row, col.P_FIRED] == self.context.now:
                self._all(bound)
            for token in range(first, first + len(universe.markets[m].tokens)):
                if token in held:
                    self._look(bound, token)
                    ticked = self.rows.get(row, token, col.X_TICKED)
                    if ticked and self.rows.rules[row, col.R_TICKS]:
                        self._ask_strategy(bound, token)

    def _all(self, bound: Bound) -> None:
        for token in sorted(self.context.state.held[bound.ledger]):
            self._look(bound, token)

    def _ended(self, order: Order) -> None:
        """Goes on where an order stood in the way; a vain attempt waits for its time or a price."""
        if not _declared(order):
            self._token(order.ledger, order.token)
            return
        key = ATTEMPT + order.token
        if (order.ledger, key) not in self.conduct.parts.timers:
            row = self.context.state.ledger_index[order.ledger]
            pause = self.rows.get(row, self.context.universe.token(order.token), col.X_PAUSE)
            retry = int(self.rows.rules[row, col.R_RETRY])
            self.conduct.arm(order.ledger, key, self.context.now + (pause or retry))

    def _token(self, ledger: str, token: str) -> None:
        bound = self.conduct.parts.named(ledger)
        index = self.context.universe.token(token)
        if index in self.context.state.held[bound.ledger]:
            self._look(bound, index)

    def _timer(self, event: ev.TimerFired) -> None:
        if not event.key.startswith(OWN):
            return
        kind, _, token = event.key.partition(":")
        if kind + ":" == BELIEF:
            self._market(token)
            return
        bound = self.conduct.parts.named(event.ledger)
        index = self.context.universe.token(token)
        if index in self.context.state.held[bound.ledger]:
            self._look(bound, index)
            if kind + ":" == AGE:
                self._age(bound.ledger, index)

    def _age(self, ledger: int, token: int) -> None:
        """Sets the timer for the next moment at which time alone sells."""
        at = self.rows.next_look(ledger, token)
        if at:
            self.conduct.arm(self.context.state.ledgers[ledger], AGE + self._id(token), at)

    def _id(self, token: int) -> str:
        universe = self.context.universe
        market = universe.markets[universe.token_market[token]]
        return market.tokens[universe.token_outcome[token]].id

    # ---- declared exits ----------------------------------------------------------------------

    def _look(self, bound: Bound, token: int) -> None:
        """Sells what is due of a position, or asks anew what it is worth."""
        code, size = self.rows.decide(bound.ledger, token)
        if code == col.ASK:
            self._ask(bound, token)
        elif code != col.NONE and self._free_to_try(bound, token):
            self._sell(bound, token, size, col.CODES[code])

    def _ask(self, bound: Bound, token: int) -> None:
        thesis = self.rows.declared[bound.ledger].belief
        if thesis is None:
            return
        c = self.context
        market = c.universe.markets[c.universe.token_market[token]].id
        self.conduct.arm(bound.name, BELIEF + market, c.now + ASK_PAUSE)
        self.conduct.parts.forecasts.ask(bound, AskForecast(market, thesis.forecaster))

    def _free_to_try(self, bound: Bound, token: int) -> bool:
        """True when no pause runs and nothing else is done about a position.

        Orders that rest on its shares are pulled; their end is the next occasion.
        """
        c = self.context
        m = c.universe.token_market[token]
        if m not in c.state.tradable or c.now < self.rows.get(
            bound.ledger, token, col.X_NOT_BEFORE
        ):
            return False
        waits = False
        for o in list(c.state.by_market.get(m, {}).values()):
            if o.ledger != bound.ledger or o.token != token or o.order.parent:
                continue
            rests = o.rests or bool(o.order.style)
            if rests and not o.cancelling:
                self.conduct.cancel_order(o.order.id, "makes way for an exit")
            waits = waits or o.order.side == Side.SELL
        return not waits

    def _sell(self, bound: Bound, token: int, size: Size, reason: str) -> None:
        """Offers shares at any price; what cannot be done now is tried again later."""
        c = self.context
        m = c.universe.token_market[token]
        market = c.universe.markets[m]
        free = c.state.shares[bound.ledger, token] - c.state.reserved_shares[bound.ledger, token]
        size = min(size, floor_to(free, market.lot))
        bid, _ = c.books.touch(m, c.universe.token_outcome[token])
        # An own bid, of whichever strategy, is no buyer.
        own = c.door.own_bid(token)
        limit = max(market.tick, own + market.tick if own else 0)
        if size > 0 and limit <= bid:
            intent = Intent(
                token=self._id(token), side=Side.SELL, price=limit, size=size, kind=Kind.EXIT,
                tif=TimeInForce.FAK, reason=reason,
            )  # fmt: skip
            self.conduct.parts.desk.intend(bound, intent, closing=True)
        pause = self.rows.get(bound.ledger, token, col.X_PAUSE)
        retry = int(self.rows.rules[bound.ledger, col.R_RETRY])
        pause = min(2 * pause, max(LONGEST_PAUSE, retry)) if pause else retry
        self.conduct.arm(bound.name, ATTEMPT + self._id(token), c.now + pause)

    # ---- the strategy's own ------------------------------------------------------------------

    def woken(self, bound: Bound, event: Any) -> None:
        """Asks a strategy about what it holds, before it hears of an event."""
        if bound.ledger not in self._custom or bound.disabled:
            return
        universe, held = self.context.universe, self.context.state.held[bound.ledger]
        where = _where(event)
        if where:
            m = universe.market_index[universe.market(where).id]
            tokens = [t for t in sorted(held) if universe.token_market[t] == m]
        else:
            tokens = sorted(held)
        for token in tokens:
            self._ask_strategy(bound, token)

    def _ask_strategy(self, bound: Bound, token: int) -> None:
        """Asks ``custom_exit`` once a step, unless a sale is under way or paused."""
        c, rows = self.context, self.rows
        if self._looked[0] != c.step:
            self._looked = (c.step, set())
        m = c.universe.token_market[token]
        known = (bound.ledger, token) in self._looked[1]
        if known or bound.disabled or rows.get(bound.ledger, token, col.X_HELD) <= 0:
            return
        self._looked[1].add((bound.ledger, token))
        if m not in c.state.tradable or c.now < rows.get(bound.ledger, token, col.X_NOT_BEFORE):
            return
        sales = (o for o in c.state.by_market.get(m, {}).values() if o.token == token)
        under_way = any(o.ledger == bound.ledger and not o.rests for o in sales)
        if under_way or rows.decide(bound.ledger, token)[0] not in (col.NONE, col.ASK):
            return
        method = bound.strategy.custom_exit
        position = bound.view.position(self._id(token))
        try:
            answer = self.conduct.calls.call(bound.name, method, position, bound.view)
            found = sound_exit(answer, f"{type(bound.strategy).__name__}.custom_exit")
        except PluginError as error:
            self.conduct.failed(bound, error)
            return
        if found is not None and self._free_to_try(bound, token):
            size = self._part(token, rows.get(bound.ledger, token, col.X_HELD), found.fraction)
            self._sell(bound, token, size, CUSTOM + found.reason)

    def _part(self, token: int, held: Size, fraction: float) -> Size:
        """A part of a holding in whole lots; a rest below the minimum goes along."""
        universe = self.context.universe
        market = universe.markets[universe.token_market[token]]
        part = held if fraction >= 1.0 else int(kept.part_of(held, round(fraction * col.MILLION)))
        size = max(floor_to(part, market.lot), market.lot)
        return held if held - size < market.min_size else size


def _declared(order: Order) -> bool:
    """True when an order was sent from here."""
    reason = order.reason
    return order.kind is Kind.EXIT and (reason in col.CODES[1:] or reason.startswith(CUSTOM))


def _where(event: Any) -> str:
    """The token or market an event is about, empty when it is about none."""
    for name in ("token", "market"):
        if getattr(event, name, ""):
            return str(getattr(event, name))
    if isinstance(event, ev.BookUpdated):
        return event.quote.token
    if isinstance(event, ev.ForecastMade):
        return event.forecast.market
    return ""
