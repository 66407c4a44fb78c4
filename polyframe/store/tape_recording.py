"""What a converter makes of a recording: rows of a tape, what it left out, what it noticed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import Market
from polyframe.domain.units import Ns
from polyframe.errors import DataError
from polyframe.store.tape_rows import COLUMNS, TapeFlag, TapeKind

Ints = NDArray[np.int64]
Columns = dict[str, NDArray[Any]]

GAP = "gap"
CROSSED = "crossed book"
HASH = "hash mismatch"
SEQUENCE = "sequence break"
ORDER = "venue time went back"
TRUNCATED = "unreadable line"
OFF_GRID = "price off the tick"
AMOUNT = "impossible amount"
DISAGREES = "best price disagrees"
TWICE = "a price twice in one book"
FINE = "too many decimals"
UNEVEN = "not as many sizes as prices"
SIDE = "unknown side"
TICK = "impossible tick"
NO_TIME = "no time"
REASONS = (GAP, CROSSED, HASH, SEQUENCE, ORDER, TRUNCATED, OFF_GRID, AMOUNT, FINE, DISAGREES,
           TWICE, UNEVEN, SIDE, TICK, NO_TIME)  # fmt: skip
"""Why a book is not to be trusted before its next snapshot."""

BACK = "recorder's clock went back"
CLOCK = "the recorder's clock went back; the row counts as known when the one before it was"


class Lookup:
    """The catalogue's markets by token, id, slug and condition, or the one that is wanted."""

    def __init__(self, markets: Iterable[Market], only: Market | None = None) -> None:
        kept = list(markets) if only is None else [only]
        self.only = only
        self.tokens = {t.id: (m, i) for m in kept for i, t in enumerate(m.tokens[:2])}
        self.names = {n: m for m in kept for n in (m.slug, m.condition_id, m.id) if n}


@dataclass(slots=True)
class Recording:
    """What was found so far. Converters add to it while they hand out rows."""

    markets: list[Market] = field(default_factory=list)
    """the instruments of the tape, in the order of their index"""
    names: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    """rows, lines or events read, by file"""
    aside: list[tuple[str, Ints, str, list[str]]] = field(default_factory=list)
    """file, rows counted from 1, reason, values"""
    notes: Counter[str] = field(default_factory=Counter)
    clears: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    """rows of markets that the catalogue lacks, by what the recording calls them"""
    last: dict[int, Ns] = field(default_factory=dict)
    """by instrument when its book was last told, in forms in which each book has a silence"""
    _places: dict[str, int] = field(default_factory=dict)

    def instrument(self, market: Market) -> int:
        """The index of a market, which is added when it is new."""
        place = self._places.setdefault(market.id, len(self.markets))
        if place == len(self.markets):
            self.markets.append(market)
        return place

    def reason(self, text: str) -> int:
        """What ``aux`` of a CLEAR row is for this reason."""
        if text not in self.names:
            self.names.append(text)
        return self.names.index(text) + 1

    def put_aside(self, file: str, rows: Any, reason: str, values: Iterable[object]) -> None:
        """Leaves rows (the first is 1) of a file out."""
        at = np.atleast_1d(np.asarray(rows, np.int64))
        if len(at):
            self.aside.append((file, at, reason, [str(value) for value in values]))

    def cleared(self, why: str, count: int = 1) -> None:
        """Counts CLEAR rows."""
        if count:
            self.clears[why] += count

    def note(self, text: str, count: int = 1) -> None:
        """Counts something that a person should hear of and that left no row out."""
        if count:
            self.notes[text] += count


class Part(NamedTuple):
    """Rows of one kind of event. ``update`` says which of them belong together.

    At equal ts parts come in the order in which they are joined, updates in the order of their
    numbers, and rows of one update as they stand.
    """

    update: Ints
    columns: Columns


def part(update: Any, ts: Any, kind: Any, instrument: Any, **given: Any) -> Part:
    """A part; columns that are not given are 0, plain values stand in every row.

    Shapes: update (n,), the others (n,) or plain.
    """
    stated = {"ts": ts, "kind": kind, "instrument": instrument, **given}
    n = len(update)
    columns = {
        name: np.broadcast_to(np.asarray(stated.get(name, 0)), (n,)).astype(dtype)
        for name, dtype in COLUMNS.items()
    }
    return Part(np.asarray(update, np.int64), columns)


