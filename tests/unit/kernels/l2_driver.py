"""The compiled simulator driven like its twin: rows, own orders, answers in plain words."""

from __future__ import annotations

import functools
import itertools
import operator
from typing import Any

import numpy as np
from l2_twin import Row, Twin
from l2_twin_book import BUY, SELL, Answer, Heard, Own, Rules, Venue, Wishes

from polyframe.domain.market import FeeSchedule, Market, Resolution, Token
from polyframe.domain.orders import ApprovedOrder, Order, Seal, Side, TimeInForce
from polyframe.exchanges.sim.settings import SimSettings
from polyframe.exchanges.sim.tape_broker import TapeBroker
from polyframe.exchanges.sim.tape_venue import TapeVenue
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import book_nb as b
from polyframe.kernels import exit_tables_nb as xt
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import l2rows_nb as rw
from polyframe.kernels import l2run_nb as l2
from polyframe.kernels import tables_nb as t
from polyframe.kernels.barmatch_nb import NEVER
from polyframe.runtime import tape_addresses as addresses
from polyframe.store.tape_rows import TapeFlag, TapeKind

KINDS = {
    "begin": TapeKind.SNAPSHOT_BEGIN, "finish": TapeKind.SNAPSHOT_END, "level": TapeKind.LEVEL,
    "trade": TapeKind.TRADE, "tick": TapeKind.TICK, "clear": TapeKind.CLEAR,
    "quote": TapeKind.QUOTE_BID, "wallet": TapeKind.WALLET,
}  # fmt: skip
WORDS = {
    getattr(c, name): name.lower()
    for name in ("ACCEPTED", "FILLED", "REJECTED", "CANCELLED", "EXPIRED", "NOT_CANCELLED")
}
WHY = {
    getattr(c, name): name.lower()
    for name in (
        "BY_REQUEST", "BAD_PRICE", "BAD_SIZE", "TOO_CHEAP", "CROSSES", "SELF_TRADE",
        "MARKET_CLOSED", "BAD_EXPIRY", "BAD_POST_ONLY", "NOT_FILLED_WHOLE", "OUT_OF_LIMIT",
        "EMPTY_BOOK", "UNTRUSTED", "TICK_CHANGED", "UNKNOWN_ORDER",
    )
}  # fmt: skip
WHY[c.NO_REASON] = ""
LEGS = {"entry": c.ENTRY, "cancel": c.CANCELLING, "response": c.RESPONSE}


