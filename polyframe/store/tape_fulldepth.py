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
from polyframe.store.tape_amounts import exact_units
from polyframe.store.tape_recording import (
    AMOUNT,
    OFF_GRID,
    Columns,
    Ints,
    Lookup,
    Part,
    Recording,
    joined,
    known,
    part,
)
from polyframe.store.tape_rows import TapeKind
from polyframe.store.tape_snapshots import Levels, Snapshots, book_parts
from polyframe.store.tape_top5 import MIRROR, differing

SILENCE = 30 * SECOND
KEYS = ("interval", "asset", "window_start_s")
TIMES = ("ts_ms", "recv_ms")
BOOK = ("bid_px", "bid_sz", "ask_px", "ask_sz")
TRADE = ("price", "size", "side")
FORM = "polymarket-depth"


class _Rows(NamedTuple):
    """Rows of known markets: where they come from, whose they are, when, and what they hold."""

    file: Ints
    row: Ints
    instrument: Ints
    no: NDArray[np.bool_]
    ts: Ints
    ts_venue: Ints
    table: Any


def convert(
    files: Sequence[Path], lookup: Lookup, recording: Recording, silence: Ns = SILENCE
) -> Iterator[Columns]:
    """The rows of these files, all at once; a market is found by its slug.

    Where both tokens of a market were recorded, NO's books only prove YES's; trades of both count.

    Raises:
        DataError: a file is damaged or holds neither books nor trades of this form.
    """
    tables = [_read(path) for path in files]
    names = [path.name for path in files]
    for name, table in zip(names, tables, strict=True):
        recording.rows[name] = table.num_rows
    books = [(i, t) for i, t in enumerate(tables) if BOOK[0] in t.column_names]
    prints = [(i, t) for i, t in enumerate(tables) if BOOK[0] not in t.column_names]
    parts: list[Part] = []
    if prints:
        parts += _trades(recording, names, _known_rows(prints, lookup, recording))
    if books:
        rows = _known_rows(books, lookup, recording)
        parts += _books(recording, names, rows, silence)
    columns = joined(parts)
    if len(columns["ts"]):
        yield columns


def _read(path: Path) -> Any:
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    with reading(path):
        file = pq.ParquetFile(path)
        have = set(file.schema_arrow.names)
        for kind in (BOOK, TRADE):
            wanted = (*KEYS, "token", *TIMES, *kind)
            if have.issuperset(wanted):
                return file.read(columns=list(wanted))
    raise DataError(
        f"{path} has the columns {', '.join(sorted(have))}",
        expected=f"{', '.join((*KEYS, 'token', *TIMES))} and those of books "
        f"({', '.join(BOOK)}) or of trades ({', '.join(TRADE)})",
        hint="polyframe data import tape FILE --format FORMAT names another form",
    )


def _known_rows(tables: list[tuple[int, Any]], lookup: Lookup, recording: Recording) -> _Rows:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    table = pa.concat_tables([t for _, t in tables])
    sizes = [t.num_rows for _, t in tables]
    file = np.repeat([i for i, _ in tables], sizes).astype(np.int64)
    row = np.concatenate([np.arange(n) + 1 for n in sizes]).astype(np.int64)
    interval, asset, window = (table[name].to_numpy().astype(str) for name in KEYS)
    slugs = _slug(asset, interval, window)
    names, place = np.unique(slugs, return_inverse=True)
    instrument = np.full(len(names), -1, np.int64)
    for at, (slug, count) in enumerate(zip(names, np.bincount(place), strict=True)):
        market = lookup.names.get(str(slug))
        if market is not None:
            instrument[at] = recording.instrument(market)
        elif lookup.only is None:
            recording.unknown[str(slug)] += int(count)
        else:
            recording.note("rows of other markets", int(count))
    whose = instrument[place]
    token = table["token"].to_numpy()
    sides = np.isin(token, ["up", "down"])
    for index in np.unique(file):
        wrong = np.flatnonzero((file == index) & ~sides & (whose >= 0))
        label = list(recording.rows)[int(index)]
        recording.put_aside(label, row[wrong], "token is neither up nor down", token[wrong])
    kept = np.flatnonzero((whose >= 0) & sides)
    table, whose, no = table.take(kept), whose[kept], token[kept] == "down"
    recv = table["recv_ms"].to_numpy().astype(np.int64) * MILLISECOND
    ts = known(recording, recv, whose * 2 + no)
    venue = table["ts_ms"].to_numpy().astype(np.int64) * MILLISECOND
    return _Rows(file[kept], row[kept], whose, no, ts, venue, table)