def joined(parts: Sequence[Part]) -> Columns:
    """All rows in the order of a tape, MORE on every row but the last of an update."""
    parts = [p for p in parts if len(p.update)]
    if not parts:
        return {name: np.zeros(0, dtype) for name, dtype in COLUMNS.items()}
    whole = {name: np.concatenate([p.columns[name] for p in parts]) for name in COLUMNS}
    update = np.concatenate([p.update for p in parts])
    rank = np.repeat(np.arange(len(parts)), [len(p.update) for p in parts])
    order = np.lexsort((update, rank, whole["ts"]))
    update, rank = update[order], rank[order]
    whole = {name: values[order] for name, values in whole.items()}
    same = (update[1:] == update[:-1]) & (rank[1:] == rank[:-1])
    same &= whole["ts"][1:] == whole["ts"][:-1]
    whole["flag"][:-1][same] = int(TapeFlag.MORE)
    return whole


def cleared_after(columns: Columns, rows: Ints, aux: int) -> Columns:
    """The columns with a CLEAR row behind each of these rows, in the same update."""
    if not len(rows):
        return columns
    made = {name: np.insert(values, rows + 1, values[rows]) for name, values in columns.items()}
    new = rows + 1 + np.arange(len(rows))
    made["flag"][new - 1] = int(TapeFlag.MORE)
    for name, value in (("kind", int(TapeKind.CLEAR)), ("aux", aux), ("flag", 0)):
        made[name][new] = value
    for name in ("side", "price", "size"):
        made[name][new] = 0
    return made


def known(recording: Recording, ts: Ints, stream: Ints | None = None) -> Ints:
    """The moments at which rows were known: never before those of the row before in their stream.

    Shapes: ts, stream and the result (n,); rows of a stream stand in their order.
    """
    raised = highest(ts, stream)
    recording.note(CLOCK, int((raised != ts).sum()))
    return raised


def highest(ts: Ints, stream: Ints | None = None) -> Ints:
    """The latest time so far in each row's stream. Shapes: all (n,)."""
    if stream is None or not len(ts):
        return np.maximum.accumulate(ts) if len(ts) else ts
    order = np.argsort(stream, kind="stable")
    number = np.cumsum(np.r_[True, np.diff(stream[order]) != 0]) - 1
    # One running maximum for all: every stream begins above whatever came before it. Of ranks, for
    # sums of times would not fit 64 bits.
    times, rank = np.unique(ts, return_inverse=True)
    lifted = np.maximum.accumulate(rank[order] + number * len(times)) - number * len(times)
    raised = np.empty_like(ts)
    raised[order] = times[lifted]
    return raised


def drop(
    recording: Recording, file: Ints, row: Ints, rows: NDArray[np.bool_], why: str, values: Any
) -> NDArray[np.bool_]:
    """Sets these rows aside and gives those that stay. Shapes: all (n,); ``file`` by its index."""
    for index, name in enumerate(recording.rows):
        at = np.flatnonzero(rows & (file == index))
        recording.put_aside(name, row[at], why, values[at])
    return ~rows


def silences(ts: Ints, longest: Ns) -> Ints:
    """The rows after which nothing came for longer than this. Shapes: ts ascending (n,)."""
    return np.flatnonzero(np.diff(ts) > longest) if longest else np.zeros(0, np.int64)


def need_columns(file: Path, have: Iterable[str], wanted: Iterable[str], form: str) -> None:
    """Refuses a file that is not of this form.

    Raises:
        DataError: it lacks columns.
    """
    lacking = [name for name in wanted if name not in set(have)]
    if lacking:
        raise DataError(
            f"{file} has no column {', '.join(lacking[:4])}",
            expected=f"a recording of the form {form}, with the columns that docs/data.md lists",
            hint="polyframe data import tape FILE --format FORMAT names another form",
        )
