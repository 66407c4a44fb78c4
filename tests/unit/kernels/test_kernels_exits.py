"""Exits decided on rows, against a twin in fractions that knows no columns."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polyframe.engine.exit_rows import CODE
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import exit_rows_nb as kept
from polyframe.kernels import exit_tables_nb as col
from polyframe.kernels import exits_nb as x
from polyframe.kernels import tables_nb as t

ONE = 10_000
LOT = 1_000_000
MISSING = -(2**63)
CLOSES = 2_000


@dataclass
class Rules:
    """What a strategy declares, in plain numbers."""

    stop: Fraction | None = None
    breakeven: Fraction | None = None
    trail: Fraction | None = None
    atr: Fraction | None = None
    period: int = 3
    arm: Fraction = Fraction(0)
    takes: list[tuple[Fraction, Fraction]] = field(default_factory=list)
    holds: list[tuple[int, Fraction]] = field(default_factory=list)
    near: int | None = None
    thesis: bool = False
    portfolio: tuple[int, Fraction, Fraction] | None = None

    def row(self) -> np.ndarray:
        row = np.full(col.R_SIZE_OF, MISSING, dtype=np.int64)
        row[col.R_ON], row[col.R_TICKS], row[col.R_RETRY] = 1, 0, 10
        row[col.R_THESIS] = int(self.thesis)
        for column, part in (
            (col.R_STOP, self.stop), (col.R_BREAKEVEN, self.breakeven), (col.R_TRAIL, self.trail),
            (col.R_ATR, self.atr),
        ):  # fmt: skip
            if part is not None:
                row[column] = int(part * 10**6)
        row[col.R_ARM], row[col.R_PERIOD] = int(self.arm * 10**6), self.period
        if self.near is not None:
            row[col.R_NEAR] = self.near
        if self.portfolio is not None:
            row[col.R_UNDER] = self.portfolio[0]
            row[col.R_GAIN], row[col.R_DISTANCE] = (int(p * 10**6) for p in self.portfolio[1:])
        for count, at, steps, scale in (
            (col.R_TAKES, col.R_TAKE, self.takes, 10**6), (col.R_HOLDS, col.R_HOLD, self.holds, 1),
        ):  # fmt: skip
            row[count] = len(steps)
            total = Fraction(0)
            for i, (threshold, part) in enumerate(steps):
                total += part
                row[at + 2 * i], row[at + 2 * i + 1] = int(threshold * scale), int(total * 10**6)
        return row


class Twin:
    """One position, the obvious way: prices are fractions of a price unit."""

    def __init__(self, rules: Rules, shares: int, average: Fraction, rate: int, least: int):
        self.rules, self.held, self.bought, self.average = rules, shares, shares, average
        self.rate, self.least = rate, least
        self.high, self.level, self.opened = 0, Fraction(0), 0
        self.taken = self.reduced = 0
        self.worth: Fraction | None = None
        self.bounds = (0, 2 * ONE)

    def net(self, bid: int) -> Fraction:
        p = Fraction(bid, ONE)
        # Rounded up to the millionth of a price unit, and once on the way.
        fee = math.ceil(self.rate * ONE * p)
        return bid - Fraction(math.ceil(fee * (1 - p)), 10**6)

    def gained(self, net: Fraction, gain: Fraction) -> bool:
        return net * 10**6 >= math.ceil(self.average * 10**6 * (1 + gain))

    def follow(self, bid: int, mids: list[int]) -> None:
        self.high = max(self.high, bid)
        if self.rules.atr is None:
            return
        newest = mids[-self.rules.period - 1 :]
        if len(newest) > 1:
            changes = [abs(b - a) for a, b in itertools.pairwise(newest)]
            back = math.floor(sum(changes) * self.rules.atr) // len(changes)
            self.level = max(self.level, Fraction(2 * self.high - back, 2))

    def decide(self, bid: int, mid: int, now: int) -> tuple[str, int]:
        r, net, best = self.rules, self.net(bid), self.net(max(self.high, bid))
        lost = lambda part: Fraction(math.floor(self.average * 10**6 * part), 10**6)  # noqa: E731
        if self.held <= 0 or bid <= 0:
            return "", 0
        if r.stop is not None and net <= self.average - lost(r.stop):
            return "stop_loss", self.held
        if self.gained(best, r.arm):
            if r.trail is not None and net <= best - lost(r.trail):
                return "trailing", self.held
            if r.atr is not None and self.level > 0 and bid <= self.level:
                return "trailing", self.held
        if r.breakeven is not None and self.gained(best, r.breakeven) and net <= self.average:
            return "breakeven", self.held
        if r.near is not None and now >= CLOSES - r.near:
            return "near_resolution", self.held
        taking = self.ladder([self.gained(net, gain) for gain, _ in r.takes], r.takes)
        reducing = self.ladder([now - self.opened >= ns for ns, _ in r.holds], r.holds)
        if reducing >= self.held:
            return "max_holding", self.held
        asks = False
        if r.thesis:
            if self.worth is None or (mid and not self.bounds[0] <= mid <= self.bounds[1]):
                asks = True
            elif net > self.worth:
                return "thesis", self.held
        if taking >= self.held:
            return "take_profit", self.held
        for name, size in (("max_holding", reducing), ("take_profit", taking)):
            whole = size // LOT * LOT
            if whole:
                return name, self.held if self.held - whole < self.least else whole
        return ("ask", 0) if asks else ("", 0)

    def ladder(self, reached: list[bool], steps) -> int:
        """Nothing is sold yet: all that the steps reached ask for."""
        parts = [part for hit, (_, part) in zip(reached, steps, strict=True) if hit]
        total = sum(parts, Fraction(0))
        if total >= 1:
            return self.held
        return math.floor(self.bought * total + Fraction(1, 2))


def parts(values):
    return st.sampled_from([Fraction(v, 100) for v in values])


def ladders(thresholds):
    def ascending(found):
        shares = ([25, 50], [50, 50], [10], [100], [30, 30, 40])
        return st.sampled_from(shares).map(
            lambda chosen: [(at, Fraction(p, 100)) for at, p in zip(sorted(found), chosen,
                                                                    strict=False)]
        )  # fmt: skip

    return st.one_of(
        st.just([]), st.lists(thresholds, min_size=1, max_size=3, unique=True).flatmap(ascending)
    )


RULES = st.builds(
    Rules,
    stop=st.none() | parts((5, 20, 50, 100)),
    breakeven=st.none() | parts((1, 5, 30)),
    trail=st.none() | parts((1, 5, 20)),
    atr=st.none() | parts((50, 200, 333)),
    period=st.integers(1, 5),
    arm=parts((0, 3, 10)),
    takes=ladders(parts((1, 5, 15, 30, 100))),
    holds=ladders(st.sampled_from((1, 50, 200, 400))),
    near=st.none() | st.sampled_from((100, 1_700)),
    thesis=st.booleans(),
)
PRICES = st.integers(1, ONE - 1)


def terms(rate: int, least: int) -> np.ndarray:
    row = np.zeros(col.Y_SIZE_OF, dtype=np.int64)
    row[col.Y_TOKENS], row[col.Y_ONE], row[col.Y_RATE], row[col.Y_EXPONENT] = 2, ONE, rate, 1
    row[col.Y_CLOSES], row[col.Y_LOT], row[col.Y_MIN], row[col.Y_DIVISOR] = CLOSES, LOT, least, ONE
    row[col.Y_WATCHED] = 1
    return row


@given(
    RULES, st.integers(1, 400), PRICES, st.sampled_from((0, 40_000, 250_000)),
    st.sampled_from((0, 5_000_000)), st.lists(st.tuples(PRICES, PRICES), min_size=1, max_size=12),
    st.integers(0, 600), st.none() | PRICES,
)  # fmt: skip
def test_the_kernel_decides_as_its_twin(rules, lots, paid, rate, least, quotes, age, worth):
    shares = lots * LOT
    cost = paid * shares // ONE
    row, rule, term = np.zeros(col.X_SIZE_OF, dtype=np.int64), rules.row(), terms(rate, least)
    kept.booked(row, 0, shares, cost, LOT, ONE, 0, 0, 0)
    average = Fraction(int(row[col.X_AVERAGE]), 10**6)
    assert abs(average - Fraction(cost * ONE, shares)) <= Fraction(1, 10**6)
    twin = Twin(rules, shares, average, rate, least)
    row[col.X_WORTH] = MISSING if worth is None else worth * 10**6
    row[col.X_LOW], row[col.X_TOP] = twin.bounds = (4_000, 16_000)
    twin.worth = None if worth is None else Fraction(worth)
    history, mids = np.zeros(8, dtype=np.int32), []
    for bid, ask in quotes:
        history[len(mids) % 8] = bid + ask
        mids.append(bid + ask)
        x.follow(row, rule, history, len(mids), bid)
        twin.follow(bid, mids)
        assert row[col.X_HIGH] == twin.high
        assert row[col.X_ATR_LEVEL] == 2 * twin.level
        found, size = x.decide(row, rule, term, bid, bid + ask, age)
        name = "ask" if found == col.ASK else col.CODES[found]
        assert (name, size) == twin.decide(bid, bid + ask, age)


@given(PRICES, st.sampled_from((0, 1, 40_000, 250_000)), st.integers(0, 3))
def test_the_net_price_is_the_price_less_the_fee_and_never_more(price, rate, exponent):
    p = Fraction(price, ONE)
    # Exponent 0 is a share of the notional.
    exact = price * 10**6 - rate * (ONE * (p * (1 - p)) ** exponent if exponent else price)
    found = x.net_of(price, rate, exponent, ONE)
    assert exact - 2 * exponent - 1 <= found <= exact


@given(PRICES, st.integers(1, 2**47), st.integers(0, 10))
def test_an_average_is_the_cost_a_share(price, shares, odd):
    cost = price * shares // ONE + odd
    exact = Fraction(cost * ONE * 10**6, shares)
    found = kept.average_of(cost, shares, ONE)
    assert abs(found - exact) <= Fraction(1, 2)
    doubled = kept.average_of(4 * cost, 4 * shares, ONE)
    assert abs(doubled - exact) <= 1 + exact / 2**40


def test_an_average_that_no_price_explains_stays_within_64_bits():
    assert kept.average_of(10**12, 1, ONE) == 2**62
    assert kept.average_of(0, 5, ONE) == kept.average_of(5, 0, ONE) == 0


@given(
    st.lists(st.tuples(st.sampled_from(("buy", "sell")), st.integers(1, 50)), max_size=20),
    st.sampled_from(("take_profit", "max_holding")),
)
def test_steps_are_done_when_their_part_is_sold(trades, reason):
    rules = Rules(
        takes=[(Fraction(1, 10), Fraction(1, 2)), (Fraction(2, 10), Fraction(3, 10))],
        holds=[(1, Fraction(1, 2)), (2, Fraction(3, 10))],
    ).row()
    done, part = (
        (col.X_TAKEN, col.X_TAKEN_PART)
        if reason == "take_profit"
        else (col.X_REDUCED, col.X_REDUCED_PART)
    )
    row, held = np.zeros(col.X_SIZE_OF, dtype=np.int64), 0
    for n, (what, lots) in enumerate([("buy", 60), *trades]):
        before = held
        if what == "buy":
            held += lots * LOT
        else:
            held -= min(lots * LOT, held)
        kept.booked(row, before, held, held // 2, LOT, ONE, n, 5_000, 0)
        if held < before and held:
            steps, credit = int(row[done]), int(row[part])
            kept.sold(row, rules, CODE[reason], before - held, LOT)
            bought = int(row[col.X_BOUGHT])
            credit += before - held
            for wanted in (bought // 2, bought * 3 // 10)[steps:]:
                if credit + LOT <= wanted:
                    break
                credit, steps = max(credit - wanted, 0), steps + 1
            assert row[done] == steps
            assert abs(row[part] - (0 if steps == 2 else credit)) <= 1
        if not held:
            assert not row[: col.X_WORTH].any()


# ---- in the data loop --------------------------------------------------------------------------


class World:
    """The arrays of one session: two ledgers, two markets, YES and NO of each held by the first."""

    def __init__(self, rows, rules: list[Rules], holdings, cash: int = 10**9) -> None:
        self.columns = (
            np.array([r[0] for r in rows], dtype=np.int64),
            np.array([r[1] for r in rows], dtype=np.int32),
            np.array([r[2] for r in rows], dtype=np.int64),
            np.array([r[3] for r in rows], dtype=np.int64),
            np.array([r[4] for r in rows], dtype=np.uint8),
        )
        self.book = np.zeros((2, nb.B_SIZE_OF), dtype=np.int64)
        self.book[:, nb.B_TOKENS], self.book[:, nb.B_TOKEN] = 2, (0, 2)
        self.book[:, nb.B_ONE] = self.book[:, nb.B_DIVISOR] = ONE
        self.history = np.zeros((2, 8), dtype=np.int32)
        self.grid = np.zeros((2, nb.GRID), dtype=np.int32)
        self.wakes = np.zeros((2, 2, nb.W_SIZE_OF), dtype=np.int64)
        self.tokens = np.zeros((t.T_SIZE_OF, 3, 4), dtype=np.int64)
        self.value = np.zeros((3, 4), dtype=np.int64)
        self.marks = np.zeros((3, nb.E_SIZE_OF), dtype=np.int64)
        self.marks[:, nb.E_NOW], self.marks[:, nb.E_FLOOR] = cash, nb.NO_FLOOR
        exits = np.zeros((2, 4, col.X_SIZE_OF), dtype=np.int64)
        folios = np.zeros((2, col.P_SIZE_OF), dtype=np.int64)
        term = np.array([terms(40_000, 0), terms(0, 0)])
        term[:, col.Y_FIRST] = (0, 2)
        for ledger, lots in enumerate(holdings):
            for token, n in enumerate(lots):
                cost = n * LOT // 2
                kept.booked(exits[ledger, token], 0, n * LOT, cost, LOT, ONE, 1, 0, 0)
                self.tokens[t.T_SHARES, [ledger, 2], token] += n * LOT
                folios[ledger, col.P_COST] += cost
            folios[ledger, col.P_BASIS] = cash + folios[ledger, col.P_COST]
        for m in range(2):
            held = exits[:, 2 * m : 2 * m + 2, col.X_HELD]
            term[m, col.Y_WATCHED] = (held > 0).sum()
        self.exits = exits, np.array([rule.row() for rule in rules]), folios, term
        self.out = np.zeros(10, dtype=np.int64), np.zeros(10, dtype=np.int64)

    def run(self, cursor: int, end: int):
        return nb.advance(
            *(column[:end] for column in self.columns), 7, cursor, 2**62, self.book, self.history,
            self.grid, self.wakes, self.tokens, self.value, self.marks, self.exits, *self.out,
        )  # fmt: skip

    def holds(self, m: int, now: int) -> bool:
        """True when an exit of a market holds, asked position by position."""
        exits, rules, _folios, term = self.exits
        bid, ask = int(self.book[m, nb.B_BID]), int(self.book[m, nb.B_ASK])
        for ledger in range(2):
            for k in range(2):
                row = exits[ledger, 2 * m + k]
                own = bid if k == 0 else ONE - ask if ask else 0
                code, _ = x.decide(row, rules[ledger], term[m], own,
                                   bid + ask if bid and ask else 0, now)  # fmt: skip
                if code == col.ASK or (code and now >= row[col.X_NOT_BEFORE]):
                    return True
        return False


@st.composite
def worlds(draw):
    times = sorted(draw(st.lists(st.integers(1, 900), min_size=1, max_size=40)))
    rows = []
    for ts in times:
        bid = draw(st.integers(0, 9_000))
        rows.append((ts, draw(st.integers(0, 1)), bid, draw(st.sampled_from((0, bid + 100))),
                     draw(st.sampled_from((0, 0, 0, 1)))))  # fmt: skip
    rules = [draw(RULES) for _ in range(2)]
    for rule in rules:
        rule.portfolio = draw(
            st.none() | st.tuples(st.sampled_from((1, 100)), parts((0, 2, 10)), parts((1, 5)))
        )
    holdings = [[draw(st.sampled_from((0, 0, 7, 100))) for _ in range(4)] for _ in range(2)]
    return rows, rules, holdings


@given(worlds())
def test_the_data_loop_stops_at_the_first_row_on_which_an_exit_holds(world):
    rows = world[0]
    skipping, visiting = World(*world), World(*world)
    cursor, stops = 0, []
    while True:
        cursor, why, m, _ = skipping.run(cursor, len(rows))
        if why == nb.STOP_END:
            break
        assert why == nb.STOP_EXIT
        assert m == rows[cursor - 1][1]
        stops.append(cursor - 1)
    expected = []
    for at, (ts, m, bid, ask, flag) in enumerate(rows):
        fired = visiting.exits[2][:, col.P_FIRED].copy()
        visiting.run(at, at + 1)
        trusted = not flag and bid + ask > 0
        fires = (visiting.exits[2][:, col.P_FIRED] != fired).any()
        if trusted and (visiting.holds(m, ts) or fires):
            expected.append(at)
    assert stops == expected
    ends = [(*world.exits, world.book, world.marks) for world in (skipping, visiting)]
    for one, other in zip(*ends, strict=True):
        assert (one == other).all()


def test_a_row_that_nobody_trusts_moves_no_high_and_stops_nowhere():
    rows = [(1, 0, 5_000, 5_100, 0), (2, 0, 100, 200, 1), (3, 0, 0, 0, 0), (4, 0, 4_000, 4_100, 0)]
    world = World(rows, [Rules(stop=Fraction(1, 10)), Rules()], [[10, 0, 0, 0], [0] * 4])
    assert world.run(0, 4)[:3] == (4, nb.STOP_EXIT, 0)
    assert world.exits[0][0, 0, col.X_HIGH] == 5_000


def test_a_recovery_needs_its_time_under_water():
    def fires(under: int) -> list[int]:
        bids = (4_000, 4_500, 5_600, 5_800, 5_500, 5_400)
        rows = [(10 * (i + 1), 1, bid, bid + 100, 0) for i, bid in enumerate(bids)]
        rule = Rules(portfolio=(under, Fraction(10, 100), Fraction(5, 100)))
        world = World(rows, [rule, Rules()], [[0, 0, 10, 0], [0] * 4])
        cursor, why, _, _ = world.run(0, len(rows))
        return [cursor - 1] if why == nb.STOP_EXIT else []

    # Under water from the first row to the third: 20.
    assert fires(20) == [4]
    assert fires(21) == []


def test_a_price_from_before_the_purchase_sells_nothing() -> None:
    part = Fraction(1, 5)
    rules, row = Rules(stop=part, takes=[(part, Fraction(1, 2))]), np.zeros(col.X_SIZE_OF, np.int64)
    rule, term = rules.row(), terms(0, 0)
    # Bought at 0.50 while the last price known, older than the purchase, was 0.10 or 0.90.
    kept.booked(row, 0, 10 * LOT, 5_000 * 10 * LOT // ONE, LOT, ONE, 1, 1_000, 1)
    for old in (1_000, 9_000):
        assert x.decide(row, rule, term, old, 2 * old, 1) == (col.NONE, 0)
    x.follow(row, rule, np.full(4, 2_000, np.int32), 1, 1_000)
    assert x.decide(row, rule, term, 1_000, 2_000, 2)[0] == col.STOP
