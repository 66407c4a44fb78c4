"""Random recorded books and strategies that quote in them, for tests of both ways to play."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from polyframe.domain.market import FeeSchedule, Group, GroupKind, Market, Resolution, Token
from polyframe.domain.units import DAY, HOUR, MILLISECOND
from polyframe.runtime import build
from polyframe.runtime.plugins import Registry
from polyframe.runtime.tape_data import Played
from polyframe.store.forecasts import ForecastTable
from polyframe.store.tape import Tape, TapeKind
from polyframe.store.tape_writer import TapeWriter
from polyframe.store.timeline import PriceColumns

START = 1_767_225_600_000_000_000
SHARE = 1_000_000
MORE = 128
CENT = 100
FEES = tuple(FeeSchedule(*own, 250_000) for own in ((0, 1), (40_000, 1), (250_000, 2)))
"""crypto markets take the last of them"""

STRATEGY = '''
import math
from polyframe import (
    MILLISECOND, Answered, Ended, PluginConfig, Quoter, Subscription, Traded, Wallets, compilable,
    quote_kernel, seen,
)


@compilable
def drawn(own, modulus):
    """The next of a row of numbers that look random, the same wherever it runs."""
    own[0] = (own[0] * 75.0 + 74.0) % 65537.0
    return math.floor(own[0] * modulus / 65537.0)


@quote_kernel
def random_quotes(sight, own, p, wanted):
    if own[1] == 0.0:
        own[1] = 1.0
        own[0] = p[0] + 7.0
    own[2] += 1.0
    if drawn(own, 10.0) < p[1]:
        return seen.LEAVE
    bid, ask = sight[seen.BID], sight[seen.ASK]
    if (bid <= 0.0 or ask <= 0.0) and p[3] > 0.0:
        bid, ask = own[3], own[4]
    if bid <= 0.0 or ask <= 0.0:
        return 0
    own[3], own[4] = bid, ask
    if p[4] > 0.0 and drawn(own, 10.0) < p[4]:
        return 0
    n = 0
    for side in (1.0, -1.0):
        for k in range(2):
            what = drawn(own, 8.0)
            if what == 0.0:
                continue
            away = math.floor(drawn(own, 5.0) - 1.0 + p[5]) * 0.01
            outcome = 0.0
            way = side
            price = bid - away if side > 0.0 else ask + away
            if what < 4.0:
                outcome, way, price = 1.0, -side, 1.0 - price
            held = sight[seen.YES] if outcome == 0.0 else sight[seen.NO]
            size = 5.0 + 5.0 * drawn(own, 6.0)
            if way < 0.0 and held < size and what != 5.0:
                # What is not held cannot be sold: the other outcome is bought instead.
                outcome, way, price = 1.0 - outcome, 1.0, 1.0 - price
            if what == 6.0:
                size = 4.0
            if p[6] > 0.0 and what != 5.0 and held > 0.0:
                # All of it at once, at the price of the other side.
                way, size = -1.0, held / p[2]
                price = bid - 0.01 if outcome == 0.0 else 0.99 - ask
            if outcome == 1.0 and sight[seen.ONE] != 1.0:
                continue
            wanted[n, seen.W_OUTCOME] = outcome
            wanted[n, seen.W_SIDE] = way
            wanted[n, seen.W_PRICE] = max(price, 0.0)
            wanted[n, seen.W_SIZE] = size * p[2]
            n += 1
    return n


class RandomQuotes(Quoter):
    quote = random_quotes

    class Config(PluginConfig):
        refresh: int = 500
        move: int = 0
        on_fill: bool = False
        depth: bool = False
        ttl: int = 0
        post_only: bool = True
        max_open: int | None = None
        seed: int = 0
        leave: int = 0
        times: float = 1.0
        blind: bool = False
        idle: int = 0
        away: int = 0
        flat: bool = False
        over: int = 0
        wake: str = ""

    def __init__(self, config=None):
        super().__init__(config)
        self.refresh = self.config.refresh * MILLISECOND
        self.move = self.config.move
        self.on_own_fill = self.config.on_fill
        self.depth = self.config.depth
        self.quote_ttl = self.config.ttl * MILLISECOND
        self.post_only = self.config.post_only

    def subscribe(self, markets):
        found = super().subscribe(markets)
        more = {"": (), "answers": (Answered(),), "end": (Ended(),), "wallets": (Wallets(("w",)),)}
        wakes = (*found.wake, *more[self.config.wake])
        if self.config.over:
            wakes = (*wakes, Traded(self.config.over * 1_000_000))
        return Subscription(data=found.data, wake=wakes)

    def parameters(self):
        config = self.config
        return [
            config.seed, config.leave, config.times, float(config.blind), config.idle,
            config.away, float(config.flat),
        ]
'''


def quoters(folder: Path) -> Registry:
    """The random quotes as a person's own file."""
    (folder / "strategies").mkdir()
    (folder / "strategies" / "random_quotes.py").write_text(STRATEGY)
    return Registry.load(folder)


