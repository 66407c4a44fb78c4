"""Equity sampled and mids of the hour kept while a tape plays, against sums made anew each time."""

from __future__ import annotations

import random

import numpy as np
import pytest
from l2_driver import Desk
from l2_streams import Chance, Stream
from l2_twin import Twin

from polyframe.kernels import bars_nb as nb
from polyframe.kernels import l2columns_nb as c
from polyframe.kernels import tables_nb as t

ONE = 10_000
HOUR = nb.GRID_STEP
START = 5 * HOUR


class Plain:
    """What a holder of some shares is worth by the best prices told so far."""

    def __init__(self, twin: Twin, shares: list[tuple[int, int]]) -> None:
        self.twin, self.shares = twin, shares
        self.marks = [[0, 0] for _ in shares]
        self.quotes = [(0, 0)] * len(shares)
        self.mids: dict[tuple[int, int], int] = {}
        """by market and hour, the last of the hour"""
        self.seen = [0] * len(shares)
        """how often a mid was kept, each in the ring of mids too"""
        self.read = 0

    def hear(self) -> None:
        """Takes note of the best prices told since."""
        for m, ts, bid, ask in self.twin.tops[self.read :]:
            self.quotes[m] = (bid, ask)
            for side, price in enumerate((bid, ask)):
                if price:
                    self.marks[m][side] = price
            self._keep(m, ts)
        self.read = len(self.twin.tops)

    def turn(self, hour: int) -> None:
        """A new hour begins with the mids that stand."""
        for m in range(len(self.quotes)):
            if (m, hour // HOUR) not in self.mids:
                self._keep(m, hour)

    def _keep(self, m: int, ts: int) -> None:
        if all(self.quotes[m]):
            self.mids[m, ts // HOUR] = sum(self.quotes[m])
            self.seen[m] += 1

    @property
    def equity(self) -> int:
        worth = 0
        for (yes, no), (bid, ask) in zip(self.shares, self.marks, strict=True):
            worth += yes * bid // ONE + (no * (ONE - ask) // ONE if ask else 0)
        return worth


@pytest.mark.parametrize("seed", range(30))
def test_equity_is_sampled_and_hours_are_kept(seed: int) -> None:
    at_random = random.Random(seed)
    stream = Chance(at_random).stream(150)
    rows = [(row[0] * HOUR // 4 + START, *row[1:]) for row in stream.rows]
    step = HOUR // at_random.choice((1, 2, 4))
    shares = [(at_random.randrange(10**8), at_random.randrange(10**8)) for _ in stream.rules]
    shares = [
        own if not r.base else (own[0], 0) for own, r in zip(shares, stream.rules, strict=True)
    ]
    twin = Twin(stream.rules, stream.venue, stream.wishes)
    plain = Plain(twin, shares)
    samples, due, before = [], (rows[0][0] // step + 1) * step, 0
    for row in rows:
        while due <= row[0]:
            samples.append((before, plain.equity))
            plain.turn(due)
            due += step
        twin.play(row)
        plain.hear()
        before = row[0]
    found, book, grid = sampled(stream, rows, shares, step, before)
    assert found == samples
    for m in range(len(shares)):
        assert int(book[m, nb.B_SEEN]) == plain.seen[m]
        last = int(book[m, nb.B_HOUR])
        for hour in range(max(last - nb.GRID + 1, 0), last + 1):
            assert grid[m, hour % nb.GRID] == plain.mids.get((m, hour), 0), f"hour {hour}"


def sampled(
    stream: Stream, rows: list, shares: list[tuple[int, int]], step: int, last: int
) -> tuple[list[tuple[int, int]], np.ndarray, np.ndarray]:
    """The same by the kernels: the samples, the books' rows, and the grids of hours."""
    desk = Desk(stream.rules, stream.venue, rows, stream.wishes, end=last)
    book, marks, history, grid, wakes, prints, wallets, tokens, value, exits, _, _ = desk._seen
    tokens[t.T_SHARES, :] = np.array(shares, np.int64).reshape(-1)
    marks[-1, nb.E_STEP] = step
    desk.tables.at[c.C_HOUR] = (rows[0][0] // step + 1) * step
    out = np.zeros((2, last // step + 9), np.int64)
    desk._seen = (
        book, marks, history, grid, wakes, prints, wallets, tokens, value, exits, out[0], out[1],
    )  # fmt: skip
    desk.play(1 << 61)
    n = int(marks[-1, nb.E_COUNT])
    assert int(marks[0, nb.E_NOW]) == int(marks[-1, nb.E_NOW])
    return list(zip(out[0, :n].tolist(), out[1, :n].tolist(), strict=True)), book, grid
