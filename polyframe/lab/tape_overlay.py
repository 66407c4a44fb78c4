"""Recorded books in which something else happened: a gap, a silence. Nothing else is changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.api.exchange import Exchange
from polyframe.domain.market import Market
from polyframe.domain.units import Ns, Price
from polyframe.kernels import book_nb as b
from polyframe.runtime.tape_data import Played
from polyframe.runtime.tape_mids import Books
from polyframe.store.tape import Segment, Tape, TapeFlag, TapeKind
from polyframe.store.tape_held import HeldSegment
from polyframe.store.tape_rows import COLUMNS

Columns = dict[str, NDArray[Any]]
PRICED = (TapeKind.LEVEL, TapeKind.TRADE, TapeKind.QUOTE_BID, TapeKind.QUOTE_ASK)


class Gap(NamedTuple):
    """From ``ts`` on every price of a market is ``by`` away from where it was."""

    market: int
    ts: Ns
    by: Price


# ---- a silence -----------------------------------------------------------------------------------


def silenced(played: Played, start: Ns, end: Ns) -> Played:
    """A tape of which nothing is heard in ``start <= ts < end``: all of it arrives at the end.

    The rows keep their order and are one update: own orders that stood meet what happened, and
    nobody is woken before all of it is known.
    """
    segments = [_silenced(segment, start, end) for segment in played.tape.segments]
    return replace(played, tape=Tape(played.tape.path, tuple(segments)))


def _silenced(segment: Segment, start: Ns, end: Ns) -> Segment:
    first, last = (int(np.searchsorted(segment["ts"], ts, side="left")) for ts in (start, end))
    if first == last:
        return segment
    ts, flag = np.array(segment["ts"]), np.array(segment["flag"])
    ts[first:last] = end
    more = last if last == segment.rows and segment.last_ts < end else last - 1
    flag[first:more] |= int(TapeFlag.MORE)
    return HeldSegment(segment, {**_columns(segment), "ts": ts, "flag": flag})


def _columns(segment: Segment) -> Columns:
    return {name: segment[name] for name in COLUMNS}


# ---- a gap ---------------------------------------------------------------------------------------


def gapped(played: Played, gap: Gap, markets: list[Market], exchange: Exchange) -> Played:
    """A tape on which a market's book jumps at once, and stays as far away as it jumped.

    Levels that would stand outside of the prices there are are gone.
    """
    books, segments, done = Books(played, markets, exchange), [], False
    market = markets[gap.market]
    for segment in played.tape.segments:
        row = 0
        jump: list[tuple[int, int, int]] = []
        if not done and segment.last_ts >= gap.ts:
            row = _boundary(segment, gap.ts)
            done = row < segment.rows
            for _ in books.play(segment, row):
                pass
            jump = _book(books, gap, market) if done else []
        elif not done:
            for _ in books.play(segment):
                pass
        segments.append(_shifted(segment, row, jump, gap, market) if done else segment)
    return replace(played, tape=Tape(played.tape.path, tuple(segments)))


def _boundary(segment: Segment, ts: Ns) -> int:
    """The first row from a moment on that begins an update."""
    row = int(np.searchsorted(segment["ts"], ts, side="left"))
    flag = segment["flag"]
    while 0 < row < segment.rows and int(flag[row - 1]) & TapeFlag.MORE:
        row += 1
    return row


def _book(books: Books, gap: Gap, market: Market) -> list[tuple[int, int, int]]:
    """The levels of the standing book after the jump: side, price, size."""
    state, levels = books.venue.desk[gap.market], books.venue.levels
    tick, base = int(state[b.K_TICK]), int(state[b.K_BASE])
    found = []
    for s, side in ((0, 1), (1, -1)):
        line = levels[2 * gap.market + s]
        for step in np.flatnonzero(line).tolist():
            price = base + tick * step + gap.by
            if 0 < price < (market.price_one if market.binary else market.max_price):
                found.append((side, price, int(line[step])))
    return found


def _shifted(
    segment: Segment, row: int, jump: list[tuple[int, int, int]], gap: Gap, market: Market
) -> Segment:
    if market.yes.id not in segment.instruments:
        return segment
    own = segment.instruments.index(market.yes.id)
    columns = {name: np.array(segment[name]) for name in COLUMNS}
    later = np.arange(segment.rows) >= row
    priced = np.isin(columns["kind"], PRICED) & (columns["price"] > 0)
    moved = later & priced & (columns["instrument"] == own)
    columns["price"][moved] += gap.by
    # Nobody trades outside of the prices there are.
    most = market.price_one if market.binary else market.max_price
    tick = market.tick
    trades = moved & (columns["kind"] == TapeKind.TRADE)
    columns["price"][trades] = np.clip(columns["price"][trades], tick, most - tick)
    out = moved & ((columns["price"] <= 0) | (columns["price"] >= most))
    columns["price"][out & (columns["kind"] == TapeKind.LEVEL)] = most
    gone = out & np.isin(columns["kind"], (TapeKind.QUOTE_BID, TapeKind.QUOTE_ASK))
    columns["price"][gone] = columns["size"][gone] = 0
    if jump:
        ts = int(segment["ts"][row])
        rows = _snapshot(ts, own, jump)
        columns = {name: np.insert(columns[name], row, rows[name]) for name in COLUMNS}
    return HeldSegment(segment, columns)


def _snapshot(ts: Ns, instrument: int, levels: list[tuple[int, int, int]]) -> Columns:
    """A snapshot as one update."""
    n = len(levels) + 2
    columns = {name: np.zeros(n, dtype) for name, dtype in COLUMNS.items()}
    columns["ts"][:], columns["instrument"][:] = ts, instrument
    columns["kind"][:] = TapeKind.LEVEL
    columns["kind"][[0, -1]] = TapeKind.SNAPSHOT_BEGIN, TapeKind.SNAPSHOT_END
    columns["aux"][[0, -1]] = len(levels)
    columns["flag"][:-1] = int(TapeFlag.MORE)
    for k, (side, price, size) in enumerate(levels, 1):
        columns["side"][k], columns["price"][k], columns["size"][k] = side, price, size
    return columns
