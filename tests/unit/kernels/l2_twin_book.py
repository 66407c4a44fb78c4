"""Books and queues the slow way: prices in dictionaries, own orders in lists."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction

NOBODY_KNOWS = math.inf
BUY, SELL = 1, -1
GTC, GTD, FAK, FOK = "GTC", "GTD", "FAK", "FOK"
MONEY = 1_000_000


@dataclass
class Rules:
    """A market's rules. Units: price and size units, money; ``rate`` of the fee in millionths."""

    tick: int = 100
    one: int = 10_000
    least: int = 5_000_000
    divisor: int = 10_000
    rate: int = 0
    exponent: int = 1
    ends: int | None = None
    base: int = 0
    """the price under the book's lowest: above 0 where prices have no bounds"""


@dataclass
class Own:
    """An own order, in YES space; ``front`` is what strangers have before it in its queue."""

    number: int
    market: int
    side: int
    price: int
    size: int
    tif: str = GTC
    post: bool = False
    expires: int = 0
    yes: bool = True
    open: int = 0
    front: float = 0.0
    traded: int = 0
    before: int | None = None
    state: str = "sent"
    told: int | None = None
    """when its end is known"""


@dataclass
class Answer:
    """What the venue says about an order."""

    kind: str
    number: int
    known: int
    ts: int
    why: str = ""
    price: int = 0
    size: int = 0
    fee: int = 0
    maker: bool = False
    open: int = 0
    mid: int = 0


@dataclass
class Heard:
    """What one update, or an own order that took, makes known to who listens; times are its own."""

    ts: int
    moved: dict[int, int] = field(default_factory=dict)
    """by market, the listeners whose best prices moved, as bits"""
    trades: int = 0
    """the listeners to whom a trade of it matters, as bits"""
    tick: int | None = None
    """the last market whose tick it changed"""

    def __bool__(self) -> bool:
        return bool(self.moved or self.trades or self.tick is not None)


@dataclass
class Wishes:
    """What two listeners want to hear of, 0 for nothing.

    By listener and market: how far the best prices must move, what a trade must be worth; by
    wallet, counted from 1: the listeners that follow it, as bits.
    """

    moves: list[list[int]]
    prints: list[list[int]]
    wallets: list[int]


@dataclass
class Venue:
    """How the venue is modelled; each leg's latency is a list of (time, took)."""

    queue: str = "risk_averse"
    power: float = 3.0
    partial: bool = True
    least_buy: int = MONEY
    legs: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def took(self, leg: str, now: int) -> int:
        probes = self.legs.get(leg, [(0, 0)])
        after = bisect_right([ts for ts, _ in probes], now)
        if after == 0 or after == len(probes):
            return probes[0 if after == 0 else -1][1]
        (a, low), (b, high) = probes[after - 1], probes[after]
        return math.ceil(low + Fraction(now - a, b - a) * (high - low))


class Book:
    """What strangers have in one market, by side and price, and who of us rests there."""

    def __init__(self, rules: Rules) -> None:
        self.rules, self.tick = rules, rules.tick
        self.sides: dict[int, dict[int, int]] = {BUY: {}, SELL: {}}
        self.own: list[Own] = []
        self.whole = self.inside = self.shallow = False
        self.bought = self.sold = self.trades = 0

    @property
    def known(self) -> bool:
        return self.whole and not self.inside

    def best(self, side: int) -> int | None:
        prices = self.sides[side]
        return (max(prices) if side == BUY else min(prices)) if prices else None

    @property
    def crossed(self) -> bool:
        bid, ask = self.best(BUY), self.best(SELL)
        return bid is not None and ask is not None and bid >= ask

    @property
    def trusted(self) -> bool:
        return self.known and not self.crossed

    def on_grid(self, price: int) -> bool:
        above = price - self.rules.base
        return 0 < above < self.rules.one and above % self.tick == 0

    def put(self, side: int, price: int, size: int) -> None:
        self.sides[side].pop(price, None)
        if size:
            self.sides[side][price] = size

    def wipe(self) -> None:
        self.sides = {BUY: {}, SELL: {}}
        self.whole = self.shallow = False

    def within(self, side: int, limit: int) -> list[int]:
        """Prices that a taker of a side may take up to a limit, best first."""
        found = [p for p in self.sides[-side] if (limit - p) * side >= 0]
        return sorted(found, reverse=side == SELL)

    def twice_mid(self) -> int:
        bid, ask = self.best(BUY), self.best(SELL)
        whole = self.whole and bid is not None and ask is not None and bid < ask
        return bid + ask if whole else 0  # type: ignore[operator]


def came_forward(venue: Venue, own: Own, before: int, after: int) -> float:
    """The front of an order after its level changed: the formulas of the reference."""
    gone = before - after - own.traded
    if venue.queue == "risk_averse" or gone < 0 or own.front == NOBODY_KNOWS:
        return min(own.front, float(after))
    front, back = own.front, before - own.front
    part = _behind(venue.queue, venue.power, front, back)
    return min(front - (1.0 - part) * gone + min(back - part * gone, 0.0), float(after))


def _behind(queue: str, n: float, front: float, back: float) -> float:
    if front + back <= 0:
        return 1.0
    a, b = max(front, 0.0), max(back, 0.0)
    if queue == "power":
        return b**n / (b**n + a**n)
    if queue == "log":
        return math.log1p(b) / (math.log1p(b) + math.log1p(a))
    if queue == "power_total":
        return b**n / (b + a) ** n
    if queue == "log_total":
        return math.log1p(b) / math.log1p(b + a)
    return 1.0 - (a / (a + b)) ** n
