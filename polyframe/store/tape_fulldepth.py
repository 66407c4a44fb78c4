"""Polymarket books of full depth and trades, recorded in columns, as rows of a tape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.units import MILLISECOND, SECOND, Ns
from polyframe.errors import DataError
from polyframe.store.parquet import reading
from polyframe.store.tape_columns import Lists, lists, numbers, stacked, texts
from polyframe.store.tape_recording import (
    NO_TIME,
    ORDER,
    UNEVEN,
    Columns,
    Ints,
    Lookup,
    Part,
    Recording,
    drop,
    highest,
    joined,
    known,
    part,
)
from polyframe.store.tape_rows import TapeKind
from polyframe.store.tape_snapshots import WHY, Levels, Snapshots, book_parts, levels_of
from polyframe.store.tape_times import moments
from polyframe.store.tape_top5 import MIRROR, differing
from polyframe.store.tape_traded import Traded

SILENCE = 30 * SECOND
KEYS = ("interval", "asset", "window_start_s")
TIMES = ("ts_ms", "recv_ms")
BOOK = ("bid_px", "bid_sz", "ask_px", "ask_sz")
TRADE = ("price", "size", "side")
FORM = "polymarket-depth"


class _Table(NamedTuple):
    """A file's columns: names of the market, times in ns (0: none), and what books or trades say.

    Shapes: all (n,), lists of n.
    """

    keys: tuple[NDArray[Any], ...]
    token: NDArray[Any]
    recv: Ints
    venue: Ints
    of: dict[str, Any]


class _Rows(NamedTuple):
    """Rows of known markets: where they come from, whose they are, when, and what they hold."""

    at: Ints
    """their place among the rows of all files of their kind"""
    file: Ints
    row: Ints
    instrument: Ints
    no: NDArray[np.bool_]
    ts: Ints
    ts_venue: Ints

    def only(self, rows: NDArray[np.bool_]) -> _Rows:
        """Those of them that are marked."""
        columns: tuple[Any, ...] = self
        return _Rows(*(column[rows] for column in columns))


def convert(
    files: Sequence[Path], lookup: Lookup, recording: Recording, silence: Ns = SILENCE
) -> Iterator[Columns]:
    """The rows of these files, all at once; a market is found by its slug.

    Where both tokens of a market were recorded, NO's books only prove YES's; trades of both count.
    A book that is older, by the venue's clock, than the one before it is set aside.

    Raises:
        DataError: a file is damaged or holds neither books nor trades of this form.
    """
    tables = [_read(path) for path in files]
    names = [path.name for path in files]
    for name, table in zip(names, tables, strict=True):
        recording.rows[name] = len(table.recv)
    end = max((int(table.recv.max(initial=0)) for table in tables), default=0)
    books = [(i, t) for i, t in enumerate(tables) if BOOK[0] in t.of]
    prints = [(i, t) for i, t in enumerate(tables) if BOOK[0] not in t.of]
    parts: list[Part] = []
    if prints:
        rows = _known_rows(prints, lookup, recording)
        parts += _trades(recording, rows, {n: stacked([t.of[n] for _, t in prints]) for n in TRADE})
    if books:
        rows = _known_rows(books, lookup, recording, whole=True)
        whole = {name: Lists(*map(stacked, zip(*(t.of[name] for _, t in books), strict=True)))
                 for name in BOOK}  # fmt: skip
        parts += _books(recording, names, rows, whole, silence, end)
    columns = joined(parts)
    if len(columns["ts"]):
        yield columns


def _read(path: Path) -> _Table:
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    with reading(path):
        file = pq.ParquetFile(path)
        have = set(file.schema_arrow.names)
        for kind in (BOOK, TRADE):
            wanted = (*KEYS, "token", *TIMES, *kind)
            if have.issuperset(wanted):
                table = file.read(columns=list(wanted))
                break
        else:
            raise DataError(
                f"{path} has the columns {', '.join(sorted(have))}",
                expected=f"{', '.join((*KEYS, 'token', *TIMES))} and those of books "
                f"({', '.join(BOOK)}) or of trades ({', '.join(TRADE)})",
                hint="polyframe data import tape FILE --format FORMAT names another form",
            )
    venue, recv = (moments(path, table[name], name, "ms")[0] for name in TIMES)
    form = dict.fromkeys(kind, lists if kind is BOOK else numbers) | {"side": texts}
    return _Table(
        tuple(texts(path, table, name) for name in KEYS), texts(path, table, "token"), recv, venue,
        {name: form[name](path, table, name) for name in kind},
    )  # fmt: skip


def _known_rows(
    tables: list[tuple[int, _Table]], lookup: Lookup, recording: Recording, *, whole: bool = False
) -> _Rows:
    sizes = [len(t.recv) for _, t in tables]
    file = np.repeat([i for i, _ in tables], sizes).astype(np.int64)
    row = np.concatenate([np.arange(n) + 1 for n in sizes]).astype(np.int64)
    asset, interval, window = (
        np.concatenate([t.keys[KEYS.index(name)] for _, t in tables])
        for name in ("asset", "interval", "window_start_s")
    )
    names, place = np.unique(_slug(asset, interval, window), return_inverse=True)
    instrument = np.full(len(names), -1, np.int64)
    for at, (slug, count) in enumerate(zip(names, np.bincount(place), strict=True)):
        market = lookup.names.get(str(slug))
        if market is not None:
            instrument[at] = recording.instrument(market)
        elif lookup.only is None:
            recording.unknown[str(slug)] += int(count)
        else:
            recording.note("rows of other markets", int(count))
    token, recv, venue = (
        np.concatenate([getattr(t, name) for _, t in tables]) for name in ("token", "recv", "venue")
    )
    used = np.flatnonzero(instrument[place] >= 0)
    rows = _Rows(used, file[used], row[used], instrument[place][used], token[used] == "down",
                 recv[used], venue[used])  # fmt: skip
    odd = ~np.isin(token[used], ["up", "down"])
    rows = _without(recording, rows, odd, "token is neither up nor down", token)
    for name in ("ts", "ts_venue"):
        rows = _without(recording, rows, getattr(rows, name) == 0, NO_TIME, token)
    if whole:
        back = rows.ts_venue < highest(rows.ts_venue, rows.instrument * 2 + rows.no)
        rows = _without(recording, rows, back, f"book: {ORDER}", venue // MILLISECOND)
    return rows._replace(ts=known(recording, rows.ts, rows.instrument * 2 + rows.no))


def _without(
    recording: Recording, rows: _Rows, bad: NDArray[np.bool_], why: str, values: NDArray[Any]
) -> _Rows:
    return rows.only(drop(recording, rows.file, rows.row, bad, why, values[rows.at]))


def _slug(asset: NDArray[Any], interval: NDArray[Any], window: NDArray[Any]) -> NDArray[Any]:
    """Polymarket's slug of a market on where a coin stands at the end of a window."""
    words: NDArray[Any] = asset
    for word in ("-updown-", interval, "-", window):
        words = np.char.add(words, word)
    return words