def _slug(asset: NDArray[Any], interval: NDArray[Any], window: NDArray[Any]) -> NDArray[Any]:
    """Polymarket's slug of a market on where a coin stands at the end of a window."""
    words: NDArray[Any] = asset
    for word in ("-updown-", interval, "-", window):
        words = np.char.add(words, word)
    return words


def _books(recording: Recording, names: list[str], rows: _Rows, silence: Ns) -> list[Part]:
    from_yes = np.unique(rows.instrument[~rows.no])
    used = ~rows.no | ~np.isin(rows.instrument, from_yes)
    _prove(recording, rows)
    at = np.flatnonzero(used)
    order = at[np.lexsort((rows.row[at], rows.ts[at], rows.instrument[at]))]
    books = Snapshots(rows.instrument[order], rows.ts[order], rows.ts_venue[order],
                      rows.file[order], rows.row[order])  # fmt: skip
    return book_parts(recording, names, books, _levels(rows, order), silence)


def _levels(rows: _Rows, order: Ints) -> Levels:
    """The levels of these rows in YES space; ``at`` counts along ``order``."""
    table = rows.table.take(order)
    no = rows.no[order]
    parts = []
    for sign, side in ((1, "bid"), (-1, "ask")):
        prices, sizes = (table[f"{side}_{what}"].combine_chunks() for what in ("px", "sz"))
        lengths, others = (
            lists.value_lengths().fill_null(0).to_numpy() for lists in (prices, sizes)
        )
        even = lengths == others
        at, other = (np.repeat(np.arange(len(order)), n) for n in (lengths, others))
        price, bad = exact_units(_flat(prices)[even[at]], 4)
        size, none = exact_units(_flat(sizes)[even[other]], 6)
        odd = np.flatnonzero(~even)  # as many prices as sizes, or nothing can be said
        at = np.concatenate([at[even[at]], odd])
        price, size = (np.concatenate([found, odd * 0]) for found in (price, size))
        bad = np.concatenate([bad | none, odd >= 0])
        flipped = no[at]
        parts.append(
            Levels(at, np.where(flipped, -sign, sign), np.where(flipped, 10_000 - price, price),
                   size, bad)
        )  # fmt: skip
    return Levels(*(np.concatenate(pair) for pair in zip(*parts, strict=True)))


def _flat(lists: Any) -> NDArray[np.float64]:
    values: NDArray[np.float64] = lists.flatten().to_numpy(zero_copy_only=False)
    return values


def _prove(recording: Recording, rows: _Rows) -> None:
    """Counts the moments of the venue at which the books of both tokens are no mirror images."""
    key = rows.instrument * (int(rows.ts_venue.max(initial=0)) // MILLISECOND + 1)
    key = key + rows.ts_venue // MILLISECOND
    yes, no = np.flatnonzero(~rows.no), np.flatnonzero(rows.no)
    shared, a, b = np.intersect1d(key[yes], key[no], return_indices=True)
    if len(shared):
        found = differing(len(shared), _levels(rows, yes[a]), _levels(rows, no[b]))
        recording.note(MIRROR, int(found.sum()))


def _trades(recording: Recording, names: list[str], rows: _Rows) -> list[Part]:
    table = rows.table
    price, bad = exact_units(table["price"].to_numpy(), 4)
    size, none = exact_units(table["size"].to_numpy(), 6)
    side = table["side"].to_numpy()
    buys, sells = np.isin(side, ["buy", "BUY"]), np.isin(side, ["sell", "SELL"])
    bad |= none | (size <= 0) | ~(buys | sells)
    off = ~bad & ((price <= 0) | (price >= 10_000))
    for why, wrong in ((AMOUNT, bad), (OFF_GRID, off)):
        for index, name in enumerate(names):
            at = np.flatnonzero(wrong & (rows.file == index))
            recording.put_aside(name, rows.row[at], f"trade: {why}", table["price"].to_numpy()[at])
    good = np.flatnonzero(~bad & ~off)
    no = rows.no[good]
    sign = np.where(buys[good], 1, -1)
    return [
        part(good, rows.ts[good], TapeKind.TRADE, rows.instrument[good],
             ts_venue=rows.ts_venue[good], side=np.where(no, -sign, sign),
             price=np.where(no, 10_000 - price[good], price[good]), size=size[good])
    ]  # fmt: skip
