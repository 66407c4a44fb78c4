"""What can be wrong with a tape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import Market
from polyframe.domain.units import MILLISECOND, SECOND
from polyframe.errors import DataError
from polyframe.kernels import tapecheck_nb as nb
from polyframe.store.catalogue import Catalogue
from polyframe.store.findings import Finding, Severity
from polyframe.store.tape import Tape
from polyframe.store.tape_rows import COLUMNS, TapeKind, off_grid
from polyframe.store.tape_scan import Scanned, scan_rows

Ints = NDArray[np.int64]

BOOK = (TapeKind.LEVEL, TapeKind.SNAPSHOT_BEGIN, TapeKind.SNAPSHOT_END, TapeKind.CLEAR,
        TapeKind.TICK)  # fmt: skip
"""Kinds of rows that tell of a book."""

SILENT = 60 * SECOND
"""A market of which nothing is told for longer than this is worth a look."""


def check_tapes(catalogue: Catalogue) -> Iterator[Finding]:
    """Everything about every tape; of one that was changed nothing else is said."""
    if not catalogue.tapes():
        return
    try:
        markets = {m.yes.id: m for m in catalogue.markets()}
    except DataError:
        markets = {}  # the markets' own check says what is wrong with them
    for source, path in sorted(catalogue.tapes().items()):
        file = catalogue.name(path)
        try:
            tape = catalogue.tape(source)
            tape.verify()
        except DataError as error:
            told = error.message.replace(f"{catalogue.path}/", "")
            yield Finding(Severity.ERROR, "damaged tape", file, told)
            continue
        yield from check_tape(file, tape, markets)


class _Rows(NamedTuple):
    """One instrument's rows of a tape; ``at`` is None when all rows are its own."""

    file: str
    name: str
    columns: dict[str, NDArray[Any]]
    at: Ints | None

    def of(self, column: str) -> NDArray[Any]:
        """One of its columns."""
        whole = self.columns[column]
        return whole if self.at is None else whole[self.at]

    def tells(self, severity: Severity, check: str, message: str, rows: int = 1) -> Finding:
        """A finding about it."""
        return Finding(severity, check, self.file, message, self.name, rows)


def check_tape(file: str, tape: Tape, markets: dict[str, Market]) -> Iterator[Finding]:
    """Books, clocks, trades and trust of every instrument of a tape, by its market."""
    columns = {name: tape.column(name) for name in COLUMNS}
    reasons = _reasons(tape)
    for at, token in _instruments(tape, columns["instrument"]):
        market = markets.get(token)
        rows = _Rows(file, market.id if market else token, columns, at)
        if market is None:
            told = "the catalogue has no market with this token"
            yield rows.tells(Severity.WARNING, "unknown market", told)
        if at is not None and not len(at):
            told = "no row of it stands on the tape: all of its books were set aside"
            yield rows.tells(Severity.ERROR, "never whole", told, 0)
            continue
        tick = market.tick if market else 1
        scanned = scan_rows(columns, at, tick)
        yield from _books(rows, tick, scanned)
        yield from _times(rows, scanned.tally)
        yield from _trust(rows, scanned, reasons)
        yield from _trades(rows)


def _instruments(tape: Tape, instrument: NDArray[Any]) -> Iterator[tuple[Ints | None, str]]:
    names = tape.instruments
    if len(names) == 1:
        yield None, names[0]
        return
    order = np.argsort(instrument, kind="stable")
    edges = np.searchsorted(instrument[order], np.arange(len(names) + 1))
    for at, name in enumerate(names):
        yield order[edges[at] : edges[at + 1]], name


def _reasons(tape: Tape) -> dict[int, str]:
    """Why each CLEAR row stands there; every segment has names of its own."""
    found: dict[int, str] = {}
    start = 0
    for segment in tape.segments:
        for row in np.flatnonzero(segment["kind"] == TapeKind.CLEAR):
            aux = int(segment["aux"][row])
            found[start + int(row)] = segment.names[aux - 1] if aux else "cleared"
        start += segment.rows
    return found


