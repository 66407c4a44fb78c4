"""What is kept of positions for their exits, as the tables that the data loop reads and writes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from polyframe.api.exits import Exits
from polyframe.domain.forecast import Forecast
from polyframe.domain.portfolio import Holding
from polyframe.domain.units import DAY, Ns, Price, Size
from polyframe.engine.books import Books
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import exit_rows_nb as kept
from polyframe.kernels import exit_tables_nb as col
from polyframe.kernels import exits_nb as x
from polyframe.kernels.guards_nb import MISSING
from polyframe.quant.carry import hold_vs_exit
from polyframe.quant.pooling import clamp, logit, sigmoid

Ints = NDArray[np.int64]
CODE = {reason: code for code, reason in enumerate(col.CODES) if reason}


class ExitRows:
    """Exits, rules, folios and terms of ``kernels.exits_nb``: a row a ledger, none the account.

    Everything here follows from events and effects, so that recovery folds it like the rest.
    """

    def __init__(self, books: Books, ledgers: int) -> None:
        self.books = books
        self.universe = books.universe
        self.now: Ns = 0
        self.declared = [Exits()] * ledgers
        self.by_forecaster: dict[tuple[str, str], Forecast] = {}
        self.newest: dict[str, Forecast] = {}
        """the session's forecasts, kept by the desk that asks for them"""
        self.exits: Ints = np.zeros((ledgers, 0, col.X_SIZE_OF), dtype=np.int64)
        self.rules: Ints = np.full((ledgers, col.R_SIZE_OF), MISSING, dtype=np.int64)
        for row in range(ledgers):
            self.declare(row, Exits())
        self.folios: Ints = np.zeros((ledgers, col.P_SIZE_OF), dtype=np.int64)
        self.terms: Ints = np.zeros((0, col.Y_SIZE_OF), dtype=np.int64)
        self.opened_now: list[tuple[int, int]] = []
        """positions (ledger, token) opened in the present step"""
        self.grow()

    @property
    def tables(self) -> tuple[Ints, Ints, Ints, Ints]:
        """What the kernels take."""
        return self.exits, self.rules, self.folios, self.terms

    def grow(self) -> None:
        """Makes room for markets listed since."""
        have, markets = len(self.terms), self.universe.markets
        exits = np.zeros(
            (len(self.exits), len(self.universe.token_market), col.X_SIZE_OF), dtype=np.int64
        )
        exits[:, self.exits.shape[1] :, col.X_WORTH] = MISSING
        exits[:, : self.exits.shape[1]] = self.exits
        terms = np.zeros((len(markets), col.Y_SIZE_OF), dtype=np.int64)
        terms[:have] = self.terms
        self.exits, self.terms = exits, terms
        for m in range(have, len(markets)):
            terms[m, col.Y_FIRST] = self.universe.offset[m]
            self.retell(m)
        self._view = exits.data

    def retell(self, m: int) -> None:
        """Takes a market's terms as they are now."""
        market, row = self.universe.markets[m], self.terms[m]
        row[col.Y_TOKENS], row[col.Y_ONE] = len(market.tokens), market.price_one
        row[col.Y_RATE] = 0 if market.fee is None else market.fee.rate
        row[col.Y_EXPONENT] = 1 if market.fee is None else market.fee.exponent
        row[col.Y_CLOSES], row[col.Y_LOT] = market.closes, market.lot
        row[col.Y_MIN], row[col.Y_DIVISOR] = market.min_size, market.divisor

    # ---- rules -------------------------------------------------------------------------------

    def declare(self, ledger: int, exits: Exits, *, followed: bool = False) -> None:
        """Takes what a strategy declares; ``followed`` when it decides about exits itself too."""
        self.declared[ledger] = exits
        rules = self.rules[ledger]
        rules[:] = MISSING
        rules[[col.R_ON, col.R_TICKS, col.R_THESIS, col.R_TAKES, col.R_HOLDS]] = 0
        rules[col.R_ON] = 1 if exits.selling or followed else 0
        rules[col.R_RETRY] = exits.retry
        for column, part in ((col.R_STOP, exits.stop_loss), (col.R_BREAKEVEN, exits.breakeven)):
            if part is not None:
                rules[column] = _millionths(part)
        trail = exits.trail
        if trail is not None:
            rules[col.R_ARM], rules[col.R_PERIOD] = _millionths(trail.arm), trail.period
            for column, part in ((col.R_TRAIL, trail.distance), (col.R_ATR, trail.atr)):
                if part is not None:
                    rules[column] = _millionths(part)
        if exits.near_resolution is not None:
            rules[col.R_NEAR] = exits.near_resolution
        rules[col.R_THESIS] = 0 if exits.belief is None else 1
        recovery = exits.recovery
        if recovery is not None:
            rules[col.R_UNDER] = recovery.under
            rules[col.R_GAIN] = _millionths(recovery.gain)
            rules[col.R_DISTANCE] = _millionths(recovery.distance)
        takes = [(_millionths(gain), part) for gain, part in exits.takes]
        _write(rules, col.R_TAKES, col.R_TAKE, takes)
        _write(rules, col.R_HOLDS, col.R_HOLD, [(int(ns), part) for ns, part in exits.holds])

    def listen(self, ledger: int, *, ticks: bool) -> None:
        """Says that every change of a held token's bid is a wake of a strategy."""
        self.rules[ledger, col.R_TICKS] = 1 if ticks else 0

    # ---- positions ---------------------------------------------------------------------------

    def booked(
        self, ledger: int, token: int, before: Size, after: Holding, executed: Ns = 0
    ) -> None:
        """A ledger's holding of a token changed, by something executed at a time."""
        m = self.universe.token_market[token]
        market, row = self.universe.markets[m], self.exits[ledger, token]
        kept.booked(
            row, before, after.shares, after.cost, market.lot, market.divisor, self.now,
            self.books.touch(m, self.universe.token_outcome[token])[0] if self._trusted(m) else 0,
            1 if self.books.view[m, nb.B_TS] < executed else 0,
        )  # fmt: skip
        if before <= 0 < after.shares:
            self._doubt(ledger, m, self.universe.token_outcome[token])
            self.opened_now.append((ledger, token))
        self._recount(m)

    def sold(self, ledger: int, token: int, reason: str, size: Size) -> None:
        """An exit sold shares: the step it was made for may be done."""
        lot = self.universe.markets[self.universe.token_market[token]].lot
        row = self.exits[ledger, token]
        kept.sold(row, self.rules[ledger], CODE.get(reason, col.NONE), size, lot)

    def rebase(self, ledger: int, cash: int, cost: int) -> None:
        """A ledger's cash or the cost of what it holds changed."""
        self.folios[ledger, col.P_BASIS] = cash + cost
        self.folios[ledger, col.P_COST] = cost

    def recovers(self, ledger: int) -> bool:
        """True when all positions of a ledger are watched together."""
        return bool(self.rules[ledger, col.R_UNDER] != MISSING)

    def flatten(self, ledger: int) -> None:
        """Everything a ledger holds is to be sold."""
        x.close_all(self.exits[ledger], col.EMERGENCY, self.now)
        for m in range(len(self.terms)):
            self._recount(m)

    def calm(self) -> None:
        """A person lets trading go on: what is left need not be sold any more."""
        column = self.exits[:, :, col.X_CLOSE]
        column[column == col.EMERGENCY] = col.NONE
        for m in range(len(self.terms)):
            self._recount(m)

    def _recount(self, m: int) -> None:
        first = int(self.terms[m, col.Y_FIRST])
        own = self.exits[:, first : first + int(self.terms[m, col.Y_TOKENS])]
        on = (self.rules[:, col.R_ON] == 1)[:, None] | (own[:, :, col.X_CLOSE] != col.NONE)
        self.terms[m, col.Y_WATCHED] = int(((own[:, :, col.X_HELD] > 0) & on).sum())

    # ---- prices ------------------------------------------------------------------------------

    def _trusted(self, m: int) -> bool:
        return bool(self.books.view[m, nb.B_TRUSTED] == 1)

    def watched(self, m: int) -> bool:
        """True when anything of a market may have to be sold."""
        return bool(self.terms[m, col.Y_WATCHED] > 0)

    def watch(self, m: int, marks: Ints) -> None:
        """Takes a market's present quote, as the data loop does on its rows."""
        view = self.books.view
        if self.watched(m) and self._trusted(m):
            x.watch(
                self.tables, self.books.history[m], view[m, nb.B_SEEN], m, self.now,
                view[m, nb.B_BID], view[m, nb.B_ASK], marks,
            )  # fmt: skip

    def decide(self, ledger: int, token: int) -> tuple[int, Size]:
        """Which exit holds now, and how much it sells; nothing without a trustworthy bid."""
        m = self.universe.token_market[token]
        if not self._trusted(m):
            return col.NONE, 0
        bid, ask = self.books.touch(m, 0)
        own, _ = self.books.touch(m, self.universe.token_outcome[token])
        code, size = x.decide(
            self.exits[ledger, token], self.rules[ledger], self.terms[m], own,
            bid + ask if bid > 0 and ask > 0 else 0, self.now,
        )  # fmt: skip
        return int(code), int(size)

    def get(self, ledger: int, token: int, column: int) -> int:
        """One number kept of a position."""
        value: int = self._view[ledger, token, column]
        return value

    def opened(self, ledger: int, token: int) -> tuple[Ns, Price]:
        """When a position was opened, and the highest bid since that was watched."""
        view = self._view
        return view[ledger, token, col.X_OPENED], view[ledger, token, col.X_HIGH]

    def next_look(self, ledger: int, token: int) -> Ns:
        """The next moment at which time alone may sell a position, 0 for none."""
        rules, row = self.rules[ledger], self.exits[ledger, token]
        terms = self.terms[self.universe.token_market[token]]
        moments = [
            int(row[col.X_OPENED] + rules[col.R_HOLD + 2 * step])
            for step in range(rules[col.R_HOLDS])
        ]
        if rules[col.R_NEAR] != MISSING and terms[col.Y_CLOSES] > 0:
            moments.append(int(terms[col.Y_CLOSES] - rules[col.R_NEAR]))
        return min((ts for ts in moments if ts > self.now), default=0)

    # ---- beliefs -----------------------------------------------------------------------------

    def believe(self, market: str) -> None:
        """A market was forecast: what its shares are worth to each strategy with a thesis."""
        m = self.universe.market_index[market]
        seen = self.books.mids(self.universe.offset[m], 1)
        one = self.universe.markets[m].price_one
        self.terms[m, col.Y_MID] = round(2 * one * float(seen[0])) if len(seen) else 0
        for ledger in range(len(self.declared)):
            for k in range(int(self.terms[m, col.Y_TOKENS])):
                self._doubt(ledger, m, k)

    def _doubt(self, ledger: int, m: int, k: int) -> None:
        """Writes what a token is believed worth, and how far its price may move until then."""
        thesis, market = self.declared[ledger].belief, self.universe.markets[m]
        if thesis is None or k > 1:
            return
        found = self.newest.get(market.id)
        if thesis.forecaster:
            found = self.by_forecaster.get((market.id, thesis.forecaster))
        row = self.exits[ledger, self.universe.offset[m] + k]
        if found is None:
            row[col.X_WORTH] = MISSING
            return
        days = max(market.closes - self.now, 0) / DAY
        q = found.probability if k == 0 else 1.0 - found.probability
        held = hold_vs_exit(q, 0.0, 0.0, days, thesis.annual_rate).hold_value + thesis.margin
        row[col.X_WORTH] = math.ceil(held * market.price_one * col.MILLION)
        twice = 2 * market.price_one
        row[col.X_LOW], row[col.X_TOP] = 0, twice
        if self.terms[m, col.Y_MID] > 0:
            at = logit(clamp(self.terms[m, col.Y_MID] / twice, 0.001, 0.999))
            row[col.X_LOW] = math.ceil(sigmoid(at - thesis.moved) * twice)
            row[col.X_TOP] = math.floor(sigmoid(at + thesis.moved) * twice)

    # ---- attempts ----------------------------------------------------------------------------

    def tried(self, ledger: int, token: int, until: Ns) -> None:
        """An attempt was made; its timer fires at ``until``."""
        row = self.exits[ledger, token]
        row[col.X_NOT_BEFORE] = self.now + self.rules[ledger, col.R_RETRY]
        row[col.X_PAUSE] = until - self.now

    def asked(self, ledger: int, m: int, until: Ns) -> None:
        """A forecast was asked for; not again before ``until``."""
        first = int(self.terms[m, col.Y_FIRST])
        self.exits[ledger, first : first + int(self.terms[m, col.Y_TOKENS]), col.X_ASK_AFTER] = (
            until
        )

    # ---- saving ------------------------------------------------------------------------------

    def save(self) -> list[bytes]:
        """Everything that does not follow from the rest."""
        ticks = np.ascontiguousarray(self.rules[:, col.R_TICKS])
        return [table.tobytes() for table in (self.exits, self.folios, self.terms, ticks)]

    def restore(self, saved: list[bytes]) -> None:
        """Takes the place of saved rows; their markets are listed already."""
        self.grow()
        for table, data in zip((self.exits, self.folios, self.terms), saved, strict=False):
            table[:] = np.frombuffer(data, dtype=np.int64).reshape(table.shape)
        self.rules[:, col.R_TICKS] = np.frombuffer(saved[3], dtype=np.int64)


def _write(rules: Ints, count: int, at: int, steps: list[tuple[int, float]]) -> None:
    """Writes a ladder: thresholds, and the part sold by each step."""
    rules[count] = len(steps)
    total = 0.0
    for i, (threshold, part) in enumerate(steps):
        total += part
        rules[at + 2 * i] = threshold
        rules[at + 2 * i + 1] = min(round(total * col.MILLION), col.MILLION)


def _millionths(part: float) -> int:
    return round(part * col.MILLION)
