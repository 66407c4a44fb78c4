"""Order flow in plain Python: dictionaries and lists, one step after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from polyframe.lab.flow_spec import FlowSpec, TouchSpec

MASK = 2**64 - 1
LEVEL, TRADE = 4, 7


@dataclass
class Draws:
    """The same numbers as the compiled generator; logarithms are the system's."""

    state: int

    def bits(self) -> int:
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def uniform(self) -> float:
        return ((self.bits() >> 12) + 0.5) / 2**52

    def exponential(self) -> float:
        return -math.log(self.uniform())

    def normal(self) -> float:
        while True:
            x, y = 2 * self.uniform() - 1, 2 * self.uniform() - 1
            r = x * x + y * y
            if r < 1:
                return x * math.sqrt(-2 * math.log(r) / r)

    def lots(self, median: float, spread: float, lot: int) -> int:
        size = math.exp(min(math.log(median) + spread * self.normal(), 41.0))
        return max(1, int(size / lot + 0.5)) * lot


def chance(odds: float) -> float:
    return 1 / (1 + math.exp(-odds)) if odds > -700 else 0.0


@dataclass
class Belief:
    draws: Draws
    start: float
    information: float
    jump_size: float
    passed: float = 0.0

    def __post_init__(self) -> None:
        self.sign = 1 if self.draws.uniform() < self.start else -1
        self.odds = math.log(self.start) - math.log(1 - self.start)

    def known(self, passed: float) -> float:
        return self.information**2 * passed / (1 - passed)

    def learn(self, passed: float) -> float:
        passed = min(passed, 1 - 1e-9)
        if passed > self.passed:
            gained = self.known(passed) - self.known(self.passed)
            self.odds += self.sign * gained / 2 + math.sqrt(gained) * self.draws.normal()
            self.passed = passed
        return chance(self.odds)

    def jump(self) -> float:
        ratio = self.jump_size / 2 * (self.draws.exponential() + self.draws.exponential())
        right = self.draws.uniform() < chance(ratio)
        self.odds += self.sign * (ratio if right else -ratio)
        return chance(self.odds)


@dataclass
class Arrivals:
    base: float
    jump: float
    fade: float
    excited: float = 0.0

    @property
    def intensity(self) -> float:
        return self.base + self.excited

    def pass_by(self, seconds: float) -> None:
        self.excited *= math.exp(-self.fade * seconds)


def arrival_times(arrivals: Arrivals, draws: Draws, seconds: float) -> list[float]:
    now, found = 0.0, []
    while arrivals.intensity > 0:
        bound = arrivals.intensity
        gap = draws.exponential() / bound
        now += gap
        if now > seconds:
            break
        arrivals.pass_by(gap)
        if draws.uniform() * bound < arrivals.intensity:
            found.append(now)
            arrivals.excited += arrivals.jump
    return found


@dataclass
class Order:
    maker: int
    step: int
    left: int