def _books(rows: _Rows, tick: int, scanned: Scanned) -> Iterator[Finding]:
    error, tally = Severity.ERROR, scanned.tally
    if n := int(tally[nb.T_CROSSED]):
        told = "updates that end with the best bid at the best ask or above it"
        first = f"; first at row {int(scanned.crossed[0])}" if len(scanned.crossed) else ""
        yield rows.tells(error, "crossed book", told + first, n)
    if n := len(off_grid(rows.of("kind"), rows.of("price"), tick)):
        told = "levels at prices that the market's tick does not have"
        yield rows.tells(error, "price off the tick", told, n)
    if n := int(tally[nb.T_BROKEN]):
        told = "snapshots without both marks or with another number of levels"
        yield rows.tells(error, "broken snapshot", told, n)
    if n := int(tally[nb.T_NEGATIVE]):
        yield rows.tells(Severity.WARNING, "negative spread", "quoted bids above the ask", n)
    if n := int(tally[nb.T_EMPTY]):
        yield rows.tells(Severity.INFO, "empty book", "whole books without a level", n)


def _times(rows: _Rows, tally: Ints) -> Iterator[Finding]:
    if n := int(tally[nb.T_BACK]):
        by = f"{int(tally[nb.T_BACK_MOST]) / MILLISECOND:,.3f} ms"
        told = f"rows that happened before the ones above them, by up to {by}"
        yield rows.tells(Severity.WARNING, "venue clock back", told, n)
    if n := int(tally[nb.T_AHEAD]):
        by = f"{int(tally[nb.T_AHEAD_MOST]) / MILLISECOND:,.3f} ms"
        told = f"the recorder's clock is behind the venue's, by up to {by}"
        yield rows.tells(Severity.WARNING, "known before it happened", told, n)


def _trust(rows: _Rows, scanned: Scanned, reasons: dict[int, str]) -> Iterator[Finding]:
    tally = scanned.tally
    levels = int(tally[nb.T_LEVELS])
    clears = np.flatnonzero(rows.of("kind") == TapeKind.CLEAR)
    why = Counter(reasons[int(at)] for at in (clears if rows.at is None else rows.at[clears]))
    if not tally[nb.T_SNAPSHOTS]:
        yield _never_whole(rows, levels, why)
        return
    ts = rows.of("ts")
    life, lost = int(ts[-1] - ts[0]), int(tally[nb.T_UNTRUSTED])
    if lost:
        told = f"{lost / max(life, 1):.2%} of the time its book is not to be trusted ("
        told += _counted(why or {"before its first snapshot": 1}) + ")"
        yield rows.tells(Severity.WARNING, "untrusted", told, max(len(clears), 1))
    if (longest := int(tally[nb.T_SILENCE])) > SILENT:
        told = f"nothing is told of it for up to {longest / SECOND:,.1f} s"
        yield rows.tells(Severity.WARNING, "silence", told)


def _never_whole(rows: _Rows, levels: int, why: Counter[str]) -> Finding:
    kinds = rows.of("kind")
    if not np.isin(kinds, BOOK).any():
        told = "only its trades or best prices stand on the tape: nothing can be filled from them"
        return rows.tells(Severity.WARNING, "no book", told, len(kinds))
    told = "no snapshot of it is whole: nothing can be filled from its book"
    if why:
        told += f" ({_counted(why)})"
    return rows.tells(Severity.ERROR, "never whole", told, levels or len(kinds))


def _counted(why: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {n}" for reason, n in why.items())


def _trades(rows: _Rows) -> Iterator[Finding]:
    at = np.flatnonzero((rows.of("kind") == TapeKind.TRADE) & (rows.of("ts_venue") != 0))
    if not len(at):
        return
    found = [rows.of(n)[at].astype(np.int64) for n in ("price", "size", "side", "aux", "ts_venue")]
    order = np.lexsort(found)
    same = np.ones(len(at) - 1, np.bool_)
    for column in found:
        same &= np.diff(column[order]) == 0
    if n := int(same.sum()):
        told = "of the same moment, side, price and size: fills of one order, or told twice"
        yield rows.tells(Severity.INFO, "equal trades", told, n)
