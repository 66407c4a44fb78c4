"""Finds recorded prices behind which no quote stood.

The recorded price of a market without a real book is the middle of nothing: one half, or near it.
The same happens on a smaller scale when one side of a book runs empty: the mid moves towards one
half and back. Five shapes give it away; each is one bit of :class:`polyframe.domain.quality.Flag`.
The thresholds were chosen on recorded weekly stock markets; docs/data.md has the figures.

The rules look at a whole recording, later rows included. They may only be used to refuse trades,
never to choose them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.quality import UNQUOTED, Flag
from polyframe.domain.units import HOUR, MILLISECOND, Ns, Price

Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
Flags: TypeAlias = NDArray[np.uint8]

HALF = 5_000


@dataclass(frozen=True, slots=True)
class UnquotedRules:
    """Thresholds of the detector.

    Units: prices in 1e-4, durations in ns, counts in rows.
    """

    band: Price = 350
    """near one half: no further away than this"""
    flat_for: Ns = 3 * HOUR
    """a stretch near one half that lasts this long is FLAT"""
    flat_rows: int = 3
    """... and has at least this many rows"""
    flat_step: Price = 100
    """... no two of which, one after the other, differ by more"""
    still_band: Price = 1_600
    """further out, up to here, a price that stands still is FLAT as well"""
    still_range: Price = 100
    """... standing still: highest and lowest this close together"""
    still_for: Ns = 5 * HOUR
    """... for this long"""
    still_rows: int = 6
    """... over at least this many rows"""
    rest_band: Price = 3_500
    """up to here a price that stands still, by the same measures, for a whole day is FLAT too"""
    rest_for: Ns = 24 * HOUR
    """... the day"""
    adjoin_band: Price = 1_000
    """a stretch this near one half is FLAT as a whole ..."""
    adjoin_share: tuple[int, int] = (1, 2)
    """... when at least this part of its rows is unquoted by the rules above"""
    island_rows: int = 6
    """so few rows or fewer between two unquoted stretches are a SPIKE as well"""
    relapse_jump: Price = 500
    """a lone exact half is a RELAPSE when the price jumped at least this far to or from it"""
    spike_bands: tuple[Price, ...] = tuple(range(1_000, 4_501, 500))
    """a SPIKE goes to within one of these of one half"""
    spike_rows: int = 12
    """... stays for at most this many rows"""
    spike_jump: Price = 1_000
    """... and the price before and after is at least this far away, on the same side"""
    ladder_slack: Price = 300
    """sibling strikes may contradict each other by this much: half-spreads and stale quotes"""
    ladder_bucket: Ns = HOUR
    """sibling prices within the same bucket count as simultaneous"""
    near_rows: int = 3
    """NEAR: this many rows or fewer from an unquoted one"""
    gap_for: Ns = 3 * HOUR
    """GAP: the row before is further back than this"""


DEFAULT_RULES = UnquotedRules()


@dataclass(frozen=True, slots=True)
class Ladder:
    """Positions of sibling strikes in the market column, strikes ascending."""

    markets: Sequence[int]
    strikes: Sequence[float]


def flag_prices(
    market: NDArray[Any],
    ts: Ints,
    price: NDArray[Any],
    ladders: Sequence[Ladder] = (),
    rules: UnquotedRules = DEFAULT_RULES,
) -> Flags:
    """One set of Flag bits a row.

    Shapes: market (n,), ts (n,), price (n,) -> (n,); rows sorted by market, then ts.
    Units: ts ns, price 1e-4 of YES.
    """
    market, price = np.asarray(market, np.int64), np.asarray(price, np.int64)
    flags: Flags = np.zeros(len(price), np.uint8)
    if not len(price):
        return flags
    starts = _starts(market)
    _mark(flags, leading(price, starts), Flag.LEADING)
    _mark(flags, flat(ts, price, starts, rules), Flag.FLAT)
    _mark(flags, still(market, ts, price, rules.still_band, rules.still_for, rules), Flag.FLAT)
    _mark(flags, still(market, ts, price, rules.rest_band, rules.rest_for, rules), Flag.FLAT)
    _mark(flags, relapses(price, starts, flags, rules), Flag.RELAPSE)
    _mark(flags, spikes(price, starts, rules), Flag.SPIKE)
    for ladder in ladders:
        rows = _rows_of(market, ladder.markets)
        trusted = (flags[rows] & UNQUOTED) == 0
        bad = contradictions(market[rows], ts[rows], price[rows], trusted, ladder, rules)
        _mark(flags, rows[bad], Flag.LADDER)
    _mark(flags, adjoining(price, starts, flags, rules), Flag.FLAT)
    _mark(flags, islands(starts, flags, rules.island_rows), Flag.SPIKE)
    _mark(flags, near(flags, starts, rules.near_rows), Flag.NEAR)
    _mark(flags, gaps(ts, starts, rules.gap_for), Flag.GAP)
    return flags


def leading(price: Ints, starts: Bools) -> Bools:
    """Rows of exactly one half from the start of a market's life on."""
    other = (price != HALF).astype(np.int64)
    seen = np.cumsum(other)
    before = (seen - other)[starts][np.cumsum(starts) - 1]
    result: Bools = (seen - before) == 0
    return result


