"""The part of ``report.json`` about quoting: orders, what fills earned and cost, quotes, alarms.

Amounts are decimal texts; prices and distances of charts are numbers.
"""

from __future__ import annotations

import msgspec


class OrderCounts(msgspec.Struct, frozen=True):
    """What became of the orders. Shares are of the orders that the venue accepted."""

    sent: int
    accepted: int
    rejected: int
    filled: int
    """had a fill, whole or in part"""
    cancelled: int
    expired: int
    standing: int
    """at the end"""
    fill_ratio: float | None
    """filled over accepted orders"""
    size_ratio: float | None
    """filled over accepted size"""
    cancel_ratio: float | None
    """cancelled over accepted orders"""
    cancels_per_fill: float | None
    """cancelled orders for one that was filled"""
    rested: float | None
    """seconds that half of them rested at the least"""
    both_sides: float | None
    """share of the time with a bid and an offer of ours"""
    one_side: float | None


class Earned(msgspec.Struct, frozen=True):
    """Where the result came from: ``spread`` + ``moves`` - ``fees`` + ``rebates`` + ``rewards``."""

    spread: str
    """fills against the mid just before them, to our gain"""
    moves: str
    """what the held positions gained or lost afterwards, the last mark at the bid included"""
    fees: str
    rebates: str
    rewards: str
    total: str
    traded: str
    maker: float | None
    """share of what was traded in which our order rested"""
    unpriced: int = 0
    """fills without a mid before them: all they did is in ``moves``"""


class Markout(msgspec.Struct, frozen=True):
    """What the price did some time after fills, in ticks of their markets, weighted by size."""

    seconds: int
    fills: int
    """those with a mid known then"""
    edge: float | None
    """the mid just before against the own price"""
    moved: float | None
    """the mid since, to our gain; below zero: traded against by who knew more"""
    drift: float | None
    """what the mid moves in as long at any time, for the sides we traded"""
    markout: float | None
    """``edge`` + ``moved``: the mid then against the own price"""
    low: float | None
    high: float | None
    """95 % of ``markout``, fills of one stretch of time counted as one"""
    money: str


class MadeMarket(msgspec.Struct, frozen=True):
    """One market."""

    market: str
    question: str
    accepted: int
    fills: int
    fill_ratio: float | None
    traded: str
    spread: str
    fees: str
    pnl: str
    markout: float | None
    """ticks, a minute after the fills"""
    longest: str
    """greatest inventory, long and short, and the last, in shares of the first outcome"""
    shortest: str
    last: str


class Alarm(msgspec.Struct, frozen=True):
    """Something a person should look at. ``raised`` false: it was checked and is fine."""

    name: str
    raised: bool
    found: str
    limit: str


class Quoted(msgspec.Struct, frozen=True, gc=False):
    """A market over time, for pictures. Prices of the first outcome, 0 for none."""

    market: str
    question: str
    tick: float
    points: list[tuple[int, float, float, float, float]]
    """(ts, mid, own bid, own offer, inventory in shares)"""
    fills: list[tuple[int, float, int, float]]
    """(ts, price, +1 bought or -1 sold, shares), some of them where there are many"""
    all_fills: int


class Band(msgspec.Struct, frozen=True):
    """The same tape with another belief about the queue. Null figures: it was not run."""

    name: str
    queue: str
    pnl: str | None = None
    spread: str | None = None
    fills: int | None = None
    fill_ratio: float | None = None
    traded: str | None = None
    markout: float | None = None
    """ticks, a minute after the fills"""
    largest: str | None = None
    """greatest inventory of a market either way, in shares"""
    drawdown: str | None = None
    own: bool = False
    """this is the run itself"""
    note: str = ""


class Making(msgspec.Struct, frozen=True):
    """A run over recorded books."""

    orders: OrderCounts
    earned: Earned
    markouts: list[Markout]
    markets: list[MadeMarket]
    alarms: list[Alarm]
    quoted: list[Quoted]
    closer: list[Quoted] = []
    """the same markets at the time of most fills"""
    bands: list[Band] = []

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Id and question of every market in it."""
        quoted = [(row.market, row.question) for row in self.quoted]
        return [*quoted, *((row.market, row.question) for row in self.markets)]


class Scenario(msgspec.Struct, frozen=True):
    """A replay in which something went wrong. Null figures: it does not apply, ``note`` why."""

    name: str
    pnl: str | None = None
    against: str | None = None
    """the difference to the run in the end"""
    soon: str | None = None
    """the difference to the run a minute after it was over; null for what lasts the whole run"""
    share: float | None = None
    """of start cash"""
    fills: int | None = None
    drawdown: str | None = None
    note: str = ""
