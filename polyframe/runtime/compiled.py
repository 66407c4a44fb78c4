"""Plays bars with a declarative strategy in compiled code, on the engine's own tables.

The loop stops where something happens that the engine has to do: a limit that equity crosses, a
market that closes or resolves, a new day. In between it decides, rules, fills and books itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyframe.api.exits import Exits, declared
from polyframe.api.strategy import Strategy
from polyframe.domain.events import BarSignalled, Event, WakeReason, Woken
from polyframe.domain.units import DAY, HOUR, Ns
from polyframe.engine.engine import Engine
from polyframe.engine.setup import Player
from polyframe.engine.universe import Universe
from polyframe.exchanges.sim.flat import Flat
from polyframe.kernels import barcolumns_nb as c
from polyframe.kernels import barheap_nb as hp
from polyframe.kernels import barmatch_nb as bm
from polyframe.kernels import barrun_nb, numbers_nb
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import guards_nb as g
from polyframe.kernels import tables_nb as t
from polyframe.runtime.barfeed import BarFeed, BarRows, Heard, signal_at
from polyframe.runtime.feed import Told
from polyframe.runtime.logged import Filled, Reviewed, Words
from polyframe.runtime.played import Log, Teller

MILLION = 1_000_000
DECIDING = tuple(name for name in dir(Strategy) if name.startswith("on_"))
Ints = NDArray[np.int64]


def why_not(players: Sequence[Player], engine: Engine, rows: BarRows, flat: Flat | str) -> str:
    """Why a run goes through the engine step by step, empty when it can be compiled."""
    if len(players) != 1:
        return f"{len(players)} strategies run together"
    player = players[0]
    cls, door = type(player.strategy), engine.parts.door
    own = [name for name in DECIDING if getattr(cls, name) is not getattr(Strategy, name)]
    if own:
        return f"{cls.__name__} decides in {', '.join(own)}"
    if _exits(player).selling or cls.custom_exit is not Strategy.custom_exit:
        return f"{cls.__name__} declares exits"
    if type(player.sizer).__name__ != "FixedSizer" or not hasattr(player.sizer, "fixed_stake"):
        return f"the sizer is {type(player.sizer).__name__}, not FixedSizer"
    if player.sizer.fixed_stake is None:
        return "the stake is a part of equity"
    if not door.compiled:
        name = type(door.guards.owned[0].protection).__name__
        return f"protection {name} has no compiled guard"
    if player.style:
        return f"orders are carried out by {player.style}"
    if any(type(p).observe is not _observe() for p in engine.parts.protections):
        return "a protection observes events"
    if isinstance(flat, str):
        return flat
    heard = rows.heard[0]
    if heard is None:
        return f"{cls.__name__} has no timeframe"
    return ""


def _exits(player: Player) -> Exits:
    """What the strategy declares about leaving, the configuration's changes included."""
    return player.exits or declared(player.strategy)


def _observe() -> Any:
    from polyframe.api.protection import Protection  # noqa: PLC0415 - only the method is asked for

    return Protection.observe


