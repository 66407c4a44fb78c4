"""Whole books, recorded again and again, as what changed from one to the next."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.units import Ns
from polyframe.store.tape_amounts import amounts
from polyframe.store.tape_recording import (
    AMOUNT,
    CROSSED,
    FINE,
    GAP,
    OFF_GRID,
    TWICE,
    UNEVEN,
    Ints,
    Part,
    Recording,
    part,
)
from polyframe.store.tape_rows import TapeKind

TICKS = (1_000, 100, 50, 25, 10, 1)
"""Price steps that Polymarket uses, in 1e-4. Source: its documentation of orders, 2026."""

WHY = (AMOUNT, FINE, UNEVEN, TWICE, OFF_GRID, CROSSED)
"""Why a book cannot be used, by 1 + their index; 0 for a good one."""

TICK_SEEN = "tick changes that nobody told, seen from the prices of a whole book"
EMPTY = "empty books"


class Snapshots(NamedTuple):
    """Books at moments, sorted by instrument and then by time.

    Shapes: all (n,). ``file`` indexes the files of the import, ``row`` counts from 1.
    """

    instrument: Ints
    ts: Ints
    ts_venue: Ints
    file: Ints
    row: Ints


class Levels(NamedTuple):
    """What rests in those books. ``fault`` is 1 + the index in ``WHY`` of what cannot be, else 0.

    Shapes: all (k,). Units: ``at`` indexes the snapshots; side, price and size as on a tape.
    """

    at: Ints
    side: Ints
    price: Ints
    size: Ints
    fault: Ints


def levels_of(at: Ints, side: Ints, price: NDArray[Any], size: NDArray[Any]) -> Levels:
    """The levels that the recorded columns mean. Shapes: all (k,)."""
    units = amounts(price, size)
    fault = np.where(units.wrong, WHY.index(AMOUNT) + 1, 0)
    fault[units.fine] = WHY.index(FINE) + 1
    return Levels(at, side, units.price, units.size, fault)


def book_parts(
    recording: Recording, files: list[str], books: Snapshots, levels: Levels, silence: Ns, end: Ns
) -> list[Part]:
    """The rows of these books: a whole one at first, after a gap and after a bad one, else changes.

    A book with an impossible amount, a price off every tick of the venue or twice, or a best bid at
    or above the best ask is set aside; until the next one the market's book is not to be trusted.
    Nor is a book behind which nothing came while the recording went on: it ends at ``end``.
    """
    n = len(books.ts)
    if not n:
        return []
    first = np.r_[True, np.diff(books.instrument) != 0]
    reason, tick = _judged(recording, books, levels, first)
    for code, why in enumerate(WHY, start=1):
        for index, file in enumerate(files):
            rows = books.row[(reason == code) & (books.file == index)]
            recording.put_aside(file, rows, f"book: {why}", [""] * len(rows))
    bad = reason != 0
    last = np.r_[first[1:], True]
    recording.last |= dict(
        zip(books.instrument[last].tolist(), books.ts[last].tolist(), strict=True)
    )
    quiet = np.zeros(n, np.bool_)  # nothing came for too long behind this one
    if silence:
        quiet = np.where(last, end, np.r_[books.ts[1:], 0]) - books.ts > silence
    whole = first | np.r_[False, (quiet | bad)[:-1]]
    good = levels.size > 0
    levels = Levels(*(column[good & ~bad[levels.at]] for column in levels))
    empty = np.bincount(levels.at, minlength=n) == 0
    recording.note(EMPTY, int((empty & ~bad).sum()))
    return [
        *_clears(recording, books, reason, quiet, silence),
        *_rows(books, levels, whole, ~bad, _retold(recording, books, tick, first, bad)),
    ]


def _judged(
    recording: Recording, books: Snapshots, levels: Levels, first: NDArray[np.bool_]
) -> tuple[Ints, Ints]:
    """Why each book cannot be used, and the tick in force at it."""
    n = len(books.ts)
    reason = np.zeros(n, np.int64)
    at, side, price = levels.at, levels.side, levels.price
    stated = np.array([market.tick for market in recording.markets], np.int64)[books.instrument]
    one = np.array([m.price_one for m in recording.markets], np.int64)[books.instrument]
    step = np.zeros(n, np.int64)
    np.gcd.at(step, at, price)
    seen = stated.copy()
    for size in TICKS[::-1]:
        fits = (stated % size == 0) & (step % size == 0) & (step % stated != 0)
        seen[fits] = size
    # One price off the tick is a fault; a second book with such prices says that the tick changed.
    off = step % stated != 0
    pair = off[1:] & off[:-1] & ~first[1:]
    told = off & (np.r_[pair, False] | np.r_[False, pair])
    tick = _accumulated(np.where(told, seen, stated), first)
    reason[step % tick != 0] = WHY.index(OFF_GRID) + 1
    order = np.lexsort((price, side, at))
    a, s, p = at[order], side[order], price[order]
    double = (a[1:] == a[:-1]) & (s[1:] == s[:-1]) & (p[1:] == p[:-1])
    best_bid, best_ask = np.zeros(n, np.int64), np.full(n, np.iinfo(np.int64).max)
    rests = levels.size > 0
    np.maximum.at(best_bid, at[rests & (side > 0)], price[rests & (side > 0)])
    np.minimum.at(best_ask, at[rests & (side < 0)], price[rests & (side < 0)])
    reason[best_bid >= best_ask] = WHY.index(CROSSED) + 1
    reason[at[(price <= 0) | (price >= one[at])]] = WHY.index(OFF_GRID) + 1
    reason[a[1:][double]] = WHY.index(TWICE) + 1
    for why in (UNEVEN, FINE, AMOUNT):
        reason[at[levels.fault == WHY.index(why) + 1]] = WHY.index(why) + 1
    return reason, tick


def _accumulated(tick: Ints, first: NDArray[np.bool_]) -> Ints:
    """The coarsest tick of the venue that suits a book and all before it of its instrument."""
    found = tick.copy()
    for begin, end in zip(np.flatnonzero(first), np.r_[np.flatnonzero(first)[1:], len(tick)],
                          strict=True):  # fmt: skip
        run = np.gcd.accumulate(tick[begin:end])
        if run[-1] != run[0]:
            for size in np.unique(run):
                run[run == size] = next((t for t in TICKS if size % t == 0), 1)
        found[begin:end] = run
    return found


def _retold(
    recording: Recording, books: Snapshots, tick: Ints, first: NDArray[np.bool_],
    bad: NDArray[np.bool_],
) -> tuple[Ints, Ints]:  # fmt: skip
    """The books before which the tick changed, and to what."""
    stated = np.array([market.tick for market in recording.markets], np.int64)[books.instrument]
    before = np.where(first, stated, np.r_[0, tick[:-1]])
    changed = np.flatnonzero((tick != before) & ~bad)
    recording.note(TICK_SEEN, len(changed))
    return changed, tick[changed]


def _clears(
    recording: Recording, books: Snapshots, reason: Ints, quiet: NDArray[np.bool_],
    silence: Ns,
) -> list[Part]:  # fmt: skip
    found = []
    silent = np.flatnonzero(quiet & (reason == 0))
    if len(silent):
        recording.cleared(GAP, len(silent))
        found.append(part(silent, books.ts[silent] + silence, TapeKind.CLEAR,
                          books.instrument[silent], aux=recording.reason(GAP)))  # fmt: skip
    # Behind a bad book stands a bad one: the market's book is not trusted already.
    again = (reason != 0) & np.r_[False, (reason[:-1] != 0) & (np.diff(books.instrument) == 0)]
    for code, why in enumerate(WHY, start=1):
        at = np.flatnonzero((reason == code) & ~again)
        if len(at):
            recording.cleared(why, len(at))
            found.append(part(at, books.ts[at], TapeKind.CLEAR, books.instrument[at],
                              ts_venue=books.ts_venue[at], aux=recording.reason(why)))  # fmt: skip
    return found


def _rows(
    books: Snapshots, levels: Levels, whole: NDArray[np.bool_], good: NDArray[np.bool_],
    ticks: tuple[Ints, Ints],
) -> list[Part]:  # fmt: skip
    """Marks, levels and ticks: one update a book."""
    n = len(books.ts)
    order = np.lexsort((levels.at, levels.price, levels.side, books.instrument[levels.at]))
    at, side, price, size = (column[order] for column in levels[:4])
    of = books.instrument[at]
    again = np.zeros(len(at), np.bool_)
    again[1:] = (of[1:] == of[:-1]) & (side[1:] == side[:-1]) & (price[1:] == price[:-1])
    again[1:] &= at[1:] == at[:-1] + 1
    follows = np.r_[again[1:], False]
    again &= ~whole[at]
    told = ~again
    told[1:] |= size[1:] != size[:-1]
    nxt = np.minimum(at + 1, n - 1)
    gone = ~follows & (at + 1 < n) & (books.instrument[nxt] == of) & ~whole[nxt] & good[nxt]
    marks = np.flatnonzero(whole & good)
    count = np.bincount(at, minlength=n)[marks]
    where = np.concatenate([ticks[0], marks, at[told], nxt[gone], marks])
    n_told, n_gone = int(told.sum()), int(gone.sum())
    kinds = np.repeat(
        [TapeKind.TICK, TapeKind.SNAPSHOT_BEGIN, TapeKind.LEVEL, TapeKind.LEVEL,
         TapeKind.SNAPSHOT_END],
        [len(ticks[0]), len(marks), n_told, n_gone, len(marks)],
    )  # fmt: skip
    zero_ticks, zero_marks = np.zeros(len(ticks[0]), np.int64), np.zeros(len(marks), np.int64)
    found = part(
        where,
        books.ts[where],
        kinds,
        books.instrument[where],
        ts_venue=books.ts_venue[where],
        side=np.concatenate([zero_ticks, zero_marks, side[told], side[gone], zero_marks]),
        price=np.concatenate([ticks[1], zero_marks, price[told], price[gone], zero_marks]),
        size=np.concatenate([zero_ticks, zero_marks, size[told], size[gone] * 0, zero_marks]),
        aux=np.concatenate([zero_ticks, count, at[told] * 0, at[gone] * 0, count]),
    )
    return [found]
