"""Streams of rows and own actions in which everything happens, from one random generator."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from l2_driver import Desk, compare
from l2_twin import Row, Twin
from l2_twin_book import BUY, FAK, FOK, GTC, GTD, SELL, Own, Rules, Venue, Wishes

QUEUES = ("risk_averse", "power", "log", "power_total", "log_total", "power_front")
LOT = 500_000


@dataclass
class Stream:
    """One scene: markets, how the venue is modelled, rows, and what is sent when."""

    rules: list[Rules]
    venue: Venue
    rows: list[Row]
    wishes: Wishes
    sends: list[tuple[int, Own]] = field(default_factory=list)
    pulls: list[tuple[int, int]] = field(default_factory=list)
    cuts: tuple[int, ...] = ()
    room: int = 0
    end: int = 0

    def run(self) -> tuple[Twin, Desk]:
        """Plays it both ways and compares at the time of every row and action, and at the end."""
        twin = Twin(self.rules, self.venue, self.wishes, self.end)
        desk = Desk(
            self.rules, self.venue, self.rows, self.wishes, cuts=self.cuts, room=self.room,
            end=self.end,
        )  # fmt: skip
        moments = {row[0] for row in self.rows} | {ts for ts, _ in (*self.sends, *self.pulls)}
        row = 0
        for until in [*sorted(moments), 1 << 61]:
            while row < len(self.rows) and self.rows[row][0] <= until:
                twin.play(self.rows[row])
                row += 1
            twin.settle(until)
            desk.play(until)
            compare(twin, desk, until)
            for ts, own in self.sends:
                if ts == until:
                    twin.submit(own, ts)
                    desk.submit(own, ts)
            for ts, number in self.pulls:
                told = twin.orders[number].told if number in twin.orders else 0
                if ts == until and (told is None or told > until):
                    twin.cancel(number, ts)
                    desk.cancel(number, ts)
        return twin, desk


class Chance:
    """Makes streams. Prices of a market wander within some steps, so that orders meet often."""

    def __init__(self, at_random: random.Random) -> None:
        self.at_random = at_random
        self.calm = False
        """deep books around one price, small trades: own orders wait in long queues"""

    def stream(self, rows: int = 120) -> Stream:
        r = self.at_random
        self.calm = r.random() < 0.35
        count = r.choice((1, 1, 2, 3))
        last = rows * 3
        bases = [r.choice((0,) * 9 + (70_000,)) for _ in range(count)]
        rules = [
            Rules(
                base=base, tick=r.choice((100, 100, 100, 50)), least=r.choice((1, 2, 5)) * LOT,
                rate=0 if base else r.choice((0, 20_000, 72_000, 250_000)),
                exponent=r.choice((1, 2)),
                ends=r.choice((None, None, None, r.randint(last // 2, last))),
            )
            for base in bases
        ]  # fmt: skip
        venue = Venue(
            r.choice(QUEUES), r.choice((1.0, 2.0, 3.0)), r.random() < 0.8,
            r.choice((1_000_000, 1_000_000, 0)),
            {leg: self._leg(last) for leg in ("entry", "cancel", "response")},
        )  # fmt: skip
        made = [
            row for m in range(count) for row in self._rows(m, rules[m].base, rows // count, last)
        ]
        made.sort(key=lambda row: row[0])
        played = self._grouped(made)
        sends = [(r.randint(0, last), self._own(rules, n + 1, last)) for n in range(rows // 3)]
        sends.sort(key=lambda pair: pair[0])
        for number, (ts, own) in enumerate(sends, 1):
            own.number = number
            own.expires = ts + r.randint(-2, 60) if own.tif == GTD else 0
        pulls = [
            (min(ts + r.randint(0, 30), last + 5), own.number)
            for ts, own in sends if r.random() < 0.4
        ]  # fmt: skip
        cuts = tuple(sorted(r.sample(range(1, len(played)), r.choice((0, 0, 1, 3)))))
        return Stream(
            rules, venue, played, self._wishes(rules), sends, sorted(pulls), cuts,
            r.choice((0, 0, 48)), r.choice((0, last, last // 2)),
        )  # fmt: skip

    def _wishes(self, rules: list[Rules]) -> Wishes:
        r = self.at_random
        return Wishes(
            [[r.choice((0, rule.tick, 2 * rule.tick)) for rule in rules] for _ in range(2)],
            [[r.choice((0, 750_000, 2_500_000, 7_000_000)) for _ in rules] for _ in range(2)],
            [r.randrange(4) for _ in range(3)],
        )

    def _leg(self, last: int) -> list[tuple[int, int]]:
        r = self.at_random
        if r.random() < 0.7:
            return [(0, r.choice((0, 0, 1, 5, 20)))]
        times = sorted(r.sample(range(last), 4))
        return [(ts, r.randint(0, 20)) for ts in times]

    def _grouped(self, rows: list[Row]) -> list[Row]:
        """Some rows of one moment belong to one update."""
        r = self.at_random
        found = []
        for row, after in zip(rows, [*rows[1:], None], strict=True):
            more = after is not None and r.random() < (0.5 if after[0] == row[0] else 0.02)
            found.append((*row[:6], more, row[7]))
        return found

    def _own(self, rules: list[Rules], number: int, last: int) -> Own:
        r = self.at_random
        m = r.randrange(len(rules))
        if self.calm and r.random() < 0.8:
            side = r.choice((BUY, SELL))
            price = rules[m].base + 5_000 - 100 * side * r.randint(1, 3)
            return Own(number, m, side, price, r.randint(2, 20) * LOT, yes=rules[m].base > 0)
        tif = r.choice((GTC, GTC, GTC, GTC, GTD, GTD, FAK, FOK))
        price = rules[m].base + 5_000 + 100 * r.randint(-5, 5) + r.choice((0,) * 10 + (50, 10))
        size = r.choice((1, 2, 5, 8, 20, 20)) * LOT + r.choice((0, 0, 1, 77_777))
        return Own(
            number, m, r.choice((BUY, SELL)), price, size, tif,
            r.random() < (0.3 if tif in (GTC, GTD) else 0.03), 0,
            rules[m].base > 0 or r.random() < 0.6,
        )  # fmt: skip

    def _rows(self, m: int, base: int, rows: int, last: int) -> list[Row]:
        r = self.at_random
        quotes = r.random() < 0.2
        deep = r.random() < 0.5  # a book of all levels besides
        ts, mid, found = 0, 5_000, []
        while len(found) < rows:
            ts = min(ts + r.choice((0, 0, 1, 1, 2, 5, 9)), last)
            draw = r.random()
            if self.calm and draw > 0.06:
                found.append(self._deep(m, ts))
                continue
            mid = max(min(mid + r.choice((-100, 0, 0, 0, 100)), 5_300), 4_700)
            if draw < 0.03:
                found += self._snapshot(m, ts, mid)
            elif draw < 0.04:
                found.append((ts, "clear", m, 0, 0, 0, False, 0))
            elif draw < 0.055:
                found.append(
                    (ts, "tick", m, 0, r.choice((0, 10, 50, 100, 100, 100, 200)), 0, False, 0)
                )
            elif draw < 0.06:
                found.append((ts, r.choice(("begin", "finish")), m, 0, 0, 0, False, 0))
            elif draw < 0.35:
                side = r.choice((BUY, SELL, BUY, SELL, 0))
                price = mid + 100 * r.randint(-2, 2) + r.choice((0, 0, 0, 30))
                found.append(
                    (
                        ts,
                        "trade",
                        m,
                        side,
                        price,
                        self._size(),
                        False,
                        r.choice((0, 0, 0, 1, 2, 3, 4)),
                    )
                )
            elif draw < 0.36:
                found.append((ts, "wallet", m, 0, 0, 0, False, r.randint(0, 4)))
            elif quotes and not (deep and r.random() < 0.5):
                side = r.choice((BUY, SELL))
                there = r.random() < 0.9
                price = mid - side * 100 * r.randint(0, 2)
                found.append((ts, "quote", m, side, price * there, self._size() * there, False, 0))
            else:
                found.append(self._level(m, ts, mid))
        if (deep or not quotes) and r.random() < 0.9:
            found = [*self._snapshot(m, 0, 5_000), *found]
        found = [
            (*row[:4], row[4] + base * (row[4] > 0 and row[1] != "tick"), *row[5:]) for row in found
        ]
        return [*found, (ts, "level", -1, BUY, 5_000, 1, False, 0)]

    def _deep(self, m: int, ts: int) -> Row:
        r = self.at_random
        side = r.choice((BUY, SELL))
        if r.random() < 0.4:
            price = 5_000 + 100 * side * r.choice((1, 1, 1, 2, 3))
            return (ts, "trade", m, side, price, r.randint(1, 20) * LOT, False, 0)
        price = 5_000 - 100 * side * r.randint(1, 3)
        return (ts, "level", m, side, price, r.randint(20, 200) * LOT, False, 0)

    def _level(self, m: int, ts: int, mid: int) -> Row:
        r = self.at_random
        side = r.choice((BUY, SELL))
        depth = r.choice((-1, 0, 1, 1, 1, 2, 2, 3, 4))
        price = mid - side * 100 * depth + r.choice((0, 0, 0, 0, 0, 0, 50, 10))
        size = 0 if depth <= 0 and r.random() < 0.7 else r.choice((0, 1, 1)) * self._size()
        if r.random() < 0.01:
            price = r.choice((0, -100, 10_000, 12_300))  # no price of a book
        return (ts, "level", m, side, price, size, False, 0)

    def _snapshot(self, m: int, ts: int, mid: int) -> list[Row]:
        r = self.at_random
        found: list[Row] = [(ts, "begin", m, 0, 0, 0, False, 0)]
        for side in (BUY, SELL):
            for depth in r.sample(range(1, 7), r.randint(0, 5)):
                price = mid - side * 100 * depth
                found.append((ts, "level", m, side, price, self._size(), False, 0))
        return [*found, (ts, "finish", m, 0, 0, 0, False, 0)]

    def _size(self) -> int:
        r = self.at_random
        times = r.randint(1, 20) if self.calm else 1
        return times * r.choice((1, 3, 5, 10, 30)) * LOT + r.choice((0, 0, 1, 123_456))