class CompiledFeed(BarFeed):
    """The same rows as :class:`BarFeed`, with the strategy's orders carried out on the way."""

    def __init__(
        self, engine: Engine, rows: BarRows, flat: Flat, player: Player, venue: Any,
        sample: Ns = HOUR,
    ) -> None:  # fmt: skip
        super().__init__(engine, rows, sample)
        self.flat = flat
        signals = np.ascontiguousarray(rows.signals[0] & (c.ENTER | c.EXIT))
        self.log = Log.of(int(np.count_nonzero(signals)))
        heard = rows.heard[0]
        assert heard is not None
        self._bars = (
            _frozen(rows.ts), _frozen(rows.market), _frozen(_trusted(rows, rows.bid)),
            _frozen(_trusted(rows, rows.ask)), _frozen(signals),
            _stated(heard.signals.probability, heard.at), _stated(heard.signals.edge, heard.at),
        )  # fmt: skip
        self._plan = np.zeros(c.P_SIZE_OF, np.int64)
        self._at = np.zeros(c.C_SIZE_OF, np.int64)
        markets = len(flat.rules)
        self._wait = np.zeros((markets, c.W_SIZE_OF), np.int64)
        self._wait[:, c.W_NEXT] = flat.rules[:, bm.R_FIRST]
        self._heap = np.zeros((markets + 1, 2), np.int64)
        self._venue = (
            flat.rules, self._wait, self._heap, _frozen(flat.ts), _frozen(flat.bid),
            _frozen(flat.ask),
        )  # fmt: skip
        self._locks_work = np.zeros((3, 4), np.int64)
        guards = engine.parts.door.guards
        self._door = (
            self._plan, np.zeros(g.O_SIZE_OF, np.int64), np.zeros(numbers_nb.Q_SIZE_OF, np.int64),
            guards.risk_scope, np.zeros((2, g.S_SIZE_OF), np.int64), guards.limits, guards.applies,
            np.zeros((2, len(g.GUARDS)), np.int64),
        )  # fmt: skip
        self._door[2][numbers_nb.Q_TWIN] = 1 if guards.twin else 0
        self._fill_plan(player)
        self.teller = Teller(
            Words(engine, self.log.cases, self._bars[5], self._bars[6]),
            self.log,
            flat.flag,
            flat.entry,
            flat.response,
            partial(_signal, engine.context.universe, rows, heard),
        )
        self._broker = venue
        self._accounted = False
        self._held_until = 0

    def _fill_plan(self, player: Player) -> None:
        plan, strategy, flat = self._plan, player.strategy, self.flat
        plan[c.P_STAKE] = player.sizer.fixed_stake  # type: ignore[attr-defined]
        plan[c.P_ENTRY], plan[c.P_RESPONSE] = flat.entry, flat.response
        plan[c.P_CANCEL], plan[c.P_MAX_AGE] = flat.cancel, flat.max_age
        plan[c.P_MAX_OPEN] = _exits(player).max_open or 0
        plan[c.P_SLIP] = round(strategy.slippage * MILLION)
        plan[c.P_INPUTS] = self.engine.parts.door.inputs

    @property
    def done(self) -> bool:
        """True when no row and no answer is left."""
        return self.cursor >= len(self.rows.ts) and self._at[c.C_WAITING] == 0

    def advance(self, until: Ns, stop_row: int | None = None) -> Event | None:
        """Plays up to ``until``, or to the first limit that equity crosses."""
        del stop_row
        self._halted()
        self._plan[c.P_FIRST_ORDER] = self.engine.context.orders_made - self._at[c.C_SENT]
        why = self._play(until)
        rows, last = self.rows, len(self.rows.ts)
        while why == nb.STOP_TIME and self.cursor < last and rows.ts[self.cursor] <= until:
            self.engine.turn(int(rows.ts[self.cursor]))
            why = self._play(until)
        self.engine.context.orders_made = int(self._plan[c.P_FIRST_ORDER] + self._at[c.C_SENT])
        self._hold()
        # The last answers come after the last row.
        self.engine.context.now = max(self.engine.context.now, int(self._at[c.C_NOW]))
        if why != nb.STOP_LIMIT:
            return None
        row = min(self.cursor, last - 1)
        token = self.engine.context.universe.markets[int(rows.market[row])].yes.id
        return Woken(int(self._at[c.C_NOW]), WakeReason.LIMIT, token, 0, row)

    def played(self) -> Sequence[Told]:
        """What happened since it was last asked, in order."""
        at = self._at
        return list(self.teller.told(int(at[c.C_NOW]), int(at[c.C_ORDERS]), int(at[c.C_ANSWERS])))

    def unstepped(self) -> tuple[Filled, Reviewed]:
        """Every fill with what was known when it was decided, and every review."""
        self.account()
        return self.teller.kept(int(self._at[c.C_ORDERS]), int(self._at[c.C_ANSWERS]))

    def account(self) -> None:
        """Adds what was executed and refused to the venue's counts, once."""
        if self._accounted:
            return
        self._accounted = True
        told = self.log.answers[: int(self._at[c.C_ANSWERS])]
        orders = self.log.orders[told[:, c.X_ORDER]]
        stats = self._broker.stats
        nobody = told[told[:, c.X_WHY] == bm.NOBODY, c.X_OPEN]
        stats.refused_unquoted += int(((self.flat.flag[nobody] & self.flat.refused) != 0).sum())
        stats.orders += len(told)
        had = told[:, c.X_SIZE] > 0
        told, orders = told[had], orders[had]
        rules = self.flat.rules[orders[:, c.O_MARKET]]
        stats.book_all(
            orders[:, c.O_SIDE], told[:, c.X_PRICE], told[:, c.X_SIZE], told[:, c.X_FEE],
            self.flat.price[told[:, c.X_OPEN]], rules[:, bm.R_DIVISOR],
        )  # fmt: skip

    def refused(self) -> Counter[str]:
        """How often what was not even considered."""
        return self.teller.refusals(int(self._at[c.C_ORDERS]))

    @property
    def door(self) -> tuple[Ints, ...]:
        """What the guards read and answer, as the loop has it."""
        return self._door

    @property
    def reviews(self) -> int:
        """How many orders were put to the guards."""
        return int(self._at[c.C_ORDERS])

    def _play(self, until: Ns) -> int:
        engine = self.engine
        books, tables = engine.context.books, engine.state.tables
        day = engine.parts.day
        stop = until if day < 0 else min(until, (day + 1) * DAY - 1)
        why = barrun_nb.run(
            stop, 0, self._at, self._bars, tables.arrays,
            (books.rows, tables.marks, tables.pace, books.grid),
            (tables.trips, tables.tree, self._locks_work),
            (books.history, tables.value, self._out_ts, self._out_equity),
            self._door, self._venue, self.log.tables,
        )  # fmt: skip
        self.cursor = int(self._at[c.C_ROW])
        return int(why)

    def _hold(self) -> None:
        """Tells the engine which tokens are held now, of the markets that were answered."""
        engine, known = self.engine, int(self._at[c.C_ANSWERS])
        answered = self.log.answers[self._held_until : known, c.X_ORDER]
        self._held_until = known
        shares, held = engine.state.tables.tokens[t.T_SHARES, 0], engine.state.held[0]
        for m in np.unique(self.log.orders[answered, c.O_MARKET]).tolist():
            token = engine.context.universe.offset[m]
            (held.add if shares[token] else held.discard)(token)

    # ---- halts -------------------------------------------------------------------------------

    def _halted(self) -> None:
        """Takes over what the engine halted since, and pulls entries that wait."""
        door, now = self.engine.parts.door, self.engine.context.now
        halt = door.halted(self.engine.state.ledgers[0], "", now)
        until = 0 if halt is None else (halt.until or bm.NEVER)
        self._plan[c.P_KILLED] = 1 if door.killed else 0
        if until > self._plan[c.P_HALTED]:
            self._pull(now)
        self._plan[c.P_HALTED] = until

    def _pull(self, now: Ns) -> None:
        """Asks the venue to cancel every entry that waits; what it executes before still fills."""
        for m in np.flatnonzero(self._wait[:, c.W_ORDER]):
            wait = self._wait[m]
            order = self.log.orders[wait[c.W_ORDER] - 1]
            if order[c.O_SIDE] < 0:
                continue
            bm.execute(
                *self._venue[3:], self.flat.rules[m], self.flat.rules[m, bm.R_FIRST], 1,
                order[c.O_PRICE], order[c.O_PERMITTED], order[c.O_TS], self.flat.entry,
                self.flat.max_age, now + self.flat.cancel, wait[c.W_RESULT :],
            )  # fmt: skip
            wait[c.W_KNOWN] = wait[c.W_RESULT + bm.F_AT] + self.flat.response
        self._at[c.C_WAITING] = 0
        for m in np.flatnonzero(self._wait[:, c.W_ORDER]):
            wait = self._wait[m]
            hp.push(self._heap, self._at, wait[c.W_KNOWN], wait[c.W_ORDER] - 1)


def _signal(universe: Universe, rows: BarRows, heard: Heard, row: int) -> BarSignalled:
    return signal_at(universe, rows, heard, int(rows.signals[0, row]), row)


def _frozen(column: NDArray[Any]) -> NDArray[Any]:
    """A view that compiled loops take as read-only."""
    view = np.ascontiguousarray(column).view()
    view.flags.writeable = False
    return view


def _trusted(rows: BarRows, side: Ints) -> Ints:
    """One side of the quotes, 0 where it is no price to decide on."""
    bad = (rows.flag & rows.untrusted) != 0
    return np.where(bad, 0, side) if bad.any() else side


def _stated(column: NDArray[np.float64] | None, at: Ints | None) -> NDArray[np.float64]:
    """A column of the features by row of the feed; empty where no row states anything."""
    if column is None:
        return _frozen(np.zeros(0))
    if at is None:
        return _frozen(column)
    return _frozen(np.where(at >= 0, column[np.maximum(at, 0)], np.nan))
