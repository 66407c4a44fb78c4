"""Polymarket's five best levels of both tokens, recorded every second, as rows of a tape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.units import MILLISECOND, SECOND, Ns
from polyframe.store.parquet import reading
from polyframe.store.tape_amounts import exact_units
from polyframe.store.tape_recording import (
    AMOUNT,
    Columns,
    Ints,
    Lookup,
    Part,
    Recording,
    joined,
    known,
    need_columns,
    part,
)
from polyframe.store.tape_rows import TapeKind
from polyframe.store.tape_snapshots import Levels, Snapshots, book_parts

SILENCE = 5 * SECOND
DEPTH = 5
TOKENS = ("up", "down")
SIDES = {"bid": 1, "ask": -1}
MIRROR = "books in which the NO token is not the mirror of YES; YES counts"
SAMPLED = "trades are the last one of each second and token; others are not in the recording"

_WANTED = (
    "ts_ms",
    *(f"token_id_{t}" for t in TOKENS),
    *(f"{s}_{w}_{t}_{n}" for t in TOKENS for s in SIDES for w in ("px", "sz")
      for n in range(1, DEPTH + 1)),
)  # fmt: skip
_TRADED = tuple(f"last_trade_{w}_{t}" for t in TOKENS for w in ("px", "sz", "side"))


def convert(
    files: Sequence[Path], lookup: Lookup, recording: Recording, silence: Ns = SILENCE
) -> Iterator[Columns]:
    """The rows of these files, all at once.

    A level that leaves the five best is removed: the recording says nothing of it any more. The
    recorder does not tell the venue's time, so ``ts_venue`` is 0.

    Raises:
        DataError: a file is damaged or lacks columns.
    """
    tables = [_read(path) for path in files]
    index, market = _markets(tables, files, lookup, recording)
    if not len(index["row"]):
        return
    whole = {n: np.concatenate([t[n] for t in tables])[index["kept"]] for n in tables[0]}
    ts = known(recording, whole["ts_ms"].astype(np.int64) * MILLISECOND, market)
    order = np.lexsort((ts, market))
    whole = {name: values[order] for name, values in whole.items()}
    books = Snapshots(
        market[order], ts[order], np.zeros(len(ts), np.int64), index["file"][order],
        index["row"][order],
    )  # fmt: skip
    names = [path.name for path in files]
    levels = _levels(recording, whole)
    trades = _trades(recording, names, books, whole) if _TRADED[0] in whole else []
    yield joined([*trades, *book_parts(recording, names, books, levels, silence)])


def _read(path: Path) -> dict[str, NDArray[Any]]:
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    with reading(path):
        file = pq.ParquetFile(path)
        have = file.schema_arrow.names
        need_columns(path, have, _WANTED, "polymarket-top5")
        extra = _TRADED if all(name in have for name in _TRADED) else ()
        table = file.read(columns=[*_WANTED, *extra])
    return {name: table[name].to_numpy() for name in table.column_names}


def _markets(
    tables: list[dict[str, NDArray[Any]]], files: Sequence[Path], lookup: Lookup,
    recording: Recording,
) -> tuple[dict[str, Ints], Ints]:  # fmt: skip
    """Where the kept rows come from, and their instruments."""
    tokens = np.concatenate([t["token_id_up"] for t in tables])
    sizes = [len(t["ts_ms"]) for t in tables]
    for path, n in zip(files, sizes, strict=True):
        recording.rows[path.name] = n
    names, place = np.unique(tokens.astype(str), return_inverse=True)
    instrument = np.full(len(names), -1, np.int64)
    for at, (token, count) in enumerate(zip(names, np.bincount(place), strict=True)):
        found = lookup.tokens.get(str(token))
        if found is not None and found[1] == 0:
            instrument[at] = recording.instrument(found[0])
        elif lookup.only is None:
            recording.unknown[str(token)] += int(count)
        else:
            recording.note("rows of other markets", int(count))
    market = instrument[place]
    kept = np.flatnonzero(market >= 0)
    file = np.repeat(np.arange(len(files)), sizes)
    row = np.concatenate([np.arange(n) + 1 for n in sizes])
    return {"kept": kept, "file": file[kept], "row": row[kept]}, market[kept]


def _levels(recording: Recording, whole: dict[str, NDArray[Any]]) -> Levels:
    """YES's levels; where a row has none but NO's, those seen from YES."""
    yes, no = (_token(whole, token) for token in TOKENS)
    n = len(whole["ts_ms"])
    mirrored = no._replace(side=-no.side, price=10_000 - no.price)
    only_no = (_count(yes, n) == 0) & (_count(no, n) > 0)
    recording.note(MIRROR, int((differing(n, yes, mirrored) & ~only_no).sum()))
    taken = Levels(*(column[only_no[mirrored.at]] for column in mirrored))
    return Levels(*(np.concatenate(pair) for pair in zip(yes, taken, strict=True)))


def _count(levels: Levels, n: int) -> Ints:
    return np.bincount(levels.at, minlength=n)


def differing(n: int, yes: Levels, mirrored: Levels) -> NDArray[np.bool_]:
    """The books in which two sets of levels are not the same. Shapes: result (n,)."""
    both = [np.concatenate(pair) for pair in zip(yes[:4], mirrored[:4], strict=True)]
    order = np.lexsort(both[::-1])
    same = np.ones(max(len(order) - 1, 0), np.bool_)
    for column in both:
        same &= column[order][1:] == column[order][:-1]
    paired = np.r_[same, False] | np.r_[False, same] if len(order) else same
    found = np.zeros(n, np.bool_)
    found[both[0][order][~paired]] = True
    return found


def _token(whole: dict[str, NDArray[Any]], token: str) -> Levels:
    at, sides, prices, sizes = [], [], [], []
    for side, sign in SIDES.items():
        for level in range(1, DEPTH + 1):
            price, size = whole[f"{side}_px_{token}_{level}"], whole[f"{side}_sz_{token}_{level}"]
            rows = np.flatnonzero(~np.isnan(price))
            at.append(rows)
            sides.append(np.full(len(rows), sign, np.int64))
            prices.append(price[rows])
            sizes.append(size[rows])
    price, no_price = exact_units(np.concatenate(prices), 4)
    size, no_size = exact_units(np.concatenate(sizes), 6)
    return Levels(np.concatenate(at), np.concatenate(sides), price, size, no_price | no_size)


def _trades(
    recording: Recording, names: list[str], books: Snapshots, whole: dict[str, NDArray[Any]]
) -> list[Part]:
    """A trade where the last one is another than a second ago; the first of a market has no age."""
    found = []
    fresh = np.r_[False, np.diff(books.instrument) == 0]
    for no, token in enumerate(TOKENS):
        price, size, side = (whole[f"last_trade_{w}_{token}"] for w in ("px", "sz", "side"))
        buys, sells = side == "BUY", side == "SELL"
        changed = np.zeros(len(price), np.bool_)
        # What was missing a second ago and is told now is a trade as well.
        for values in (price, size, buys):
            changed[1:] |= (values[1:] != values[:-1]) & ~_nan(values[1:])
        at = np.flatnonzero(changed & fresh & ~np.isnan(price))
        units, bad = exact_units(price[at], 4)
        shares, none = exact_units(size[at], 6)
        bad |= none | (units <= 0) | (units >= 10_000) | (shares <= 0) | ~(buys | sells)[at]
        for index, name in enumerate(names):
            wrong = at[bad & (books.file[at] == index)]
            recording.put_aside(name, books.row[wrong], f"trade: {AMOUNT}", price[wrong])
        at, units, shares = at[~bad], units[~bad], shares[~bad]
        sign = np.where(buys[at], 1, -1)
        found.append(
            part(at * 2 + no, books.ts[at], TapeKind.TRADE, books.instrument[at],
                 side=-sign if no else sign, price=10_000 - units if no else units, size=shares)
        )  # fmt: skip
    recording.note(SAMPLED, sum(len(p.update) for p in found))
    return found


def _nan(values: NDArray[Any]) -> NDArray[np.bool_]:
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), np.bool_)