def _books(
    recording: Recording, names: list[str], rows: _Rows, whole: dict[str, Lists], silence: Ns,
    end: Ns,
) -> list[Part]:  # fmt: skip
    from_yes = np.unique(rows.instrument[~rows.no])
    used = ~rows.no | ~np.isin(rows.instrument, from_yes)
    _prove(recording, rows, whole)
    at = np.flatnonzero(used)
    order = at[np.lexsort((rows.row[at], rows.file[at], rows.ts[at], rows.instrument[at]))]
    books = Snapshots(rows.instrument[order], rows.ts[order], rows.ts_venue[order],
                      rows.file[order], rows.row[order])  # fmt: skip
    return book_parts(recording, names, books, _levels(rows, whole, order), silence, end)


def _levels(rows: _Rows, whole: dict[str, Lists], order: Ints) -> Levels:
    """The levels of these rows in YES space; ``at`` counts along ``order``."""
    place, no = rows.at[order], rows.no[order]
    parts = []
    for sign, side in ((1, "bid"), (-1, "ask")):
        prices, sizes = (whole[f"{side}_{what}"] for what in ("px", "sz"))
        # As many prices as sizes, or nothing can be said; nor of a list that is not there.
        even = (prices.length[place] == sizes.length[place]) & (prices.length[place] >= 0)
        some, odd = np.flatnonzero(even), np.flatnonzero(~even)
        (at, px), (_, sz) = (lists.picked(place[some]) for lists in (prices, sizes))
        found = levels_of(some[at], np.full(len(at), sign), px, sz)
        none = odd * 0
        parts += [found, Levels(odd, none + sign, none, none, none + WHY.index(UNEVEN) + 1)]
    levels = Levels(*(np.concatenate(pair) for pair in zip(*parts, strict=True)))
    flipped = no[levels.at]
    return levels._replace(
        side=np.where(flipped, -levels.side, levels.side),
        price=np.where(flipped, 10_000 - levels.price, levels.price),
    )


def _prove(recording: Recording, rows: _Rows, whole: dict[str, Lists]) -> None:
    """Counts the moments of the venue at which the books of both tokens are no mirror images."""
    key = rows.instrument * (int(rows.ts_venue.max(initial=0)) // MILLISECOND + 1)
    key = key + rows.ts_venue // MILLISECOND
    yes, no = np.flatnonzero(~rows.no), np.flatnonzero(rows.no)
    shared, a, b = np.intersect1d(key[yes], key[no], return_indices=True)
    if len(shared):
        found = differing(len(shared), _levels(rows, whole, yes[a]), _levels(rows, whole, no[b]))
        recording.note(MIRROR, int(found.sum()))


def _trades(recording: Recording, rows: _Rows, of: dict[str, NDArray[Any]]) -> list[Part]:
    told = Traded.of(*(of[name][rows.at] for name in ("side", "price", "size")))
    good = told.good(recording, rows.file, rows.row)
    kept = rows.only(good)
    return [
        part(np.flatnonzero(good), kept.ts, TapeKind.TRADE, kept.instrument,
             ts_venue=kept.ts_venue, **told.columns(good, kept.no))
    ]  # fmt: skip
