"""Plays a tape with a quoting strategy in compiled code, on the engine's and the venue's tables.

The loop stops where something happens that the engine has to do: a limit that equity crosses, a
market that closes or resolves, a new day. Before the engine does it, it is shown the orders that
are open; what it asks for then goes through the broker, as in any run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyframe.api.exits import Exits, declared
from polyframe.api.quoting import Quoter, kernel_of
from polyframe.api.strategy import Strategy
from polyframe.api.subscription import Every
from polyframe.domain.events import Event, WakeReason, Woken
from polyframe.domain.orders import OrderState
from polyframe.domain.units import SECOND, Ns
from polyframe.engine.engine import Engine
from polyframe.engine.setup import Player
from polyframe.engine.state import OpenOrder
from polyframe.errors import PluginError
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import guards_nb as g
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import l2desk_nb as desk
from polyframe.kernels import l2logs_nb as lg
from polyframe.kernels import l2play_nb as l2
from polyframe.kernels import l2rows_nb as rw
from polyframe.kernels import numbers_nb, quotecall_nb
from polyframe.kernels import seencolumns_nb as sc
from polyframe.kernels import tables_nb as t
from polyframe.runtime import tape_addresses as addresses
from polyframe.runtime.feed import NEVER, Told
from polyframe.runtime.logged import Filled, Reviewed
from polyframe.runtime.own_orders import OwnOrders
from polyframe.runtime.tape_feed import TapeFeed
from polyframe.runtime.tape_log import Log
from polyframe.runtime.tape_logged import TapeWords, orders_of
from polyframe.runtime.tape_records import TapeRecords
from polyframe.runtime.tape_taken import Taken, count, taken
from polyframe.runtime.tape_teller import TapeTeller
from polyframe.store.journal import JournalWriter
from polyframe.store.records import RecordLevel
from polyframe.store.tape import Tape

Ints = NDArray[np.int64]


def exits_of(player: Player) -> Exits:
    """The exits that a strategy declares, or that the configuration does for it."""
    return player.exits or declared(player.strategy)


class CompiledTapeFeed(TapeFeed):
    """The same tape as :class:`TapeFeed`, with the strategy's quotes carried out on the way."""

    def __init__(
        self, engine: Engine, tape: Tape, broker: Any, tokens: Mapping[str, int], player: Player,
        start: Ns, end: Ns,
    ) -> None:  # fmt: skip
        self.broker = broker
        self.player = player
        self.log = Log()
        self._shown: dict[str, int] = {}
        self._counted = False
        self._own_first = False
        """True while the wake due at that moment was set before the timer that is due then"""
        self._cut_short = False
        """True while the broker has something to tell before the moment up to which is played"""
        self._halts: list[tuple[int, str]] = []
        self._reasons: list[str] = [""]
        self._unknown: list[str] = []
        super().__init__(engine, tape, broker.venue, tokens, start, end)
        broker.hushed = True
        broker.venue.ledger(player.name)
        engine.reactions.arming = False
        self._decides(player.strategy)
        self._fill_plan(player.strategy)
        guards, tables = engine.parts.door.guards, engine.state.tables
        self._order = (
            np.zeros(g.O_SIZE_OF, np.int64), np.zeros(numbers_nb.Q_SIZE_OF, np.int64),
            guards.risk_scope, np.zeros((2, g.S_SIZE_OF), np.int64), guards.limits, guards.applies,
            np.zeros((2, len(g.GUARDS)), np.int64),
        )  # fmt: skip
        self._order[1][numbers_nb.Q_TWIN] = 1 if guards.twin else 0
        self._locks_work = np.zeros((3, 4), np.int64)
        markets, count = engine.context.universe.markets, tables.tokens.shape[2]
        counts = np.zeros((count, desk.W_SIZE_OF), np.int64)
        counts[:, desk.W_TTL] = self.log.plan[lg.N_TTL]
        counts[:, desk.W_POST] = self.log.plan[lg.N_POST]
        for m, market in enumerate(markets):
            first = engine.context.universe.offset[m]
            counts[first : first + len(market.tokens), desk.W_MARKET] = m
        self._quoting = (
            np.zeros(sc.SEEN_SIZE_OF), np.zeros((len(markets), sc.OWN_SIZE_OF)),
            self._parameters,
            np.zeros((sc.MOST_QUOTES, sc.WANTED_SIZE_OF)), broker.venue.terms,
            np.zeros((count, sc.MOST_QUOTES, 3), np.int64), counts,
            np.zeros((8, 1024), np.int64),
        )  # fmt: skip
        words = TapeWords(
            engine, self.log.cases, halts=self._halts, reasons=self._reasons, unknown=self._unknown
        )
        self._teller = TapeTeller(words, broker.venue.markets)
        self._records: TapeRecords | None = None
        broker.venue.make_room(max(256, 4 * self._wishes))

    def _decides(self, strategy: Strategy) -> None:
        """Takes over what the strategy decides with."""
        assert isinstance(strategy, Quoter)
        self._quote = kernel_of(strategy)
        """held as long as the loop knows its addresses"""
        self._parameters = np.array(strategy.parameters(), np.float64)
        plan = self.log.plan
        plan[[lg.N_WRAPPER, lg.N_CODE]] = quotecall_nb.addresses(self._quote)
        plan[lg.N_ON_FILL] = 1 if strategy.on_own_fill else 0
        plan[lg.N_DEPTH] = 1 if strategy.depth else 0
        plan[lg.N_TTL] = strategy.quote_ttl
        plan[lg.N_POST] = 1 if strategy.post_only else 0

    def _fill_plan(self, strategy: Strategy) -> None:
        plan, start = self.log.plan, self._start
        every = [
            wake.interval
            for wake in strategy.subscribe(self.engine.context.universe.markets).wake
            if isinstance(wake, Every)
        ]
        plan[lg.N_EVERY] = min(every, default=0)
        plan[lg.N_NEXT] = start + plan[lg.N_EVERY] if every else NEVER
        plan[lg.N_MAX_OPEN] = exits_of(self.player).max_open or 0
        plan[lg.N_INPUTS] = self.engine.parts.door.inputs
        plan[lg.N_FIRST] = self.engine.context.orders_made

    # ---- playing -----------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        """True when no row and no answer is left."""
        at = self.tables.at
        busy = at[c.C_ACTS] > 0 or at[c.C_HEAD] > at[c.C_TAKEN]
        return super().done and not busy

    def advance(self, until: Ns, stop_row: int | None = None) -> Event | None:
        """Plays up to ``until``, or to the first limit that equity crosses."""
        self._heed()
        found = super().advance(until, stop_row)
        self._show()
        return found

    def _play(self, stop: Ns, stop_row: int) -> int:
        if self._segment < 0 or not hasattr(self, "_quoting"):
            return super()._play(stop, stop_row)
        engine, since = self.engine, self.timers_until
        self._own_first = since is not None and stop - int(self.log.plan[lg.N_EVERY]) <= since
        while True:
            at = self.tables.at
            # What the broker has to tell by itself may have come up on the way.
            until = min(stop, self._due())
            self._cut_short = until < stop
            why = self._run(until)
            if self.log.plan[lg.N_LATE]:
                self._collect()
                if why == rw.STOP_LATE:
                    continue
            if why == nb.STOP_END and self._segment == len(self.tape.segments) - 1:
                # Nothing is recorded any more: what is under way comes to its end, nobody is woken.
                ended = self.log.plan[lg.N_EVERY] == 0
                self.log.plan[lg.N_EVERY] = 0
                if not ended:
                    continue
            if why != l2.STOP_LOG:
                break
            self._make_way()
        context = engine.context
        plan = self.log.plan
        context.orders_made = int(plan[lg.N_FIRST] + plan[lg.N_SENT])
        context.now = max(context.now, int(at[c.C_NOW]))
        return rw.STOP_ANSWER if why == nb.STOP_TIME and self._cut_short else why

    def _make_way(self) -> None:
        """Room in all tables for what one moment can bring, see ``l2play_nb``."""
        at, venue, wishes = self.tables.at, self.broker.venue, self._wishes
        used, each = int(at[c.C_USED]), self._quoting[5].shape[1]
        self.log.grow(2 * wishes + used)
        if used + wishes > len(venue.orders):
            venue.make_room(2 * (used + wishes))
        venue.make_way(int(at[c.C_ACTS]) + used + wishes + len(self._markets) + 8)
        if used + each > self._quoting[7].shape[1] // 2:
            scratch = np.zeros((8, 4 * (used + each)), np.int64)
            self._quoting = (*self._quoting[:7], scratch)

    def _collect(self) -> None:
        """Has shares paid whose purchase was told of after their market resolved."""
        plan, log = self.log.plan, self.log
        row = log.told[int(plan[lg.N_LATE]) - 1]
        plan[lg.N_LATE] = 0
        at, words = int(row[lg.T_LOG]), self._teller.words
        order = orders_of(log.reviews[at : at + 1], self.engine)[0].tolist()
        market, token = words.market(order).id, words.token(order)
        size, known = int(row[c.X_SIZE]), int(row[c.X_KNOWN])
        self.broker.collect(self.player.name, market, token, size, known)

    def _due(self) -> Ns:
        due = self.broker.due()
        return NEVER if due is None else int(due)

    @property
    def _wishes(self) -> int:
        """How many quotes can be wanted at once."""
        tokens, quotes, _ = self._quoting[5].shape
        return int(tokens * quotes)

    def _run(self, stop: Ns) -> int:
        """Plays up to a moment; why it stopped."""
        self._lay_all()
        try:
            return int(l2.play(stop, self._addresses.where))
        except (ArithmeticError, IndexError, ValueError) as error:
            # Nothing else in the loop raises.
            raise self._misquoted(error) from error

    def _misquoted(self, error: Exception) -> PluginError:
        now = datetime.fromtimestamp(int(self.tables.at[c.C_NOW]) // SECOND, UTC)
        market = self.engine.context.universe.markets[int(self.log.plan[lg.N_ASKED])]
        return PluginError(
            f"{type(self.player.strategy).__name__}: its quote kernel, asked about {market.id} at "
            f"{now:%Y-%m-%d %H:%M:%S} UTC, went wrong: {error}",
            expected=f"at most {sc.MOST_QUOTES} rows: outcome 0 or 1, side 1 or -1, price and size "
            "from 0 up (0: none)",
            hint="call it with plain arrays: the function that @quote_kernel marks is one",
        )

    def _lay_all(self) -> None:
        """Has the loop find all tables where they are now, and know what it takes."""
        plan = self.log.plan
        if (self._day_ends or self._own_first) and not self._cut_short:
            plan[lg.N_TAKES] = lg.TIMERS
        else:
            plan[lg.N_TAKES] = lg.ANSWERS if self.answers_first or self._cut_short else lg.NOTHING
        plan[lg.N_TELLS] = 1 if self.tells else 0
        self.tables.at[c.C_HEARS] = 1
        tables = self.engine.state.tables
        # The kernel sees the rows of the period and no more.
        self._lay(self._tape if self._rows == len(self._tape[0]) else self._cut())
        lay = self._addresses.lay
        lay(addresses.TABLES, tables.arrays)
        lay(addresses.DOOR, (*self._order, tables.pace))
        lay(addresses.LOCKS, (tables.trips, tables.tree, self._locks_work))
        lay(addresses.LOGS, self.log.tables)
        lay(addresses.QUOTING, self._quoting)

    def _under_way(self) -> Ns:
        """When the next thing happens at the venue, is heard from it, or wakes the strategy."""
        plan = self.log.plan
        wakes = plan[lg.N_EVERY] > 0 and plan[lg.N_NEXT] <= self._last
        return min(super()._under_way(), int(plan[lg.N_NEXT]) if wakes else NEVER)

    def _cut(self) -> tuple[Any, ...]:
        return (*(column[: self._rows] for column in self._tape[:8]), self._tape[8])

    def _told(self, why: int) -> list[Event]:
        """What the engine must hear of; whom a best price woke hears of it in the loop."""
        at = self.tables.at
        told: list[Event] = []
        ts, markets = int(at[c.C_NOW]), self._markets
        if at[c.C_TICK]:
            told += self._other_ticks(ts)
        if why == nb.STOP_LIMIT:
            number, row = self._stands()
            told.append(Woken(ts, WakeReason.LIMIT, markets[0].yes.id, number, row))
        at[c.C_TICK] = 0
        at[c.C_WHY] = nb.STOP_MOVED if at[c.C_WOKEN] else 0
        if at[c.C_HEARD]:
            at[c.C_WHY] = rw.STOP_TRADED
        return told

    # ---- what was done, for the journal and a report -----------------------------------------

    def played(self) -> Iterable[Told]:
        """What happened since it was last asked, in order; told while it is taken."""
        log = self.log
        self._teller.words.cases = log.cases
        return self._teller.told(log.plan, log.reviews, log.told, log.pulled)

    def record(self, journal: JournalWriter) -> int | None:
        """Writes these steps straight to a journal; None: they have to be told."""
        if journal.level is not RecordLevel.ORDERS:
            return None
        if self._records is None:
            self._records = TapeRecords(self._teller)
        log = self.log
        self._teller.words.cases = log.cases
        return self._records.write(journal, log.plan, log.reviews, log.told, log.pulled)

    def unstepped(self) -> tuple[Filled, Reviewed]:
        """Every fill with what was known when it was decided, and every review."""
        return self._taken.filled, self._taken.reviewed

    def refused(self) -> Counter[str]:
        """How often what was not even considered."""
        return self._taken.refused

    def own_orders(self) -> OwnOrders:
        """What became of every order that the loop sent."""
        return self._taken.own

    @cached_property
    def _taken(self) -> Taken:
        """What a run that ended wrote down; its tables are let go."""
        # The loop has run for the last time, and must not hold what is let go.
        self._addresses.lay(addresses.LOGS, Log().tables)
        self.account()
        return taken(self.engine, self.log, self._teller.words)

    def account(self) -> None:
        """Has the broker's figures count what the venue did in the loop, once."""
        if not self._counted:
            self._counted = True
            count(self.engine, self.broker, self.log)

    def memory(self, market: int) -> NDArray[np.float64]:
        """What the kernel remembers of a market."""
        own: NDArray[np.float64] = self._quoting[1][market]
        return own

    # ---- what the engine and the loop tell each other ------------------------------------------

    def _heed(self) -> None:
        """Takes over what the engine decided since: halts, kills, cancels, what is heard."""
        engine, plan = self.engine, self.log.plan
        self._hide()
        door, now = engine.parts.door, engine.context.now
        halt = door.halted(engine.state.ledgers[0], "", now)
        why = "" if halt is None else halt.reason
        if why != (self._halts[-1][1] if self._halts else ""):
            self._halts.append((int(plan[lg.N_REVIEWS]), why))
        plan[lg.N_HALTED] = 0 if halt is None else (halt.until or NEVER)
        plan[lg.N_KILLED] = 1 if door.killed else 0
        bound = engine.parts.bound[0]
        for m, market in enumerate(engine.context.universe.markets):
            self._listens[m] = any(bound.hears(token.id) for token in market.tokens)

    def _hide(self) -> None:
        """Takes back the orders that the engine was shown, and what it asked to cancel."""
        state = self.engine.state
        for id, slot in self._shown.items():
            found = state.orders.pop(id, None)
            if found is not None:
                self.broker.venue.orders[slot, c.V_PULLED] = 1 if found.cancelling else 0
                del state.by_market[found.market][id]
        self._shown.clear()

    def _show(self) -> None:
        """Tells the engine which tokens are held and which orders are open now."""
        engine, orders = self.engine, self.broker.venue.orders
        words = self._teller.words
        slots = np.flatnonzero(orders[:, c.V_NUMBER])
        # In the order in which they were sent, as the engine has them: so they are cancelled.
        for slot in slots[np.argsort(orders[slots, c.V_NUMBER])].tolist():
            o = orders[slot]
            log = int(o[c.V_LOG])
            order = words.order(orders_of(self.log.reviews[log : log + 1], engine)[0].tolist())
            shown = OpenOrder(order, 0, int(o[c.V_MARKET]), int(o[c.V_TOKEN]))
            shown.filled, shown.wanted = int(o[c.V_FILLED]), int(o[c.V_WANTED])
            shown.state = OrderState.PARTIAL if shown.filled else OrderState.LIVE
            shown.cancelling = bool(o[c.V_PULLED])
            shown.reserved, shown.reserved_shares = int(o[c.V_CASH]), int(o[c.V_SHARES])
            shown.if_yes, shown.if_no = int(o[c.V_IF_YES]), int(o[c.V_IF_NO])
            engine.state.register(shown)
            self.broker.adopt(order, slot, int(o[c.V_NUMBER]))
            self._shown[order.id] = slot
        shares, held = self.engine.state.tables.tokens[t.T_SHARES, 0], self.engine.state.held[0]
        held.clear()
        held.update(int(token) for token in np.flatnonzero(shares))
