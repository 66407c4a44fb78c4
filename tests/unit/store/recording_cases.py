"""Tapes seen by the slowest means: one row after the other into dictionaries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from polyframe.domain.market import Market, Token
from polyframe.store.catalogue import Catalogue
from polyframe.store.tape import Tape
from polyframe.store.tape_recording import Lookup, Recording
from polyframe.store.tape_rows import COLUMNS, TapeFlag, TapeKind, first_fault

YES, NO = "yes-token", "no-token"
SECOND = 1_000_000_000
ERA = 1_785_000_000_000
"""The moment from which these cases count, in ms: recordings are of these years."""
ERA_NS = ERA * 1_000_000


def market(id: str = "m1", yes: str = YES, no: str = NO, tick: int = 100) -> Market:
    return Market(
        id=id,
        question="?",
        tokens=(Token(yes, "Yes"), Token(no, "No")),
        tick=tick,
        slug=f"{id}-slug",
    )


class Seen(NamedTuple):
    """An instrument's book after an update."""

    row: int
    ts: int
    instrument: int
    bids: dict[int, int]
    asks: dict[int, int]
    trusted: bool


def rebuilt(columns: dict[str, np.ndarray], ticks: dict[int, int] | None = None) -> Iterator[Seen]:
    """The books of a tape after each of its updates."""
    books: dict[int, dict[int, dict[int, int]]] = {}
    trusted: dict[int, bool] = {}
    ticks = dict(ticks or {})
    rows = zip(*(columns[name].tolist() for name in COLUMNS), strict=True)
    for at, (ts, _, price, size, _, of, kind, side, flag) in enumerate(rows):
        book = books.setdefault(of, {1: {}, -1: {}})
        trusted.setdefault(of, False)
        if kind in (TapeKind.SNAPSHOT_BEGIN, TapeKind.CLEAR):
            book[1].clear()
            book[-1].clear()
            trusted[of] = False
        elif kind == TapeKind.SNAPSHOT_END:
            trusted[of] = True
        elif kind == TapeKind.TICK:
            if ticks.get(of, price) % price:
                book[1].clear()
                book[-1].clear()
                trusted[of] = False
            ticks[of] = price
        elif kind == TapeKind.LEVEL:
            book[side].pop(price, None)
            if size:
                book[side][price] = size
        if not flag & TapeFlag.MORE:
            yield Seen(at, ts, of, dict(book[1]), dict(book[-1]), trusted[of])


def converted(
    module: Any, files: list[Path], markets: list[Market], only: Market | None = None, **kw: Any
) -> tuple[dict[str, np.ndarray], Recording]:
    """All rows that a converter makes, which keep the rules of a tape."""
    recording = Recording()
    parts = list(module.convert(files, Lookup(markets, only), recording, **kw))
    columns = {
        name: np.concatenate([part[name] for part in parts] or [np.zeros(0, dtype)])
        for name, dtype in COLUMNS.items()
    }
    fault = first_fault(columns, len(recording.markets), len(recording.names))
    assert fault is None, fault
    return columns, recording


def told(columns: dict[str, np.ndarray], recording: Recording) -> list[str]:
    """Rows as a person reads them."""
    found = []
    for at in range(len(columns["ts"])):
        row = {name: int(columns[name][at]) for name in COLUMNS}
        kind = TapeKind(row["kind"])
        text = kind.name
        if kind in (TapeKind.LEVEL, TapeKind.TRADE):
            word = {1: "bid", -1: "ask"} if kind == TapeKind.LEVEL else {1: "buy", -1: "sell"}
            text += f" {word[row['side']]} {row['price']} {row['size'] / 1e6:g}"
        elif kind in (TapeKind.QUOTE_BID, TapeKind.QUOTE_ASK):
            text += f" {row['price']} {row['size']}"
        elif kind == TapeKind.TICK:
            text += f" {row['price']}"
        elif kind == TapeKind.CLEAR and row["aux"]:
            text += f" {recording.names[row['aux'] - 1]}"
        elif kind in (TapeKind.SNAPSHOT_BEGIN, TapeKind.SNAPSHOT_END):
            text += f" {row['aux']}"
        found.append(text + ("+" if row["flag"] & TapeFlag.MORE else ""))
    return found


def aside(recording: Recording) -> list[tuple[str, int, str]]:
    """What was set aside: file, row, reason."""
    return [(file, int(row), why) for file, rows, why, _ in recording.aside for row in rows]


def tape_columns(catalogue: Catalogue, source: str) -> tuple[Tape, dict[str, np.ndarray]]:
    tape = catalogue.tape(source)
    tape.verify()
    return tape, {name: tape.column(name) for name in COLUMNS}
