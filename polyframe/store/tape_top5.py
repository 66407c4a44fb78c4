"""Polymarket's five best levels of both tokens, recorded every second, as rows of a tape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.units import MILLISECOND, SECOND, Ns
from polyframe.store.parquet import reading
from polyframe.store.tape_columns import numbers, stacked, texts
from polyframe.store.tape_recording import (
    BACK,
    NO_TIME,
    Columns,
    Ints,
    Lookup,
    Part,
    Recording,
    drop,
    highest,
    joined,
    need_columns,
    part,
)
from polyframe.store.tape_rows import TapeKind
from polyframe.store.tape_snapshots import Levels, Snapshots, book_parts, levels_of
from polyframe.store.tape_times import moments
from polyframe.store.tape_traded import Traded

SILENCE = 5 * SECOND
DEPTH = 5
TOKENS = ("up", "down")
SIDES = {"bid": 1, "ask": -1}
TURNED = "the tokens are not the market's first and second"
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
    recorder does not tell the venue's time, so ``ts_venue`` is 0. Where its own clock went back
    nobody can tell an old book from a new one: the row is set aside.

    Raises:
        DataError: a file is damaged, lacks columns or holds something else in them.
    """
    tables = [_read(path) for path in files]
    end = max((int(table["ts"].max(initial=0)) for table in tables), default=0)
    rows = _rows(tables, files, lookup, recording)
    if not len(rows.row):
        return
    whole = {n: stacked([t[n] for t in tables])[rows.at] for n in tables[0]}
    order = np.lexsort((whole["ts"], rows.market))
    whole = {name: values[order] for name, values in whole.items()}
    books = Snapshots(
        rows.market[order], whole["ts"], np.zeros(len(order), np.int64), rows.file[order],
        rows.row[order],
    )  # fmt: skip
    names = [path.name for path in files]
    levels = _levels(recording, whole)
    trades = _trades(recording, books, whole) if _TRADED[0] in whole else []
    yield joined([*trades, *book_parts(recording, names, books, levels, silence, end)])


def _read(path: Path) -> dict[str, NDArray[Any]]:
    """The columns by name, and ``ts`` in ns, 0 where the row has no time."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    with reading(path):
        file = pq.ParquetFile(path)
        have = file.schema_arrow.names
        need_columns(path, have, _WANTED, "polymarket-top5")
        extra = _TRADED if all(name in have for name in _TRADED) else ()
        table = file.read(columns=[*_WANTED, *extra])
    found = {"ts": moments(path, table["ts_ms"], "ts_ms", "ms")[0]}
    for name in (*_WANTED[1:], *extra):
        text = name.startswith(("token_id", "last_trade_side"))
        found[name] = (texts if text else numbers)(path, table, name)
    return found


class _Rows(NamedTuple):
    """The rows that are used: their place among all, their file, number and instrument."""

    at: Ints
    file: Ints
    row: Ints
    market: Ints


def _rows(
    tables: list[dict[str, NDArray[Any]]], files: Sequence[Path], lookup: Lookup,
    recording: Recording,
) -> _Rows:  # fmt: skip
    yes, no = (stacked([t[f"token_id_{token}"] for t in tables]) for token in TOKENS)
    ts = stacked([t["ts"] for t in tables])
    sizes = [len(t["ts"]) for t in tables]
    for path, n in zip(files, sizes, strict=True):
        recording.rows[path.name] = n
    names, place = np.unique(yes, return_inverse=True)
    instrument = np.full(len(names), -1, np.int64)
    second = np.full(len(names), "", object)
    for at, (token, count) in enumerate(zip(names, np.bincount(place), strict=True)):
        found = lookup.tokens.get(str(token))
        if found is not None:
            instrument[at] = recording.instrument(found[0])
            # A market of one token, and one whose second token this is, has no NO here.
            second[at] = found[0].tokens[1].id if found[0].binary and found[1] == 0 else None
        elif lookup.only is None:
            recording.unknown[str(token)] += int(count)
        else:
            recording.note("rows of other markets", int(count))
    file = np.repeat(np.arange(len(files)), sizes)
    row = np.concatenate([np.arange(n) + 1 for n in sizes])
    used = np.flatnonzero(instrument[place] >= 0)
    rows = _Rows(used, file[used], row[used], instrument[place][used])
    other = no[used] != second[place][used]
    rows = _without(recording, rows, other, TURNED, no)
    rows = _without(recording, rows, ts[rows.at] == 0, NO_TIME, ts)
    back = ts[rows.at] < highest(ts[rows.at], rows.market)
    return _without(recording, rows, back, f"book: {BACK}", ts // MILLISECOND)


def _without(
    recording: Recording, rows: _Rows, bad: NDArray[np.bool_], why: str, values: NDArray[Any]
) -> _Rows:
    stay = drop(recording, rows.file, rows.row, bad, why, values[rows.at])
    return _Rows(*(column[stay] for column in rows))


def _levels(recording: Recording, whole: dict[str, NDArray[Any]]) -> Levels:
    """YES's levels; where a row has none but NO's, those seen from YES."""
    yes, no = (_token(whole, token) for token in TOKENS)
    n = len(whole["ts"])
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
    return levels_of(np.concatenate(at), np.concatenate(sides), stacked(prices), stacked(sizes))


def _trades(recording: Recording, books: Snapshots, whole: dict[str, NDArray[Any]]) -> list[Part]:
    """A trade where the last one is another than a second ago; the first of a market has no age."""
    found = []
    fresh = np.r_[False, np.diff(books.instrument) == 0]
    for no, token in enumerate(TOKENS):
        price, size, side = (whole[f"last_trade_{w}_{token}"] for w in ("px", "sz", "side"))
        buys, changed = side == "BUY", np.zeros(len(price), np.bool_)
        # What was missing a second ago and is told now is a trade as well.
        for values in (price, size, buys):
            changed[1:] |= (values[1:] != values[:-1]) & ~_nan(values[1:])
        at = np.flatnonzero(changed & fresh & ~np.isnan(price))
        told = Traded.of(side[at], price[at], size[at])
        good = told.good(recording, books.file[at], books.row[at])
        whose = np.full(int(good.sum()), bool(no))
        at = at[good]
        found.append(
            part(at * 2 + no, books.ts[at], TapeKind.TRADE, books.instrument[at],
                 **told.columns(good, whose))
        )  # fmt: skip
    recording.note(SAMPLED, sum(len(p.update) for p in found))
    return found


def _nan(values: NDArray[Any]) -> NDArray[np.bool_]:
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), np.bool_)