class Desk:
    """The venue's tables and a tape cut into segments at some rows."""

    def __init__(
        self, rules: list[Rules], venue: Venue, rows: list[Row], wishes: Wishes, *,
        cuts: tuple[int, ...] = (), room: int = 0, end: int = 0,
    ) -> None:  # fmt: skip
        self.rules = rules
        markets, finest = [], {}
        for m, rule in enumerate(rules):
            tokens = (Token(f"{m}-yes", "Yes"), Token(f"{m}-no", "No"))
            fee = FeeSchedule(rule.rate, rule.exponent)
            markets.append(
                Market(
                    str(m),
                    "?",
                    tokens,
                    tick=rule.tick,
                    lot=1,
                    min_size=rule.least,
                    fee=fee,
                    closes=rule.ends or 0,
                )
            )
            ticks = [row[4] for row in rows if row[1:3] == ("tick", m) and row[4] > 0]
            finest[str(m)] = min([rule.tick, *ticks])
        settings = SimSettings.model_validate(
            {
                "queue": venue.queue,
                "queue_power": venue.power,
                "partial_fills": venue.partial,
            }
        )
        seal = Seal()
        ended: dict[str, Resolution] = {}
        self.tables = TapeVenue(markets, ended, settings, finest, {})
        self.tables.desk[:, b.K_BASE] = [rule.base for rule in rules]
        self.broker = TapeBroker(seal, self.tables, ended, settings)
        self._seal, self._markets = seal, markets
        self._time(venue)
        if room:
            self.tables.answers = np.zeros((room, c.X_SIZE_OF), np.int64)
        self.tables.at[[c.C_HOUR, c.C_LISTENED, c.C_END]] = NEVER, 1, end
        bounds = [0, *cuts, len(rows)]
        self._segments = [columns(rows[a:z]) for a, z in itertools.pairwise(bounds)]
        self._segment = -1
        self._turn()
        self._see(len(rules), wishes)
        self.answers: list[Answer] = []
        self.compared = 0
        self.heard: list[Heard] = []

    def _time(self, venue: Venue) -> None:
        most = max([1, *(len(probes) for probes in venue.legs.values())])
        self.tables.probes = np.zeros((2 * c.LEGS, most), np.int64)
        for name, leg in LEGS.items():
            probes = venue.legs.get(name, [(0, 0)])
            self.tables.conf[c.F_PROBES + leg] = len(probes)
            for k, probe in enumerate(probes):
                self.tables.probes[2 * leg : 2 * leg + 2, k] = probe
        self.tables.conf[c.F_LEAST_BUY] = venue.least_buy

    def _see(self, markets: int, wishes: Wishes) -> None:
        book = np.zeros((markets, nb.B_SIZE_OF), np.int64)
        book[:, nb.B_TOKEN] = np.arange(markets) * 2
        book[:, nb.B_TOKENS], book[:, nb.B_ONE], book[:, nb.B_DIVISOR] = 2, 10_000, 10_000
        marks = np.zeros((2, nb.E_SIZE_OF), np.int64)
        marks[:, nb.E_FLOOR] = nb.NO_FLOOR
        wakes = np.zeros((len(wishes.moves), markets, nb.W_SIZE_OF), np.int64)
        wakes[:, :, nb.W_MOVE] = wishes.moves
        exits = (
            np.zeros((1, 2 * markets, xt.X_SIZE_OF), np.int64),
            np.zeros((1, xt.R_SIZE_OF), np.int64),
            np.zeros((1, xt.P_SIZE_OF), np.int64),
            np.zeros((markets, xt.Y_SIZE_OF), np.int64),
        )
        self._addresses = addresses.Addresses()
        self._nobody = np.zeros(markets, np.int64)
        self.book, self.history = book, np.zeros((markets, 4_096), np.int32)
        self._seen = (
            book, marks, self.history, np.zeros((markets, nb.GRID), np.int32), wakes,
            np.array(wishes.prints, np.int64), np.array(wishes.wallets, np.int64),
            np.zeros((t.T_SIZE_OF, 2, 2 * markets), np.int64), np.zeros((2, 2 * markets), np.int64),
            exits, np.zeros(4, np.int64), np.zeros(4, np.int64),
        )  # fmt: skip

    # ---- own orders ------------------------------------------------------------------------------

    def submit(self, own: Own, now: int) -> None:
        market = self._markets[own.market]
        side = own.side if own.yes else -own.side
        order = Order(
            str(own.number), "mm", market.id, market.tokens[0 if own.yes else 1].id, Side(side),
            own.price if own.yes else 10_000 - own.price, own.size, TimeInForce(own.tif), now,
            post_only=own.post, expires=own.expires,
        )  # fmt: skip
        self.broker.submit(ApprovedOrder(order, 0, self._seal), now)

    def cancel(self, number: int, now: int) -> None:
        self.broker.cancel(str(number), now)

    # ---- playing ---------------------------------------------------------------------------------

    def _turn(self) -> None:
        self._segment += 1
        after = self._segments[self._segment + 1 :]
        self.tables.at[c.C_ROW] = 0
        self.tables.at[c.C_FOLLOWS] = after[0][0][0] if after else NEVER

    def play(self, until: int) -> None:
        """Up to a moment; all that is known by then is taken."""
        at = self.tables.at
        while True:
            lay = self._addresses.lay
            lay(addresses.PLACES, (at, self._nobody))
            lay(addresses.TAPE, self._segments[self._segment])
            lay(addresses.BOOKS, self.tables.books)
            lay(addresses.VENUE, self.tables.venue)
            lay(addresses.SEEN, self._seen)
            why = l2.advance(until, NEVER, self._addresses.where)
            if why == rw.STOP_ROOM:
                self.tables.widen(2 * len(self.tables.answers))
            elif why == rw.STOP_ANSWER:
                self._take()
            elif why == nb.STOP_END and self._segment + 1 < len(self._segments):
                self._turn()
            elif why in (nb.STOP_TIME, nb.STOP_END):
                return
            else:
                self._hear(why)

    def _hear(self, why: int) -> None:
        at, woken = self.tables.at, self.book[:, nb.B_WOKEN]
        moved = {int(m): int(woken[m]) for m in np.flatnonzero(woken)}
        assert int(at[c.C_WOKEN]) == functools.reduce(operator.or_, moved.values(), 0)
        if moved:
            assert (int(at[c.C_WHERE]), int(at[c.C_WHERE_TO])) == (min(moved), max(moved) + 1)
        tick = int(at[c.C_TICK]) - 1
        trades = int(at[c.C_HEARD])
        assert (int(at[c.C_PRINT]) > 0) == (trades != 0)
        assert why == (nb.STOP_MOVED if moved else at[c.C_WHY])
        assert why in (nb.STOP_MOVED, rw.STOP_TICK, rw.STOP_TRADED)
        self.heard.append(Heard(int(at[c.C_NOW]), moved, trades, tick if tick >= 0 else None))
        at[[c.C_WHY, c.C_WOKEN, c.C_TICK, c.C_HEARD, c.C_PRINT]] = 0
        woken[:] = 0

    def _take(self) -> None:
        at, ring = self.tables.at, self.tables.answers
        known = int(ring[at[c.C_TAKEN] % len(ring), c.X_KNOWN])
        for n in range(int(at[c.C_TAKEN]), int(at[c.C_HEAD])):
            row = [int(value) for value in ring[n % len(ring)]]
            if row[c.X_KNOWN] > known:
                break
            what = WORDS[row[c.X_WHAT]]
            self.answers.append(
                Answer(
                    what,
                    row[c.X_NUMBER],
                    row[c.X_KNOWN],
                    row[c.X_TS],
                    WHY[row[c.X_WHY]],
                    row[c.X_PRICE],
                    row[c.X_SIZE],
                    row[c.X_FEE],
                    row[c.X_MAKER] == 1,
                    row[c.X_OPEN],
                    row[c.X_MID],
                )
            )
            if what == "not_cancelled":
                self.answers[-1].open = self.answers[-1].mid = 0
        for _ in self.broker.take(known):  # each is taken when it is asked for
            pass

    # ---- what is there ---------------------------------------------------------------------------

    def sides(self, m: int) -> dict[int, dict[int, int]]:
        own, levels = self.tables.desk[m], self.tables.levels
        tick, base = int(own[b.K_TICK]), int(own[b.K_BASE])
        return {
            side: {int(k) * tick + base: int(levels[row, k]) for k in np.flatnonzero(levels[row])}
            for side, row in ((BUY, 2 * m), (SELL, 2 * m + 1))
        }

    def resting(self, m: int) -> list[tuple[int, int, int, float]]:
        """(number, price, open, front) of own orders in their order."""
        found, slot = [], int(self.tables.desk[m, c.D_FIRST])
        while slot:
            row = self.tables.orders[slot - 1]
            front = float(self.tables.front[slot - 1])
            values = [int(row[k]) for k in (c.V_NUMBER, c.V_PRICE, c.V_OPEN)]
            found.append((*values, front))
            slot = int(row[c.V_NEXT])
        return found  # type: ignore[return-value]