@dataclass
class Market:
    """Resting orders by side in the order in which they came, and the rows they lead to."""

    spec: FlowSpec
    draws: Draws
    rows: list[tuple[int, int, int, int, int, int]] = field(default_factory=list)
    truth: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        spec = self.spec
        self.steps = 10_000 // spec.tick
        self.orders: dict[int, list[Order]] = {1: [], -1: []}
        self.now = 0
        self.moment: list[list[int]] = []
        self.belief = Belief(self.draws, spec.start_probability, spec.information, spec.jump_size)
        self.arrivals = Arrivals(
            spec.takers * (1 - spec.branching),
            spec.branching * spec.fade,
            spec.fade,
            spec.takers * spec.branching,
        )
        fair = chance(self.belief.odds) * self.steps
        for n in range(spec.makers):
            self.quote(n, fair)
        self.moment = []
        self.opening = self.levels()
        self.counts = dict.fromkeys(("arrivals", "informed", "abstained", "jumps", "sweeps"), 0)

    def levels(self) -> dict[int, dict[int, int]]:
        found: dict[int, dict[int, int]] = {1: {}, -1: {}}
        for side, orders in self.orders.items():
            for order in orders:
                found[side][order.step] = found[side].get(order.step, 0) + order.left
        return found

    def best(self, side: int) -> int:
        steps = [order.step for order in self.orders[side]]
        none = 0 if side > 0 else self.steps + 1
        return max(steps, default=none) if side > 0 else min(steps, default=none)

    def say(self, kind: int, side: int, step: int, size: int) -> None:
        self.moment.append([self.now, step * self.spec.tick, size, kind, side])

    def say_level(self, side: int, step: int) -> None:
        self.say(LEVEL, side, step, self.levels()[side].get(step, 0))

    def move(self, maker: int, side: int, step: int, size: int) -> None:
        old = next((o for o in self.orders[side] if o.maker == maker), None)
        if old is not None:
            self.orders[side].remove(old)
            if old.step != step:
                self.say_level(side, old.step)
        if step > 0:
            self.orders[side].append(Order(maker, step, size))
            if old is None or (old.step, old.left) != (step, size):
                self.say_level(side, step)

    def quote(self, maker: int, fair: float) -> None:
        spec, draws = self.spec, self.draws
        view = fair + spec.noise * draws.normal()
        below = spec.half_spread + spec.depth * draws.uniform()
        above = spec.half_spread + spec.depth * draws.uniform()
        bid_size = draws.lots(spec.order_size * 1e6, spec.order_spread, spec.lot)
        ask_size = draws.lots(spec.order_size * 1e6, spec.order_spread, spec.lot)
        bid, ask = math.floor(view - below), math.ceil(view + above)
        own = next((o.step for o in self.orders[-1] if o.maker == maker), None)
        if own is not None and own <= bid:
            self.move(maker, -1, 0, 0)
        bid = min(bid, self.best(-1) - 1, self.steps - 1)
        self.move(maker, 1, max(bid, 0), bid_size)
        ask = max(ask, self.best(1) + 1, 1)
        self.move(maker, -1, ask if ask < self.steps else 0, ask_size)

    def take(self, side: int, limit: int, size: int) -> int:
        got = 0
        while size > 0 and self.orders[-side]:
            step = self.best(-side)
            if side * (step - limit) > 0:
                break
            there = [o for o in self.orders[-side] if o.step == step]
            filled = min(size, sum(o.left for o in there))
            self.say(TRADE, side, step, filled)
            rest = filled
            for order in there:
                part = min(rest, order.left)
                order.left -= part
                rest -= part
            self.orders[-side] = [o for o in self.orders[-side] if o.left]
            self.say_level(-side, step)
            got += filled
            size -= filled
        return got

    def snipe(self, fair: float, size: int) -> int:
        got = self.take(1, math.floor(fair - self.spec.edge), size)
        return got or self.take(-1, math.ceil(fair + self.spec.edge), size)

    def arrive(self, fair: float) -> None:
        spec, draws = self.spec, self.draws
        self.counts["arrivals"] += 1
        knows = draws.uniform() < spec.informed
        size = draws.lots(spec.take_size * 1e6, spec.take_spread, spec.lot)
        if knows:
            self.counts["informed"] += 1
            got = self.snipe(fair, size)
        else:
            side = 1 if draws.uniform() < spec.buys else -1
            got = self.take(side, self.best(-side) + side * int(spec.reach), size)
        self.counts["abstained"] += got == 0

    def step(self) -> bool:
        """One candidate event; False at the end."""
        spec, draws = self.spec, self.draws
        acts, jumps = spec.makers / spec.hold, spec.jumps / spec.seconds
        total = acts + jumps + self.arrivals.intensity
        gap = max(1, int(draws.exponential() / total * 1e9))
        if self.now + gap >= round(spec.seconds * 1e9):
            return False
        self.now += gap
        self.arrivals.pass_by(gap / 1e9)
        pick = draws.uniform() * total
        if pick >= acts + jumps + self.arrivals.intensity:
            return True
        p = self.belief.learn(self.now / (spec.seconds * 1e9))
        if pick < acts:
            self.quote(min(int(pick / acts * spec.makers), spec.makers - 1), p * self.steps)
        elif pick < acts + jumps:
            self.counts["jumps"] += 1
            p = self.belief.jump()
            if draws.uniform() < spec.sweep and self.snipe(p * self.steps, 2**62):
                self.counts["sweeps"] += 1
        else:
            self.arrivals.excited += self.arrivals.jump
            self.arrive(p * self.steps)
        for n, row in enumerate(self.moment):
            self.rows.append((*row, int(n < len(self.moment) - 1)))
            self.truth.append(p)
        self.moment = []
        return True

    def run(self) -> None:
        while self.step():
            pass


@dataclass
class Touch:
    """A mid, two quotes around it, and takers who go some way from it."""

    spec: TouchSpec
    draws: Draws
    rows: list[tuple[int, int, int, int, int, int]] = field(default_factory=list)
    mids: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.mid = self.spec.price * 10**self.spec.price_decimals / self.spec.tick
        self.shown = 0
        self.looked = self.now = 0

    def run(self) -> None:
        spec, draws = self.spec, self.draws
        self.end_moment(self.requote(int(self.mid + 0.5)))
        total = spec.moves + 2 * spec.takers
        while True:
            self.now += max(1, int(draws.exponential() / total * 1e9))
            if self.now >= round(spec.seconds * 1e9):
                return
            pick = draws.uniform() * total
            if pick < spec.moves:
                years = (self.now - self.looked) / 1e9 / (365.25 * 86_400)
                spread = spec.volatility * math.sqrt(years)
                self.mid *= math.exp(spread * draws.normal() - spread**2 / 2)
                self.looked = self.now
                mid = max(int(self.mid + 0.5), spec.half_spread + 1)
                self.end_moment(self.requote(mid) if mid != self.shown else [])
            else:
                side = 1 if pick < spec.moves + spec.takers else -1
                step = max(self.shown + side * int(spec.reach * draws.exponential()), 1)
                self.end_moment([(TRADE, side, step, self.size(spec.take_size, spec.take_spread))])

    def size(self, median: float, spread: float) -> int:
        return self.draws.lots(median * 10**self.spec.size_decimals, spread, self.spec.lot)

    def requote(self, mid: int) -> list[tuple[int, int, int, int]]:
        rows = []
        for side in (-1, 1) if mid > self.shown else (1, -1):
            size = self.size(self.spec.rest_size, self.spec.rest_spread)
            rows.append((LEVEL, side, mid - side * self.spec.half_spread, size))
            if self.shown:
                rows.append((LEVEL, side, self.shown - side * self.spec.half_spread, 0))
        self.shown = mid
        return rows

    def end_moment(self, rows: list[tuple[int, int, int, int]]) -> None:
        for n, (kind, side, step, size) in enumerate(rows):
            more = int(n < len(rows) - 1)
            self.rows.append((self.now, step * self.spec.tick, size, kind, side, more))
            self.mids.append(self.mid)