def flat(ts: Ints, price: Ints, starts: Bools, rules: UnquotedRules) -> Bools:
    """Rows of long stretches near one half."""
    close = np.abs(price - HALF) <= rules.band
    step = np.abs(np.diff(price, prepend=price[0])) > rules.flat_step
    run, first, last = _runs(close, starts | step)
    long = (ts[last] - ts[first] >= rules.flat_for) & (last - first + 1 >= rules.flat_rows)
    result: Bools = close & long[run]
    return result


def still(
    market: Ints, ts: Ints, price: Ints, band: Price, long: Ns, rules: UnquotedRules
) -> Bools:
    """Rows of windows of a length, in a band around one half, in which the price stands still.

    A live market so far from certain moves within hours, and further out within a day.
    """
    n = len(price)
    rows = np.arange(n)
    # One ascending key a row: milliseconds within the market's life, lives far apart.
    starts = _starts(market)
    rank = np.cumsum(starts) - 1
    age = (ts - ts[np.flatnonzero(starts)][rank]) // MILLISECOND
    wait = long // MILLISECOND
    key = rank * (int(age.max()) + wait + 1) + age
    until = np.searchsorted(key, key + wait)
    last = np.maximum(until, rows + rules.still_rows - 1)
    fits = last < n
    last = np.minimum(last, n - 1)
    fits &= rank[last] == rank
    high, low = _extremes(price, rows, last)
    quiet = fits & (high - low <= rules.still_range)
    quiet &= (high - HALF <= band) & (HALF - low <= band)
    edges = np.zeros(n + 1, np.int64)
    np.add.at(edges, rows[quiet], 1)
    np.add.at(edges, last[quiet] + 1, -1)
    result: Bools = np.cumsum(edges)[:-1] > 0
    return result


def relapses(price: Ints, starts: Bools, flags: Flags, rules: UnquotedRules) -> Bools:
    """Rows at exactly one half in mid-life, unless the price only passed through."""
    exact = (price == HALF) & ((flags & Flag.LEADING) == 0)
    run, first, last = _runs(exact, starts)
    before, after = _neighbours(price, starts, first, last)
    jumped = np.maximum(np.abs(before - HALF), np.abs(after - HALF)) >= rules.relapse_jump
    stayed = last > first
    inside = (flags[first] & Flag.FLAT) != 0
    result: Bools = exact & (jumped | stayed | inside)[run]
    return result


def spikes(price: Ints, starts: Bools, rules: UnquotedRules) -> Bools:
    """Rows of short visits nearer to one half, with a jump there and a jump back.

    When one side of a book runs empty, the mid goes towards one half, however far it gets.
    """
    found = np.zeros(len(price), np.bool_)
    for band in rules.spike_bands:
        inside = np.abs(price - HALF) <= band
        run, first, last = _runs(inside, starts)
        before, after = _neighbours(price, starts, first, last)
        whole = (before != HALF) & (after != HALF)
        same_side = (before > HALF) == (after > HALF)
        # Away from the stretch itself, not only from one half: a drift is no spike.
        far = (np.abs(before - price[first]) >= rules.spike_jump) & (
            np.abs(after - price[last]) >= rules.spike_jump
        )
        short = last - first < rules.spike_rows
        found |= inside & (whole & same_side & far & short)[run]
    return found