def columns(rows: list[Row]) -> tuple[Any, ...]:
    """Rows as the kernels take them; a market below 0 is an instrument that nobody trades."""
    n = len(rows)
    made = {
        name: np.zeros(n, dtype)
        for name, dtype in (
            ("ts", np.int64), ("price", np.int64), ("size", np.int64), ("aux", np.int64),
            ("instrument", np.int32), ("kind", np.uint8), ("side", np.int8), ("flag", np.uint8),
        )
    }  # fmt: skip
    for k, (ts, kind, m, side, price, size, more, wallet) in enumerate(rows):
        made["ts"][k], made["price"][k], made["size"][k] = ts, price, size
        made["instrument"][k], made["side"][k] = m + 1, side
        made["kind"][k] = TapeKind.QUOTE_ASK if kind == "quote" and side < 0 else KINDS[kind]
        made["flag"][k] = TapeFlag.MORE if more else 0
        made["aux"][k] = wallet
    made["market_of"] = np.arange(-1, 64, dtype=np.int32)
    for column in made.values():
        column.flags.writeable = False
    return tuple(made.values())


def compare(twin: Twin, desk: Desk, until: int) -> None:
    """Demands that both say the same up to a moment."""
    new = desk.compared
    said = [a for a in twin.answers[new:] if a.known <= until]
    assert desk.answers[new:] == said
    desk.compared = len(desk.answers)
    assert int(desk.tables.at[c.C_OFF_GRID]) == twin.off_grid
    assert desk.heard == twin.heard
    for m, book in enumerate(twin.books):
        own = desk.tables.desk[m]
        assert desk.sides(m) == book.sides, f"market {m}"
        assert bool(own[b.K_WHOLE]) == book.whole
        assert bool(own[c.D_INSIDE]) == book.inside
        assert int(own[b.K_TICK]) == book.tick
        assert [int(own[k]) for k in (c.D_BOUGHT, c.D_SOLD, c.D_TRADES)] == [
            book.bought, book.sold, book.trades,
        ]  # fmt: skip
        rests = [(o.number, o.price, o.open, min(o.front, 1e18)) for o in book.own]
        assert desk.resting(m) == rests
        tops = [top for top in twin.tops if top[0] == m]
        mids = [bid + ask for _, _, bid, ask in tops if bid and ask]
        row = desk.book[m]
        assert int(row[nb.B_SEEN]) == len(mids)
        assert desk.history[m, : len(mids)].tolist() == mids
        if tops:
            assert tuple(int(row[k]) for k in (nb.B_TS, nb.B_BID, nb.B_ASK)) == tops[-1][1:]
    spans(desk)


def spans(desk: Desk) -> None:
    """What the tables keep of own orders beside their list agrees with it."""
    orders = desk.tables.orders
    for m in range(len(desk.rules)):
        own = desk.tables.desk[m]
        listed = {number for number, *_ in desk.resting(m)}
        rests = orders[(orders[:, c.V_STATE] == c.RESTS) & (orders[:, c.V_MARKET] == m)]
        assert listed == {int(row[c.V_NUMBER]) for row in rests}
        for side, low, high in (
            (BUY, c.D_BUY_LOW, c.D_BUY_HIGH),
            (SELL, c.D_SELL_LOW, c.D_SELL_HIGH),
        ):
            steps = [int(row[c.V_STEP]) for row in rests if row[c.V_SIDE] == side]
            assert int(own[low]) == min(steps, default=c.NO_STEP)
            assert int(own[high]) == max(steps, default=-1)
    assert int(desk.tables.at[c.C_STANDING]) == int(
        np.isin(orders[:, c.V_STATE], (c.SENT, c.RESTS)).sum()
    )