class Stream:
    """Rows of one market's wandering book."""

    ticks = (CENT // 2, CENT, CENT, 2 * CENT)

    def __init__(self, rng: np.random.Generator, instrument: int) -> None:
        self.rng = rng
        self.instrument = instrument
        self.mid = int(rng.integers(30, 70))
        self.sides: dict[int, dict[int, int]] = {1: {}, -1: {}}
        self.rows: list[tuple[int, ...]] = []

    def row(self, ts: int, kind: TapeKind, price: int, size: int, side: int, aux: int = 0) -> None:
        self.rows.append((ts, price * CENT, size, aux, self.instrument, int(kind), side))

    def snapshot(self, ts: int) -> None:
        self.sides = {1: {}, -1: {}}
        for k in range(1, 6):
            self.sides[1][self.mid - k] = int(self.rng.integers(1, 60)) * SHARE
            self.sides[-1][self.mid + k] = int(self.rng.integers(1, 60)) * SHARE
        levels = [(p, s, side) for side in (1, -1) for p, s in self.sides[side].items()]
        self.row(ts, TapeKind.SNAPSHOT_BEGIN, 0, 0, 0, len(levels))
        for price, size, side in levels:
            self.row(ts, TapeKind.LEVEL, price, size, side)
        self.row(ts, TapeKind.SNAPSHOT_END, 0, 0, 0, len(levels))

    def level(self, ts: int, side: int, price: int, size: int) -> None:
        if not 1 <= price <= 99:
            return
        self.sides[side].pop(price, None)
        if size:
            self.sides[side][price] = size
        self.row(ts, TapeKind.LEVEL, price, size, side)

    def best(self, side: int) -> int:
        own = self.sides[side]
        if not own:
            return 0
        return max(own) if side > 0 else min(own)

    def turn(self, ts: int) -> None:
        """Something happens: a level, a trade that eats, a jump, a gap."""
        rng, what = self.rng, self.rng.random()
        if what < 0.005:
            self.row(ts, TapeKind.CLEAR, 0, 0, 0)
            return
        if what < 0.02:
            self.mid = int(np.clip(self.mid + rng.integers(-3, 4), 10, 90))
            self.snapshot(ts)
            return
        if what < 0.025:
            tick = int(rng.choice(self.ticks))
            self.rows.append((ts, tick, 0, 0, self.instrument, int(TapeKind.TICK), 0))
            return
        side = 1 if rng.random() < 0.5 else -1
        if what < 0.35:
            self.trade(ts, side)
            return
        bid, ask = self.best(1), self.best(-1)
        if side > 0:
            top = (ask or self.mid + 1) - 1
            price = top - int(rng.integers(0, 6))
        else:
            low = (bid or self.mid - 1) + 1
            price = low + int(rng.integers(0, 6))
        size = 0 if rng.random() < 0.35 else int(rng.integers(1, 60)) * SHARE
        self.level(ts, side, price, size)

    def trade(self, ts: int, aggressor: int) -> None:
        best = self.best(-aggressor)
        if not best:
            return
        rests = self.sides[-aggressor][best]
        size = min(rests, int(self.rng.integers(1, 80)) * SHARE)
        told = 0 if self.rng.random() < 0.05 else aggressor
        self.row(ts, TapeKind.TRADE, best, size, told)
        self.level(ts, -aggressor, best, rests - size)


def write_tape(
    path: Path, rng: np.random.Generator, markets: int, turns: int, segments: int = 1,
    gap: int = 120, start: int = START,
) -> Tape:  # fmt: skip
    """A tape of so many markets' random books, something every ``gap`` milliseconds or so."""
    return stored(path, [Stream(rng, m) for m in range(markets)], turns, segments, start, gap)


def stored(
    path: Path, streams: list[Stream], turns: int, segments: int, start: int, gap: int = 120
) -> Tape:
    """A tape of random books, one after the other at random."""
    rng, markets = streams[0].rng, len(streams)
    ts = start
    for stream in streams:
        stream.snapshot(ts)
    for _ in range(turns):
        ts += int(rng.exponential(gap)) * MILLISECOND
        streams[int(rng.integers(0, markets))].turn(ts)
    rows = sorted((row for s in streams for row in s.rows), key=lambda row: row[0])
    names = ("ts", "price", "size", "aux", "instrument", "kind", "side")
    columns = {name: np.array([row[k] for row in rows], np.int64) for k, name in enumerate(names)}
    flag = np.zeros(len(rows), np.int64)
    same = (np.diff(columns["ts"]) == 0) & (np.diff(columns["instrument"]) == 0)
    flag[:-1][same] = MORE
    columns["flag"] = flag
    writer = TapeWriter(path, [f"y{m}" for m in range(markets)])
    ends = np.flatnonzero(flag == 0) + 1
    cuts = [0, *(int(ends[len(ends) * k // segments]) for k in range(1, segments)), len(rows)]
    for begin, stop in pairwise(cuts):
        writer.append({name: column[begin:stop] for name, column in columns.items()})
        writer.seal()
    writer.close()
    return Tape.open(path)


def tape_data(
    path: Path, seed: int, markets: int, turns: int, segments: int = 1, gap: int = 120,
    start: int = START,
) -> Any:  # fmt: skip
    """Recorded data over a random tape."""
    rng = np.random.default_rng(seed)
    tape = write_tape(path, rng, markets, turns, segments, gap, start)
    first, last = tape.segments[0].first_ts, tape.segments[-1].last_ts
    listed = [
        Market(
            id=f"m{m}", question=f"Will {m} happen?", group=f"g{m // 2}" if m % 3 else "",
            tokens=(Token(f"y{m}", "Yes"), Token(f"n{m}", "No")), category="politics", tick=CENT,
            fee=FEES[(m + seed) % len(FEES)], opened=start - HOUR,
            closes=last + 40 * DAY,
        )
        for m in range(markets)
    ]  # fmt: skip
    groups: dict[str, list[str]] = {}
    for market in listed:
        if market.group:
            groups.setdefault(market.group, []).append(market.id)
    known = first + (last - first) * 3 // 4
    outcomes = {"m0": Resolution.winner(listed[0], int(rng.integers(0, 2)), known)}
    none = np.zeros(0, np.int64)
    return build.Recorded(
        listed,
        [Group(id, tuple(ids), GroupKind.EXCLUSIVE) for id, ids in groups.items()],
        outcomes,
        PriceColumns(none, none.astype(np.int32), none, none.astype(np.uint8)),
        ForecastTable(()),
        tape=Played("random", tape, first, last),
    )


NAMES = ("market_id", "question", "token_0", "outcome_0", "token_1", "outcome_1", "tick")
MARKETS_FORM = {
    "kind": "markets",
    "source": "me",
    "columns": {
        **{name: name for name in NAMES},
        "closes": {"from": "closes", "unit": "ns"},
    },
}
"""How markets of these tests are imported."""


def ws_lines(stream: Stream, turns: int) -> list[str]:
    """A market's wandering book as Polymarket's socket tells it: the whole book again and again."""
    ts, told = START, []
    stream.snapshot(ts)
    for _ in range(turns):
        stamp = {"asset_id": f"y{stream.instrument}", "timestamp": str(ts // MILLISECOND)}
        bids, asks = (
            [
                {"price": f"{p / 100:.2f}", "size": f"{s // SHARE}"}
                for p, s in stream.sides[side].items()
            ]
            for side in (1, -1)
        )
        told.append({"event_type": "book", "bids": bids, "asks": asks, **stamp})
        ts += (1 + int(stream.rng.exponential(120))) * MILLISECOND
        before = len(stream.rows)
        stream.turn(ts)
        for row in stream.rows[before:]:
            if row[5] == TapeKind.TRADE:
                side = "SELL" if row[6] < 0 else "BUY"
                told.append({
                    "event_type": "last_trade_price", "price": f"{row[1] / 10_000:.2f}",
                    "size": f"{row[2] // SHARE}", "side": side,
                    **stamp, "timestamp": str(ts // MILLISECOND),
                })  # fmt: skip
    return [json.dumps(one) for one in told]


class CoinStream(Stream):
    """Rows of a book without bounds, whose price runs on; now and then its best prices alone."""

    ticks = (1, 1, 2)

    def __init__(self, rng: np.random.Generator, instrument: int) -> None:
        super().__init__(rng, instrument)
        self.mid = int(rng.integers(9_000, 11_000))
        self.way = 1 if rng.random() < 0.5 else -1

    def row(self, ts: int, kind: TapeKind, price: int, size: int, side: int, aux: int = 0) -> None:
        self.rows.append((ts, price, size, aux, self.instrument, int(kind), side))

    def level(self, ts: int, side: int, price: int, size: int) -> None:
        self.sides[side].pop(price, None)
        if size:
            self.sides[side][price] = size
        self.row(ts, TapeKind.LEVEL, price, size, side)

    def snapshot(self, ts: int) -> None:
        self.mid = (self.best(1) + self.best(-1)) // 2 or self.mid
        super().snapshot(ts)

    def turn(self, ts: int) -> None:
        what = self.rng.random()
        if self.best(-1) < 9_000:
            self.way = 1  # no coin goes to 0 here
        if what < 0.25 and self.best(self.way) and self.best(-self.way):
            # The side ahead gives way, the other one follows.
            price = self.best(-self.way)
            self.level(ts, -self.way, price, 0)
            self.level(ts, -self.way, price + 3 * self.way, 40 * SHARE)
            self.level(ts, self.way, price, int(self.rng.integers(1, 60)) * SHARE)
        elif what < 0.35:
            for side, kind in ((1, TapeKind.QUOTE_BID), (-1, TapeKind.QUOTE_ASK)):
                prices = sorted(self.sides[side], reverse=side > 0)[1:]
                if prices:
                    del self.sides[side][self.best(side)]
                    self.sides[side][prices[0]] = 30 * SHARE
                    self.row(ts, kind, prices[0], 30 * SHARE, side)
        elif self.rng.random() < 0.003:
            self.way = -self.way
        else:
            super().turn(ts)


def coin_data(path: Path, seed: int, turns: int, segments: int = 1) -> Any:
    """Recorded data over one random book without bounds: prices in cents."""
    rng = np.random.default_rng(seed)
    tape = stored(path, [CoinStream(rng, 0)], turns, segments, START)
    first, last = tape.segments[0].first_ts, tape.segments[-1].last_ts
    market = Market(
        id="coin", question="What is a coin worth?", tokens=(Token("y0", "Coin"),), tick=1,
        category="crypto", venue="binance", price_decimals=2, max_price=1_000_000,
        max_size=10**12, opened=START - HOUR,
    )  # fmt: skip
    none = np.zeros(0, np.int64)
    return build.Recorded(
        [market], [], {},
        PriceColumns(none, none.astype(np.int32), none, none.astype(np.uint8)), ForecastTable(()),
        tape=Played("random", tape, first, last),
    )  # fmt: skip