def contradictions(
    market: Ints, ts: Ints, price: Ints, trusted: Bools, ladder: Ladder, rules: UnquotedRules
) -> Bools:
    """Rows that say a higher strike is likelier than a lower one.

    Among trusted rows the one that contradicts most siblings is blamed first, among equals the one
    nearer one half, until none contradict. Untrusted rows are blamed when they contradict a row
    that survived: that confirms the finding, it decides nothing.
    """
    wide = np.argsort(np.asarray(ladder.strikes), kind="stable")
    column = {ladder.markets[int(i)]: rank for rank, i in enumerate(wide)}
    strikes = np.asarray(ladder.strikes, np.float64)[wide]
    columns = np.array([column[int(m)] for m in market], np.int64)
    buckets, row = np.unique(ts // rules.ladder_bucket, return_inverse=True)
    table = np.full((len(buckets), len(strikes)), -1, np.int64)
    table[row, columns] = price
    sure = np.zeros(table.shape, np.bool_)
    sure[row, columns] = trusted
    # lower[i, j]: strike i is below strike j, so the price of i must not be below that of j.
    lower = strikes[:, None] < strikes[None, :]
    wrong = (table[:, None, :] - table[:, :, None] > rules.ladder_slack) & lower
    wrong &= (table >= 0)[:, :, None] & (table >= 0)[:, None, :]
    clash = wrong | wrong.transpose(0, 2, 1)
    standing = sure.copy()
    centre = HALF + 1 - np.minimum(np.abs(table - HALF), HALF)
    for _ in strikes:
        counts = (clash & standing[:, None, :] & standing[:, :, None]).sum(axis=2)
        worst = np.argmax(counts * (HALF + 2) + centre * (counts > 0), axis=1)
        hit = np.flatnonzero(counts[np.arange(len(table)), worst] > 0)
        if not len(hit):
            break
        standing[hit, worst[hit]] = False
    blamed = (table >= 0) & ~standing & (sure | (clash & standing[:, None, :]).any(axis=2))
    result: Bools = blamed[row, columns]
    return result


def adjoining(price: Ints, starts: Bools, flags: Flags, rules: UnquotedRules) -> Bools:
    """The plain rows of stretches not far from one half that are unquoted for the most part.

    A book that fills slowly moves the mid of nothing a little before it makes a price.
    """
    close = np.abs(price - HALF) <= rules.adjoin_band
    run, first, last = _runs(close, starts)
    bad = (flags & UNQUOTED) != 0
    count = np.add.reduceat(bad.astype(np.int64), first)
    part, whole = rules.adjoin_share
    mostly = (count > 0) & (count * whole >= (last - first + 1) * part)
    result: Bools = close & mostly[run] & ~bad
    return result


def islands(starts: Bools, flags: Flags, rows: int) -> Bools:
    """Short runs of plain rows with an unquoted row before and behind: a book that did not last."""
    plain = (flags & UNQUOTED) == 0
    run, first, last = _runs(plain, starts)
    ends = np.append(starts[1:], True)
    enclosed = ~starts[first] & ~ends[last] & (last - first < rows)
    result: Bools = plain & enclosed[run]
    return result


def near(flags: Flags, starts: Bools, rows: int) -> Bools:
    """Plain rows within ``rows`` rows of an unquoted one of the same market."""
    bad = (flags & UNQUOTED) != 0
    lives = np.cumsum(starts)
    around = np.zeros(len(flags), np.bool_)
    for shift in range(1, rows + 1):
        same = lives[shift:] == lives[:-shift]
        around[shift:] |= bad[:-shift] & same
        around[:-shift] |= bad[shift:] & same
    result: Bools = around & ~bad
    return result


def gaps(ts: Ints, starts: Bools, longest: Ns) -> Bools:
    """First rows after a hole."""
    result: Bools = (np.diff(ts, prepend=ts[:1]) > longest) & ~starts
    return result


def _mark(flags: Flags, rows: NDArray[Any], flag: Flag) -> None:
    flags[rows] |= np.uint8(flag)


def _starts(market: Ints) -> Bools:
    starts: Bools = np.ones(len(market), np.bool_)
    starts[1:] = market[1:] != market[:-1]
    return starts


def _runs(member: Bools, starts: Bools) -> tuple[Ints, Ints, Ints]:
    """The run each row belongs to, and the first and last row of every run."""
    begin = starts.copy()
    begin[1:] |= member[1:] != member[:-1]
    first = np.flatnonzero(begin)
    last = np.append(first[1:], len(member)) - 1
    return np.cumsum(begin) - 1, first, last


def _extremes(price: Ints, first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """Highest and lowest price of row ranges, both ends included, from tables of doubled ranges."""
    level = np.frexp((last - first + 1).astype(np.float64))[1] - 1
    high, low = price.copy(), price.copy()
    top, bottom = price.copy(), price.copy()
    for k in range(int(level.max()) + 1):
        at = level == k
        second = last[at] - (1 << k) + 1
        top[at] = np.maximum(high[first[at]], high[second])
        bottom[at] = np.minimum(low[first[at]], low[second])
        half = 1 << k
        high[:-half] = np.maximum(high[:-half], high[half:])
        low[:-half] = np.minimum(low[:-half], low[half:])
    return top, bottom


def _neighbours(price: Ints, starts: Bools, first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """The prices before and after runs; one half where the market's life begins or ends."""
    n = len(price)
    before = np.where(starts[first], HALF, price[np.maximum(first - 1, 0)])
    ends = np.append(starts[1:], True)
    after = np.where(ends[last], HALF, price[np.minimum(last + 1, n - 1)])
    return before, after


def _rows_of(market: Ints, wanted: Sequence[int]) -> Ints:
    """Rows of some markets; the column is sorted."""
    keys = np.asarray(sorted(wanted), np.int64)
    low, high = np.searchsorted(market, keys, "left"), np.searchsorted(market, keys, "right")
    parts = [np.arange(a, b, dtype=np.int64) for a, b in zip(low, high, strict=True)]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)
